"""What the header of a picture states, before anything is decoded: size and orientation."""

import io
import re
import struct
from collections.abc import Callable
from functools import partial

import imagesize
import numpy as np
import numpy.typing as npt

from ..errors import ImageError
from ..parsing import parsing

Size = tuple[int, int]
"""(width, height) [px]."""

UPRIGHT = 1
_ORIENTATIONS = range(1, 9)
_ORIENTATION_TAG = 0x0112
_HEAD_BYTES = 4096
_HDR_SIZE = re.compile(rb'\n[-+]Y (?P<height>\d{1,9}) [-+]X (?P<width>\d{1,9})\n')
_PFM_SIZE = re.compile(rb'\AP[fF]\s+(?P<width>\d{1,9})\s+(?P<height>\d{1,9})\s')
_EXR_WINDOW = re.compile(rb'dataWindow\0box2i\0\x10\0\0\0(.{16})', re.DOTALL)

_ISO_FILE, _ISO_HEAD_BYTES = b'ftyp', 1 << 18
_ISO_SIZE = re.compile(rb'ispe\0{4}(.{8})', re.DOTALL)
_ISO_TURN = re.compile(rb'\0\0\0\x09irot(.)', re.DOTALL)
_ISO_MIRROR = re.compile(rb'\0\0\0\x09imir(.)', re.DOTALL)
_ISO_ORIENTATIONS: dict[tuple[int, int | None], int] = {
    (0, None): 1,
    (1, None): 8,
    (2, None): 3,
    (3, None): 6,
    (0, 0): 4,
    (1, 0): 5,
    (2, 0): 2,
    (3, 0): 7,
    (0, 1): 2,
    (1, 1): 7,
    (2, 1): 4,
    (3, 1): 5,
}
"""Quarters of a turn to the left, then mirrored top to bottom (0) or left to right (1) (ISO/IEC
23008-12), -> EXIF's number for the same."""


def stated_size(data: npt.NDArray[np.uint8], name: str) -> Size | None:
    """Return the size that the header states, None if it is that of no picture."""
    content = data.tobytes()
    if content[4:8] == _ISO_FILE:
        return _of_iso(content[:_ISO_HEAD_BYTES])
    head = content[:_HEAD_BYTES]
    for magic, read in _OTHERS.items():
        if head.startswith(magic):
            return read(head)
    try:
        with parsing(name, 'picture', ImageError):
            width, height = imagesize.get(io.BytesIO(content))
    except ImageError:
        return None
    return (int(width), int(height)) if width > 0 and height > 0 else None


def stated_orientation(data: npt.NDArray[np.uint8], name: str) -> int:
    """Return the orientation (EXIF, 1 to 8) of the pixels of a file, 1 where none is stated."""
    content = data.tobytes()
    if content[4:8] == _ISO_FILE:
        return _orientation_of_iso(content[:_ISO_HEAD_BYTES])
    exif = _exif(content)
    try:
        with parsing(name, 'picture', ImageError):
            if exif:
                found = _orientation(exif)
            else:
                found = imagesize.get_info(io.BytesIO(content)).rotation
    except ImageError:
        return UPRIGHT
    return found if found in _ORIENTATIONS else UPRIGHT


def is_turned_by_decoder(data: npt.NDArray[np.uint8]) -> bool:
    """Say whether OpenCV turns such a file (TIFF) whatever flags it is given."""
    return data[:2].tobytes() in (b'II', b'MM')


def _exif(content: bytes) -> bytes:
    """Return the EXIF data of a PNG or WebP, which is a TIFF; b'' if there is none."""
    if content.startswith(b'\x89PNG'):
        at, order, wanted, spare = 8, '>I4s', b'eXIf', 12
    elif content.startswith(b'RIFF'):
        at, order, wanted, spare = 12, '<4sI', b'EXIF', 8
    else:
        return b''
    while at + 8 <= len(content):
        first, second = struct.unpack_from(order, content, at)
        length, kind = (first, second) if isinstance(first, int) else (second, first)
        if kind == wanted:
            # WebP may repeat the mark of a JPEG's segment.
            return content[at + 8 : at + 8 + length].removeprefix(b'Exif\0\0')
        at += length + spare + (length % 2 if spare == 8 else 0)
    return b''


def _orientation(exif: bytes) -> int:
    """Return the orientation in EXIF data, which is a TIFF: entries of 12 bytes in a directory."""
    order = '<' if exif.startswith(b'II') else '>'
    (start,) = struct.unpack_from(f'{order}I', exif, 4)
    (count,) = struct.unpack_from(f'{order}H', exif, start)
    for i in range(count):
        tag, _, _, value = struct.unpack_from(f'{order}HHIH', exif, start + 2 + 12 * i)
        if tag == _ORIENTATION_TAG:
            return int(value)
    return UPRIGHT


def _of_iso(head: bytes) -> Size | None:
    """Return the size of the largest image in AVIF or HEIC, which may be made of tiles."""
    sizes = [struct.unpack('>2I', found[1]) for found in _ISO_SIZE.finditer(head)]
    return max(sizes, key=lambda size: int(size[0] * size[1]), default=None)


def _orientation_of_iso(head: bytes) -> int:
    quarters, mirror = _ISO_TURN.search(head), _ISO_MIRROR.search(head)
    turn = quarters[1][0] % 4 if quarters else 0
    return _ISO_ORIENTATIONS[turn, mirror[1][0] % 2 if mirror else None]


def _of_text(pattern: re.Pattern[bytes], head: bytes) -> Size | None:
    found = pattern.search(head)
    return (int(found['width']), int(found['height'])) if found else None


def _of_exr(head: bytes) -> Size | None:
    found = _EXR_WINDOW.search(head)
    if found is None:
        return None
    left, top, right, bottom = struct.unpack('<4i', found[1])
    return right - left + 1, bottom - top + 1


def _of_words(at: int, head: bytes) -> Size | None:
    if len(head) < at + 8:
        return None
    width, height = struct.unpack_from('>2I', head, at)
    return width, height


_OTHERS: dict[bytes, Callable[[bytes], Size | None]] = {
    b'#?': partial(_of_text, _HDR_SIZE),
    b'PF': partial(_of_text, _PFM_SIZE),
    b'Pf': partial(_of_text, _PFM_SIZE),
    b'\x76\x2f\x31\x01': _of_exr,
    b'\x59\xa6\x6a\x95': partial(_of_words, 4),
    b'\xff\x4f\xff\x51': partial(_of_words, 8),
}
"""Radiance, PFM, OpenEXR, Sun raster and bare JPEG 2000: by their first bytes, what reads a head
that imagesize does not know."""
