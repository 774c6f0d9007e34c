"""`mono_depth view`: a cloud, or a depth map as a cloud, in a window or a picture.

The window is Open3D's, which is optional. A screenshot is drawn as `estimate --preview` draws:
that needs neither Open3D nor a display.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import CalibrationError, ImageError, MonoDepthError
from ..core.files.depth_files import Map, read_map
from ..core.files.encodings import Pixels
from ..core.files.file_writers import write_picture
from ..core.files.map_units import UNITS
from ..core.files.message_writers import unpack_color
from ..core.files.point_files import read_colored_points
from ..core.outputs.cloud import pack_cloud
from ..core.outputs.colormap import paint_depth
from ..core.outputs.output_settings import CloudSettings, ColormapSettings
from ..offline.cloud_renderer import Points, draw_cloud
from ..offline.images import ReadingSettings, load_picture
from .batch import say, written
from .common_arguments import chosen_camera, positive_number

_WIDTH_PX, _HEIGHT_PX = 1280, 960
_ZOOM = 0.55
_FRONT = (0.3, -0.25, -0.9)
"""From the middle of the cloud to the viewer: right, down, forward."""
_UP = (0.0, -1.0, 0.0)
_WITHOUT_WINDOW = '--screenshot FILE and `mono_depth estimate --preview` need no window'


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
    camera.add_argument('--fov', type=float, metavar='DEG', help='its horizontal field of view')
    camera.add_argument('--focal', type=float, metavar='PX', help='its focal length [px]')
    parser.add_argument(
        '--color', type=Path, metavar='IMAGE', help='picture of the same view as the depth map'
    )
    parser.add_argument(
        '--unit',
        type=positive_number,
        metavar='M',
        help='value of 1 in files of integers [m] (default: 0.001 in a 16-bit PNG; other integers '
        'need it)',
    )
    parser.add_argument(
        '--point-size', type=float, default=2.5, metavar='PX', help='(default: 2.5)'
    )
    parser.add_argument(
        '--screenshot', type=Path, metavar='PNG', help='write a picture and open no window'
    )


def run(args: argparse.Namespace) -> int:
    """Show the file."""
    path: Path | None = args.screenshot
    if args.point_size <= 0:
        raise MonoDepthError(f'--point-size is {args.point_size}; it must be positive')
    if path is not None and path.suffix.lower() not in ('.png', '.jpg'):
        raise MonoDepthError(f'{path} must be a .png or .jpg')
    xyz, rgb = _points(args)
    if path is None:
        show(xyz, rgb, args.point_size)
        return 0
    picture = draw_cloud(xyz, rgb, args.point_size)
    with written(path):
        write_picture(path, picture)
    print(f'{len(xyz)} points, {path}')
    return 0


def _points(args: argparse.Namespace) -> tuple[Points, Pixels]:
    if args.file.suffix.lower() == '.ply':
        return read_colored_points(args.file)
    if 'relative_inverse_depth' in args.file.name:
        raise ImageError(
            f'{args.file} holds relative inverse depth, which has no meters: a cloud needs depth'
        )
    depth = read_map(args.file, args.unit)
    if args.file.suffix.lower() == '.png':
        say(f'mono_depth view: {UNITS["depth"].described(args.unit)} (--unit)')
    height, width = depth.shape
    calibration = chosen_camera(args).of_size(width, height)
    if calibration is None:
        raise CalibrationError(
            f'{args.file} is a depth map, which needs --calibration, --fov or --focal'
        )
    reading = ReadingSettings(max_side=max(depth.shape))
    rgb = None if args.color is None else load_picture(args.color, reading).rgb
    if rgb is not None and rgb.shape[:2] != depth.shape:
        raise ImageError(f'{args.color} is {rgb.shape[:2]} and the depth map {depth.shape}')
    return points_of_depth(depth, calibration.rectified_camera(), rgb, ColormapSettings())


def points_of_depth(
    depth: Map, camera: PinholeCamera, rgb: Pixels | None, colors: ColormapSettings
) -> tuple[Points, Pixels]:
    """Return (N, 3) float32 [m] and (N, 3) uint8 RGB of the positive pixels of depth (H, W) [m].

    `camera` is of this size, `rgb` (H, W, 3) of the same view, None for the colors of depth.
    """
    known = torch.from_numpy(np.where(depth > 0, depth, np.nan).astype(np.float32))
    if not bool(known.isfinite().any()):
        raise ImageError('no depth is known in the map: all is NaN or not positive')
    if rgb is None:
        painted = paint_depth(known, colors)
        rgb = np.ascontiguousarray(painted.numpy()[..., ::-1])
    packed = pack_cloud(known, camera.rays(), torch.from_numpy(rgb), CloudSettings()).numpy()
    return packed[:, :3], unpack_color(packed[:, 3])


def show(xyz: Points, rgb: Pixels, point_size: float) -> None:
    """Show points (N, 3) [m] of an optical frame in a window of Open3D until it is closed."""
    open3d = _open3d()
    has_display = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
    if sys.platform.startswith('linux') and not has_display:
        raise MonoDepthError(f'there is no display for a window; {_WITHOUT_WINDOW}')
    window = open3d.visualization.Visualizer()
    if not window.create_window('mono_depth view', _WIDTH_PX, _HEIGHT_PX):
        raise MonoDepthError(f'Open3D cannot open a window here; {_WITHOUT_WINDOW}')
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(xyz.astype(np.float64))
    cloud.colors = open3d.utility.Vector3dVector(rgb / 255.0)
    window.add_geometry(cloud)
    options, view = window.get_render_option(), window.get_view_control()
    options.point_size = point_size
    options.background_color = np.zeros(3)
    view.set_lookat(np.median(xyz, axis=0).astype(np.float64))
    view.set_front(np.array(_FRONT))
    view.set_up(np.array(_UP))
    view.set_zoom(_ZOOM)
    window.run()
    window.destroy_window()


def _open3d() -> Any:
    try:
        import open3d
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == 'open3d'
        remedy = (
            "pip install 'mono_depth_ros[viz]', or pip install open3d"
            if missing
            else f'{error}; on Debian, libusb-1.0-0, libgl1 and libgomp1 are what it needs'
        )
        raise MonoDepthError(
            f'Open3D is {"not installed" if missing else "installed and cannot be loaded"}: '
            f'{remedy}; {_WITHOUT_WINDOW}'
        ) from error
    return open3d
