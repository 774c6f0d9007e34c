"""A trial holds every view once, and only what belongs to its method."""

import math

import numpy as np

from mono_depth_ros.cli.demo.demonstration import CAMERA
from mono_depth_ros.cli.demo.recorder import Sample
from mono_depth_ros.cli.demo.trial import METHODS, ROBUST, Trial
from mono_depth_ros.ros.simulated_camera import drive_for

VIEWS = 8
SINCE_NS = 100


def trial() -> Trial:
    return Trial(ROBUST, VIEWS, SINCE_NS)


def sample(view: int, stamp: int, known: bool = True) -> Sample:
    """Return what the node made of a view: its number is in the truth."""
    depth = np.full((3, 4), 2.0 if known else np.nan, np.float32)
    truth = np.full((3, 4), 1.0 + view, np.float32)
    return Sample(stamp, depth, truth, np.zeros((3, 4, 3), np.uint8))


def views(samples: list[Sample]) -> list[int]:
    return [int(sample.truth[0, 0]) - 1 for sample in samples]


def test_every_view_counts_once_whatever_the_order() -> None:
    made = trial()
    for i, view in enumerate([5, 6, 7, 0, 5, 6, 1, 2, 3]):
        assert not made.is_complete
        made.add(sample(view, 200 + i))
    assert made.sample_of(sample(4, 0).view) is None
    made.add(sample(4, 300))
    assert made.is_complete
    made.add(sample(9, 301))
    assert views(made.samples) == [5, 6, 7, 0, 1, 2, 3, 4]
    assert made.sample_of(sample(4, 0).view) is made.samples[-1]


def test_images_of_the_method_before_do_not_count() -> None:
    made = trial()
    made.add(sample(0, SINCE_NS))
    made.add(sample(1, SINCE_NS + 1))
    assert views(made.samples) == [1]


def test_it_begins_with_the_first_depth_and_then_counts_what_is_unknown() -> None:
    made = trial()
    made.add(sample(0, 200, known=False))
    made.add(sample(1, 201))
    made.add(sample(2, 202, known=False))
    assert views(made.samples) == [1, 2]


def test_methods_differ_in_the_parameters_of_the_alignment_only() -> None:
    for parameters in METHODS.values():
        assert all(name.startswith('alignment.') for name in parameters)
    asked = [
        (given['alignment.source'], given.get('alignment.model', 'global'))
        for given in METHODS.values()
    ]
    assert asked == [
        ('none', 'global'),
        *[('disparity', 'global')] * 3,
        ('disparity', 'local'),
        ('disparity', 'fused'),
        ('depth', 'fused'),
        ('scan', 'fused'),
        *[('points', 'fused')] * 4,
        ('ground', 'fused'),
        ('range', 'fused'),
    ]


def test_the_floor_is_where_the_camera_of_the_demo_is_told() -> None:
    pose = drive_for(CAMERA).pose_at(3.0)
    assert METHODS['floor']['alignment.camera_height'] == float(pose.position[2])
    pitch = -math.asin(float(pose.rotation[2, 2]))
    assert abs(float(METHODS['floor']['alignment.camera_pitch']) - pitch) < 1e-6
