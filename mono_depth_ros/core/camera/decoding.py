"""Decode JPEG, PNG and other pictures that are complete and no larger than agreed."""

import re
import struct
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError, SettingsError
from ..parsing import parsing
from ..settings import Settings, setting
from .picture_header import stated_size

try:
    import simplejpeg
except ImportError:  # no wheel for this machine
    simplejpeg = None

Bytes = npt.NDArray[np.uint8]

MAX_PIXELS = 128_000_000
"""More than the largest sensors of telephones and of most machines have (108 million)."""

COLOR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
GRAY = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
"""The orientation tag is ignored, since masks and calibrations belong to the sensor's pixels."""

_EXTRANEOUS = re.compile(r'(\d+) extraneous bytes before marker 0x(d[0-7])?')
_MOST_EXTRANEOUS = 1024
"""Cameras pad by less than a block of USB 3 (1024 bytes); more is scan data that was not read."""
_JPEG, _END = b'\xff\xd8', b'\xff\xd9'
_BASELINE, _EXTENDED, _START_OF_SCAN, _RESTART_INTERVAL = 0xC0, 0xC1, 0xDA, 0xDD


@dataclass(frozen=True)
class DecodingSettings(Settings):
    """How pictures become 8-bit color, and which are too large."""

    bit_depth: int = setting(
        0,
        'Bits that the samples of 16-bit images use: 8 to 16, as the driver says (12 for '
        '0..4095), or 0 for the range that the images show, held steadily over time.',
        limits=(0, 16),
    )
    max_pixels: int = setting(
        MAX_PIXELS,
        'Compressed images and masks whose header states more pixels are refused undecoded.',
        unit='px',
        limits=(1, 2**30),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.bit_depth < 8:
            raise SettingsError(f'bit_depth is {self.bit_depth}', 'choose 8 to 16, or 0')


@dataclass(frozen=True, eq=False)
class DecodedPicture:
    """A complete picture.

    Attributes:
        pixels: (H, W) or (H, W, 3) BGR of uint8, uint16 or floats.
        extraneous: Bytes in a JPEG that belong to nothing; many USB cameras send some.
    """

    pixels: npt.NDArray[Any]
    extraneous: int = 0


def decode_picture(
    data: Bytes, name: str, max_pixels: int = MAX_PIXELS, flags: int = COLOR
) -> DecodedPicture:
    """Decode a picture of any format that OpenCV reads.

    A JPEG is refused by the warnings of libjpeg. Without `simplejpeg`, which passes them on, one
    whose end mark is missing is refused, and damage before that mark goes unnoticed.

    `name` is what errors call it, `max_pixels` the limit on the size that its header states, and
    `flags` are `COLOR`, `GRAY`, or others of OpenCV.

    Raises:
        ImageError: It is empty, too large, damaged, or no picture.
    """
    if not data.size:
        raise ImageError(f'{name} is empty (0 bytes)')
    is_jpeg = data[:2].tobytes() == _JPEG
    extraneous = 0
    header = _jpeg_header(data, name) if is_jpeg and simplejpeg else None
    # Not sought at the very end: cameras pad, telephones append films.
    if is_jpeg and not header and _END not in data[data.size // 2 :].tobytes():
        raise ImageError(f'{name} ({data.size} bytes of JPEG) is cut off')
    size = header or stated_size(data, name)
    if size is None:
        raise ImageError(f'{name} ({data.size} bytes) is damaged or no picture')
    require_size(size, name, max_pixels)
    with parsing(name, 'picture', ImageError):
        if header:
            # With the orientation tag obeyed this decoding finds damage only.
            is_final = bool(flags & cv2.IMREAD_IGNORE_ORIENTATION)
            space = 'BGR' if is_final and flags & cv2.IMREAD_COLOR else 'GRAY'
            pixels, extraneous = _decode_jpeg(data, (header[1], header[0]), space, name)
            if is_final:
                return DecodedPicture(pixels, extraneous)
        picture = cv2.imdecode(data, flags)
    if picture is None:
        raise ImageError(f'{name} ({data.size} bytes) is damaged or no picture')
    return DecodedPicture(picture, extraneous)


def require_size(size: tuple[int, int], name: str, max_pixels: int = MAX_PIXELS) -> None:
    """Require that a picture of this stated (width, height) [px] may be decoded.

    Raises:
        ImageError: It has too many pixels.
    """
    if size[0] * size[1] > max_pixels:
        raise ImageError(
            f'{name} states {size[0]}x{size[1]} px, {size[0] * size[1]} in all, and max_pixels is '
            f'{max_pixels}',
            'if it is no mistake, raise max_pixels or reduce the picture first',
        )


def has_jpeg_check() -> bool:
    """Say whether damage inside a JPEG is noticed on this machine."""
    return simplejpeg is not None


def _jpeg_header(data: Bytes, name: str) -> tuple[int, int] | None:
    """Return (width, height) [px]; None for what only OpenCV can judge."""
    try:
        with parsing(name, 'JPEG', ImageError):
            height, width, *_ = simplejpeg.decode_jpeg_header(data, strict=False)
    except ImageError:  # no picture, or colors subsampled in an unusual way
        return None
    return width, height


def _decode_jpeg(data: Bytes, shape: tuple[int, int], space: str, name: str) -> tuple[Bytes, int]:
    """Return the pixels (H, W[, 3]) and the number of extraneous bytes."""
    pixels = np.empty((*shape, 3 if space == 'BGR' else 1), np.uint8)
    extraneous, is_decoded = 0, False
    try:
        simplejpeg.decode_jpeg_header(data)
        # A warning of the scan is reported after all of it has been decoded.
        is_decoded = True
        simplejpeg.decode_jpeg(data, space, buffer=pixels)
    except ValueError as error:
        found = _EXTRANEOUS.search(str(error))
        extraneous = int(found[1]) if found else 0
        # libjpeg passes on its first warning alone, which may hide a graver one.
        *header, scan = _segments(data) if found else [data]
        cleaned = np.concatenate([*header, scan])
        dropped = data.size - cleaned.size
        if 0 < dropped <= _MOST_EXTRANEOUS:
            pixels, more = _decode_jpeg(cleaned, shape, space, name)
            return pixels, dropped + more
        is_complete = is_decoded and 0 < extraneous <= _MOST_EXTRANEOUS
        if not is_complete or (found and found[2] and not _has_restarts(header, scan)):
            raise ImageError(f'{name} ({data.size} bytes of JPEG) is damaged: {error}') from error
    return (pixels if space == 'BGR' else pixels[..., 0]), extraneous


def _segments(data: Bytes) -> list[Bytes]:
    """Return the segments of a JPEG before its scan, and last all from there on."""
    kept, at, raw = [data[:2]], 2, data.tobytes()
    while (marker := raw.find(b'\xff', at)) >= 0 and marker + 4 <= len(raw):
        code = raw[marker + 1]
        if code in (0x00, 0xFF):
            at = marker + 1
        elif code == _START_OF_SCAN:
            return [*kept, data[marker:]]
        else:
            at = marker + 2 + int.from_bytes(raw[marker + 2 : marker + 4], 'big')
            kept.append(data[marker:at])
    return [data]


def _has_restarts(header: list[Bytes], scan: Bytes) -> bool:
    """Say whether a scan has all the restart markers that its header promises, in their order."""
    by_code = {int(segment[1]): segment.tobytes() for segment in header}
    interval = int.from_bytes(by_code.get(_RESTART_INTERVAL, b'')[4:6], 'big')
    frame = by_code.get(_BASELINE, by_code.get(_EXTENDED))
    if not interval or frame is None:
        return False
    height, width, components = struct.unpack('>HHB', frame[5:10])
    factors = [divmod(f, 16) for f in frame[11::3]] if components > 1 else [(1, 1)]
    across, down = (8 * max(sides) for sides in zip(*factors, strict=True))
    blocks = -(-width // across) * -(-height // down)
    found = [int(code) % 8 for code in _restart_codes(scan)]
    return found == [i % 8 for i in range(-(-blocks // interval) - 1)]


def _restart_codes(scan: Bytes) -> Bytes:
    codes = scan[1:][scan[:-1] == 0xFF]
    codes = codes[: int(np.argmax(codes == _END[1]))]
    restarts: Bytes = codes[(codes >= 0xD0) & (codes <= 0xD7)]
    return restarts
