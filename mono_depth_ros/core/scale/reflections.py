"""Where what was measured lies far behind what the network sees: through glass, in a mirror."""

import cv2
import numpy as np

from .correction_field import Residuals
from .diffusion import Floats

_FARTHER = 4.0  # standard deviations of the network from which it is a contradiction
_LEAST_FARTHER = 0.4  # of ln depth: half as far again
_MOST = 0.6  # share of what is measured around that lies there; outliers are fewer
_LEAST_CELLS = 3  # along each side of a region; smaller ones are edges that the network smears


def behind_the_network(residuals: Residuals) -> Floats:
    """Return (h, w) of the grid: by how much ln depth is in doubt, 0 where it is not.

    A window, a mirror or a wet floor has light come from farther than its surface, never from
    nearer. So a whole region that is measured far behind what the network sees may be the one or
    the other, and the doubt is the distance between the two. What is measured nearer than the
    network says is a thing that the network misses, and is no doubt.
    """
    farther = -residuals.log_ratio
    limit = max(_FARTHER * residuals.network_spread, _LEAST_FARTHER)
    is_behind = (farther > limit).astype(np.float32)
    share = residuals.around(np.ones_like(is_behind), is_behind)
    window = np.ones((_LEAST_CELLS, _LEAST_CELLS), np.uint8)
    region = cv2.morphologyEx((share > _MOST).astype(np.uint8), cv2.MORPH_OPEN, window)
    doubt: Floats = np.where(region > 0, residuals.around(is_behind, farther), np.float32(0))
    return doubt
