"""Images of files and messages, each with its camera, and the sources that yield them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import cv2
import numpy as np
import numpy.typing as npt

from ..core.camera.calibration import CameraCalibration, fit_to_image
from ..core.camera.decoding import DecodingSettings, decode_picture
from ..core.camera.pinhole import PinholeCamera
from ..core.camera.plausibility import require_plausible_camera
from ..core.errors import ImageError
from ..core.files.encodings import Pixels, SampleRange

Kind = Literal['picture', 'video', 'bag']
SAME_MOMENT_NS = 20_000_000
"""TUM's own limit for images of one moment."""

_LINEAR = ('.hdr', '.exr')
"""Files that hold light itself rather than what a screen is told."""
_GAMMA = 2.2
_WHITE_PERCENTILE = 99.5
# Color as it comes, alpha dropped, orientation tag obeyed.
_FLAGS = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH


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
        calibration: Of this image, None if nothing came with it.
        frame_id: Of its message, '' if it came in none.
        logged_ns: When its message was recorded [ns].
        reduction: Its size as a share of the original's.
        refused: Why the calibration that came with it is not used, '' if it is.
    """

    rgb: Pixels
    stamp_ns: int = 0
    calibration: CameraCalibration | None = None
    frame_id: str = ''
    logged_ns: int = 0
    reduction: float = 1.0
    refused: str = ''


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
    fps: float
    is_rectified: bool  # already, as it says

    def items(self) -> Iterator[LazyFrame]:
        """Yield its images in order.

        Raises:
            MonoDepthError: It cannot be read from here on; what came before has been yielded.
        """


@dataclass(frozen=True)
class ChosenCamera:
    """What a user states about the camera of all images.

    Attributes:
        calibration: In place of what comes with an image.
        focal_px: Focal length of images without a calibration, at the size of their files; 0 =
            not known.
        fov_deg: Horizontal field of view of images without either; 0 = not known.
        rectify: Whether raw images are to be rectified.
    """

    calibration: CameraCalibration | None = None
    focal_px: float = 0.0
    fov_deg: float = 0.0
    rectify: bool = True

    @property
    def is_given(self) -> bool:
        """Whether images without a calibration of their own get one."""
        return bool(self.calibration or self.focal_px or self.fov_deg)

    def of(self, frame: ImageFrame) -> CameraCalibration | None:
        """Return the calibration of a frame at its size, None if none is known.

        Raises:
            CalibrationError: It is of another aspect ratio, or `focal_px` is not plausible.
        """
        height, width = frame.rgb.shape[:2]
        return self.of_size(width, height, frame.calibration, frame.reduction)

    def of_size(
        self, width: int, height: int, own: CameraCalibration | None = None, reduction: float = 1.0
    ) -> CameraCalibration | None:
        """Return the calibration of an image of that size, whose `own` may be known; see `of`."""
        chosen = self.calibration or own
        if chosen is not None:
            return fit_to_image(chosen, width, height)
        if self.focal_px:
            f = self.focal_px * reduction
            camera = PinholeCamera(width, height, f, f, (width - 1) / 2, (height - 1) / 2)
            require_plausible_camera(camera, 'the camera of --focal')
        elif self.fov_deg:
            camera = PinholeCamera.from_fov(width, height, self.fov_deg)
        else:
            return None
        return CameraCalibration.of_pinhole(camera)


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
    2.2. Alpha is dropped.

    Raises:
        ImageError: The file cannot be read, is empty, damaged, too large, or no picture.
    """
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise ImageError(f'{path} cannot be read: {error.strerror}') from error
    picture = decode_picture(data, str(path), reading.max_pixels, _FLAGS).pixels
    pixels = limited(picture, reading.max_side)
    if picture.dtype.kind == 'f':
        pixels = _exposed(pixels, is_linear=path.suffix.lower() in _LINEAR)
    elif picture.dtype.name in ('uint8', 'uint16'):
        pixels = SampleRange().eight_bit(pixels, reading.bit_depth)
    else:
        raise ImageError(f'{path} has pixels of {picture.dtype}; uint8, uint16 or floats are read')
    code = cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB
    rgb = cast(Pixels, cv2.cvtColor(pixels, code))
    return ImageFrame(rgb, reduction=rgb.shape[1] / picture.shape[1])


def _exposed(light: npt.NDArray[np.floating], is_linear: bool) -> Pixels:
    """Return floats as uint8."""
    known = np.nan_to_num(light.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    white = max(1.0, float(np.percentile(known, _WHITE_PERCENTILE)) if known.max() > 1 else 1.0)
    shown = np.clip(known / white, 0, 1)
    if is_linear:
        shown **= 1 / _GAMMA
    pixels: Pixels = np.rint(255 * shown).astype(np.uint8)
    return pixels
