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
embedded weights reach 0.960; random ones at most 0.781, by 174 seeds of tiny and 17 of vits."""
_HORIZON, _FLOOR = 120, 130
TEST_CAMERA = PinholeCamera.from_fov(320, 240, 60.0)
"""That of the test image, for networks that need one."""
_HALF_TOLERANCE = 0.05  # mean relative; half precision that works stays below 0.01


def room_picture() -> torch.Tensor:
    """Return a synthetic image (240, 320, 3) uint8 of a floor and a wall."""
    v, u = torch.meshgrid(torch.arange(240), torch.arange(320), indexing='ij')
    floor = (v > _HORIZON) * (v - _HORIZON)
    rgb = torch.stack((60 + floor, 80 + (u // 16 + v // 16) % 2 * 90, 200 - floor), dim=-1)
    return rgb.to(torch.uint8)


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
