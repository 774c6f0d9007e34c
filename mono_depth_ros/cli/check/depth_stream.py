"""What comes out: depth, and how much of it is known."""

import numpy as np
from sensor_msgs.msg import Image

from ...core.errors import ImageError
from ...core.files.depth_messages import image_to_depth
from .finding import Finding, fault, good
from .observer import Heard
from .running import RunningNode

SUBJECT = 'depth'
_UNKNOWN = 'depth is not known: '


def known_share(msg: Image) -> float:
    """Return the share of pixels whose depth is known; 0 for what holds no depth."""
    try:
        return float(np.isfinite(image_to_depth(msg)).mean())
    except ImageError:
        return 0.0


def judge_depth(topic: str, heard: Heard[Image], node: RunningNode, waited_s: float) -> Finding:
    """Return whether depth comes and says something.

    Args:
        topic: Where it was listened for.
        heard: What came.
        node: What publishes it, active and with images.
        waited_s: How long was waited [s].
    """
    status = node.parts.get('')
    said = status.message if status is not None else ''
    if not heard.count and node.lost:
        return fault(
            SUBJECT,
            f'nothing comes on {topic}: {node.name} loses frames',
            f'It says: {node.lost}.',
        )
    if not heard.count:
        return fault(
            SUBJECT,
            f'nothing came on {topic} in {waited_s:.0f} s, though images come in',
            f'The node says: {said}. A large network on a CPU takes seconds for a frame; try '
            'encoder: tiny, or see the log.',
        )
    try:
        depth = image_to_depth(heard.newest[-1])
    except ImageError as error:
        return fault(SUBJECT, f'{topic}: {error}', f'Is it {node.name} that publishes there?')
    known = depth[np.isfinite(depth)]
    if not known.size:
        reason = said.removeprefix(_UNKNOWN) if said.startswith(_UNKNOWN) else ''
        return fault(
            SUBJECT,
            f'{topic}: no pixel of {depth.size} is known',
            f'The node says: {reason}.'
            if reason
            else 'See min_depth, max_depth, mask and edge_filter: they leave nothing.',
        )
    return good(
        SUBJECT,
        f'{topic}: {known.size / depth.size:.0%} known, {known.min():.2f} to {known.max():.2f} m, '
        f'median {np.median(known):.2f} m',
    )
