"""What demo.launch.py tells the node: `python -m mono_depth_ros.cli.demo.launch_parameters`.

Writes `config/demo.yaml`, for the weights in the package; to be run when those change.
"""

from ...core.camera.pinhole import PinholeCamera
from ...core.network.estimator import EstimatorSettings, load_estimator
from ...ros.paths import share_directory
from ...ros.simulated_camera import SimulatedCameraSettings
from ...simulation.drive import Drive
from ...simulation.rig import StereoRig
from .calibration import Calibration, calibrate
from .demonstration import CALIBRATION_DRIVE

HEADER = """\
# For demo.launch.py: the embedded network, with the scale and shift that fit the simulated camera.
# Written by `python -m mono_depth_ros.cli.demo.launch_parameters`.
"""


def fitted() -> Calibration:
    """Return what the weights in the package need on the simulated camera."""
    settings = SimulatedCameraSettings()
    camera = PinholeCamera.from_fov(settings.width, settings.height, settings.field_of_view)
    estimator = load_estimator(EstimatorSettings(encoder='tiny'))
    return calibrate(estimator, Drive(CALIBRATION_DRIVE), StereoRig(camera, settings.baseline))


def as_yaml(calibration: Calibration) -> str:
    """Return the parameter file for a calibration."""
    alignment = calibration.alignment
    return (
        f'{HEADER}/**:\n  ros__parameters:\n    encoder: tiny\n'
        f'    scale: {alignment.scale:.4f}\n    shift: {alignment.shift:.4f}\n'
    )


if __name__ == '__main__':
    (share_directory() / 'config' / 'demo.yaml').write_text(as_yaml(fitted()))
