"""New bags: old messages as they were, depth beside them, and going on after a stop."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recordings import CAMERA, camera_bag, color, depths, image, stamp
from rosbags.rosbag2 import StoragePlugin

from mono_depth_ros.core.network.estimator import Estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings
from mono_depth_ros.offline.bag_camera import BagCamera
from mono_depth_ros.offline.bags import Bag
from mono_depth_ros.offline.estimation import Estimation, RunSummary, Shard
from mono_depth_ros.offline.images import LazyFrame, ReadingSettings
from mono_depth_ros.offline.writers import OutputPlan

READING = ReadingSettings()

SCALED = PipelineSettings(scale=0.5, shift=0.05)
STORAGES = [StoragePlugin.MCAP, StoragePlugin.SQLITE3]


class StopError(Exception):
    """What ends a run from outside, such as Ctrl-C."""


class StoppedSource(BagCamera):
    """A bag during whose reading somebody stops the run."""

    after = 0

    def items(self) -> Iterator[LazyFrame]:
        for i, item in enumerate(super().items()):
            if i == self.after:
                raise StopError
            yield item


def run(
    estimator: Estimator,
    source: BagCamera,
    out: Path,
    settings: PipelineSettings = SCALED,
    **more: object,
) -> RunSummary:
    part = '_2_of_2' if 'shard' in more else ''
    plan = OutputPlan(
        out,
        (),
        (),
        is_metric=settings.scale > 0,
        has_camera=False,
        settings=settings,
        part=part,
    )
    return Estimation(Pipeline(estimator, settings), plan, **more).run([source])


def content(path: Path) -> dict[str, list[tuple[int, bytes]]]:
    bag = Bag(path)
    return {
        topic: [(recorded.logged_ns, recorded.raw) for recorded in bag.messages(topic)]
        for topic in bag.topics
    }


@pytest.mark.parametrize('storage', STORAGES)
def test_depth_lies_beside_the_old_topics(
    tiny: Estimator, tmp_path: Path, storage: StoragePlugin
) -> None:
    extra = {'right/image_raw': [image(i, color(9), 'rgb8') for i in range(2)]}
    old = camera_bag(tmp_path / 'ride', 3, storage, **extra)
    assert run(tiny, BagCamera(old, 'ride', READING, '/cam/image_raw'), tmp_path / 'out').done == 3
    new = tmp_path / 'out' / 'ride_depth'
    assert [path.suffix for path in new.iterdir() if path.suffix != '.yaml'] == [
        '.mcap' if storage is StoragePlugin.MCAP else '.db3'
    ]
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['ride_depth']
    before, after = content(old), content(new)
    assert {topic: after[topic] for topic in before} == before
    ours = [f'/mono_depth/{name}' for name in ('depth/camera_info', 'depth/image_rect', 'points')]
    assert sorted(set(after) - set(before)) == ours
    assert all(
        [moment for moment, _ in after[topic]] == [stamp(i) for i in range(3)] for topic in ours
    )

    bag = Bag(new)
    expected = Pipeline(tiny, SCALED).step(
        color(1), bag.calibration('/cam/image_raw'), Output.DEPTH | Output.POINTS, stamp(1)
    )
    moment, depth = depths(bag, ours[1])[1]
    assert moment == stamp(1)
    np.testing.assert_array_equal(depth, expected.depth)
    calibration = bag.calibration(ours[1])
    assert calibration is not None
    assert calibration.rectified_camera() == CAMERA
    cloud = list(bag.messages(ours[2]))[1].message()
    assert (cloud.header.frame_id, cloud.height, cloud.point_step) == ('camera', 1, 16)
    assert [field.name for field in cloud.fields] == ['x', 'y', 'z', 'rgb']
    np.testing.assert_array_equal(cloud.data.view(np.float32).reshape(-1, 4), expected.points)


def test_rclpy_reads_what_was_written(tiny: Estimator, tmp_path: Path) -> None:
    serialization = pytest.importorskip('rclpy.serialization', reason='needs rclpy')
    messages = pytest.importorskip('sensor_msgs.msg', reason='needs sensor_msgs')
    run(tiny, BagCamera(camera_bag(tmp_path / 'ride'), 'ride', READING), tmp_path / 'out')
    bag = Bag(tmp_path / 'out' / 'ride_depth')
    for recorded in bag.messages(*(t for t in bag.topics if t.startswith('/mono_depth/'))):
        kind = getattr(messages, recorded.msgtype.rpartition('/')[2])
        message = serialization.deserialize_message(recorded.raw, kind)
        assert message.header.frame_id == 'camera'
        assert message.header.stamp.sec == recorded.stamp_ns // 1_000_000_000
        if kind is messages.PointCloud2:
            assert len(message.data) == message.row_step == 16 * message.width
        elif kind is messages.Image:
            assert (message.encoding, message.step) == ('32FC1', 4 * 64)
        else:
            assert message.k[0] == CAMERA.fx


def test_without_a_scale_there_is_no_depth_in_it(tiny: Estimator, tmp_path: Path) -> None:
    source = BagCamera(camera_bag(tmp_path / 'ride'), 'ride', READING)
    run(tiny, source, tmp_path / 'out', PipelineSettings())
    bag = Bag(tmp_path / 'out' / 'ride_depth')
    ours = sorted(topic for topic in bag.topics if topic.startswith('/mono_depth/'))
    assert ours == ['/mono_depth/depth/colormap', '/mono_depth/relative_inverse_depth']


def test_a_second_run_over_its_own_result_takes_another_name(
    tiny: Estimator, tmp_path: Path
) -> None:
    run(tiny, BagCamera(camera_bag(tmp_path / 'ride'), 'ride', READING), tmp_path / 'out')
    again = BagCamera(tmp_path / 'out' / 'ride_depth', 'again', READING, '/cam/image_raw')
    run(tiny, again, tmp_path / 'out')
    topics = Bag(tmp_path / 'out' / 'again_depth').topics
    assert topics['/mono_depth/points'].count == topics['/mono_depth_2/points'].count == 3


@pytest.mark.parametrize('storage', STORAGES)
def test_what_was_stopped_goes_on_without_computing_again(
    tiny: Estimator, tmp_path: Path, storage: StoragePlugin
) -> None:
    old = camera_bag(tmp_path / 'ride', 5, storage)
    whole = tmp_path / 'whole'
    run(tiny, BagCamera(old, 'ride', READING), whole)
    out = tmp_path / 'out'
    for after, done, skipped in ((2, 2, 0), (1, 0, 1), (4, 2, 2)):
        source = StoppedSource(old, 'ride', READING)
        source.after = after
        plan = OutputPlan(out, (), (), is_metric=True, has_camera=False, settings=SCALED)
        session = Estimation(Pipeline(tiny, SCALED), plan, resume=True)
        with pytest.raises(StopError):
            session.run([source])
        assert (session.summary.done, session.summary.skipped) == (done, skipped)
        assert [path.name for path in out.iterdir()] == ['.ride_depth.part']
    summary = run(tiny, BagCamera(old, 'ride', READING), out, resume=True)
    assert (summary.done, summary.skipped) == (1, 4)
    assert content(out / 'ride_depth') == content(whole / 'ride_depth')
    assert [path.name for path in out.iterdir()] == ['ride_depth']
    summary = run(tiny, BagCamera(old, 'ride', READING), out, resume=True)
    assert (summary.done, summary.skipped) == (0, 5)


def test_a_shard_holds_its_depth_alone(tiny: Estimator, tmp_path: Path) -> None:
    old = camera_bag(tmp_path / 'ride', 5)
    run(tiny, BagCamera(old, 'ride', READING), tmp_path / 'out', shard=Shard(2, 2))
    bag = Bag(tmp_path / 'out' / 'ride_depth_2_of_2')
    assert all(topic.startswith('/mono_depth/') for topic in bag.topics)
    moments = [moment for moment, _ in depths(bag, '/mono_depth/depth/image_rect')]
    assert moments == [stamp(1), stamp(3)]


def test_a_folder_that_is_no_bag_is_left_alone(tiny: Estimator, tmp_path: Path) -> None:
    theirs = tmp_path / 'out' / 'ride_depth'
    theirs.mkdir(parents=True)
    source = BagCamera(camera_bag(tmp_path / 'ride'), 'ride', READING)
    ((_, reason),) = run(tiny, source, tmp_path / 'out').failures
    assert 'was not written by `mono_depth estimate`' in reason
    theirs.rmdir()
    camera_bag(theirs, 5)
    ((_, reason),) = run(tiny, source, tmp_path / 'out').failures
    assert 'was not written by `mono_depth estimate`; move it away' in reason
    assert Bag(theirs).topics['/cam/image_raw'].count == 5


def test_an_earlier_result_is_replaced(tiny: Estimator, tmp_path: Path) -> None:
    run(tiny, BagCamera(camera_bag(tmp_path / 'ride', 3), 'ride', READING), tmp_path / 'out')
    run(tiny, BagCamera(camera_bag(tmp_path / 'other', 2), 'ride', READING), tmp_path / 'out')
    assert Bag(tmp_path / 'out' / 'ride_depth').topics['/mono_depth/points'].count == 2
