"""Cameras: calibration, rectification, mask, and the image as the network sees it."""
