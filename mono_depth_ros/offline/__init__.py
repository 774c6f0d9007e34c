"""Depth of files: pictures, videos and bags in; files out. No ROS is needed."""
