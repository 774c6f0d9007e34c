"""All state that the executor and the worker thread share, in one place and under one lock.

The executor stores what arrives, the worker takes it and records how it went, the executor reads
that for diagnostics and transitions. Beside this only `Worker` (its mailbox and calls) and
`TiltSource` (the way down) are used by both, each with a lock of its own.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import torch
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, Range
from std_msgs.msg import Header

from ..core.files.camera_info import CheckedCameraInfo
from ..core.network.network_settings import EstimatorSettings
from ..core.scale.frame_scale import FrameScale
from ..core.stamped_buffer import StampedBuffer
from .messages import nanoseconds
from .source_stream import SourceStream
from .statistics import Statistics

_KEPT_BYTES = 64_000_000
_KEPT_MESSAGES = 300
"""Ten seconds at 30 Hz, whatever they weigh."""
_LATE_IMAGE_NS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class Frame:
    """An image message and the camera_info that belongs to it, None if none came yet."""

    image: Image | CompressedImage
    info: CameraInfo | None

    @property
    def header(self) -> Header:
        """The image's header."""
        return self.image.header

    @property
    def stamp_ns(self) -> int:
        """The image's stamp [ns]."""
        return nanoseconds(self.image.header.stamp)

    @property
    def size(self) -> tuple[int, int] | None:
        """(height, width) [px] as the message says, None if only decoding tells."""
        if isinstance(self.image, CompressedImage):
            return None
        return self.image.height, self.image.width


@dataclass(frozen=True)
class LoadedNetwork:
    """The network that is loaded."""

    settings: EstimatorSettings
    device: torch.device
    precision: str
    backend: str


class SharedState:
    """Images and measurements on their way to the worker, and what became of them.

    Attributes:
        latest: The frame that the worker took last, None before the first.
        camera_info: What is known of its camera_info.
        scale: That of the latest frame after all fits; None where nothing measures it.
        streams: What comes of each source that has a topic.
    """

    def __init__(self) -> None:
        self.statistics = Statistics()
        self.network: LoadedNetwork | None = None
        self.latest: Frame | None = None
        self.camera_info = CheckedCameraInfo(None)
        self.scale: FrameScale | None = None
        self._lock = threading.Condition()
        self._images = StampedBuffer[Frame](_KEPT_MESSAGES, _bytes, _KEPT_BYTES)
        self.streams: dict[str, SourceStream] = {}
        self._measurements: dict[str, StampedBuffer[_Measurement]] = {}

    def record(self, frame: Frame | None, camera_info: CheckedCameraInfo) -> None:
        """Record the frame that the worker has taken; until then the last scale counts."""
        self.latest, self.camera_info = frame, camera_info

    def keep_image(self, frame: Frame) -> None:
        """Keep an image for a measurement that arrives later, within a bound on memory."""
        with self._lock:
            self._images.put(frame.stamp_ns, frame)

    def nearest_image(self, stamp_ns: int) -> Frame | None:
        """Return the recent image whose stamp [ns] is nearest, delivered or not; None if none."""
        with self._lock:
            nearest = self._images.nearest(stamp_ns)
            return None if nearest is None else self._images[nearest]

    def follow(self, streams: dict[str, SourceStream]) -> None:
        """Take measurements of these sources from now on; forget what came of others."""
        with self._lock:
            self.streams = streams
            self._images.forget()
            self._measurements = {name: _buffer() for name in streams}

    def put_measurement(self, source: str, message: Any) -> None:
        """Keep a message that measures depth for its image, within a bound on memory."""
        with self._lock:
            if source in self.streams:
                self.streams[source].take(message.header.frame_id)
                kept = self._measurements[source]
                kept.put(nanoseconds(message.header.stamp), _Measurement(message))
            self._lock.notify_all()

    def measurements_of(
        self, stamp_ns: int, tolerance_ns: float, wait_s: float, silence_s: float
    ) -> dict[str, Any]:
        """Return what measures the image of this stamp [ns], by source; {} if nothing does yet.

        Of each source it is the message whose stamp is nearest, if none of the other images is
        nearer to that.

        Args:
            stamp_ns: Of an image that was kept.
            tolerance_ns: Most that the stamps may differ [ns].
            wait_s: How long to wait for all of them [s].
            silence_s: A source that sent nothing for that long is not waited for [s].
        """
        found: dict[str, int] = {}

        def is_complete() -> bool:
            nonlocal found
            found = self._matching(stamp_ns, tolerance_ns)
            return not self._awaited(found, silence_s)

        with self._lock:
            self._lock.wait_for(is_complete, wait_s)
            for name, at_ns in found.items():
                _use(self._measurements[name], at_ns)
            return {name: self._measurements[name][ns].message for name, ns in found.items()}

    def _awaited(self, found: Collection[str], silence_s: float) -> bool:
        """Return whether a source that is alive has not measured an image yet."""
        alive = (name for name, stream in self.streams.items() if stream.is_alive(silence_s))
        return any(name not in found for name in alive)

    def _matching(self, stamp_ns: int, tolerance_ns: float) -> dict[str, int]:
        """Return the stamps [ns] of the messages that measure an image, by source."""
        found: dict[str, int] = {}
        for name, kept in self._measurements.items():
            nearest = kept.nearest(stamp_ns)
            if nearest is None or abs(nearest - stamp_ns) > tolerance_ns:
                continue
            apart_ns = min((abs(ns - nearest) for ns in self._images), default=0)
            if abs(nearest - stamp_ns) <= apart_ns:
                found[name] = nearest
        return found

    def take_late(self) -> dict[str, Any]:
        """Return the newest message of each source that came after its image was processed.

        It is returned once. One whose image may still come, being later than all images by less
        than a second, waits. What is older than all images is dropped.
        """
        with self._lock:
            newest_ns, oldest_ns = (end(self._images, default=None) for end in (max, min))
            taken: dict[str, Any] = {}
            for name, kept in self._measurements.items():
                ready = [
                    ns
                    for ns, measurement in kept.items()
                    if not measurement.is_used
                    and (newest_ns is None or not newest_ns < ns < newest_ns + _LATE_IMAGE_NS)
                ]
                if ready:
                    taken[name] = kept[ready[-1]].message
                    _use(kept, ready[-1])
                for ns in [ns for ns in kept if oldest_ns is not None and ns < oldest_ns]:
                    del kept[ns]
            return taken

    @property
    def has_measurement(self) -> bool:
        """Whether a measurement waits to be taken."""
        with self._lock:
            kept = [item for buffer in self._measurements.values() for item in buffer.values()]
            return not all(measurement.is_used for measurement in kept)

    def silences(self) -> dict[str, str]:
        """Return which sources do not send, by name, and what to ask."""
        told = ((name, stream.silence) for name, stream in self.streams.items())
        return {name: silence for name, silence in told if silence}

    def forget_inputs(self, after_ns: int = -1) -> None:
        """Drop what is stamped later [ns]: time has jumped back."""
        with self._lock:
            self._images.forget(after_ns)
            for kept in self._measurements.values():
                kept.forget(after_ns)


@dataclass
class _Measurement:
    """A message, and whether the worker has had it or a later one."""

    message: Any
    is_used: bool = False


def _buffer() -> StampedBuffer[_Measurement]:
    return StampedBuffer(_KEPT_MESSAGES, lambda kept: _bytes(kept.message), _KEPT_BYTES)


def _use(kept: StampedBuffer[_Measurement], at_ns: int) -> None:
    """Mark the message of a stamp [ns] as used, and all that came before."""
    for stamp_ns, measurement in kept.items():
        measurement.is_used = True
        if stamp_ns == at_ns:
            return


def _bytes(kept: Any) -> int:
    """Return the size of a frame, a disparity, or another message that holds its data itself."""
    if isinstance(kept, LaserScan):
        return 4 * len(kept.ranges)
    if isinstance(kept, Range):
        return 4
    return len(getattr(kept, 'image', kept).data)
