"""What a network makes of a synthetic picture of a room, and whether that is depth."""

import math
import warnings
from typing import TYPE_CHECKING

import torch

from ..camera.pinhole import PinholeCamera
from ..errors import CheckpointError
from ..types import PredictionKind
from .prediction import Prediction

if TYPE_CHECKING:
    from .estimator import Estimator

_FLOOR_CORRELATION = 0.85
"""Of nearness with the row, over the floor of the test image, at the network's own input size. The
embedded weights reach 0.960; of 174 random ones of tiny 3 exceed it, with up to 0.904."""
_FLOOR = 132  # its first row that is all floor
TEST_CAMERA = PinholeCamera.from_fov(320, 240, 60.0)
"""That of the test image, for networks that need one."""
_HALF_TOLERANCE = 0.05  # mean relative; half precision that works stays below 0.01


def room_picture() -> torch.Tensor:
    """Return an image (240, 320, 3) uint8 of a tiled floor before a wall with a door.

    As `TEST_CAMERA` sees it from 1.2 m above tiles of 0.4 m, looking down 12 degrees, the wall
    5 m away. Towards the camera the floor becomes red and loses its blue, so that a graph of one
    channel sees nearness, too.
    """
    v, u = torch.meshgrid(torch.arange(240.0), torch.arange(320.0), indexing='ij')
    depth = 277 * 1.2 / (v - 59.5).clamp(min=1)
    wall_foot = 60 + 277 * 1.2 / 5
    tile = ((u - 159.5) / 277 * depth / 0.4).floor() + (depth / 0.4).floor()
    shade = 20 * (tile % 2) - 10
    near = 120 * ((v - wall_foot) / (240 - wall_foot)).clamp(0, 1)
    floor = torch.stack((70 + near, torch.full_like(v, 120), 190 - near), dim=-1)
    wall = torch.tensor([55.0, 120.0, 205.0]).expand(240, 320, 3)
    is_door = ((u > 210) & (u < 262)) | (v > wall_foot - 5)  # and a skirting board
    wall = torch.where(is_door[..., None], 0.7 * wall, wall)
    rgb = torch.where((v > wall_foot)[..., None], floor + shade[..., None], wall)
    return rgb.round().to(torch.uint8)


def self_test_image(estimator: 'Estimator') -> Prediction:
    """Return the prediction for that image; warms up the device."""
    image = room_picture().to(estimator.device)
    camera = TEST_CAMERA if estimator.needs_camera else None
    return estimator.predict([image], (240, 320), [camera])[0]


def half_precision_error(
    result: torch.Tensor, exact: torch.Tensor, precision: torch.dtype, device: torch.device
) -> str:
    """Return how far a prediction (H, W) in that precision is from fp32's, '' if it is near."""
    known = exact.isfinite()
    difference = (result - exact)[known].abs().mean() / exact[known].abs().mean()
    error = float(difference.nan_to_num(torch.inf))
    if error <= _HALF_TOLERANCE:
        return ''
    limit = f'at most {_HALF_TOLERANCE:.0%} is accepted'
    return f'precision {precision} differs from fp32 by {error:.0%} on {device} ({limit})'


def require_trained(prediction: Prediction, path: str) -> None:
    """Judge weights by their prediction for the test image; warn if they seem untrained.

    Raises:
        CheckpointError: It is not finite everywhere, or the same everywhere.
    """
    values = prediction.values
    if not torch.isfinite(values).all():
        raise _no_depth(values, path)
    require_depth(values, path)
    nearness = floor_nearness(values)
    is_depth = prediction.kind is PredictionKind.DEPTH
    warn_of_untrained(-nearness if is_depth else nearness, path)


def require_depth(values: torch.Tensor, path: str) -> None:
    """Raise `CheckpointError` if values (H, W) are nowhere finite, or the same everywhere."""
    known = values[values.isfinite()]
    if len(known) < 2 or float(known.std()) <= 1e-6 * float(known.abs().mean()):
        raise _no_depth(values, path)


def floor_nearness(inverse_depth: torch.Tensor) -> float:
    """Return the correlation of inverse depth (H, W) of the test image with the row, on the floor.

    Pixels that are not finite are left out; 0 if fewer than half of the floor are.
    """
    floor = inverse_depth[_FLOOR:].float()
    rows = torch.arange(len(floor), device=floor.device)[:, None].expand_as(floor)
    known = floor.isfinite()
    if float(known.float().mean()) < 0.5:
        return 0.0
    found = float(torch.corrcoef(torch.stack((floor[known], rows[known].float())))[0, 1])
    return found if math.isfinite(found) else 0.0


def warn_of_untrained(nearness: float, path: str) -> None:
    """Warn of a network for which nearness does not follow the floor of the test image."""
    if nearness < _FLOOR_CORRELATION:
        warnings.warn(
            f'the network of {path} does not see the floor of a test picture come nearer towards '
            f'its lower edge (correlation {nearness:.2f}, trained ones have over '
            f'{_FLOOR_CORRELATION}): are these weights trained?',
            RuntimeWarning,
            stacklevel=2,
        )


def _no_depth(values: torch.Tensor, path: str) -> CheckpointError:
    low, high = float(values.min()), float(values.max())
    return CheckpointError(
        f'the network of {path} gives {low:g} to {high:g} for a picture of a room, which is '
        'no depth: its weights are zero, damaged or of another network',
        'fetch the file again',
    )
