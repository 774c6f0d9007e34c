"""A server on loopback that answers as the Hugging Face hub does, for its real client."""

import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

CHILD_TIMEOUT_S = 60


@dataclass
class HubServer:
    """Serves `files` by their path after the host; large ones from another host, as LFS does.

    Attributes:
        files: Path of the form /owner/name/resolve/revision/file -> bytes.
        status: What every request is answered with, if not 200.
        cut: Bytes after which the first answer without a Range breaks off.
        claimed: Size that metadata claims, if not the true one.
        main: Commit that the branch main is at; it is served under both names.
        requests: Every request: method, path, Range header.
    """

    files: dict[str, bytes]
    status: int = 200
    cut: int | None = None
    claimed: int | None = None
    main: str = 'main'
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    def __enter__(self) -> 'HubServer':
        hub = self

        class Handler(_Handler):
            server_hub = hub

        self._server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def endpoint(self) -> str:
        return f'http://127.0.0.1:{self.port}'


class _Handler(BaseHTTPRequestHandler):
    server_hub: HubServer
    protocol_version = 'HTTP/1.1'

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        hub = self.server_hub
        span = self.headers.get('Range', '')
        hub.requests.append((self.command, self.path, span))
        path = self.path.removeprefix('/cdn').replace('/resolve/main/', f'/resolve/{hub.main}/')
        content = hub.files.get(path)
        if hub.status != 200:
            self._send(hub.status, {}, b'')
        elif content is None:
            self._send(404, {'X-Error-Code': 'EntryNotFound'}, b'')
        elif not self.path.startswith('/cdn/'):
            self._redirect(content)
        else:
            start = int(span.removeprefix('bytes=').rstrip('-')) if span else 0
            self._send_from(start, content, with_body)

    def _redirect(self, content: bytes) -> None:
        hub = self.server_hub
        revision = self.path.split('/resolve/')[1].split('/')[0]
        headers = {
            'Location': f'http://localhost:{hub.port}/cdn{self.path}',
            'X-Repo-Commit': revision if revision != 'main' else hub.main,
            'X-Linked-Etag': f'"{hashlib.sha256(content).hexdigest()}"',
            'X-Linked-Size': str(len(content) if hub.claimed is None else hub.claimed),
        }
        self._send(302, headers, b'')

    def _send_from(self, start: int, content: bytes, with_body: bool) -> None:
        hub = self.server_hub
        headers = {'Content-Range': f'bytes {start}-{len(content) - 1}/{len(content)}'}
        body = content[start:]
        sent = body[: hub.cut] if hub.cut is not None and start == 0 else body
        self._send(206 if start else 200, headers if start else {}, body, sent * with_body)
        if len(sent) < len(body):
            self.close_connection = True

    def _send(self, status: int, headers: dict[str, str], body: bytes, sent: bytes = b'') -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(sent)


def run_child(
    arguments: list[str], home: Path, endpoint: str, offline: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, since the hub's client reads its settings on import."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith('HF_')}
    env = kept | {
        'HF_HOME': str(home),
        'HF_ENDPOINT': endpoint,
        'HF_HUB_OFFLINE': str(int(offline)),
        'NO_PROXY': '127.0.0.1,localhost',
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=CHILD_TIMEOUT_S,
        check=False,
    )
