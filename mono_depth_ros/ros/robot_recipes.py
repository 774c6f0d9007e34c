"""What `simulated:=true` of a robot's launch file starts, by the name of launch file and YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CAMERA_FRAME = 'camera_left_optical_frame'


@dataclass(frozen=True)
class RobotRecipe:
    """A robot of the simulated world that stands for a real one.

    Attributes:
        camera: Parameters of the node `simulated_stereo_camera`.
        arguments: Of `mono.launch.py`, instead of what a user measures on the robot.
        sensor: Topic of the simulated sensor that gives the scale.
        topic_argument: Launch argument that names the topic of a real one.
        source_with_floor: `alignment_source` where the height of the camera is known, '' for the
            one of the YAML file.
    """

    camera: Mapping[str, int | str]
    sensor: str
    topic_argument: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    source_with_floor: str = ''


# The embedded network needs no download.
_EMBEDDED = {'encoder': 'tiny', 'variant': 'auto'}

RECIPES = {
    'turtlebot': RobotRecipe(
        {'robot': 'turtlebot', 'seed': 13},
        'scan',
        'scan_topic',
        {**_EMBEDDED, 'camera_height': '0.612', 'camera_pitch': '0.14'},
        'scan,ground',
    ),
    'outdoor_lidar': RobotRecipe(
        {'robot': 'outdoor_lidar', 'seed': 16}, 'lidar_points', 'lidar_points_topic', _EMBEDDED
    ),
    'drone': RobotRecipe(
        {'robot': 'drone', 'seed': 16}, 'landmarks', 'lidar_points_topic', _EMBEDDED
    ),
}
"""The seeds are of drives with the camera low, 0.61 and 0.67 m above the floor."""
