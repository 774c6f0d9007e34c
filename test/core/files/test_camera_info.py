"""What a camera_info is worth: plausible or refused by number, raw or rectified."""

from types import SimpleNamespace
from typing import Any

import pytest

from mono_depth_ros.core.files.camera_info import CheckedCameraInfo, check_camera_info

EYE = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]


def intrinsics(f: float, cx: float, cy: float) -> list[float]:
    return [f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0]


def checked(
    size: tuple[int, int] = (480, 640),
    k: list[float] | None = None,
    rectify: bool = False,
    assume_rectified: bool = False,
    **fields: Any,
) -> CheckedCameraInfo:
    """Check a camera_info of 640x480 px beside an image of that size, with changes."""
    roi = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
    values = {
        'header': SimpleNamespace(frame_id='camera'),
        'width': 640,
        'height': 480,
        'distortion_model': 'plumb_bob',
        'd': [0.0] * 5,
        'k': k or intrinsics(500.0, 319.5, 239.5),
        'r': EYE,
        'p': [0.0] * 12,
        'binning_x': 0,
        'binning_y': 0,
        'roi': roi,
    } | fields
    info: Any = SimpleNamespace(**values)
    return check_camera_info(info, size, 'camera', rectify, assume_rectified)


@pytest.mark.parametrize('rectify', [False, True])
def test_identity_of_an_uncalibrated_driver_is_refused(rectify: bool) -> None:
    result = checked(k=EYE, rectify=rectify)
    assert (result.calibration, result.is_refused) == (None, True)
    (fault,) = result.faults
    assert fault.is_fatal
    assert str(fault) == (
        'camera_info is not plausible: K is the identity for 640x480 px: the camera is not '
        'calibrated; calibrate it (camera_calibration), or state a field of view'
    )


def test_matrix_that_was_binned_already_is_refused() -> None:
    k = intrinsics(289.0, 159.5, 119.5)
    result = checked((240, 320), k, width=1280, height=960, binning_x=4, binning_y=4)
    assert result.is_refused
    assert '(289, 289) px' in result.faults[0].what
    assert 'binned or cropped to 320x240 px already' in result.faults[0].what
    whole = intrinsics(1156.0, 639.5, 479.5)
    good = checked((240, 320), whole, width=1280, height=960, binning_x=4, binning_y=4)
    assert good.calibration is not None
    assert good.calibration.raw_camera().fx == 289
    assert good.faults == ()


def test_matrix_that_was_cropped_already_is_refused() -> None:
    roi = SimpleNamespace(x_offset=320, y_offset=240, width=640, height=480)
    k = intrinsics(500.0, 319.5, 239.5)
    result = checked((480, 640), k, width=1280, height=960, roi=roi)
    assert 'binned or cropped to 640x480 px already' in result.faults[0].what
    good = checked((480, 640), intrinsics(500.0, 639.5, 479.5), width=1280, height=960, roi=roi)
    assert good.calibration is not None
    assert good.calibration.raw_camera().cx == 319.5


@pytest.mark.parametrize('region', [(640, 480), (0, 0)])
def test_an_image_that_is_more_than_its_region_is_refused(region: tuple[int, int]) -> None:
    roi = SimpleNamespace(x_offset=320, y_offset=240, width=region[0], height=region[1])
    whole = intrinsics(500.0, 639.5, 479.5)
    result = checked((960, 1280), whole, width=1280, height=960, roi=roi)
    assert result.is_refused
    assert 'and the image is all of 1280x960 px; clear roi' in str(result.faults[0])
    full = SimpleNamespace(x_offset=0, y_offset=0, width=1280, height=960)
    assert checked((960, 1280), whole, width=1280, height=960, roi=full).faults == ()
    assert checked((480, 640), whole, width=1280, height=960, roi=full).faults == (), 'resized'


def test_no_camera_info_states_nothing_to_refuse() -> None:
    assert not CheckedCameraInfo(None).is_refused
    uncalibrated = checked(k=[0.0] * 9)
    assert uncalibrated.is_uncalibrated
    assert not uncalibrated.is_refused


def test_distortion_is_told_unless_the_user_has_said_what_the_image_is() -> None:
    d = [-0.2, 0.0, 0.0, 0.0, 0.0]
    (fault,) = checked(d=d).faults
    assert not fault.is_fatal
    assert fault.remedy == (
        'if it is raw, set rectify to true; if it is rectified already, set assume_rectified to '
        'true'
    )
    assert checked(d=d, rectify=True).faults == ()
    stated = checked(d=d, assume_rectified=True)
    assert stated.faults == ()
    assert stated.calibration is not None
    assert stated.calibration.has_distortion


def test_lens_model_does_not_matter_where_the_image_is_rectified_already() -> None:
    lens = {'distortion_model': 'fancy', 'd': [0.1]}
    assert checked(**lens, rectify=True).faults[0].is_fatal
    assert 'set assume_rectified in place of rectify' in checked(**lens).faults[0].remedy
    assert checked(**lens, assume_rectified=True).faults == ()


def test_fifth_coefficient_of_an_equidistant_lens() -> None:
    lens = {'distortion_model': 'equidistant', 'rectify': True}
    assert checked(**lens, d=[0.1, 0.01, 0.0, 0.0, 0.0]).faults == ()
    (fault,) = checked(**lens, d=[0.1, 0.01, 0.0, 0.0, 0.02]).faults
    assert fault.is_fatal
    assert 'number 5 is 0.02' in str(fault)
