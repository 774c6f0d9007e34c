"""Views: which of their pixels show the world, through masks, lenses and sizes."""

import dataclasses

import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.calibration import CameraCalibration
from mono_depth_ros.core.camera.image_preparation import ImagePreparer
from mono_depth_ros.core.camera.mask import Mask
from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.pipeline_settings import PipelineSettings

CPU = torch.device('cpu')
HEIGHT, WIDTH = 60, 80
K = ((100.0, 0.0, 39.5), (0.0, 100.0, 29.5), (0.0, 0.0, 1.0))
EYE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
RGB = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)


def shifted(du: float, dv: float) -> CameraCalibration:
    """Return a calibration whose rectified image is the raw one moved by whole pixels."""
    p = ((100.0, 0.0, 39.5 + du, 0.0), (0.0, 100.0, 29.5 + dv, 0.0), (0.0, 0.0, 1.0, 0.0))
    return CameraCalibration(WIDTH, HEIGHT, K, (), 'plumb_bob', EYE, p)


def corner(height: int = HEIGHT, width: int = WIDTH) -> Mask:
    """Return a mask that is blind in the upper left quarter."""
    seen = np.ones((height, width), bool)
    seen[: height // 2, : width // 2] = False
    return Mask('corner.png', seen)


def seen(
    calibration: CameraCalibration | None = None, mask: Mask | None = None, **values: object
) -> torch.Tensor | None:
    viewer = ImagePreparer(CPU)
    viewer.mask = mask
    return viewer.view(RGB, calibration, PipelineSettings(**values)).seen


def test_all_is_seen_without_mask_and_rectification() -> None:
    assert seen() is None
    assert seen(shifted(0, 0), rectify=True) is None
    assert seen(shifted(5, 0)) is None, 'not rectified'
    assert seen(mask=Mask('', np.ones((HEIGHT, WIDTH), bool))) is None


def test_what_the_raw_image_does_not_show_is_not_seen() -> None:
    expected = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    expected[:, :5] = False
    expected[-3:] = False
    assert torch.equal(seen(shifted(5, -3), rectify=True), expected)


def test_mask_moves_with_the_image() -> None:
    expected = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    expected[:30, :40] = False
    assert torch.equal(seen(mask=corner()), expected)
    moved = torch.ones(HEIGHT, WIDTH, dtype=torch.bool)
    moved[:, :5] = False
    moved[:30, 5:45] = False
    assert torch.equal(seen(shifted(5, 0), corner(), rectify=True), moved)


def test_mixed_pixels_are_not_seen() -> None:
    half = seen(shifted(0.5, 0), corner(), rectify=True)
    assert not half[:30, :41].any(), 'half a pixel of the mask, half a pixel of the border'
    assert not half[:, 0].any()
    assert half[30:, 1:].all()


@pytest.mark.parametrize(('scale', 'size'), [(0.5, (30, 40)), (0.3, (18, 24)), (0.26, (16, 21))])
def test_outputs_of_another_size(scale: float, size: tuple[int, int]) -> None:
    small = seen(mask=corner(), output_scale=scale)
    assert small.shape == size
    v, u = size[0] // 2, size[1] // 2
    assert not small[:v, :u].any()
    assert small[v + 2 :].all()
    assert small[:, u + 2 :].all()


def test_mask_of_another_resolution() -> None:
    assert torch.equal(seen(mask=corner(240, 320)), seen(mask=corner()))
    with pytest.raises(ImageError, match=r'mask corner\.png is 60x60 px and the image 80x60 px'):
        seen(mask=corner(60, 60))


def test_another_mask_or_size_takes_effect_at_once() -> None:
    viewer = ImagePreparer(CPU)
    assert viewer.view(RGB, None, PipelineSettings()).seen is None
    viewer.mask = corner()
    assert viewer.view(RGB, None, PipelineSettings()).seen.shape == (60, 80)
    assert viewer.view(RGB, None, PipelineSettings(output_scale=0.5)).seen.shape == (30, 40)
    assert viewer.view(RGB[:30, :40], None, PipelineSettings()).seen.shape == (30, 40)
    viewer.mask = None
    assert viewer.view(RGB, None, PipelineSettings()).seen is None


def test_made_once_for_each_camera() -> None:
    viewer, settings = ImagePreparer(CPU), PipelineSettings(rectify=True)
    first = viewer.view(RGB, shifted(5, 0), settings).seen
    assert viewer.view(RGB, shifted(5, 0), settings).seen is first
    other = dataclasses.replace(shifted(5, 0), D=(0.1, 0.0, 0.0, 0.0))
    assert viewer.view(RGB, other, settings).seen is not first
