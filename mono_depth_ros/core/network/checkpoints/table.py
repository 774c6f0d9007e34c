"""Table of the encoders, variants and published checkpoints."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from ...errors import CheckpointError, LicenseError, SettingsError

EMBEDDED = 'tiny'
"""The encoder whose weights are part of this package."""
PACKAGE_LICENSE = 'Apache-2.0'

_FILE_NAMES = {
    'metric_indoor': 'depth_anything_v2_metric_hypersim_{}.pth',
    'metric_outdoor': 'depth_anything_v2_metric_vkitti_{}.pth',
    'relative': 'depth_anything_v2_{}.pth',
    'relative_v1': 'depth_anything_{}14.pth',
}

POSSIBLE = {
    **dict.fromkeys(('vits', 'vitb', 'vitl'), tuple(_FILE_NAMES)),
    'vitg': ('relative', 'metric_indoor', 'metric_outdoor'),
    'zipdepth': ('relative',),
    EMBEDDED: ('metric_indoor', 'relative'),
}
"""The variants of each encoder; the first is what `auto` means."""

RUNTIMES: dict[str, tuple[str, ...]] = {EMBEDDED: ('onnx', 'openvino')}
"""What `backend: auto` prefers to PyTorch on a CPU, the fastest first: runtimes that win at least
8 % on a quiet machine and 20 % on a busy one (benchmarks/results/backends.md)."""

ENCODERS = tuple(POSSIBLE)
VARIANTS = ('auto', *_FILE_NAMES)

_MAX_DEPTH = {'metric_indoor': 20.0, 'metric_outdoor': 80.0}

TRAINING_FOCAL_PX = {
    'metric_indoor': 886.81 * 518 / 768,
    'metric_outdoor': 725.0087 * 518 / 375,
}
"""Focal length of the training images of each variant, at the network's input [px].

Hypersim: 1024x768 px, 60 degrees across, hence 886.81 px (scenes differ slightly). Virtual
KITTI 2: 1242x375 px, 725.0087 px. Training resized the shorter side to 518 px and cropped
squares (metric_depth/dataset in the authors' repository DepthAnything/Depth-Anything-V2).
"""


@dataclass(frozen=True)
class CheckpointSpec:
    """A published file on the Hugging Face hub, or in a repository on GitHub.

    Attributes:
        file: Its path in the repository.
        revision: Commit of the repository.
        sha256: Of the file, '' on GitHub.
        size: [bytes].
        license: SPDX identifier; that of the file, since the encoder does not determine it.
        git_blob: What git calls the file on GitHub, a hash of its content; '' on the hub.
    """

    encoder: str
    variant: str
    file: str
    repository: str
    revision: str
    sha256: str
    size: int
    license: str
    git_blob: str = ''

    @property
    def name(self) -> str:
        """File name without folders."""
        return PurePosixPath(self.file).name

    @property
    def digest(self) -> str:
        """The hash that the file is known by."""
        return self.git_blob or self.sha256

    @property
    def noncommercial(self) -> bool:
        """Whether the license forbids commercial use."""
        return 'NC' in self.license.split('-')

    @property
    def size_mb(self) -> str:
        """Size as text, as in '99 MB'."""
        return f'{self.size / 1e6:.0f} MB'


TABLE = (
    CheckpointSpec(
        'vits',
        'metric_indoor',
        'depth_anything_v2_metric_hypersim_vits.pth',
        'depth-anything/Depth-Anything-V2-Metric-Hypersim-Small',
        '3bc65d4e14a6786a61acec16453c50e12bf5f338',
        'b782898d8a3e8be1f639de33837ed85e9b4b73e40f8f5e5cd99067588d722545',
        99222290,
        'Apache-2.0',
    ),
    CheckpointSpec(
        'vits',
        'metric_outdoor',
        'depth_anything_v2_metric_vkitti_vits.pth',
        'depth-anything/Depth-Anything-V2-Metric-VKITTI-Small',
        'c725b8589bdf6ab04072cab74c0467830db80d6d',
        '9203e538d35255c90dda4b7fedb47ff33fe725497bcca3b1e53b3a65ee63f0cb',
        99221808,
        'Apache-2.0',
    ),
    CheckpointSpec(
        'vits',
        'relative',
        'depth_anything_v2_vits.pth',
        'depth-anything/Depth-Anything-V2-Small',
        '03876f8651c73a60fe4c2c48294e09fcb6838fcf',
        '715fade13be8f229f8a70cc02066f656f2423a59effd0579197bbf57860e1378',
        99218434,
        'Apache-2.0',
    ),
    CheckpointSpec(
        'vitb',
        'relative',
        'depth_anything_v2_vitb.pth',
        'depth-anything/Depth-Anything-V2-Base',
        'a4e71a6c2ce52fe50df0f212066b0d4a87be9b5e',
        '0d2b7002e62d39d655571c371333340bd88f67ab95050c03591555aa05645328',
        389961218,
        'CC-BY-NC-4.0',
    ),
    CheckpointSpec(
        'vitl',
        'relative',
        'depth_anything_v2_vitl.pth',
        'depth-anything/Depth-Anything-V2-Large',
        'cbbb86a30ce19b5684b7a05155dc7e6cbc7685b9',
        'a7ea19fa0ed99244e67b624c72b8580b7e9553043245905be58796a608eb9345',
        1341395338,
        'CC-BY-NC-4.0',
    ),
    # Distilled from Depth Anything V2 Large, whose own weights forbid commercial use. The size is
    # that of its numbers: nothing that could be read says that of the file.
    CheckpointSpec(
        'zipdepth',
        'relative',
        'checkpoints/zipdepth_base.pth',
        'fabiotosi92/ZipDepth',
        'a302e5437bc58f15c4efd41d3e8222bf24f7d470',
        '',
        27_226_376,
        'MIT',
        git_blob='bc629a21c3e975fcbfc8cfc29b5179ca2cec8b06',
    ),
)


def resolve_variant(encoder: str, variant: str) -> str:
    """Return the variant, `auto` replaced by the default of the encoder.

    Raises:
        SettingsError: The encoder is unknown or has no such variant; the message lists the pairs.
    """
    possible = POSSIBLE.get(encoder, ())
    if variant == 'auto' and possible:
        return possible[0]
    if variant in possible:
        return variant
    rows = '\n'.join(f'  {name}: {", ".join(variants)}' for name, variants in POSSIBLE.items())
    pair = f'variant {variant!r} of encoder {encoder!r}'
    raise SettingsError(f'there is no {pair}; possible are\n{rows}')


def is_metric(variant: str) -> bool:
    """Return whether a resolved variant gives meters."""
    return variant in _MAX_DEPTH


def max_depth(encoder: str, variant: str) -> float | None:
    """Return the depth at which a metric network saturates [m], None for one that does not."""
    return None if encoder == EMBEDDED else _MAX_DEPTH.get(variant)


def official_name(encoder: str, variant: str) -> str:
    """Return the file name of the authors of the network for such weights."""
    spec = find_spec(encoder, variant)
    return spec.name if spec is not None else _FILE_NAMES[variant].format(encoder)


def find_spec(encoder: str, variant: str) -> CheckpointSpec | None:
    """Return the published file of a resolved pair, None if there is none."""
    return next((s for s in TABLE if (s.encoder, s.variant) == (encoder, variant)), None)


def find_digest(digest: str) -> CheckpointSpec | None:
    """Return the published file that is known by this hash, None if there is none."""
    return next((spec for spec in TABLE if spec.digest == digest), None)


def pair_of_name(name: str) -> tuple[str, str] | None:
    """Return (encoder, variant) of an official file name with any suffix, None for others."""
    official = name.rsplit('.', 1)[0] + '.pth'
    pairs = [(e, v) for e, variants in POSSIBLE.items() if e != EMBEDDED for v in variants]
    return next((pair for pair in pairs if official_name(*pair) == official), None)


def require_spec(encoder: str, variant: str) -> CheckpointSpec:
    """Return the published file of a resolved pair; raise `CheckpointError` if there is none."""
    spec = find_spec(encoder, variant)
    if spec is None:
        raise CheckpointError(
            f'encoder {encoder} with variant {variant} has no checkpoint to download; set '
            f'`checkpoint:` to a local file (the official name is '
            f'{official_name(encoder, variant)}), or choose one that `mono_depth weights list` '
            f'shows, or set `encoder: {EMBEDDED}`, which needs none'
        )
    return spec


def require_license(spec: CheckpointSpec, accept_noncommercial: bool) -> None:
    """Raise `LicenseError` if the license forbids commercial use and was not accepted."""
    if spec.noncommercial and not accept_noncommercial:
        raise LicenseError(
            f'{spec.file} is licensed {spec.license}, which forbids commercial use; set '
            f'`accept_noncommercial: true` (--accept-noncommercial) if yours is not, or use '
            f'encoder vits, which is Apache-2.0'
        )
