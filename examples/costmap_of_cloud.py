"""Draw a map of obstacles from clouds of `mono_depth estimate`: a bag becomes costmaps, no robot.

    mono_depth estimate ride/ -o out --formats ply
    python examples/costmap_of_cloud.py out/ride/*_points.ply --camera-height 0.6 -o maps

White is floor, black is an obstacle, gray is not known. The robot is below the picture.
"""

import argparse
import math
from pathlib import Path

import cv2
import numpy as np

from mono_depth_ros import read_points

CELL_M, FORWARD_M, SIDE_M = 0.05, 5.0, 2.5
FLOOR_M, LOWEST_M, HIGHEST_M = 0.05, 0.15, 1.5
UNKNOWN, FREE, OBSTACLE = 128, 255, 0


def costmap(points: np.ndarray, height_m: float, pitch_rad: float) -> np.ndarray:
    """Return (100, 100) uint8 of (N, 3) points [m] in the optical frame; the upper row is far."""
    right, down, ahead = points.T
    cosine, sine = math.cos(pitch_rad), math.sin(pitch_rad)
    forward = cosine * ahead - sine * down
    above = height_m - (sine * ahead + cosine * down)
    rows = ((FORWARD_M - forward) / CELL_M).astype(int)
    columns = ((right + SIDE_M) / CELL_M).astype(int)
    size = round(FORWARD_M / CELL_M), round(2 * SIDE_M / CELL_M)
    grid = np.full(size, UNKNOWN, np.uint8)
    inside = (rows >= 0) & (rows < size[0]) & (columns >= 0) & (columns < size[1])
    for is_seen, value in (
        (np.abs(above) < FLOOR_M, FREE),
        ((above > LOWEST_M) & (above < HIGHEST_M), OBSTACLE),
    ):
        grid[rows[inside & is_seen], columns[inside & is_seen]] = value
    return grid


def main() -> None:
    """Write a picture for each cloud, four pixels for each cell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('clouds', type=Path, nargs='+')
    parser.add_argument('--camera-height', type=float, required=True, metavar='M')
    parser.add_argument('--camera-pitch', type=float, default=0.0, metavar='RAD', help='down > 0')
    parser.add_argument('-o', '--output', type=Path, default=Path('maps'))
    args = parser.parse_args()
    args.output.mkdir(exist_ok=True)
    for path in args.clouds:
        grid = costmap(read_points(path), args.camera_height, args.camera_pitch)
        picture = cv2.resize(grid, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
        cv2.imwrite(str(args.output / f'{path.stem}_map.png'), picture)


if __name__ == '__main__':
    main()
