"""The networks that are built in, by encoder."""

from .compact_depth import CompactDepth
from .depth_anything import PRESETS, DepthAnything
from .zipdepth import ZipDepth

Network = DepthAnything | ZipDepth | CompactDepth


def build_network(
    encoder: str, variant: str = 'relative', max_depth: float | None = None
) -> Network:
    """Return the network of an encoder, without its weights; see `DepthAnything` for the rest."""
    if encoder == 'zipdepth':
        return ZipDepth()
    if encoder == 'tiny':
        return CompactDepth(is_metric=variant != 'relative')
    return DepthAnything(PRESETS[encoder], v1=variant == 'relative_v1', max_depth=max_depth)
