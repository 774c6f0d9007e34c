"""The camera_info: there, arriving, of this image, with its stamps."""

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ...core.errors import ImageError
from ...core.files.camera_info_check import check_camera_info, no_camera_info
from ...ros.image_messages import compressed_to_rgb
from .finding import Finding, Verdict, fault, good, warning
from .observer import Heard, Observer

SUBJECT = 'camera_info'


def judge_info_presence(observer: Observer, topic: str, fov_deg: float) -> Finding | None:
    """Return that nobody publishes the topic; None if somebody does."""
    if observer.publishers(topic):
        return None
    missing = no_camera_info(topic)
    others = observer.topics_of_type('sensor_msgs/msg/CameraInfo')
    others = sorted(t for t in others if '/mono_depth/' not in t)
    where = f' There is {", ".join(others)}: camera_info_topic:= takes it.' if others else ''
    if fov_deg:
        return good(SUBJECT, f'nobody publishes {topic}; fov_deg {fov_deg:g} stands in')
    return fault(SUBJECT, f'nobody publishes {topic}', _sentence(missing.remedy) + where)


def judge_camera_info(
    topic: str,
    infos: Heard[CameraInfo],
    images: Heard[Image | CompressedImage],
    rectify: bool,
) -> list[Finding]:
    """Return what is wrong with the camera_infos beside the images that came.

    Args:
        topic: Where they were looked for; somebody publishes it.
        infos: What came there.
        images: What came of the images, one at least.
        rectify: Whether the node undistorts.
    """
    if not infos.count:
        return [
            fault(
                SUBJECT,
                f'{topic} is published, but nothing came',
                'It must come with every image, as image_transport sends it: see the driver.',
            )
        ]
    image, info = images.newest[-1], infos.newest[-1]
    found = [
        Finding(
            SUBJECT,
            Verdict.FAULT if it.is_fatal else Verdict.WARNING,
            f'{topic}: {it.what}',
            _sentence(it.remedy),
        )
        for it in check_camera_info(info, _size(image), image.header.frame_id, rectify).faults
    ]
    if not set(infos.stamps_ns) & set(images.stamps_ns):
        found.append(
            warning(
                SUBJECT,
                f'{topic}: no stamp is that of an image; the newest are '
                f'{infos.stamps_ns[-1] / 1e9:.6f} s and {images.stamps_ns[-1] / 1e9:.6f} s',
                'Publish image and camera_info with the same stamp. mono_depth takes the newest, '
                'but depth_image_proc and others wait for equal ones for ever.',
            )
        )
    what = f'{topic}: {info.width}x{info.height} px, fx {info.p[0] or info.k[0]:.1f} px'
    return found or [good(SUBJECT, what)]


def _size(image: Image | CompressedImage) -> tuple[int, int] | None:
    """Return (height, width) [px], None if it cannot be decoded, which one now and then cannot."""
    if isinstance(image, Image):
        return image.height, image.width
    try:
        height, width = compressed_to_rgb(image).shape[:2]
    except ImageError:
        return None
    return height, width


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:]}.'
