"""All checks of one camera and the node on it, in the order in which data flow."""

from collections.abc import Iterator
from dataclasses import dataclass

from sensor_msgs.msg import Image

from ...core.errors import MonoDepthError
from ..observer import Heard, Observer
from . import graph, running_node, streams
from .clouds import check_clouds
from .findings import Finding, good
from .measurement_streams import check_measurements
from .running_node import RunningNode

NODE = 'mono_depth'


@dataclass(frozen=True)
class Request:
    """Full names of what the user wants checked; '' = to be found, of the fixed frame any."""

    node: str = ''
    image: str = ''
    camera_info: str = ''
    fixed_frame: str = ''


@dataclass(frozen=True)
class Patience:
    """How long to wait [s].

    Attributes:
        discovery_s: For nodes and publishers to be seen, and again for the graph to settle.
        settling_s: Without a change of the graph; Fast DDS announces itself again every 3 s.
        answer_s: For services and reports.
        stream_s: For images and what comes with them.
        depth_s: For depth, which a large network on a CPU takes long for.
    """

    discovery_s: float = 7.0
    settling_s: float = 3.5
    answer_s: float = 3.0
    stream_s: float = 10.0
    depth_s: float = 25.0


def examine(observer: Observer, request: Request, patience: Patience) -> list[Finding]:
    """Return what was examined, then the findings in the order in which data flow.

    Raises:
        MonoDepthError: Several nodes could be meant.
    """
    observer.wait(lambda: _is_seen(observer, request), patience.discovery_s)
    observer.settle(patience.settling_s, patience.discovery_s)
    if not observer.nodes():
        return [graph.check_discovery([])]
    clock_comes = observer.follow_clock(patience.answer_s)
    names = candidates(observer, request.node)
    nodes = [running_node.look_at_node(observer, name, patience.answer_s) for name in names]
    node = _choose(nodes, request.image)
    image_topic, info_topic = topics = _topics(observer, request, node)
    if node.name:
        findings = [*running_node.check_node(node, clock_comes)]
    else:
        findings = [running_node.no_node(request.node, request.image, nodes)]
    observer.wait(lambda: all(map(observer.publishers, topics)), patience.answer_s)
    findings += graph.check_connections(observer, topics, node.name)
    images, found = streams.check_images(observer, image_topic, patience.stream_s)
    findings += found
    if images is not None:
        frame, wait_s = images.newest.header.frame_id, patience.answer_s
        stream = streams.ImageStream(observer, images, node.parameters)
        findings += streams.check_camera_info(stream, info_topic, wait_s)
        if frame:  # else said already
            findings.append(graph.check_frame(observer, frame, request.fixed_frame, wait_s))
        if node.state == 'active':
            findings += _check_results(stream, node, patience)
    who = node.name or 'a camera without a node'
    examined = good('examined', f'{who}: images on {image_topic}, camera_info on {info_topic}')
    # At the end, by when all of them are seen.
    involved = {*names, *observer.publisher_names(*topics)}
    everybody = observer.nodes()
    whole = [graph.check_discovery(everybody), *graph.check_names(everybody, involved)]
    return [examined, *whole, *findings]


def _is_seen(observer: Observer, request: Request) -> bool:
    """Return whether what was asked for is in the graph; a node, if nothing was."""
    if request.image and not observer.publishers(request.image):
        return False
    is_camera_enough = bool(request.image) and not request.node
    return is_camera_enough or bool(candidates(observer, request.node))


def candidates(observer: Observer, wanted: str) -> list[str]:
    """Return the full names of the nodes that could be meant, of that name if it is not ''."""
    names = set(observer.nodes())
    return sorted(n for n in names if (n == wanted if wanted else n.endswith(f'/{NODE}')))


def _choose(nodes: list[RunningNode], image: str) -> RunningNode:
    """Return the node on the images that are meant, one without a name if there is none."""
    meant = [node for node in nodes if _base(image) in ('', _base(node.image_topic))]
    if len(meant) > 1:
        names = ', '.join(node.name for node in meant)
        raise MonoDepthError(f'{names} run', 'name one of them with --node')
    return meant[0] if meant else RunningNode('')


def _topics(observer: Observer, request: Request, node: RunningNode) -> tuple[str, str]:
    """Return the topics of image and camera_info, as the node says or as they are named."""
    image = node.image_topic if node.name else request.image
    if not image:
        published = observer.topics_of_type('sensor_msgs/msg/Image')
        image = published[0] if len(published) == 1 else '/image_raw'
    beside = f'{_base(image).rpartition("/")[0]}/camera_info'
    return image, request.camera_info or node.value('camera_info topic') or beside


def _base(topic: str) -> str:
    return topic.removesuffix('/compressed')


def _check_results(
    stream: streams.ImageStream, node: RunningNode, patience: Patience
) -> Iterator[Finding]:
    """Listen to the depth, without which the node does nothing, and look at what it makes."""
    observer, topic = stream.observer, node.value('depth topic')
    measurement_topics = filter(None, node.value('measurement topic').split(', '))
    depth: Heard[Image] = observer.listen(Image, topic)
    depth_s = observer.left_s(patience.depth_s)
    observer.wait(lambda: depth.count or node.value('last failure'), depth_s)
    # That may have been one frame, or of before.
    observer.wait(lambda: depth.count, patience.answer_s)
    for measurement_topic in measurement_topics:
        yield from check_measurements(stream, measurement_topic, patience.stream_s)
    if depth.count:
        waited_s = patience.stream_s if node.is_aligned else patience.answer_s
        known = observer.wait(lambda: running_node.has_depth(depth.newest), waited_s)
        # The first fit takes seconds on a busy computer, and is reported when it is made.
        observer.wait(lambda: not node.is_aligned or 'alignment' in node.parts, depth_s)
        # Reports are a second old at most, and say why.
        observer.wait(node.is_well if known else node.is_ill, patience.answer_s)
    yield from running_node.check_alignment(node)
    yield running_node.check_depth(topic, depth, node, depth_s)
    if depth.count and running_node.has_depth(depth.newest):
        yield from check_clouds(observer, node, patience.stream_s)
