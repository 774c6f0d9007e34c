"""The factor between the meters of a network's training and those of another focal length."""

import math

from ..camera.pinhole import PinholeCamera


def focal_factor(
    camera: PinholeCamera, network_size: tuple[int, int], training_focal_px: float
) -> float:
    """Return the factor on the depth of a metric network: f_network / f_training.

    An object of size S at depth Z covers s = f S / Z pixels. A network trained with one focal
    length predicts Z = f_training S / s; the true depth is f_network S / s (Yin et al., Metric3D,
    2023, equation 2 and their transformation of labels). This assumes that the network infers
    depth from the size of objects, not from perspective. The camera of the image, at any size, is
    resized to the (height, width) of the network's input [px], where both focal lengths hold.
    """
    height, width = network_size
    resized = camera.resized(width, height)
    return math.sqrt(resized.fx * resized.fy) / training_focal_px
