"""The whole path: messages in over DDS, messages out, with the values that they must have."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from frames import message_bytes
from harness import Graph, Mailbox, Running, camera, image, info_for, picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2

from mono_depth_ros.core.pipeline import Result

SCALE = 1.0
Step = Callable[..., Result]


PARAMETERS = {'scale': SCALE}


@pytest.fixture(scope='module')
def colors(node: Running) -> Mailbox:
    return node.listen('~/color/image_rect', Image)


@pytest.fixture
def restore(node: Running) -> Iterator[None]:
    yield
    defaults = {'output_scale': 1.0, 'rectify': False, 'cloud__organized': False}
    assert node.set(depth_encoding='32FC1', **defaults) == ''


def plane(msg: Image, dtype: str = '<f4') -> np.ndarray:
    assert msg.step == msg.width * np.dtype(dtype).itemsize
    assert len(msg.data) == msg.step * msg.height
    assert not msg.is_bigendian
    return np.frombuffer(msg.data, dtype).reshape(msg.height, msg.width)


def rgb_of(msg: Image) -> np.ndarray:
    assert msg.encoding == 'rgb8'
    return np.frombuffer(msg.data, np.uint8).reshape(msg.height, msg.width, 3)


def test_depth_is_what_the_pipeline_computes(node: Running, depths: Mailbox, step: Step) -> None:
    sent = image(picture(seed=1))
    node.send(info_for(sent), sent)
    msg = depths.of(sent)
    expected = step(picture(seed=1), scale=SCALE).depth
    assert msg.encoding == '32FC1'
    np.testing.assert_allclose(plane(msg), expected, rtol=1e-5)
    assert np.isfinite(expected).mean() > 0.3
    assert np.ptp(expected[np.isfinite(expected)]) > 1e-3


def test_every_output_has_the_header_of_the_image_verbatim(node: Running) -> None:
    boxes = [
        node.listen(f'~/{name}', kind)
        for name, kind in (
            ('depth/image_rect', Image),
            ('depth/camera_info', CameraInfo),
            ('depth/colormap', Image),
            ('color/image_rect', Image),
            ('color/camera_info', CameraInfo),
            ('relative_inverse_depth', Image),
            ('points', PointCloud2),
        )
    ]
    sent = image()
    sent.header.frame_id = 'left/eye optical'
    info = info_for(sent)
    info.header.frame_id = 'another'
    node.send(info, sent)
    assert [box.of(sent).header for box in boxes] == [sent.header] * 7


def test_camera_info_of_outputs_of_the_same_size(node: Running, infos: Mailbox) -> None:
    sent, source = image(), camera()
    node.send(info_for(sent, source), sent)
    msg = infos.of(sent)
    assert (msg.width, msg.height) == (64, 48)
    assert list(msg.k) == [80, 0, 35, 0, 84, 22, 0, 0, 1]
    assert list(msg.p) == [80, 0, 35, 0, 0, 84, 22, 0, 0, 0, 1, 0]
    assert list(msg.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert not any(msg.d)


@pytest.mark.usefixtures('restore')
def test_outputs_of_half_the_size_and_their_camera(
    node: Running, depths: Mailbox, infos: Mailbox, colors: Mailbox, step: Step
) -> None:
    assert node.set(output_scale=0.5) == ''
    rgb = picture(seed=2)
    sent = image(rgb)
    node.send(info_for(sent), sent)
    info, depth = infos.of(sent), plane(depths.of(sent))
    assert (info.width, info.height) == (32, 24)
    # f' = s f, c' = s (c + 1/2) - 1/2
    assert list(info.k) == [40, 0, 17.25, 0, 42, 10.75, 0, 0, 1]
    assert (info.roi.width, info.binning_x) == (0, 0)
    assert depth.shape == (24, 32)
    np.testing.assert_allclose(depth, step(rgb, scale=SCALE, output_scale=0.5).depth, rtol=1e-5)
    means = rgb.reshape(24, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(rgb_of(colors.of(sent)) - means).max() <= 0.5


def test_points_lie_on_the_rays_of_their_pixels(
    node: Running, depths: Mailbox, clouds: Mailbox
) -> None:
    rgb, source = picture(seed=3), camera()
    sent = image(rgb)
    node.send(info_for(sent, source), sent)
    msg, depth = clouds.of(sent), plane(depths.of(sent))
    known = np.isfinite(depth)
    v, u = np.nonzero(known)
    z = depth[known].astype(float)
    assert [(f.name, f.offset, f.datatype, f.count) for f in msg.fields] == [
        (name, 4 * i, 7, 1) for i, name in enumerate(('x', 'y', 'z', 'rgb'))
    ]
    assert (msg.height, msg.width, msg.is_dense) == (1, known.sum(), True)
    assert len(msg.data) == msg.width * msg.point_step == msg.row_step
    points = np.frombuffer(msg.data, '<f4').reshape(-1, 4)
    rays = np.stack([(u - source.cx) / source.fx, (v - source.cy) / source.fy, np.ones_like(z)])
    np.testing.assert_allclose(points[:, :3], (rays * z).T, rtol=2e-5, atol=1e-6)
    r, g, b = rgb[known].astype(np.uint32).T
    np.testing.assert_array_equal(points[:, 3].copy().view(np.uint32), r << 16 | g << 8 | b)


@pytest.mark.usefixtures('restore')
def test_organized_cloud_keeps_the_image_grid(
    node: Running, depths: Mailbox, clouds: Mailbox
) -> None:
    assert node.set(cloud__organized=True) == ''
    sent = image(picture(seed=4))
    node.send(info_for(sent), sent)
    msg, depth = clouds.of(sent), plane(depths.of(sent))
    assert (msg.height, msg.width, msg.is_dense) == (48, 64, False)
    points = np.frombuffer(msg.data, '<f4').reshape(48, 64, 4)
    np.testing.assert_array_equal(points[..., 2], depth)


@pytest.mark.usefixtures('restore')
def test_depth_in_millimeters(node: Running, depths: Mailbox, step: Step) -> None:
    assert node.set(depth_encoding='16UC1') == ''
    sent = image(picture(seed=5))
    node.send(info_for(sent), sent)
    msg = depths.of(sent)
    meters = step(picture(seed=5), scale=SCALE).depth
    assert msg.encoding == '16UC1'
    values = plane(msg, '<u2')
    np.testing.assert_array_equal(values == 0, np.isnan(meters))
    assert np.abs(values - 1000 * np.nan_to_num(meters)).max() <= 0.51


@pytest.mark.usefixtures('restore')
def test_raw_image_is_rectified_for_every_output(
    node: Running, depths: Mailbox, infos: Mailbox, colors: Mailbox, step: Step
) -> None:
    assert node.set(rectify=True) == ''
    rgb = picture(seed=11)
    sent = image(rgb)
    info = info_for(sent)
    info.d = [-0.3, 0.1, 0.0, 0.0, 0.0]
    node.send(info, sent)
    expected = step(rgb, info, scale=SCALE, rectify=True)
    np.testing.assert_array_equal(rgb_of(colors.of(sent)), expected.color)
    assert (expected.color != rgb).mean() > 0.1
    np.testing.assert_allclose(plane(depths.of(sent)), expected.depth, rtol=1e-5)
    msg = infos.of(sent)
    assert list(msg.p) == list(info.p)
    assert list(msg.k) == [80, 0, 35, 0, 84, 22, 0, 0, 1]
    assert not any(msg.d)


def message(encoding: str, samples: np.ndarray, padding: int = 0, big: bool = False) -> Image:
    """Return samples (H, W, ...) as a message whose rows end in `padding` bytes of rubbish."""
    msg = image()
    msg.height, msg.width = samples.shape[:2]
    rows = samples.reshape(msg.height, -1).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=0xA5)
    msg.encoding, msg.is_bigendian, msg.step = encoding, int(big), padded.shape[1]
    msg.data = message_bytes(padded)
    return msg


def flat(*sample: int, dtype: str = 'u1') -> np.ndarray:
    return np.broadcast_to(np.array(sample, dtype), (48, 64, len(sample))).copy()


def bayer_rggb(r: int, g: int, b: int) -> np.ndarray:
    return np.tile(np.array([[r, g], [g, b]], np.uint8), (24, 32))


def yuyv(y: int, u: int, v: int) -> np.ndarray:
    return np.tile(np.array([[[y, u], [y, v]]], np.uint8), (48, 32, 1))


# Colors after ITU-R BT.601; 0x8000 / 0xffff * 255 = 127.5.
@pytest.mark.parametrize(
    ('sent', 'rgb', 'tolerance'),
    [
        (message('bgr8', flat(30, 60, 200), padding=5), (200, 60, 30), 0),
        (message('bgra8', flat(30, 60, 200, 9)), (200, 60, 30), 0),
        (message('bayer_rggb8', bayer_rggb(200, 100, 50), padding=3), (200, 100, 50), 0),
        (message('yuv422_yuy2', yuyv(81, 90, 240)), (255, 0, 0), 2),
        (message('mono16', flat(0x8000, dtype='>u2'), big=True), (127.5,) * 3, 0.5),
        (message('mono8', flat(77)), (77, 77, 77), 0),
    ],
    ids=lambda value: value.encoding if isinstance(value, Image) else '',
)
def test_encodings_reach_the_network_as_rgb(
    node: Running,
    depths: Mailbox,
    colors: Mailbox,
    step: Step,
    sent: Image,
    rgb: tuple[float, ...],
    tolerance: float,
) -> None:
    node.send(info_for(sent), sent)
    seen = rgb_of(colors.of(sent))
    assert seen.shape == (48, 64, 3)
    assert np.abs(seen - np.array(rgb)).max() <= tolerance
    np.testing.assert_allclose(plane(depths.of(sent)), step(seen, scale=SCALE).depth, rtol=1e-5)


def test_newest_frame_wins_and_replaced_ones_are_counted(node: Running, depths: Mailbox) -> None:
    frames = [image() for _ in range(4)]
    node.settle()
    processed, dropped = node.statistics.processed, node.dropped
    with node.held():
        for i, sent in enumerate(frames):
            before = node.received
            node.send(sent)
            node.until_received(before + 1)
            assert node.dropped == dropped + i
    depths.of(frames[-1])
    node.settle()
    assert [depths.has(sent) for sent in frames] == [False, False, False, True]
    assert node.statistics.processed == processed + 1


def test_parameters_answer_while_a_frame_is_in_work(graph: Graph, weights: Path) -> None:
    # A wide frame takes seconds where the one of warming up took a fraction.
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'input_size': 640,
        'scale': 1.0,
    }
    node = graph.start(parameters).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    assert node.get('max_depth') == 80.0
    sent = image(picture(40, 280))
    node.send(sent)
    node.until_received(1)
    through = node.node.worker.call(lambda: None)
    for _ in range(3):
        assert node.get('max_depth', timeout_s=5.0) == 80.0
    assert not through.done()
    assert node.set(min_depth=0.2) == ''
    assert not through.done()
    assert depths.of(sent).width == 280
    node.close()


def test_compressed_images(graph: Graph, weights: Path, step: Step) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': SCALE,
    }
    node = graph.start({**parameters, 'image_transport': 'compressed'}).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    colors = node.listen('~/color/image_rect', Image)
    rgb = picture(seed=6)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    for suffix, text, tolerance in (('.png', 'bgr8; png', 0), ('.jpg', 'rgb8; jpeg', 40)):
        head = image().header
        sent = CompressedImage(header=head, format=f'{text} compressed bgr8')
        sent.data = message_bytes(cv2.imencode(suffix, bgr)[1])
        node.send(info_for(sent), sent)
        seen = rgb_of(colors.of(sent))
        assert np.abs(seen.astype(int) - rgb).mean() <= tolerance / 4
        depth = plane(depths.of(sent))
        np.testing.assert_allclose(depth, step(seen, scale=SCALE).depth, rtol=1e-5)
    node.close()
