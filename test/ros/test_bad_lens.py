"""Images that are to be rectified, and no calibration that does it."""

from collections.abc import Callable

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from harness import Mailbox, Running, camera, image, info_for
from sensor_msgs.msg import CameraInfo

PARAMETERS = {'scale': 1.0, 'rectify': True}


def test_lens_that_cannot_be_rectified_loses_only_its_frame(
    node: Running, depths: Mailbox
) -> None:
    sent, good = image(), image()
    info = info_for(sent, camera())
    info.distortion_model, info.d = 'fancy', [0.1] * 5
    node.send(info, sent)
    node.until_seen(sent)
    assert 'fancy' in node.logged('fancy').msg
    node.send(info_for(good), good)
    depths.of(good)


def identity(info: CameraInfo) -> None:
    info.k, info.p = [1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0], [0.0] * 12


def of_another_size(info: CameraInfo) -> None:
    info.width, info.height = 640, 480


@pytest.mark.parametrize(
    ('spoil', 'reason'),
    [
        (identity, 'K is the identity for 64x48 px: the camera is not calibrated; calibrate it'),
        (of_another_size, 'seems to be that of about 71x45 px'),
    ],
)
def test_image_is_not_rectified_by_a_calibration_that_is_refused(
    node: Running, depths: Mailbox, spoil: Callable[[CameraInfo], None], reason: str
) -> None:
    reports = node.listen('/diagnostics', DiagnosticArray)
    bad, good = image(), image()
    info = info_for(bad)
    spoil(info)
    node.send(info, bad)
    assert (
        'frame lost: rectify is true, and camera_info is not plausible' in node.logged(reason).msg
    )

    def told(msg: DiagnosticArray) -> bool:
        messages = [s.message for s in msg.status if s.level == DiagnosticStatus.ERROR]
        return sum(reason in message for message in messages) == 2

    reports.wait(told)
    node.send(info_for(good), good)
    depths.of(good)
    assert not depths.has(bad)


def test_images_without_a_calibration_are_said_to_be_taken_as_they_come(
    node: Running, depths: Mailbox
) -> None:
    for _ in range(2):
        sent = image()
        info = info_for(sent)
        info.k.fill(0)
        node.send(info, sent)
        depths.of(sent)
    node.settle()
    assert len(node.lines('rectify is true and no usable camera_info came')) == 1
