"""The image: published where it is looked for, arriving, readable, stamped."""

from sensor_msgs.msg import CompressedImage, Image

from ...core.errors import ImageError
from ...ros.image_messages import compressed_to_rgb, image_to_rgb
from .finding import Finding, fault, good, warning
from .observer import Heard, Observer

SUBJECT = 'image'
_FAR_S = 2.0
_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')


def image_type(topic: str) -> type[Image] | type[CompressedImage]:
    """Return the type that images on a topic should have, as image_transport names topics."""
    return CompressedImage if topic.endswith('/compressed') else Image


def judge_presence(observer: Observer, topic: str) -> Finding | None:
    """Return why no images can be heard on a topic; None if they can."""
    wanted = image_type(topic)
    kinds = {endpoint.topic_type for endpoint in observer.publishers(topic)}
    expected = f'sensor_msgs/msg/{wanted.__name__}'
    if expected in kinds:
        return None
    if kinds:
        return fault(
            SUBJECT,
            f'{topic} carries {", ".join(sorted(kinds))}, and {expected} is looked for',
            _transport_remedy(kinds),
        )
    compressed = f'{topic}/compressed'
    if observer.publishers(compressed):
        return fault(
            SUBJECT,
            f'nobody publishes {topic}, but there is {compressed}',
            'Set image_transport: compressed.',
        )
    others = [t for t in sorted(observer.topics_of_type(*_TYPES)) if '/mono_depth/' not in t]
    remedy = 'Start the camera driver; no image is published in this graph.'
    if others:
        remedy = f'Images are on {", ".join(others)}: set image_topic:= to the right one.'
    return fault(SUBJECT, f'nobody publishes {topic}', remedy)


def judge_images(
    topic: str, publishers: list[str], heard: Heard[Image | CompressedImage], waited_s: float
) -> list[Finding]:
    """Return what is wrong with the images that came, or with none having come."""
    if not heard.count:
        return [
            fault(
                SUBJECT,
                f'{topic} is published by {", ".join(publishers)}, but none came in '
                f'{waited_s:.0f} s',
                'See whether the driver runs and its camera delivers (a bag may be paused). If '
                'it does, large messages get lost: see "Large messages" in the README, and '
                'firewalls between machines.',
            )
        ]
    newest = heard.newest[-1]
    try:
        if isinstance(newest, CompressedImage):
            rgb = compressed_to_rgb(newest)
        else:
            rgb = image_to_rgb(newest)
    except ImageError as error:
        return [fault(SUBJECT, f'{topic} cannot be read: {error}', 'Correct the camera driver.')]
    encoding = newest.format if isinstance(newest, CompressedImage) else newest.encoding
    height, width = rgb.shape[:2]
    what = f'{topic}: {width}x{height} px, {encoding}, {heard.rate}'
    return [good(SUBJECT, what), *_judge_frame_id(newest.header.frame_id)]


def judge_stamps(heard: Heard[Image | CompressedImage], clock: str) -> Finding:
    """Return whether images are stamped as their moments; `clock` is whose time that is."""
    subject, newest = 'stamps', heard.stamps_ns[-1]
    age_s = heard.age_ns / 1e9
    if newest == 0:
        return fault(
            subject,
            'images have stamp 0',
            'The driver must stamp images when they are taken; everything is matched by stamp.',
        )
    if len(heard.stamps_ns) > 1 and len(set(heard.stamps_ns)) == 1:
        return fault(
            subject,
            f'all images have the same stamp, {newest / 1e9:.3f} s',
            'The driver must stamp each image when it is taken.',
        )
    if abs(age_s) > _FAR_S:
        return warning(
            subject,
            f'the newest image is {_span(age_s)} {"old" if age_s > 0 else "ahead"} by {clock}',
            'From a bag: ros2 bag play --clock, and use_sim_time:=true for all nodes. From '
            'another machine: synchronize the clocks (chrony). TF and Nav2 drop such data.',
        )
    return good(subject, f'images are {1e3 * age_s:.0f} ms old when they come, by {clock}')


def _judge_frame_id(frame_id: str) -> list[Finding]:
    if frame_id:
        return []
    return [
        warning(
            'frame_id',
            'images have an empty frame_id',
            'Set it in the camera driver; until then mono_depth uses its parameter frame_id.',
        )
    ]


def _transport_remedy(kinds: set[str]) -> str:
    if 'sensor_msgs/msg/CompressedImage' in kinds:
        return 'Name the raw topic (without /compressed), and set image_transport: compressed.'
    return 'Set image_transport: raw.' if 'sensor_msgs/msg/Image' in kinds else 'Name another.'


def _span(seconds: float) -> str:
    size = abs(seconds)
    for unit, length in (('days', 86400), ('h', 3600), ('min', 60)):
        if size >= 2 * length:
            return f'{size / length:.0f} {unit}'
    return f'{size:.1f} s'
