"""Paths as users write them."""

from pathlib import Path

from .errors import SettingsError


def user_path(name: str, value: str) -> Path:
    """Return the path that a setting names, `~` expanded; there need be nothing at it.

    Raises:
        SettingsError: There is no such user, or the system cannot look up such a path.
    """
    try:
        path = Path(value).expanduser()
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return path
    # RuntimeError: no such user. ValueError: a NUL.
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingsError(f'{name} is {value!r}: {error}', 'name another path') from error
    return path
