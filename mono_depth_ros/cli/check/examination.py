"""From nothing known to a verdict on each part of the graph, in the order of the data."""

from dataclasses import dataclass

from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from ...core.errors import MonoDepthError
from .camera_info_stream import judge_camera_info, judge_info_presence
from .depth_stream import judge_depth, known_share
from .discovery import judge_graph
from .finding import Finding, fault, good
from .image_stream import image_type, judge_images, judge_presence, judge_stamps
from .measurement_stream import judge_measurements, measurement_type, no_measurement
from .observer import Heard, Observer
from .running import RunningNode, judge_alignment, judge_clock, judge_node, look_at_node, no_node
from .transforms import judge_transforms, look_at_transforms

NODE = 'mono_depth'
_OF_ROS = ('/rosout', '/parameter_events', '/diagnostics', '/clock')
_FEW_IMAGES = 3

Images = Heard[Image | CompressedImage]


@dataclass(frozen=True)
class Asked:
    """What a user wants looked at; '' = to be found.

    Attributes:
        node: Full name of the node.
        image: Topic of the images.
        camera_info: Topic of their calibration.
        fixed_frame: What TF must connect the images' frame to.
    """

    node: str = ''
    image: str = ''
    camera_info: str = ''
    fixed_frame: str = ''


@dataclass(frozen=True)
class Patience:
    """How long to wait for what should be there [s].

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
    """Looks at one camera and the node on it.

    Args:
        observer: To look with.
        asked: What at.
        patience: How long.
    """

    def __init__(self, observer: Observer, asked: Asked, patience: Patience) -> None:
        self._observer = observer
        self._asked = asked
        self._patience = patience
        self._findings: list[Finding] = []

    def run(self) -> list[Finding]:
        """Return what was found, in the order in which data flow.

        Raises:
            MonoDepthError: Several nodes could be meant.
        """
        patience_s = self._patience.discovery_s
        if self._asked.image:
            self._observer.wait(lambda: self._observer.publishers(self._asked.image), patience_s)
            patience_s = self._patience.settling_s
        self._observer.wait(lambda: self._candidates(self._observer.nodes()), patience_s)
        seen = self._observer.nodes()
        if seen:
            node = self._judge_node(seen)
            images = self._judge_images(node)
            if node is not None and node.state == 'active' and images is not None:
                self._judge_results(node, images)
        # At the end, by when all of them are seen.
        return [judge_graph(self._observer.nodes()), *self._findings]

    def _candidates(self, seen: list[str]) -> list[str]:
        if self._asked.node:
            return [name for name in seen if name == self._asked.node]
        return [name for name in seen if name.endswith(f'/{NODE}')]

    def _judge_node(self, seen: list[str]) -> RunningNode | None:
        found = self._candidates(seen)
        if len(found) > 1:
            raise MonoDepthError(f'{", ".join(found)} run; name one of them with --node')
        clock = self._observer.follow_clock(self._patience.answer_s)
        if not found:
            self._findings.append(no_node(self._asked.node or NODE, self._asked.image))
            return None
        node = look_at_node(self._observer, found[0], self._patience.answer_s)
        self._findings += [*judge_node(node), *judge_clock(node, clock)]
        return node

    def _judge_images(self, node: RunningNode | None) -> Images | None:
        """Return the images that came, None if none did."""
        topic, info_topic = self._topics(node)
        self._observer.wait(
            lambda: self._observer.publishers(topic) and self._observer.publishers(info_topic),
            self._patience.answer_s,
        )
        self._judge_qos(node, (topic, info_topic))
        missing = judge_presence(self._observer, topic)
        if missing is not None:
            self._findings.append(missing)
            return None
        images: Images = self._observer.listen(image_type(topic), topic)
        infos = self._observer.listen(CameraInfo, info_topic)
        waited_s = self._observer.left_s(self._patience.stream_s)
        self._observer.wait(lambda: images.count >= _FEW_IMAGES, waited_s)
        publishers = [p.node_name for p in self._observer.publishers(topic)]
        found = judge_images(topic, publishers, images, waited_s)
        self._findings += found
        if not found[0].is_good:
            return None
        self._findings.append(judge_stamps(images, self._observer.clock))
        self._judge_info(info_topic, infos, images, node)
        self._judge_transforms(images.newest[-1].header.frame_id)
        return images

    def _topics(self, node: RunningNode | None) -> tuple[str, str]:
        """Return the topics of image and camera_info, as the node says or as they are named."""
        image, info = self._asked.image, self._asked.camera_info
        if node is not None and not image:
            namespace = node.name.rpartition('/')[0]
            image = node.value('image topic') or f'{namespace}/image_raw'
            info = info or node.value('camera_info topic')
        if not image:
            image = self._observer.only_image_topic() or '/image_raw'
        base = image.removesuffix('/compressed')
        return image, info or f'{base.rpartition("/")[0]}/camera_info'

    def _judge_qos(self, node: RunningNode | None, topics: tuple[str, ...]) -> None:
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

    def _judge_info(
        self, topic: str, infos: Heard[CameraInfo], images: Images, node: RunningNode | None
    ) -> None:
        rectify, fov_deg = (False, 0.0) if node is None else (node.rectify, node.fov_deg)
        missing = judge_info_presence(self._observer, topic, fov_deg)
        if missing is not None:
            self._findings.append(missing)
            return
        stamps = (infos.stamps_ns, images.stamps_ns)
        self._observer.wait(lambda: set(stamps[0]) & set(stamps[1]), self._patience.answer_s)
        self._findings += judge_camera_info(topic, infos, images, rectify)

    def _judge_transforms(self, frame: str) -> None:
        if not frame:
            return  # said already
        fixed = self._asked.fixed_frame
        tree = look_at_transforms(self._observer, frame, fixed, self._patience.answer_s)
        publishers = [
            endpoint.node_name
            for topic in ('/tf', '/tf_static')
            for endpoint in self._observer.publishers(topic)
        ]
        self._findings.append(judge_transforms(tree, frame, fixed, publishers))

    def _judge_results(self, node: RunningNode, images: Images) -> None:
        """Listen to the depth, without which the node does nothing, and look at what it makes."""
        topic, patience = node.value('depth topic'), self._patience
        depth: Heard[Image] = self._observer.listen(Image, topic)
        depth_s = self._observer.left_s(patience.depth_s)
        self._observer.wait(lambda: depth.count or node.lost, depth_s)
        # That may have been one frame, or of before.
        self._observer.wait(lambda: depth.count, patience.answer_s)
        measurement_topic = node.value('measurement topic')
        if measurement_topic:
            self._judge_measurements(measurement_topic, images)
        if depth.count:
            waited_s = patience.stream_s if node.is_aligned else patience.answer_s
            known = self._observer.wait(lambda: known_share(depth.newest[-1]), waited_s)
            # Its reports are a second old at most, and say why.
            self._observer.wait(node.is_well if known else node.is_ill, patience.answer_s)
        self._findings += judge_alignment(node)
        self._findings.append(judge_depth(topic, depth, node, depth_s))

    def _judge_measurements(self, topic: str, images: Images) -> None:
        kind = measurement_type(self._observer, topic)
        if kind is None:
            self._findings.append(no_measurement(topic))
            return
        heard = self._observer.listen(kind, topic)
        waited_s = self._observer.left_s(self._patience.stream_s)
        self._observer.wait(lambda: set(heard.stamps_ns) & set(images.stamps_ns), waited_s)
        self._findings += judge_measurements(topic, heard, images, waited_s)
