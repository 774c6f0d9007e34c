"""Views of a bag: images, and the disparity, depth or right images of the same moments."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ...core.calibration import CameraCalibration
from ...core.camera import PinholeCamera
from ...core.errors import CalibrationError, RecordingError
from ...core.matching import MatchingSettings, match_disparity
from ...core.messages.measurements import observation_from_depth, observation_from_disparity
from ...core.points import Points
from ...core.stereo import StereoObservation, observe_disparity
from ...offline.bag_source import BagSource
from ...offline.bags import Bag
from ...offline.frames import Frame
from ...offline.recorded import Recorded, rgb_of, stamp_ns
from ...offline.registration import require_registered
from .looking import Looker

_SAME_MOMENT_NS = 20_000_000

Observe = Callable[[Any, Frame, PinholeCamera | None], StereoObservation]


class BagViews:
    """The views of a bag in which something was measured.

    Args:
        path: The bag.
        topic: Of the images; '' finds it.
        measured_topic: Of disparity, depth or right images; '' finds the first two.
        max_side: Larger images are reduced to this [px].
        matching: How right images are matched.

    Raises:
        MonoDepthError: A topic is missing or not clear, or what was measured is of another view.
    """

    def __init__(
        self,
        path: Path,
        topic: str,
        measured_topic: str,
        max_side: int,
        matching: MatchingSettings,
    ) -> None:
        self._source = BagSource(path, path.stem, max_side, topic)
        self._bag = self._source.bag
        self._matching = matching
        self.topic = measured_topic or _measured_topic(self._bag)
        self._observe = self._observer()

    def points(
        self, looker: Looker, most: int, fail: Callable[[str, str], None]
    ) -> dict[str, Points]:
        """Return the measured points of views spread over the bag, by time.

        Args:
            looker: The network.
            most: Views, at most.
            fail: Told the name of a view and why it cannot be used.

        Raises:
            RecordingError: No image is of the moment of a measurement.
        """
        measured = self._chosen(most)
        found = {}
        for item in self._source.items():
            recorded = measured.get(item.stamp_ns)
            if recorded is None:
                continue
            name = f'{item.stamp_ns / 1e9:.3f}'
            try:
                frame = item.load()
                seen = looker.look(frame, self._source.is_rectified)
                observation = self._observe(recorded.message(), frame, seen.camera)
                found[name] = looker.points(seen, observation, self._is_matched)
            except Exception as error:
                if not type(error).__module__.startswith('mono_depth_ros'):
                    raise
                fail(name, str(error))
        return found

    @property
    def _is_matched(self) -> bool:
        return self._holds != 'depth'

    @property
    def _holds(self) -> str:
        return self._bag.topics[self.topic].holds

    def _observer(self) -> Observe:
        if self._holds == 'disparity':
            return lambda message, _, camera: observation_from_disparity(message, camera)
        if self._holds == 'depth':
            require_registered(self._bag, self.topic)
            return lambda message, _, camera: observation_from_depth(message, camera)
        pair = self._bag.calibration(self._source.topic), self._bag.calibration(self.topic)
        return _matcher(self.topic, *pair, self._matching)

    def _chosen(self, most: int) -> dict[int, Recorded]:
        """Return measurements by the stamp of the image of their moment, spread evenly."""
        moments = [stamp_ns(recorded.message()) for recorded in self._bag.messages(self.topic)]
        images = sorted(item.stamp_ns for item in self._source.items())
        of_image = {m: _nearest(images, m) for m in moments}
        paired = [m for m, image in of_image.items() if image is not None]
        if not paired:
            raise RecordingError(
                f'no image of {self._source.topic} is within {_SAME_MOMENT_NS // 10**6} ms of a '
                f'message of {self.topic}'
            )
        step = max(1, -(-len(paired) // most))
        wanted = set(paired[::step])
        chosen = {}
        for recorded in self._bag.messages(self.topic):
            image = of_image[stamp_ns(recorded.message())]
            if stamp_ns(recorded.message()) in wanted and image is not None:
                chosen[image] = recorded
        return chosen


def _measured_topic(bag: Bag) -> str:
    kinds = {topic.holds for topic in bag.topics.values()}
    if 'disparity' in kinds:
        return bag.disparity_topic()
    if 'depth' in kinds:
        return bag.depth_topic()
    pictures = [topic.name for topic in bag.topics.values() if topic.holds == 'picture']
    raise RecordingError(
        f'{bag.path} has no topic of disparity or depth; of a stereo pair name both topics of '
        f'images: --topic LEFT --measured-topic RIGHT, out of {", ".join(pictures)}'
    )


def _matcher(
    topic: str,
    left: CameraCalibration | None,
    right: CameraCalibration | None,
    matching: MatchingSettings,
) -> Observe:
    """Return what matches a left image with a message of the right one.

    Raises:
        CalibrationError: The pair is not calibrated, not rectified, or has no baseline.
    """
    if left is None or right is None:
        raise CalibrationError(f'images to be matched with {topic} and it need a camera_info each')
    if not (left.is_rectified and right.is_rectified):
        raise CalibrationError(
            f'{topic} or the images to be matched with it are not rectified: D, R or K and P of '
            'their camera_info say so; rectify them first (image_proc)'
        )
    (f, _, cx_right, tx), *_ = right.P
    baseline_m = -tx / f
    if not baseline_m > 0:
        raise CalibrationError(
            f'camera_info of {topic} has P[3] = {tx}; that of a right camera is -f * baseline < 0'
        )
    doffs_px = cx_right - left.P[0][2]

    def observe(message: Any, frame: Frame, _: PinholeCamera | None) -> StereoObservation:
        disparity = match_disparity(
            torch.from_numpy(frame.rgb), torch.from_numpy(rgb_of(message)), matching
        )
        return observe_disparity(disparity, f, baseline_m, doffs_px=doffs_px)

    return observe


def _nearest(stamps: Sequence[int], moment: int) -> int | None:
    """Return the nearest of sorted stamps [ns], None if none is of the same moment."""
    at = bisect_left(stamps, moment)
    near = stamps[max(0, at - 1) : at + 1]
    nearest = min(near, key=lambda stamp: abs(stamp - moment), default=None)
    return nearest if nearest is not None and abs(nearest - moment) <= _SAME_MOMENT_NS else None
