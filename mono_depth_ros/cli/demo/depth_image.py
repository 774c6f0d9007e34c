"""Depth images of any camera as metres."""

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import Image

from ...core.errors import ImageError

# Encoding -> type of its samples; by REP-118 floats are metres, integers millimetres.
ENCODINGS = {'32FC1': 'f4', '16UC1': 'u2'}


def image_to_floats(msg: Image) -> npt.NDArray[np.float32]:
    """Return (H, W) float32 of a 32FC1 message as it is, of a 16UC1 one [m], 0 being NaN.

    Raises:
        ImageError: The encoding is another, or size, step and data contradict each other.
    """
    if msg.encoding not in ENCODINGS:
        raise ImageError(f'depth encoding is {msg.encoding!r}; {", ".join(ENCODINGS)} are read')
    dtype = np.dtype(f'{">" if msg.is_bigendian else "<"}{ENCODINGS[msg.encoding]}')
    if msg.step < msg.width * dtype.itemsize or len(msg.data) != msg.step * msg.height:
        raise ImageError(
            f'depth image is {msg.width}x{msg.height} px of {msg.encoding} with step {msg.step} '
            f'and {len(msg.data)} bytes'
        )
    shape, strides = (msg.height, msg.width), (msg.step, dtype.itemsize)
    samples = np.ndarray(shape, dtype, msg.data, strides=strides)
    if msg.encoding == '32FC1':
        return samples.astype(np.float32)
    return np.where(samples > 0, samples / np.float32(1000), np.float32(np.nan))
