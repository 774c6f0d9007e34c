"""What arrives on the topics: images and their camera_info."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ...core.errors import ImageError
from ...core.files.camera_info import check_camera_info as checked_camera_info
from ...core.files.camera_info import no_camera_info
from ...ros.messages import color_decoder
from ..observer import Heard, Observer
from .findings import Finding, Verdict, fault, good, warning

Images = Heard[Image | CompressedImage]


@dataclass(frozen=True, eq=False)
class ImageStream:
    """Images that come, of which what else is published is examined.

    `parameters` are those of their node.
    """

    observer: Observer
    images: Images
    parameters: Mapping[str, Any]

    def listen(
        self, kind: type, topic: str, patience_s: float, tolerance_s: float = 0.0
    ) -> tuple[Heard[Any], str]:
        """Listen until a stamp is that of an image; return also what is wrong with the stamps."""
        heard = self.observer.listen(kind, topic)
        if self.observer.wait(lambda: heard.is_paired_with(self.images, tolerance_s), patience_s):
            return heard, ''
        if heard.newest is None:
            return heard, 'nothing came'
        stamp, image = heard.nearest_ns(self.images)
        return heard, (
            f'no stamp is that of an image; the nearest are {_seconds(stamp)} and '
            f'{_seconds(image)}, {_seconds(abs(stamp - image))} apart'
        )


_FAR_S = 2.0
_FEW_IMAGES = 3
_IMAGES = {f'sensor_msgs/msg/{kind.__name__}': kind for kind in (Image, CompressedImage)}


def check_images(
    observer: Observer, topic: str, patience_s: float
) -> tuple[Images | None, list[Finding]]:
    """Return the images that come, None if none do that can be read, and what is wrong."""
    kind = 'CompressedImage' if topic.endswith('/compressed') else 'Image'
    expected = f'sensor_msgs/msg/{kind}'
    kinds = {endpoint.topic_type for endpoint in observer.publishers(topic)}
    if expected not in kinds:
        return None, [_no_images(observer, topic, expected, kinds)]
    images: Images = observer.listen(_IMAGES[expected], topic)
    waited_s = observer.left_s(patience_s)
    observer.wait(lambda: images.count >= _FEW_IMAGES, waited_s)
    image = images.newest
    if image is None:
        who = ', '.join(observer.publisher_names(topic))
        what = f'{topic} is published by {who}, but none came in {waited_s:.0f} s'
        remedy = (
            'See whether the driver runs and its camera delivers (a bag may be paused). If it '
            'does, large messages get lost: see "Large messages" (docs/large_messages.md), and '
            'firewalls between machines.'
        )
        return None, [fault('image', what, remedy)]
    try:
        height, width = _size(image)
    except ImageError as error:
        what = f'{topic} cannot be read: {error}'
        return None, [fault('image', what, 'Correct the camera driver.')]
    encoding = image.format if isinstance(image, CompressedImage) else image.encoding
    found = [good('image', f'{topic}: {width}x{height} px, {encoding}, {images.rate}')]
    if not image.header.frame_id:
        what = 'images have an empty frame_id'
        remedy = 'Set it in the camera driver; until then mono_depth uses its parameter frame_id.'
        found.append(warning('frame_id', what, remedy))
    return images, [*found, _check_stamps(images, observer.clock)]


def _no_images(observer: Observer, topic: str, expected: str, kinds: set[str]) -> Finding:
    """Return why no images can be heard on a topic, on which there are other types at most."""
    if kinds:
        what = f'{topic} carries {", ".join(sorted(kinds))}, and {expected} is looked for'
        remedy = 'Name another.'
        if 'sensor_msgs/msg/CompressedImage' in kinds:
            remedy = 'Name the topic without /compressed, and set image_transport: compressed.'
        elif 'sensor_msgs/msg/Image' in kinds:
            remedy = 'Set image_transport: raw.'
        return fault('image', what, remedy)
    what = f'nobody publishes {topic}'
    if observer.publishers(f'{topic}/compressed'):
        what += f', but there is {topic}/compressed'
        return fault('image', what, 'Set image_transport: compressed.')
    others = _published_by_others(observer, *_IMAGES)
    remedy = f'Images are on {others}: set image_topic:= to the right one.'
    nowhere = 'Start the camera driver; no image is published in this graph.'
    return fault('image', what, remedy if others else nowhere)


def _size(image: Image | CompressedImage) -> tuple[int, int]:
    """Decode an image and return its (height, width) [px]."""
    height, width = color_decoder().rgb(image).shape[:2]
    return height, width


def _check_stamps(images: Images, clock: str) -> Finding:
    """Return whether stamps are the times at which images were taken, by the named clock."""
    newest, age_s = images.stamps_ns[-1], images.age_ns / 1e9
    if newest == 0:
        remedy = 'The driver must stamp images when they are taken; all is matched by stamp.'
        return fault('stamps', 'images have stamp 0', remedy)
    if len(images.stamps_ns) > 1 and len(set(images.stamps_ns)) == 1:
        what = f'all images have the same stamp, {newest / 1e9:.3f} s'
        return fault('stamps', what, 'The driver must stamp each image when it is taken.')
    if abs(age_s) > _FAR_S:
        span, side = timedelta(seconds=round(abs(age_s))), 'old' if age_s > 0 else 'ahead'
        what = f'the newest image is {span} (h:min:s) {side} by {clock}'
        remedy = (
            'From a bag: ros2 bag play --clock, and use_sim_time:=true for all nodes. From '
            'another machine: synchronize the clocks (chrony). TF and Nav2 drop such data.'
        )
        return warning('stamps', what, remedy)
    return good('stamps', f'images are {1e3 * age_s:.0f} ms old when they come, by {clock}')


def check_camera_info(stream: ImageStream, topic: str, patience_s: float) -> list[Finding]:
    """Return what is wrong with the camera_info of images, by the parameters of their node."""
    subject, observer, fov_deg = 'camera_info', stream.observer, stream.parameters['fov_deg']
    if not observer.publishers(topic):
        what = f'nobody publishes {topic}'
        if fov_deg:
            return [good(subject, f'{what}; fov_deg {fov_deg:g} stands in')]
        others = _published_by_others(observer, 'sensor_msgs/msg/CameraInfo')
        where = f' There is {others}: camera_info_topic:= takes it.' if others else ''
        return [fault(subject, what, _sentence(no_camera_info(topic).remedy) + where)]
    infos, unpaired = stream.listen(CameraInfo, topic, patience_s)
    if infos.newest is None:
        remedy = 'It must come with every image, as image_transport sends it: see the driver.'
        return [fault(subject, f'{topic} is published, but {unpaired}', remedy)]
    found = _judge_camera_info(stream, topic, infos.newest)
    if unpaired:
        remedy = (
            'Publish image and camera_info with the same stamp. mono_depth takes the newest, '
            'but depth_image_proc and others wait for equal ones for ever.'
        )
        found = [it for it in found if it.verdict is not Verdict.GOOD]
        found.append(warning(subject, f'{topic}: {unpaired}', remedy))
    return found


def _judge_camera_info(stream: ImageStream, topic: str, info: CameraInfo) -> list[Finding]:
    """Return its faults; if it has none, what it says."""
    subject, image = 'camera_info', stream.images.newest
    ways = [bool(stream.parameters[name]) for name in ('rectify', 'assume_rectified')]
    size: tuple[int, int] | None = None
    with contextlib.suppress(ImageError):  # one of many compressed images may be broken
        size = (image.height, image.width) if isinstance(image, Image) else _size(image)
    checked = checked_camera_info(info, size, image.header.frame_id, *ways)
    verdicts = {True: Verdict.FAULT, False: Verdict.WARNING}
    found = [
        Finding(verdicts[it.is_fatal], subject, f'{topic}: {it.what}', _sentence(it.remedy))
        for it in checked.faults
    ]
    what = f'{topic}: {info.width}x{info.height} px, fx {info.p[0] or info.k[0]:.1f} px'
    fitted = checked.calibration
    if fitted is not None and (fitted.width, fitted.height) != (info.width, info.height):
        fx = fitted.rectified_camera().fx
        what += f'; scaled to the {fitted.width}x{fitted.height} px of the image: fx {fx:.1f} px'
    return found or [good(subject, what)]


def _seconds(time_ns: int) -> str:
    return f'{time_ns // 10**9}.{time_ns % 10**9:09d} s'  # a float would round


def _published_by_others(observer: Observer, *types: str) -> str:
    topics = sorted(observer.topics_of_type(*types))
    return ', '.join(topic for topic in topics if '/mono_depth/' not in topic)


def _sentence(text: str) -> str:
    return f'{text[:1].upper()}{text[1:]}.'
