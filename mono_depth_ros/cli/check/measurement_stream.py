"""What an alignment is fitted to: disparity or registered depth of the same images."""

from sensor_msgs.msg import CompressedImage, Image
from stereo_msgs.msg import DisparityImage

from ...core.errors import MonoDepthError
from ...core.scale.depth_source import depth_message_measurement
from ...core.scale.disparity_source import disparity_message_measurement
from .finding import Finding, fault, good, warning
from .observer import Heard, Observer

SUBJECT = 'measurement'
_TYPES = {'stereo_msgs/msg/DisparityImage': DisparityImage, 'sensor_msgs/msg/Image': Image}


def measurement_type(observer: Observer, topic: str) -> type | None:
    """Return the type that is published on a topic, None if none that can be measured with is."""
    kinds = (endpoint.topic_type for endpoint in observer.publishers(topic))
    return next((_TYPES[kind] for kind in kinds if kind in _TYPES), None)


def no_measurement(topic: str) -> Finding:
    """Return that nobody publishes what the alignment waits for."""
    return fault(
        SUBJECT,
        f'nobody publishes {topic}, which alignment.source asks for',
        'Start what makes it (stereo.launch.py stereo_image_proc:=true for a pair), remap '
        'disparity or registered_depth, or set alignment.source.',
    )


def judge_measurements(
    topic: str,
    heard: Heard[DisparityImage | Image],
    images: Heard[Image | CompressedImage],
    waited_s: float,
) -> list[Finding]:
    """Return what is wrong with the measurements beside the images that came."""
    if not heard.count:
        return [
            fault(
                SUBJECT,
                f'{topic} is published, but nothing came in {waited_s:.0f} s',
                'See whether the matcher gets both images of the pair, with equal stamps.',
            )
        ]
    newest, image = heard.newest[-1], images.newest[-1]
    try:
        is_disparity = isinstance(newest, DisparityImage)
        measure = disparity_message_measurement if is_disparity else depth_message_measurement
        observation = measure(newest, None)
    except MonoDepthError as error:
        return [fault(SUBJECT, f'{topic}: {error}', 'Correct what publishes it.')]
    measured = int(observation.inverse_depth.isfinite().sum())
    found = []
    if not measured:
        found.append(
            fault(
                SUBJECT,
                f'{topic}: no pixel is measured',
                'See the matcher: wrong order of the cameras, no texture, or a bad calibration.',
            )
        )
    if not set(heard.stamps_ns) & set(images.stamps_ns):
        found.append(
            fault(
                SUBJECT,
                f'{topic}: no stamp is that of an image; the newest is '
                f'{heard.stamps_ns[-1] / 1e9:.6f} s, that of the images '
                f'{images.stamps_ns[-1] / 1e9:.6f} s',
                'It must carry the stamp of the image it belongs to: take both from one camera.',
            )
        )
    if newest.header.frame_id != image.header.frame_id:
        found.append(
            warning(
                SUBJECT,
                f'{topic} is in frame {newest.header.frame_id!r}, the images in '
                f'{image.header.frame_id!r}',
                'Only disparity of this very view can be aligned to: left camera, same size.',
            )
        )
    return found or [good(SUBJECT, f'{topic}: {measured} pixels, {heard.rate}')]
