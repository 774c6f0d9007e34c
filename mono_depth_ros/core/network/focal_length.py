"""What another focal length than that of the training does to a metric network's depth."""

import math

from ..camera.pinhole import PinholeCamera

TRAINING_FOCAL_PX = {
    'metric_indoor': 886.81 * 518 / 768,
    'metric_outdoor': 725.0087 * 518 / 375,
}
"""Focal length of the pictures that each variant was trained on, at the network's input [px].

Hypersim: 1024x768 px, 60 degrees across, hence 886.81 px (scenes differ slightly). Virtual
KITTI 2: 1242x375 px, 725.0087 px. Training brought the shorter side to 518 px and cut squares
out of that (metric_depth/dataset in the authors' repository DepthAnything/Depth-Anything-V2).
"""


def focal_factor(
    camera: PinholeCamera, network_size: tuple[int, int], training_focal_px: float
) -> float:
    """Return what to multiply the depth of a metric network by: f_network / f_training.

    An object of size S at depth Z covers s = f S / Z pixels. A network that has seen one focal
    length takes s for Z = f_training S / s; truly it is f_network S / s (Yin et al., Metric3D,
    2023, equation 2 and their transformation of labels). It holds as far as the network goes by
    the size of things, not by perspective.

    Args:
        camera: Of the image, at any size.
        network_size: (height, width) at which the network sees it [px].
        training_focal_px: Focal length of the training pictures at the network's input [px].
    """
    height, width = network_size
    seen = camera.resized(width, height)
    return math.sqrt(seen.fx * seen.fy) / training_focal_px
