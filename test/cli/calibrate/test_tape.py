import argparse
import math
from dataclasses import replace

import pytest
import torch

from mono_depth_ros.cli.calibrate.tape import Tape, tape_samples
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import AlignmentError, CalibrationError
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.types import PredictionKind

CAMERA = PinholeCamera(40, 30, 20.0, 20.0, 19.5, 14.5)


@pytest.fixture
def seen() -> PredictedFrame:
    """Return a prediction that is 1 + column / 100 + row / 10, with an edge at column 30."""
    v, u = torch.meshgrid(torch.arange(30.0), torch.arange(40.0), indexing='ij')
    prediction = 1 + u / 100 + v / 10
    prediction[:, 30:] += 5
    prediction[0:5, 0:5] = math.nan
    return PredictedFrame(
        prediction,
        torch.zeros(30, 40, 3, dtype=torch.uint8),
        CAMERA,
        PredictionKind.RELATIVE_INVERSE_DEPTH,
        1,
        '',
    )


def test_text_is_place_and_meters() -> None:
    assert Tape.parse('320,240=1.85') == Tape(320, 240, 1.85)
    assert Tape.parse(' 3.5 , 0 = 2 ') == Tape(3.5, 0, 2)


@pytest.mark.parametrize(
    'text',
    ['', '1,2', '1=2', '1,2=0', '1,2=-1', '-1,2=3', '1,2=x', '1..2,3=4', '1,2,3=4', '1,2=inf'],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r'320,240=1\.85'):
        Tape.parse(text)


def test_prediction_is_that_of_the_place(seen: PredictedFrame) -> None:
    found, warnings = tape_samples(seen, [Tape(10, 20, 2.5), Tape(12, 25, 4.0)], 1.0, False)
    assert found['(10, 20)'] == pytest.approx((3.1, 2.5))
    assert found['(12, 25)'] == pytest.approx((3.62, 4.0))
    assert warnings == []


def test_places_are_those_of_the_whole_picture(seen: PredictedFrame) -> None:
    """The picture had 80x60 px and was halved: pixel center 21, 41 is 10.25, 20.25 of it."""
    found, _ = tape_samples(seen, [Tape(21, 41, 2.5)], 0.5, False)
    assert found['(21, 41)'][0] == pytest.approx(3.1)


def test_straight_distance_becomes_depth(seen: PredictedFrame) -> None:
    found, _ = tape_samples(seen, [Tape(19.5, 14.5, 3.0), Tape(9, 14, 3.0)], 1.0, True)
    assert found['(19.5, 14.5)'][1] == pytest.approx(3.0)
    assert found['(9, 14)'][1] == pytest.approx(3 / math.sqrt(1 + (10.5 / 20) ** 2 + 0.025**2))
    with pytest.raises(CalibrationError, match='--fov'):
        tape_samples(replace(seen, camera=None), [Tape(9, 14, 3.0)], 1.0, True)


def test_edges_are_warned_of(seen: PredictedFrame) -> None:
    _, warnings = tape_samples(seen, [Tape(30, 20, 2.0), Tape(10, 20, 2.0)], 1.0, False)
    (warning,) = warnings
    assert 'around (30, 20)' in warning


@pytest.mark.parametrize(
    ('tapes', 'reason'),
    [
        ([Tape(40, 3, 1.0)], r'\(40, 3\) is outside of the picture, 40x30 px'),
        ([Tape(3, 30, 1.0)], 'outside of the picture'),
        ([Tape(1, 1, 1.0)], 'says nothing about'),
        ([Tape(9, 9, 1.0), Tape(9, 9, 2.0)], 'named twice'),
    ],
)
def test_places_that_cannot_serve(seen: PredictedFrame, tapes: list[Tape], reason: str) -> None:
    with pytest.raises(AlignmentError, match=reason):
        tape_samples(seen, tapes, 1.0, False)
