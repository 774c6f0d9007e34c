"""Plausibility: focal length and principal point judged against the size that they claim."""

from ..errors import ImplausibleCalibrationError
from .calibration import CameraCalibration
from .pinhole import PinholeCamera

Size = tuple[int, int]
"""(width, height) [px]."""

MIN_FOCAL_OF_LENS = 0.08
"""Smallest f / longer side of a raw image (K). An equidistant lens of 280 degrees whose circle has
the height of a 16:9 image has 0.115, a plumb_bob lens of 140 degrees 0.18; millimeters in place of
pixels give less (4 mm at 640 px: 0.006, 35 mm: 0.055)."""

MAX_FOV_DEG = 175.0
"""Widest view of a rectified image (P): a plane cannot show 180 degrees, and at 175 a pixel in the
middle covers 500 times the angle of one at the edge."""

MIN_FOV_DEG = 5.0
"""Narrowest view: a 400 mm lens on a full-frame sensor. Through a longer one a depth network sees
no scene; a larger focal length belongs to a larger image."""

MARGIN = 0.05
"""Share of the size that the principal point keeps from the edge. Lenses are centered within 5 %,
shifted lenses and rectified pairs that converge within 40 %."""

MAX_DECENTERING = 1.2
"""Largest ratio, either way, of twice the principal point to a size whose center it may be: off by
a tenth of the size, twice what lenses have. Beyond it, other sizes are tried."""

MAX_PIXEL_ASPECT = 2.5
"""Largest ratio of fx and fy, either way: lines of one field, or pairs squeezed side by side, have
2, and 21:9 squeezed to a square 2.33."""

_LEAST_PX = 32
"""Sides of a size that a matrix may be of; below, it is in millimeters or normalized."""


def require_plausible(calibration: CameraCalibration, delivered: Size | None = None) -> None:
    """Refuse a calibration that cannot be that of an image of its size.

    Args:
        calibration: Of the full image, before region of interest and binning.
        delivered: Size after both, as stated; None if it is the full one.

    Raises:
        ImplausibleCalibrationError: K or P is beyond a limit; names the likely cause.
    """
    raw, rectified = calibration.raw_camera(), calibration.rectified_camera()
    if (raw.fx, raw.fy, raw.cx, raw.cy) == (1, 1, 0, 0):
        raise ImplausibleCalibrationError(
            f'K is the identity for {raw.width}x{raw.height} px: the camera is not calibrated',
            'calibrate it (camera_calibration), or state a field of view',
        )
    require_plausible_camera(raw, 'K', delivered, max(raw.width, raw.height) * MIN_FOCAL_OF_LENS)
    if rectified != raw:
        require_plausible_camera(rectified, 'P', delivered)


def require_plausible_camera(
    camera: PinholeCamera, name: str, delivered: Size | None = None, min_focal_px: float = 0.0
) -> None:
    """Refuse intrinsics, which the user knows by `name`; see `require_plausible`.

    `min_focal_px` is a least focal length beside that of `MAX_FOV_DEG` [px].
    """
    told = (
        f'{name} has focal lengths ({camera.fx:g}, {camera.fy:g}) px and principal point '
        f'({camera.cx:g}, {camera.cy:g}) for {camera.width}x{camera.height} px'
    )
    fov_deg = camera.fov_deg
    center = (camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height
    wrong = ''
    if cause := _other_size(camera, name, delivered):
        raise ImplausibleCalibrationError(f'{told}: {cause[0]}', cause[1])
    if fov_deg > MAX_FOV_DEG or min(camera.fx, camera.fy) < min_focal_px:
        wrong = 'it must be in pixels: focal length in mm / size of a pixel in mm'
    elif fov_deg < MIN_FOV_DEG:
        wrong = 'it must be that of this size, in pixels'
    elif not 1 / MAX_PIXEL_ASPECT <= camera.fx / camera.fy <= MAX_PIXEL_ASPECT:
        wrong = f'the focal lengths must be within a factor of {MAX_PIXEL_ASPECT:g}'
    elif not all(MARGIN < share < 1 - MARGIN for share in center):
        wrong = 'the principal point must lie in the image: near its middle, unless it is a part'
    if wrong:
        raise ImplausibleCalibrationError(
            f'{told}, a view {fov_deg:.3g} degrees wide',
            f'{wrong}; correct it where it comes from, or calibrate again',
        )


def _other_size(
    camera: PinholeCamera, name: str, delivered: Size | None
) -> tuple[str, str] | None:
    """Return what explains a principal point far off center better than its size does, if any."""
    width, height = camera.width, camera.height
    u, v = 2 * camera.cx + 1, 2 * camera.cy + 1
    if u <= 0 or v <= 0 or _is_about((u, v), (width, height), MAX_DECENTERING):
        return None
    full, wide = f'{width}x{height} px', f'{camera.fov_deg:.3g} degrees wide'
    if delivered and _is_about((u, v), delivered, MAX_DECENTERING):
        narrower = PinholeCamera(*delivered, camera.fx, camera.fy, camera.cx, camera.cy)
        part = '{}x{} px'.format(*delivered)
        return (
            f'it seems to be binned or cropped to {part} already, and would be so twice (a field '
            f'of view {wide} in place of {narrower.fov_deg:.3g})',
            f'use the {name} of {full}, or this one with {part}, no binning and no region',
        )
    if _is_about((u, v), (height, width), MAX_DECENTERING):
        return (
            f'it seems to be that of {height}x{width} px: width and height are swapped',
            f'use the calibration of {full}; an image turned by 90 degrees needs its own',
        )
    is_scaled = min(u, v) > _LEAST_PX and not _is_about((u,), (width,), MAX_DECENTERING)
    if is_scaled and _is_about((u * height,), (v * width,), MAX_DECENTERING):
        other = f'about {u:.0f}x{v:.0f} px'
        return (
            f'it seems to be that of {other} (a field of view {wide} is not that of the camera)',
            f'use the {name} of {full}, or state the size of this one',
        )
    return None


def _is_about(size: tuple[float, ...], other: tuple[float, ...], factor: float) -> bool:
    """Return whether positive numbers differ by less than a factor each."""
    return all(1 / factor < a / b < factor for a, b in zip(size, other, strict=True))
