"""A published file on this machine: found in the hub's cache, fetched, and held to its hash."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any

from huggingface_hub import (
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    HfHubHTTPError,
    OfflineModeIsEnabled,
)
from huggingface_hub.utils.tqdm import tqdm
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from ...errors import CheckpointError, MonoDepthError
from .table import EMBEDDED, CheckpointSpec

Report = Callable[[int, int], None]
"""Called with bytes done and bytes in all; raise a `MonoDepthError` in it to stop a download."""


def cached(spec: CheckpointSpec) -> Path | None:
    """Return where the file lies in the hub's cache, without network or a look inside."""
    found = try_to_load_from_cache(spec.repository, spec.file, revision=spec.revision)
    return Path(found) if isinstance(found, str) else None


def fetch(spec: CheckpointSpec, report: Report | None = None) -> Path:
    """Return the verified file, downloading it if the cache has none.

    The hub's client brings cache, resume, `HF_ENDPOINT` and `HF_HUB_OFFLINE`. The hash is
    checked at every call, for a cached file too: it costs 0.1 s per 100 MB, and reading the file
    warms the disk cache for loading it.

    Args:
        spec: The file.
        report: Told how far the download is; by default, a bar is drawn on a terminal.

    Raises:
        CheckpointError: It cannot be fetched, or its bytes are not the published ones.
    """
    path = cached(spec)
    if path is None:
        path = _download(spec, report)
    actual = sha256_of(path)
    if actual != spec.sha256:
        size = path.stat().st_size
        raise CheckpointError(
            f'{path} has sha256 {actual} and {size} bytes, but the published file has '
            f'{spec.sha256} and {spec.size} bytes; {_discard(path)}'
        )
    return path


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in hexadecimal.

    Raises:
        CheckpointError: The file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open('rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror}') from error
    return digest.hexdigest()


def _download(spec: CheckpointSpec, report: Report | None) -> Path:
    url = hf_hub_url(spec.repository, spec.file, revision=spec.revision)
    # Any exception: the transport library behind the hub's client, and with it what a broken
    # network raises, differs between versions.
    try:
        # Asked once first, since the client itself retries for 24 s where there is no network.
        get_hf_file_metadata(url)
        with _reporting(spec.file, report) as options:
            found = hf_hub_download(spec.repository, spec.file, revision=spec.revision, **options)
    except MonoDepthError:
        raise
    except Exception as error:
        raise CheckpointError(
            f'{spec.file} ({spec.size_mb}) is not on this machine and {url} cannot be fetched: '
            f'{_reason(error)}. Run `mono_depth weights get {spec.encoder} {spec.variant}` where '
            f'there is a network, or set `checkpoint:` to a copy of the file, or set '
            f'`encoder: {EMBEDDED}`, which needs no download'
        ) from error
    return Path(found)


def _reason(error: Exception) -> str:
    if isinstance(error, OfflineModeIsEnabled):
        return 'HF_HUB_OFFLINE is set'
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return f'the server answered {error.response.status_code}'
    lines = str(error).strip().splitlines()
    return lines[0].rstrip('.') if lines else type(error).__name__


def _discard(path: Path) -> str:
    """Remove a file from the hub's cache, and what its links lead to; return what was done."""
    try:
        while path.is_symlink():
            target = path.parent / path.readlink()
            path.unlink()
            path = target
        path.unlink(missing_ok=True)
    except OSError as error:
        return f'remove it, which was not possible here ({error.strerror}), and try again'
    return 'it has been removed from the cache, so try again'


@contextmanager
def _reporting(name: str, report: Report | None) -> Iterator[dict[str, Any]]:
    """Yield the options that make the client report, by default to a bar on a terminal."""
    if 'tqdm_class' not in signature(hf_hub_download).parameters:
        yield {}  # a client before version 1.1, which draws its own bar
        return
    if report is not None:
        yield {'tqdm_class': _reporting_bar(report)}
        return
    console = Console(stderr=True)
    columns = (name, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task('')

        def draw(done: int, whole: int) -> None:
            bars.update(bar, completed=done, total=whole or None)

        yield {'tqdm_class': _reporting_bar(draw)}


def _reporting_bar(report: Report) -> type[tqdm]:
    class ReportingBar(tqdm):
        """The bar that the client asks for, which draws nothing.

        The two transfer methods keep the client from adding another one.
        """

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.done = int(kwargs.get('initial') or 0)
            super().__init__(*args, **{**kwargs, 'disable': True})  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> None:
            self.done += int(n or 0)
            report(self.done, int(self.total or 0))

        def update_transfer(self, n: float | None = 1) -> None:
            """Ignore bytes that are counted again once they are written."""

        def set_transfer_postfix_str(self, *args: Any, **kwargs: Any) -> None:
            """Ignore the rate."""

    return ReportingBar
