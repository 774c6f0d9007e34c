"""Points of files: clouds as PLY, and depth maps seen by a camera."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from plyfile import PlyData, PlyParseError

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import ImageError
from ..core.files.depth_files import Map
from ..core.files.encodings import Pixels
from ..core.files.message_writers import unpack_color
from ..core.outputs.cloud import CloudSettings, pack_cloud
from ..core.outputs.colormap import Colormap, ColormapSettings

Points = npt.NDArray[np.float32]

_AXES = ('x', 'y', 'z')
_CHANNELS = ('red', 'green', 'blue')
_GRAY = 200


def read_points(path: Path) -> tuple[Points, Pixels]:
    """Return (N, 3) float32 [m] and (N, 3) uint8 RGB, gray where the file has no colors.

    Raises:
        ImageError: The file cannot be read, is no PLY, or has no points.
    """
    try:
        content = PlyData.read(str(path))
        vertices = content['vertex']
        xyz = np.stack([np.asarray(vertices[axis], np.float32) for axis in _AXES], axis=1)
    except OSError as error:
        raise ImageError(f'{path} cannot be read: {error.strerror}') from error
    except (PlyParseError, KeyError, ValueError, UnicodeDecodeError) as error:
        raise ImageError(f'{path} is damaged or no PLY with x, y, z: {error}') from error
    known = np.isfinite(xyz).all(axis=1)
    if not known.any():
        raise ImageError(f'{path} has no points')
    names = [item.name for item in vertices.properties]
    if not set(_CHANNELS) <= set(names):
        return xyz[known], np.full((int(known.sum()), 3), _GRAY, np.uint8)
    rgb = np.stack([np.asarray(vertices[channel]) for channel in _CHANNELS], axis=1)
    if rgb.dtype.kind == 'f':
        rgb = np.rint(255 * rgb.clip(0, 1))
    return xyz[known], rgb[known].astype(np.uint8)


def points_of_depth(
    depth: Map, camera: PinholeCamera, rgb: Pixels | None, colors: ColormapSettings
) -> tuple[Points, Pixels]:
    """Return (N, 3) float32 [m] and (N, 3) uint8 RGB of the known pixels of a depth map.

    Args:
        depth: (H, W) float32 [m]; not positive = unknown.
        camera: Of the depth map, at its size.
        rgb: (H, W, 3) uint8 of the same view; None for colors of depth.
        colors: Color map of depth.

    Raises:
        ImageError: No depth is known.
    """
    known = torch.from_numpy(np.where(depth > 0, depth, np.nan).astype(np.float32))
    if not bool(known.isfinite().any()):
        raise ImageError('no depth is known in the map: all is NaN or not positive')
    if rgb is None:
        painted = Colormap(known.device).paint_depth(known, colors)
        rgb = np.ascontiguousarray(painted.numpy()[..., ::-1])
    packed = pack_cloud(known, camera.rays(), torch.from_numpy(rgb), CloudSettings()).numpy()
    return packed[:, :3], unpack_color(packed[:, 3])
