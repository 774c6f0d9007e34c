"""`mono_depth networks`: cards and models of random weights, listed, shown and checked."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from mono_depth_ros import MonoDepth
from mono_depth_ros.cli.main import main
from mono_depth_ros.core.errors import SettingsError

CARD = """
model: blue.onnx
license: MIT
source: made here
input: {name: image, order: rgb, scale: 1/255, mean: [0, 0, 0], std: [1, 1, 0.5]}
size: {shorter: 60, multiple: 2}
output: {name: depth, kind: depth}
meters: {rule: metric, training_focal_px: 80}
range: [0, 30]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a network that takes the share of blue for depth, and its card."""
    channels = onnx.numpy_helper.from_array(np.array([2], np.int64), 'blue')
    graph = helper.make_graph(
        [helper.make_node('Gather', ['image', 'blue'], ['depth'], axis=1)],
        'blue',
        [helper.make_tensor_value_info('image', TensorProto.FLOAT, ('n', 3, 'h', 'w'))],
        [helper.make_tensor_value_info('depth', TensorProto.FLOAT, ('n', 1, 'h', 'w'))],
        [channels],
    )
    opset = helper.make_opsetid('', 17)
    onnx.save(
        helper.make_model(graph, opset_imports=[opset], ir_version=9), tmp_path / 'blue.onnx'
    )
    (tmp_path / 'card.yaml').write_text(CARD)
    return tmp_path


def test_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / 'bad.yaml').write_text('model: x.onnx')
    (folder / 'missing.yaml').write_text(CARD.replace('blue.onnx', 'other.onnx'))
    assert main(['networks', 'list', str(folder)]) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    assert 'depth metric MIT here' in shown
    assert 'not here' in shown
    assert 'bad.yaml lacks output, which has no default' in shown
    assert main(['networks', 'list', str(folder / 'nowhere')]) == 1


def test_list_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['networks', 'list']) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    assert 'disparity_share baseline UCLB ACP-A not here' in shown


def test_show(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['networks', 'show', str(folder / 'card.yaml')]) == 0
    shown = ' '.join(capsys.readouterr().out.split())
    for part in (
        'license MIT',
        'image, rgb nchw: (0.00392157 value - [0, 0, 0]) / [1, 1, 0.5]',
        'shorter side 60 px, multiples of 2',
        'camera not needed',
        'meters metric focal_px 80',
        'range 0 to 30 m',
        'sha256 not stated',
        'input image (any, 3, any, any) float',
        'output depth (any, 1, any, any) float',
    ):
        assert part in shown


def test_check(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['networks', 'check', str(folder / 'card.yaml'), '--rounds', '1']) == 0
    shown = capsys.readouterr().out
    assert 'right at two sizes' in shown
    assert 'nearness follows a floor by 0.9' in shown or 'by 1.00' in shown
    assert '640x480 px (input 80x60)' in shown


def test_check_of_a_network_that_is_not_what_its_card_says(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load(CARD)
    values['output']['kind'] = 'inverse_depth'
    (folder / 'card.yaml').write_text(yaml.safe_dump(values))
    assert main(['networks', 'check', str(folder / 'card.yaml')]) == 1
    assert 'the output is probably depth' in capsys.readouterr().err


def test_check_does_not_ask_for_the_license(folder: Path) -> None:
    (folder / 'card.yaml').write_text(CARD.replace('MIT', 'CC-BY-NC-4.0'))
    assert main(['networks', 'check', str(folder / 'card.yaml'), '--rounds', '1']) == 0


def test_depth_in_python_by_a_card(folder: Path) -> None:
    rgb = np.full((60, 80, 3), 128, np.uint8)
    rgb[..., 2] = np.linspace(250, 150, 60)[:, None]  # flat enough to have no edges
    found = MonoDepth(network=str(folder / 'card.yaml'))(rgb, fov_deg=60.0)
    np.testing.assert_allclose(found.depth[5:-5], rgb[5:-5, :, 2] / 255 * 2, rtol=0.01)
    with pytest.raises(SettingsError, match='scale is 0'):
        MonoDepth(network=str(folder / 'card.yaml'), scale=0.5)


def test_estimate_by_a_card(folder: Path) -> None:
    import cv2

    bgr = np.random.default_rng(0).integers(60, 250, (60, 80, 3), np.uint8)
    cv2.imwrite(str(folder / 'p.png'), bgr)
    network = ['--network', str(folder / 'card.yaml')]
    out = folder / 'out'
    command = ['estimate', str(folder / 'p.png'), '-o', str(out), '--format', 'npy', *network]
    assert main(command) == 0
    depth = np.load(next(out.glob('*.npy')))
    assert np.nanmedian(np.abs(depth - bgr[..., 0] / 255 * 2)) < 0.02
