"""The panel: its colors mean what its legend says."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.cli.demo.panel import (
    Row,
    depth_colors,
    error_colors,
    relative_error,
    write_panel,
)
from mono_depth_ros.core.outputs.colormap import Colormap, ColormapSettings

RANGE = ColormapSettings()


def frame(truth: bool) -> Row:
    depth = np.linspace(1, 8, 48 * 64, dtype=np.float32).reshape(48, 64)
    painted = Colormap(torch.device('cpu')).paint_depth(torch.from_numpy(depth), RANGE)
    color = np.full((48, 64, 3), (10, 200, 30), np.uint8)
    colormap = painted.numpy()[..., ::-1]
    return Row(color, colormap, 1.2 * depth, 1 / depth, depth if truth else None)


def test_error_is_relative_to_the_truth() -> None:
    depth = np.array([[2.2, 3.0, np.nan, 1.0, 1.0]], np.float32)
    truth = np.array([[2.0, 4.0, 2.0, np.nan, 0.0]], np.float32)
    error = relative_error(depth, truth)
    assert error[0, :2] == pytest.approx([0.1, 0.25])
    assert np.isnan(error[0, 2:]).all()


def test_truth_is_painted_as_the_node_paints_depth() -> None:
    from matplotlib.colors import LogNorm

    depth = np.array([[0.31, 1.0, 3.0, 9.0, 19.0]], np.float32)
    node = Colormap(torch.device('cpu')).paint_depth(torch.from_numpy(depth), RANGE).numpy()
    panel = depth_colors()(LogNorm(RANGE.near, RANGE.far)(depth))[..., :3] * 255
    assert np.abs(node[..., ::-1].astype(float) - panel).max() < 8
    assert depth_colors()(np.ma.masked_invalid([np.nan]))[0, :3].tolist() == [0, 0, 0]
    assert error_colors()(np.ma.masked_invalid([np.nan]))[0, 0] == pytest.approx(0.5, abs=0.01)


def test_panel_shows_every_frame_and_both_errors(tmp_path: Path) -> None:
    write_panel(tmp_path / 'panel.png', 'two frames', [frame(True), frame(True)], RANGE)
    picture = cv2.imread(str(tmp_path / 'panel.png'))
    height, width = picture.shape[:2]
    assert width == pytest.approx(5 * 330 + 10, abs=2)
    image = (picture == (30, 200, 10)).all(axis=2)
    assert image.sum() == pytest.approx(2 * 320 * 240, rel=0.03)
    assert image[:, : width // 5].sum() == image.sum()
    # The published depth is 20 % off everywhere, the aligned one nowhere.
    error = np.array(error_colors()(0.2 / 0.5)[:3]) * 255
    off = (np.abs(picture[..., ::-1] - error) < 2).all(axis=2)
    columns = np.flatnonzero(off.sum(axis=0) > height // 3)
    assert 3 * 330 < columns.min() < columns.max() < 4 * 330 + 10
    right = (np.abs(picture[..., ::-1] - np.array(error_colors()(0.0)[:3]) * 255) < 2).all(axis=2)
    assert right[:, 4 * 330 + 10 :].sum() == pytest.approx(2 * 320 * 240, rel=0.03)


def test_panel_without_truth_has_two_columns(tmp_path: Path) -> None:
    write_panel(tmp_path / 'panel.png', 'one frame', [frame(False)], RANGE)
    assert cv2.imread(str(tmp_path / 'panel.png')).shape[1] == pytest.approx(2 * 330 + 10, abs=2)
