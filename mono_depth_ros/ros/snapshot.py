"""One frame's results as files."""

from pathlib import Path

import cv2
from builtin_interfaces.msg import Time

from ..core.errors import MonoDepthError
from ..core.files import write_depth_png, write_npy, write_ply
from ..core.pipeline import Result


def save_snapshot(result: Result, stamp: Time, folder: str) -> str:
    """Write depth (npy, 16-bit PNG), colour and, if there are any, points; say where.

    Raises:
        MonoDepthError: Depth is not known, or the folder cannot be written.
    """
    if result.depth is None or result.unknown:
        raise MonoDepthError(f'nothing saved, depth is not known: {result.unknown}')
    place = Path(folder).expanduser()
    stem = f'{stamp.sec}_{stamp.nanosec:09d}'
    try:
        place.mkdir(parents=True, exist_ok=True)
        write_npy(place / f'{stem}_depth.npy', result.depth)
        write_depth_png(place / f'{stem}_depth.png', result.depth)
        if result.color is not None:
            bgr = cv2.cvtColor(result.color, cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(place / f'{stem}_color.png'), bgr)
        if result.points is None:
            return f'{place / stem}_depth.npy, .png; no cloud without camera_info or fov_deg'
        write_ply(place / f'{stem}_points.ply', result.points)
    except OSError as error:
        raise MonoDepthError(f'cannot write the snapshot to {place}: {error}') from error
    return f'{place / stem}_depth.npy, .png, _color.png, _points.ply'
