"""Where frames stood in one another while a bag was recorded, as its /tf and /tf_static tell."""

from collections.abc import Iterator
from contextlib import suppress

from ..core.camera.rigid_transform import RigidTransform
from ..core.camera.transform_tree import TransformTree
from ..core.errors import RecordingError, TransformError
from .bags import Bag, Recorded

_TF = 'tf2_msgs/msg/TFMessage'
_AHEAD_NS = 1_000_000_000
"""How much further than a moment is read: transforms are recorded after the time that they are
of, and what happened between two needs both."""

_JUMP_NS = 1_000_000_000


class BagTransforms:
    """Transforms of a bag; those that move are known for ten seconds up to the last moment read.

    What is always so is read at once, wherever in the bag it was recorded.
    """

    def __init__(self, bag: Bag) -> None:
        topics = [topic.name for topic in bag.topics.values() if topic.msgtype == _TF]
        fixed = [name for name in topics if name.endswith('tf_static')]
        moving = [name for name in topics if name not in fixed]
        self._tree = TransformTree()
        self._newest_ns = 0
        self._moving = _readable(bag, moving)
        self._next = next(self._moving, None)
        for recorded in _readable(bag, fixed):
            self._put(recorded, is_static=True)

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame; see `Frames`."""
        names = target.removeprefix('/'), source.removeprefix('/')
        return self._tree.lookup(*names, stamp_ns)

    def read_to(self, logged_ns: int) -> None:
        """Read what moved up to a time of recording [ns], and a little further."""
        while self._next is not None and self._next.logged_ns <= logged_ns + _AHEAD_NS:
            self._put(self._next, is_static=False)
            self._next = next(self._moving, None)

    def _put(self, recorded: Recorded, is_static: bool) -> None:
        try:
            transforms = recorded.message().transforms
        except RecordingError:  # damaged; the next one says where things are
            return
        for stamped in transforms:
            p, q = stamped.transform.translation, stamped.transform.rotation
            stamp = stamped.header.stamp
            stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
            self._follow_time(stamp_ns, is_static)
            with suppress(TransformError, ValueError):  # one that is none of a robot's
                self._tree.put(
                    stamped.header.frame_id,
                    stamped.child_frame_id,
                    stamp_ns,
                    RigidTransform.of((p.x, p.y, p.z), (q.x, q.y, q.z, q.w)),
                    is_static=is_static,
                )

    def _follow_time(self, stamp_ns: int, is_static: bool) -> None:
        """Forget what moves where time jumps back."""
        if not is_static:
            if stamp_ns < self._newest_ns - _JUMP_NS:
                self._tree.clear()
                self._newest_ns = stamp_ns
            self._newest_ns = max(self._newest_ns, stamp_ns)


def _readable(bag: Bag, topics: list[str]) -> Iterator[Recorded]:
    """Yield the messages of topics up to where the bag breaks off; its images say so."""
    if topics:
        with suppress(RecordingError):
            yield from bag.messages(*topics)
