"""What ROS messages say, by their fields alone: rclpy's classes and those of rosbags alike."""
