"""Start `mono_depth` on an outdoor robot: a camera, and a LiDAR above it for the meters."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument

from mono_depth_ros.ros.robot_launch import robot_launch


def generate_launch_description() -> LaunchDescription:
    return robot_launch(
        'outdoor_lidar',
        DeclareLaunchArgument(
            'image_topic',
            default_value='camera/image_raw',
            description='image of the camera; camera_info lies beside it',
        ),
        DeclareLaunchArgument(
            'lidar_points_topic',
            default_value='points',
            description='cloud of the LiDAR, in its own frame',
        ),
        DeclareLaunchArgument(
            'lidar_beams',
            default_value='16',
            description='beams of the simulated LiDAR, such as 16 or 64, for simulated:=true',
        ),
    )
