"""Scale and shift are found again where the network is known."""

import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.core.network.prediction import Prediction
from mono_depth_ros.core.types import PredictionKind
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.fixed_scale import fit_fixed_scale
from mono_depth_ros.simulation.rig import StereoRig

VIEWS = 3


class Oracle:
    """A network that knows the truth: `inverse depth = scale * prediction + shift` holds."""

    kind = PredictionKind.RELATIVE_INVERSE_DEPTH
    needs_camera = False
    device = torch.device('cpu')

    def __init__(self, truths: list[torch.Tensor], scale: float, shift: float) -> None:
        self.predictions = [(1 / truth - shift) / scale for truth in truths]

    def predict(
        self,
        images: list[torch.Tensor],
        size: tuple[int, int],
        cameras: list[PinholeCamera | None],
    ) -> list[Prediction]:
        assert images[0].shape == (*size, 3)
        return [Prediction(self.predictions.pop(0), self.kind)]


@pytest.fixture(scope='module')
def drive() -> Drive:
    return Drive(1001)


@pytest.fixture(scope='module')
def rig() -> StereoRig:
    return StereoRig(PinholeCamera.from_fov(64, 48, 75.0), 0.1)


@pytest.fixture(scope='module')
def truths(drive: Drive, rig: StereoRig) -> list[torch.Tensor]:
    poses = [drive.pose_at(i * drive.period_s / VIEWS) for i in range(VIEWS)]
    return [rig.capture(drive.scene, pose).depth for pose in poses]


def test_one_scale_and_shift_fit_all_views(
    drive: Drive, rig: StereoRig, truths: list[torch.Tensor]
) -> None:
    found = fit_fixed_scale(Oracle(truths, 0.4, -0.05), drive, rig, VIEWS)
    assert found.alignment.scale == pytest.approx(0.4, rel=1e-4)
    assert found.alignment.shift == pytest.approx(-0.05, rel=1e-3)
    assert found.abs_rel < 1e-4
    assert found.views == VIEWS


def test_a_network_that_sees_far_as_near_is_refused(
    drive: Drive, rig: StereoRig, truths: list[torch.Tensor]
) -> None:
    with pytest.raises(MonoDepthError, match=r'fitted scale is -0\.4000 1/m; are its weights'):
        fit_fixed_scale(Oracle(truths, -0.4, 0.0), drive, rig, VIEWS)
