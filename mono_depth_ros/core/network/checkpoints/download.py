"""Download of published files, most of them from the Hugging Face hub, verified by hash."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import huggingface_hub as hub
from huggingface_hub.utils import HfHubHTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]
from huggingface_hub.utils.tqdm import tqdm
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from ...errors import CheckpointError, MonoDepthError
from . import github_files
from .table import EMBEDDED, CheckpointSpec

Report = Callable[[int, int], None]
"""Called with bytes done and total; a `MonoDepthError` raised in it stops the download."""


def cached(spec: CheckpointSpec) -> Path | None:
    """Return the path in the cache, None if absent; uses no network."""
    if spec.git_blob:
        path = github_files.place_of(spec)
        return path if path.is_file() else None
    found = hub.try_to_load_from_cache(spec.repository, spec.file, revision=spec.revision)
    return Path(found) if isinstance(found, str) else None


def fetch(spec: CheckpointSpec, report: Report | None = None) -> Path:
    """Return the verified file, downloading it if the cache has none.

    Cache, resume, `HF_ENDPOINT` and `HF_HUB_OFFLINE` are those of the hub's client; what lies on
    GitHub comes from there, into ~/.cache/mono_depth_ros, unless `HF_HUB_OFFLINE` is set. The hash
    of a cached file is verified at every call, which takes 0.1 s per 100 MB. Without a `report`, a
    bar is drawn on a terminal.

    Raises:
        CheckpointError: It cannot be downloaded, or its hash differs.
    """
    path = cached(spec) or _download(spec, report)
    if spec.git_blob:
        kind, actual, size = 'git blob', github_files.git_blob_of(path), ''
    else:
        kind, actual, size = 'sha256', sha256_of(path), f' and {spec.size} bytes'
    if actual != spec.digest:
        found = f'{path} has {kind} {actual} and {path.stat().st_size} bytes'
        published = f'but the published file has {spec.digest}{size}'
        raise CheckpointError(f'{found}, {published}', _discard(path))
    return path


def sha256_of(path: Path) -> str:
    """Return the file's sha256 in hexadecimal; raise `CheckpointError` if it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open('rb') as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror}') from error
    return digest.hexdigest()


def _download(spec: CheckpointSpec, report: Report | None) -> Path:
    if spec.git_blob:
        url, route = github_files.url_of(spec), _from_github
    else:
        url, route = hub.hf_hub_url(spec.repository, spec.file, revision=spec.revision), _from_hub
    # Any exception: versions of the hub's client differ in their transport library and its errors.
    try:
        with _drawn(spec.name, report) as drawn:
            return route(spec, url, drawn)
    except MonoDepthError:
        raise
    except Exception as error:
        raise CheckpointError(
            f'{spec.name} ({spec.size_mb}) is not on this machine and {url} cannot be fetched: '
            f'{fetch_failure(error)}. Run `mono_depth weights get {spec.encoder} {spec.variant}` '
            f'where there is a network, or set `checkpoint:` to a copy of the file, or set '
            f'`encoder: {EMBEDDED}`, which needs no download'
        ) from error


def _from_hub(spec: CheckpointSpec, url: str, report: Report) -> Path:
    # Without a network this fails at once; the download retries for 24 s.
    hub.get_hf_file_metadata(url)
    options: dict[str, Any] = {}
    # A client before version 1.1 draws its own bar.
    if 'tqdm_class' in signature(hub.hf_hub_download).parameters:
        options['tqdm_class'] = _reporting_bar(report)
    return Path(hub.hf_hub_download(spec.repository, spec.file, revision=spec.revision, **options))


def _from_github(spec: CheckpointSpec, url: str, report: Report) -> Path:
    if hub.constants.HF_HUB_OFFLINE:
        raise OfflineModeIsEnabled
    return github_files.download(spec, url, report)


def fetch_failure(error: Exception) -> str:
    """Return in a few words why a file could not be downloaded."""
    if isinstance(error, OfflineModeIsEnabled):
        return 'HF_HUB_OFFLINE is set'
    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return f'the server answered {error.response.status_code}'
    lines = str(error).strip().splitlines()
    return lines[0].rstrip('.') if lines else type(error).__name__


def _discard(path: Path) -> str:
    """Remove a file and the target of its link from the cache; return the outcome as text."""
    try:
        for file in (path.resolve(), path):
            file.unlink(missing_ok=True)
    except OSError as error:
        return f'remove it, which was not possible here ({error.strerror}), and try again'
    return 'it has been removed from the cache, so try again'


@contextmanager
def _drawn(name: str, report: Report | None) -> Iterator[Report]:
    """Yield what to report to, by default a bar on a terminal."""
    if report is not None:
        yield report
        return
    console = Console(stderr=True)
    columns = (name, BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        draw = partial(bars.update, bars.add_task(''))
        yield lambda done, whole: draw(completed=done, total=whole or None)


def _reporting_bar(report: Report) -> type[tqdm]:
    """Return the class of a bar that draws nothing."""

    class ReportingBar(tqdm):
        # With the two transfer methods the client adds no other bar.

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
