"""What can be played to the node: a bag or a picture."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from sensor_msgs.msg import CameraInfo, Image

from ...core.errors import MonoDepthError
from .picture import Picture
from .stream import Stream

BAG_FILES = ('.mcap', '.db3')


class Recording(Protocol):
    """Images of one camera."""

    @property
    def path(self) -> Path:
        """Where they lie."""

    @property
    def topic(self) -> str:
        """On which they came, '' if on none."""

    @property
    def frame_id(self) -> str:
        """Of the images."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def info(self) -> CameraInfo | None:
        """The calibration, None if there is none."""

    @property
    def depth(self) -> Stream | None:
        """What measured depth meanwhile, None if nothing did."""

    @property
    def is_compressed(self) -> bool:
        """Whether they are CompressedImage messages."""

    def size(self) -> tuple[int, int]:
        """Return height and width of the first image [px]."""

    def images(self, most: int) -> Iterator[tuple[bytes, int]]:
        """Yield the first images, as serialized messages, with their stamps [ns]."""

    def depths(self, stamps: Iterable[int]) -> dict[int, Image]:
        """Return the depth image nearest to each stamp [ns], where one is within 20 ms."""


def open_recording(path: Path) -> Recording:
    """Return what lies at a path.

    Raises:
        MonoDepthError: Nothing that can be played.
    """
    if not path.exists():
        raise MonoDepthError(f'{path} does not exist')
    if path.suffix == '.bag':
        raise MonoDepthError(
            f'{path} is a bag of ROS 1; make a rosbag2 of it: '
            f'rosbags-convert --src {path} --dst {path.stem}'
        )
    if not path.is_dir() and path.suffix not in BAG_FILES:
        return Picture.open(path)
    try:
        from .bag import Bag
    except ImportError as error:
        raise MonoDepthError(f'to read {path}: pip install rosbags ({error})') from error
    return Bag.open(path)
