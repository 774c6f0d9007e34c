"""A run over all inputs: what is written, what a failure costs, shards, resuming, scale."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from plyfile import PlyData
from recordings import camera_bag, color, image, info, write_bag

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import MonoDepthError, SettingsError
from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.offline.bag_camera import BagCamera
from mono_depth_ros.offline.bags import Bag
from mono_depth_ros.offline.chosen_camera import ChosenCamera
from mono_depth_ros.offline.estimation import Estimation, RunSummary, Shard
from mono_depth_ros.offline.images import ImageSource, ReadingSettings
from mono_depth_ros.offline.input_files import Pictures
from mono_depth_ros.offline.writers import OutputPlan

READING = ReadingSettings()

SCALED = PipelineSettings(scale=0.5, shift=0.05, fov_deg=60.0)


def pictures(folder: Path, count: int, *more: str) -> Pictures:
    """Write pictures and return them as a source, with others in their middle."""
    names = [f'p{i}' for i in range(count)]
    for i, name in enumerate(names):
        cv2.imwrite(str(folder / f'{name}.png'), color(i)[..., ::-1])
    names[1:1] = more
    return Pictures(tuple((folder / f'{name}.png', name) for name in names), READING)


def session(
    estimator: Estimator,
    out: Path,
    formats: tuple[str, ...] = (),
    settings: PipelineSettings = SCALED,
    **more: object,
) -> Estimation:
    out.mkdir(exist_ok=True)
    plan = OutputPlan(
        out,
        formats,
        (),
        is_metric=settings.scale > 0,
        has_camera=settings.fov_deg > 0 or 'camera' in more,
        settings=settings,
    )
    return Estimation(Pipeline(estimator, settings), plan, **more)


def run(chosen: Estimation, sources: Sequence[ImageSource | None]) -> RunSummary:
    return chosen.run(sources)


def names(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file())


def test_each_format_holds_what_the_pipeline_gives(tiny: Estimator, tmp_path: Path) -> None:
    picture = pictures(tmp_path, 1)
    out = tmp_path / 'out'
    formats = ('npy', 'png', 'color', 'panel', 'ply', 'preview')
    assert run(session(tiny, out, formats), [picture]).done == 1
    wanted = Output.DEPTH | Output.POINTS | Output.COLORMAP
    expected = Pipeline(tiny, SCALED).step(color(0), None, wanted)
    assert expected.depth is not None
    np.testing.assert_array_equal(np.load(out / 'p0_depth.npy'), expected.depth)
    millimeters = cv2.imread(str(out / 'p0_depth.png'), cv2.IMREAD_UNCHANGED)
    np.testing.assert_allclose(
        millimeters, np.nan_to_num(1000 * expected.depth), rtol=0, atol=0.501
    )
    colormap = cv2.imread(str(out / 'p0_colormap.png'))
    np.testing.assert_array_equal(colormap, expected.colormap)
    panel = cv2.imread(str(out / 'p0_panel.png'))
    for part in (np.ascontiguousarray(color(0)[..., ::-1]), colormap):
        inner = np.ascontiguousarray(part[4:-4, 4:-4])
        assert cv2.matchTemplate(panel, inner, cv2.TM_CCOEFF_NORMED).max() > 0.9
    vertices = PlyData.read(str(out / 'p0_points.ply'))['vertex']
    np.testing.assert_array_equal(vertices['z'], expected.points[:, 2])
    assert cv2.imread(str(out / 'p0_points.png')).std() > 10
    assert len(names(out)) == len(formats)


def test_without_a_scale_only_relative_outputs_are_written(
    tiny: Estimator, tmp_path: Path
) -> None:
    picture = pictures(tmp_path, 1)
    out = tmp_path / 'out'
    assert run(session(tiny, out, settings=PipelineSettings(fov_deg=60.0)), [picture]).done == 1
    assert names(out) == ['p0_colormap.png', 'p0_relative_inverse_depth.npy']
    relative = np.load(out / 'p0_relative_inverse_depth.npy')
    expected = Pipeline(tiny, SCALED).step(color(0), None, Output.RELATIVE_INVERSE_DEPTH)
    np.testing.assert_array_equal(relative, expected.relative_inverse_depth)
    with pytest.raises(SettingsError, match=r'png, ply need meters, .*--scale'):
        session(tiny, out, ('png', 'color', 'ply'), PipelineSettings())


def test_points_are_usual_where_there_is_a_calibration(tiny: Estimator, tmp_path: Path) -> None:
    chosen = [pictures(tmp_path, 1)]
    run(session(tiny, tmp_path / 'a'), chosen)
    assert names(tmp_path / 'a') == ['p0_colormap.png', 'p0_depth.npy', 'p0_points.ply']
    run(session(tiny, tmp_path / 'b', settings=replace(SCALED, fov_deg=0.0)), chosen)
    assert names(tmp_path / 'b') == ['p0_colormap.png', 'p0_depth.npy']
    explicit = session(tiny, tmp_path / 'c', ('ply',), replace(SCALED, fov_deg=0.0))
    ((_, reason),) = run(explicit, chosen).failures
    assert 'ply need a calibration: give --calibration, --focal or --fov' in reason


def test_a_bad_image_costs_itself_alone(tiny: Estimator, tmp_path: Path) -> None:
    source = pictures(tmp_path, 2, 'zero', 'one', 'long')
    (tmp_path / 'zero.png').touch()
    cv2.imwrite(str(tmp_path / 'one.png'), np.zeros((1, 1, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'long.png'), np.zeros((20, 900, 3), np.uint8))
    summary = run(session(tiny, tmp_path / 'out', ('npy',)), [None, source])
    assert summary.done == 2
    assert [name for name, _ in summary.failures] == ['zero', 'one', 'long']
    reasons = ('is empty', 'image is 1x1 px; depth needs at least', 'differ more than 16 times')
    for (_, reason), expected in zip(summary.failures, reasons, strict=True):
        assert expected in reason
    assert names(tmp_path / 'out') == ['p0_depth.npy', 'p1_depth.npy']


def test_results_that_cannot_be_written_end_the_run(tiny: Estimator, tmp_path: Path) -> None:
    picture = pictures(tmp_path, 1)
    chosen = session(tiny, tmp_path / 'out', ('npy',))
    (tmp_path / 'out').rmdir()
    (tmp_path / 'out').touch()
    with pytest.raises(
        MonoDepthError, match=r'p0_depth\.npy cannot be written: File exists; what'
    ):
        run(chosen, [picture])


def test_shards_are_disjoint_and_complete() -> None:
    shards = [Shard(number, 3) for number in (1, 2, 3)]
    for source in range(5):
        for number in range(7):
            assert sum(shard.takes(source, number) for shard in shards) == 1
    taken = [sum(shard.takes(source, 0) for source in range(30)) for shard in shards]
    assert taken == [10, 10, 10]


def test_shards_share_pictures_and_bags(tiny: Estimator, tmp_path: Path) -> None:
    sources = [
        pictures(tmp_path, 3),
        BagCamera(camera_bag(tmp_path / 'ride'), 'ride', READING),
    ]
    done = []
    for number in (1, 2):
        chosen = session(tiny, tmp_path / f'out{number}', ('npy',), shard=Shard(number, 2))
        done.append(run(chosen, sources).done)
    assert done == [3, 3]
    written = [set(names(tmp_path / f'out{number}')) for number in (1, 2)]
    assert not written[0] & written[1]
    assert len(written[0] | written[1]) == 6


def test_resuming_leaves_what_is_there(tiny: Estimator, tmp_path: Path) -> None:
    sources = [pictures(tmp_path, 3)]
    out = tmp_path / 'out'
    run(session(tiny, out, ('npy',)), sources)
    (out / 'p1_depth.npy').unlink()
    (out / 'p2_depth.npy').write_bytes(b'left alone')
    summary = run(session(tiny, out, ('npy',), resume=True), sources)
    assert (summary.done, summary.skipped) == (1, 2)
    assert (out / 'p2_depth.npy').read_bytes() == b'left alone'
    assert np.isfinite(np.load(out / 'p1_depth.npy')).any()


def test_a_calibration_of_another_size_is_scaled(tiny: Estimator, tmp_path: Path) -> None:
    picture = pictures(tmp_path, 1)
    k = ((600.0, 0.0, 319.5), (0.0, 600.0, 239.5), (0.0, 0.0, 1.0))
    eye = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    calibration = CameraCalibration(
        640, 480, k, (), 'plumb_bob', eye, tuple((*row, 0.0) for row in k)
    )
    run(
        session(tiny, tmp_path / 'out', ('ply', 'npy'), camera=ChosenCamera(calibration)),
        [picture],
    )
    vertices = PlyData.read(str(tmp_path / 'out' / 'p0_points.ply'))['vertex']
    depth = np.load(tmp_path / 'out' / 'p0_depth.npy')
    v, u = np.nonzero(np.isfinite(depth))
    np.testing.assert_allclose(vertices['x'], (u - 31.5) / 60 * depth[v, u], rtol=1e-4, atol=1e-6)


def test_a_focal_length_is_a_calibration(tiny: Estimator, tmp_path: Path) -> None:
    picture = pictures(tmp_path, 1)
    settings = replace(SCALED, fov_deg=0.0)
    run(
        session(tiny, tmp_path / 'out', ('ply',), settings, camera=ChosenCamera(focal_px=32.0)),
        [picture],
    )
    vertices = PlyData.read(str(tmp_path / 'out' / 'p0_points.ply'))['vertex']
    half_width = np.abs(vertices['x'] / vertices['z']).max()
    assert half_width == pytest.approx(math.tan(math.radians(45)), rel=0.02)


def test_a_focal_length_in_millimeters_is_refused(tiny: Estimator, tmp_path: Path) -> None:
    chosen = session(tiny, tmp_path / 'out', ('npy',), camera=ChosenCamera(focal_px=1.0))
    ((_, reason),) = run(chosen, [pictures(tmp_path, 1)]).failures
    assert reason.startswith('--focal 1 is a focal length of 1 px: a view 176 degrees wide')
    assert 'it must be in pixels' in reason


def test_a_bag_whose_camera_info_is_refused_says_why(tiny: Estimator, tmp_path: Path) -> None:
    wrong = info(0, PinholeCamera(64, 48, 1.0, 1.0, 0.0, 0.0))
    topics = {'/cam/camera_info': [wrong], '/cam/image_raw': [image(1, color(1), 'rgb8')]}
    source = BagCamera(write_bag(tmp_path / 'ride', topics), 'ride', READING)
    summary = run(session(tiny, tmp_path / 'out', ('npy',)), [source])
    assert summary.done == 1
    assert any('camera_info is not used: K is the identity' in note for note in summary.notes)


def test_large_images_are_reduced_and_noted(tiny: Estimator, tmp_path: Path) -> None:
    pictures(tmp_path, 1)
    summary = run(
        session(tiny, tmp_path / 'out', ('npy',)),
        [Pictures(((tmp_path / 'p0.png', 'p0'),), ReadingSettings(max_side=32))],
    )
    assert np.load(tmp_path / 'out' / 'p0_depth.npy').shape == (24, 32)
    assert any('--max-size' in note for note in summary.notes)


def test_formats_that_a_source_cannot_be_are_said(tiny: Estimator, tmp_path: Path) -> None:
    ((_, reason),) = run(
        session(tiny, tmp_path / 'out', ('bag',)), [pictures(tmp_path, 1)]
    ).failures
    assert 'of a picture no bag can be made' in reason


def test_images_of_a_bag_without_calibration_have_no_points(
    tiny: Estimator, tmp_path: Path
) -> None:
    bag = write_bag(tmp_path / 'ride', {'/cam/image_raw': [image(0, color(0), 'rgb8')]})
    chosen = session(tiny, tmp_path / 'out', settings=replace(SCALED, fov_deg=0.0))
    summary = run(chosen, [BagCamera(bag, 'ride', READING)])
    assert summary.done == 1
    assert any('no calibration, so no points' in note for note in summary.notes)
    made = Bag(tmp_path / 'out' / 'ride_depth')
    assert set(made.topics) == {'/cam/image_raw', '/mono_depth/depth/image_rect'}


def test_a_preview_comes_on_top_of_what_is_usual(tiny: Estimator, tmp_path: Path) -> None:
    ride = BagCamera(camera_bag(tmp_path / 'ride', 1), 'ride', READING)
    bare = replace(SCALED, fov_deg=0.0)
    plan = OutputPlan(
        tmp_path / 'out', (), ('preview',), is_metric=True, has_camera=False, settings=bare
    )
    summary = run(Estimation(Pipeline(tiny, bare), plan), [ride, pictures(tmp_path, 1)])
    assert summary.done == 1
    assert 'preview need a calibration' in summary.failures[0][1]
    written = names(tmp_path / 'out')
    assert [name for name in written if 'metadata' not in name] == [
        'ride/1600000000_000000000_points.png',
        'ride_depth/ride_depth.mcap',
    ]
