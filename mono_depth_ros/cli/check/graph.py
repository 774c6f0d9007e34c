"""The graph as a whole: which nodes are seen, and what TF connects the camera to."""

import os
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import rclpy

from .findings import Finding, fault, good, unchecked, warning
from .observer import Observer

# Ports of DDSI-RTPS: domain d begins at 7400 + 250 d; participants have two each from +10 on.
_FIRST_PORT, _PER_DOMAIN, _FIRST_PARTICIPANT = 7400, 250, 10
_LAST_DOMAIN = 101

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
    elsewhere = [str(d) for d in domains_in_use(_udp_sockets()) if str(d) != domain]
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
    found = set()
    for line in sockets.splitlines()[1:]:
        port = int(line.split()[1].rpartition(':')[2], 16)
        domain, offset = divmod(port - _FIRST_PORT, _PER_DOMAIN)
        if 0 <= domain <= _LAST_DOMAIN and offset >= _FIRST_PARTICIPANT:
            found.add(domain)
    return sorted(found)


def _udp_sockets() -> str:
    """Return the UDP sockets of this machine, '' if the system does not list them."""
    try:
        return Path('/proc/net/udp').read_text()
    except OSError:
        return ''


class TransformTree:
    """The parent of each frame, from tf2_msgs/TFMessage."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def put(self, msg: Any) -> None:
        """Add the transforms of a message."""
        for stamped in msg.transforms:
            child, parent = stamped.child_frame_id, stamped.header.frame_id
            self._parents[child.lstrip('/')] = parent.lstrip('/')

    def ancestors(self, frame: str) -> list[str]:
        """Return the frame and its ancestors, the root last."""
        chain = [frame]
        while (parent := self._parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain

    def has(self, frame: str) -> bool:
        """Return whether any transform names the frame."""
        return frame in self._parents or frame in self._parents.values()

    def connects(self, frame: str, other: str) -> bool:
        """Return whether the frames have one root."""
        return self.ancestors(frame)[-1] == self.ancestors(other)[-1]


def listen_to_transforms(
    observer: Observer, frame: str, fixed_frame: str, patience_s: float
) -> TransformTree | None:
    """Listen until the frame is connected or patience ends; None if tf2_msgs is missing."""
    if find_spec('tf2_msgs') is None:
        return None
    from tf2_msgs.msg import TFMessage

    tree = TransformTree()
    observer.subscribe(TFMessage, '/tf', tree.put)
    observer.subscribe(TFMessage, '/tf_static', tree.put, latched=True)
    observer.wait(lambda: check_transforms(tree, frame, fixed_frame, []).is_good, patience_s)
    return tree


def check_transforms(
    tree: TransformTree | None, frame: str, fixed_frame: str, publishers: Iterable[str]
) -> Finding:
    """Return whether the frame of the images is connected.

    Args:
        tree: What TF says, None if that cannot be heard.
        frame: Optical frame of the images.
        fixed_frame: Frame that it must be connected to; '' = any.
        publishers: Nodes that publish TF.
    """
    subject = 'TF'
    if tree is None:
        who = ', '.join(sorted(set(publishers))) or 'nobody'
        return unchecked(
            subject,
            f'tf2_msgs is not installed here ({who} publishes TF)',
            'Install ros-<distribution>-tf2-msgs (there is no wheel), or look with '
            f'ros2 run tf2_ros tf2_echo {fixed_frame or "base_link"} {frame}.',
        )
    remedy = _PLACE_THE_CAMERA.format(frame=frame)
    if fixed_frame and not tree.connects(frame, fixed_frame):
        missing = [name for name in (frame, fixed_frame) if not tree.has(name)]
        why = f'; TF does not know {" or ".join(map(repr, missing))}' if missing else ''
        return fault(subject, f'no way from {frame!r} to {fixed_frame!r}{why}', remedy)
    if not tree.has(frame):
        return warning(subject, f'TF does not know {frame!r}, the frame of the images', remedy)
    return good(subject, ' -> '.join(tree.ancestors(frame)))
