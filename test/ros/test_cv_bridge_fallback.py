"""Encodings that only cv_bridge reads, with cv_bridge there, missing, broken and deadly."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import Image

from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.ros.cv_bridge_fallback import cv_bridge_complaint, foreign_to_rgb
from mono_depth_ros.ros.messages import color_decoder


@pytest.fixture(autouse=True)
def fresh_trial() -> Iterator[None]:
    cv_bridge_complaint.cache_clear()
    yield
    cv_bridge_complaint.cache_clear()


def picture(encoding: str, samples: np.ndarray) -> Image:
    msg = Image(height=samples.shape[0], width=samples.shape[1], encoding=encoding)
    msg.step = samples[:1].nbytes
    msg.data.frombytes(samples.tobytes())
    return msg


@pytest.mark.parametrize(
    ('code', 'complaint'),
    [
        (
            "raise ImportError('numpy.core.multiarray failed to import')",
            "'tiff3' is none of rgb8, .*; cv_bridge cannot .*: ImportError: numpy.core.multiarray",
        ),
        ("raise ModuleNotFoundError('No module named cv_bridge')", 'No module named cv_bridge'),
        (
            'import ctypes\nclass CvBridge:\n def imgmsg_to_cv2(*_): ctypes.string_at(0)',
            'cannot read it either: it ends the process with signal 11; .* NumPy 1',
        ),
        ('import sys; sys.exit(3)', r'cannot read it either: \?'),
    ],
    ids=['import fails', 'missing', 'segmentation fault', 'ends silently'],
)
def test_unusable_cv_bridge_is_named_and_harms_nobody(
    code: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'cv_bridge.py').write_text(code)
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    for _ in range(2):
        with pytest.raises(ImageError, match=complaint):
            color_decoder().rgb(picture('tiff3', np.zeros((6, 4), np.uint8)))


def test_trial_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / 'trials'
    (tmp_path / 'cv_bridge.py').write_text(f"open({str(record)!r}, 'a').write('x'); 1 / 0")
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=':')
    for _ in range(5):
        with pytest.raises(ImageError, match='ZeroDivisionError'):
            foreign_to_rgb(picture('tiff3', np.zeros((6, 4), np.uint8)))
    assert record.read_text() == 'x'


def test_cv_bridge_reads_what_we_do_not() -> None:
    if cv_bridge_complaint():
        pytest.skip(f'needs cv_bridge, of a ROS distribution: {cv_bridge_complaint()}')
    rgb = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    msg = picture('bgr16', rgb[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(color_decoder().rgb(msg), rgb)


def test_encoding_that_nobody_knows() -> None:
    with pytest.raises(ImageError, match=r"'16UC1' is none of .* cv_bridge cannot read it either"):
        color_decoder().rgb(picture('16UC1', np.ones((4, 4), np.uint16)))
