"""Where this package keeps files that it can make or fetch again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return `$XDG_CACHE_HOME/mono_depth_ros`, by default in `~/.cache`; it need not exist.

    Raises:
        RuntimeError: The user has no home.
    """
    return Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'mono_depth_ros'
