"""Several images through the network at once are the same images one by one."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from recordings import color

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.prediction import Prediction
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.offline.batched_estimator import BatchedEstimator
from mono_depth_ros.offline.estimation import Estimation
from mono_depth_ros.offline.images import ReadingSettings
from mono_depth_ros.offline.input_files import Pictures
from mono_depth_ros.offline.writers import OutputPlan

READING = ReadingSettings()

SETTINGS = PipelineSettings(scale=0.5, shift=0.05)
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
K = ((60.0, 0.0, 31.5), (0.0, 60.0, 23.5), (0.0, 0.0, 1.0))
LENS = CameraCalibration(
    64, 48, K, (0.1, -0.05, 0.0, 0.0, 0.0), 'plumb_bob', EYE, tuple((*row, 0.0) for row in K)
)


class Counting(TorchEstimator):
    """The embedded network, which notes how many images it was given each time."""

    batches: list[int]

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        self.batches.append(len(images))
        return super().predict(images, size, cameras)


@pytest.fixture
def counting(tiny: TorchEstimator) -> Counting:
    estimator = Counting.__new__(Counting)
    estimator.__dict__ |= {**vars(tiny), 'batches': []}
    return estimator


def test_a_batch_predicts_what_single_images_do(tiny: TorchEstimator) -> None:
    images = [torch.from_numpy(color(i)) for i in range(3)]
    together = tiny.predict(images, (48, 64), [None] * 3)
    assert len(together) == 3
    for image, prediction in zip(images, together, strict=True):
        (single,) = tiny.predict([image], (48, 64), [None])
        torch.testing.assert_close(prediction.values, single.values, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('settings', [SETTINGS, PipelineSettings(scale=0.5, rectify=True)])
def test_steps_use_what_was_predicted_ahead(
    counting: Counting, tiny: TorchEstimator, settings: PipelineSettings
) -> None:
    ahead = BatchedEstimator(counting)
    frames = [(color(i), LENS) for i in range(3)]
    ahead.predict_ahead(frames, settings)
    assert counting.batches == [3]
    pipeline, alone = Pipeline(ahead, settings), Pipeline(tiny, settings)
    for i in (0, 2, 1, 5):
        depth = pipeline.step(color(i), LENS, Output.DEPTH).depth
        expected = alone.step(color(i), LENS, Output.DEPTH).depth
        np.testing.assert_allclose(depth, expected, rtol=1e-3)
    # Only the one that was not among them was asked for.
    assert counting.batches == [3, 1]


def test_images_of_several_shapes_go_singly(counting: Counting) -> None:
    ahead = BatchedEstimator(counting)
    ahead.predict_ahead([(color(0), None), (color(0, 50, 64), None)], SETTINGS)
    ahead.predict_ahead([(color(0), None)], SETTINGS)
    ahead.predict_ahead([(color(0, 50, 70), LENS), (color(1, 50, 70), LENS)], SETTINGS)
    assert counting.batches == []


def test_a_session_in_batches_writes_the_same(counting: Counting, tmp_path: Path) -> None:
    files = []
    for i in range(5):
        path = tmp_path / f'p{i}.png'
        cv2.imwrite(str(path), color(i)[..., ::-1])
        files.append((path, path.stem))
    (tmp_path / 'zero.png').touch()
    files.insert(1, (tmp_path / 'zero.png', 'zero'))
    results = {}
    for batch in (1, 2):
        out = tmp_path / f'out{batch}'
        ahead = BatchedEstimator(counting)
        plan = OutputPlan(out, ('npy',), (), is_metric=True, has_camera=False, settings=SETTINGS)
        counting.batches.clear()
        session = Estimation(Pipeline(ahead, SETTINGS), plan, batch=batch)
        summary = session.run([Pictures(tuple(files), READING)])
        assert counting.batches == {1: [1] * 5, 2: [2, 2, 1]}[batch]
        assert (summary.done, [name for name, _ in summary.failures]) == (5, ['zero'])
        results[batch] = [np.load(path) for path in sorted(out.glob('*.npy'))]
    for single, batched in zip(results[1], results[2], strict=True):
        np.testing.assert_allclose(batched, single, rtol=1e-3)
