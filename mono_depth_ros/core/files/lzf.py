"""Decompression of LZF, in which PCD files of `DATA binary_compressed` hold their points."""

from ..errors import PointsError

_MAX_RATIO = 88
"""Three bytes stand for at most 264."""


def lzf_decompress(data: bytes, size: int) -> bytes:
    """Return the `size` bytes that LZF data stands for.

    A byte c < 32 is followed by c + 1 literal bytes. Any other copies from what came before: the
    upper 3 bits and, if all are set, the next byte are the length - 2, the lower 5 bits and the
    following byte the distance - 1 (M. Lehmann, liblzf).

    Raises:
        PointsError: The data is damaged, or of another size.
    """
    if size > _MAX_RATIO * len(data):
        raise PointsError(f'{len(data)} bytes of LZF cannot stand for the stated {size} bytes')
    out = bytearray()
    place = 0
    while place < len(data) and len(out) <= size:
        control = data[place]
        place += 1
        if control < 32:
            out += data[place : place + control + 1]
            place += control + 1
            continue
        length = control >> 5
        if length == 7:
            length += data[place]
            place += 1
        distance = ((control & 31) << 8) + data[place] + 1
        place += 1
        if distance > len(out):
            raise PointsError(f'LZF refers {distance} bytes back, where only {len(out)} are')
        _repeat(out, distance, length + 2)
    if place != len(data) or len(out) != size:
        raise PointsError(f'LZF data ends after {len(out)} of the stated {size} bytes')
    return bytes(out)


def _repeat(out: bytearray, distance: int, length: int) -> None:
    """Append `length` bytes from `distance` back on, over and over if they are fewer."""
    start = len(out) - distance
    source = out[start : start + length]
    out += (source * -(-length // len(source)))[:length]
