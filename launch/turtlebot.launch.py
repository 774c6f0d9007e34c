"""Start `mono_depth` on a robot like a TurtleBot: a USB camera, and a 2D laser for the meters."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from mono_depth_ros.ros.robot_launch import robot_launch


def generate_launch_description() -> LaunchDescription:
    return robot_launch(
        'turtlebot',
        DeclareLaunchArgument(
            'image_topic',
            default_value='image_raw',
            description='image of the USB camera, as usb_cam and v4l2_camera name it',
        ),
        DeclareLaunchArgument(
            'scan_topic',
            default_value='scan',
            description='scan of the laser, in its own frame',
        ),
    )
