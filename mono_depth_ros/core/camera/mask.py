"""Mask of the pixels that show the world, not the robot's own body or the rim of a lens."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError, SettingsError
from ..settings import user_path
from .calibration import same_aspect
from .decoding import MAX_PIXELS, decode_picture


@dataclass(frozen=True, eq=False)
class Mask:
    """Mask of an unrectified image.

    Attributes:
        path: File it was read from.
        valid: (H, W) bool, False where the image does not show the world.
    """

    path: str
    valid: npt.NDArray[np.bool_]

    def fitted(self, width: int, height: int) -> npt.NDArray[np.bool_]:
        """Return (height, width) bool for an image of another resolution but the same view.

        A pixel is valid if the whole area of the mask under it is.

        Raises:
            ImageError: The aspect ratios differ by more than the rounding to whole pixels.
        """
        rows, columns = self.valid.shape
        if (columns, rows) == (width, height):
            return self.valid
        if not same_aspect((columns, rows), (width, height)):
            raise ImageError(
                f'mask {self.path} is {columns}x{rows} px and the image {width}x{height} px, '
                'another aspect ratio; draw the mask on an image of this camera'
            )
        invalid = (~self.valid).astype(np.float32)
        shares = cv2.resize(invalid, (width, height), interpolation=cv2.INTER_AREA)
        valid: npt.NDArray[np.bool_] = shares < 1e-3
        return valid


def require_mask_file(path: str) -> None:
    """Require that a mask is a regular file; '' is no mask.

    Raises:
        SettingsError: There is no such file, or it is a folder, a pipe or a device.
    """
    if not path:
        return
    place = user_path('mask', path)
    if not place.is_file():
        kind = 'is not a regular file' if place.exists() else 'does not exist'
        raise SettingsError(f'mask is {path!r}, which {kind}; name a PNG picture')


def read_mask(path: str, max_pixels: int = MAX_PIXELS) -> Mask:
    """Return the mask in a picture: black (0) = invalid, else valid; alpha is ignored.

    Raises:
        SettingsError: The file is no complete picture, too large, or black everywhere.
    """
    require_mask_file(path)
    try:
        data = np.fromfile(user_path('mask', path), np.uint8)
        picture = decode_picture(data, 'it', max_pixels).pixels
    except OSError as error:
        raise SettingsError(f'mask is {path!r}, which cannot be read: {error.strerror}') from error
    except ImageError as error:
        raise SettingsError(f'mask is {path!r}: {error}', 'a PNG is best') from error
    valid: npt.NDArray[np.bool_] = (picture > 0).max(axis=2)
    if not valid.any():
        raise SettingsError(
            f'mask is {path!r}, which is black everywhere; black pixels are those left out'
        )
    return Mask(path, valid)
