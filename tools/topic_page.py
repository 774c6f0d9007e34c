"""docs/reference/topics.md: what the node listens to, publishes and serves. Needs rclpy."""

from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.ros.output_publishers import INFO_TOPICS, TOPICS

from .markdown_tables import NOTE, code, table

_HEAD = f"""\
# Topics and services

{NOTE}

Of the node `mono_depth`. Names are relative to its namespace, `~/` stands for `/mono_depth/`.
`policies/mono_depth.policy.xml` lists the same for SROS 2.
"""
_INPUTS = """\
## Inputs
Best effort, the newest message counts. The topic of the image decides its companions:
`camera_info` and `compressed` beside it, unless they are remapped themselves.
"""
_OUTPUTS = """\
## Outputs
Reliable, and computed only while somebody listens, each alone. The header is that of the image,
verbatim. Where there is no live scale, depth is NaN everywhere and no cloud is published:
[unknown_depth.md](../unknown_depth.md).
"""
_SERVICES = """\
## Services
"""
_IMAGES = (
    ('image_raw', 'sensor_msgs/msg/Image', 'the image, of any usual encoding'),
    (
        'image_raw/compressed',
        'sensor_msgs/msg/CompressedImage',
        'the image with `image_transport: compressed`: JPEG or PNG',
    ),
    (
        'camera_info',
        'sensor_msgs/msg/CameraInfo',
        'its calibration; without one there is depth, and no cloud unless `fov_deg` is set',
    ),
)
_TILT = (
    ('imu', 'sensor_msgs/msg/Imu', 'gravity, with `alignment.camera_pitch_from: imu`'),
    ('/tf', 'tf2_msgs/msg/TFMessage', 'where sensors stand and how the robot moves'),
    ('/tf_static', 'tf2_msgs/msg/TFMessage', 'the same'),
    ('/clock', 'rosgraph_msgs/msg/Clock', 'with `use_sim_time`'),
)
_MEANINGS = {
    '~/depth/image_rect': 'depth along the optical axis [m], NaN = not known; `depth_encoding: '
    '16UC1` for millimeters',
    '~/depth/image_rect/compressedDepth': 'the same as 16-bit PNG, as the plugin of '
    'image_transport reads it: 1.2 MB of depth become about 140 kB',
    '~/depth/uncertainty': '32FC1, one standard deviation of depth [m]',
    '~/depth/colormap': 'bgr8, depth in colors of a fixed range, `colormap.near` to '
    '`colormap.far`',
    '~/depth/colormap/compressed': 'the same as JPEG',
    '~/color/image_rect': 'rgb8, the colors of the same pixels',
    '~/relative_inverse_depth': '32FC1, what a relative network says: larger is nearer, no unit',
    '~/points': 'xyz and rgb, in the optical frame of the camera',
    '~/points_clearing': 'xyz, the ends of rays known to be free, for a source that only clears; '
    'about 0.1 MB',
    '~/points_ground': 'as `~/points`: the floor and ramps',
    '~/points_nonground': 'as `~/points`: what stands on the ground or hangs above it',
}
_REPORTS = (
    (
        '~/alignment',
        'diagnostic_msgs/msg/DiagnosticArray',
        'each fit: scale, shift, their covariance, inlier ratio, residual, points, age, or why '
        'it was refused',
    ),
    (
        '/diagnostics',
        'diagnostic_msgs/msg/DiagnosticArray',
        'rates, latency, what is wrong and what to set',
    ),
    (
        '/tf_static',
        'tf2_msgs/msg/TFMessage',
        'with `publish_tf`: from `base_frame` to the frame of the images',
    ),
)
_SERVED = (
    (
        '~/snapshot',
        'std_srvs/srv/Trigger',
        'writes depth (npy, 16-bit PNG), colors and cloud (PLY) of the latest frame into '
        '`snapshot_folder`',
    ),
    ('~/reset_alignment', 'std_srvs/srv/Trigger', 'forgets every fit'),
)


def topic_markdown() -> str:
    """Return the page.

    Raises:
        KeyError: An output has no meaning here; add it.
    """
    return '\n'.join(
        (
            *(_HEAD, _INPUTS, _rows('topic', inputs())),
            *(_OUTPUTS, _rows('topic', outputs())),
            *(_SERVICES, _rows('service', _SERVED)),
        )
    )


def inputs() -> list[tuple[str, str, str]]:
    """Return (name, type, meaning) of all that the node may listen to."""
    measured = [
        (source.topic, source.message_type, f'with `alignment.source: {name}`')
        for name, source in SOURCES.items()
        if source.topic
    ]
    return [*_IMAGES, *measured, *_TILT]


def outputs() -> list[tuple[str, str, str]]:
    """Return (name, type, meaning) of all that the node may publish about its images."""
    made = [
        (topic + transport, f'{_package(kind)}/msg/{kind.__name__}', _MEANINGS[topic + transport])
        for _, topic, transport, kind, _ in TOPICS
    ]
    infos = [
        (topic, 'sensor_msgs/msg/CameraInfo', 'calibration of the image beside it')
        for topic in INFO_TOPICS
    ]
    return [*sorted(made), *infos, *_REPORTS]


def _package(kind: type) -> str:
    return kind.__module__.partition('.')[0]


def _rows(head: str, rows: list[tuple[str, str, str]] | tuple[tuple[str, str, str], ...]) -> str:
    shown = [(code(name), code(kind.replace('/msg/', '/')), says) for name, kind, says in rows]
    return table((head, 'type', ''), [(n, k.replace('/srv/', '/'), says) for n, k, says in shown])
