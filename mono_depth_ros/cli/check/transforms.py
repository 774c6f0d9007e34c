"""Whether TF connects the optical frame of the images to the rest of the robot."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from .finding import Finding, fault, good, unchecked, warning
from .observer import Observer

SUBJECT = 'TF'
_REMEDY = (
    'Place the camera in the robot description, set publish_tf with alignment.camera_height and '
    'camera_pitch, or: ros2 run tf2_ros static_transform_publisher --frame-id base_link '
    '--child-frame-id {frame} --x 0 --z 0.5 --roll -1.5708 --yaw -1.5708. RViz alone can do '
    'with fixed_frame:={frame}.'
)


class Frametere:
    """Which frame hangs on which."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def put(self, msg: Any) -> None:
        """Take in a tf2_msgs/TFMessage."""
        for stamped in msg.transforms:
            child, parent = stamped.child_frame_id, stamped.header.frame_id
            self._parents[child.lstrip('/')] = parent.lstrip('/')

    def ancestors(self, frame: str) -> list[str]:
        """Return the frame and all that it hangs on, up to the root."""
        chain = [frame]
        while (parent := self._parents.get(chain[-1])) is not None and parent not in chain:
            chain.append(parent)
        return chain

    def has(self, frame: str) -> bool:
        """Say whether anything is known of a frame."""
        return frame in self._parents or frame in self._parents.values()

    def connects(self, frame: str, other: str) -> bool:
        """Say whether there is a way from one frame to the other."""
        return self.ancestors(frame)[-1] == self.ancestors(other)[-1]


def look_at_transforms(
    observer: Observer, frame: str, fixed_frame: str, patience_s: float
) -> Frametere | None:
    """Listen until the frame is connected or patience ends; None where tf2_msgs is missing."""
    if find_spec('tf2_msgs') is None:
        return None
    from tf2_msgs.msg import TFMessage

    tree = Frametere()
    observer.subscribe(TFMessage, '/tf', tree.put)
    observer.subscribe(TFMessage, '/tf_static', tree.put, latched=True)
    observer.wait(lambda: judge_transforms(tree, frame, fixed_frame, []).is_good, patience_s)
    return tree


def judge_transforms(
    tree: Frametere | None, frame: str, fixed_frame: str, publishers: Iterable[str]
) -> Finding:
    """Return whether the images' frame is connected.

    Args:
        tree: What TF says, None if that could not be heard.
        frame: Optical frame of the images.
        fixed_frame: What it shall be connected to; '' = to anything.
        publishers: Who publishes TF.
    """
    if tree is None:
        who = ', '.join(sorted(set(publishers))) or 'nobody'
        return unchecked(
            SUBJECT,
            f'tf2_msgs is not installed here ({who} publishes TF)',
            'Install ros-<distribution>-tf2-msgs (there is no wheel), or look with '
            f'ros2 run tf2_ros tf2_echo {fixed_frame or "base_link"} {frame}.',
        )
    remedy = _REMEDY.format(frame=frame)
    if fixed_frame and not tree.connects(frame, fixed_frame):
        missing = [name for name in (frame, fixed_frame) if not tree.has(name)]
        why = f'; TF does not know {" or ".join(map(repr, missing))}' if missing else ''
        return fault(SUBJECT, f'no way from {frame!r} to {fixed_frame!r}{why}', remedy)
    if not tree.has(frame):
        return warning(SUBJECT, f'TF does not know {frame!r}, the frame of the images', remedy)
    return good(SUBJECT, ' -> '.join(tree.ancestors(frame)))
