"""A lap holds every view once, and only what belongs to its method."""

import numpy as np

from mono_depth_ros.cli.demo.collector import Estimate, Sample
from mono_depth_ros.cli.demo.lap import Lap
from mono_depth_ros.cli.demo.methods import COMPARED, ROBUST
from mono_depth_ros.cli.demo.source import simulated_drive
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.ros.simulated_camera import SimulatedCameraSettings

VIEWS = 8
SINCE_NS = 100
CAMERA = PinholeCamera(4, 3, 3.0, 3.0, 1.5, 1.0)


def lap() -> Lap:
    source = simulated_drive(SimulatedCameraSettings(views=VIEWS))
    return Lap(source, ROBUST, SINCE_NS)


def sample(view: int, stamp: int, known: bool = True) -> Sample:
    """Return what the node made of a view: its number is in the truth."""
    depth = np.full((3, 4), 2.0 if known else np.nan, np.float32)
    truth = np.full((3, 4), 1.0 + view, np.float32)
    rgb = np.zeros((3, 4, 3), np.uint8)
    estimate = Estimate(stamp, CAMERA, depth, depth, truth)
    return Sample(estimate, rgb, rgb, np.zeros((0, 4), np.float32))


def views(of: Lap) -> list[int]:
    return [int(estimate.truth[0, 0]) - 1 for estimate in of.estimates]


def test_every_view_counts_once_whatever_the_order() -> None:
    made = lap()
    for i, view in enumerate([5, 6, 7, 0, 5, 6, 1, 2, 3]):
        assert not made.is_complete
        made.add(sample(view, 200 + i))
    made.add(sample(4, 300))
    assert made.is_complete
    made.add(sample(9, 301))
    assert views(made) == [5, 6, 7, 0, 1, 2, 3, 4]
    assert [int(shown.estimate.truth[0, 0]) - 1 for shown in made.shown] == [5, 7, 2, 4]


def test_images_of_the_method_before_do_not_count() -> None:
    made = lap()
    made.add(sample(0, SINCE_NS))
    made.add(sample(1, SINCE_NS + 1))
    assert views(made) == [1]


def test_it_begins_with_the_first_depth_and_then_counts_what_is_unknown() -> None:
    made = lap()
    made.add(sample(0, 200, known=False))
    made.add(sample(1, 201))
    made.add(sample(2, 202, known=False))
    assert views(made) == [1, 2]


def test_methods_differ_in_the_parameters_of_the_alignment_only() -> None:
    assert [method.name for method in COMPARED] == [
        'none',
        'min_max',
        'least_squares',
        'robust',
        'robust + local',
    ]
    for method in COMPARED:
        assert all(name.startswith('alignment.') for name in method.parameters)
    assert [method.parameters.get('alignment.model', 'global') for method in COMPARED] == [
        *['global'] * 4,
        'local',
    ]
