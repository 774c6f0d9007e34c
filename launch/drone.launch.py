"""Start `mono_depth` on a drone: a camera, and landmarks of its odometry for the meters."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration

from mono_depth_ros.ros.robot_launch import robot_launch


def generate_launch_description() -> LaunchDescription:
    return robot_launch(
        'drone',
        DeclareLaunchArgument(
            'image_topic',
            default_value='camera/image_raw',
            description='image of the camera; camera_info lies beside it',
        ),
        DeclareLaunchArgument(
            'landmarks_topic',
            default_value='landmarks',
            description='landmarks of visual-inertial odometry, a PointCloud2 in a frame that TF '
            'connects to the camera',
        ),
        DeclareLaunchArgument(
            'lidar_points_topic',
            default_value=LaunchConfiguration('landmarks_topic'),
            description='the same, by its name in mono.launch.py',
        ),
    )
