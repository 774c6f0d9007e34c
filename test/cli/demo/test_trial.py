"""A trial holds every view once, and only what belongs to its method."""

import numpy as np

from mono_depth_ros.cli.demo.recorder import Sample
from mono_depth_ros.cli.demo.trial import METHODS, ROBUST, Trial

VIEWS = 8
SINCE_NS = 100


def trial() -> Trial:
    return Trial(ROBUST, VIEWS, SINCE_NS)


def sample(view: int, stamp: int, known: bool = True) -> Sample:
    """Return what the node made of a view: its number is in the truth."""
    depth = np.full((3, 4), 2.0 if known else np.nan, np.float32)
    truth = np.full((3, 4), 1.0 + view, np.float32)
    rgb = np.zeros((3, 4, 3), np.uint8)
    return Sample(stamp, depth, depth, truth, rgb, np.zeros((12, 4), np.float32))


def views(samples: list[Sample]) -> list[int]:
    return [int(sample.truth[0, 0]) - 1 for sample in samples]


def test_every_view_counts_once_whatever_the_order() -> None:
    made = trial()
    for i, view in enumerate([5, 6, 7, 0, 5, 6, 1, 2, 3]):
        assert not made.is_complete
        made.add(sample(view, 200 + i))
    made.add(sample(4, 300))
    assert made.is_complete
    made.add(sample(9, 301))
    assert views(made.samples) == [5, 6, 7, 0, 1, 2, 3, 4]
    assert views(made.shown) == [5, 7, 2, 4]
    clouds = [len(sample.points) for sample in made.samples]
    assert clouds == [12, 0, 12, 0, 0, 12, 0, 12], 'only the clouds that are shown are kept'


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
    assert list(METHODS) == [
        'none',
        'min_max',
        'least_squares',
        'robust',
        'robust + local',
        'robust + fused',
        'laser + fused',
        'ToF 8x8 + fused',
        'landmarks + fused',
        'LiDAR + fused',
    ]
    for parameters in METHODS.values():
        assert all(name.startswith('alignment.') for name in parameters)
    assert [parameters.get('alignment.model', 'global') for parameters in METHODS.values()] == [
        *['global'] * 4,
        'local',
        *['fused'] * 5,
    ]
