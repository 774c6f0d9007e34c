"""The tables of docs/accuracy.md, rewritten from what was measured.

After `make demo`, python -m benchmarks.accuracy_page takes the demo's table from
demo_output/report.json, and the README's picture from beside it; bench_alignment brings its own up
to date by itself.
"""

import argparse
import json
import os
import shutil
from pathlib import Path

from mono_depth_ros.cli.machine import processor

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'accuracy.md'
PICTURE = ROOT / 'docs' / 'images' / 'overview.jpg'
REPORT = ROOT / 'demo_output' / 'report.json'
NONE = '`none`: the meters of the network itself'
METHODS = {
    'min_max': '`min_max`',
    'least_squares': '`least_squares`',
    'robust': '`robust`',
    'robust + local': '`robust`, `alignment.model: local`',
    'robust + fused': '`robust`, `alignment.model: fused` (the default)',
    'depth camera + fused': 'a depth camera instead of stereo, `fused`',
    'laser + fused': 'a 2D laser instead of stereo, `fused`',
    'ToF 8x8 + fused': 'a ToF sensor of 8x8 zones instead of stereo, `fused`',
    'landmarks + fused': '100 landmarks of visual-inertial odometry instead of stereo, `fused`',
    'LiDAR 16 + fused': 'a LiDAR of 16 beams instead of stereo, `fused`',
    'LiDAR 64 + fused': 'a LiDAR of 64 beams instead of stereo, `fused`',
    'floor': 'the floor, from height and pitch of the camera',
    'sonar': 'one ultrasonic sensor, the nearest distance within 15 degrees',
}
BEST_FITS = {f'{name}, best fit': name for name in ('network', 'constant', 'row gradient')}


def write(name: str, text: str, page: Path = PAGE) -> None:
    """Put a text between the markers of that name.

    Raises:
        ValueError: The page lacks the markers.
    """
    first, last = f'<!-- {name} -->', f'<!-- /{name} -->'
    content = page.read_text()
    if content.count(first) != 1 or content.count(last) != 1:
        raise ValueError(f'{page} needs one line {first} and one line {last}')
    before, _, rest = content.partition(first)
    _, _, after = rest.partition(last)
    page.write_text(f'{before}{first}\n{text}{last}{after}')


def write_alignment(markdown: str) -> None:
    """Take the table of the alignment from the text of results/alignment.md."""
    outliers, real, simulated = (
        rows(markdown, title) for title in ('Gross outliers', 'Real stereo', 'Simulated world')
    )
    lines = [
        '| `alignment.method` | tiny, 30 simulated drive frames: mean / worst | Middlebury '
        'motorcycle and cones, distorted truth: mean | 40 % outliers, worst of 20 |',
        '|---|---|---|---|',
    ]
    for name, title in METHODS.items():
        if name not in simulated:
            continue
        views, pairs, gross = (found.get(name, {}) for found in (simulated, real, outliers))
        drive = f'{_share(views["mean"])} / {_share(views["worst"])}'
        worst = _share(gross['plane, worst']) if gross else ''
        lines.append(f'| {title} | {drive} | {_share(pairs["mean"])} | {worst} |')
    write('alignment', '\n'.join(lines) + '\n')


def write_demo(report: Path) -> None:
    """Take the demo's table from its report."""
    found = json.loads(report.read_text())
    drive, camera = found['sources'][0], found['camera']
    scores = drive['scores']
    lines = [
        f'`make demo`, on {os.cpu_count()} cores of {processor()}, in {found["seconds"]:.0f} s '
        f'({camera["width"]}x{camera["height"]}, {camera["views"]} views of a furnished room that '
        f'the network has never seen, at {camera["rate"]:.0f} Hz; disparity at '
        f'{camera["disparity_rate"]:.0f} Hz, the other sensors at the rate of the images):',
        '',
    ]
    lines += ['| `alignment.method` | AbsRel | delta1 | RMSE |', '|---|---|---|---|']
    for name, title in ({'none': NONE} | METHODS).items():
        lines.append(_demo_line(title, scores[name]))
    for name, title in BEST_FITS.items():
        lines.append(_demo_line(f'best fit to the truth of each frame: {title}', scores[name]))
    known = '; '.join(
        f'{name} {score["known"]} of {score["frames"]}'
        for name, score in scores.items()
        if score['known'] < score['frames']
    )
    answered = f'Views with depth: {known}' if known else 'Every view got depth by every method'
    lines += [
        '',
        f"{answered}; {drive['rate_hz']:.1f} depth images per second of the camera's "
        f'{drive["camera_hz"]:.0f}; {drive["latency_ms"]["p50"]:.0f} ms from image to depth in '
        'the median, over DDS, with everything else on the same two cores.',
    ]
    write('demo', '\n'.join(lines) + '\n')


def rows(markdown: str, title: str) -> dict[str, dict[str, str]]:
    """Return the first table of a section: row name -> column -> cell.

    Raises:
        ValueError: There is no such section, or it has no table.
    """
    _, found, rest = markdown.partition(f'## {title}\n')
    lines = [line for line in rest.partition('\n## ')[0].splitlines() if line.startswith('|')]
    if not found or len(lines) < 3:
        raise ValueError(f'no table under {title!r}')
    head, _, *body = ([cell.strip() for cell in line.strip('|').split('|')] for line in lines)
    table: dict[str, dict[str, str]] = {}
    for name, *cells in body:
        table.setdefault(name, dict(zip(head[1:], cells, strict=False)))
    return table


def _share(percentage: str) -> str:
    return f'{float(percentage.removesuffix(" %")) / 100:.3f}'


def _demo_line(title: str, score: dict[str, float]) -> str:
    if not score['known']:
        return f'| {title} | not known | | |'
    return f'| {title} | {score["abs_rel"]:.3f} | {score["delta1"]:.3f} | {score["rmse"]:.2f} m |'


def main() -> None:
    """Bring the demo's table and picture up to date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('report', nargs='?', type=Path, default=REPORT)
    report = parser.parse_args().report
    write_demo(report)
    shutil.copy(report.with_name(PICTURE.name), PICTURE)


if __name__ == '__main__':
    main()
