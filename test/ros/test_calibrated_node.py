"""A file of `mono_depth calibrate` is taken by the node's `--params-file`, as launch gives it."""

from pathlib import Path

import pytest
from harness import Graph

from mono_depth_ros.cli.main import main


def test_node_takes_the_file(graph: Graph, tmp_path: Path) -> None:
    path = tmp_path / 'parameters.yaml'
    given = ['--scale-disparity', '25', '--shift-disparity', '-1.5']
    rig = ['--focal', '500', '--baseline', '0.125']
    assert (
        main(
            [
                'calibrate',
                '--encoder',
                'tiny',
                '--variant',
                'relative',
                *given,
                *rig,
                '-o',
                str(path),
            ]
        )
        == 0
    )
    running = graph.start({}, '--params-file', str(path)).until('active')
    assert running.get('encoder') == 'tiny'
    assert running.get('scale') == pytest.approx(25 / 62.5)
    assert running.get('shift') == pytest.approx(-1.5 / 62.5)
    running.close()


def test_node_takes_whole_numbers_and_a_factor(graph: Graph, tmp_path: Path) -> None:
    """Scale 2 and shift 0 must not come as integers."""
    path = tmp_path / 'parameters.yaml'
    rig = ['--focal', '100', '--baseline', '0.1']
    assert (
        main(
            [
                'calibrate',
                '--encoder',
                'tiny',
                '--variant',
                'relative',
                '--scale-disparity',
                '20',
                *rig,
                '-o',
                str(path),
            ]
        )
        == 0
    )
    running = graph.start({}, '--params-file', str(path)).until('active')
    assert (running.get('scale'), running.get('shift')) == (2.0, 0.0)
    running.close()
