"""config/demo.yaml: what demo.launch.py tells the node about the embedded network."""

import pytest
import yaml

pytest.importorskip('rclpy', reason='the simulated camera is a node')

from mono_depth_ros.cli.demo.demonstration import embedded_scale
from mono_depth_ros.core.types import AffineScale
from mono_depth_ros.ros.paths import share_directory
from mono_depth_ros.simulation.fixed_scale import FixedScale
from training.launch_parameters import as_yaml

COMMAND = 'python -m training.launch_parameters'
TEXT = (share_directory() / 'config' / 'demo.yaml').read_text()


def parameters(text: str) -> dict[str, object]:
    """Return what a parameter file sets for any node."""
    return yaml.safe_load(text)['/**']['ros__parameters']


def test_file_is_for_the_weights_in_the_package() -> None:
    told, found = parameters(TEXT), parameters(as_yaml(embedded_scale()))
    assert told.keys() == found.keys()
    assert told.pop('encoder') == found.pop('encoder') == 'tiny'
    assert told == pytest.approx(found, rel=0.01, abs=0.005), f'run {COMMAND}'


def test_file_holds_numbers_that_ros_takes_as_such() -> None:
    text = as_yaml(FixedScale(AffineScale(2.0, 0.0), views=1, abs_rel=0.1))
    assert parameters(text) == {'encoder': 'tiny', 'scale': 2.0, 'shift': 0.0}
    assert [type(value) for value in parameters(text).values()] == [str, float, float]
    assert COMMAND in text
