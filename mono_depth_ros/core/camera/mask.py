"""Pixels that do not show the world: the robot's own body, the rim of a lens."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError, SettingsError
from .calibration import same_aspect


@dataclass(frozen=True, eq=False)
class Mask:
    """A picture of a camera's blind pixels, as they lie in the image that comes in.

    Attributes:
        path: Where it was read.
        seen: (H, W) bool, False where the camera does not see the world.
    """

    path: str
    seen: npt.NDArray[np.bool_]

    def fitted(self, width: int, height: int) -> npt.NDArray[np.bool_]:
        """Return (height, width) bool for an image of another resolution but the same view.

        A pixel is seen if all of the mask under it is.

        Raises:
            ImageError: The aspect ratios differ by more than the rounding to whole pixels.
        """
        rows, columns = self.seen.shape
        if (columns, rows) == (width, height):
            return self.seen
        if not same_aspect((columns, rows), (width, height)):
            raise ImageError(
                f'mask {self.path} is {columns}x{rows} px and the image {width}x{height} px, '
                'another aspect ratio; draw the mask on an image of this camera'
            )
        blind = (~self.seen).astype(np.float32)
        shares = cv2.resize(blind, (width, height), interpolation=cv2.INTER_AREA)
        seen: npt.NDArray[np.bool_] = shares < 1e-3
        return seen


def require_mask_file(path: str) -> None:
    """Refuse a mask that is not a regular file; '' is no mask.

    Raises:
        SettingsError: There is no such file, or it is a folder, a pipe or a device.
    """
    if path and not _expanded(path).is_file():
        kind = 'is not a regular file' if _expanded(path).exists() else 'does not exist'
        raise SettingsError(f'mask is {path!r}, which {kind}; name a PNG picture')


def read_mask(path: str) -> Mask:
    """Return the mask in a picture: black (0) = blind, anything else = seen; alpha is ignored.

    Raises:
        SettingsError: There is no such picture, or it is black everywhere.
    """
    require_mask_file(path)
    place = _expanded(path)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        data = np.fromfile(place, np.uint8)
        picture = cv2.imdecode(data, flags) if data.size else None
    except OSError as error:
        raise SettingsError(f'mask is {path!r}, which cannot be read: {error.strerror}') from error
    if picture is None:
        raise SettingsError(f'mask is {path!r}, which is no picture; PNG is best')
    seen: npt.NDArray[np.bool_] = (picture > 0).max(axis=2)
    if not seen.any():
        raise SettingsError(
            f'mask is {path!r}, which is black everywhere; black pixels are those left out'
        )
    return Mask(path, seen)


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # there is no such user
        raise SettingsError(f'mask is {path!r}: {error}; name a PNG picture') from error
