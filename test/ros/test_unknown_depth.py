"""Unknown is not free: what the node says, and keeps to itself, while depth has no scale."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Graph, Running, image, info_for, picture
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mono_depth_ros.core.pipeline import Result


@pytest.fixture(scope='module')
def node(graph: Graph, weights: Path) -> Running:
    """A relative network that was not told a scale."""
    return graph.start(
        {'encoder': 'tiny', 'variant': 'relative', 'checkpoint': str(weights)}
    ).until('active')


def plane(msg: Image, channels: tuple[int, ...] = (), dtype: str = '<f4') -> np.ndarray:
    return np.frombuffer(msg.data, dtype).reshape(msg.height, msg.width, *channels)


def test_without_a_scale_no_point_is_published_until_one_is_set(
    node: Running, step: Callable[..., Result]
) -> None:
    depths = node.listen('~/depth/image_rect', Image)
    relatives = node.listen('~/relative_inverse_depth', Image)
    colormaps = node.listen('~/depth/colormap', Image)
    infos = node.listen('~/depth/camera_info', CameraInfo)
    clouds = node.listen('~/points', PointCloud2)
    free = node.listen('~/points_clearing', PointCloud2)
    reports = node.listen('/diagnostics', DiagnosticArray)
    rgb = picture(seed=9)
    expected = step(rgb)

    blind = [image(rgb) for _ in range(3)]
    for sent in blind:
        node.send(info_for(sent), sent)
        assert np.isnan(plane(depths.of(sent))).all()
        relative = plane(relatives.of(sent))
        np.testing.assert_allclose(relative, expected.relative_inverse_depth, rtol=1e-5)
        assert relative.max() > 0
        painted = plane(colormaps.of(sent), (3,), 'u1').astype(int)
        assert np.abs(painted - expected.colormap).max() <= 4
        assert painted.max() > 0
        infos.of(sent)

    def unknown(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        return status.level == DiagnosticStatus.ERROR and 'set scale' in status.message

    reports.wait(unknown)
    assert 'set scale' in node.logged('depth is not known').msg
    assert len(node.lines('depth is not known')) == 1

    assert node.set(scale=1.0) == ''
    seeing = image(rgb)
    node.send(info_for(seeing), seeing)
    cloud = clouds.of(seeing)
    depth = plane(depths.of(seeing))
    np.testing.assert_allclose(depth, step(rgb, scale=1.0).depth, rtol=1e-5)
    assert cloud.width == np.isfinite(depth).sum() > 0
    free.of(seeing)
    assert [clouds.has(sent) for sent in blind] == [False] * 3
    assert [free.has(sent) for sent in blind] == [False] * 3
    reports.wait(lambda msg: msg.status[0].level == DiagnosticStatus.OK)

    assert node.set(scale=0.0) == ''
    again = image(rgb)
    node.send(info_for(again), again)
    assert np.isnan(plane(depths.of(again))).all()
    infos.of(again)
    assert not clouds.has(again)
    assert not free.has(again)


def test_snapshot_is_refused_without_a_scale(node: Running, tmp_path: Path) -> None:
    assert node.set(scale=0.0, snapshot_folder=str(tmp_path)) == ''
    sent = image()
    node.send(info_for(sent), sent)
    node.until_seen(sent)
    answer = node.snapshot()
    assert not answer.success
    assert 'depth is not known' in answer.message
    assert 'set scale' in answer.message
    assert list(tmp_path.iterdir()) == []
