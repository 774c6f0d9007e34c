"""Images of files and messages, each with its camera, and the sources that yield them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..core.camera.calibration import CameraCalibration
from ..core.camera.decoding import DecodingSettings, decode_picture, require_size
from ..core.camera.orientation import turned_pixels
from ..core.camera.picture_header import (
    UPRIGHT,
    is_turned_by_decoder,
    stated_orientation,
    stated_size,
)
from ..core.errors import ImageError
from ..core.files.encodings import Pixels, SampleRange, Samples
from ..core.parsing import parsing

Kind = Literal['picture', 'video', 'bag']
SAME_MOMENT_NS = 20_000_000
"""TUM's own limit for images of one moment."""

_LINEAR = ('.hdr', '.exr')
"""Files that hold light itself rather than what a screen is told."""
_GAMMA = 2.2
_WHITE_PERCENTILE = 99.5
_RAW = (
    'a raw photograph: develop it into JPEG or TIFF, as darktable-cli FILE out.jpg does, or take '
    'the JPEG that the camera wrote beside it'
)
CONVERTED = {
    **dict.fromkeys(('.nef', '.nrw', '.cr2', '.cr3', '.crw', '.arw', '.sr2', '.dng'), _RAW),
    **dict.fromkeys(('.orf', '.rw2', '.raf', '.pef', '.srw', '.3fr', '.iiq', '.x3f'), _RAW),
    **dict.fromkeys(('.psd', '.xcf', '.kra', '.svg'), 'a drawing: export it as PNG'),
    '.jxl': 'JPEG XL: convert it with djxl FILE out.png',
    '.insp': 'a panorama of two fisheye lenses, which no single camera describes',
}
"""Suffixes of pictures that are not read -> what they are, and what to do."""
_HEIC_BRANDS = (b'heic', b'heix', b'hevc', b'hevx', b'heim', b'heis', b'mif1', b'msf1')


@dataclass(frozen=True)
class ReadingSettings(DecodingSettings):
    """How images are read: larger ones are reduced to `max_side` [px]."""

    max_side: int = 4096


@dataclass(frozen=True, eq=False)
class ImageFrame:
    """One image.

    Attributes:
        rgb: (H, W, 3) uint8.
        stamp_ns: When it was taken [ns]; in a video, since its beginning.
        calibration: None if nothing came with it.
        logged_ns: When its message was recorded [ns].
        reduction: Its size as a share of the original's.
        refused: Why the calibration that came with it is not used, '' if it is.
        orientation: Of the sensor's pixels (EXIF, 1 to 8), which were turned upright.
    """

    rgb: Pixels
    stamp_ns: int = 0
    calibration: CameraCalibration | None = None
    frame_id: str = ''
    logged_ns: int = 0
    reduction: float = 1.0
    refused: str = ''
    orientation: int = UPRIGHT


@dataclass(frozen=True, eq=False)
class LazyFrame:
    """An image that has not been decoded yet; only the latest of a source can be.

    `load` raises `MonoDepthError` for a damaged one.
    """

    name: str  # of its outputs, relative to the output folder, without suffix
    load: Callable[[], ImageFrame]
    path: Path
    stamp_ns: int = 0


class ImageSource(Protocol):
    """Pictures, a video, or a topic of a bag."""

    path: Path
    stem: str  # of its outputs, relative to the output folder
    kind: Kind
    count: int | None  # images that it states to have
    is_rectified: bool  # already, as it says

    def items(self) -> Iterator[LazyFrame]:
        """Yield its images in order.

        Raises:
            MonoDepthError: It cannot be read from here on; what came before has been yielded.
        """


def limited(pixels: npt.NDArray[Any], max_side: int) -> npt.NDArray[Any]:
    """Return (H, W[, C]) averaged down so that no side is longer than `max_side` [px]."""
    height, width = pixels.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def load_picture(path: Path, reading: ReadingSettings) -> ImageFrame:
    """Return a picture file in 8 bits, its longer side at most `max_side` [px].

    The range of 16-bit samples is that of this picture; see `SampleRange`. Floats are shown from
    0 to 1, or up to their 99.5th percentile where they go beyond 1; .hdr and .exr with a gamma of
    2.2. Alpha is dropped. The orientation tag (EXIF) is obeyed.

    Raises:
        ImageError: The file cannot be read, is empty, damaged, too large, or no picture.
    """
    if what := CONVERTED.get(path.suffix.lower()):
        raise ImageError(f'{path} is {what}')
    with parsing(path, 'picture', ImageError):
        data = np.fromfile(path, np.uint8)
    orientation = stated_orientation(data, str(path))
    if _is_heic(data):
        picture: npt.NDArray[Any] = _decoded_heic(data, str(path), reading.max_pixels)
    else:
        picture = decode_picture(data, str(path), reading.max_pixels).pixels
        if not is_turned_by_decoder(data):
            picture = turned_pixels(picture, orientation)
    pixels = limited(picture, reading.max_side)
    if picture.dtype.kind == 'f':
        pixels = _exposed(pixels, is_linear=path.suffix.lower() in _LINEAR)
    elif picture.dtype.name in ('uint8', 'uint16'):
        pixels = SampleRange().eight_bit(pixels, reading.bit_depth)
    else:
        raise ImageError(f'{path} has pixels of {picture.dtype}; uint8, uint16 or floats are read')
    rgb = cast(Pixels, cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    return ImageFrame(rgb, reduction=rgb.shape[1] / picture.shape[1], orientation=orientation)


def _is_heic(data: npt.NDArray[np.uint8]) -> bool:
    """Say whether a file is HEIC by its first bytes."""
    head = data[:12].tobytes()
    return head[4:8] == b'ftyp' and head[8:12] in _HEIC_BRANDS


def _decoded_heic(data: npt.NDArray[np.uint8], name: str, max_pixels: int) -> Samples:
    """Return the upright pixels (H, W, 3) BGR of a HEIC file; see `decode_picture`.

    Raises:
        ImageError: It is damaged or too large, or pillow-heif is not installed.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise ImageError(
            f'{name} is HEIC, which takes pillow-heif to read ({error})',
            "pip install 'mono_depth_ros[heic]', or convert it: heif-convert FILE out.jpg",
        ) from error
    with parsing(name, 'HEIC picture', ImageError):
        require_size(stated_size(data, name) or (0, 0), name, max_pixels)
        picture = pillow_heif.open_heif(data.tobytes(), convert_hdr_to_8bit=False)
        require_size(picture.size, name, max_pixels)
        pixels = np.asarray(picture)
        if pixels.ndim == 2:
            return cast(Samples, cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
        return np.ascontiguousarray(pixels[..., 2::-1])


def _exposed(light: npt.NDArray[np.floating], is_linear: bool) -> Pixels:
    """Return floats as uint8."""
    known = np.nan_to_num(light.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = max(1.0, float(np.percentile(known, _WHITE_PERCENTILE)) if known.max() > 1 else 1.0)
    shown = np.clip(known / white, 0, 1)
    if is_linear:
        shown **= 1 / _GAMMA
    pixels: Pixels = np.rint(255 * shown).astype(np.uint8)
    return pixels
