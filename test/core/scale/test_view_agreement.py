"""Many views say together that what is measured is not of the camera's view."""

import re

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.correspondences import Correspondences
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.scale.other_views import view_grid
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.view_agreement import ViewAgreement, row_profile
from mono_depth_ros.core.types import PredictionKind

HEIGHT, WIDTH = 60, 80
RANGE = (0.1, 80.0)


def room(seed: int) -> np.ndarray:
    """Return (H, W) inverse depth [1/m] of a floor, and of what stands on it somewhere else."""
    floor = np.linspace(0.2, 0.8, HEIGHT)[:, None]
    things = np.random.default_rng(seed).normal(size=(4, 6))
    things = cv2.resize(things, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return (floor * np.exp(0.4 * things)).astype(np.float32)


def points(predicted: np.ndarray, measured: np.ndarray, step: int = 3) -> Correspondences:
    v, u = (axis.ravel()[::step] for axis in np.mgrid[:HEIGHT, :WIDTH])
    position = np.stack(((u + 0.5) / WIDTH, (v + 0.5) / HEIGHT), 1)
    q = measured[v, u].astype(np.float64)
    return Correspondences(predicted[v, u].astype(np.float64), q, position, 0.01, np.ones(len(q)))


def objection(views: list[tuple[np.ndarray, np.ndarray]]) -> str:
    agreement = ViewAgreement()
    for predicted, measured in views:
        agreement.add(view_grid(torch.from_numpy(predicted.copy())), points(predicted, measured))
    return agreement.objection


def zoomed(values: np.ndarray, factor: float) -> np.ndarray:
    """Return what a lens of so many times the focal length sees, (H, W)."""
    matrix = cv2.getRotationMatrix2D(((WIDTH - 1) / 2, (HEIGHT - 1) / 2), 0, factor)
    border = cv2.BORDER_REFLECT
    return cv2.warpAffine(
        values, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=border
    )


OTHER = {
    '0.5 times that of camera_info': lambda q: zoomed(q, 2.0),
    '1.4 times that of camera_info': lambda q: zoomed(q, 1 / 1.4),
    'mirrored left to right': lambda q: q[:, ::-1],
    'upside down': lambda q: q[::-1, ::-1],
    'it lay 25% of the width farther right': lambda q: np.roll(q, -WIDTH // 4, axis=1),
}


@pytest.mark.parametrize(('name', 'other'), OTHER.items(), ids=OTHER)
def test_the_view_that_it_would_fit_is_named(name: str, other: object) -> None:
    views = [(room(seed), other(room(seed))) for seed in range(7)]  # type: ignore[operator]
    found = objection(views)
    assert re.match(
        rf'in \d different views what is measured would fit .* better if .*{name}', found
    )
    assert objection(views[:4]) == '', 'too few to tell'


def test_no_lens_is_suspected_where_the_network_errs() -> None:
    """Smooth errors of a third, blur and noise leave the camera's view the best one."""
    random = np.random.default_rng(0)
    views = []
    for seed in range(40):
        wrong = np.exp(0.3 * np.log(room(seed + 500) / room(501).mean()))
        predicted = cv2.GaussianBlur(room(seed) * wrong, (0, 0), 2)
        views.append(
            (predicted + 0.05 * random.normal(size=wrong.shape).astype(np.float32), room(seed))
        )
    assert objection(views) == ''


def test_a_camera_that_has_stopped_is_found_out_by_what_goes_on() -> None:
    measured = [room(seed) for seed in range(6)]
    assert objection([(room(0), q) for q in measured[:3]]) == '', 'two changes'
    assert 'the camera has stopped' in objection([(room(0), q) for q in measured[:4]])
    assert 'the camera has stopped' in objection([(room(0), q) for q in measured])
    assert objection([(room(0), room(0))] * 20) == '', 'nothing moves'
    assert objection([*((room(0), q) for q in measured), (room(7), room(7))]) == '', 'it goes on'


def corridor(seed: int, to_the_left: float) -> np.ndarray:
    """Return (H, W) inverse depth of a strong floor, and of a wall on one side."""
    floor = np.linspace(0.1, 1.0, HEIGHT)[:, None]
    wall = np.exp(to_the_left * np.linspace(0.4, -0.4, WIDTH))
    bumps = 0.05 * np.log(room(seed) / room(seed).mean(1, keepdims=True))
    return (floor * wall * np.exp(bumps)).astype(np.float32)


def test_a_mirrored_sensor_along_walls_is_not_taken_for_the_opposite_sign() -> None:
    sides = [1.0 if seed % 2 else -1.0 for seed in range(25)]
    views = [(corridor(s, side), corridor(s, -side)) for s, side in enumerate(sides)]
    random = [(room(seed), room(seed)[:, ::-1]) for seed in range(25)]
    mixed = [pair for pairs in zip(views, random, strict=True) for pair in pairs]
    assert 'different views' in objection(mixed)


def test_two_views_that_take_turns_are_two() -> None:
    """Somebody passes: the network is wrong in both views, forty times."""
    assert objection([(room(k % 2), room(k % 2)[:, ::-1]) for k in range(40)]) == ''


def test_a_floor_that_flickers_is_no_view() -> None:
    random = np.random.default_rng(0)
    floor = np.linspace(0.2, 0.8, HEIGHT, dtype=np.float32)[:, None].repeat(WIDTH, 1)
    views = [
        (floor * np.exp(0.005 * random.normal(size=floor.shape)).astype(np.float32), room(0))
        for _ in range(60)
    ]
    assert objection(views) == ''


@pytest.mark.parametrize('count', [60, 100, 400])
def test_points_elsewhere_in_an_image_that_stands_still_are_no_change(count: int) -> None:
    """As of landmarks, or a LiDAR whose pattern does not repeat, in a simulator without noise."""
    random = np.random.default_rng(0)
    agreement, grid = ViewAgreement(), view_grid(torch.from_numpy(room(0)))
    for _ in range(60):
        chosen = np.zeros(HEIGHT * WIDTH, np.bool_)
        chosen[random.choice(HEIGHT * WIDTH, count, replace=False)] = True
        agreement.add(grid, points(room(0), room(0), step=1).subset(chosen))
        assert agreement.objection == ''


def test_a_prediction_that_is_the_same_everywhere_is_no_stopped_camera() -> None:
    flat = np.full((HEIGHT, WIDTH), 0.5, np.float32)
    assert objection([(flat, room(seed)) for seed in range(10)]) == ''


def test_after_a_stop_the_camera_goes_on_whatever_it_sees() -> None:
    agreement, floor = ViewAgreement(), np.linspace(0.2, 0.8, HEIGHT)[:, None].repeat(WIDTH, 1)
    stopped = view_grid(torch.from_numpy(room(0)))
    for seed in range(5):
        agreement.add(stopped, points(room(0), room(seed)))
    assert 'has stopped' in agreement.objection
    agreement.add(view_grid(torch.from_numpy(floor)), points(floor, floor))
    assert agreement.objection == ''


def test_a_row_that_is_a_little_too_high_is_no_mirror() -> None:
    agreement = ViewAgreement()
    for seed in range(40):
        row = np.arange(HEIGHT * WIDTH) // WIDTH == 37
        higher = np.roll(room(seed), -3, axis=0)
        grid = view_grid(torch.from_numpy(room(seed)))
        agreement.add(grid, points(room(seed), higher, step=1).subset(row))
    assert 'mirrored' not in agreement.objection


WRONG = {
    'mirrored': lambda seed: room(seed)[:, ::-1],
    'of another direction': lambda seed: room(seed + 1000),
    'shifted by two fifths': lambda seed: np.roll(room(seed), 2 * WIDTH // 5, axis=1),
}


@pytest.mark.parametrize('wrong', WRONG.values(), ids=WRONG)
def test_what_is_measured_elsewhere_is_found_out_over_many_views(wrong: object) -> None:
    views = [(room(seed), wrong(seed)) for seed in range(25)]  # type: ignore[operator]
    assert 'different views' in objection(views)
    assert objection(views[:4]) == '', 'too few to tell'


def test_whatever_grows_with_what_is_measured_may_be_predicted() -> None:
    assert objection([(np.exp(room(seed)), room(seed)) for seed in range(60)]) == ''


@pytest.mark.parametrize(('share', 'is_refused'), [(0.0, True), (0.2, True), (0.4, False)])
def test_how_much_must_go_together(share: float, is_refused: bool) -> None:
    """Correlations within rows of 0.0, 0.23 and 0.51; the last one is as low as in real frames."""
    views = []
    for seed in range(40):
        seen, other = np.log(room(seed)), np.log(room(seed + 500))
        views.append((np.exp(share * seen + (1 - share) * other).astype(np.float32), room(seed)))
    assert objection(views[:7]) == '', 'too few'
    assert bool(objection(views[:8])) == is_refused
    assert bool(objection(views)) == is_refused


def test_one_view_says_it_once_however_long_the_robot_stands() -> None:
    noise = np.random.default_rng(0)
    predicted = [room(0) * np.exp(0.02 * noise.normal(size=(HEIGHT, WIDTH))) for _ in range(100)]
    assert objection([(p, room(0)[:, ::-1]) for p in predicted]) == ''


def test_floors_and_walls_say_nothing() -> None:
    floor = np.linspace(0.2, 0.8, HEIGHT)[:, None].repeat(WIDTH, 1)
    assert objection([(room(seed), floor) for seed in range(50)]) == ''


def test_a_prediction_of_the_opposite_sign_is_left_to_the_fit_that_fails() -> None:
    assert objection([(-room(seed), room(seed)) for seed in range(50)]) == ''


def test_a_few_points_have_no_rows() -> None:
    few = points(room(0), room(0), step=700)
    assert len(few) == 7
    assert row_profile(few) is None
    row = points(room(0), room(0), step=1).subset(np.arange(HEIGHT * WIDTH) // WIDTH == 30)
    profile = row_profile(row)
    assert profile is not None
    assert profile.correlation == pytest.approx(1.0)


def show(of: ScaleEstimator, seed: int, **measured: np.ndarray) -> FrameScale:
    predicted = PredictedFrame(
        torch.from_numpy(room(seed)),
        torch.full((HEIGHT, WIDTH, 3), 90, dtype=torch.uint8),
        None,
        PredictionKind.INVERSE_DEPTH,
        1,
        '',
    )
    evidence = {
        name: DepthMeasurement(torch.from_numpy(q.copy()), 0.0, relative_noise=0.02)
        for name, q in measured.items()
    }
    return of.update((seed + 1) * 1_000_000_000, predicted, RANGE, lambda: evidence)


def estimator(**alignment: object) -> ScaleEstimator:
    settings = ScaleSettings(alignment=AlignmentSettings(max_residual=0.9, **alignment))
    return ScaleEstimator(settings, PredictionKind.INVERSE_DEPTH)


def test_depth_becomes_unknown_with_the_reason_and_comes_back() -> None:
    scale = estimator(source='depth')
    found = [show(scale, seed, depth=room(seed)[:, ::-1]) for seed in range(20)]
    assert any(one.applied for one in found[:4]), 'a single fit finds nothing wrong'
    assert found[-1].applied is None
    assert 'the pose of the sensor' in found[-1].reason_unknown
    assert 'different views' in found[-1].reason_unknown
    again = [show(scale, seed, depth=room(seed)) for seed in range(20, 60)]
    assert again[-1].applied is not None
    assert again[-1].refusal == ''


def test_the_same_views_tell_that_a_sensor_is_mended() -> None:
    agreement = ViewAgreement()

    def show_room(mirrored: bool) -> str:
        for seed in range(20):
            measured = room(seed)[:, ::-1] if mirrored else room(seed)
            grid = view_grid(torch.from_numpy(room(seed)))
            agreement.add(grid, points(room(seed), measured))
        return agreement.objection

    assert show_room(mirrored=True)
    assert show_room(mirrored=True), 'a second round is no other news'
    assert show_room(mirrored=False) == ''


def test_a_reset_and_another_pose_forget_what_was_said() -> None:
    for forget in ('reset', 'pose'):
        scale = estimator(source='points', sensor_pose='0 0 0 0 0 0 1')
        for seed in range(20):
            show(scale, seed, points=room(seed)[:, ::-1])
        assert 'different views' in show(scale, 20, points=room(20)).reason_unknown
        if forget == 'reset':
            scale.reset()
        else:
            pose = AlignmentSettings(
                source='points', sensor_pose='0 0 0 0 0 1 0', max_residual=0.9
            )
            scale.settings = ScaleSettings(alignment=pose)
        assert show(scale, 21, points=room(21)).applied is not None, forget


def test_another_source_goes_on_without_it() -> None:
    scale = estimator(source='depth,points', sensor_pose='points 0 0 0 0 0 0 1')
    for seed in range(25):
        found = show(scale, seed, depth=room(seed), points=room(seed + 1000)[:, ::-1])
    assert found.applied is not None
    assert found.state is not None
    assert found.state.sources == ('depth',)
    assert 'different views' in found.left_out['points']
    assert abs(found.applied.scale - 1) < 0.1
