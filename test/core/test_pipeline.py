"""One step, with estimators that see a known plane or measure the picture itself."""

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_vit import SMALL

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rectification import Rectifier
from mono_depth_ros.core.errors import CalibrationError, ImageError, SettingsError
from mono_depth_ros.core.network.depth_anything import DepthAnything
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.focal_correction import focal_factor
from mono_depth_ros.core.network.prediction import Prediction, metric_prediction
from mono_depth_ros.core.outputs.cloud import CloudSettings
from mono_depth_ros.core.outputs.colormap import ColormapSettings, paint_depth, paint_relative
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.types import PredictionKind

CPU = torch.device('cpu')
CORRECTED = {'focal_correction': True}
HEIGHT, WIDTH = 60, 80
K = ((100.0, 0.0, 39.5), (0.0, 100.0, 29.5), (0.0, 0.0, 1.0))
P = ((90.0, 0.0, 38.0, 0.0), (0.0, 95.0, 31.0, 0.0), (0.0, 0.0, 1.0, 0.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
IDEAL = CameraCalibration(WIDTH, HEIGHT, K, (), 'plumb_bob', EYE, tuple((*row, 0.0) for row in K))
RAW = CameraCalibration(WIDTH, HEIGHT, K, (-0.2, 0.05, 0.0, 0.0, 0.0), 'plumb_bob', EYE, P)
ALL = ~Output(0)

Size = tuple[int, int]


class Seen:
    """An estimator that predicts what a function of size says, whatever the picture."""

    device = CPU
    needs_camera = False

    def __init__(
        self,
        prediction: Callable[[Size], torch.Tensor],
        kind: PredictionKind = PredictionKind.DEPTH,
        max_depth: float | None = None,
    ) -> None:
        self.kind = kind
        self.max_depth = max_depth
        self._prediction = prediction

    def network_size(self, height: int, width: int) -> Size:
        return height, width

    def predict(
        self, images: list[torch.Tensor], size: Size, cameras: list[PinholeCamera | None]
    ) -> list[Prediction]:
        if self.kind is PredictionKind.RELATIVE_INVERSE_DEPTH:
            return [Prediction(self._prediction(size), self.kind)]
        network_size = self.network_size(*images[0].shape[:2])
        factor = focal_factor(cameras[0], network_size, 200.0) if cameras[0] else 1.0
        return [metric_prediction(self._prediction(size), self.max_depth, factor)]


class Redness:
    """An estimator that takes red, in decimeters, for depth: its answer is in the picture."""

    device = CPU
    kind = PredictionKind.DEPTH
    needs_camera = False

    def network_size(self, height: int, width: int) -> Size:
        return height, width

    def predict(
        self, images: list[torch.Tensor], size: Size, cameras: list[PinholeCamera | None]
    ) -> list[Prediction]:
        red = images[0][..., 0].float().numpy() / 10
        depth = cv2.resize(red, size[::-1], interpolation=cv2.INTER_AREA)
        return [Prediction(torch.from_numpy(depth), self.kind)]


def wall(depth_m: float, **kwargs: Any) -> Seen:
    return Seen(lambda size: torch.full(size, depth_m), **kwargs)


def rows(*values: float, **kwargs: Any) -> Seen:
    """Return an estimator whose prediction has these values from top to bottom, repeated."""

    def prediction(size: Size) -> torch.Tensor:
        column = torch.tensor(values).repeat(-(-size[0] // len(values)))[: size[0]]
        return column[:, None].repeat(1, size[1])

    return Seen(prediction, **kwargs)


def relative(*values: float) -> Seen:
    return rows(*values, kind=PredictionKind.RELATIVE_INVERSE_DEPTH)


def settings(**values: Any) -> PipelineSettings:
    """Return settings without the edge filter, which would remove the made steps."""
    return PipelineSettings(**({'edge_filter': EdgeFilterSettings(enabled=False)} | values))


def picture(height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), np.uint8)


def first_column(result: Result, count: int) -> list[float]:
    assert result.depth is not None
    return [round(float(depth), 4) for depth in result.depth[:count, 0]]


def test_known_plane_gives_known_depth_points_and_colors() -> None:
    rgb = picture()
    made = settings(cloud=CloudSettings(organized=True))
    result = Pipeline(wall(2.0), made).step(rgb, IDEAL, ALL)
    assert (result.depth == 2).all()
    assert result.reason_unknown == ''
    assert result.camera == PinholeCamera(WIDTH, HEIGHT, 100.0, 100.0, 39.5, 29.5)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    expected = np.stack([(u - 39.5) / 100 * 2, (v - 29.5) / 100 * 2, np.full(u.shape, 2)], -1)
    np.testing.assert_allclose(result.points[..., :3], expected, rtol=1e-6)
    bits = result.points[..., 3].copy().view(np.uint32)
    np.testing.assert_array_equal(bits, rgb.astype(np.uint32) @ (1 << 16, 1 << 8, 1))
    np.testing.assert_array_equal(result.color, rgb)
    assert result.relative_inverse_depth is None, 'a metric network has none'
    expected_map = paint_depth(torch.full((1, 1), 2.0), ColormapSettings())
    assert (result.colormap == expected_map.numpy()).all()
    for array, dtype in (
        (result.depth, np.float32),
        (result.points, np.float32),
        (result.color, np.uint8),
        (result.colormap, np.uint8),
    ):
        assert array.dtype == dtype
        assert array.flags.c_contiguous


@pytest.mark.parametrize('output', list(Output))
def test_only_what_is_asked_for_is_made(output: Output) -> None:
    mounted = AlignmentSettings(camera_height=0.2)
    pipeline = Pipeline(relative(1.0), settings(scale=1.0, alignment=mounted))
    result = pipeline.step(picture(), IDEAL, output)
    made = {
        field.name
        for field in dataclasses.fields(result)
        if isinstance(getattr(result, field.name), np.ndarray)
    }
    assert made == {output.name.lower()}
    assert result.camera is not None


@pytest.mark.parametrize('wanted', [Output(0), Output.COLOR])
def test_no_inference_where_none_is_needed(wanted: Output) -> None:
    def prediction(size: Size) -> torch.Tensor:
        raise AssertionError('the network ran')

    result = Pipeline(Seen(prediction), settings()).step(picture(), IDEAL, wanted)
    assert result.camera == IDEAL.rectified_camera()
    assert (result.color is None) == (wanted == Output(0))


def test_range_gate() -> None:
    estimator = rows(0.49, 0.5, 1.0, 4.0, 4.01, float('inf'), -1.0, float('nan'))
    result = Pipeline(estimator, settings(min_depth=0.5, max_depth=4.0)).step(
        picture(), IDEAL, Output.DEPTH | Output.POINTS
    )
    nan = float('nan')
    assert first_column(result, 8) == pytest.approx([nan, 0.5, 1, 4, *[nan] * 4], nan_ok=True)
    assert np.isfinite(result.points[:, :3]).all()
    assert len(result.points) == np.isfinite(result.depth).sum() > 0


def test_out_of_range_depth_with_its_reason() -> None:
    nan, inf = float('nan'), float('inf')
    made = settings(depth_invalid='inf', min_depth=0.5, max_depth=4.0)
    estimator = rows(0.49, 0.5, 4.0, 4.01, 9.9, nan, max_depth=10.0)
    result = Pipeline(estimator, made).step(picture(), IDEAL, ALL)
    expected = [-inf, 0.5, 4, inf, nan, nan]  # one is saturated: it may be anywhere farther
    assert first_column(result, 6) == pytest.approx(expected, nan_ok=True)
    assert np.isfinite(result.points[:, :3]).all()
    plain = Pipeline(estimator, dataclasses.replace(made, depth_invalid='nan'))
    expected = plain.step(picture(), IDEAL, ALL)
    for name in ('points', 'colormap', 'color'):
        assert getattr(result, name).tobytes() == getattr(expected, name).tobytes()
    sky = Pipeline(relative(1.0, 0.0), settings(depth_invalid='inf', scale=0.5, shift=-0.1))
    depth = first_column(sky.step(picture(), IDEAL, Output.DEPTH), 2)
    assert depth == [2.5, inf]
    blind = Pipeline(relative(1.0, 0.0), settings(depth_invalid='inf'))
    assert np.isnan(blind.step(picture(), IDEAL, Output.DEPTH).depth).all()


def test_saturated_metric_head_is_not_known() -> None:
    estimator = rows(19.5, 19.7, 20.0, max_depth=20.0)
    nan = float('nan')
    for depth_scale, expected in ((1.0, 19.5), (2.0, 39.0), (0.5, 9.75)):
        pipeline = Pipeline(estimator, settings(depth_scale=depth_scale))
        depth = first_column(pipeline.step(picture(), IDEAL, Output.DEPTH), 3)
        assert depth == pytest.approx([expected, nan, nan], nan_ok=True)


def test_focal_correction() -> None:
    """The camera's 100 px are half of the 200 px of the training, so all is half as far."""
    made = settings(**CORRECTED)
    estimator = rows(1.0, 19.5, 19.7, max_depth=20.0)
    result = Pipeline(estimator, made).step(picture(), IDEAL, Output.DEPTH)
    expected = pytest.approx([0.5, 9.75, float('nan')], nan_ok=True)
    assert first_column(result, 3) == expected, 'what the network saturates at stays the same'
    small = dataclasses.replace(made, output_scale=0.5)
    halved = Pipeline(wall(2.0), small).step(picture(), IDEAL, Output.DEPTH)
    assert (halved.depth == 1).all(), 'the network sees the same, whatever the outputs'
    pipeline = Pipeline(wall(2.0), settings(alignment=AlignmentSettings('depth'), **CORRECTED))
    cached = pipeline.predict(picture(), IDEAL, 1)
    assert (cached.values == 1).all(), 'what is fitted is corrected too'


def test_focal_correction_without_a_camera_knows_no_depth() -> None:
    pipeline = Pipeline(wall(2.0), settings(**CORRECTED))
    result = pipeline.step(picture(), None, ALL)
    assert np.isnan(result.depth).all()
    assert 'focal_correction needs the focal length' in result.reason_unknown
    pipeline.settings = settings(fov_deg=90.0, **CORRECTED)
    guessed = pipeline.step(picture(), None, ALL)
    np.testing.assert_allclose(guessed.depth, 2 * 40 / 200, rtol=1e-6)
    assert guessed.reason_unknown == ''


def test_max_depth_holds_for_the_scaled_depth() -> None:
    pipeline = Pipeline(rows(3.0, 4.0), settings(depth_scale=1.5, max_depth=5.0))
    depth = first_column(pipeline.step(picture(), IDEAL, Output.DEPTH), 2)
    assert depth == pytest.approx([4.5, float('nan')], nan_ok=True)


def test_relative_network_with_scale_and_shift() -> None:
    pipeline = Pipeline(relative(1.0, 2.0, 0.2, 0.1), settings(scale=0.5, shift=-0.1))
    result = pipeline.step(picture(), IDEAL, ALL)
    nan = float('nan')  # no inverse depth, and one below 0
    assert first_column(result, 4) == pytest.approx([2.5, 1.1111, nan, nan], nan_ok=True)
    assert result.reason_unknown == ''
    np.testing.assert_allclose(result.relative_inverse_depth[:4, 0], [1, 2, 0.2, 0.1])
    assert len(result.points) == WIDTH * HEIGHT / 2


def test_relative_network_without_scale_knows_no_depth() -> None:
    estimator = relative(0.0, 1.5, 10.0)
    result = Pipeline(estimator, settings()).step(picture(), IDEAL, ALL)
    assert np.isnan(result.depth).all()
    assert result.depth.shape == (HEIGHT, WIDTH)
    assert result.points is None
    assert 'set scale (and shift)' in result.reason_unknown
    np.testing.assert_array_equal(result.relative_inverse_depth[:3, 0], [0, 1.5, 10])
    expected = paint_relative(torch.tensor([[0.0, 1.5, 10.0]]))[0]
    np.testing.assert_array_equal(result.colormap[:3, 0], expected)
    idle = Pipeline(estimator, settings()).step(picture(), IDEAL, Output(0))
    assert idle.reason_unknown == result.reason_unknown


def test_floor_reaches_the_gate_whatever_lies_behind() -> None:
    """Edges are looked for before the range gate, which would make an end of the surface."""
    floor = Seen(lambda size: (3.0 / torch.arange(1.0, 61)).flip(0)[:, None].expand(size))
    made = PipelineSettings(max_depth=0.5, min_depth=0.01)
    result = Pipeline(floor, made).step(picture(), IDEAL, Output.DEPTH)
    # Row k below the horizon is 3 / k m away, 0.5 m at k = 6; rows run upside down here.
    assert np.isfinite(result.depth[:, 40]).tolist() == [60 - v >= 6 for v in range(60)]


def ramp(rows: int) -> Callable[[Size], torch.Tensor]:
    """Return a prediction of two surfaces, at 1 and 2 m, and so many rows between them.

    The edge filter removes these, and the first row behind them.
    """
    between = torch.linspace(1, 2, rows + 2)[1:-1]
    above, below = torch.full((30,), 1.0), torch.full((30 - rows,), 2.0)
    column = torch.cat((above, between, below))
    return lambda size: column[:, None].expand(size)


@pytest.mark.parametrize(('network_height', 'rows'), [(60, 1), (30, 3), (15, 7)])
def test_edge_filter_reaches_as_far_as_the_network_smears(network_height: int, rows: int) -> None:
    estimator = Seen(ramp(rows))
    estimator.network_size = lambda height, width: (network_height, 80)
    result = Pipeline(estimator, PipelineSettings()).step(picture(), IDEAL, Output.DEPTH)
    assert np.isnan(result.depth).any(axis=1).nonzero()[0].tolist() == [*range(30, 31 + rows)]


def test_edge_filter_is_applied() -> None:
    pipeline = Pipeline(Seen(ramp(1)), PipelineSettings())
    result = pipeline.step(picture(), IDEAL, Output.DEPTH | Output.POINTS)
    assert np.isnan(result.depth).any(axis=1).nonzero()[0].tolist() == [30, 31]
    assert len(result.points) == WIDTH * (HEIGHT - 2)


@pytest.mark.parametrize(
    ('kind', 'wrong'),
    [
        (PredictionKind.DEPTH, {'scale': 0.5}),
        (PredictionKind.DEPTH, {'shift': 0.5}),
        (PredictionKind.RELATIVE_INVERSE_DEPTH, {'depth_scale': 1.1}),
        (PredictionKind.RELATIVE_INVERSE_DEPTH, CORRECTED),
    ],
)
def test_scale_of_the_other_kind_is_refused(kind: PredictionKind, wrong: dict[str, float]) -> None:
    estimator = wall(1.0, kind=kind)
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        Pipeline(estimator, settings(**wrong))
    pipeline = Pipeline(estimator, settings())
    before = pipeline.settings
    with pytest.raises(SettingsError, match=next(iter(wrong))):
        pipeline.settings = settings(**wrong)
    assert pipeline.settings is before


def test_settings_apply_from_the_next_step() -> None:
    pipeline = Pipeline(rows(1.0), settings())

    def prediction(size: Size) -> torch.Tensor:
        pipeline.settings = settings(depth_scale=3.0, max_depth=2.0, output_scale=0.5)
        return torch.ones(size)

    pipeline.estimator = Seen(prediction)
    begun_before = pipeline.step(picture(), IDEAL, Output.DEPTH)
    assert (begun_before.depth == 1).all()
    assert begun_before.depth.shape == (HEIGHT, WIDTH)
    begun_after = pipeline.step(picture(), IDEAL, Output.DEPTH)
    assert np.isnan(begun_after.depth).all()
    assert begun_after.depth.shape == (HEIGHT // 2, WIDTH // 2)


@pytest.mark.parametrize(
    ('scale', 'size'), [(1.0, (60, 80)), (0.5, (30, 40)), (0.26, (16, 21)), (0.05, (3, 4))]
)
def test_output_scale(scale: float, size: Size) -> None:
    rgb = picture()
    made = settings(output_scale=scale, cloud=CloudSettings(organized=True))
    result = Pipeline(wall(2.0), made).step(rgb, IDEAL, ALL)
    assert result.depth.shape == result.points.shape[:2] == size
    assert result.color.shape == result.colormap.shape == (*size, 3)
    su, sv = size[1] / WIDTH, size[0] / HEIGHT
    assert dataclasses.astuple(result.camera) == pytest.approx(
        (size[1], size[0], 100 * su, 100 * sv, 40 * su - 0.5, 30 * sv - 0.5)
    )
    # The corners of the picture stay where they are in the room.
    left = result.points[0, 0, 0] - 0.5 / result.camera.fx * 2
    assert left == pytest.approx(-0.4 * 2, rel=1e-5)
    area = cv2.resize(rgb.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(result.color - area).max() <= 1, 'colors are averages'


def test_colors_of_points_are_those_of_the_smaller_picture() -> None:
    made = settings(output_scale=0.5, cloud=CloudSettings(organized=True))
    result = Pipeline(wall(2.0), made).step(picture(), IDEAL, Output.POINTS | Output.COLOR)
    bits = result.points[..., 3].copy().view(np.uint32)
    np.testing.assert_array_equal(bits, result.color.astype(np.uint32) @ (1 << 16, 1 << 8, 1))


def test_cloud_without_color() -> None:
    made = settings(cloud=CloudSettings(color=False))
    result = Pipeline(wall(2.0), made).step(picture(), IDEAL, Output.POINTS)
    assert result.points.shape == (HEIGHT * WIDTH, 3)


def test_no_camera_no_points_but_depth() -> None:
    result = Pipeline(wall(2.0), settings()).step(picture(), None, ALL)
    assert result.camera is None
    assert result.points is None
    assert (result.depth == 2).all()


def test_field_of_view_serves_where_no_calibration_comes() -> None:
    pipeline = Pipeline(wall(2.0), settings(fov_deg=90.0))
    guessed = pipeline.step(picture(), None, Output.POINTS)
    assert guessed.camera == PinholeCamera.from_fov(WIDTH, HEIGHT, 90.0)
    assert guessed.points[0, 0] == pytest.approx(-39.5 / 40 * 2)
    known = pipeline.step(picture(), IDEAL, Output.POINTS)
    assert known.camera.fx == 100, 'a calibration comes first'


def test_rectified_before_anything_else() -> None:
    u = np.linspace(20, 60, WIDTH).astype(np.uint8)
    rgb = np.broadcast_to(u[None, :, None], (HEIGHT, WIDTH, 3))
    result = Pipeline(Redness(), settings(rectify=True)).step(rgb, RAW, ALL)
    straight = Rectifier(RAW).rectify(torch.from_numpy(rgb.copy())).numpy()
    assert np.abs(straight.astype(int) - rgb).max() > 2
    np.testing.assert_array_equal(result.color, straight)
    seen = Rectifier(RAW).valid_mask(torch.ones(HEIGHT, WIDTH, dtype=torch.bool)).numpy()
    assert 0.5 < seen.mean() < 1, 'the raw image ends within the view'
    np.testing.assert_allclose(
        result.depth, np.where(seen, straight[..., 0] / 10, np.nan), rtol=1e-6
    )
    assert result.camera == PinholeCamera(WIDTH, HEIGHT, 90.0, 95.0, 38.0, 31.0)


def test_blind_pixels_are_unknown_to_all_that_follows(tmp_path: Path) -> None:
    blind = np.full((HEIGHT, WIDTH), 255, np.uint8)
    blind[:10] = 0
    path = str(tmp_path / 'robot.png')
    cv2.imwrite(path, blind)
    made = settings(mask=path, alignment=AlignmentSettings(source='depth'))
    pipeline = Pipeline(relative(1.0), made)
    pipeline.step(picture(), IDEAL, Output.DEPTH, stamp_ns=1)
    assert pipeline.scale.find(1).values[:10].isnan().all()
    assert (pipeline.scale.find(1).values[10:] == 1).all()
    cached = pipeline.predict(picture(), IDEAL, 2)
    assert cached.values[:10].isnan().all()
    pipeline.settings = settings(mask=path, scale=0.5)
    result = pipeline.step(picture(), IDEAL, ALL)
    assert np.isnan(result.depth[:10]).all()
    assert (result.depth[10:] == 2).all()
    assert len(result.points) == (HEIGHT - 10) * WIDTH
    assert (result.colormap[:10] == 0).all()
    assert np.isnan(result.relative_inverse_depth[:10]).all()
    np.testing.assert_array_equal(result.color, picture())
    pipeline.settings = settings(scale=0.5)
    assert np.isfinite(pipeline.step(picture(), IDEAL, ALL).depth).all()


def test_border_of_a_rectified_image_is_unknown() -> None:
    p = ((100.0, 0.0, 44.5, 0.0), (0.0, 100.0, 29.5, 0.0), (0.0, 0.0, 1.0, 0.0))
    moved = dataclasses.replace(IDEAL, P=p)
    result = Pipeline(wall(2.0), settings(rectify=True)).step(picture(), moved, ALL)
    assert np.isnan(result.depth[:, :5]).all()
    assert (result.depth[:, 5:] == 2).all()
    assert len(result.points) == HEIGHT * (WIDTH - 5)


def test_mask_that_cannot_be_read_makes_depth_unknown(tmp_path: Path) -> None:
    """Never depth without the mask: what it was to hide would count as seen."""
    path = tmp_path / 'robot.png'
    pipeline = Pipeline(wall(2.0), settings(mask=str(path)))
    for content, reason in ((None, 'does not exist'), (b'no picture', 'no picture')):
        if content is not None:
            path.write_bytes(content)
        pipeline.settings = settings(mask=str(path), min_depth=0.2 + len(reason))
        pipeline.settings = settings(mask=str(path))
        result = Pipeline(wall(2.0), pipeline.settings).step(picture(), IDEAL, ALL)
        assert np.isnan(result.depth).all()
        assert result.points is None
        assert reason in result.reason_unknown


@pytest.mark.parametrize(('rectify', 'calibration'), [(False, RAW), (True, IDEAL)])
def test_picture_taken_as_it_is(rectify: bool, calibration: CameraCalibration) -> None:
    rgb = picture()
    result = Pipeline(Redness(), settings(rectify=rectify)).step(rgb, calibration, Output.COLOR)
    np.testing.assert_array_equal(result.color, rgb)
    assert result.camera == calibration.rectified_camera()


def test_another_camera_gets_its_own_rectification() -> None:
    pipeline = Pipeline(Redness(), settings(rectify=True))
    other = dataclasses.replace(RAW, D=(0.3, 0.0, 0.0, 0.0, 0.0))
    rgb = picture()
    for lens in (RAW, other, RAW):
        result = pipeline.step(rgb, lens, Output.COLOR)
        expected = Rectifier(lens).rectify(torch.from_numpy(rgb)).numpy()
        np.testing.assert_array_equal(result.color, expected)


def test_calibration_of_another_size() -> None:
    with pytest.raises(CalibrationError, match=r'for 80x60 px and the image has 40x60 px'):
        Pipeline(wall(2.0), settings()).step(picture(60, 40), IDEAL, Output.DEPTH)


def test_unknown_lens() -> None:
    lens = dataclasses.replace(RAW, distortion_model='thin_lens')
    with pytest.raises(CalibrationError, match="'thin_lens'"):
        Pipeline(wall(2.0), settings(rectify=True)).step(picture(), lens, Output.DEPTH)


@pytest.mark.parametrize(
    ('image', 'complaint'),
    [
        (np.zeros((6, 8, 3), np.float32), r'image is float32 \(6, 8, 3\); it must be uint8'),
        (np.zeros((6, 8), np.uint8), r'image is uint8 \(6, 8\)'),
        (np.zeros((6, 8, 4), np.uint8), r'image is uint8 \(6, 8, 4\)'),
        (np.zeros((0, 8, 3), np.uint8), r'image is uint8 \(0, 8, 3\)'),
    ],
)
def test_bad_image(image: np.ndarray, complaint: str) -> None:
    with pytest.raises(ImageError, match=complaint):
        Pipeline(wall(2.0), settings()).step(image, None, Output.DEPTH)


def test_any_strides_and_read_only_memory() -> None:
    """As views of message buffers are: padded rows, channels backwards, not writeable."""
    wide = picture(HEIGHT, WIDTH + 7)
    frozen = np.frombuffer(wide.tobytes(), np.uint8).reshape(wide.shape)
    made = settings(cloud=CloudSettings(organized=True))
    pipeline = Pipeline(Redness(), made)
    whole = np.frombuffer(picture().tobytes(), np.uint8).reshape(HEIGHT, WIDTH, 3)
    views = wide[:, :WIDTH], wide[:, :WIDTH, ::-1], wide[::-1, 7:], frozen[:, :WIDTH], whole
    for view in views:
        before = view.copy()
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            result = pipeline.step(view, IDEAL, ALL)
        expected = pipeline.step(before, IDEAL, ALL)
        for name in ('depth', 'points', 'color', 'colormap'):
            one, other = getattr(result, name), getattr(expected, name)
            assert one.tobytes() == other.tobytes(), name
        np.testing.assert_array_equal(view, before)


@pytest.mark.parametrize(('height', 'width'), [(1, 1), (1, 2), (3, 1), (2, 31), (13, 17)])
def test_smallest_pictures_with_a_real_network(height: int, width: int) -> None:
    torch.manual_seed(0)
    network = DepthAnything(SMALL, max_depth=20.0)
    pipeline = Pipeline(TorchEstimator(network, CPU, input_size=14), settings(fov_deg=60.0))
    result = pipeline.step(picture(height, width), None, ALL)
    assert result.depth.shape == (height, width)
    assert np.isfinite(result.depth).all()
    assert len(result.points) == height * width
    tiny = dataclasses.replace(pipeline.settings, output_scale=0.05)
    pipeline.settings = tiny
    assert min(pipeline.step(picture(height, width), None, ALL).depth.shape) == 1


def test_unknown_prediction_is_unknown_everywhere() -> None:
    result = Pipeline(wall(float('nan')), PipelineSettings()).step(picture(), IDEAL, ALL)
    assert np.isnan(result.depth).all()
    assert result.points is None, 'an empty cloud would say that all is free'
    assert 'the network sees nothing' in result.reason_unknown
    assert (result.colormap == 0).all()


def test_threads_are_as_before_also_after_an_error() -> None:
    def prediction(size: Size) -> torch.Tensor:
        return torch.full((size[0], size[1] + 1), 2.0)

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        Pipeline(wall(2.0), settings()).step(picture(), IDEAL, ALL)
        assert torch.get_num_threads() == 2
        with pytest.raises(RuntimeError, match='size'):
            Pipeline(Seen(prediction), settings()).step(picture(), IDEAL, ALL)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
