"""The edge filter measured: flying points removed, true surface kept, floors, time.

python -m benchmarks.edges writes results/edges.md and its picture beside this file. Depth is the
truth smeared as a network smears it: shrunk to the network's resolution, blurred there, enlarged.
It uses ../shared/data/rgbd/icl_nuim where that is there.
"""

import argparse
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib

matplotlib.use('Agg')
import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.preprocessing import network_size
from mono_depth_ros.core.outputs.edge_filter import EdgeFilterSettings, remove_flying_pixels
from mono_depth_ros.simulation.raycast import cast
from mono_depth_ros.simulation.views import sample_view

from .measuring import in_turns, machine

ICL = Path(__file__).resolve().parents[2] / 'shared/data/rgbd/icl_nuim'
RESULTS = Path(__file__).resolve().parent / 'results'
SIZE = 640, 480
FIRST_SEED = 10**9
SHOWN_SEED = FIRST_SEED + 2
TOLERANCE = 0.05
"""A point flies if its depth differs by more than this share from all true depths around."""
DEFAULT = EdgeFilterSettings()

Filter = Callable[[torch.Tensor, int], torch.Tensor]


class Network(NamedTuple):
    """How a network smears an edge.

    Attributes:
        input_size: Shorter side of what it sees [px].
        blur: Standard deviation of what it blurs there [px].
    """

    input_size: int
    blur: float


NETWORKS = {
    'vits, sharp': Network(518, 0.0),
    'vits, blur of 1 px': Network(518, 1.0),
    'tiny, sharp': Network(126, 0.0),
}


def ours(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return what the package makes of it."""
    return remove_flying_pixels(inverse_depth, DEFAULT, radius)


def ours_at_one_px(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return the same without regard to the network's resolution."""
    return remove_flying_pixels(inverse_depth, DEFAULT, 1)


def by_ratio(inverse_depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return the usual test: the ratio of depths in a 3x3 window alone."""
    q = inverse_depth[None, None]
    nearest = F.max_pool2d(q, 3, 1, 1)[0, 0]
    farthest = -F.max_pool2d(-q, 3, 1, 1)[0, 0]
    return inverse_depth.masked_fill(nearest > farthest * (1 + DEFAULT.threshold), torch.nan)


FILTERS: dict[str, Filter] = {
    'ours': ours,
    'ours, radius 1': ours_at_one_px,
    'ratio in 3x3': by_ratio,
}


def icl_views() -> Iterator[torch.Tensor]:
    """Yield the true depth (480, 640) [m] of each ICL-NUIM frame."""
    for path in sorted(ICL.glob('depth_*.png')):
        depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED).astype(np.float32) / 5000
        yield torch.from_numpy(np.where(depth > 0, depth, np.nan).astype(np.float32))


def simulated_views(count: int) -> Iterator[torch.Tensor]:
    """Yield the true depth (480, 640) [m] of rooms that `tiny` was not trained on."""
    for seed in range(FIRST_SEED, FIRST_SEED + count):
        shot = sample_view(seed, *SIZE)
        yield cast(shot.scene, shot.camera, shot.pose).depth


def smeared(depth: torch.Tensor, network: Network) -> torch.Tensor:
    """Return inverse depth (H, W) [1/m] as a network of that resolution would give it at best."""
    height, width = depth.shape
    q = depth.reciprocal().nan_to_num(0.0)[None, None]
    at = network_size(height, width, network.input_size)
    q = F.interpolate(q, at, mode='bilinear', antialias=True)
    if network.blur:
        blurred = cv2.GaussianBlur(q[0, 0].numpy(), (0, 0), network.blur)
        q = torch.from_numpy(np.asarray(blurred, np.float32))[None, None]
    return F.interpolate(q, (height, width), mode='bilinear', align_corners=True)[0, 0]


def is_flying(inverse_depth: torch.Tensor, depth: torch.Tensor, radius: int) -> torch.Tensor:
    """Return which pixels agree with no true depth within `radius` pixels."""
    height, width = depth.shape
    around = F.pad(depth.log()[None, None], (radius,) * 4, value=torch.nan)[0, 0]
    best = torch.full_like(depth, torch.inf)
    for dv in range(2 * radius + 1):
        for du in range(2 * radius + 1):
            other = around[dv : dv + height, du : du + width]
            best = torch.minimum(best, (inverse_depth.log() + other).abs().nan_to_num(torch.inf))
    return (best > np.log1p(TOLERANCE)) & depth.isfinite()


def blur_px(network: Network) -> int:
    """Return the output pixels that one of the network covers, as the pipeline counts them."""
    return max(1, round(SIZE[1] / network_size(SIZE[1], SIZE[0], network.input_size)[0]))


def shares(views: list[torch.Tensor], network: Network) -> dict[str, list[float]]:
    """Return, by filter, the shares of flying points removed and of true surface kept."""
    radius = blur_px(network)
    counts = {name: np.zeros(4) for name in FILTERS}
    for depth in views:
        q = smeared(depth, network)
        flies = is_flying(q, depth, 2 * radius + 1)
        stands = ~flies & depth.isfinite()
        for name, filtered in FILTERS.items():
            gone = filtered(q, radius).isnan()
            counts[name] += [
                int(flag.sum()) for flag in (gone & flies, flies, ~gone & stands, stands)
            ]
    return {name: [c[0] / c[1], c[2] / c[3], c[1] / (c[1] + c[3])] for name, c in counts.items()}


def share_table(worlds: dict[str, list[torch.Tensor]]) -> str:
    """Return the table of all worlds, networks and filters."""
    lines = [
        '| world | network | flying | filter | flying removed | true surface kept |',
        '| --- | --- | ---: | --- | ---: | ---: |',
    ]
    for world, views in worlds.items():
        for name, network in NETWORKS.items():
            for which, (removed, kept, flying) in shares(views, network).items():
                lines.append(
                    f'| {world} | {name} | {flying:.2%} | {which} | {removed:.2%} | {kept:.2%} |'
                )
    return '\n'.join(lines) + '\n'


def floor_table() -> str:
    """Return how far a level floor is kept without a gap, by the height of the camera."""
    ray_down = PinholeCamera.from_fov(*SIZE, 70).rays()[1]
    lines = [f'| camera height | {" | ".join(FILTERS)} |', '| --- |' + ' ---: |' * len(FILTERS)]
    for height_m in (0.1, 0.3, 1.0):
        q = torch.where(ray_down > 0, ray_down / height_m, torch.nan)
        cells = []
        for filtered in FILTERS.values():
            column = (filtered(q.nan_to_num(0.0), 1) / q)[:, 320]
            lost = ray_down[:, 320][(ray_down[:, 320] > 0) & ~column.isfinite()]
            nearest_lost = height_m / float(lost.max())
            cells.append(f'{nearest_lost:.1f} m')
        lines.append(f'| {height_m} m | {" | ".join(cells)} |')
    return '\n'.join(lines) + '\n'


def time_table(depth: torch.Tensor, rounds: int) -> str:
    """Return the milliseconds on this machine."""
    q = smeared(depth, NETWORKS['vits, blur of 1 px'])
    candidates = {f'radius {radius}': (lambda r=radius: ours(q, r)) for radius in (1, 2, 4)}
    times = in_turns(candidates, rounds, torch.device('cpu'))
    lines = ['| | median [ms] | least [ms] |', '| --- | ---: | ---: |']
    for name, taken in times.items():
        wall = 1e3 * taken.wall
        lines.append(f'| {name} | {np.median(wall):.2f} | {wall.min():.2f} |')
    return '\n'.join(lines) + '\n'


def draw(path: Path) -> None:
    """Draw a simulated view and its points from above, as smeared and as filtered."""
    shot = sample_view(SHOWN_SEED, *SIZE)
    depth = cast(shot.scene, shot.camera, shot.pose).depth
    network = NETWORKS['vits, blur of 1 px']
    q = smeared(depth, network)
    flies = is_flying(q, depth, 3)
    x = shot.camera.rays()[0]
    far = float(depth.quantile(0.99))
    _, axes = plt.subplots(2, 3, figsize=(16, 10))
    for column, (name, kept) in enumerate(
        {
            'as the network smears it': q,
            'ratio in 3x3': by_ratio(q, 1),
            'ours': ours(q, blur_px(network)),
        }.items()
    ):
        above, below = axes[0, column], axes[1, column]
        known = kept.isfinite()
        above.imshow(torch.where(known, 1 / kept, torch.nan), cmap='turbo_r', vmin=0.5, vmax=far)
        lost = int((known & flies).sum())
        above.set_title(f'{name}: {int(known.sum())} points, {lost} flying')
        z = 1 / kept[known]
        below.scatter(x[known] * z, z, c=flies[known], s=0.1, cmap='coolwarm', rasterized=True)
        below.set_xlim(-far, far)
        below.set_ylim(0, 1.1 * far)
        below.set_title('from above [m]; red: flying')
    plt.tight_layout()
    plt.savefig(path, dpi=70)
    plt.close()


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--views', type=int, default=12, help='of the simulated world')
    parser.add_argument('--rounds', type=int, default=50)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    RESULTS.mkdir(exist_ok=True)
    worlds = {'simulated': list(simulated_views(arguments.views)), 'ICL-NUIM': list(icl_views())}
    worlds = {name: views for name, views in worlds.items() if views}
    text = (
        '# Edge filter\n\n'
        f'`OMP_NUM_THREADS=1 python -m benchmarks.edges`, {datetime.date.today()}\n\n'
        f'{machine(torch.device("cpu"))}\n\n'
        f'{SIZE[0]}x{SIZE[1]} px, {arguments.views} simulated views, '
        f'{len(worlds.get("ICL-NUIM", []))} of ICL-NUIM. Depth is the truth as a network would '
        f'smear it at best; a point flies if it differs by more than {TOLERANCE:.0%} from every '
        'true depth within 2 network pixels.\n\n'
        f'{share_table(worlds)}\n'
        'The first gap in a level floor (f = 457 px) lies at\n\n'
        f'{floor_table()}\n'
        'Time on one CPU thread; the budget is 3 ms:\n\n'
        f'{time_table(worlds["simulated"][0], arguments.rounds)}\n'
        'Picture: edges.png.\n'
    )
    print(text)
    (RESULTS / 'edges.md').write_text(text)
    draw(RESULTS / 'edges.png')


if __name__ == '__main__':
    main()
