"""One image of an input, and the inputs that yield them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy.typing as npt

from ..core.camera.calibration import CameraCalibration
from ..core.files.encodings import Pixels

Kind = Literal['picture', 'video', 'bag']


@dataclass(frozen=True, eq=False)
class Frame:
    """One image.

    Attributes:
        rgb: (H, W, 3) uint8.
        stamp_ns: When it was taken [ns]; in a video, since its beginning.
        calibration: Of this image, None if nothing came with it.
        frame_id: Of its message, '' if it came in none.
        logged_ns: When its message was recorded [ns].
        reduction: Its size as a share of the original's.
    """

    rgb: Pixels
    stamp_ns: int = 0
    calibration: CameraCalibration | None = None
    frame_id: str = ''
    logged_ns: int = 0
    reduction: float = 1.0


@dataclass(frozen=True, eq=False)
class Item:
    """An image that has not been decoded yet; only the latest of a source can be.

    Attributes:
        name: Of its outputs, relative to the output folder, without suffix.
        load: Decodes it; raises `MonoDepthError` for a damaged one.
        path: The file that it is in.
        stamp_ns: When it was taken [ns].
    """

    name: str
    load: Callable[[], Frame]
    path: Path
    stamp_ns: int = 0


def limited(pixels: npt.NDArray[Any], max_side: int) -> npt.NDArray[Any]:
    """Return (H, W[, C]) averaged down so that no side is longer than `max_side` [px]."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


class Source(Protocol):
    """Pictures, a video, or a topic of a bag."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def stem(self) -> str:
        """What its outputs are called, relative to the output folder."""

    @property
    def count(self) -> int | None:
        """How many images it says it has, None if it does not say."""

    @property
    def kind(self) -> Kind:
        """What it is."""

    @property
    def fps(self) -> float:
        """Images per second, as far as that is known."""

    @property
    def is_rectified(self) -> bool:
        """Whether its images are said to be rectified already."""

    def items(self) -> Iterator[Item]:
        """Yield its images in order.

        Raises:
            MonoDepthError: It cannot be read from here on; what came before has been yielded.
        """
