"""The bytes of a message: an array turned into the one type that every rclpy takes at once."""

from array import array
from typing import Any

import numpy as np
import numpy.typing as npt


def message_bytes(values: npt.NDArray[Any]) -> 'array[int]':
    """Return the C-ordered bytes of an array, ready for `msg.data`.

    Where rclpy checks fields it looks at each element of any other type, `bytes` included:
    seconds for a cloud.
    """
    data = array('B')
    data.frombytes(np.ascontiguousarray(values).reshape(-1).view(np.uint8))
    return data
