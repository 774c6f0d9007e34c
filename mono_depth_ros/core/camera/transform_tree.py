"""Frames that stand in one another and move: what TF tells, by the rules of tf2.

For machines that have TF's messages and not tf2, of which there is no Python wheel.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from threading import Lock

from ..errors import TransformError
from .rigid_transform import RigidTransform

KEPT_S = 10.0
"""As long as tf2's buffer."""
_MAX_DEPTH = 1000


@dataclass(frozen=True)
class _Placed:
    """Where a frame stands at a time.

    Attributes:
        parent: The frame that it stands in.
        transform: Takes points of the frame to its parent.
    """

    parent: str
    transform: RigidTransform


@dataclass
class _Track:
    """Where one frame has stood; stamps [ns] ascend."""

    is_static: bool
    stamps: list[int] = field(default_factory=list)
    places: list[_Placed] = field(default_factory=list)

    def add(self, stamp_ns: int, placed: _Placed) -> None:
        """Add a place, and drop those that are too old."""
        if self.is_static:
            self.stamps, self.places = [stamp_ns], [placed]
            return
        newest_ns = self.stamps[-1] if self.stamps else stamp_ns
        oldest_ns = newest_ns - int(KEPT_S * 1e9)
        outdated = bisect_left(self.stamps, oldest_ns)
        del self.stamps[:outdated], self.places[:outdated]
        if stamp_ns >= oldest_ns:
            at = bisect_right(self.stamps, stamp_ns)
            self.stamps.insert(at, stamp_ns)
            self.places.insert(at, placed)

    def at(self, stamp_ns: int | None) -> _Placed | None:
        """Return the place at a stamp [ns], None before the first and after the last one.

        Args:
            stamp_ns: None is the newest.
        """
        if self.is_static or stamp_ns is None:
            return self.places[-1]
        after = bisect_right(self.stamps, stamp_ns)
        if after == 0 or (after == len(self.stamps) and self.stamps[-1] != stamp_ns):
            return None
        before = self.places[after - 1]
        if self.stamps[after - 1] == stamp_ns or self.places[after].parent != before.parent:
            return before
        first, last = self.stamps[after - 1 : after + 1]
        share = (stamp_ns - first) / (last - first)
        moved = before.transform.interpolated(self.places[after].transform, share)
        return _Placed(before.parent, moved)


class TransformTree:
    """Where frames stand in one another over the last ten seconds; any thread may use it."""

    def __init__(self) -> None:
        self._tracks: dict[str, _Track] = {}
        self._lock = Lock()

    def put(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        transform: RigidTransform,
        is_static: bool = False,
    ) -> None:
        """Take in where a frame stands.

        Args:
            parent: Frame that the child stands in.
            child: Name of the frame.
            stamp_ns: When it stood there [ns]; of no account if it is static.
            transform: Takes points of the child to the parent.
            is_static: Whether it stands there always.

        Raises:
            TransformError: A name is empty, or both are the same.
        """
        parent, child = parent.removeprefix('/'), child.removeprefix('/')
        if not parent or not child or parent == child:
            raise TransformError(
                f'a transform from frame {child!r} to {parent!r} was published',
                'the frames must have two different names',
            )
        with self._lock:
            track = self._tracks.get(child)
            if track is None or track.is_static != is_static:
                track = self._tracks[child] = _Track(is_static)
            track.add(stamp_ns, _Placed(parent, transform))

    def clear(self) -> None:
        """Forget what moves, as where time jumped back."""
        with self._lock:
            self._tracks = {name: track for name, track in self._tracks.items() if track.is_static}

    def lookup(self, target: str, source: str, stamp_ns: int | None = None) -> RigidTransform:
        """Return what takes points of the source frame to the target frame.

        Args:
            target: Name of a frame.
            source: Name of a frame.
            stamp_ns: As of then [ns]; None is the newest time that all between them have.

        Raises:
            TransformError: Nothing connects them, or not at that time.
        """
        with self._lock:
            if target == source:
                return RigidTransform.identity()
            if stamp_ns is None:
                stamp_ns = self._newest_common(target, source)
            ups, downs = self._chain(source, stamp_ns), self._chain(target, stamp_ns)
            common = next((name for name in ups if name in downs), None)
            if common is None:
                raise TransformError(self._missing(target, source, stamp_ns, ups, downs))
            return downs[common].inverse() @ ups[common]

    def _chain(self, frame: str, stamp_ns: int | None) -> dict[str, RigidTransform]:
        """Return, from a frame upwards, what takes its points to each frame that it stands in."""
        found = {frame: RigidTransform.identity()}
        for _ in range(_MAX_DEPTH):
            track = self._tracks.get(frame)
            placed = track.at(stamp_ns) if track else None
            if placed is None or placed.parent in found:
                break
            found[placed.parent] = placed.transform @ found[frame]
            frame = placed.parent
        return found

    def _newest_common(self, target: str, source: str) -> int | None:
        """Return the newest stamp that all frames between two have, None if nothing moves."""
        ups, downs = list(self._chain(source, None)), list(self._chain(target, None))
        common = next((name for name in ups if name in downs), None)
        if common is None:
            return None
        between = ups[: ups.index(common)] + downs[: downs.index(common)]
        moving = [t for name in between if not (t := self._tracks[name]).is_static]
        return min((track.stamps[-1] for track in moving), default=None)

    def _missing(
        self,
        target: str,
        source: str,
        stamp_ns: int | None,
        ups: dict[str, RigidTransform],
        downs: dict[str, RigidTransform],
    ) -> str:
        """Return why two frames are not connected."""
        parents = {track.places[-1].parent for track in self._tracks.values()}
        for name in (target, source):
            if name not in self._tracks and name not in parents:
                known = ', '.join(sorted(parents.union(self._tracks))) or 'none'
                return f'TF knows no frame {name!r}; it knows {known}'
        for top in (next(reversed(ups)), next(reversed(downs))):
            track = self._tracks.get(top)
            if track and stamp_ns is not None and track.at(stamp_ns) is None:
                first, last = track.stamps[0] / 1e9, track.stamps[-1] / 1e9
                return (
                    f'TF has {top!r} from {first:.3f} s to {last:.3f} s, and not at '
                    f'{stamp_ns / 1e9:.3f} s'
                )
        return f'TF does not connect {source!r} to {target!r}: they are in two separate trees'
