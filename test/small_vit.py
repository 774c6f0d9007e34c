"""A Depth Anything that is small enough to be made anew in a test."""

from mono_depth_ros.core.network.depth_anything import Preset

SMALL = Preset('vits', 192, 6, 3, 32, (24, 48, 96, 96), (1, 2, 4, 5), input_size=126, hidden=16)
