"""Local file of a checkpoint, found or downloaded according to the settings."""

from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path

from ...errors import CheckpointError
from .download import Report, cached, fetch, sha256_of
from .table import (
    EMBEDDED,
    find_sha256,
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
    """A file to load, with its hash and origin."""

    path: Path
    sha256: str
    origin: Origin

    def __str__(self) -> str:
        return f'{self.path} (sha256 {self.sha256[:12]}, {self.origin.value})'


def locate(
    encoder: str,
    variant: str = 'auto',
    checkpoint: str = '',
    accept_noncommercial: bool = False,
) -> Path | None:
    """Return the path of the weights, None if they must be downloaded.

    Uses no network and reads no file, so it is fast enough for a lifecycle transition.

    Args:
        encoder: One of `ENCODERS`.
        variant: One of `VARIANTS`.
        checkpoint: A local file to use instead of the published one, '' for none.
        accept_noncommercial: Whether licenses that forbid commercial use are accepted.

    Raises:
        SettingsError: The encoder has no such variant.
        LicenseError: The license was not accepted.
        CheckpointError: The local file is missing or named as another variant, or there is
            neither a local nor a published file.
    """
    variant = resolve_variant(encoder, variant)
    if checkpoint:
        path = Path(checkpoint).expanduser()
        if not path.is_file():
            what = 'is not a file' if path.exists() else 'does not exist'
            raise CheckpointError(f'checkpoint {path} {what}; {_remedy(encoder, variant)}')
        _require_name(path, encoder, variant, accept_noncommercial)
        return path
    if encoder == EMBEDDED:
        return _embedded()
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

    Args:
        encoder: One of `ENCODERS`.
        variant: One of `VARIANTS`.
        checkpoint: A local file to use instead of the published one, '' for none.
        accept_noncommercial: Whether licenses that forbid commercial use are accepted.
        progress: See `fetch`.

    Raises:
        SettingsError: The encoder has no such variant.
        LicenseError: The license was not accepted.
        CheckpointError: See `locate` and `fetch`; or the local file is the published one of
            another encoder or variant.
    """
    variant = resolve_variant(encoder, variant)
    path = locate(encoder, variant, checkpoint, accept_noncommercial)
    if checkpoint and path is not None:
        return _identify(path, encoder, variant, accept_noncommercial)
    if encoder == EMBEDDED and path is not None:
        return Checkpoint(path, sha256_of(path), Origin.EMBEDDED)
    spec = require_spec(encoder, variant)
    return Checkpoint(fetch(spec, progress), spec.sha256, Origin.PUBLISHED)


def _embedded() -> Path:
    path = Path(str(resources.files('mono_depth_ros'))) / 'weights' / f'{EMBEDDED}.safetensors'
    if not path.is_file():
        raise CheckpointError(f'{path} is part of the package but missing; install it again')
    return path


def _identify(path: Path, encoder: str, variant: str, accept_noncommercial: bool) -> Checkpoint:
    """Identify a local file by its hash: heads and versions have the same keys."""
    sha256 = sha256_of(path)
    spec = find_sha256(sha256)
    if spec is None:
        return Checkpoint(path, sha256, Origin.LOCAL)
    require_license(spec, accept_noncommercial)
    if (spec.encoder, spec.variant) != (encoder, variant):
        raise _mismatch(path, f'is {spec.file}', (spec.encoder, spec.variant), (encoder, variant))
    return Checkpoint(path, sha256, Origin.PUBLISHED)


def _require_name(path: Path, encoder: str, variant: str, accept_noncommercial: bool) -> None:
    named = pair_of_name(path.name)
    if named is None:
        return
    if named != (encoder, variant):
        raise _mismatch(path, 'has the name', named, (encoder, variant))
    spec = find_spec(*named)
    if spec is not None:
        require_license(spec, accept_noncommercial)


def _mismatch(
    path: Path, how: str, found: tuple[str, str], asked: tuple[str, str]
) -> CheckpointError:
    return CheckpointError(
        f'{path} {how} of encoder {found[0]}, variant {found[1]}, but encoder {asked[0]}, '
        f'variant {asked[1]} was asked for; set `encoder: {found[0]}` and `variant: {found[1]}`, '
        f'or another `checkpoint:`'
    )


def _remedy(encoder: str, variant: str) -> str:
    if encoder == EMBEDDED:
        return 'leave `checkpoint:` empty for the weights in the package'
    spec = find_spec(encoder, variant)
    if spec is None:
        return f'put {official_name(encoder, variant)} there'
    return (
        f'put {spec.file} there, or leave `checkpoint:` empty and run '
        f'`mono_depth weights get {encoder} {variant}`'
    )
