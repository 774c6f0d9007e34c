"""The graph as a whole: which nodes are seen, and what TF connects the camera to."""

import os
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import rclpy

from ..observer import Observer
from .findings import Finding, Verdict, fault, good, unchecked, warning

# Ports of DDSI-RTPS: domain d begins at 7400 + 250 d; participants have two each from +10 on.
_FIRST_PORT, _PER_DOMAIN, _FIRST_PARTICIPANT = 7400, 250, 10
_LAST_DOMAIN = 101
_SOCKETS = Path('/proc/net/udp')

_OF_ROS = ('/rosout', '/parameter_events', '/diagnostics', '/clock')
_SEPARATE = (
    'Stop all but one of them, or give each a namespace of its own (namespace:= of mono.launch.py)'
)
_PLACE_THE_CAMERA = (
    'Place the camera in the robot description, set publish_tf with alignment.camera_height and '
    'camera_pitch, or: ros2 run tf2_ros static_transform_publisher --frame-id base_link '
    '--child-frame-id {frame} --x 0 --z 0.5 --roll -1.5708 --yaw -1.5708. RViz alone can do '
    'with fixed_frame:={frame}.'
)


def check_discovery(nodes: list[str], environment: Mapping[str, str] = os.environ) -> Finding:
    """Return which other nodes are seen: a fault if there are none."""
    domain = environment.get('ROS_DOMAIN_ID') or '0'
    middleware = rclpy.get_rmw_implementation_identifier()
    reach = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE') or 'SUBNET'
    if environment.get('ROS_LOCALHOST_ONLY') == '1':
        reach = 'LOCALHOST'
    where = f'ROS_DOMAIN_ID {domain}, {middleware}, discovery range {reach}'
    if nodes:
        return good('graph', f'{len(nodes)} other node(s) ({where})')
    sockets = _SOCKETS.read_text() if _SOCKETS.exists() else ''
    elsewhere = [str(d) for d in domains_in_use(sockets) if str(d) != domain]
    hint = f' Something on this machine uses ROS_DOMAIN_ID {", ".join(elsewhere)}.'
    return fault(
        'graph',
        f'no other node is seen ({where})',
        'Start the camera driver and mono_depth. If they run, give this shell the same '
        'ROS_DOMAIN_ID, RMW_IMPLEMENTATION, ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_LOCALHOST_ONLY; '
        'containers need --net=host --ipc=host, other machines multicast or a discovery server.'
        + (hint if elsewhere else ''),
    )


def domains_in_use(sockets: str) -> list[int]:
    """Return the ROS domains with participants, by the UDP sockets as of `/proc/net/udp`."""
    ports = [int(line.split()[1].rpartition(':')[2], 16) for line in sockets.splitlines()[1:]]
    offsets = [divmod(port - _FIRST_PORT, _PER_DOMAIN) for port in ports]
    return sorted({d for d, at in offsets if 0 <= d <= _LAST_DOMAIN and at >= _FIRST_PARTICIPANT})


def check_names(nodes: Iterable[str], examined: Container[str]) -> list[Finding]:
    """Return which names several nodes have: a fault of those that are examined."""
    return [
        Finding(
            Verdict.FAULT if name in examined else Verdict.WARNING,
            'graph',
            f'{count} nodes are named {name}',
            f'{_SEPARATE}: services, parameters and reports reach either of them. A node that '
            'was killed stays in the graph for up to 20 s.',
        )
        for name, count in Counter(nodes).items()
        if count > 1
    ]


def check_connections(observer: Observer, topics: Iterable[str], node: str) -> Iterator[Finding]:
    """Yield which publishers get mixed on topics, and who cannot hear whom there or at a node."""
    for topic in topics:
        names = observer.publisher_names(topic)
        if len(names) > 1:
            what = f'{topic} has {len(names)} publishers: {", ".join(sorted(names))}'
            yield fault('graph', what, f'{_SEPARATE}: their messages get mixed.')
    looked_at = {*topics, *(observer.topics_of_node(node) if node else ())}.difference(_OF_ROS)
    pairs = [pair for topic in sorted(looked_at) for pair in observer.mismatches(topic)]
    for pair in pairs:
        yield fault('QoS', pair.what, f'{pair.remedy(node)}.')
    if not pairs:
        yield good('QoS', f'no mismatch on {len(looked_at)} topics')


def check_frame(observer: Observer, frame: str, fixed_frame: str, patience_s: float) -> Finding:
    """Listen to TF until the frame of the images is connected, and return whether it is."""
    if find_spec('tf2_msgs') is None:
        who = ', '.join(sorted(set(observer.publisher_names('/tf', '/tf_static')))) or 'nobody'
        return unchecked(
            'TF',
            f'tf2_msgs is not installed here ({who} publishes TF)',
            'Install ros-<distribution>-tf2-msgs (there is no wheel), or look with '
            f'ros2 run tf2_ros tf2_echo {fixed_frame or "base_link"} {frame}.',
        )
    from tf2_msgs.msg import TFMessage

    parents: dict[str, str] = {}
    put = partial(add_transforms, parents)
    observer.subscribe(TFMessage, '/tf', put)
    observer.subscribe(TFMessage, '/tf_static', put, latched=True)
    observer.wait(
        lambda: check_transforms(parents, frame, fixed_frame).verdict is Verdict.GOOD, patience_s
    )
    return check_transforms(parents, frame, fixed_frame)


def add_transforms(parents: dict[str, str], msg: Any) -> None:
    """Add the frames of a tf2_msgs/TFMessage to the parent of each."""
    for stamped in msg.transforms:
        parents[stamped.child_frame_id.lstrip('/')] = stamped.header.frame_id.lstrip('/')


def check_transforms(parents: Mapping[str, str], frame: str, fixed_frame: str) -> Finding:
    """Return whether a frame is connected to the fixed one, or to any if that is ''."""
    known, chain = {*parents, *parents.values()}, _ancestors(parents, frame)
    remedy = _PLACE_THE_CAMERA.format(frame=frame)
    if fixed_frame and chain[-1] != _ancestors(parents, fixed_frame)[-1]:
        missing = [repr(name) for name in (frame, fixed_frame) if name not in known]
        why = f'; TF does not know {" or ".join(missing)}' if missing else ''
        return fault('TF', f'no way from {frame!r} to {fixed_frame!r}{why}', remedy)
    if frame not in known:
        return warning('TF', f'TF does not know {frame!r}, the frame of the images', remedy)
    return good('TF', ' -> '.join(chain))


def _ancestors(parents: Mapping[str, str], frame: str) -> list[str]:
    """Return the frame and its ancestors, the root last."""
    chain = [frame]
    while (parent := parents.get(chain[-1])) is not None and parent not in chain:
        chain.append(parent)
    return chain
