"""Encodings outside our table: read by cv_bridge, where it is installed and sound."""

import subprocess
import sys
from functools import cache

from sensor_msgs.msg import Image

from ..core.errors import ImageError
from ..core.files.encodings import ENCODINGS, Pixels

_TRIAL = """
from cv_bridge import CvBridge
from sensor_msgs.msg import Image
pixel = Image(height=1, width=1, encoding='bgr8', step=3, data=[1, 2, 3])
CvBridge().imgmsg_to_cv2(pixel, 'rgb8')
"""
_TRIAL_SECONDS = 20


def foreign_to_rgb(msg: Image) -> Pixels:
    """Return what cv_bridge makes of an encoding that we do not read, (H, W, 3) uint8 RGB.

    Raises:
        ImageError: cv_bridge is missing, broken, or does not know the encoding either.
    """
    complaint = cv_bridge_complaint()
    if not complaint:
        try:
            from cv_bridge import CvBridge

            rgb: Pixels = CvBridge().imgmsg_to_cv2(msg, 'rgb8')
            return rgb
        # It raises TypeError, RuntimeError, KeyError and more, by version and encoding.
        except Exception as error:
            complaint = str(error)
    raise ImageError(
        f'encoding {msg.encoding!r} is none of {", ".join(ENCODINGS)}; '
        f'cv_bridge cannot read it either: {complaint}'
    )


@cache
def cv_bridge_complaint() -> str:
    """Return why cv_bridge cannot be used on this machine, '' if it can; found out once.

    A cv_bridge that was built for NumPy 1 can be imported under NumPy 2 and then ends the
    whole process (segmentation fault) at the first conversion, so that a process of its own
    has to try one.
    """
    command = [sys.executable, '-c', _TRIAL]
    try:
        trial = subprocess.run(command, capture_output=True, text=True, timeout=_TRIAL_SECONDS)
    except subprocess.TimeoutExpired:
        return f'a first conversion did not end within {_TRIAL_SECONDS} s'
    if trial.returncode < 0:
        return (
            f'it ends the process with signal {-trial.returncode}; if it was built for NumPy 1, '
            "install 'numpy<2'"
        )
    return '' if trial.returncode == 0 else (trial.stderr.strip().splitlines() or ['?'])[-1]
