"""All checks of one camera and the node on it, in the order in which data flow."""

from dataclasses import dataclass

from sensor_msgs.msg import CameraInfo, Image

from ...core.errors import MonoDepthError
from .findings import Finding, fault, good
from .graph import check_discovery, check_transforms, listen_to_transforms
from .observer import Heard, Observer
from .running_node import (
    RunningNode,
    check_alignment,
    check_clock,
    check_depth,
    check_node,
    look_at_node,
    no_node,
)
from .streams import (
    Images,
    check_camera_info,
    check_camera_info_topic,
    check_image_topic,
    check_images,
    check_measurements,
    check_stamps,
    image_type,
    known_share,
    measurement_type,
)

NODE = 'mono_depth'
_OF_ROS = ('/rosout', '/parameter_events', '/diagnostics', '/clock')
_FEW_IMAGES = 3


@dataclass(frozen=True)
class Request:
    """Full names of what the user wants checked; '' = to be found.

    Attributes:
        fixed_frame: Frame that TF must connect the images' frame to; '' = any.
    """

    node: str = ''
    image: str = ''
    camera_info: str = ''
    fixed_frame: str = ''


@dataclass(frozen=True)
class Patience:
    """How long to wait [s].

    Attributes:
        discovery_s: For nodes and publishers to be seen; Fast DDS repeats itself every 3 s.
        settling_s: For names of nodes, which come a little after their topics.
        answer_s: For services and reports.
        stream_s: For images and what comes with them.
        depth_s: For depth, which a large network on a CPU takes long for.
    """

    discovery_s: float = 7.0
    settling_s: float = 1.0
    answer_s: float = 3.0
    stream_s: float = 10.0
    depth_s: float = 25.0


class Examination:
    """Checks one camera and the node on it."""

    def __init__(self, observer: Observer, request: Request, patience: Patience) -> None:
        self._observer = observer
        self._request = request
        self._patience = patience
        self._findings: list[Finding] = []

    def run(self) -> list[Finding]:
        """Return the findings, in the order in which data flow.

        Raises:
            MonoDepthError: Several nodes could be meant.
        """
        patience_s = self._patience.discovery_s
        if self._request.image:
            self._observer.wait(lambda: self._observer.publishers(self._request.image), patience_s)
            patience_s = self._patience.settling_s
        self._observer.wait(lambda: self._candidates(self._observer.nodes()), patience_s)
        seen = self._observer.nodes()
        if seen:
            node = self._check_node(seen)
            images = self._check_images(node)
            if node is not None and node.state == 'active' and images is not None:
                self._check_results(node, images)
        # At the end, by when all of them are seen.
        return [check_discovery(self._observer.nodes()), *self._findings]

    def _candidates(self, seen: list[str]) -> list[str]:
        if self._request.node:
            return [name for name in seen if name == self._request.node]
        return [name for name in seen if name.endswith(f'/{NODE}')]

    def _check_node(self, seen: list[str]) -> RunningNode | None:
        found = self._candidates(seen)
        if len(found) > 1:
            raise MonoDepthError(f'{", ".join(found)} run; name one of them with --node')
        clock = self._observer.follow_clock(self._patience.answer_s)
        if not found:
            self._findings.append(no_node(self._request.node or NODE, self._request.image))
            return None
        node = look_at_node(self._observer, found[0], self._patience.answer_s)
        self._findings += [check_node(node), *check_clock(node, clock)]
        return node

    def _check_images(self, node: RunningNode | None) -> Images | None:
        """Return the images that came, None if none did."""
        topic, info_topic = self._topics(node)
        self._observer.wait(
            lambda: self._observer.publishers(topic) and self._observer.publishers(info_topic),
            self._patience.answer_s,
        )
        self._check_qos(node, (topic, info_topic))
        missing = check_image_topic(self._observer, topic)
        if missing is not None:
            self._findings.append(missing)
            return None
        images: Images = self._observer.listen(image_type(topic), topic)
        infos = self._observer.listen(CameraInfo, info_topic)
        waited_s = self._observer.left_s(self._patience.stream_s)
        self._observer.wait(lambda: images.count >= _FEW_IMAGES, waited_s)
        publishers = [p.node_name for p in self._observer.publishers(topic)]
        found = check_images(topic, publishers, images, waited_s)
        self._findings += found
        if not found[0].is_good:
            return None
        self._findings.append(check_stamps(images, self._observer.clock))
        self._check_info(info_topic, infos, images, node)
        self._check_transforms(images.newest[-1].header.frame_id)
        return images

    def _topics(self, node: RunningNode | None) -> tuple[str, str]:
        """Return the topics of image and camera_info, as the node says or as they are named."""
        image, info = self._request.image, self._request.camera_info
        if node is not None and not image:
            namespace = node.name.rpartition('/')[0]
            image = node.value('image topic') or f'{namespace}/image_raw'
            info = info or node.value('camera_info topic')
        if not image:
            image = self._observer.only_image_topic() or '/image_raw'
        base = image.removesuffix('/compressed')
        return image, info or f'{base.rpartition("/")[0]}/camera_info'

    def _check_qos(self, node: RunningNode | None, topics: tuple[str, ...]) -> None:
        name = '' if node is None else node.name
        looked_at = {*topics, *(self._observer.topics_of_node(name) if name else ())}
        pairs = [
            pair
            for topic in sorted(looked_at.difference(_OF_ROS))
            for pair in self._observer.mismatches(topic)
        ]
        subject = 'QoS'
        self._findings += [fault(subject, pair.what, f'{pair.remedy(name)}.') for pair in pairs]
        if not pairs:
            self._findings.append(good(subject, f'no mismatch on {len(looked_at)} topics'))

    def _check_info(
        self, topic: str, infos: Heard[CameraInfo], images: Images, node: RunningNode | None
    ) -> None:
        rectify, fov_deg = (False, 0.0) if node is None else (node.rectify, node.fov_deg)
        missing = check_camera_info_topic(self._observer, topic, fov_deg)
        if missing is not None:
            self._findings.append(missing)
            return
        stamps = (infos.stamps_ns, images.stamps_ns)
        self._observer.wait(lambda: set(stamps[0]) & set(stamps[1]), self._patience.answer_s)
        self._findings += check_camera_info(topic, infos, images, rectify)

    def _check_transforms(self, frame: str) -> None:
        if not frame:
            return  # said already
        fixed = self._request.fixed_frame
        tree = listen_to_transforms(self._observer, frame, fixed, self._patience.answer_s)
        publishers = [
            endpoint.node_name
            for topic in ('/tf', '/tf_static')
            for endpoint in self._observer.publishers(topic)
        ]
        self._findings.append(check_transforms(tree, frame, fixed, publishers))

    def _check_results(self, node: RunningNode, images: Images) -> None:
        """Listen to the depth, without which the node does nothing, and look at what it makes."""
        topic, patience = node.value('depth topic'), self._patience
        depth: Heard[Image] = self._observer.listen(Image, topic)
        depth_s = self._observer.left_s(patience.depth_s)
        self._observer.wait(lambda: depth.count or node.last_failure, depth_s)
        # That may have been one frame, or of before.
        self._observer.wait(lambda: depth.count, patience.answer_s)
        measurement_topic = node.value('measurement topic')
        if measurement_topic:
            self._check_measurements(measurement_topic, images, node)
        if depth.count:
            waited_s = patience.stream_s if node.is_aligned else patience.answer_s
            known = self._observer.wait(lambda: known_share(depth.newest[-1]), waited_s)
            # Its reports are a second old at most, and say why.
            self._observer.wait(node.is_well if known else node.is_ill, patience.answer_s)
        self._findings += check_alignment(node)
        self._findings.append(check_depth(topic, depth, node, depth_s))

    def _check_measurements(self, topic: str, images: Images, node: RunningNode) -> None:
        kind = measurement_type(self._observer, topic)
        if kind is None:
            what = f'nobody publishes {topic}, which alignment.source asks for'
            remedy = (
                'Start what makes it (stereo.launch.py stereo_image_proc:=true for a pair), remap '
                'disparity or registered_depth, or set alignment.source.'
            )
            self._findings.append(fault('measurement', what, remedy))
            return
        heard = self._observer.listen(kind, topic)
        waited_s = self._observer.left_s(self._patience.stream_s)
        self._observer.wait(lambda: set(heard.stamps_ns) & set(images.stamps_ns), waited_s)
        depth_range = node.min_depth, node.max_depth
        self._findings += check_measurements(topic, heard, images, waited_s, depth_range)
