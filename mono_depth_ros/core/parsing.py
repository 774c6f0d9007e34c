"""The boundary round every parser of foreign bytes: files, messages, downloads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import MonoDepthError


@contextmanager
def parsing(
    name: str | Path, expected: str, kind: type[MonoDepthError], remedy: str = ''
) -> Iterator[None]:
    """Turn whatever is raised while foreign bytes are parsed into an error that names them.

    Which exception a damaged byte causes is the parser's choice: a TokenError of NumPy, a panic
    of Rust that is no Exception, memory or recursion at its end. So none is listed here.

    Args:
        name: Path of the file, or what a message is called.
        expected: What it should be, such as 'NumPy file'.
        kind: Class of the error. One of ours keeps its own and gains the name if it lacks it.
        remedy: See `MonoDepthError`.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except MonoDepthError as error:
        if str(name) in error.what:
            raise
        raise type(error)(f'{name}: {error.what}', error.remedy) from error
    except BaseException as error:
        if isinstance(error, OSError) and error.strerror and error.filename is not None:
            raise kind(f'{name} cannot be read: {error.strerror}') from error
        reason = (str(error).strip().splitlines() or [''])[0] or type(error).__name__
        raise kind(f'{name} is damaged or no {expected}: {reason}', remedy) from error


def read_bytes(path: Path, limit: int, kind: type[MonoDepthError]) -> bytes:
    """Return the content of a file of at most `limit` bytes, at least one.

    Raises:
        MonoDepthError: Of that kind: it cannot be read, is empty or larger.
    """
    with parsing(path, 'file', kind), path.open('rb') as file:
        content = file.read(limit + 1)
    if not content:
        raise kind(f'{path} is empty (0 bytes)')
    if len(content) > limit:
        raise kind(f'{path} has more than {limit} bytes, the most that are read')
    return content
