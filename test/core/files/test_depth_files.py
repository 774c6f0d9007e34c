"""Maps as other programs write them, and files that hold none."""

import struct
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from damage import damaged, outcome

from mono_depth_ros.core.errors import ImageError
from mono_depth_ros.core.files import depth_files
from mono_depth_ros.core.files.depth_files import read_map
from mono_depth_ros.core.files.file_writers import write_depth_png, write_npy
from mono_depth_ros.core.files.map_units import Quantity

NAN = np.nan


def saved(path: Path, array: np.ndarray) -> Path:
    np.save(path, array)
    return path


def same(values: np.ndarray, expected: list[list[float]]) -> None:
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values, np.array(expected, np.float32))


def test_floats_are_kept_and_infinite_ones_unknown(tmp_path: Path) -> None:
    values = np.array([[1.5, NAN, 0.0], [-2.0, np.inf, -np.inf]])
    same(read_map(saved(tmp_path / 'a.npy', values)), [[1.5, NAN, 0.0], [-2.0, NAN, NAN]])


def test_integers_count_in_the_unit(tmp_path: Path) -> None:
    counts = np.array([[0, 1, 5000], [65535, 2, 3]], np.uint16)
    cv2.imwrite(str(tmp_path / 'a.png'), counts)
    saved(tmp_path / 'a.npy', counts)
    same(read_map(tmp_path / 'a.png'), [[NAN, 0.001, 5.0], [65.535, 0.002, 0.003]])
    for name in ('a.png', 'a.npy'):
        expected = [[NAN, 1 / 5000, 1.0], [13.107, 2 / 5000, 3 / 5000]]
        same(read_map(tmp_path / name, 1 / 5000), expected)


def test_a_png_of_disparity_counts_in_1_256_px(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.array([[0, 256], [4096, 128]], np.uint16))
    same(read_map(tmp_path / 'a.png', quantity='disparity'), [[NAN, 1.0], [16.0, 0.5]])


@pytest.mark.parametrize('dtype', [np.int16, np.uint16, np.uint8, np.int32])
@pytest.mark.parametrize(
    ('quantity', 'usual'),
    [
        ('disparity', r'1/16 px \(StereoSGBM.*1/256 px \(KITTI'),
        ('depth', r'0\.001 m .* or 1/5000 m'),
        ('inverse_depth', '1/65535'),
    ],
)
def test_integers_without_a_unit_are_refused(
    tmp_path: Path, dtype: type, quantity: Quantity, usual: str
) -> None:
    path = saved(tmp_path / 'a.npy', np.array([[16, 32]], dtype))
    with pytest.raises(ImageError, match=f'holds .* as integers of .*: usually .*{usual}'):
        read_map(path, quantity=quantity)
    same(read_map(path, 1 / 16, quantity), [[1.0, 2.0]])


def test_a_png_of_eight_bits_has_no_usual_unit(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.png'), np.array([[4, 8]], np.uint8))
    with pytest.raises(ImageError, match='integers of 8 bits'):
        read_map(tmp_path / 'a.png', quantity='disparity')


def test_own_files_come_back(tmp_path: Path) -> None:
    depth = np.array([[1.25, NAN], [3.5, 0.004]], np.float32)
    write_depth_png(tmp_path / 'depth.png', depth)
    write_npy(tmp_path / 'depth.npy', depth)
    for name in ('depth.png', 'depth.npy'):
        same(read_map(tmp_path / name), depth.tolist())


def test_gray_png_of_eight_bits_and_in_three_channels(tmp_path: Path) -> None:
    counts = np.array([[0, 4], [8, 255]], np.uint8)
    cv2.imwrite(str(tmp_path / 'gray.png'), counts)
    cv2.imwrite(str(tmp_path / 'three.png'), np.repeat(counts[..., None], 3, axis=2))
    for name in ('gray.png', 'three.png'):
        same(read_map(tmp_path / name, 0.25), [[NAN, 1.0], [2.0, 63.75]])


@pytest.mark.parametrize('order', ['<', '>'])
def test_pfm_is_bottom_up_in_either_byte_order(tmp_path: Path, order: str) -> None:
    header = f'Pf\n3 2\n{"-" if order == "<" else ""}0.003922\n'.encode()
    rows = struct.pack(f'{order}6f', 4.0, 5.0, float('inf'), 1.0, 2.0, 3.0)
    (tmp_path / 'disp0.pfm').write_bytes(header + rows)
    same(read_map(tmp_path / 'disp0.pfm'), [[1.0, 2.0, 3.0], [4.0, 5.0, NAN]])


def test_pfm_of_another_library(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(4, 7)).astype(np.float32)
    assert cv2.imwrite(str(tmp_path / 'a.pfm'), values)
    np.testing.assert_array_equal(read_map(tmp_path / 'a.pfm'), values)


@pytest.mark.parametrize('shape', [(1, 1, 2, 3), (2, 3, 1), (1, 2, 3, 1)])
def test_axes_of_length_one_are_dropped(tmp_path: Path, shape: tuple[int, ...]) -> None:
    array = np.arange(1.0, 7.0).reshape(shape)
    same(read_map(saved(tmp_path / 'a.npy', array)), [[1, 2, 3], [4, 5, 6]])


def test_a_single_row_stays_one(tmp_path: Path) -> None:
    assert read_map(saved(tmp_path / 'a.npy', np.ones((1, 5)))).shape == (1, 5)


def test_npz_with_one_array(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / 'a.npz', np.array([[1.0, 2.0]]))
    same(read_map(tmp_path / 'a.npz'), [[1.0, 2.0]])


def test_npz_with_two_arrays_is_refused_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / 'a.npz', left=np.ones((2, 2)), right=np.ones((2, 2)))
    with pytest.raises(ImageError, match=r'2 arrays \(left\.npy, right\.npy\)'):
        read_map(tmp_path / 'a.npz')


@pytest.mark.parametrize(
    ('array', 'reason'),
    [
        (np.ones((2, 3, 4)), r'shape \(2, 3, 4\); one map'),
        (np.ones(5), r'shape \(5,\)'),
        (np.ones((0, 4)), r'shape \(0, 4\)'),
        (np.ones((2, 2), bool), 'holds bool'),
        (np.ones((2, 2), complex), 'holds complex128'),
        (np.array([['a', 'b']]), 'holds <U1'),
    ],
)
def test_arrays_that_are_no_map(tmp_path: Path, array: np.ndarray, reason: str) -> None:
    with pytest.raises(ImageError, match=reason):
        read_map(saved(tmp_path / 'a.npy', array))


def test_pickled_objects_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / 'a.npy', np.array([[object()]]), allow_pickle=True)
    with pytest.raises(ImageError, match='holds object; floats or integers'):
        read_map(tmp_path / 'a.npy')


@pytest.mark.parametrize('suffix', ['npy', 'npz', 'png', 'pfm'])
def test_damaged_files_are_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f'depth.{suffix}'
    values = np.random.default_rng(0).uniform(1, 2, (50, 60))
    if suffix == 'npz':
        np.savez_compressed(path, values)
    elif suffix == 'npy':
        np.save(path, values)
    else:
        scaled = values.astype(np.float32) if suffix == 'pfm' else (values * 999).astype(np.uint16)
        cv2.imwrite(str(path), scaled)
    whole = path.read_bytes()
    for content in (b'', b'\0', b'\n\n\n\n', b'anything at all', whole[:40], whole[:-2000]):
        path.write_bytes(content)
        with pytest.raises(ImageError, match=r'depth\.' + suffix):
            read_map(path)


def test_pfm_headers_that_cannot_be(tmp_path: Path) -> None:
    path = tmp_path / 'a.pfm'
    for header in (
        'PF\n1 1\n-1\n',
        'Pf\n1\n-1\n',
        'Pf\n0 1\n-1\n',
        'Pf\n9 9\n-1\n',
        'Pf\n1 1\nx\n',
    ):
        path.write_bytes(header.encode() + bytes(12))
        with pytest.raises(ImageError, match=r'a\.pfm'):
            read_map(path)


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r'none of \.npy, \.npz, \.png, \.pfm'):
        read_map(tmp_path / 'depth.jpg')
    with pytest.raises(ImageError, match='No such file'):
        read_map(tmp_path / 'depth.npy')
    cv2.imwrite(str(tmp_path / 'a.png'), np.arange(12, dtype=np.uint8).reshape(2, 2, 3))
    with pytest.raises(ImageError, match='in color'):
        read_map(tmp_path / 'a.png')


def test_real_maps(shared_dir: Path) -> None:
    data = shared_dir / 'data'
    prediction = read_map(data / 'rgbd/nyu_fastdepth/pred.npy')
    assert prediction.shape == (224, 224)
    tum = read_map(data / 'rgbd/tum/depth.png', 1 / 5000)
    assert tum.shape == (480, 640)
    assert 0.3 < np.nanmin(tum) < np.nanmax(tum) < 14
    motorcycle = read_map(data / 'stereo/motorcycle/disp.npz')
    assert motorcycle.shape == (500, 741)
    cones = read_map(data / 'stereo/cones/disp_left.png', 0.25)
    assert cones.shape == (375, 450)
    assert np.nanmax(cones) < 64


def test_stated_sizes_are_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / 'a.npz'
    np.savez_compressed(packed, np.zeros((100, 100), np.float32))
    assert read_map(packed).shape == (100, 100)
    monkeypatch.setattr(depth_files, '_MAX_BYTES', 40_000)
    with pytest.raises(ImageError, match=r'a\.npz states 40128 bytes; up to 40000 are read'):
        read_map(packed)
    header = str({'descr': '<f4', 'fortran_order': False, 'shape': (10**7, 10**7)}).encode()
    empty = tmp_path / 'a.npy'
    empty.write_bytes(b'\x93NUMPY\x01\0' + len(header).to_bytes(2, 'little') + header + bytes(9))
    with pytest.raises(ImageError, match=r'a\.npy states float32 of shape .* and holds 9 bytes'):
        read_map(empty)


@pytest.mark.parametrize(
    'header',
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }",
        b"{'descr': '<f8', 'fortran_order': True, 'shape': (-1, 5), }",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, ",
        b"{'descr': ('<f4', (99999, 99999)), 'fortran_order': False, 'shape': (9,), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }",
        b'((((((((' * 900,
        bytes(100),
    ],
)
def test_headers_of_arrays_that_cannot_be(tmp_path: Path, header: bytes) -> None:
    content = b'\x93NUMPY\x01\0' + len(header).to_bytes(2, 'little') + header + bytes(16)
    (tmp_path / 'a.npy').write_bytes(content)
    np.savez(tmp_path / 'a.npz', np.ones((2, 2)))
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('arr_0.npy', content)
    for name in ('a.npy', 'a.npz'):
        with pytest.raises(ImageError, match=name.replace('.', r'\.')):
            read_map(tmp_path / name)


@pytest.mark.parametrize('suffix', ['npy', 'npz', 'png', 'pfm'])
def test_whatever_byte_is_damaged(tmp_path: Path, suffix: str) -> None:
    path, rng = tmp_path / f'a.{suffix}', np.random.default_rng(0)
    values = rng.uniform(1, 2, (6, 7)).astype(np.float32)
    if suffix == 'npz':
        np.savez_compressed(path, values)
    elif suffix == 'npy':
        np.save(path, values)
    else:
        cv2.imwrite(str(path), values if suffix == 'pfm' else (999 * values).astype(np.uint16))
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        found = outcome(lambda: read_map(path))
        assert str(path) in str(found) if isinstance(found, ImageError) else found.ndim == 2
