"""Correction of metric depth for a focal length that differs from that of the training."""

import math

from ..camera.pinhole import PinholeCamera

TRAINING_FOCAL_PX = {
    'metric_indoor': 886.81 * 518 / 768,
    'metric_outdoor': 725.0087 * 518 / 375,
}
"""Focal length of the training images of each variant, at the network's input [px].

Hypersim: 1024x768 px, 60 degrees across, hence 886.81 px (scenes differ slightly). Virtual
KITTI 2: 1242x375 px, 725.0087 px. Training resized the shorter side to 518 px and cropped
squares (metric_depth/dataset in the authors' repository DepthAnything/Depth-Anything-V2).
"""


def focal_factor(
    camera: PinholeCamera, network_size: tuple[int, int], training_focal_px: float
) -> float:
    """Return the factor on the depth of a metric network: f_network / f_training.

    An object of size S at depth Z covers s = f S / Z pixels. A network trained with one focal
    length predicts Z = f_training S / s; the true depth is f_network S / s (Yin et al., Metric3D,
    2023, equation 2 and their transformation of labels). This assumes that the network infers
    depth from the size of objects, not from perspective.

    Args:
        camera: Camera of the image, at any size.
        network_size: (height, width) of the network's input [px].
        training_focal_px: Focal length of the training images at the network's input [px].
    """
    height, width = network_size
    resized = camera.resized(width, height)
    return math.sqrt(resized.fx * resized.fy) / training_focal_px
