"""Bad messages: each costs its own frame, is counted, and is named once in a while."""

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from frames import message_bytes
from harness import Graph, Mailbox, Running, header, image, info_for, picture
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

PARAMETERS = {'scale': 1.0}


def spoilt(**fields: object) -> Image:
    msg = image()
    for name, value in fields.items():
        setattr(msg, name, value)
    return msg


BAD = {
    'step': (spoilt(step=190), 'step is 190 bytes; 64 px of rgb8 take 192'),
    'height': (spoilt(height=47), 'data has 9216 bytes; step 192 x height 47 is 9024'),
    'width': (spoilt(width=65), 'step is 192 bytes; 65 px of rgb8 take 195'),
    'empty': (spoilt(data=[]), 'data has 0 bytes; step 192 x height 48 is 9216'),
    'cut': (spoilt(data=bytes(9215)), 'data has 9215 bytes'),
    'encoding': (spoilt(encoding='rgb7'), "encoding 'rgb7' is none of rgb8, bgr8"),
    'no encoding': (spoilt(encoding=''), "encoding '' is none of rgb8"),
    'depth as image': (spoilt(encoding='16UC1'), "encoding '16UC1' is none of"),
    'no size': (spoilt(width=0, height=0, step=0, data=[]), 'image is 0x0 px'),
    'strip': (image(picture(2, 64)), 'image is 64x2 px; its sides differ more than 16 times'),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_image_loses_only_itself(node: Running, depths: Mailbox, name: str) -> None:
    bad, reason = BAD[name]
    failed, processed = node.statistics.refused, node.statistics.processed
    node.send(bad)
    node.until_seen(bad)
    assert node.statistics.refused == failed + 1
    assert reason in node.statistics.last_failure
    # Up to the first number: trouble that differs in numbers only is told once for all.
    line = node.logged(f'frame lost: {re.split(r"[0-9]", reason)[0]}')
    assert 'Traceback' not in line.msg
    good = image()
    node.send(good)
    depths.of(good)
    node.settle()
    assert not depths.has(bad)
    assert node.statistics.processed == processed + 1
    assert node.statistics.refused == failed + 1


def test_repeated_trouble_is_counted_each_time_and_logged_once(
    node: Running, reports: Mailbox
) -> None:
    failed = node.statistics.refused
    for step in (61, 62, 63):
        bad = spoilt(encoding='mono8', step=step)
        node.send(bad)
        node.until_seen(bad)
    assert node.statistics.refused == failed + 3
    node.logged('frame lost: step is 61 bytes; 64 px of mono8 take 64')
    assert len(node.lines('px of mono8 take')) == 1

    def told(msg: DiagnosticArray) -> bool:
        status = msg.status[0]
        counted = {pair.key: pair.value for pair in status.values}['frames failed']
        return status.level == DiagnosticStatus.ERROR and counted == str(failed + 3)

    assert 'step is 63 bytes' in reports.wait(told).status[0].message


def test_uncalibrated_camera_gives_depth_without_cloud_until_fov_deg_is_set(
    node: Running, depths: Mailbox, clouds: Mailbox
) -> None:
    frames = [image() for _ in range(3)]
    for sent in frames:
        info = CameraInfo(header=sent.header, width=64, height=48)
        node.send(info, sent)
        assert np.isfinite(np.frombuffer(depths.of(sent).data, '<f4')).any()
    node.logged('no cloud: no usable camera_info came, and fov_deg is not set')
    assert len(node.lines('no cloud')) == 1
    assert node.set(fov_deg=90.0) == ''
    sent = image()
    node.send(CameraInfo(header=sent.header, width=64, height=48), sent)
    points = np.frombuffer(clouds.of(sent).data, '<f4').reshape(-1, 4)
    depth = np.frombuffer(depths.of(sent).data, '<f4').reshape(48, 64)
    v, u = np.nonzero(np.isfinite(depth))
    # 90 degrees across 64 px: f = 32 px, and the center lies between the two middle pixels.
    np.testing.assert_allclose(points[:, 0], (u - 31.5) / 32 * points[:, 2], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(points[:, 1], (v - 23.5) / 32 * points[:, 2], rtol=1e-4, atol=1e-6)
    assert not any(clouds.has(frame) for frame in frames)
    assert node.set(fov_deg=0.0) == ''


def nan_focal(info: CameraInfo) -> None:
    info.k[0] = float('nan')


def of_another_size(info: CameraInfo) -> None:
    info.width, info.height = 64, 64


def identity(info: CameraInfo) -> None:
    info.k, info.p = [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0], [0.0] * 12


def binned_already(info: CameraInfo) -> None:
    info.width, info.height, info.binning_x, info.binning_y = 256, 192, 4, 4


def outside_roi(info: CameraInfo) -> None:
    info.roi.x_offset, info.roi.width = 60, 10


def lopsided(info: CameraInfo) -> None:
    info.r[0] = 3.0


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (nan_focal, 'K is ((nan'),
        (of_another_size, 'calibration is for 64x64 px and the image has 64x48 px'),
        (identity, 'K is the identity for 64x48 px: the camera is not calibrated'),
        (binned_already, 'seems to be binned or cropped to 64x48 px already'),
        (outside_roi, 'region of interest is 10x48 px at (60, 0)'),
        (lopsided, 'R is ((3.0'),
    ],
)
def test_broken_camera_info_costs_the_cloud_only(
    node: Running,
    depths: Mailbox,
    clouds: Mailbox,
    spoil: Callable[[CameraInfo], None],
    reason: str,
) -> None:
    bad, good = image(), image()
    info = info_for(bad)
    spoil(info)
    node.send(info, bad)
    assert np.isfinite(np.frombuffer(depths.of(bad).data, '<f4')).any()
    assert 'Traceback' not in node.logged(reason).msg
    node.send(info_for(good), good)
    clouds.of(good)
    assert not clouds.has(bad)


def test_distorted_image_that_is_not_rectified_is_told_once(
    node: Running, clouds: Mailbox
) -> None:
    for _ in range(2):
        sent = image()
        info = info_for(sent)
        info.d[0] = -0.1
        node.send(info, sent)
        clouds.of(sent)
    node.logged('if it is raw, set rectify to true')
    assert len(node.lines('set rectify to true')) == 1


def test_empty_frame_is_filled_and_told_once(
    node: Running, depths: Mailbox, clouds: Mailbox
) -> None:
    for _ in range(2):
        sent = image(head=header(frame_id=''))
        node.send(info_for(sent), sent)
        for box in (depths, clouds):
            assert box.of(sent).header.frame_id == 'camera_optical_frame'
            assert box.of(sent).header.stamp == sent.header.stamp
    node.logged('images have an empty frame_id')
    assert node.set(frame_id='mast') == ''
    sent = image(head=header(frame_id=''))
    node.send(info_for(sent), sent)
    assert depths.of(sent).header.frame_id == 'mast'
    assert [line.msg for line in node.lines('empty frame_id')] == [
        f"images have an empty frame_id; '{name}' (frame_id) is used"
        for name in ('camera_optical_frame', 'mast')
    ]


def test_stamps_that_jump_back_lose_nothing(node: Running, depths: Mailbox) -> None:
    frames = [image() for _ in range(3)]
    processed = node.statistics.processed
    for sent in (frames[2], frames[0], frames[1]):
        node.send(info_for(sent), sent)
        assert depths.of(sent).header == sent.header
    node.settle()
    assert node.statistics.processed == processed + 3


def test_bad_compressed_images(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
    }
    node = graph.start({**parameters, 'image_transport': 'compressed'}).until('active')
    depths = node.listen('~/depth/image_rect', Image)

    def compressed(data: bytes) -> CompressedImage:
        msg = CompressedImage(header=header(), format='rgb8; jpeg compressed bgr8')
        msg.data = message_bytes(np.frombuffer(data, np.uint8))
        return msg

    whole = cv2.imencode('.jpg', cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR))[1].tobytes()
    sof = whole.index(b'\xff\xc0') + 5
    for data, reason in (
        (b'', "compressed image of format 'rgb8; jpeg compressed bgr8' is empty"),
        (whole[:900], '(900 bytes of JPEG) is damaged: Premature end'),
        (whole[: len(whole) // 2] + whole[-2:], 'damaged: Corrupt JPEG data: premature end'),
        (whole[:sof] + b'\x7d\0\x7d\0' + whole[sof + 4 :], 'states 32000x32000 px, 1024000000 in'),
        (b'GIF no picture', '(14 bytes) is damaged or no picture'),
    ):
        bad = compressed(data)
        node.send(bad)
        node.until_seen(bad)
        assert reason in node.statistics.last_failure
    scan = whole.index(b'\xff\xda')
    good = compressed(whole[:scan] + b'\0\x55' + whole[scan:] + bytes(2000))
    node.send(good)
    assert np.isfinite(np.frombuffer(depths.of(good).data, '<f4')).any()
    node.settle()
    assert (node.statistics.refused, node.statistics.processed) == (5, 1)
    assert node.statistics.values()['JPEGs with extraneous bytes'] == '1'
    assert len(depths.all()) == 1
    node.logged('no picture')
    node.close()


def test_images_without_content_or_of_few_bits(graph: Graph, weights: Path) -> None:
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        'scale': 1.0,
        'min_depth': 0.01,
    }
    node = graph.start(parameters).until('active')
    depths = node.listen('~/depth/image_rect', Image)
    colors = node.listen('~/color/image_rect', Image)

    covered = image(np.full((48, 64, 3), 3, np.uint8))
    node.send(covered)
    assert np.isnan(np.frombuffer(depths.of(covered).data, '<f4')).all()
    assert 'next to no content' in node.statistics.reason_unknown

    gray = picture()[..., 1].astype(np.uint16)
    for low, span, bits in ((0, 1020, 0), (7000, 2000, 0), (0, 4095, 12)):
        assert node.set(bit_depth=bits) == ''
        samples = (low + gray * (span / 255)).astype('<u2')
        deep = Image(header=header(), height=48, width=64, encoding='mono16', step=128)
        deep.data = message_bytes(samples)
        node.send(deep)
        shown = np.frombuffer(colors.of(deep).data, np.uint8).reshape(48, 64, 3)
        assert np.abs(shown[..., 0].astype(int) - gray).max() <= 6
        assert node.statistics.reason_unknown == ''
    node.close()
