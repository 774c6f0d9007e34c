"""The ROS 2 binding of `core`: nodes, parameters, conversions; no numerics."""
