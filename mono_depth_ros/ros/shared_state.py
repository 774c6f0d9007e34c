"""All state that the executor and the worker thread share, in one place and under one lock.

The executor stores what arrives, the worker takes it and records how it went, the executor reads
that for diagnostics and transitions. Beside this only `Worker` (its mailbox and calls) and
`TiltSource` (the way down) are used by both, each with a lock of its own.
"""

import math
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan
from std_msgs.msg import Header

from ..core.files.camera_info import CheckedCameraInfo
from ..core.network.network_settings import EstimatorSettings
from ..core.scale.frame_scale import FrameScale
from ..core.stamped_buffer import StampedBuffer
from .messages import nanoseconds
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


class SharedState:
    """Images and measurements on their way to the worker, and what became of them.

    Attributes:
        latest: The frame that the worker took last, None before the first.
        camera_info: What is known of its camera_info.
        scale: That of the latest frame after all fits; None where nothing measures it.
    """

    def __init__(self) -> None:
        self.statistics = Statistics()
        self.network: LoadedNetwork | None = None
        self.latest: Frame | None = None
        self.camera_info = CheckedCameraInfo(None)
        self.scale: FrameScale | None = None
        self._lock = threading.Condition()
        self._images = StampedBuffer[Frame](_KEPT_MESSAGES, _bytes, _KEPT_BYTES)
        self._measurements = StampedBuffer[Any](_KEPT_MESSAGES, _bytes, _KEPT_BYTES)
        self._measured_s = -math.inf

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

    def put_measurement(self, message: Any) -> None:
        """Keep a message that measures depth for its image, within a bound on memory."""
        with self._lock:
            self._measured_s = time.monotonic()
            self._measurements.put(nanoseconds(message.header.stamp), message)
            self._lock.notify_all()

    def measurement_of(
        self, stamp_ns: int, tolerance_ns: float, wait_s: float, silence_s: float
    ) -> Any:
        """Return what measures the image of this stamp [ns], None if nothing does yet.

        It is the message whose stamp is nearest, if none of the other images is nearer to that.

        Args:
            stamp_ns: Of an image that was kept.
            tolerance_ns: Most that the stamps may differ [ns].
            wait_s: How long to wait for it [s].
            silence_s: A source that sent nothing for that long is not waited for [s].
        """
        with self._lock:
            if time.monotonic() - self._measured_s > silence_s:
                wait_s = 0.0
            return self._lock.wait_for(partial(self._matching, stamp_ns, tolerance_ns), wait_s)

    def _matching(self, stamp_ns: int, tolerance_ns: float) -> Any:
        nearest = self._measurements.nearest(stamp_ns)
        if nearest is None or abs(nearest - stamp_ns) > tolerance_ns:
            return None
        apart_ns = min((abs(ns - nearest) for ns in self._images), default=0)
        return self._measurements[nearest] if abs(nearest - stamp_ns) <= apart_ns else None

    def take_measurement(self) -> Any:
        """Return the newest message that measures depth and drop it and all before, None if none.

        One whose image may still come, being later than all images by less than a second, waits.
        """
        with self._lock:
            newest_ns = max(self._images, default=None)
            ready = [
                ns
                for ns in self._measurements
                if newest_ns is None or not newest_ns < ns < newest_ns + _LATE_IMAGE_NS
            ]
            if not ready:
                return None
            taken = self._measurements[ready[-1]]
            for stamp_ns in ready:
                del self._measurements[stamp_ns]
            return taken

    @property
    def has_measurement(self) -> bool:
        """Whether a measurement waits to be taken."""
        with self._lock:
            return bool(self._measurements)

    def forget_inputs(self, after_ns: int = -1) -> None:
        """Drop what is stamped later [ns]: another source measures, or time has jumped back."""
        with self._lock:
            self._images.forget(after_ns)
            self._measurements.forget(after_ns)


def _bytes(kept: Any) -> int:
    """Return the size of a frame, a disparity, or another message that holds its data itself."""
    if isinstance(kept, LaserScan):
        return 4 * len(kept.ranges)
    return len(getattr(kept, 'image', kept).data)
