"""Parameters that change the form of depth: encoding, infinities, mask."""

from pathlib import Path

import cv2
import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from harness import Mailbox, Running, image, info_for, picture
from sensor_msgs.msg import Image, PointCloud2

FAR = {'scale': 0.005, 'max_depth': 10000.0}


PARAMETERS = {**FAR}


def plane(msg: Image) -> np.ndarray:
    dtype = {'32FC1': '<f4', '16UC1': '<u2'}[msg.encoding]
    return np.frombuffer(msg.data, dtype).reshape(msg.height, msg.width)


def answer(node: Running, box: Mailbox) -> Image:
    sent = image(picture(seed=7))
    node.send(info_for(sent), sent)
    msg: Image = box.of(sent)
    return msg


def test_what_16_bits_cannot_hold_is_0_and_counted(node: Running, depths: Mailbox) -> None:
    reports = node.listen('/diagnostics', DiagnosticArray)
    meters = plane(answer(node, depths))
    beyond = int((meters > 65.535).sum())
    assert beyond > 0.3 * meters.size
    assert node.set(depth_encoding='16UC1') == ''
    values = plane(answer(node, depths))
    assert int((np.nan_to_num(meters) > 65.535).sum()) == beyond
    assert not values[~(meters <= 65.535)].any()

    def counted(msg: DiagnosticArray) -> bool:
        pairs = {pair.key: pair.value for pair in msg.status[0].values}
        return pairs.get('pixels beyond the 65.535 m of 16UC1') == str(beyond)

    reports.wait(counted)
    assert node.set(depth_encoding='32FC1') == ''


def test_infinities_say_which_gate_it_was(node: Running, depths: Mailbox) -> None:
    meters = plane(answer(node, depths))
    known = np.isfinite(meters)
    near, far = np.quantile(meters[known], (0.3, 0.7))
    assert node.set(depth_invalid='inf', min_depth=float(near), max_depth=float(far)) == ''
    strict = plane(answer(node, depths))
    inside = known & (meters > near * 1.001) & (meters < far * 0.999)
    np.testing.assert_allclose(strict[inside], meters[inside], rtol=1e-5)
    assert (strict[known & (meters > far * 1.001)] == np.inf).all()
    assert (strict[known & (meters < near * 0.999)] == -np.inf).all()
    # 10 km was the gate before; what is beyond it is beyond the new one.
    assert not np.isfinite(strict[~known]).any()
    assert "depth_invalid is 'zero'; choose one of nan, inf" in node.set(depth_invalid='zero')
    assert node.set(depth_invalid='nan', min_depth=0.1, max_depth=10000.0) == ''


def test_mask_takes_effect_at_once_and_a_missing_one_is_refused(
    node: Running, depths: Mailbox, tmp_path: Path
) -> None:
    clouds = node.listen('~/points', PointCloud2)
    # The filter looks as far as the edges of the image, those of the mask among them, are wide.
    assert node.set(edge_filter__enabled=False) == ''
    whole = plane(answer(node, depths))
    blind = np.full((48, 64), 255, np.uint8)
    blind[:24] = 0
    path = tmp_path / 'robot.png'
    cv2.imwrite(str(path), blind)
    assert node.set(mask=str(path)) == ''
    sent = image(picture(seed=7))
    node.send(info_for(sent), sent)
    masked, cloud = plane(depths.of(sent)), clouds.of(sent)
    assert np.isnan(masked[:24]).all()
    np.testing.assert_allclose(masked[28:], whole[28:], rtol=1e-5)
    assert cloud.width == np.isfinite(masked).sum()

    missing = str(tmp_path / 'nowhere.png')
    assert f"mask is '{missing}', which does not exist" in node.set(mask=missing)
    assert node.get('mask') == str(path)
    assert node.set(mask='') == ''
    np.testing.assert_allclose(plane(answer(node, depths)), whole, rtol=1e-5)
    assert node.set(edge_filter__enabled=True) == ''


def test_mask_of_another_shape_costs_every_frame_and_says_so(
    node: Running, depths: Mailbox, tmp_path: Path
) -> None:
    path = tmp_path / 'square.png'
    cv2.imwrite(str(path), np.ones((48, 48), np.uint8))
    assert node.set(mask=str(path)) == ''
    sent = image()
    node.send(info_for(sent), sent)
    node.until_seen(sent)
    assert not depths.has(sent)
    node.logged('square.png is 48x48 px and the image 64x48 px')
    assert node.set(mask='') == ''
    answer(node, depths)


def test_clearing_cloud(node: Running, depths: Mailbox) -> None:
    free = node.listen('~/points_clearing', PointCloud2)
    assert node.set(scale=0.5, clearing__range=1.5, clearing__spacing_deg=3.0) == ''
    sent = image(picture(seed=7))
    node.send(info_for(sent), sent)
    msg, depth = free.of(sent), plane(depths.of(sent))
    assert (msg.header, msg.height, msg.is_dense) == (sent.header, 1, True)
    assert [(field.name, field.offset) for field in msg.fields] == [('x', 0), ('y', 4), ('z', 8)]
    assert (msg.point_step, msg.row_step, len(msg.data)) == (12, 12 * msg.width, 12 * msg.width)
    ends = np.frombuffer(msg.data, '<f4').reshape(-1, 3)
    # tan(3 deg) of 80 px: squares of 4x4 px.
    squares = depth.reshape(12, 4, 16, 4).swapaxes(1, 2).reshape(12, 16, 16)
    known = np.isfinite(squares).all(axis=2)
    assert 0 < known.sum() <= len(ends) < 12 * 16
    distance = np.linalg.norm(ends, axis=1)
    assert distance.max() <= 1.5 * (1 + 1e-5)
    assert (distance > 1.499).any()
    assert 'clearing.range out of range' in node.set(clearing__range=0.0)
