"""What a bag looks like from outside."""

from pathlib import Path

BAG_FILES = ('.mcap', '.db3')


def is_bag(path: Path) -> bool:
    """Say whether a path should be a bag: a folder with metadata.yaml, or a file called so."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file()
    return path.suffix in (*BAG_FILES, '.bag')
