"""Prepared images: which of their pixels are valid, through masks, lenses and sizes."""

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.image_preparation import ImagePreparer
from mono_depth_ros.core.errors import CalibrationError, ImageError
from mono_depth_ros.core.pipeline_settings import PipelineSettings

pytestmark = pytest.mark.usefixtures('folder')

CPU = torch.device('cpu')
HEIGHT, WIDTH = 60, 80
K = ((100.0, 0.0, 39.5), (0.0, 100.0, 29.5), (0.0, 0.0, 1.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
RGB = np.mgrid[:HEIGHT, :WIDTH, :3][1].astype(np.uint8)


def shifted(du: float, dv: float) -> CameraCalibration:
    """Return a calibration whose rectified image is the raw one moved by whole pixels."""
    p = ((100.0, 0.0, 39.5 + du, 0.0), (0.0, 100.0, 29.5 + dv, 0.0), (0.0, 0.0, 1.0, 0.0))
    return CameraCalibration(WIDTH, HEIGHT, K, (), 'plumb_bob', EYE, p)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def corner(height: int = HEIGHT, width: int = WIDTH) -> str:
    """Return the path of a mask that is black in the upper left quarter."""
    white = np.full((height, width), 255, np.uint8)
    white[: height // 2, : width // 2] = 0
    path = f'corner_{height}.png'
    cv2.imwrite(path, white)
    return path


def valid(
    calibration: CameraCalibration | None = None, mask: str = '', **values: object
) -> torch.Tensor | None:
    settings = PipelineSettings(mask=mask, **values)
    return ImagePreparer(CPU).prepare(RGB, calibration, settings).valid


def test_all_is_valid_without_mask_and_rectification() -> None:
    assert valid() is None
    assert valid(shifted(0, 0), rectify=True) is None
    assert valid(shifted(5, 0)) is None, 'not rectified'
    cv2.imwrite('white.png', np.full((HEIGHT, WIDTH), 255, np.uint8))
    assert valid(mask='white.png') is None


def test_what_the_raw_image_does_not_show_is_not_valid() -> None:
    expected = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    expected[:, :5] = False
    expected[-3:] = False
    assert torch.equal(valid(shifted(5, -3), rectify=True), expected)


def test_a_rotation_that_looks_elsewhere_is_refused() -> None:
    """By 90 degrees about the vertical: none of the rectified pixels lies in the raw image."""
    aside = ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0))
    calibration = dataclasses.replace(shifted(0, 0), R=aside)
    with pytest.raises(CalibrationError, match=r'leaves 0\.0% of the image; R and D of'):
        valid(calibration, rectify=True)
    assert valid(calibration) is None, 'not rectified'


def test_mask_moves_with_the_image() -> None:
    expected = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    expected[:30, :40] = False
    assert torch.equal(valid(mask=corner()), expected)
    moved = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    moved[:, :5] = False
    moved[:30, 5:45] = False
    assert torch.equal(valid(shifted(5, 0), corner(), rectify=True), moved)


def test_mixed_pixels_are_not_valid() -> None:
    half = valid(shifted(0.5, 0), corner(), rectify=True)
    assert not half[:30, :41].any(), 'half a pixel of the mask, half a pixel of the border'
    assert not half[:, 0].any()
    assert half[30:, 1:].all()


@pytest.mark.parametrize(('scale', 'size'), [(0.5, (30, 40)), (0.3, (18, 24)), (0.26, (16, 21))])
def test_outputs_of_another_size(scale: float, size: tuple[int, int]) -> None:
    small = valid(mask=corner(), output_scale=scale)
    assert small.shape == size
    v, u = size[0] // 2, size[1] // 2
    assert not small[:v, :u].any()
    assert small[v + 2 :].all()
    assert small[:, u + 2 :].all()


def test_mask_of_another_resolution() -> None:
    assert torch.equal(valid(mask=corner(240, 320)), valid(mask=corner()))
    with pytest.raises(
        ImageError, match=r'mask corner_60\.png is 60x60 px and the image 80x60 px'
    ):
        valid(mask=corner(60, 60))


def test_another_mask_or_size_takes_effect_at_once() -> None:
    preparer = ImagePreparer(CPU)
    plain, masked = PipelineSettings(), PipelineSettings(mask=corner())
    assert preparer.prepare(RGB, None, plain).valid is None
    assert preparer.prepare(RGB, None, masked).valid.shape == (60, 80)
    half = dataclasses.replace(masked, output_scale=0.5)
    assert preparer.prepare(RGB, None, half).valid.shape == (30, 40)
    assert preparer.prepare(RGB[:30, :40], None, masked).valid.shape == (30, 40)
    assert preparer.prepare(RGB, None, plain).valid is None


def test_made_once_for_each_camera() -> None:
    preparer, settings = ImagePreparer(CPU), PipelineSettings(rectify=True)
    first = preparer.prepare(RGB, shifted(5, 0), settings).valid
    assert preparer.prepare(RGB, shifted(5, 0), settings).valid is first
    other = dataclasses.replace(shifted(5, 0), D=(0.1, 0.0, 0.0, 0.0))
    assert preparer.prepare(RGB, other, settings).valid is not first


def test_a_mask_is_read_once() -> None:
    preparer, settings = ImagePreparer(CPU), PipelineSettings(mask=corner())
    first = preparer.prepare(RGB, None, settings)
    Path(settings.mask).unlink()
    again = preparer.prepare(RGB, None, settings)
    assert again.valid is first.valid
    assert again.reason_unknown == ''


def unknown(rgb: np.ndarray, **settings: float) -> str:
    return ImagePreparer(CPU).prepare(rgb, None, PipelineSettings(**settings)).reason_unknown


def test_an_image_without_content_is_said_to_be_so() -> None:
    reason = 'no content: its gray levels span 0.0 of 255, min_contrast is 2; uncover the lens'
    for level in (0, 128, 255):
        assert reason in unknown(np.full((120, 160, 3), level, np.uint8))
    rng = np.random.default_rng(0)
    dark = np.clip(rng.normal(6, 2, (480, 640, 3)), 0, 255).astype(np.uint8)
    assert 'its gray levels span 1.' in unknown(dark) or 'span 0.' in unknown(dark)
    assert unknown(dark, min_contrast=0.0) == ''


@pytest.mark.parametrize('name', ['coco_39769.png', 'demo01.jpg', 'demo09.jpg'])
def test_a_dark_scene_has_content(shared_dir: Path, name: str) -> None:
    picture = cv2.imread(str(shared_dir / 'data' / 'images' / name))
    for darker in (1, 16, 32):
        assert unknown(picture // darker) == ''
    assert 'next to no content' in unknown(picture // 128)


def test_noise_in_the_dark_is_no_content(shared_dir: Path) -> None:
    """A sensor that amplifies what little there is; averages of cells span several levels."""
    random = np.random.default_rng(0)
    for deviation, size in ((10, (240, 320)), (20, (480, 640)), (14, (1080, 1920))):
        noise = random.normal(0, deviation, (*size, 3))
        dark = np.rint((8 + noise).clip(0, 255)).astype(np.uint8)
        assert 'shows white noise of' in unknown(dark), size
    night = cv2.imread(str(shared_dir / 'data' / 'images' / 'demo01.jpg')) // 8
    noisy = np.rint((night + random.normal(0, 5, night.shape)).clip(0, 255)).astype(np.uint8)
    assert unknown(noisy) == '', 'a view is in it'
    assert unknown(random.integers(0, 256, (120, 160, 3)).astype(np.uint8)) == '', 'light there is'


def test_color_alone_is_content() -> None:
    picture = np.full((120, 160, 3), 100, np.uint8)
    picture[:60, :, 0] += 6
    assert unknown(picture) == ''
