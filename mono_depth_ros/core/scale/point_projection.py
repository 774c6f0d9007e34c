"""Points of a sensor beside the camera as inverse depth of the pixels that see them."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from ..camera.pinhole import PinholeCamera
from ..errors import AlignmentError

FloatMap = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

_NEAREST_M = 0.01
"""Nearer points are at the camera itself, or behind it."""
# Those below: benchmarks/results/hidden_points.md.
_WINDOW = 2.0  # sides of a quadrant, in mean distances of neighboring points
_MARGIN = 0.1  # of inverse depth; what is nearer by less may belong to the same surface
_QUADRANTS = 3
"""Quadrants round a point that must hold something nearer. On a plane inverse depth is linear in
u and v, so that what is nearer lies on one side: it fills one quadrant, and parts of two. Two
would remove the background beside every edge, which the camera sees."""
_PARALLAX = 0.5  # least parallax to what is nearer, in sides of a quadrant
_COMPANY = 4
"""Points around one, itself included, that are about as near: fewer are rain, dust or a speck on
the cover of a LiDAR, not a surface that hides anything."""
_ALIKE = 0.2  # of inverse depth: they lie on the same or on neighboring steps of that size
_LEAST_CELL_PX = 8


class OutOfViewError(AlignmentError):
    """The camera sees nothing of what a sensor beside it measured."""


def project_points(
    points: Points, sensor: npt.NDArray[np.float64], camera: PinholeCamera
) -> FloatMap:
    """Return the inverse depth (H, W) [1/m] of points (N, 3) [m] of a sensor at (3,) [m].

    All are in the optical frame. Pixels without a point are NaN; of several points in one pixel
    the nearest counts, and points that the camera cannot see, because something nearer hides them,
    are left out.

    Raises:
        OutOfViewError: No point lies in the view; the message says where they are.
    """
    ahead = points[points[:, 2] > _NEAREST_M]
    q = 1 / ahead[:, 2]
    u = np.rint(camera.fx * ahead[:, 0] * q + camera.cx)
    v = np.rint(camera.fy * ahead[:, 1] * q + camera.cy)
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    if not inside.any():
        raise OutOfViewError(
            f'none of {len(points)} points lies in the view of the camera: '
            f'{len(points) - len(ahead)} lie behind it and {len(ahead)} outside the image',
            'TF, or alignment.sensor_pose, must tell the pose of the sensor in the optical frame '
            '(x right, y down, z forward), not in a body frame (x forward, y left, z up) nor the '
            'inverse; it and the points must be in meters, not in millimeters',
        )
    inverse_depth = np.full((camera.height, camera.width), np.nan, np.float32)
    order = np.flatnonzero(inside)[q[inside].argsort()]  # the nearest is written last
    inverse_depth[v[order].astype(np.intp), u[order].astype(np.intp)] = q[order]
    inverse_depth[hidden_points(inverse_depth, sensor, camera)] = np.nan
    return inverse_depth


def hidden_points(
    inverse_depth: FloatMap, sensor: npt.NDArray[np.float64], camera: PinholeCamera
) -> npt.NDArray[np.bool_]:
    """Return (H, W) which points the camera cannot see: a z-buffer in a window.

    Inverse depth (H, W) [1/m] is NaN without a point, and somewhere there is one; the sensor
    stands at (3,) [m] in the optical frame.

    A sensor beside the camera sees past what is near. Between the points on a near surface those
    behind it show through, in a strip as wide as the parallax of the two. They have something
    nearer on all sides; what the camera sees beside an edge has it on one side only. A point
    without others as near around it hides nothing.
    """
    v, u = np.isfinite(inverse_depth).nonzero()
    q = inverse_depth[v, u]
    side = math.ceil(_WINDOW * math.sqrt(inverse_depth.size / len(q)))
    # Seen from the camera instead of from t, a point moves by f |t_xy - (x, y) t_z| / Z pixels.
    right = camera.fx * sensor[0] - (u - camera.cx) * sensor[2]
    below = camera.fy * sensor[1] - (v - camera.cy) * sensor[2]
    with np.errstate(divide='ignore'):
        least = q + np.maximum(_MARGIN * q, _PARALLAX * side / np.hypot(right, below))
    filled, quadrant = np.zeros_like(inverse_depth), np.ones((side + 1, side + 1), np.uint8)
    filled[v, u] = np.where(_has_company(q, v, u, max(side, _LEAST_CELL_PX)), q, 0)
    count = np.zeros(len(q), np.intp)
    for corner in ((0, 0), (0, side), (side, 0), (side, side)):
        count += cv2.dilate(filled, quadrant, anchor=corner)[v, u] >= least
    hidden = np.zeros(inverse_depth.shape, np.bool_)
    hidden[v, u] = count >= _QUADRANTS
    return hidden


def _has_company(
    q: npt.NDArray[np.float32],
    v: npt.NDArray[np.intp],
    u: npt.NDArray[np.intp],
    cell_px: int,
) -> npt.NDArray[np.bool_]:
    """Return which points (N,) have others of like inverse depth in the cells around them."""
    level = np.floor(np.log(q) / math.log1p(_ALIKE)).astype(np.intp)
    # A margin of one cell on all sides.
    places = v // cell_px + 1, u // cell_px + 1, level - level.min() + 1
    shape = [int(place.max()) + 2 for place in places]
    cells = np.ravel_multi_index(places, shape)
    count = np.bincount(cells, minlength=math.prod(shape)).astype(np.int32).reshape(shape)
    for axis in range(3):
        before, after = np.roll(count, 1, axis), np.roll(count, -1, axis)
        count = count + before + after
    alike: npt.NDArray[np.bool_] = count.ravel()[cells] >= _COMPANY
    return alike
