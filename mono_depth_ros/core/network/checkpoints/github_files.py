"""Files that a commit of a GitHub repository holds, known by git's own hash of their content."""

import hashlib
import tempfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

from ...cache_folder import cache_folder
from .table import CheckpointSpec

_HOST = 'https://github.com'
_TIMEOUT_S = 24.0
_BLOCK = 1 << 20


def place_of(spec: CheckpointSpec) -> Path:
    """Return where a file lies in the cache of this user, whether it is there or not."""
    return cache_folder() / spec.repository / spec.revision / Path(spec.file).name


def url_of(spec: CheckpointSpec) -> str:
    """Return where a file is published."""
    return f'{_HOST}/{spec.repository}/raw/{spec.revision}/{spec.file}'


def download(spec: CheckpointSpec, url: str, report: Callable[[int, int], None]) -> Path:
    """Return the file after a download, in place only when it is whole; not verified.

    Raises:
        OSError: It cannot be had.
        MonoDepthError: What `report` raises to stop.
    """
    path = place_of(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    request = urllib.request.Request(url, headers={'User-Agent': 'mono_depth_ros'})
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        part = Path(folder) / path.name
        with (
            part.open('wb') as file,
            # The address is that of a constant host, by https.
            urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer,  # nosec B310
        ):
            whole, done = int(answer.headers.get('Content-Length') or 0), 0
            while block := answer.read(_BLOCK):
                file.write(block)
                done += len(block)
                report(done, whole)
        if done < whole:
            raise OSError(f'the connection ended after {done} of {whole} bytes')
        part.replace(path)
    return path


def git_blob_of(path: Path) -> str:
    """Return the hash by which git names the content of a file."""
    digest = hashlib.sha1(b'blob %d\0' % path.stat().st_size, usedforsecurity=False)
    with path.open('rb') as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
