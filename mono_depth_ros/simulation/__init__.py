"""A procedural stereo world, ray-cast in torch: scenes, rig, truth. No ROS."""
