"""What arrives on the topics that images are aligned to."""

from collections.abc import Iterator
from typing import Any

from sensor_msgs.msg import Image, LaserScan, PointCloud2, Range
from stereo_msgs.msg import DisparityImage

from ...core.errors import AlignmentError, MonoDepthError, PointsError
from ...core.files.point_messages import cloud_to_points, scan_to_points
from ...core.outputs.output_settings import OutputSettings
from ...core.scale.depth_source import depth_message_measurement
from ...core.scale.disparity_source import disparity_message_measurement
from ...core.scale.range_explanation import explain_out_of_range
from ...core.scale.range_source import measured_range
from ..observer import Heard
from .findings import Finding, fault, good, warning
from .streams import Images, ImageStream

_MEASUREMENTS = {
    'stereo_msgs/msg/DisparityImage': DisparityImage,
    'sensor_msgs/msg/Image': Image,
    'sensor_msgs/msg/PointCloud2': PointCloud2,
    'sensor_msgs/msg/LaserScan': LaserScan,
    'sensor_msgs/msg/Range': Range,
}


def check_measurements(stream: ImageStream, topic: str, patience_s: float) -> Iterator[Finding]:
    """Yield what is wrong with what measures the depth of the images that came."""
    subject, parameters = 'measurement', stream.parameters
    tolerance_s = parameters['alignment.stamp_tolerance']
    kinds = [endpoint.topic_type for endpoint in stream.observer.publishers(topic)]
    kind = next((_MEASUREMENTS[kind] for kind in kinds if kind in _MEASUREMENTS), None)
    if kind is None:
        what = f'nobody publishes {topic}, which alignment.source asks for'
        remedy = (
            'Start what makes it (stereo.launch.py stereo_image_proc:=true for a pair), remap '
            'disparity, registered_depth, lidar_points, scan or range, or set alignment.source.'
        )
        yield fault(subject, what, remedy)
        return
    waited_s = stream.observer.left_s(patience_s)
    heard, unpaired = stream.listen(kind, topic, waited_s, tolerance_s)
    if heard.newest is None:
        what = f'{topic} is published, but {unpaired} in {waited_s:.0f} s'
        remedy = 'See whether the sensor runs, or the matcher gets both images with equal stamps.'
        yield fault(subject, what, remedy)
        return
    near_m, far_m = OutputSettings().depth_range  # where the node does not answer
    depth_range = parameters['min_depth'] or near_m, parameters['max_depth'] or far_m
    if isinstance(heard.newest, PointCloud2 | LaserScan):
        yield _judge_points(topic, heard)
    elif isinstance(heard.newest, Range):
        yield _judge_range(topic, heard)
    else:
        yield from _judge_maps(topic, heard, stream.images, depth_range)
    if unpaired:
        remedy = (
            'It must carry the stamp of the image it belongs to: take both from one camera; or '
            'raise alignment.stamp_tolerance for a sensor that the camera does not trigger.'
        )
        what = f'{topic}: {unpaired}; alignment.stamp_tolerance is {tolerance_s} s'
        yield fault(subject, what, remedy)


def _judge_points(topic: str, heard: Heard[Any]) -> Finding:
    """Return whether a cloud or a scan holds points; only the node knows where in the image."""
    newest = heard.newest
    try:
        is_scan = isinstance(newest, LaserScan)
        points = scan_to_points(newest)[0] if is_scan else cloud_to_points(newest)
    except PointsError as error:
        return fault('measurement', f'{topic}: {error}', 'Correct what publishes it.')
    if not points.any():
        what = f'{topic}: none of {len(points)} points has an echo'
        return fault('measurement', what, 'See whether something covers the sensor.')
    return good('measurement', f'{topic}: {len(points)} points, {heard.rate}')


def _judge_range(topic: str, heard: Heard[Range]) -> Finding:
    """Return whether a range was measured; that nothing is near is no fault."""
    try:
        range_m = measured_range(heard.newest)
    except PointsError as error:
        return fault('measurement', f'{topic}: {error}', 'Correct what publishes it.')
    except AlignmentError as error:
        remedy = 'Put something in front of the sensor, within its limits, to see it measure.'
        return warning('measurement', f'{topic}: {error}', remedy)
    return good('measurement', f'{topic}: {range_m:.2f} m, {heard.rate}')


def _judge_maps(
    topic: str, heard: Heard[Any], images: Images, depth_range: tuple[float, float]
) -> Iterator[Finding]:
    """Yield what is wrong with disparity or registered depth."""
    subject, newest = 'measurement', heard.newest
    is_disparity = isinstance(newest, DisparityImage)
    measure = disparity_message_measurement if is_disparity else depth_message_measurement
    try:
        measurement = measure(newest, None)
    except MonoDepthError as error:
        yield fault(subject, f'{topic}: {error}', 'Correct what publishes it.')
        return
    useless, q = explain_out_of_range(measurement, depth_range), measurement.inverse_depth
    if useless:
        remedy = 'Correct what publishes it: see "Quality" in docs/alignment.md.'
        near, far = (1 / max(depth_m, 1e-6) for depth_m in depth_range)
        judged = warning if bool(((q >= far) & (q <= near)).any()) else fault
        yield judged(subject, f'{topic}: {useless}', remedy)
    else:
        yield good(subject, f'{topic}: {int(q.isfinite().sum())} pixels, {heard.rate}')
    frame, image_frame = newest.header.frame_id, images.newest.header.frame_id
    if frame != image_frame:
        what = f'{topic} is in frame {frame!r}, the images in {image_frame!r}'
        remedy = 'Only a measurement of this very view can be used: left camera, same size.'
        yield warning(subject, what, remedy)
