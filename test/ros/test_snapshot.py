"""The service ~/snapshot: one frame's results as files that say the same as the messages."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from harness import Graph, Running, camera, image, info_for, picture, wait_until
from plyfile import PlyData
from rclpy.parameter import Parameter

from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.ros.snapshot import SnapshotRequests

PARAMETERS = {'scale': 1.0}


def test_before_any_frame_it_says_so(node: Running) -> None:
    answer = node.snapshot()
    assert not answer.success
    assert 'no frame has come yet' in answer.message


def test_without_calibration_all_but_the_cloud_is_saved(node: Running, tmp_path: Path) -> None:
    assert node.set(snapshot_folder=str(tmp_path)) == ''
    sent = image()
    node.send(sent)
    node.until_seen(sent)
    answer = node.snapshot()
    assert answer.success
    assert 'no cloud without camera_info or fov_deg' in answer.message
    stem = f'{sent.header.stamp.sec}_125000000'
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [f'{stem}_color.png', f'{stem}_depth.npy', f'{stem}_depth.png']


def test_files_hold_the_latest_frame(
    node: Running, tmp_path: Path, step: Callable[..., Result]
) -> None:
    folder = tmp_path / 'made' / 'on demand'
    assert node.set(snapshot_folder=str(folder)) == ''
    rgb = picture(seed=10)
    sent = image(rgb)
    node.send(info_for(sent), sent)
    node.until_seen(sent)
    answer = node.snapshot()
    assert answer.success, answer.message
    assert str(folder) in answer.message
    stem = folder / f'{sent.header.stamp.sec}_125000000'
    assert len(list(folder.iterdir())) == 4

    expected = step(rgb, info_for(sent), scale=1.0)
    depth = np.load(f'{stem}_depth.npy')
    np.testing.assert_allclose(depth, expected.depth, rtol=1e-5)
    millimeters = cv2.imread(f'{stem}_depth.png', cv2.IMREAD_UNCHANGED)
    assert millimeters.dtype == np.uint16
    np.testing.assert_array_equal(millimeters, np.rint(1000 * np.nan_to_num(depth)))
    bgr = cv2.imread(f'{stem}_color.png')
    np.testing.assert_array_equal(bgr[..., ::-1], rgb)
    vertices = PlyData.read(f'{stem}_points.ply')['vertex']
    known = np.isfinite(depth)
    _, u = np.nonzero(known)
    np.testing.assert_array_equal(vertices['z'], depth[known])
    x = (u - camera().cx) / camera().fx * depth[known]
    np.testing.assert_allclose(vertices['x'], x, rtol=1e-4, atol=1e-5)
    colors = np.stack([vertices[name] for name in ('red', 'green', 'blue')], axis=-1)
    np.testing.assert_array_equal(colors, rgb[known])


def test_folder_that_cannot_be_written_is_named(node: Running, tmp_path: Path) -> None:
    blocker = tmp_path / 'file'
    blocker.write_text('')
    assert node.set(snapshot_folder=str(blocker / 'below')) == ''
    sent = image()
    node.send(sent)
    node.until_seen(sent)
    answer = node.snapshot()
    assert not answer.success
    assert f'cannot write the snapshot to {blocker}/below' in answer.message


@pytest.mark.parametrize(
    'folder', ['', '~nouser/x', 'x' * 5000, 'a\0b'], ids=['empty', 'no user', 'long', 'NUL']
)
def test_folder_that_no_path_can_name_is_refused(node: Running, folder: str) -> None:
    parameter = Parameter('snapshot_folder', value=folder)
    result = node.spun.do(lambda: node.node.set_parameters([parameter])[0])
    assert not result.successful
    assert result.reason.startswith('snapshot_folder is ')
    assert node.node.failure == ''


def test_many_requests_at_once_are_all_answered(node: Running, tmp_path: Path) -> None:
    assert node.set(snapshot_folder=str(tmp_path)) == ''
    sent = image()
    node.send(sent)
    node.until_seen(sent)
    with node.held():
        # Nobody takes them meanwhile: the executor stands still, too.
        answers = node.spun.do(lambda: [node.ask_snapshot() for _ in range(40)])
    assert all(answer().success for answer in answers)
    assert any(tmp_path.iterdir())


def test_many_requests_that_wait_in_vain_are_all_answered(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'autostart': False,
    }
    node = graph.start(parameters)
    answers = [node.ask_snapshot() for _ in range(40)]
    assert {answer().message for answer in answers} == {
        'no frame has come yet; is the node active and the camera on?'
    }
    node.close()


def test_more_requests_than_anybody_sends_are_refused() -> None:
    requests = [Future() for _ in range(101)]
    waiting = SnapshotRequests()
    for request in requests:
        waiting.add(request)
    assert [request.done() for request in requests] == [False] * 100 + [True]
    assert '100 snapshots wait already' in str(requests[-1].exception())


def test_node_stays_responsive_while_a_snapshot_waits(node: Running, tmp_path: Path) -> None:
    assert node.set(snapshot_folder=str(tmp_path)) == ''
    sent = image()
    node.send(sent)
    node.until_seen(sent)
    with node.held():
        answer = node.ask_snapshot()
        wait_until(lambda: node.node.worker.waiting_calls >= 1, 'the request')
        assert node.get('max_depth', timeout_s=5.0) == 80.0
        received = node.received
        node.send(image())
        node.until_received(received + 1)
    assert answer(timeout_s=5.0).success


def test_answer_waits_for_no_other_event(node: Running, tmp_path: Path) -> None:
    """The diagnostics wake the executor once a second; ten answers must not take ten of them."""
    assert node.set(snapshot_folder=str(tmp_path)) == ''
    sent = image()
    node.send(sent)
    node.until_seen(sent)
    reports = node.listen('/diagnostics', DiagnosticArray)
    for _ in range(10):
        assert node.snapshot().success
    assert len(reports.all()) < 7
