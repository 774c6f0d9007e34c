"""Views of a bag: images, and the disparity, depth or right images of the same moments."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from pathlib import Path

from ...core.errors import MonoDepthError, RecordingError
from ...core.scale.correspondences import Correspondences
from ...core.scale.stereo_matching import MatchingSettings
from ...offline.bag_camera import BagCamera, topic_observer
from ...offline.bags import Bag, Recorded
from .view_predictor import ViewPredictor

_SAME_MOMENT_NS = 20_000_000


class BagViews:
    """The views of a bag in which something was measured.

    `measured_topic` has disparity, depth or right images; '' finds the first two.

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
        self._source = BagCamera(path, path.stem, max_side, topic)
        self._bag = self._source.bag
        self.topic = measured_topic or _measured_topic(self._bag)
        self._observe = topic_observer(self._bag, self._source.topic, self.topic, matching)

    def points(
        self, predictor: ViewPredictor, most: int, fail: Callable[[str, str], None]
    ) -> dict[str, Correspondences]:
        """Return the measured points of at most `most` views spread over the bag, by time.

        `fail` is called with the name of each view that cannot be used and the reason.

        Raises:
            RecordingError: No image is of the moment of a measurement.
        """
        measured = self._chosen(most)
        is_matched = self._bag.topics[self.topic].holds != 'depth'
        found = {}
        for item in self._source.items():
            recorded = measured.get(item.stamp_ns)
            if recorded is None:
                continue
            name = f'{item.stamp_ns / 1e9:.3f}'
            try:
                frame = item.load()
                seen = predictor.predict(frame, self._source.is_rectified)
                observation = self._observe(recorded.message(), frame, seen.camera)
                found[name] = predictor.points(seen, observation, is_matched)
            except MonoDepthError as error:
                fail(name, str(error))
        return found

    def _chosen(self, most: int) -> dict[int, Recorded]:
        """Return measurements by the stamp of the image of their moment, spread evenly."""
        moments = [recorded.stamp_ns for recorded in self._bag.messages(self.topic)]
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
            image = of_image[recorded.stamp_ns]
            if recorded.stamp_ns in wanted and image is not None:
                chosen[image] = recorded
        return chosen


def _measured_topic(bag: Bag) -> str:
    kinds = {topic.holds for topic in bag.topics.values()}
    if 'disparity' in kinds:
        return bag.find_topic('disparity')
    if 'depth' in kinds:
        return bag.find_topic('depth')
    pictures = [topic.name for topic in bag.topics.values() if topic.holds == 'picture']
    raise RecordingError(
        f'{bag.path} has no topic of disparity or depth; of a stereo pair name both topics of '
        f'images: --topic LEFT --measured-topic RIGHT, out of {", ".join(pictures)}'
    )


def _nearest(stamps: Sequence[int], moment: int) -> int | None:
    """Return the nearest of sorted stamps [ns], None if none is of the same moment."""
    at = bisect_left(stamps, moment)
    near = stamps[max(0, at - 1) : at + 1]
    nearest = min(near, key=lambda stamp: abs(stamp - moment), default=None)
    return nearest if nearest is not None and abs(nearest - moment) <= _SAME_MOMENT_NS else None
