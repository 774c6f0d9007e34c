"""Images of files through the pipeline: what measures them, how often, and what is said of it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from recordings import CAMERA, START_NS, STEP_NS, color

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import AlignmentError
from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement, measure_depth
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.offline.chosen_camera import ChosenCamera
from mono_depth_ros.offline.images import ImageFrame, LazyFrame
from mono_depth_ros.offline.measured_pipeline import MeasuredPipeline
from mono_depth_ros.offline.measuring import Measuring

EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


ANY_FIT = {'source': 'depth', 'max_residual': 10.0, 'max_uncertainty': 10.0}


class Ride:
    """A recording of a few images."""

    path, stem, kind, count, is_rectified = Path('ride'), 'ride', 'bag', 5, False

    def __init__(self, calibration: CameraCalibration) -> None:
        self._calibration = calibration

    def items(self) -> Iterator[LazyFrame]:
        for i in range(self.count):
            stamp = START_NS + i * STEP_NS
            frame = ImageFrame(color(i), stamp, self._calibration)
            yield LazyFrame(f'ride/{i}', lambda frame=frame: frame, self.path, stamp)


class Sensor(Measuring):
    """A sensor that sees what a network sees, in meters, and nothing where `refuses` says so."""

    def __init__(
        self, network: Estimator, refuses: tuple[int, ...] = (), is_projected: bool = False
    ) -> None:
        self.asked: list[int] = []
        self.seen: list[np.ndarray] = []
        self._network = network
        self._refuses, self._is_projected = refuses, is_projected

    @property
    def is_projected(self) -> bool:
        return self._is_projected

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement:
        self.asked.append(len(self.asked))
        if self.asked[-1] in self._refuses:
            raise AlignmentError('it looks the other way')
        self.seen.append(world(self._network, frame.rgb))
        return measure_depth(torch.from_numpy(self.seen[-1]))


def world(network: Estimator, rgb: np.ndarray) -> np.ndarray:
    """Return depth (H, W), 1 to 4 m, whose inverse grows with what a network says."""
    image, size = torch.from_numpy(rgb), (rgb.shape[0], rgb.shape[1])
    nearness = network.predict([image], size, [None])[0].values
    share = (nearness - nearness.min()) / (nearness.max() - nearness.min())
    return (0.25 + 0.75 * share).reciprocal().numpy()


def run(
    estimator: Estimator,
    sensor: Sensor,
    calibration: CameraCalibration | None = None,
    **alignment: object,
) -> tuple[MeasuredPipeline, list]:
    """Return what ran, and the result of each image."""
    settings = AlignmentSettings(**{**ANY_FIT, **alignment})
    pipeline = Pipeline(estimator, PipelineSettings(alignment=settings))
    steps = MeasuredPipeline(pipeline, ChosenCamera(), {'depth': sensor}, is_metric=True)
    ride = Ride(calibration or CameraCalibration.of_pinhole(CAMERA))
    steps.begin(ride)
    results = [steps.step(ride, steps.load(item), Output.DEPTH) for item in ride.items()]
    return steps, results


@pytest.mark.parametrize(('model', 'asked'), [('fused', 5), ('global', 2)])
def test_every_image_is_fused_whatever_the_refit_period(
    tiny: Estimator, model: str, asked: int
) -> None:
    sensor = Sensor(tiny)
    _, results = run(tiny, sensor, model=model, refit_period=0.35)
    assert len(sensor.asked) == asked
    for result in results:
        assert (result.quality.fused is not None) == (model == 'fused')
    if model == 'fused':
        for result, depth in zip(results, sensor.seen, strict=True):
            assert float(np.nanmedian(np.abs(result.depth / depth - 1))) < 0.05


def test_measurements_that_were_not_used_are_counted(tiny: Estimator) -> None:
    steps, _ = run(tiny, Sensor(tiny, refuses=(1, 3)))
    assert steps.notes() == [
        '2 measurements were not used, the first of ride/1: it looks the other way'
    ]
    assert run(tiny, Sensor(tiny))[0].notes() == []


def test_only_what_is_projected_measures_a_raw_image(tiny: Estimator) -> None:
    k = ((60.0, 0.0, 31.5), (0.0, 60.0, 23.5), (0.0, 0.0, 1.0))
    p = tuple((*row, 0.0) for row in k)
    raw = CameraCalibration(64, 48, k, (-0.1, 0.01, 0.0, 0.0, 0.0), 'plumb_bob', EYE, p)
    with pytest.raises(AlignmentError, match='lives in the rectified image'):
        run(tiny, Sensor(tiny), raw)
    _, results = run(tiny, Sensor(tiny, is_projected=True), raw)
    assert all(result.quality.fused is not None for result in results)
