"""Local file of a checkpoint, found or downloaded according to the settings."""

from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path

from ...errors import CheckpointError
from ...settings import user_path
from .download import Report, cached, fetch, sha256_of
from .github_files import git_blob_of
from .table import (
    EMBEDDED,
    PACKAGE_LICENSE,
    find_digest,
    find_spec,
    official_name,
    pair_of_name,
    require_license,
    require_spec,
    resolve_variant,
)


class Origin(Enum):
    """Origin of a file, which determines whether its hash is verified."""

    EMBEDDED = 'part of the package'
    PUBLISHED = 'as published'
    LOCAL = 'unverified'


@dataclass(frozen=True)
class Checkpoint:
    """A file to load, with its hash and origin; `license` is an SPDX identifier, '' if unknown."""

    path: Path
    sha256: str
    origin: Origin
    license: str = ''

    def __str__(self) -> str:
        return f'{self.path} (sha256 {self.sha256[:12]}, {self.origin.value})'


def locate(
    encoder: str, variant: str = 'auto', checkpoint: str = '', accept_noncommercial: bool = False
) -> Path | None:
    """Return the path of the weights, None if they must be downloaded.

    Uses no network and reads no file, so it is fast enough for a lifecycle transition. The
    arguments are the values of the parameters of these names, see `EstimatorSettings`.

    Raises:
        SettingsError: The encoder has no such variant.
        LicenseError: The license was not accepted.
        CheckpointError: The local file is missing or named as another variant, or there is
            neither a local nor a published file.
    """
    variant = resolve_variant(encoder, variant)
    if checkpoint:
        path = user_path('checkpoint', checkpoint)
        if not path.is_file():
            what = 'is not a file' if path.exists() else 'does not exist'
            raise CheckpointError(f'checkpoint {path} {what}', _remedy(encoder, variant))
        named = pair_of_name(path.name)
        if named is not None:
            _require_pair(path, 'has the name', named, (encoder, variant), accept_noncommercial)
        return path
    if encoder == EMBEDDED:
        path = Path(str(resources.files('mono_depth_ros'))) / f'weights/{EMBEDDED}.safetensors'
        if not path.is_file():
            raise CheckpointError(f'{path} is part of the package but missing; install it again')
        return path
    spec = require_spec(encoder, variant)
    require_license(spec, accept_noncommercial)
    return cached(spec)


def obtain(
    encoder: str,
    variant: str = 'auto',
    checkpoint: str = '',
    accept_noncommercial: bool = False,
    progress: Report | None = None,
) -> Checkpoint:
    """Return the weights with verified hash, downloaded if necessary.

    Raises:
        MonoDepthError: See `locate`, as for the arguments, and `fetch`; or the local file is the
            published one of another encoder or variant.
    """
    variant = resolve_variant(encoder, variant)
    path = locate(encoder, variant, checkpoint, accept_noncommercial)
    if path is None or not (checkpoint or encoder == EMBEDDED):
        spec = require_spec(encoder, variant)
        path = fetch(spec, progress)
        return Checkpoint(path, spec.sha256 or sha256_of(path), Origin.PUBLISHED, spec.license)
    sha256 = sha256_of(path)
    if not checkpoint:
        return Checkpoint(path, sha256, Origin.EMBEDDED, PACKAGE_LICENSE)
    # The hash identifies a file: heads and versions have the same keys.
    found = find_digest(sha256) or find_digest(git_blob_of(path))
    if found is None:
        return Checkpoint(path, sha256, Origin.LOCAL)
    pair = found.encoder, found.variant
    _require_pair(path, f'is {found.name}', pair, (encoder, variant), accept_noncommercial)
    return Checkpoint(path, sha256, Origin.PUBLISHED, found.license)


def _require_pair(
    path: Path, how: str, found: tuple[str, str], asked: tuple[str, str], accept: bool
) -> None:
    """Refuse a file of another (encoder, variant), or with a license that was not accepted."""
    if found != asked:
        raise CheckpointError(
            f'{path} {how} of encoder {found[0]}, variant {found[1]}, but encoder {asked[0]}, '
            f'variant {asked[1]} was asked for',
            f'set `encoder: {found[0]}` and `variant: {found[1]}`, or another `checkpoint:`',
        )
    spec = find_spec(*found)
    if spec is not None:
        require_license(spec, accept)


def _remedy(encoder: str, variant: str) -> str:
    if encoder == EMBEDDED:
        return 'leave `checkpoint:` empty for the weights in the package'
    put = f'put {official_name(encoder, variant)} there'
    if find_spec(encoder, variant) is None:
        return put
    return (
        f'{put}, or leave `checkpoint:` empty and run `mono_depth weights get {encoder} {variant}`'
    )
