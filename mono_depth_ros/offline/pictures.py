"""Picture files: of 8, 16 or 32 bits, gray, color or with alpha, upright by their tag."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..core.errors import ImageError
from ..core.files.encodings import Pixels, eight_bit
from .frames import Frame, Item, Kind, limited

PICTURE_FILES = (
    *('.jpg', '.jpeg', '.jpe', '.png', '.bmp', '.tif', '.tiff', '.webp', '.avif'),
    *('.pbm', '.pgm', '.ppm', '.pnm', '.jp2', '.hdr', '.exr'),
)
_LINEAR = ('.hdr', '.exr')
"""Files that hold light itself rather than what a screen is told."""
_GAMMA = 2.2
_WHITE_PERCENTILE = 99.5
# Color as it comes, alpha dropped, orientation tag obeyed.
_FLAGS = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH


@dataclass(frozen=True)
class Pictures:
    """Picture files; see `Source`.

    Attributes:
        files: Each with what its outputs are called.
        max_side: Larger pictures are reduced to this [px].
        kind: What they are.
        fps: Nothing that pictures have.
        is_rectified: Never said of a file.
    """

    files: tuple[tuple[Path, str], ...]
    max_side: int
    kind: Kind = 'picture'
    fps: float = 1.0
    is_rectified: bool = False

    @property
    def path(self) -> Path:
        """Where the first one lies."""
        return self.files[0][0]

    @property
    def stem(self) -> str:
        """What the outputs of the first one are called."""
        return self.files[0][1]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.files)

    def items(self) -> Iterator[Item]:
        """Yield the pictures."""
        for path, stem in self.files:
            yield Item(stem, partial(self._load, path), path)

    def _load(self, path: Path) -> Frame:
        picture = _decoded(path)
        rgb = _shown(limited(picture, self.max_side), path)
        return Frame(rgb, reduction=rgb.shape[1] / picture.shape[1])


def read_picture(path: Path, max_side: int) -> Pixels:
    """Return (H, W, 3) uint8 RGB, its longer side at most `max_side` [px].

    16 bits are scaled by 255 / 65535. Floats are shown from 0 to 1, or up to their 99.5th
    percentile where they go beyond 1; .hdr and .exr with a gamma of 2.2. Alpha is dropped.

    Raises:
        ImageError: The file cannot be read, is empty, cut off, or no picture.
    """
    return _shown(limited(_decoded(path), max_side), path)


def _decoded(path: Path) -> npt.NDArray[Any]:
    """Return (H, W) or (H, W, 3) BGR of uint8, uint16 or floats."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ImageError(f'{path} cannot be read: {error.strerror}') from error
    if not data.size:
        raise ImageError(f'{path} is empty (0 bytes)')
    _require_whole_jpeg(data, path)
    try:
        picture: Any = cv2.imdecode(data, _FLAGS)
    except cv2.error as error:
        raise ImageError(f'{path} cannot be decoded: {error.err}') from error
    if picture is None:
        raise ImageError(f'{path} ({data.size} bytes) is damaged or no picture')
    if picture.dtype.kind != 'f' and picture.dtype.name not in ('uint8', 'uint16'):
        raise ImageError(f'{path} has pixels of {picture.dtype}; uint8, uint16 or floats are read')
    return cast(npt.NDArray[Any], picture)


def _require_whole_jpeg(data: Pixels, path: Path) -> None:
    # OpenCV 4 paints the missing part gray. The end mark is not sought at the very end, since
    # telephones append films; an earlier one is that of the thumbnail.
    is_jpeg = data[:2].tobytes() == b'\xff\xd8'
    if is_jpeg and b'\xff\xd9' not in data[data.size // 2 :].tobytes():
        raise ImageError(f'{path} ({data.size} bytes of JPEG) is cut off')


def _shown(picture: npt.NDArray[Any], path: Path) -> Pixels:
    """Return (H, W, 3) uint8 RGB of what was decoded."""
    if picture.dtype.kind == 'f':
        pixels = _exposed(picture, is_linear=path.suffix.lower() in _LINEAR)
    else:
        pixels = eight_bit(picture)
    if pixels.ndim == 2:
        return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB))
    return cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels))


def _exposed(light: npt.NDArray[np.floating], is_linear: bool) -> Pixels:
    """Return floats as uint8."""
    known = np.nan_to_num(light.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = max(1.0, float(np.percentile(known, _WHITE_PERCENTILE)) if known.max() > 1 else 1.0)
    shown = np.clip(known / white, 0, 1)
    if is_linear:
        shown **= 1 / _GAMMA
    pixels: Pixels = np.rint(255 * shown).astype(np.uint8)
    return pixels
