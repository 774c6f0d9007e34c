"""All state that the executor and the worker thread share, in one place and under one lock.

The executor stores what arrives, the worker takes it and records how it went, the executor reads
that for diagnostics and transitions. Beside this only `Worker` (its mailbox and calls) and
`TiltSource` (the way down) are used by both, each with a lock of its own.
"""

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from ..core.files.camera_info_check import CheckedCameraInfo
from ..core.network.estimator import EstimatorSettings
from ..core.scale.scale_estimator import FrameScale
from .messages import compressed_to_rgb, image_to_rgb, nanoseconds

_KEPT_BYTES = 64_000_000
_KEPT_TIMES = 200


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

    def rgb(self) -> np.ndarray:
        """Return (H, W, 3) uint8.

        Raises:
            ImageError: The message does not hold the image it claims to hold.
        """
        if isinstance(self.image, CompressedImage):
            return compressed_to_rgb(self.image)
        return image_to_rgb(self.image)


@dataclass(frozen=True)
class LoadedNetwork:
    """The network that is loaded."""

    settings: EstimatorSettings
    device: torch.device
    precision: str


class SharedState:
    """Images and measurements on their way to the worker, and what became of them.

    Attributes:
        statistics: Counts and times of the frames.
        network: What is loaded, None if nothing is.
        latest: The frame that the worker took last, None before the first.
        camera_info: What is known of its camera_info.
        scale: Its scale after all fits; None where nothing measures it.
    """

    def __init__(self) -> None:
        self.statistics = Statistics()
        self.network: LoadedNetwork | None = None
        self.latest: Frame | None = None
        self.camera_info = CheckedCameraInfo(None)
        self.scale: FrameScale | None = None
        self._lock = threading.Lock()
        self._images: OrderedDict[int, Frame] = OrderedDict()
        self._measurement: Any = None

    def record(self, frame: Frame | None, camera_info: CheckedCameraInfo) -> None:
        """Record the frame that the worker has taken; its scale is not known yet."""
        self.latest, self.camera_info, self.scale = frame, camera_info, None

    def keep_image(self, frame: Frame) -> None:
        """Keep an image for a measurement that arrives later, within a bound on memory."""
        with self._lock:
            self._images[frame.stamp_ns] = frame
            while len(self._images) > 1 + _KEPT_BYTES // max(1, len(frame.image.data)):
                self._images.popitem(last=False)

    def find_image(self, stamp_ns: int) -> Frame | None:
        """Return a recent image by its stamp [ns], whether it was delivered or not."""
        with self._lock:
            return self._images.get(stamp_ns)

    def put_measurement(self, message: Any) -> None:
        """Store the newest message that measures depth."""
        with self._lock:
            self._measurement = message

    def take_measurement(self) -> Any:
        """Return the newest message that measures depth and was not taken yet, None if none is."""
        with self._lock:
            taken, self._measurement = self._measurement, None
            return taken

    @property
    def has_measurement(self) -> bool:
        """Whether a measurement waits to be taken."""
        with self._lock:
            return self._measurement is not None

    def forget_inputs(self) -> None:
        """Drop images and measurement: another source measures now, or time has jumped back."""
        with self._lock:
            self._images.clear()
            self._measurement = None


class Statistics:
    """Counts and times of the frames, new with every `configure`; the worker records them.

    Attributes:
        processed: Frames worked through.
        failed: Frames that could not be read or processed.
        last_failure: Why the last frame failed, '' if it did not.
        reason_unknown: Why depth is unknown now, '' if it is known.
        is_idle: Whether the last frame had no subscribers.
        beyond_px: Pixels published as 0 because 16UC1 ends at 65.535 m.
    """

    def __init__(self) -> None:
        self.processed = self.failed = self.beyond_px = 0
        self.last_failure = self.reason_unknown = ''
        self.is_idle = False
        self._times_s: dict[str, deque[float]] = {
            name: deque(maxlen=_KEPT_TIMES) for name in ('latency', 'step', 'inference')
        }

    def succeed(
        self, latency_s: float, step_s: float, inference_s: float | None, unknown: str
    ) -> None:
        """Record a frame that was published.

        Args:
            latency_s: From its stamp to published [s].
            step_s: Of work in `core` [s].
            inference_s: Of that, in the network [s]; None if it did not run.
            unknown: Why depth is unknown, '' if it is known.
        """
        self.processed += 1
        self.last_failure, self.reason_unknown, self.is_idle = '', unknown, False
        self._times_s['latency'].append(latency_s)
        self._times_s['step'].append(step_s)
        if inference_s is not None:
            self._times_s['inference'].append(inference_s)

    def fail(self, reason: str) -> None:
        """Record a frame that was lost."""
        self.failed += 1
        self.last_failure, self.is_idle = reason, False

    def idle(self) -> None:
        """Record a frame without subscribers."""
        self.last_failure, self.reason_unknown, self.is_idle = '', '', True

    def values(self) -> dict[str, str]:
        """Return counts and percentiles for diagnostics."""
        values = {'frames processed': str(self.processed), 'frames failed': str(self.failed)}
        for name, recent in self._times_s.items():
            # A copy in one go, since the worker may append meanwhile.
            if seconds := tuple(recent):
                for percent in (50, 95):
                    milliseconds = 1e3 * np.percentile(seconds, percent)
                    values[f'{name} p{percent} [ms]'] = f'{milliseconds:.1f}'
        if self.beyond_px:
            values['pixels beyond the 65.535 m of 16UC1'] = str(self.beyond_px)
        if self.last_failure:
            values['last failure'] = self.last_failure
        if self.reason_unknown:
            values['reason unknown'] = self.reason_unknown
        return values
