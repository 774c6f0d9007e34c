"""A file of `mono_depth calibrate` is taken by the node's `--params-file`, as launch gives it."""

from pathlib import Path

import pytest
from harness import Graph, Running

from mono_depth_ros.cli.main import main


def calibrated(graph: Graph, folder: Path, *arguments: str) -> Running:
    """Return a node with the file that the command writes of a known disparity scale."""
    path = folder / 'parameters.yaml'
    network = ['--encoder', 'tiny', '--variant', 'relative']
    assert main(['calibrate', *network, *arguments, '-o', str(path)]) == 0
    return graph.start({}, '--params-file', str(path)).until('active')


def test_node_takes_the_file(graph: Graph, tmp_path: Path) -> None:
    given = ['--scale-disparity', '25', '--shift-disparity', '-1.5']
    running = calibrated(graph, tmp_path, *given, '--focal', '500', '--baseline', '0.125')
    assert running.get('encoder') == 'tiny'
    assert running.get('scale') == pytest.approx(25 / 62.5)
    assert running.get('shift') == pytest.approx(-1.5 / 62.5)
    running.close()


def test_node_takes_whole_numbers_and_a_factor(graph: Graph, tmp_path: Path) -> None:
    """Scale 2 and shift 0 must not come as integers."""
    rig = ['--focal', '100', '--baseline', '0.1']
    running = calibrated(graph, tmp_path, '--scale-disparity', '20', *rig)
    assert (running.get('scale'), running.get('shift')) == (2.0, 0.0)
    running.close()
