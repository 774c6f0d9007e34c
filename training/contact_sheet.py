"""Draw a sheet of views to be looked at: `python -m training.contact_sheet`."""

import argparse
import itertools
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from .world.furniture_pack import load_pack
from .world.view_factory import ViewFactory
from .world.view_shards import StoredView

COLUMNS, ROWS = 8, 6
CELL = 176, 132
SHEET = Path(__file__).with_name('contact_sheet.png')
FIRST_SEED = 900_000
"""Scenes of the sheet; neither training nor the exam has them."""


def sheet(views: Iterable[StoredView], cell: tuple[int, int] = CELL) -> np.ndarray:
    """Return the pictures of at most 48 views in a grid, (H, W, 3) uint8 BGR."""
    width, height = cell
    canvas = np.zeros((ROWS * height, COLUMNS * width, 3), np.uint8)
    for number, view in enumerate(itertools.islice(views, COLUMNS * ROWS)):
        row, column = divmod(number, COLUMNS)
        picture = cv2.imdecode(view.picture, cv2.IMREAD_COLOR)
        small = cv2.resize(picture, cell, interpolation=cv2.INTER_AREA)
        canvas[row * height : (row + 1) * height, column * width : (column + 1) * width] = small
    return canvas


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--pack', type=Path, default=Path('training/runs/furniture.npz'))
    parser.add_argument('--sheet', type=Path, default=SHEET)
    parser.add_argument('--exam', action='store_true', help='held-out models and textures')
    arguments = parser.parse_args()
    factory = ViewFactory(load_pack(arguments.pack), 320, 240, arguments.exam)
    seeds = itertools.count(FIRST_SEED)
    each = (view for seed in seeds for view in factory.views(seed, 1))
    cv2.imwrite(str(arguments.sheet), sheet(each))
