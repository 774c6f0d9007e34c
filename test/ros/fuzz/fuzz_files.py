"""Bad files to every reader; run by test_fuzz.py, in a process of its own."""

import contextlib
import io
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import yaml
from bad_messages import TEXT, spoilt
from cases import cases
from hypothesis import given
from safetensors.torch import save

from mono_depth_ros import MonoDepthError, read_map
from mono_depth_ros.core.camera.mask import read_mask
from mono_depth_ros.core.network.checkpoints.state import load_state
from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.offline.calibration_files import read_calibration
from mono_depth_ros.offline.parameter_files import read_parameters

MAP = np.linspace(0.5, 8.0, 12, dtype=np.float32).reshape(3, 4)
CALIBRATION = {
    'image_width': 64,
    'image_height': 48,
    'distortion_model': 'plumb_bob',
    'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [0.0] * 5},
    'camera_matrix': {'rows': 3, 'cols': 3, 'data': [80.0, 0, 32, 0, 80, 24, 0, 0, 1]},
    'rectification_matrix': {'rows': 3, 'cols': 3, 'data': [1.0, 0, 0, 0, 1, 0, 0, 0, 1]},
    'projection_matrix': {
        'rows': 3,
        'cols': 4,
        'data': [80.0, 0, 32, 0, 0, 80, 24, 0, 0, 0, 1, 0],
    },
}
PARAMETERS = {'mono_depth': {'ros__parameters': {'max_depth': 40.0, 'cloud': {'stride': 2}}}}
BOMB = 'a: &a [x, x]\n' + ''.join(
    f'{b}: &{b} [*{a}, *{a}]\n' for a, b in zip('abcdefgh', 'bcdefghi', strict=True)
)


def numpy_file(**arrays: Any) -> bytes:
    """Return a .npy of one array, or a .npz."""
    file = io.BytesIO()
    if 'one' in arrays:
        np.save(file, arrays['one'], allow_pickle=True)
    else:
        np.savez_compressed(file, **arrays)
    return file.getvalue()


def pfm() -> bytes:
    """Return the map as PFM."""
    return b'Pf\n4 3\n-1.0\n' + MAP[::-1].astype('<f4').tobytes()


def header(text: str) -> bytes:
    """Return a .npy that says this about itself and holds no data."""
    data = text.encode('latin-1', 'replace')
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', min(len(data), 65535)) + data


def pickled() -> bytes:
    """Return a checkpoint as torch saves it."""
    file = io.BytesIO()
    torch.save({'pretrained.norm.weight': torch.ones(3)}, file)
    return file.getvalue()


HEADERS = st.builds(
    "{{'descr': {!r}, 'fortran_order': False, 'shape': {}, }}".format,
    st.sampled_from(['<f4', '<f8', '|O', '<U9', '|V0', '<c16']) | TEXT,
    st.lists(st.integers(-1, 2**62), max_size=3).map(tuple),
).map(header)
MAPS = {
    '.npy': spoilt([numpy_file(one=MAP), numpy_file(one=np.array([{}]))]) | HEADERS,
    '.npz': spoilt([numpy_file(depth=MAP), numpy_file(a=MAP, b=MAP)]),
    '.png': spoilt([cv2.imencode('.png', (1000 * MAP).astype(np.uint16))[1].tobytes()]),
    '.pfm': spoilt([pfm()]) | st.binary(max_size=40).map(lambda tail: b'Pf\n' + tail),
}
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


def texts(good: dict[str, Any]) -> Any:
    """Return YAML: the good one spoilt, with other values at its keys, or anything."""
    keys = st.sampled_from([*good])
    replaced = st.dictionaries(keys, TREES, min_size=1).map(lambda other: good | other)
    dumped = (replaced | TREES).map(lambda tree: yaml.safe_dump(tree, allow_unicode=True).encode())
    wholes = [yaml.safe_dump(good).encode(), BOMB.encode(), b'[' * 1500, b'{a: ' * 1500]
    return spoilt(wholes) | dumped


def require_own_error(read: Callable[[Path], Any], path: Path, content: bytes) -> None:
    """Read a file that may be bad; only an error of the package may come of it."""
    path.write_bytes(content)
    with contextlib.suppress(MonoDepthError):
        read(path)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('files')


@cases(0.15)
@given(st.sampled_from([*MAPS]).flatmap(lambda suffix: st.tuples(st.just(suffix), MAPS[suffix])))
def test_maps(folder: Path, file: tuple[str, bytes]) -> None:
    require_own_error(read_map, folder / f'bad{file[0]}', file[1])
    good = folder / 'good.npy'
    good.write_bytes(numpy_file(one=MAP))
    np.testing.assert_array_equal(read_map(good), MAP)


@cases(0.05)
@given(spoilt([cv2.imencode('.png', np.eye(8, dtype=np.uint8))[1].tobytes(), b'']))
def test_masks(folder: Path, content: bytes) -> None:
    require_own_error(lambda path: read_mask(str(path)), folder / 'mask.png', content)


@cases(0.05)
@given(texts(CALIBRATION))
def test_calibrations(folder: Path, content: bytes) -> None:
    require_own_error(read_calibration, folder / 'bad.yaml', content)
    good = folder / 'good.yaml'
    good.write_text(yaml.safe_dump(CALIBRATION))
    assert read_calibration(good).width == 64


@cases(0.05)
@given(texts(PARAMETERS))
def test_parameter_files(folder: Path, content: bytes) -> None:
    require_own_error(read_parameters, folder / 'bad.yaml', content)


@cases(0.05)
@given(
    spoilt([pickled(), save({'pretrained.norm.weight': torch.ones(3)})])
    | st.builds(
        lambda size, text: struct.pack('<Q', size) + text.encode(),
        st.integers(0, 2**64 - 1),
        TEXT,
    ),
    st.sampled_from(['.pth', '.safetensors', '']),
)
def test_checkpoints(folder: Path, content: bytes, suffix: str) -> None:
    def read(path: Path) -> None:
        load_state(path, 'tiny')

    require_own_error(read, folder / f'bad{suffix}', content)


def test_a_good_checkpoint_is_read_after_all_that(folder: Path) -> None:
    state = CompactDepth().state_dict()
    (folder / 'good.safetensors').write_bytes(save(state))
    assert load_state(folder / 'good.safetensors', 'tiny').keys() == state.keys()
