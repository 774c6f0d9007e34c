"""The Python interface, as a user of the library calls it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from plyfile import PlyData

from mono_depth_ros import MonoDepth, PinholeCamera
from mono_depth_ros.core.errors import (
    AlignmentError,
    CalibrationError,
    ImageError,
    MonoDepthError,
    PointsError,
    SettingsError,
)
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.outputs.cloud import CloudSettings
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings
from mono_depth_ros.core.pipeline import PipelineSettings
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.scale.sensor_pose import parse_pose
from mono_depth_ros.core.scale.stereo_matching import match_disparity
from mono_depth_ros.core.types import PredictionKind
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.rig import StereoFrame, StereoRig

ROOT = Path(__file__).resolve().parents[1]
SMALL_CAMERA = PinholeCamera(160, 120, 100.0, 100.0, 79.5, 59.5)
WHOLE = PipelineSettings(edge_filter=EdgeFilterSettings(enabled=False))
"""Without holes, so that every pixel can be compared."""


CAMERA = PinholeCamera(640, 480, 500.0, 500.0, 319.5, 239.5)


@pytest.fixture(scope='module')
def pair() -> StereoFrame:
    """Return a stereo pair of a simulated room, 640x480."""
    drive = Drive(seed=2)
    return StereoRig(CAMERA, baseline_m=0.12).capture(drive.scene, drive.pose_at(3.0))


@pytest.fixture(scope='module')
def image(pair: StereoFrame) -> np.ndarray:
    """Return (120, 160, 3) uint8: the left image, small."""
    return cv2.resize(pair.left.numpy(), (160, 120), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope='module')
def relative() -> MonoDepth:
    return MonoDepth('tiny', 'relative', settings=WHOLE)


@pytest.fixture(scope='module')
def prediction(relative: MonoDepth, image: np.ndarray) -> np.ndarray:
    found = relative(image).relative_inverse_depth
    assert found is not None
    return found


def test_a_relative_network_says_that_it_knows_no_meters(
    relative: MonoDepth, image: np.ndarray
) -> None:
    depth = relative(image, fov_deg=70)
    assert relative.kind is PredictionKind.RELATIVE_INVERSE_DEPTH
    assert not depth.is_metric
    assert 'set scale' in depth.reason_unknown
    assert depth.depth.shape == (120, 160)
    assert np.isnan(depth.depth).all()
    assert depth.points is None
    assert depth.colors is None
    assert depth.alignment is None
    relative_inverse_depth = depth.relative_inverse_depth
    assert relative_inverse_depth.dtype == np.float32
    assert np.isfinite(relative_inverse_depth).all()
    assert relative_inverse_depth.max() > 2 * relative_inverse_depth.min()


def test_scale_and_shift_make_it_meters(image: np.ndarray, prediction: np.ndarray) -> None:
    depth = MonoDepth('tiny', scale=0.4, shift=0.1, settings=WHOLE)(image)
    assert depth.is_metric
    expected = 1 / (0.4 * prediction + 0.1)
    np.testing.assert_allclose(depth.depth, expected, rtol=1e-4)
    assert (depth.alignment.scale, depth.alignment.shift) == (0.4, 0.1)


def test_points_lie_where_camera_and_depth_say(image: np.ndarray) -> None:
    camera = PinholeCamera(160, 120, 150.0, 140.0, 81.0, 58.0)
    depth = MonoDepth('tiny', scale=0.4, shift=0.1, settings=WHOLE)(image, camera=camera)
    assert depth.camera == camera
    v, u = np.mgrid[0:120, 0:160]
    x = (u - 81) / 150 * depth.depth
    y = (v - 58) / 140 * depth.depth
    expected = np.stack((x, y, depth.depth), -1).reshape(-1, 3)
    np.testing.assert_allclose(depth.points, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(depth.colors, image.reshape(-1, 3))
    np.testing.assert_array_equal(depth.rgb, image)


def test_ply_holds_points_and_colors(image: np.ndarray, tmp_path: Path) -> None:
    mono = MonoDepth('tiny', scale=0.4, shift=0.1, settings=WHOLE)
    depth = mono(image, fov_deg=90)
    depth.write_ply(tmp_path / 'room.ply')
    vertices = PlyData.read(tmp_path / 'room.ply')['vertex'].data
    np.testing.assert_array_equal([vertices[c] for c in 'xyz'], depth.points.T)
    columns = [vertices[c] for c in ('red', 'green', 'blue')]
    np.testing.assert_array_equal(columns, image.reshape(-1, 3).T)
    with pytest.raises(CalibrationError, match='give camera or fov_deg'):
        mono(image).write_ply(tmp_path / 'room.ply')


def test_a_height_gate_needs_to_know_the_height_of_the_camera(
    image: np.ndarray, tmp_path: Path
) -> None:
    gated = replace(WHOLE, cloud=CloudSettings(min_height=0.1, max_height=0.8))
    depth = MonoDepth('tiny', scale=0.4, shift=0.1, settings=gated)(image, fov_deg=90)
    assert depth.points is None
    with pytest.raises(CalibrationError, match=r'need alignment\.camera_height'):
        depth.write_ply(tmp_path / 'room.ply')
    mounted = replace(gated, alignment=AlignmentSettings(camera_height=1.0))
    points = MonoDepth('tiny', scale=0.4, shift=0.1, settings=mounted)(image, fov_deg=90).points
    height = 1.0 - points[:, 1]
    assert len(points) > 1000
    assert height.min() >= 0.1 - 1e-6
    assert height.max() <= 0.8 + 1e-6


def test_field_of_view_serves_as_camera(image: np.ndarray) -> None:
    mono = MonoDepth('tiny', scale=0.4, shift=0.1, settings=WHOLE)
    assert mono(image).points is None
    depth = mono(image, fov_deg=90)
    assert (depth.camera.fx, depth.camera.fy) == pytest.approx((80, 80))
    assert (depth.camera.cx, depth.camera.cy) == (79.5, 59.5)
    assert depth.points.shape == (160 * 120, 3)


def test_arrays_of_any_strides_and_tensors_are_alike(
    relative: MonoDepth, image: np.ndarray, prediction: np.ndarray
) -> None:
    bgr = image[..., ::-1].copy()
    frozen = image.copy()
    frozen.setflags(write=False)
    planes = torch.from_numpy(image).permute(2, 0, 1).contiguous()
    for same in (bgr[..., ::-1], frozen, torch.from_numpy(image), planes.permute(1, 2, 0)):
        np.testing.assert_array_equal(relative(same).relative_inverse_depth, prediction)
    swapped = relative(bgr).relative_inverse_depth
    assert np.abs(swapped - prediction).max() > 1e-3


def test_alignment_to_a_matched_pair(pair: StereoFrame) -> None:
    disparity = match_disparity(pair.left, pair.right)
    mono, truth = MonoDepth('tiny', 'relative'), pair.depth.numpy()
    found = mono(pair.left, disparity=disparity, focal_px=500, baseline_m=0.12)
    error = np.abs(found.depth - truth) / truth
    assert np.nanmedian(error) < 0.05
    # Matched at half the size, it says the same.
    halves = [
        torch.from_numpy(cv2.resize(i.numpy(), (320, 240), interpolation=cv2.INTER_AREA))
        for i in (pair.left, pair.right)
    ]
    half = mono(pair.left, disparity=match_disparity(*halves), camera=CAMERA, baseline_m=0.12)
    assert half.alignment.scale == pytest.approx(found.alignment.scale, rel=0.1)
    assert np.nanmedian(np.abs(half.depth - truth) / truth) < 0.05
    # It belongs to this image alone.
    assert not mono(pair.left).is_metric


def test_alignment_to_measured_depth(
    relative: MonoDepth, image: np.ndarray, prediction: np.ndarray
) -> None:
    truth = 1 / (0.3 * prediction + 0.2)
    sparse = np.where(np.random.default_rng(0).random(truth.shape) < 0.2, truth, np.nan)
    for measured in (sparse, torch.from_numpy(sparse)):
        found = relative(image, measured_depth=measured, fov_deg=60)
        np.testing.assert_allclose(found.depth, truth, rtol=0.02)
        assert found.points is not None


def test_focal_length_comes_from_the_camera(
    relative: MonoDepth, image: np.ndarray, prediction: np.ndarray
) -> None:
    camera = PinholeCamera(160, 120, 100.0, 100.0, 79.5, 59.5)
    disparity = 100 * 0.2 * (0.4 * prediction + 0.1)
    found = relative(image, camera=camera, disparity=disparity, baseline_m=0.2)
    assert found.alignment.scale == pytest.approx(0.4, rel=0.02)
    with pytest.raises(CalibrationError, match='another field of view'):
        relative(image, camera=camera, disparity=disparity, baseline_m=0.2, focal_px=200)
    with pytest.raises(CalibrationError, match=r'focal_px is 0\.0 and baseline_m 0\.2'):
        relative(image, disparity=disparity, baseline_m=0.2)


def seen_points(prediction: np.ndarray, scale: float = 0.3, shift: float = 0.2) -> np.ndarray:
    """Return (N, 3) [m], a point for each pixel: 1/Z = scale prediction + shift."""
    depth = 1 / (scale * prediction.astype(np.float64) + shift)
    x, y = SMALL_CAMERA.rays().numpy()
    return np.stack((x * depth, y * depth, depth), axis=-1).reshape(-1, 3)


def test_alignment_to_points_of_a_sensor_beside_the_camera(
    image: np.ndarray, prediction: np.ndarray
) -> None:
    camera, points = SMALL_CAMERA, seen_points(prediction)[::4]
    alignment = AlignmentSettings(sensor_pose='0 -0.1 0 0.5 -0.5 0.5 0.5', max_residual=0.5)
    mono = MonoDepth('tiny', 'relative', settings=replace(WHOLE, alignment=alignment))
    # x forward, y left, z up, 0.1 m above the camera.
    forward, left, up = points[:, 2], -points[:, 0], -(points[:, 1] + 0.1)
    of_sensor = np.stack((forward, left, up), axis=1)
    found = mono(image, camera=camera, points=of_sensor)
    assert found.alignment.scale == pytest.approx(0.3, rel=0.02)
    assert found.alignment.shift == pytest.approx(0.2, rel=0.05)
    with pytest.raises(AlignmentError, match='publish camera_info, or set fov_deg'):
        mono(image, points=of_sensor)
    with pytest.raises(PointsError, match=r'points have shape \(160, 2\); it must be \(N, 3\)'):
        mono(image, camera=camera, points=np.ones((160, 2)))
    with pytest.raises(PointsError, match=r'give \(N, 3\)'):
        mono(image, camera=camera, points=[[1.0, 2.0, 3.0], [1.0, 2.0]])


def test_several_measure_together_and_what_is_not_used_is_told(
    image: np.ndarray, prediction: np.ndarray
) -> None:
    points = seen_points(prediction)[::4]
    sparse = np.full((120, 160), np.nan, np.float32)
    sparse[::8, ::8] = 1 / (0.3 * prediction[::8, ::8] + 0.2)
    mono = MonoDepth('tiny', 'relative', settings=replace(WHOLE, alignment=AlignmentSettings()))
    both = mono(image, camera=SMALL_CAMERA, points=points, measured_depth=sparse)
    assert both.alignment.scale == pytest.approx(0.3, rel=0.02)
    assert both.left_out == {}
    far = mono(image, camera=SMALL_CAMERA, points=1000 * points, measured_depth=sparse)
    assert far.alignment.scale == pytest.approx(0.3, rel=0.02)
    assert list(far.left_out) == ['points']
    assert 'points are in millimeters' in far.left_out['points']


def test_points_come_as_array_tensor_list_or_file(
    image: np.ndarray, prediction: np.ndarray, tmp_path: Path
) -> None:
    points = seen_points(prediction)[::4]
    np.c_[points, np.ones(len(points))].astype('<f4').tofile(tmp_path / 'scan.bin')
    alignment = AlignmentSettings(max_residual=0.5)
    mono = MonoDepth('tiny', 'relative', settings=replace(WHOLE, alignment=alignment))
    moved = points - (0.0, 0.0, 0.5)
    given = (points, torch.from_numpy(points), points.tolist(), tmp_path / 'scan.bin')
    forms = [*((form, '') for form in given), (str(tmp_path / 'scan.bin'), '')]
    for form, pose in [*forms, (moved, '0 0 0.5 0 0 0 1')]:
        found = mono(image, camera=SMALL_CAMERA, points=form, sensor_pose=pose)
        assert found.alignment.scale == pytest.approx(0.3, rel=0.02)
        assert found.alignment.shift == pytest.approx(0.2, rel=0.05)
    with pytest.raises(SettingsError, match='give seven numbers'):
        mono(image, camera=SMALL_CAMERA, points=points, sensor_pose='0 0 0.5')
    with pytest.raises(PointsError, match=r'scan\.txt is none of'):
        mono(image, camera=SMALL_CAMERA, points='scan.txt')


@pytest.mark.parametrize('model', ['global', 'local', 'fused'])
def test_every_model_takes_every_source(
    image: np.ndarray, prediction: np.ndarray, model: str
) -> None:
    inverse_depth = 1.5 * prediction.astype(np.float64) + 0.1
    alignment = AlignmentSettings(model=model, max_residual=0.5)
    mono = MonoDepth('tiny', 'relative', settings=replace(WHOLE, alignment=alignment))
    for measured in (
        {'disparity': inverse_depth * SMALL_CAMERA.fx * 0.1, 'baseline_m': 0.1},
        {'measured_depth': 1 / inverse_depth},
        {'points': seen_points(prediction, 1.5, 0.1)},
    ):
        found = mono(image, camera=SMALL_CAMERA, **measured)
        known = np.isfinite(found.depth)
        assert known.mean() > 0.95
        np.testing.assert_allclose(found.depth[known], 1 / inverse_depth[known], rtol=0.02)


def test_what_cannot_be_fitted_is_an_error(relative: MonoDepth, image: np.ndarray) -> None:
    with pytest.raises(AlignmentError, match='0 measured points'):
        relative(image, measured_depth=np.full((120, 160), np.nan))
    with pytest.raises(ImageError, match=r'disparity has shape \(120,\)'):
        relative(image, disparity=np.ones(120), focal_px=1, baseline_m=1)


@pytest.mark.parametrize('dtype', [np.int16, np.uint16, np.int32, np.uint8])
def test_integers_have_no_unit(relative: MonoDepth, image: np.ndarray, dtype: type) -> None:
    """StereoSGBM.compute returns 256 for 16 px, a depth camera 1500 for 1.5 m."""
    counts = np.full((120, 160), 100, dtype)
    with pytest.raises(
        ImageError, match=r'disparity is torch\.u?int.* usually 1/16 px .StereoSGBM'
    ):
        relative(image, disparity=counts, focal_px=100, baseline_m=0.1)
    with pytest.raises(ImageError, match=r'measured_depth is torch\.u?int.* usually 0\.001 m'):
        relative(image, measured_depth=torch.from_numpy(counts.astype(np.int16)))


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (lambda image: image.astype(np.float32) / 255, 'image is float32; it must be uint8'),
        (lambda image: image[..., 0], r'shape \(120, 160\); it must be \(H, W, 3\)'),
        (lambda image: image.transpose(2, 0, 1), 'channels first'),
        (lambda image: torch.from_numpy(image).permute(2, 0, 1), r'image\.permute\(1, 2, 0\)'),
        (lambda image: np.dstack((image, image[..., :1])), r'shape \(120, 160, 4\)'),
        (lambda image: image[:0], r'shape \(0, 160, 3\)'),
        (lambda image: 'photo.jpg', 'image is <U9'),
    ],
)
def test_other_images_are_refused(relative, image, change, reason: str) -> None:  # noqa: ANN001
    with pytest.raises(ImageError, match=reason):
        relative(change(image))


def test_settings_that_do_not_belong_are_refused_before_anything_is_loaded() -> None:
    with pytest.raises(SettingsError, match=r'depth_scale is 1\.1'):
        MonoDepth('tiny', 'relative', depth_scale=1.1)
    with pytest.raises(SettingsError, match='which belong to a relative network'):
        MonoDepth('vits', 'metric_indoor', scale=0.4)
    with pytest.raises(MonoDepthError, match='no variant'):
        MonoDepth('tiny', 'metric_outdoor')


def test_the_embedded_network_gives_meters_where_the_camera_is_known(image: np.ndarray) -> None:
    mono = MonoDepth('tiny', settings=WHOLE)
    assert mono.kind is PredictionKind.DEPTH
    near, far = (mono(image, fov_deg=fov).depth for fov in (90, 50))
    ratio = np.tan(np.radians(45)) / np.tan(np.radians(25))
    np.testing.assert_allclose(far / near, np.full_like(near, ratio), rtol=1e-3)
    assert MonoDepth('tiny', depth_scale=2.0, settings=WHOLE)(image, fov_deg=90).depth == (
        pytest.approx(2 * near, rel=1e-3)
    )
    assert 'needs the focal length of the camera' in mono(image).reason_unknown
    measured = mono(image, measured_depth=near).depth
    np.testing.assert_allclose(measured, near, rtol=0.02)
    assert MonoDepth('tiny', scale=0.4).kind is PredictionKind.RELATIVE_INVERSE_DEPTH


def test_camera_of_another_image(relative: MonoDepth, image: np.ndarray) -> None:
    camera = PinholeCamera(320, 240, 200.0, 200.0, 159.5, 119.5)
    with pytest.raises(CalibrationError, match='calibration is for 320x240 px'):
        relative(image, camera=camera)


def test_outputs_may_be_smaller(image: np.ndarray) -> None:
    mono = MonoDepth('tiny', scale=0.4, shift=0.1, settings=replace(WHOLE, output_scale=0.5))
    depth = mono(image, fov_deg=90)
    assert depth.depth.shape == (60, 80)
    assert depth.rgb.shape == (60, 80, 3)
    assert depth.camera.width == 80
    assert (depth.camera.fx, depth.camera.cx) == pytest.approx((40, 39.5))


def test_import_stays_light() -> None:
    code = (
        'import sys, mono_depth_ros; assert "MonoDepth" in dir(mono_depth_ros);'
        'heavy = {"torch", "numpy", "cv2"} & set(sys.modules); assert not heavy, heavy;'
        'from mono_depth_ros import MonoDepth; assert "torch" in sys.modules;'
        'assert "rclpy" not in sys.modules'
    )
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)


def test_unknown_names_are_no_attributes() -> None:
    import mono_depth_ros

    with pytest.raises(AttributeError, match='nothing_such'):
        _ = mono_depth_ros.nothing_such


def documented_code() -> str:
    """Return the code blocks of docs/python.md, one after the other."""
    blocks = (ROOT / 'docs' / 'python.md').read_text().split('```python\n')[1:]
    return '\n'.join(block.partition('```')[0] for block in blocks)


def test_example_of_the_documentation_runs(
    tmp_path: Path,
    pair: StereoFrame,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the embedded network where the text has one that is downloaded."""
    code = documented_code()
    for asked, embedded in (
        ("encoder='vits', variant='metric_indoor'", "encoder='tiny', scale=0.23, shift=0.04"),
        ("encoder='vits', variant='relative'", "encoder='tiny', variant='relative'"),
    ):
        assert code.count(asked) == 1
        code = code.replace(asked, embedded)
    for name, view in (
        ('photo.jpg', pair.left),
        ('left.png', pair.left),
        ('right.png', pair.right),
    ):
        cv2.imwrite(str(tmp_path / name), view.numpy()[..., ::-1])
    depth = pair.depth.numpy()[::8, ::4]
    x, y = PinholeCamera.from_fov(640, 480, 70).rays().numpy()[:, ::8, ::4]
    points = np.stack((x * depth, y * depth, depth), axis=-1).reshape(-1, 3)
    pose = parse_pose('0 -0.2 -0.1 0.5 -0.5 0.5 0.5')
    of_sensor = (points - pose.position) @ pose.rotation
    write_ply(tmp_path / 'scan.ply', of_sensor.astype(np.float32))
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(compile(code, 'docs/python.md', 'exec'), names)
    assert capsys.readouterr().out.startswith('True (480, 640)\n')
    vertices = PlyData.read(tmp_path / 'photo.ply')['vertex'].data
    assert len(vertices) > 200_000
    assert vertices.dtype.names == ('x', 'y', 'z', 'red', 'green', 'blue')
    truth = pair.depth.numpy()
    assert np.nanmedian(np.abs(names['depth'].depth - truth) / truth) < 0.05
