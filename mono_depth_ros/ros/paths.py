"""Where the package's launch, config and rviz files lie."""

from pathlib import Path


def share_directory() -> Path:
    """Return the folder that holds `launch/`, `config/` and `rviz/`.

    That is the checkout this code runs from, or else the share folder of the installed package.

    Raises:
        PackageNotFoundError: The package is installed, but its workspace is not sourced.
    """
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / 'package.xml').is_file():
        return checkout
    from ament_index_python.packages import get_package_share_directory

    return Path(get_package_share_directory('mono_depth_ros'))
