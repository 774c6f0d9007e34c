"""The embedded network, its meters, and its way from a trained form."""

import pytest
import torch
import torch.nn.functional as F

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.compact_depth import (
    CompactDepth,
    HalvingConvolution,
    position_sines,
)
from mono_depth_ros.core.network.estimator import (
    EstimatorSettings,
    TorchEstimator,
    load_estimator,
)
from mono_depth_ros.core.network.prediction import NO_CAMERA
from mono_depth_ros.core.network.self_test import room_picture
from mono_depth_ros.core.types import PredictionKind

SIZE = (240, 320)
WIDE, NARROW = PinholeCamera.from_fov(320, 240, 90.0), PinholeCamera.from_fov(320, 240, 40.0)


@pytest.fixture(scope='module')
def metric() -> TorchEstimator:
    return load_estimator(EstimatorSettings('tiny', device='cpu'))  # type: ignore[return-value]


def test_inverse_depth_is_canonical_over_the_focal_length(metric: TorchEstimator) -> None:
    relative = load_estimator(EstimatorSettings('tiny', 'relative', device='cpu'))
    picture = room_picture()
    (canonical,) = relative.predict([picture], SIZE, [None])
    assert canonical.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    wide, narrow, half = metric.predict(
        [picture] * 3, SIZE, [WIDE, NARROW, WIDE.resized(160, 120)]
    )
    for found, camera in ((wide, WIDE), (narrow, NARROW), (half, WIDE)):
        assert found.kind is PredictionKind.INVERSE_DEPTH
        expected = canonical.values * 240 / camera.fx
        torch.testing.assert_close(found.values, expected, rtol=1e-5, atol=0)


def test_without_a_camera_there_are_no_meters(metric: TorchEstimator) -> None:
    known, unknown = metric.predict([room_picture()] * 2, SIZE, [WIDE, None])
    assert known.values.isfinite().all()
    assert (known.reason_unscaled, unknown.reason_unscaled) == ('', NO_CAMERA)
    ratio = unknown.values / known.values
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio.mean())))


@pytest.mark.parametrize('size', [(32, 32), (64, 160), (192, 256), (224, 64)])
def test_any_multiple_of_32_is_taken(size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = CompactDepth().eval()
    with torch.inference_mode():
        alone = network(image := torch.randn(1, 3, *size))
        both = network(torch.cat((image, image.flip(3))))
    assert both.shape == (2, *size)
    assert both.isfinite().all()
    assert both.min() > 0
    torch.testing.assert_close(both[:1], alone)


@pytest.mark.parametrize(('kernel', 'groups'), [(3, 1), (3, 4), (5, 4)])
def test_halving_pads_more_at_the_end(kernel: int, groups: int) -> None:
    torch.manual_seed(0)
    convolution = HalvingConvolution(4, 8, kernel, 2, kernel // 2, groups=groups)
    assert dict(convolution.state_dict()).keys() == {'weight', 'bias'}
    x = torch.randn(2, 4, 6, 10)
    first = (kernel - 2) // 2  # of the padding that convolutions of TensorFlow get
    padded = F.pad(x, (first, kernel - 2 - first) * 2)
    expected = F.conv2d(padded, convolution.weight, convolution.bias, 2, groups=groups)
    assert expected.shape == (2, 8, 3, 5)
    torch.testing.assert_close(convolution(x), expected, rtol=1e-5, atol=1e-6)


def test_positions_are_told_apart_and_scale_with_the_image() -> None:
    small = position_sines(3, 4, torch.zeros(1, 12, 192))
    assert small.shape == (12, 192)
    distances = torch.cdist(small, small) + 10 * torch.eye(12)
    assert distances.min() > 1
    # Every third place of a map three times as fine lies at the middle of one of these.
    fine = position_sines(9, 12, torch.zeros(1, 108, 192)).view(9, 12, 192)[1::3, 1::3]
    torch.testing.assert_close(fine.reshape(12, 192), small, rtol=0, atol=1e-4)
