"""Metric depth and coloured clouds from a single camera, for ROS 2 and without it."""

__version__ = '0.1.0'
