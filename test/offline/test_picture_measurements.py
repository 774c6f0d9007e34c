"""Disparity of files and of right pictures as meters, at any size."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.errors import CalibrationError, ImageError
from mono_depth_ros.core.scale.range_explanation import explain_out_of_range
from mono_depth_ros.core.scale.stereo_matching import MatchingSettings
from mono_depth_ros.offline.images import ImageFrame, ReadingSettings
from mono_depth_ros.offline.picture_measurements import (
    DepthFiles,
    DisparityMaps,
    RightPictures,
    StereoFiles,
)

READING = ReadingSettings()

CAMERA = PinholeCamera(160, 120, 200.0, 200.0, 79.5, 59.5)
BASELINE_M = 0.1


def frame(rgb: np.ndarray | None = None, reduction: float = 1.0) -> ImageFrame:
    return ImageFrame(
        np.zeros((120, 160, 3), np.uint8) if rgb is None else rgb, reduction=reduction
    )


def stereo(doffs_px: float = 0.0) -> StereoFiles:
    return StereoFiles(Path(), BASELINE_M, doffs_px)


def texture(width: int, height: int = 120) -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (5, 5), 0)


def test_meters_of_a_disparity() -> None:
    observed = stereo().from_disparity(torch.full((120, 160), 10.0), frame(), CAMERA)
    torch.testing.assert_close(observed.inverse_depth, torch.full((120, 160), 0.5))


def test_the_principal_points_differ() -> None:
    observed = stereo(30.0).from_disparity(torch.full((120, 160), 10.0), frame(), CAMERA)
    torch.testing.assert_close(observed.inverse_depth, torch.full((120, 160), 2.0))


def test_a_disparity_of_another_size_means_the_same() -> None:
    observed = stereo(30.0).from_disparity(torch.full((60, 80), 5.0), frame(), CAMERA)
    torch.testing.assert_close(observed.inverse_depth, torch.full((60, 80), 2.0))
    # Picture of 320 px reduced to 160: doffs counts in those 320, and so does the file.
    reduced = stereo(30.0).from_disparity(
        torch.full((240, 320), 50.0), frame(reduction=0.5), CAMERA
    )
    torch.testing.assert_close(reduced.inverse_depth, torch.full((240, 320), 2.0))


def test_a_disparity_of_another_view_is_refused() -> None:
    with pytest.raises(CalibrationError, match='another aspect ratio'):
        stereo().from_disparity(torch.ones(160, 160), frame(), CAMERA)


def test_files_of_disparity(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((120, 160), 2560, np.uint16))
    np.save(tmp_path / 'b.npy', np.full((120, 160), 20.0, np.float32))
    single = DisparityMaps(tmp_path / 'a.png', BASELINE_M, 0.0, 1 / 256)
    folder = DisparityMaps(tmp_path, BASELINE_M, 0.0, 1 / 256)
    for maps, name, inverse_depth in ((single, 'x', 0.5), (folder, 'a', 0.5), (folder, 'b', 1.0)):
        observed = maps.observe(Path(f'in/{name}.jpg'), frame(), CAMERA)
        torch.testing.assert_close(observed.inverse_depth, torch.full((120, 160), inverse_depth))
    with pytest.raises(ImageError, match=r'holds no disparity for c\.jpg'):
        folder.observe(Path('in/c.jpg'), frame(), CAMERA)


def test_right_pictures_are_matched(tmp_path: Path) -> None:
    wide = texture(160 + 12)
    left, right = wide[:, :160], wide[:, 12:]  # everything lies 12 px further left there
    cv2.imwrite(str(tmp_path / 'a.png'), right[..., ::-1])
    matching = MatchingSettings(num_disparities=32)
    for place in (tmp_path, tmp_path / 'a.png'):
        pictures = RightPictures(place, BASELINE_M, 0.0, matching, READING)
        observed = pictures.observe(Path('in/a.png'), frame(np.ascontiguousarray(left)), CAMERA)
        assert float(observed.inverse_depth.nanmedian()) == pytest.approx(0.6, rel=0.01)
        assert float(observed.inverse_depth.isfinite().float().mean()) > 0.5


def test_what_cannot_be_matched_says_why(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'flat.png'), np.zeros((120, 160, 3), np.uint8))
    cv2.imwrite(str(tmp_path / 'small.png'), np.zeros((60, 80, 3), np.uint8))
    seen = frame(np.ascontiguousarray(texture(160)))

    def observe(name: str) -> None:
        pictures = RightPictures(tmp_path / name, BASELINE_M, 0.0, MatchingSettings(), READING)
        pictures.observe(Path('a'), seen, CAMERA)

    with pytest.raises(ImageError, match='nothing in common within 64 px'):
        observe('flat.png')
    with pytest.raises(ImageError, match='both must be one shape'):
        observe('small.png')
    with pytest.raises(ImageError, match='cannot be read'):
        observe('missing.png')


def test_exchanged_pictures_are_named(tmp_path: Path) -> None:
    scene = texture(200)
    left, right = scene[:, 20:180], scene[:, 28:188]
    cv2.imwrite(str(tmp_path / 'left.png'), left[..., ::-1])
    swapped = RightPictures(
        tmp_path / 'left.png', BASELINE_M, 0.0, MatchingSettings(num_disparities=32), READING
    )
    with pytest.raises(ImageError, match=r'left\.png is the left one') as refused:
        swapped.observe(Path('right.png'), frame(np.ascontiguousarray(right)), CAMERA)
    assert '% of the pixels have a match, and' in str(refused.value)


@pytest.mark.parametrize('marker', [np.nan, 0.0, -100.0])
def test_negative_disparity_is_named(tmp_path: Path, marker: float) -> None:
    values = np.full((120, 160), -7.25, np.float32)
    values[:, ::3], values[:, 1::3] = marker, -9.0
    np.save(tmp_path / 'a.npy', values)
    maps = DisparityMaps(tmp_path / 'a.npy', BASELINE_M, 0.0, None)
    with pytest.raises(
        ImageError, match=r'negative in most pixels, by -[79].* left and right are'
    ):
        maps.observe(Path('a.png'), frame(), CAMERA)


def test_markers_of_missing_matches_are_not_negative_disparity(tmp_path: Path) -> None:
    values = np.full((120, 160), -1.0, np.float32)
    values[:40] = 10.0
    np.save(tmp_path / 'a.npy', values)
    maps = DisparityMaps(tmp_path / 'a.npy', BASELINE_M, 0.0, None)
    observed = maps.observe(Path('a.png'), frame(), CAMERA).inverse_depth
    torch.testing.assert_close(observed[:40], torch.full((40, 160), 0.5))
    assert not observed[40:].isfinite().any()


@pytest.mark.parametrize('suffix', ['npy', 'npz'])
def test_sixteenths_of_opencv_need_their_unit(tmp_path: Path, suffix: str) -> None:
    """StereoSGBM.compute returns 256 for 16 px; taken as KITTI's that is 1 px."""
    sixteenths = np.full((120, 160), 256, np.int16)
    path = tmp_path / f'a.{suffix}'
    if suffix == 'npy':
        np.save(path, sixteenths)
    else:
        np.savez(path, sixteenths)
    with pytest.raises(ImageError, match=r'1/16 px \(StereoSGBM .* 1/256 px \(KITTI'):
        DisparityMaps(path, BASELINE_M, 0.0, None).observe(Path('a.png'), frame(), CAMERA)
    stated = DisparityMaps(path, BASELINE_M, 0.0, 1 / 16).observe(Path('a.png'), frame(), CAMERA)
    assert float(stated.inverse_depth[0, 0]) == pytest.approx(16 / (200 * BASELINE_M))


def test_disparity_of_a_picture_that_was_turned(tmp_path: Path) -> None:
    np.save(tmp_path / 'a.npy', np.full((120, 160), 10, np.float32))
    turned = ImageFrame(np.zeros((120, 160, 3), np.uint8), orientation=3)
    with pytest.raises(CalibrationError, match='turned upright by its orientation tag'):
        DisparityMaps(tmp_path / 'a.npy', BASELINE_M, 0.0, None).observe(
            Path('a.png'), turned, CAMERA
        )


def test_forgotten_doffs_are_the_usual_mistake() -> None:
    assert '--doffs is 0' in stereo().doubts()
    assert 'left and right are swapped' in stereo().doubts()
    assert '--doffs' not in stereo(30.0).doubts()


def test_a_wrong_unit_is_explained_in_the_words_of_the_command_line() -> None:
    files = StereoFiles(Path(), 6.3, 0.0)
    observed = files.from_disparity(torch.full((120, 160), 10.0), frame(), CAMERA)
    said = explain_out_of_range(observed, (0.1, 50.0))
    assert 'disparity with --focal 200 and --baseline 6.3' in said
    assert '1.26 to 1.26 m if --baseline is in centimeters; it must be in meters' in said


def test_depth_of_files_measures_pictures(tmp_path: Path) -> None:
    depth = np.full((60, 80), 2.0, np.float32)
    np.save(tmp_path / 'left.npy', depth)
    cv2.imwrite(str(tmp_path / 'other.png'), (5000 * depth).astype(np.uint16))
    for camera in (CAMERA, None):
        observed = DepthFiles(tmp_path, None).observe(Path('left.jpg'), frame(), camera)
        torch.testing.assert_close(observed.inverse_depth, torch.full((60, 80), 0.5))
    observed = DepthFiles(tmp_path, 1 / 5000).observe(Path('other.jpg'), frame(), CAMERA)
    torch.testing.assert_close(observed.inverse_depth, torch.full((60, 80), 0.5))
    with pytest.raises(ImageError, match=r'holds no depth for right\.jpg'):
        DepthFiles(tmp_path, None).observe(Path('right.jpg'), frame(), CAMERA)
    np.save(tmp_path / 'wide.npy', np.ones((60, 120), np.float32))
    with pytest.raises(CalibrationError, match='another aspect ratio'):
        DepthFiles(tmp_path, None).observe(Path('wide.jpg'), frame(), None)
    turned = replace(frame(), orientation=6)
    with pytest.raises(CalibrationError, match='registered depth runs along the rows'):
        DepthFiles(tmp_path, None).observe(Path('left.jpg'), turned, CAMERA)
