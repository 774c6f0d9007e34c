"""The Depth Anything network: DINOv2 encoder, DPT head, presets."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .depth_anything import PRESETS, DepthAnything, Preset

__all__ = ['PRESETS', 'DepthAnything', 'Preset']


def __getattr__(name: str) -> Any:
    # The settings and the table of checkpoints do without torch, which takes seconds to import.
    if name not in __all__:
        raise AttributeError(f'module {__name__} has no attribute {name}')
    from . import depth_anything

    return getattr(depth_anything, name)
