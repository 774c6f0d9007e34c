"""Points of a sensor beside the camera that the camera cannot see: how many of them are found."""

import argparse
import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.scale import point_projection
from mono_depth_ros.core.scale.point_projection import hidden_points
from mono_depth_ros.simulation.pose import Pose
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.scene import Scene
from mono_depth_ros.simulation.views import sample_view

from .alignment.table import table
from .measuring import in_turns, machine

RESULTS = Path(__file__).resolve().parent / 'results'
SIZE = (640, 480)
CHOSEN_ON, JUDGED_ON = range(9000, 9012), range(9100, 9112)
SENSORS = {
    '0.1 m above': (0.0, -0.1, 0.0),
    '0.3 m above': (0.0, -0.3, 0.0),
    '0.3 m above, 0.2 m behind': (0.0, -0.3, -0.2),
    '0.2 m beside': (0.2, 0.0, 0.0),
}
BEAMS = {'64 beams': (64, 0.4), '32 beams': (32, 1.0), '16 beams': (16, 2.0)}
"""Number, and their distance [deg]; 0.2 degrees along each, as of a spinning LiDAR."""
AZIMUTHS_DEG = np.arange(-55, 55, 0.2)
COUNTS = (2000, 500, 100)  # of scattered points
NOISE_M = 0.02
SCANNER = PinholeCamera.from_fov(1600, 1200, 120.0)
"""Rays of the sensor are cast as those of an image; each beam takes the nearest."""
FAR = 1.05  # a point is hidden if it lies farther than all that the camera sees around, by this
NEAR = 1.025  # and visible if no farther than that
CONSTANTS = ('_WINDOW', '_MARGIN', '_PARALLAX')

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Finder = Callable[[npt.NDArray[np.float32], Floats, PinholeCamera], Flags]


@dataclass(frozen=True, eq=False)
class Scan:
    """Points of one sensor in one view.

    Attributes:
        pattern: Of the sensor.
        sensor: Name of its place.
        position: (3,) of it in the optical frame [m].
        camera: Of the view.
        inverse_depth: (H, W) [1/m], NaN without a point.
        hidden: (H, W) points that the camera cannot see.
        visible: (H, W) those that it sees; a few at edges are neither.
    """

    pattern: str
    sensor: str
    position: Floats
    camera: PinholeCamera
    inverse_depth: npt.NDArray[np.float32]
    hidden: Flags
    visible: Flags


def scans(seeds: range) -> list[Scan]:
    """Return what each sensor measures of the view of each seed, by each pattern."""
    found = []
    for seed in seeds:
        shot, random = sample_view(seed, *SIZE), np.random.default_rng(seed)
        depth = cast(shot.scene, shot.camera, shot.pose).depth.numpy()
        for name, place in SENSORS.items():
            position = np.array(place)
            measured = _measured(shot.scene, shot.pose, position)
            if measured is None:
                continue
            for pattern, (v, u) in _patterns(random).items():
                points = measured[v, u] + random.normal(0, NOISE_M, (len(v), 1)) * _rays(v, u)
                q = _projected(points + position, shot.camera)
                if pattern.endswith('points'):
                    q = _thinned(q, int(pattern.split()[0]), random)
                truth = _judged(q, depth)
                found.append(Scan(pattern, name, position, shot.camera, q, *truth))
    return found


def _measured(scene: Scene, pose: Pose, position: Floats) -> Floats | None:
    """Return (H, W, 3) points [m] of the scanner's rays; None if it stands in something."""
    place = pose.position + pose.rotation @ torch.from_numpy(position)
    if float(scene.clearance(place[None])[0]) < 0.05:
        return None
    depth = cast(scene, SCANNER, Pose(place, pose.rotation)).depth.double()
    x, y = SCANNER.rays().double()
    points: Floats = torch.stack((x * depth, y * depth, depth), dim=-1).numpy()
    return points


def _rays(v: Floats, u: Floats) -> Floats:
    """Return (N, 3) unit vectors."""
    x, y = (u - SCANNER.cx) / SCANNER.fx, (v - SCANNER.cy) / SCANNER.fy
    ray = np.stack((x, y, np.ones_like(x)), axis=1)
    unit: Floats = ray / np.linalg.norm(ray, axis=1, keepdims=True)
    return unit


def _patterns(random: np.random.Generator) -> dict[str, tuple[Floats, Floats]]:
    """Return rows and columns of the scanner's rays."""
    found = {}
    for name, (count, step_deg) in BEAMS.items():
        down = np.radians((np.arange(count) - (count - 1) / 2) * step_deg)
        below, right = np.meshgrid(down, np.radians(AZIMUTHS_DEG), indexing='ij')
        u = np.rint(SCANNER.fx * np.tan(right) + SCANNER.cx).astype(int)
        v = np.rint(SCANNER.fy * np.tan(below) / np.cos(right) + SCANNER.cy).astype(int)
        inside = (u >= 0) & (u < SCANNER.width) & (v >= 0) & (v < SCANNER.height)
        found[name] = v[inside], u[inside]
    for count in COUNTS:
        many = 20 * max(COUNTS)  # of which so many are kept as lie in the view
        found[f'{count} points'] = (
            random.integers(0, SCANNER.height, many),
            random.integers(0, SCANNER.width, many),
        )
    return found


def _projected(points: Floats, camera: PinholeCamera) -> npt.NDArray[np.float32]:
    """Return inverse depth (H, W) of all points, hidden ones too; the nearest of a pixel."""
    with without_removal():
        return point_projection.project_points(points, np.zeros(3), camera)


@contextmanager
def without_removal() -> Iterator[None]:
    """Keep hidden points."""
    with changed('_QUADRANTS', 5):
        yield


@contextmanager
def changed(name: str, value: float) -> Iterator[None]:
    """Change a constant of the package."""
    before = getattr(point_projection, name)
    setattr(point_projection, name, value)
    try:
        yield
    finally:
        setattr(point_projection, name, before)


def _thinned(
    q: npt.NDArray[np.float32], count: int, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return so many of the points."""
    places = np.flatnonzero(np.isfinite(q))
    kept, few = random.permutation(places)[:count], np.full_like(q, np.nan)
    few.flat[kept] = q.flat[kept]
    return few


def _judged(q: npt.NDArray[np.float32], depth: npt.NDArray[np.float32]) -> tuple[Flags, Flags]:
    """Return which points are hidden and which visible, by the true depth (H, W) around them."""
    farthest = cv2.dilate(depth, np.ones((3, 3), np.uint8))
    with np.errstate(invalid='ignore'):
        return 1 / q > FAR * farthest, 1 / q < NEAR * farthest


def any_nearer(q: npt.NDArray[np.float32], position: Floats, camera: PinholeCamera) -> Flags:
    """Return the points with anything nearer by a tenth in a square of the same size."""
    points = np.isfinite(q)
    side = int(np.ceil(2 * np.sqrt(q.size / points.sum())))
    nearest = cv2.dilate(np.nan_to_num(q), np.ones((2 * side + 1, 2 * side + 1), np.uint8))
    flags: Flags = points & (nearest >= 1.1 * np.nan_to_num(q))
    return flags


def nothing(q: npt.NDArray[np.float32], position: Floats, camera: PinholeCamera) -> Flags:
    """Return no point."""
    return np.zeros(q.shape, np.bool_)


FINDERS: dict[str, Finder] = {
    'nearest of a pixel only': nothing,
    'anything nearer in the window': any_nearer,
    'the package': hidden_points,
}


def shares(cases: list[Scan], finder: Finder) -> list[str]:
    """Return hidden points removed, visible points lost, and hidden among those left."""
    counts = np.zeros(4)
    for case in cases:
        found = finder(case.inverse_depth, case.position, case.camera)
        flags = found & case.hidden, case.hidden, found & case.visible, case.visible
        counts += [int(flag.sum()) for flag in flags]
    removed, hidden, lost, visible = counts
    left = (hidden - removed) / (hidden - removed + visible - lost)
    return [f'{removed / hidden:.1%}', f'{lost / visible:.2%}', f'{left:.2%}']


HEAD = ('hidden removed', 'visible lost', 'hidden among the rest')


def result_tables(cases: list[Scan]) -> str:
    """Return the tables by pattern and by place of the sensor."""
    patterns = dict.fromkeys(case.pattern for case in cases)
    rows = [
        [pattern, name, *shares([case for case in cases if case.pattern == pattern], finder)]
        for pattern in patterns
        for name, finder in FINDERS.items()
    ]
    places = [
        [place, *shares([case for case in cases if case.sensor == place], hidden_points)]
        for place in SENSORS
    ]
    return (
        table(['pattern', 'method', *HEAD], rows)
        + '\nThe package, by the place of the sensor, all patterns together:\n\n'
        + table(['sensor', *HEAD], places)
    )


def constant_table(cases: list[Scan]) -> str:
    """Return what another value of each constant does."""
    beams = [case for case in cases if case.pattern in BEAMS]
    scattered = [case for case in cases if case.pattern not in BEAMS]

    def row(name: str) -> list[str]:
        return [name, *shares(beams, hidden_points)[:2], *shares(scattered, hidden_points)[:2]]

    rows = [row('**the package**')]
    values = {name: getattr(point_projection, name) for name in CONSTANTS}
    others = [(name, factor * value) for name, value in values.items() for factor in (0.5, 2)]
    for name, value in (*others, ('_QUADRANTS', 2), ('_QUADRANTS', 4)):
        with changed(name, value):
            rows.append(row(f'`{name}` {value:g}'))
    columns = [f'{kind}: {what}' for kind in ('beams', 'scattered') for what in HEAD[:2]]
    return table(['constant', *columns], rows)


def time_line(case: Scan, rounds: int) -> str:
    """Return the time that it takes."""
    run = {'ours': lambda: hidden_points(case.inverse_depth, case.position, case.camera)}
    cpu = 1e3 * in_turns(run, rounds, torch.device('cpu'))['ours'].cpu
    count = int(np.isfinite(case.inverse_depth).sum())
    return f'{count} points: median {np.median(cpu):.1f} ms of one CPU thread.\n'


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    RESULTS.mkdir(exist_ok=True)
    judged = scans(JUDGED_ON)
    text = (
        '# Hidden points\n\n'
        f'`OMP_NUM_THREADS=1 python -m benchmarks.hidden_points`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'A sensor beside the camera sees past what is near. Simulated rooms, {SIZE[0]}x{SIZE[1]} '
        f'px, {len(SENSORS)} places of the sensor, noise {NOISE_M} m. A point is hidden if it '
        f'lies {FAR - 1:.0%} behind all that the camera sees within a pixel.\n\n'
        f'Judged on {len(JUDGED_ON)} other rooms than the constants were chosen on:\n\n'
        f'{result_tables(judged)}\n'
        f'Constants, on the {len(CHOSEN_ON)} rooms that they were chosen on: a large share '
        'removed that loses less than 1 % of what is visible.\n\n'
        f'{constant_table(scans(CHOSEN_ON))}\n'
        f'{time_line(judged[0], arguments.rounds)}'
    )
    print(text)
    (RESULTS / 'hidden_points.md').write_text(text)


if __name__ == '__main__':
    main()
