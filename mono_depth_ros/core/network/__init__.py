"""The Depth Anything network: DINOv2 encoder, DPT head, presets."""

from .depth_anything import PRESETS, DepthAnything, Preset

__all__ = ['PRESETS', 'DepthAnything', 'Preset']
