"""Points in a window of Open3D, or in a picture of it where there is no display."""

import multiprocessing
import os
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import MonoDepthError

_TITLE = 'mono_depth view'
_WIDTH_PX, _HEIGHT_PX = 1280, 960
_ZOOM = 0.55
_FRONT = (0.3, -0.25, -0.9)
"""From the middle of the cloud to the viewer: right, down, forward."""
_UP = (0.0, -1.0, 0.0)
_FRAMES = 5
"""The first ones of a window are still black."""

_WITHOUT = 'without Open3D, `mono_depth estimate --preview` draws a picture of each cloud'

Points = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def show(xyz: Points, rgb: Pixels, point_size: float) -> None:
    """Show points until the window is closed.

    Args:
        xyz: (N, 3) [m], in an optical frame.
        rgb: (N, 3).
        point_size: [px].

    Raises:
        MonoDepthError: Open3D is missing or cannot be loaded, or there is no display.
    """
    open3d = _open3d()
    on_linux = sys.platform.startswith('linux')
    if on_linux and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        raise MonoDepthError('there is no display for a window; --screenshot FILE needs none')
    window = _window(open3d, xyz, rgb, point_size, visible=True)
    if window is None:
        raise MonoDepthError('Open3D cannot open a window here; --screenshot FILE needs none')
    window.run()
    window.destroy_window()


def screenshot(xyz: Points, rgb: Pixels, point_size: float, path: Path) -> None:
    """Write what the window would show, without one.

    In a process of its own, since some versions of Open3D end theirs where they cannot render.

    Raises:
        MonoDepthError: Open3D is missing or cannot be loaded, or cannot render here.
    """
    context = multiprocessing.get_context('spawn')
    reader, writer = context.Pipe(duplex=False)
    child = context.Process(target=_render, args=(writer, xyz, rgb, point_size, path))
    child.start()
    writer.close()
    try:
        complaint: str = reader.recv()
    except EOFError:
        complaint = ''
    child.join()
    if child.exitcode:
        complaint = f'it ended with status {child.exitcode}'
    if complaint.startswith('Open3D'):
        raise MonoDepthError(complaint)
    if complaint or not path.is_file():
        raise MonoDepthError(
            f'Open3D cannot render without a display here: {complaint}. It needs EGL or '
            f'Vulkan (Debian: libegl1, libgl1-mesa-dri, mesa-vulkan-drivers); {_WITHOUT}'
        )


def _render(writer: Connection, xyz: Points, rgb: Pixels, size: float, path: Path) -> None:
    """Render in the child; send what went wrong, '' for nothing."""
    try:
        open3d = _open3d()
        window = _window(open3d, xyz, rgb, size, visible=False)
        picture = _offscreen(open3d, xyz, rgb, size) if window is None else _seen(window)
        if not open3d.io.write_image(str(path), open3d.geometry.Image(picture)):
            raise MonoDepthError(f'cannot write {path}')
        writer.send('')
    except MonoDepthError as error:
        writer.send(str(error))
    except Exception as error:  # RuntimeError and others, by version and driver
        writer.send(repr(error))


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
            f'{remedy}; {_WITHOUT}'
        ) from error
    return open3d


def _cloud(open3d: Any, xyz: Points, rgb: Pixels) -> Any:
    cloud = open3d.geometry.PointCloud()
    cloud.points = open3d.utility.Vector3dVector(xyz.astype(np.float64))
    cloud.colors = open3d.utility.Vector3dVector(rgb / 255.0)
    return cloud


def _window(open3d: Any, xyz: Points, rgb: Pixels, size: float, *, visible: bool) -> Any:
    """Return a window with the points in it, None if there can be none."""
    window = open3d.visualization.Visualizer()
    if not window.create_window(_TITLE, _WIDTH_PX, _HEIGHT_PX, visible=visible):
        return None
    window.add_geometry(_cloud(open3d, xyz, rgb))
    options, view = window.get_render_option(), window.get_view_control()
    if options is None or view is None:
        return None
    options.point_size = size
    options.background_color = np.zeros(3)
    view.set_lookat(np.median(xyz, axis=0).astype(np.float64))
    view.set_front(np.array(_FRONT))
    view.set_up(np.array(_UP))
    view.set_zoom(_ZOOM)
    return window


def _seen(window: Any) -> Pixels:
    """Return what a window shows, (H, W, 3) uint8."""
    for _ in range(_FRAMES):
        window.poll_events()
        window.update_renderer()
    floats = np.asarray(window.capture_screen_float_buffer(do_render=True))
    window.destroy_window()
    return np.ascontiguousarray(np.rint(255 * floats.clip(0, 1)).astype(np.uint8))


def _offscreen(open3d: Any, xyz: Points, rgb: Pixels, size: float) -> Pixels:
    """Return the picture that the renderer without windows makes, (H, W, 3) uint8."""
    rendering = open3d.visualization.rendering
    renderer = rendering.OffscreenRenderer(_WIDTH_PX, _HEIGHT_PX)
    material = rendering.MaterialRecord()
    material.shader = 'defaultUnlit'
    material.point_size = size
    renderer.scene.set_background((0.0, 0.0, 0.0, 1.0))
    renderer.scene.add_geometry('points', _cloud(open3d, xyz, rgb), material)
    target = np.median(xyz, axis=0).astype(np.float32)
    eye = target + np.float32(np.linalg.norm(target)) * np.array(_FRONT, np.float32)
    renderer.setup_camera(60.0, target, eye, np.array(_UP, np.float32))
    return np.ascontiguousarray(np.asarray(renderer.render_to_image()))
