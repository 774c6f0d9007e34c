"""Pictures that OpenCV does not read: HEIC by an optional library, others not at all."""

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from ..core.camera.decoding import require_size
from ..core.camera.picture_header import stated_size
from ..core.errors import ImageError
from ..core.files.encodings import Samples
from ..core.parsing import parsing

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


def is_heic(data: npt.NDArray[np.uint8]) -> bool:
    """Say whether a file is HEIC by its first bytes."""
    head = data[:12].tobytes()
    return head[4:8] == b'ftyp' and head[8:12] in _HEIC_BRANDS


def decode_heic(data: npt.NDArray[np.uint8], name: str, max_pixels: int) -> Samples:
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
