"""Work on several images, predicted together: batched where alike, in order, each on its own."""

from collections.abc import Sequence

import pytest
import torch

from mono_depth_ros.core.camera.image_preparation import ImagePreparer, PreparedImage
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.network.batching import alone, run_together
from mono_depth_ros.core.network.network_settings import PredictionSettings
from mono_depth_ros.core.network.predicted_frame import Predicting, PredictionRequest
from mono_depth_ros.core.network.prediction import Prediction
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.types import PredictionKind

SETTINGS = PipelineSettings()


class Gray:
    """An estimator that predicts an image's own brightness, and refuses black ones."""

    device = torch.device('cpu')
    precision = torch.float32
    needs_camera = False
    kind = PredictionKind.RELATIVE_INVERSE_DEPTH

    def __init__(self, most: int = 99) -> None:
        self.batches: list[int] = []
        self._most = most

    def network_size(self, height: int, width: int) -> tuple[int, int]:
        return height, width

    def predict(
        self,
        images: Sequence[torch.Tensor],
        size: tuple[int, int],
        cameras: Sequence[PinholeCamera | None],
    ) -> list[Prediction]:
        self.batches.append(len(images))
        if len(images) > self._most:
            raise torch.OutOfMemoryError
        if not all(image.any() for image in images):
            raise ImageError('black')
        return [Prediction(image[..., 0].float(), self.kind) for image in images]


def image(gray: int, size: tuple[int, int] = (20, 30)) -> PreparedImage:
    rgb = torch.full((*size, 3), gray, dtype=torch.uint8)
    return ImagePreparer(torch.device('cpu')).prepare(rgb.numpy(), None, SETTINGS)


def work(
    estimator: Gray, log: list[str], gray: int, size: tuple[int, int] = (20, 30), rounds: int = 1
) -> Predicting[float]:
    """Ask for a prediction so many times; note what happened, and return what was seen."""
    seen = 0.0
    log.append(f'begin {gray}')
    for _ in range(rounds):
        settings: PredictionSettings = SETTINGS
        frame = yield PredictionRequest(estimator, image(gray, size), settings)
        seen += float(frame.values.mean())
    log.append(f'end {gray}')
    return seen


def test_images_of_one_shape_are_predicted_at_once_and_the_oldest_first() -> None:
    gray, log = Gray(), []
    sizes = ((20, 30), (10, 30), (20, 30), (10, 30))
    works = [work(gray, log, k + 1, size) for k, size in enumerate(sizes)]
    assert run_together(works) == [1, 2, 3, 4]
    assert gray.batches == [2, 2]
    begun = [f'begin {k}' for k in (1, 2, 3, 4)]
    assert log == [*begun, 'end 1', 'end 3', 'end 2', 'end 4']


def test_images_of_two_networks_are_not_mixed() -> None:
    one, other = Gray(), Gray()
    assert run_together([work(g, [], 7) for g in (one, other, one)]) == [7, 7, 7]
    assert (one.batches, other.batches) == ([2], [1])


def test_work_may_ask_several_times_or_never() -> None:
    def nothing() -> Predicting[float]:
        return 0.5
        yield

    gray = Gray()
    works = [work(gray, [], 1, rounds=3), nothing(), work(gray, [], 2, rounds=1)]
    assert run_together(works) == [3, 0.5, 2]
    assert gray.batches == [2, 1, 1]


def test_what_one_image_causes_is_raised_in_its_own_work() -> None:
    def guarded(estimator: Gray, gray: int) -> Predicting[str]:
        try:
            return str((yield from work(estimator, [], gray)))
        except ImageError as error:
            return str(error)

    gray = Gray()
    assert run_together([guarded(gray, k) for k in (5, 0, 6)]) == ['5.0', 'black', '6.0']
    assert gray.batches == [3, 1, 1, 1]
    with pytest.raises(ImageError, match='black'):
        alone(work(gray, [], 0))


def test_memory_that_is_too_small_for_several_is_enough_for_each() -> None:
    gray = Gray(most=1)
    assert run_together([work(gray, [], k) for k in (1, 2)]) == [1, 2]
    assert gray.batches == [2, 1, 1]
