"""Depth images from raw and compressed messages, and their compression as in image_transport."""

import math
import struct

import cv2
import numpy as np
import numpy.typing as npt

from ..camera.decoding import decode_picture
from ..errors import ImageError
from ..parsing import parsing
from .file_writers import to_millimeters
from .message_protocols import CompressedImageFields, ImageFields

Floats = npt.NDArray[np.float32]

DEPTH_ENCODINGS = {'32FC1': 'f4', '16UC1': 'u2', 'mono16': 'u2'}
"""Encoding -> type of its samples; by REP-118 floats are meters, integers millimeters."""
_HEADER = struct.Struct('<iff')
"""compressed_depth_image_transport: a number for the codec, and how floats were quantized."""
_STEP = 1 / 10100  # of inverse depth [1/m], the default of compressed_depth_image_transport
_LARGEST = 65535
_NEAREST = 0.05


def image_to_depth(msg: ImageFields) -> Floats:
    """Return (H, W) float32 [m]: 32FC1 unchanged, integers converted with 0 as NaN.

    Raises:
        ImageError: The encoding is unsupported, or size, step and data contradict each other.
    """
    if msg.encoding not in DEPTH_ENCODINGS:
        raise ImageError(
            f'depth has encoding {msg.encoding!r}; it must be one of {", ".join(DEPTH_ENCODINGS)}'
        )
    dtype = np.dtype(('>' if msg.is_bigendian else '<') + DEPTH_ENCODINGS[msg.encoding])
    row_bytes = msg.width * dtype.itemsize
    if msg.step < row_bytes or len(msg.data) != msg.step * msg.height:
        raise ImageError(
            f'{msg.encoding} image of {msg.width}x{msg.height} px has step {msg.step} and '
            f'{len(msg.data)} bytes; that does not fit'
        )
    shape, strides = (msg.height, msg.width), (msg.step, dtype.itemsize)
    samples: npt.NDArray[np.generic] = np.ndarray(shape, dtype, msg.data, strides=strides)
    return samples.astype(np.float32) if dtype.kind == 'f' else _meters(samples)


def compressed_to_depth(msg: CompressedImageFields) -> Floats:
    """Return (H, W) float32 [m], NaN unknown, from compressed_depth_image_transport.

    Raises:
        ImageError: The data is damaged, too large or not compressed as PNG.
    """
    source, _, codec = msg.format.partition(';')
    if 'compresseddepth' not in codec.lower() or 'rvl' in codec.lower():
        raise ImageError(f'format is {msg.format!r}; depth is read as PNG (compressedDepth png)')
    data = bytes(msg.data)
    name = f'compressed depth ({len(data)} bytes)'
    with parsing(name, 'compressedDepth', ImageError):
        _, a, b = _HEADER.unpack_from(data)
        png = np.frombuffer(data[_HEADER.size :], np.uint8)
        samples = decode_picture(png, name, flags=cv2.IMREAD_UNCHANGED).pixels
    if samples.dtype != np.uint16 or samples.ndim != 2:
        raise ImageError(f'{name} holds no 16-bit PNG')
    if source.strip() != '32FC1':
        return _meters(samples)
    if not (math.isfinite(a) and math.isfinite(b)):
        raise ImageError(f'{name} states that floats were quantized by {a} and {b}')
    # Quantized inverse depth: q = a / z + b.
    with np.errstate(divide='ignore', over='ignore'):
        depth = a / (samples - np.float32(b))
    is_known = (samples > 0) & np.isfinite(depth) & (depth > 0)
    return np.where(is_known, depth, np.nan).astype(np.float32)


def _meters(millimeters: npt.NDArray[np.generic]) -> Floats:
    meters = millimeters.astype(np.float32) / np.float32(1000)
    meters[meters == 0] = np.nan
    return meters


def inverse_depth_png(depth: npt.NDArray[np.float32]) -> tuple[bytes, float, float]:
    """Return depth (H, W) [m], NaN unknown, as PNG in steps of inverse depth, with its a and b.

    Its 16-bit values v mean depth a / (v - b) [m], 0 unknown. The step is 1e-4 1/m, or larger if
    16 bits would not span the range. Depth below 5 cm becomes 5 cm. The error of depth z is at
    most z^2/2 steps: 5 mm at 10 m.
    """
    is_known = np.isfinite(depth) & (depth > 0)
    inverse = 1 / np.clip(depth[is_known], _NEAREST, None)
    farthest, nearest = (inverse.min(), inverse.max()) if inverse.size else (0.0, 0.0)
    a = np.float32(1 / max(_STEP, (nearest - farthest) / (_LARGEST - 1)))
    b = np.float32(1 - a * farthest)
    values = np.zeros(depth.shape, np.uint16)
    values[is_known] = np.clip(np.rint(a * inverse + b), 1, _LARGEST)
    return _png(values), float(a), float(b)


def millimeter_png(depth: npt.NDArray[np.float32]) -> bytes:
    """Return depth (H, W) [m] as a 16-bit PNG; see `to_millimeters`."""
    return _png(to_millimeters(depth))


def _png(values: npt.NDArray[np.uint16]) -> bytes:
    _, encoded = cv2.imencode('.png', values, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()
