"""Alignment in the running node: late measurements, aging, recovery, and what is refused."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from harness import (
    FOCAL_PX,
    FRAME_ID,
    Graph,
    Mailbox,
    Running,
    camera,
    header,
    image,
    info_for,
    scene,
    wait_until,
)
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.settings import parameter_table
from mono_depth_ros.ros.messages import depth_to_image, float_to_image
from mono_depth_ros.ros.node_settings import NodeSettings
from mono_depth_ros.ros.source_stream import SourceStream

SCALE, SHIFT = 1.5, -0.5
BASELINE_M = 0.25
HEIGHT, WIDTH = scene().shape[:2]
_moments = itertools.count(600, 10)
Step = Callable[..., Result]


PARAMETERS = {
    'alignment.source': 'disparity',
    'alignment.max_residual': 0.5,
    'edge_filter.enabled': False,
}


@pytest.fixture(autouse=True)
def fresh(node: Running) -> Iterator[None]:
    yield
    defaults = {'alignment__max_age': 2.0, 'alignment__method': 'robust'}
    assert node.set(alignment__source='disparity', **defaults) == ''
    service = node.topic('~/reset_alignment')
    assert node.graph.call(Trigger, service, Trigger.Request()).success


def seen(second: int, nanosec: int = 0) -> tuple[Image, CameraInfo]:
    stamp = Time(sec=second, nanosec=nanosec)
    msg = image(scene(), Header(stamp=stamp, frame_id=FRAME_ID))
    return msg, info_for(msg, camera(HEIGHT, WIDTH))


def disparity(
    relative: np.ndarray, head: Header, every: int = 1, **changes: float
) -> DisparityImage:
    """Return the disparity of a world in which SCALE and SHIFT hold, of every n-th pixel."""
    f, t = changes.get('f', FOCAL_PX / every), changes.get('t', BASELINE_M)
    inverse_depth = SCALE * relative[every // 2 :: every, every // 2 :: every] + SHIFT
    values = (inverse_depth * FOCAL_PX / every * BASELINE_M).astype(np.float32)
    return DisparityImage(header=head, image=float_to_image(values, head), f=f, t=t)


def depth_of(msg: Image) -> np.ndarray:
    return np.frombuffer(msg.data, np.float32).reshape(msg.height, msg.width)


def show(node: Running, depths: Mailbox, second: int, nanosec: int = 0) -> np.ndarray:
    """Send an image and return the depth it gets."""
    msg, info = seen(second, nanosec)
    node.send(info, msg)
    return depth_of(depths.of(msg))


def measure(
    node: Running, depths: Mailbox, fits: Mailbox, second: int, message: DisparityImage | Image
) -> dict[str, str]:
    """Send a measurement, and an image after it that has it fitted; return what became of it."""
    name = 'disparity' if isinstance(message, DisparityImage) else 'registered_depth'
    node.settle()  # the worker has looked for a measurement, and does not take this one early
    node.publisher(name, type(message)).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the measurement there')
    show(node, depths, second, 500_000_000)
    status = fits.of(message).status[0]
    return {'message': status.message} | {pair.key: pair.value for pair in status.values}


def test_a_message_of_another_source_while_that_changes_costs_itself_only(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    """The executor has subscribed already when the worker learns of the other source."""
    msg, _ = seen(90)
    lost, shared = node.statistics.refused, node.node.shared
    node.settle()
    followed = shared.streams
    shared.follow(followed | {'depth': SourceStream('depth', '/registered_depth')})
    shared.put_measurement('depth', depth_to_image(1 / (SCALE * relative + SHIFT), msg.header))
    show(node, depths, 90)
    node.settle()
    assert node.statistics.refused == lost
    assert not shared.has_measurement
    shared.follow(followed)
    assert measure(node, depths, fits, 91, disparity(relative, seen(91)[0].header))


def test_a_late_disparity_makes_the_next_frame_metric(
    node: Running, depths: Mailbox, clouds: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    assert np.isnan(show(node, depths, 100)).all()
    msg, _ = seen(100)
    fit = measure(node, depths, fits, 100, disparity(relative, msg.header))
    assert fit['message'] == 'aligned'
    assert float(fit['scale']) == pytest.approx(SCALE, rel=0.02)
    assert float(fit['shift [1/m]']) == pytest.approx(SHIFT, rel=0.05)
    depth = show(node, depths, 101)
    truth = 1 / (SCALE * relative + SHIFT)
    known = np.isfinite(depth)
    assert known.mean() > 0.9
    np.testing.assert_allclose(depth[known], truth[known], rtol=0.02)
    later, _ = seen(101)
    assert clouds.of(later).width > 0.9 * HEIGHT * WIDTH


@pytest.mark.parametrize('method', ['robust', 'least_squares', 'min_max'])
@pytest.mark.parametrize('every', [1, 2])
def test_every_method_takes_disparity_of_another_size(
    node: Running,
    depths: Mailbox,
    fits: Mailbox,
    relative: np.ndarray,
    method: str,
    every: int,
) -> None:
    second = next(_moments)
    assert node.set(alignment__method=method) == ''
    show(node, depths, second)
    msg, _ = seen(second)
    fit = measure(node, depths, fits, second, disparity(relative, msg.header, every))
    assert fit['message'] == 'aligned'
    assert float(fit['scale']) == pytest.approx(SCALE, rel=0.03)


def test_every_parameter_of_the_alignment_changes_while_the_node_is_active(
    node: Running, depths: Mailbox
) -> None:
    table = [row for row in parameter_table(NodeSettings()) if row.name.startswith('alignment.')]
    assert len(table) == 17
    for row in table:
        before = node.get(row.name)
        others = [choice for choice in row.info.choices if choice != before]
        if row.name == 'alignment.source':
            others = ['none', 'depth']  # the floor needs a height first
        if row.name == 'alignment.camera_pitch_from':
            others = ['imu']
        if row.name == 'alignment.fixed_frame':
            others = ['map']
        if row.name == 'alignment.sensor_pose':
            others = ['0 -0.2 -0.1 0.5 -0.5 0.5 0.5']
        if not others:
            others = [type(row.default)(0.5 * (before + row.info.limits[1]))]
        for other in others:
            assert node.set(**{row.name.replace('.', '__'): other}) == '', row.name
            node.settle()
            assert node.get(row.name) == other
        assert node.set(**{row.name.replace('.', '__'): before}) == ''


def test_a_registered_depth_image_does_the_same(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    assert node.set(alignment__source='depth') == ''
    show(node, depths, 200)
    msg, _ = seen(200)
    measured = (1 / (SCALE * relative + SHIFT)).astype(np.float32)
    measured[::2] = np.nan
    fit = measure(node, depths, fits, 200, depth_to_image(measured, msg.header, '16UC1'))
    assert fit['message'] == 'aligned'
    assert float(fit['scale']) == pytest.approx(SCALE, rel=0.03)


def test_without_measurements_depth_holds_for_max_age_and_recovers(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    show(node, depths, 300)
    msg, _ = seen(300)
    measure(node, depths, fits, 300, disparity(relative, msg.header))
    assert np.isfinite(show(node, depths, 302)).any()
    assert np.isnan(show(node, depths, 302, 1_000_000)).all()
    node.logged('the alignment is 2.0 s old; alignment.max_age is 2.0 s')
    msg, _ = seen(302, 1_000_000)
    measure(node, depths, fits, 302, disparity(relative, msg.header))
    assert np.isfinite(show(node, depths, 303)).any()


@pytest.mark.parametrize('model', ['global', 'local', 'fused'])
def test_a_timely_disparity_is_fitted_once(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray, model: str
) -> None:
    assert node.set(alignment__model=model, alignment__refit_period=0.0) == ''
    second = next(_moments)
    msg, _ = seen(second)
    node.settle()
    message = disparity(relative, msg.header)
    node.publisher('disparity', DisparityImage).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the measurement there')
    assert np.isfinite(show(node, depths, second)).any()
    show(node, depths, second + 1)
    later, _ = seen(second + 1)
    measure(node, depths, fits, second + 1, disparity(relative, later.header))
    stamps = [fit.header.stamp for fit in fits.all()]
    assert stamps.count(message.header.stamp) == 1
    assert stamps.count(later.header.stamp) == 1
    assert node.set(alignment__model='fused', alignment__refit_period=0.2) == ''


def test_who_listens_to_fits_alone_gets_them(
    graph: Graph, weights: Path, relative: np.ndarray
) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'alignment.source': 'disparity',
        'alignment.max_residual': 0.5,
    }
    node = graph.start(parameters).until('active')
    fits = node.listen('~/alignment', DiagnosticArray)
    msg, info = seen(100)
    node.send(info, msg)
    node.until_seen(msg)
    message = disparity(relative, msg.header)
    node.publisher('disparity', DisparityImage).publish(message)
    wait_until(lambda: node.node.shared.has_measurement, 'the measurement there')
    later, info = seen(100, 500_000_000)
    node.send(info, later)
    values = {pair.key: pair.value for pair in fits.of(message).status[0].values}
    assert float(values['scale']) == pytest.approx(SCALE, rel=0.02)
    assert node.statistics.processed == 0
    node.close()


def test_stamps_that_jump_back_start_anew(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    show(node, depths, 400)
    msg, _ = seen(400)
    measure(node, depths, fits, 400, disparity(relative, msg.header))
    assert np.isfinite(show(node, depths, 401)).any()
    assert np.isnan(show(node, depths, 350)).all()


def test_the_source_is_switched_live(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    assert node.set(alignment__source='none') == ''
    assert np.isnan(show(node, depths, 500)).all()
    assert node.set(alignment__source='disparity') == ''
    show(node, depths, 501)
    msg, _ = seen(501)
    assert (
        measure(node, depths, fits, 501, disparity(relative, msg.header))['message'] == 'aligned'
    )


@pytest.mark.parametrize(
    ('changes', 'reason'),
    [
        ({'t': 0.0}, 't = 0.0'),
        ({'t': -0.1}, 't = -0.1'),
        ({'f': float('nan')}, 'f = nan'),
        ({'f': 2 * FOCAL_PX}, 'has f/width = 1.2500 and the image 0.6250, another field of view'),
    ],
)
def test_a_disparity_that_cannot_be_is_refused_by_its_value(
    node: Running,
    depths: Mailbox,
    fits: Mailbox,
    relative: np.ndarray,
    changes: dict[str, float],
    reason: str,
) -> None:
    second = next(_moments)
    show(node, depths, second)
    msg, _ = seen(second)
    fit = measure(node, depths, fits, second, disparity(relative, msg.header, **changes))
    assert reason in fit['message']
    assert 'scale' not in fit


def test_a_disparity_of_another_shape_is_refused_with_both_sizes(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    second = next(_moments)
    show(node, depths, second)
    msg, _ = seen(second)
    fit = measure(node, depths, fits, second, disparity(relative[:64], msg.header))
    assert 'disparity is 128x64 px and the image 128x96 px, another aspect' in fit['message']


def test_another_frame_name_is_warned_of_once(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    for second in (next(_moments), next(_moments)):
        show(node, depths, second)
        msg, _ = seen(second)
        other = Header(stamp=msg.header.stamp, frame_id='left_camera')
        assert measure(node, depths, fits, second, disparity(relative, other))['message'] == (
            'aligned'
        )
    assert len(node.lines("measurements are in frame 'left_camera', images in")) == 1


def test_a_measurement_of_no_image_is_refused_by_its_stamp(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    show(node, depths, 700)
    fit = measure(node, depths, fits, 700, disparity(relative, header(Time(sec=699))))
    assert 'no image has the stamp' in fit['message']


@pytest.mark.parametrize('wrong', ['d', 'r', 'p'])
def test_a_raw_image_is_not_aligned(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray, wrong: str
) -> None:
    second = next(_moments)
    msg, info = seen(second)
    if wrong == 'd':
        info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    elif wrong == 'r':
        info.r = [1.0, 0.0, 0.0, 0.0, 0.8, -0.6, 0.0, 0.6, 0.8]
    else:
        info.p[0] *= 0.9
    node.send(info, msg)
    depths.of(msg)
    fit = measure(node, depths, fits, second, disparity(relative, msg.header))
    assert 'distortion, a rotation or K other than P' in fit['message']
    assert 'set rectify to true if the image is raw, assume_rectified' in fit['message']


def test_image_that_is_rectified_already_is_aligned_beside_the_raw_camera_info(
    node: Running, depths: Mailbox, fits: Mailbox, relative: np.ndarray
) -> None:
    assert node.set(assume_rectified=True) == ''
    assert 'rectify and assume_rectified are both true' in node.set(rectify=True)
    second = next(_moments)
    msg, info = seen(second)
    info.d = [0.1, 0.0, 0.0, 0.0, 0.0]
    node.send(info, msg)
    depths.of(msg)
    fit = measure(node, depths, fits, second, disparity(relative, msg.header))
    assert fit['message'] == 'aligned'
    assert node.set(assume_rectified=False) == ''
