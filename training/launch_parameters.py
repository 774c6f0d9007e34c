"""What demo.launch.py tells the node: `python -m training.launch_parameters`.

Writes `config/demo.yaml` for the weights in the package; to be run when those change.
"""

from mono_depth_ros.cli.demo.demonstration import embedded_scale
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.simulation.fixed_scale import FixedScale

HEADER = """\
# For demo.launch.py: the embedded network, with the scale and shift that fit the simulated camera.
# Written by `python -m training.launch_parameters`.
"""


def as_yaml(fixed: FixedScale) -> str:
    """Return the parameter file for a scale."""
    return (
        f'{HEADER}/**:\n  ros__parameters:\n    encoder: tiny\n'
        f'    scale: {fixed.alignment.scale:.4f}\n    shift: {fixed.alignment.shift:.4f}\n'
    )


if __name__ == '__main__':
    (share_directory() / 'config' / 'demo.yaml').write_text(as_yaml(embedded_scale()))
