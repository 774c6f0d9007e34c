"""`mono_depth view`: a cloud, or a depth map as a cloud, in a window."""

import argparse
from pathlib import Path

from ..core.camera.calibration import fit_to_image
from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError, ImageError, MonoDepthError
from ..core.files.depth_files import Map, read_map
from ..core.outputs.colormap import ColormapSettings
from ..offline.calibration_files import read_calibration
from ..offline.pictures import read_picture
from ..offline.points import Pixels, Points, points_of_depth, read_points
from .open3d_window import screenshot, show

_POINT_SIZE_PX = 2.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare file, calibration and form."""
    parser.add_argument(
        'file',
        type=Path,
        metavar='FILE',
        help='cloud (.ply), or depth map (npy, npz, 16-bit PNG, pfm) with one of the next three',
    )
    camera = parser.add_mutually_exclusive_group()
    camera.add_argument(
        '--calibration', type=Path, metavar='YAML', help='camera_info of the depth map'
    )
    camera.add_argument(
        '--fov', type=float, metavar='DEG', help='its horizontal field of view [deg]'
    )
    camera.add_argument('--focal', type=float, metavar='PX', help='its focal length [px]')
    parser.add_argument(
        '--color', type=Path, metavar='IMAGE', help='picture of the same view as the depth map'
    )
    parser.add_argument(
        '--unit',
        type=float,
        default=0.001,
        metavar='M',
        help='value of 1 in a PNG of depths [m] (default: 0.001)',
    )
    parser.add_argument(
        '--point-size',
        type=float,
        default=_POINT_SIZE_PX,
        metavar='PX',
        help=f'(default: {_POINT_SIZE_PX})',
    )
    parser.add_argument(
        '--screenshot', type=Path, metavar='PNG', help='write a picture and open no window'
    )


def run(args: argparse.Namespace) -> int:
    """Show the file.

    Raises:
        MonoDepthError: It cannot be read or shown.
    """
    if args.point_size <= 0:
        raise MonoDepthError(f'--point-size is {args.point_size}; it must be positive')
    xyz, rgb = _points(args)
    if args.screenshot is None:
        show(xyz, rgb, args.point_size)
        return 0
    if args.screenshot.suffix.lower() not in ('.png', '.jpg'):
        raise MonoDepthError(f'{args.screenshot} must be a .png or .jpg')
    screenshot(xyz, rgb, args.point_size, args.screenshot)
    print(f'{len(xyz)} points, {args.screenshot}')
    return 0


def _points(args: argparse.Namespace) -> tuple[Points, Pixels]:
    if args.file.suffix.lower() == '.ply':
        return read_points(args.file)
    if 'relative_inverse_depth' in args.file.name:
        raise ImageError(
            f'{args.file} holds relative inverse depth, which has no meters: a cloud needs depth'
        )
    depth = read_map(args.file, args.unit)
    camera = _camera(args, depth)
    rgb = None if args.color is None else read_picture(args.color, max(depth.shape))
    if rgb is not None and rgb.shape[:2] != depth.shape:
        raise ImageError(f'{args.color} is {rgb.shape[:2]} and the depth map {depth.shape}')
    return points_of_depth(depth, camera, rgb, ColormapSettings())


def _camera(args: argparse.Namespace, depth: Map) -> PinholeCamera:
    height, width = depth.shape
    if args.calibration is not None:
        calibration = read_calibration(args.calibration)
        return fit_to_image(calibration, width, height).rectified_camera()
    if args.fov is not None:
        return PinholeCamera.from_fov(width, height, args.fov)
    if args.focal is not None:
        return PinholeCamera(
            width, height, args.focal, args.focal, (width - 1) / 2, (height - 1) / 2
        )
    raise CalibrationError(
        f'{args.file} is a depth map, which needs --calibration, --fov or --focal'
    )
