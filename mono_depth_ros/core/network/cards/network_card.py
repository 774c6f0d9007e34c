"""The card of a network: everything that must be known to turn its output into meters."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import CheckpointError, LicenseError
from ...types import PredictionKind
from ..checkpoints.download import sha256_of
from .output_kind import MetersRule, OutputKind, is_scaled_by_camera, needs_camera
from .placement import Placement, Size, SizeRule

COMMERCIAL = (
    *('Apache-2.0', 'MIT', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'CC0-1.0', 'CC-BY-4.0'),
    *('Unlicense', 'MPL-2.0', 'LGPL-3.0', 'GPL-3.0', 'AGPL-3.0'),
)
"""SPDX identifiers of licenses that allow commercial use; what else they demand is the user's."""


@dataclass(frozen=True)
class InputRule:
    """How pixels become the input: (scale * value - mean) / std in `order`, value 0..255.

    Attributes:
        interpolation: See `resized`.
    """

    name: str
    order: str
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    layout: str
    interpolation: str


@dataclass(frozen=True)
class InvalidRule:
    """The output whose numbers `above` or `below` a threshold mark pixels as invalid."""

    name: str
    threshold: float
    is_above: bool


@dataclass(frozen=True)
class SpreadRule:
    """The output that states one standard deviation of depth, in `meters` or as a `share`."""

    name: str
    unit: str


@dataclass(frozen=True)
class CameraInput:
    """The input that takes the camera, in one of several forms."""

    name: str
    form: str


@dataclass(frozen=True)
class NetworkCard:
    """A network, as its card describes it; see docs/networks.md.

    Attributes:
        path: Of the card, or of the model file that holds it.
        model: Of the model file, which need not be there.
        sha256: Of that file, '' if the card states none.
        license: SPDX identifier, '' if the card states none.
        depth_range: [m], what is outside is unknown; None for no limits.
        align_corners: Whether the output is resized with the centers of its corners kept.
    """

    path: Path
    model: Path
    sha256: str
    license: str
    input: InputRule
    size: SizeRule
    output: str
    output_kind: OutputKind
    meters: MetersRule
    depth_range: tuple[float, float] | None
    invalid: InvalidRule | None
    spread: SpreadRule | None
    camera: CameraInput | None
    align_corners: bool
    source: str

    @property
    def kind(self) -> PredictionKind:
        """See `OutputKind.network_kind`."""
        return self.output_kind.network_kind

    @property
    def needs_camera(self) -> bool:
        """Whether it knows no meters without the camera."""
        return self.camera is not None or needs_camera(self.output_kind, self.meters)

    @property
    def is_scaled_by_camera(self) -> bool:
        """Whether it has a shape without the camera, to which measurements can give meters."""
        return self.camera is None and is_scaled_by_camera(self.output_kind, self.meters)

    @property
    def fixed_size(self) -> Size | None:
        """(height, width) of the input of whatever image [px]; None if it follows the image."""
        return self.size.fixed

    def place(self, height: int, width: int) -> Placement:
        """Return where an image of that size [px] lies in the input."""
        return self.size.place(height, width)

    @property
    def is_here(self) -> bool:
        """Whether the model file is there."""
        return self.model.is_file()

    @property
    def kind_remedy(self) -> str:
        """What to do if `output_kind` is wrong."""
        return f'set output.kind in {self.path}'

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of all outputs that are read, the one with depth first."""
        rules = (self.invalid, self.spread)
        return (self.output, *(rule.name for rule in rules if rule is not None))

    def require_license(self, accept_noncommercial: bool) -> None:
        """Raise `LicenseError` unless commercial use is allowed, or the license was accepted."""
        require_license(str(self.path), self.license, accept_noncommercial)

    def require_model(self) -> None:
        """Raise `CheckpointError` if the model file is not there."""
        if not self.is_here:
            why = 'is not a file' if self.model.exists() else 'does not exist'
            what = f'{self.model}, the model of {self.path}, {why}'
            raise CheckpointError(what, f'put it there{self.source and f"; from {self.source}"}')

    def require_sha256(self) -> None:
        """Raise `CheckpointError` if the model file is not the one that the card describes."""
        found = sha256_of(self.model) if self.sha256 else ''
        if found != self.sha256:
            raise CheckpointError(
                f'{self.model} has sha256 {found}, and {self.path} is for {self.sha256}',
                'fetch the file again, or describe this one in a card of its own',
            )


def require_license(where: str, license: str, accept_noncommercial: bool) -> None:
    """Raise `LicenseError` unless commercial use is allowed, or the license was accepted.

    Args:
        where: What is licensed.
        license: SPDX identifier, '' if none is stated.
        accept_noncommercial: Whether the user accepts any.
    """
    if license in COMMERCIAL or accept_noncommercial:
        return
    what = f'is licensed {license}, which is not known to allow commercial use'
    if not license:
        what = 'states no license'
    raise LicenseError(
        f'{where} {what}',
        'set `accept_noncommercial: true` (--accept-noncommercial) if you may use it',
    )
