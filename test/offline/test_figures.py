"""Figures: colors mean what the color bar says, and every cell is where it belongs."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mono_depth_ros.core.outputs.colormap import ColormapSettings, paint_depth
from mono_depth_ros.offline.figures import (
    Cell,
    Column,
    depth_palette,
    draw_rows,
    error_palette,
)

RANGE = ColormapSettings()
GREEN_RGB = (10, 200, 30)


def test_depth_is_painted_as_the_node_paints_it() -> None:
    depth = np.array([[0.31, 1.0, 3.0, 9.0, 19.0]], np.float32)
    node = paint_depth(torch.from_numpy(depth), RANGE).numpy()
    palette = depth_palette(RANGE.near, RANGE.far)
    figure = palette.colors(palette.norm(depth))[..., :3] * 255
    assert np.abs(node[..., ::-1].astype(float) - figure).max() < 8


def test_what_is_unknown_has_a_color_of_its_own() -> None:
    unknown = np.ma.masked_invalid([np.nan])
    assert depth_palette(0.3, 20.0).colors(unknown)[0, :3].tolist() == [0, 0, 0]
    assert error_palette().colors(unknown)[0, :3] == pytest.approx([0x60 / 255] * 3, abs=0.01)


def pixels_of(picture: np.ndarray, rgb: tuple[float, ...]) -> np.ndarray:
    return (np.abs(picture[..., ::-1].astype(float) - rgb) < 2).all(axis=2)


def test_cells_are_in_their_columns_at_their_size(tmp_path: Path) -> None:
    image = np.full((48, 64, 3), GREEN_RGB, np.uint8)
    errors = error_palette()
    columns = [Column('image'), Column('wrong', errors), Column('right', errors)]
    row = [Cell(image), Cell(np.full((48, 64), 0.2)), Cell(np.zeros((48, 64)), 'mean 0')]
    draw_rows(tmp_path / 'rows.png', 'two rows', columns, [row, row])
    picture = cv2.imread(str(tmp_path / 'rows.png'))
    assert picture.shape[1] == pytest.approx(3 * 330 + 10, abs=2)
    green = pixels_of(picture, GREEN_RGB)
    assert green.sum() == pytest.approx(2 * 320 * 240, rel=0.03)
    assert green[:, :330].sum() == green.sum()
    for column, error in ((1, 0.2), (2, 0.0)):
        color = tuple(255 * value for value in errors.colors(errors.norm(error))[:3])
        found = pixels_of(picture, color)[:, column * 330 : (column + 1) * 330 + 10]
        assert found.sum() == pytest.approx(2 * 320 * 240, rel=0.03)


def test_cells_may_be_larger(tmp_path: Path) -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    draw_rows(tmp_path / 'row.png', '', [Column('image')], [[Cell(image)]], width_px=640)
    assert cv2.imread(str(tmp_path / 'row.png')).shape[1] == pytest.approx(660, abs=2)
