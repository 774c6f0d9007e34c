"""What arrives on the topics: images, their camera_info, what they are aligned to, and depth."""

import contextlib

import numpy as np
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from stereo_msgs.msg import DisparityImage

from ...core.errors import ImageError, MonoDepthError
from ...core.files.camera_info_check import check_camera_info as checked_camera_info
from ...core.files.camera_info_check import no_camera_info
from ...core.files.depth_messages import image_to_depth
from ...core.scale.depth_measurement import explain_out_of_range
from ...core.scale.depth_source import depth_message_measurement
from ...core.scale.disparity_source import disparity_message_measurement
from ...ros.messages import compressed_to_rgb, image_to_rgb
from .findings import Finding, Verdict, fault, good, warning
from .observer import Heard, Observer

Images = Heard[Image | CompressedImage]

_FAR_S = 2.0
_IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_MEASUREMENTS = {'stereo_msgs/msg/DisparityImage': DisparityImage, 'sensor_msgs/msg/Image': Image}


def image_type(topic: str) -> type[Image] | type[CompressedImage]:
    """Return the type that images on a topic should have, as image_transport names topics."""
    return CompressedImage if topic.endswith('/compressed') else Image


def measurement_type(observer: Observer, topic: str) -> type | None:
    """Return the type of the measurements on a topic, None if none are published."""
    kinds = (endpoint.topic_type for endpoint in observer.publishers(topic))
    return next((_MEASUREMENTS[kind] for kind in kinds if kind in _MEASUREMENTS), None)


def check_image_topic(observer: Observer, topic: str) -> Finding | None:
    """Return why no images can be heard on a topic; None if they can."""
    kinds = {endpoint.topic_type for endpoint in observer.publishers(topic)}
    expected = f'sensor_msgs/msg/{image_type(topic).__name__}'
    if expected in kinds:
        return None
    if kinds:
        what = f'{topic} carries {", ".join(sorted(kinds))}, and {expected} is looked for'
        return fault('image', what, _transport_remedy(kinds))
    what = f'nobody publishes {topic}'
    if observer.publishers(f'{topic}/compressed'):
        what += f', but there is {topic}/compressed'
        return fault('image', what, 'Set image_transport: compressed.')
    others = _published_by_others(observer, *_IMAGES)
    if not others:
        remedy = 'Start the camera driver; no image is published in this graph.'
    else:
        remedy = f'Images are on {others}: set image_topic:= to the right one.'
    return fault('image', what, remedy)


def _transport_remedy(kinds: set[str]) -> str:
    if 'sensor_msgs/msg/CompressedImage' in kinds:
        return 'Name the raw topic (without /compressed), and set image_transport: compressed.'
    return 'Set image_transport: raw.' if 'sensor_msgs/msg/Image' in kinds else 'Name another.'


def check_images(
    topic: str, publishers: list[str], images: Images, waited_s: float
) -> list[Finding]:
    """Return what is wrong with the images that came, or that none came."""
    if not images.count:
        return [
            fault(
                'image',
                f'{topic} is published by {", ".join(publishers)}, but none came in '
                f'{waited_s:.0f} s',
                'See whether the driver runs and its camera delivers (a bag may be paused). If '
                'it does, large messages get lost: see "Large messages" in the README, and '
                'firewalls between machines.',
            )
        ]
    image = images.newest[-1]
    try:
        size = _size(image)
    except ImageError as error:
        return [fault('image', f'{topic} cannot be read: {error}', 'Correct the camera driver.')]
    encoding = image.format if isinstance(image, CompressedImage) else image.encoding
    found = [good('image', f'{topic}: {size[1]}x{size[0]} px, {encoding}, {images.rate}')]
    if not image.header.frame_id:
        what = 'images have an empty frame_id'
        remedy = 'Set it in the camera driver; until then mono_depth uses its parameter frame_id.'
        found.append(warning('frame_id', what, remedy))
    return found


def _size(image: Image | CompressedImage) -> tuple[int, int]:
    """Decode an image and return its (height, width) [px]."""
    decode = compressed_to_rgb if isinstance(image, CompressedImage) else image_to_rgb
    height, width = decode(image).shape[:2]
    return height, width


def check_stamps(images: Images, clock: str) -> Finding:
    """Return whether stamps are the times at which images were taken, by the named clock."""
    subject, newest = 'stamps', images.stamps_ns[-1]
    age_s = images.age_ns / 1e9
    if newest == 0:
        remedy = 'The driver must stamp images when they are taken; all is matched by stamp.'
        return fault(subject, 'images have stamp 0', remedy)
    if len(images.stamps_ns) > 1 and len(set(images.stamps_ns)) == 1:
        what = f'all images have the same stamp, {newest / 1e9:.3f} s'
        return fault(subject, what, 'The driver must stamp each image when it is taken.')
    if abs(age_s) > _FAR_S:
        return warning(
            subject,
            f'the newest image is {_span(age_s)} {"old" if age_s > 0 else "ahead"} by {clock}',
            'From a bag: ros2 bag play --clock, and use_sim_time:=true for all nodes. From '
            'another machine: synchronize the clocks (chrony). TF and Nav2 drop such data.',
        )
    return good(subject, f'images are {1e3 * age_s:.0f} ms old when they come, by {clock}')


def _span(seconds: float) -> str:
    size = abs(seconds)
    for unit, length in (('days', 86400), ('h', 3600), ('min', 60)):
        if size >= 2 * length:
            return f'{size / length:.0f} {unit}'
    return f'{size:.1f} s'


def check_camera_info_topic(observer: Observer, topic: str, fov_deg: float) -> Finding | None:
    """Return that nobody publishes the topic; None if somebody does."""
    if observer.publishers(topic):
        return None
    what = f'nobody publishes {topic}'
    if fov_deg:
        return good('camera_info', f'{what}; fov_deg {fov_deg:g} stands in')
    others = _published_by_others(observer, 'sensor_msgs/msg/CameraInfo')
    where = f' There is {others}: camera_info_topic:= takes it.' if others else ''
    return fault('camera_info', what, _sentence(no_camera_info(topic).remedy) + where)


def check_camera_info(
    topic: str, infos: Heard[CameraInfo], images: Images, rectify: bool
) -> list[Finding]:
    """Return what is wrong with the camera_infos of images, of which one came at least."""
    subject = 'camera_info'
    if not infos.count:
        remedy = 'It must come with every image, as image_transport sends it: see the driver.'
        return [fault(subject, f'{topic} is published, but nothing came', remedy)]
    image, info = images.newest[-1], infos.newest[-1]
    size: tuple[int, int] | None = None
    with contextlib.suppress(ImageError):  # one of many compressed images may be broken
        size = (image.height, image.width) if isinstance(image, Image) else _size(image)
    found = [
        Finding(
            subject,
            Verdict.FAULT if it.is_fatal else Verdict.WARNING,
            f'{topic}: {it.what}',
            _sentence(it.remedy),
        )
        for it in checked_camera_info(info, size, image.header.frame_id, rectify).faults
    ]
    if not set(infos.stamps_ns) & set(images.stamps_ns):
        found.append(
            warning(
                subject,
                f'{topic}: no stamp is that of an image; the newest are '
                f'{infos.stamps_ns[-1] / 1e9:.6f} s and {images.stamps_ns[-1] / 1e9:.6f} s',
                'Publish image and camera_info with the same stamp. mono_depth takes the newest, '
                'but depth_image_proc and others wait for equal ones for ever.',
            )
        )
    what = f'{topic}: {info.width}x{info.height} px, fx {info.p[0] or info.k[0]:.1f} px'
    return found or [good(subject, what)]


def check_measurements(
    topic: str,
    heard: Heard[DisparityImage | Image],
    images: Images,
    waited_s: float,
    depth_range: tuple[float, float],
) -> list[Finding]:
    """Return what is wrong with the disparity or registered depth beside the images that came.

    Args:
        topic: Of the measurements.
        heard: What came on it.
        images: What came of the images.
        waited_s: How long was waited for measurements [s].
        depth_range: (min_depth, max_depth) of the node [m].
    """
    subject = 'measurement'
    if not heard.count:
        what = f'{topic} is published, but nothing came in {waited_s:.0f} s'
        remedy = 'See whether the matcher gets both images of the pair, with equal stamps.'
        return [fault(subject, what, remedy)]
    newest, image = heard.newest[-1], images.newest[-1]
    try:
        if isinstance(newest, DisparityImage):
            measurement = disparity_message_measurement(newest, None)
        else:
            measurement = depth_message_measurement(newest, None)
    except MonoDepthError as error:
        return [fault(subject, f'{topic}: {error}', 'Correct what publishes it.')]
    found = []
    useless = explain_out_of_range(measurement, depth_range)
    if useless:
        remedy = 'Correct what publishes it: see "Quality" in docs/alignment.md.'
        near, far = (1 / max(depth_m, 1e-6) for depth_m in depth_range)
        q = measurement.inverse_depth
        judged = warning if bool(((q >= far) & (q <= near)).any()) else fault
        found.append(judged(subject, f'{topic}: {useless}', remedy))
    if not set(heard.stamps_ns) & set(images.stamps_ns):
        what = (
            f'{topic}: no stamp is that of an image; the newest is '
            f'{heard.stamps_ns[-1] / 1e9:.6f} s, that of the images '
            f'{images.stamps_ns[-1] / 1e9:.6f} s'
        )
        remedy = 'It must carry the stamp of the image it belongs to: take both from one camera.'
        found.append(fault(subject, what, remedy))
    frame, image_frame = newest.header.frame_id, image.header.frame_id
    if frame != image_frame:
        what = f'{topic} is in frame {frame!r}, the images in {image_frame!r}'
        remedy = 'Only a measurement of this very view can be used: left camera, same size.'
        found.append(warning(subject, what, remedy))
    measured = int(measurement.inverse_depth.isfinite().sum())
    return found or [good(subject, f'{topic}: {measured} pixels, {heard.rate}')]


def known_share(depth: Image) -> float:
    """Return the share of pixels whose depth is known; 0 for a message that holds no depth."""
    try:
        return float(np.isfinite(image_to_depth(depth)).mean())
    except ImageError:
        return 0.0


def _published_by_others(observer: Observer, *types: str) -> str:
    topics = sorted(observer.topics_of_type(*types))
    return ', '.join(topic for topic in topics if '/mono_depth/' not in topic)


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:]}.'
