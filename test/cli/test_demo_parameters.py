"""config/demo.yaml: what demo.launch.py tells the node about the embedded network."""

import pytest
import yaml

from mono_depth_ros.cli.demo.calibration import calibrate
from mono_depth_ros.cli.demo.demonstration import CALIBRATION_DRIVE
from mono_depth_ros.core.camera import PinholeCamera
from mono_depth_ros.core.estimator import EstimatorSettings, load_estimator
from mono_depth_ros.ros.settings import NodeSettings
from mono_depth_ros.ros.share import share_directory
from mono_depth_ros.ros.simulated_camera import SimulatedCameraSettings
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoRig

PARAMETERS = yaml.safe_load((share_directory() / 'config' / 'demo.yaml').read_text())['/**'][
    'ros__parameters'
]


def test_scale_and_shift_are_those_of_the_embedded_weights() -> None:
    settings = SimulatedCameraSettings()
    camera = PinholeCamera.from_fov(settings.width, settings.height, settings.field_of_view)
    estimator = load_estimator(EstimatorSettings(encoder=PARAMETERS['encoder']))
    fit = calibrate(estimator, Drive(CALIBRATION_DRIVE), StereoRig(camera, settings.baseline))
    found = {'scale': fit.alignment.scale, 'shift': fit.alignment.shift}
    told = {name: PARAMETERS[name] for name in found}
    assert told == pytest.approx(found, rel=0.01, abs=0.005), (
        f'write {found} into config/demo.yaml'
    )


def test_every_parameter_is_one_of_the_node() -> None:
    node = NodeSettings()
    known = vars(node.estimator) | vars(node.pipeline)
    assert PARAMETERS.keys() <= known.keys()
    assert {name: type(value) for name, value in PARAMETERS.items()} == {
        name: type(known[name]) for name in PARAMETERS
    }
