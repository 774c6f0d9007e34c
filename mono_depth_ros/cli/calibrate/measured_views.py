"""Predictions of stereo pairs and of images of a bag, paired with what was measured of them."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch

from ...core.errors import AlignmentError, MonoDepthError, RecordingError
from ...core.network.estimator import load_estimator
from ...core.network.predicted_frame import PredictedFrame
from ...core.pipeline import Pipeline
from ...core.scale.correspondences import Correspondences, select_correspondences
from ...core.scale.depth_measurement import DepthMeasurement
from ...core.scale.stereo_matching import MatchingSettings
from ...core.types import PredictionKind
from ...offline.chosen_camera import ChosenCamera
from ...offline.images import SAME_MOMENT_NS, ImageFrame, ReadingSettings
from ...offline.input_files import InputFile
from ...offline.parameter_files import OfflineSettings
from ...offline.picture_measurements import DisparityMaps, RightPictures

if TYPE_CHECKING:
    from ...offline.bag_camera import BagCamera  # needs rosbags
    from ...offline.bags import Bag, Recorded

_SEED = 0
T = TypeVar('T')

Fail = Callable[[str, str], None]
"""Called with the name of each view that cannot be used, and the reason."""


class ViewPredictor:
    """The network behind the node's pipeline; `rectified` tells whether any image was."""

    def __init__(self, settings: OfflineSettings, camera: ChosenCamera) -> None:
        # Frames are kept for measurements only where some source of them is set.
        alignment = replace(settings.pipeline.alignment, source='depth')
        self._settings = replace(settings.pipeline, alignment=alignment)
        self._pipeline = Pipeline(load_estimator(settings.network), self._settings)
        self.camera = camera
        self.kind: PredictionKind = self._pipeline.estimator.kind
        self.rectified = False

    def predict(self, frame: ImageFrame, is_rectified: bool = False) -> PredictedFrame:
        """Return the prediction of a frame, rectified unless it is already."""
        calibration = self.camera.of(frame)
        rectify = self.camera.rectify and not is_rectified
        self.rectified |= rectify and calibration is not None and not calibration.is_rectified
        self._pipeline.settings = replace(self._settings, rectify=rectify)
        self._pipeline.scale.reset()
        return self._pipeline.predict(frame.rgb, calibration, frame.stamp_ns)

    def points(
        self, seen: PredictedFrame, measured: DepthMeasurement, matched: bool
    ) -> Correspondences:
        """Return pairs of prediction and measurement of a view, at least one.

        Places without texture do not count if it comes from matching images (`matched`).
        """
        on_device = measured.inverse_depth.to(seen.values.device)
        measured = replace(measured, inverse_depth=on_device)
        near, far = self._settings.min_depth, self._settings.max_depth
        color, rng = seen.color if matched else None, np.random.default_rng(_SEED)
        with torch.inference_mode():
            points = select_correspondences(
                seen.values, measured, (near, far), rng, color, self.kind.fitted
            )
        if not len(points):
            raise AlignmentError(
                f'nothing was measured between {near} and {far} m where the network says something'
            )
        return points


def pair_points(
    inputs: Sequence[InputFile],
    measuring: DisparityMaps | RightPictures,
    predictor: ViewPredictor,
    reading: ReadingSettings,
    fail: Fail,
) -> dict[str, Correspondences]:
    """Return the measured points of the left pictures of rectified pairs, by their names."""
    found = {}
    for entry in inputs:
        try:
            frame = only_frame(entry, reading)
            seen = predictor.predict(frame)
            if seen.camera is None:
                raise AlignmentError('no calibration is known: --focal or --calibration')
            if predictor.rectified:
                raise AlignmentError(
                    'disparity lives in the rectified image, and the calibration says that this '
                    'one is not; rectify both pictures first, or give --no-rectify if they are '
                    'rectified already'
                )
            measured = measuring.observe(entry.path, frame, seen.camera)
            found[entry.stem] = predictor.points(seen, measured, matched=True)
        except MonoDepthError as error:
            fail(entry.stem, str(error))
    return found


def only_frame(entry: InputFile, reading: ReadingSettings) -> ImageFrame:
    """Return a picture, with a stamp of its own."""
    if entry.kind != 'picture':
        raise AlignmentError(f'{entry.path} is no picture')
    (item,) = entry.open(reading).items()
    return replace(item.load(), stamp_ns=1)


def bag_points(
    source: 'BagCamera',
    measured_topic: str,
    matching: MatchingSettings,
    predictor: ViewPredictor,
    most: int,
    fail: Fail,
) -> dict[str, Correspondences]:
    """Return the measured points of at most `most` views spread over a bag, by time.

    `measured_topic` has disparity, depth or right images; '' finds the first two.
    """
    from ...offline.topic_observer import topic_observer

    topic = measured_topic or _measured_topic(source.bag)
    observe = topic_observer(source.bag, source.topic, topic, matching, source.reading)
    messages = _spread(source, topic, most)
    is_matched = source.bag.topics[topic].holds != 'depth'
    found = {}
    for item in _until_lost(source.items(), fail):
        if item.stamp_ns not in messages:
            continue
        name = f'{item.stamp_ns / 1e9:.3f}'
        try:
            frame = item.load()
            seen = predictor.predict(frame, source.is_rectified)
            measured = observe(messages[item.stamp_ns].message(), frame, seen.camera)
            found[name] = predictor.points(seen, measured, is_matched)
        except MonoDepthError as error:
            fail(name, str(error))
    return found


def _measured_topic(bag: 'Bag') -> str:
    topics = bag.topics.values()
    if any(topic.holds == 'disparity' for topic in topics):
        return bag.find_topic('disparity')
    if any(topic.holds == 'depth' for topic in topics):
        return bag.find_topic('depth')
    pictures = ', '.join(topic.name for topic in topics if topic.holds == 'picture')
    raise RecordingError(
        f'{bag.path} has no topic of disparity or depth; of a stereo pair name both topics of '
        f'images: --topic LEFT --measured-topic RIGHT, out of {pictures}'
    )


def _spread(source: 'BagCamera', topic: str, most: int) -> 'dict[int, Recorded]':
    """Return messages of a topic, spread evenly, by the stamp of the image of their moment."""
    images = sorted(item.stamp_ns for item in _until_lost(source.items()))
    paired = {}
    for recorded in _until_lost(source.bag.messages(topic)):
        image = _nearest(images, recorded.stamp_ns)
        if image is not None:
            paired[recorded.stamp_ns] = image
    if not paired:
        raise RecordingError(
            f'no image of {source.topic} is within {SAME_MOMENT_NS // 10**6} ms of a message of '
            f'{topic}'
        )
    wanted = set(list(paired)[:: -(-len(paired) // most)])
    messages = _until_lost(source.bag.messages(topic))
    return {paired[m.stamp_ns]: m for m in messages if m.stamp_ns in wanted}


def _until_lost(items: Iterator[T], fail: Fail = lambda _, __: None) -> Iterator[T]:
    """Yield what there is of a recording that breaks off."""
    try:
        yield from items
    except RecordingError as error:
        fail('the rest', str(error))


def _nearest(stamps: Sequence[int], moment: int) -> int | None:
    """Return the nearest of sorted stamps [ns], None if none is of the same moment."""
    at = bisect_left(stamps, moment)
    near = stamps[max(0, at - 1) : at + 1]
    nearest = min(near, key=lambda stamp: abs(stamp - moment), default=None)
    return nearest if nearest is not None and abs(nearest - moment) <= SAME_MOMENT_NS else None
