"""The library: torch, numpy and OpenCV; it never imports rclpy or a message package."""
