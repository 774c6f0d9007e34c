"""Encodings that keep brightness and color in planes of their own, as video decoders give them."""

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError
from .encodings import Pixels
from .message_protocols import ImageFields


@dataclass(frozen=True)
class PlanarEncoding:
    """A plane of brightness (Y) and after it the colors U and V, of BT.601 in limited range.

    Attributes:
        order: Of the colors: UV or VU.
        halved: Whether four pixels share a color.
        interleaved: Whether colors take turns in one plane, or have a plane each.
    """

    order: str
    halved: bool = True
    interleaved: bool = True

    def color_size(self, width: int, height: int) -> tuple[int, int]:
        """Return columns and rows of a plane of one color."""
        return (-(-width // 2), -(-height // 2)) if self.halved else (width, height)

    def planes(self, width: int, height: int, step: int) -> tuple[int, int, int]:
        """Return bytes of all planes, and bytes of a row of colors and their rows."""
        columns, rows = self.color_size(width, height)
        if self.interleaved:
            row_bytes = max(step if self.halved else 2 * step, 2 * columns)
        else:
            row_bytes, rows = -(-step // 2) if self.halved else step, 2 * rows
        return step * height + row_bytes * rows, row_bytes, rows


PLANAR: dict[str, PlanarEncoding] = {
    'nv12': PlanarEncoding('UV'),
    'nv21': PlanarEncoding('VU'),
    'nv24': PlanarEncoding('UV', halved=False),
    'i420': PlanarEncoding('UV', interleaved=False),
    'yuv420': PlanarEncoding('UV', interleaved=False),
    'yuv420p': PlanarEncoding('UV', interleaved=False),
    'yv12': PlanarEncoding('VU', interleaved=False),
}
"""By their names in messages: V4L2, libcamera, depthai."""


def planar_to_rgb(msg: ImageFields) -> Pixels:
    """Return (H, W, 3) uint8 RGB of an image whose encoding is in `PLANAR`.

    `step` is the length of a row of brightness; where it does not fit, rows without padding do.

    Raises:
        ImageError: Size and data contradict each other.
    """
    encoding, width, height = PLANAR[msg.encoding], msg.width, msg.height
    if width < 1 or height < 1:
        raise ImageError(f'image is {width}x{height} px')
    data = np.frombuffer(msg.data, np.uint8)
    step = msg.step if msg.step >= width else width
    if data.size != encoding.planes(width, height, step)[0]:
        step = width
    size, row_bytes, rows = encoding.planes(width, height, step)
    if data.size != size:
        raise ImageError(
            f'data has {data.size} bytes; {width}x{height} px of {msg.encoding} take {size}, or '
            f'rows of {msg.step} bytes'
        )
    y = data[: step * height].reshape(height, step)[:, :width]
    colors = data[step * height :].reshape(rows, row_bytes)
    columns, color_rows = encoding.color_size(width, height)
    if encoding.interleaved:
        pairs = colors[:, : 2 * columns].reshape(color_rows, columns, 2)
    else:
        pairs = np.stack((colors[:color_rows, :columns], colors[color_rows:, :columns]), axis=2)
    uv = pairs if encoding.order == 'UV' else pairs[..., ::-1]
    if encoding.halved:
        return _rgb(y, uv)[:height, :width]
    # Every pixel as four of one color: what OpenCV converts.
    doubled = cv2.resize(
        np.ascontiguousarray(y), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST
    )
    return np.ascontiguousarray(_rgb(np.asarray(doubled, np.uint8), uv)[::2, ::2])


def _rgb(y: Pixels, uv: npt.NDArray[np.uint8]) -> Pixels:
    """Return RGB of brightness (H, W) and colors (H/2, W/2, 2), both rounded up to even."""
    rows, columns = uv.shape[:2]
    even = np.pad(y, [(0, 2 * rows - y.shape[0]), (0, 2 * columns - y.shape[1])], 'edge')
    stacked = np.concatenate((even, uv.reshape(rows, 2 * columns)))
    return cast(Pixels, cv2.cvtColor(stacked, cv2.COLOR_YUV2RGB_NV12))
