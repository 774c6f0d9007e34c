"""Points of PLY, PCD and KITTI files, whole and damaged."""

import contextlib
import io
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData, PlyElement

from mono_depth_ros.core.errors import PointsError
from mono_depth_ros.core.files.file_writers import write_ply
from mono_depth_ros.core.files.point_files import lzf_decompress, read_points

POINTS = np.random.default_rng(0).normal(0, 5, (200, 3)).astype(np.float32)
Writer = Callable[[np.ndarray], bytes]


def pcd_header(form: str, points: np.ndarray) -> bytes:
    """Return a header as PCL writes it, with a field of two values between the coordinates."""
    return (
        '# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS x y normal z _\n'
        'SIZE 4 4 2 4 1\nTYPE F F U F U\nCOUNT 1 1 2 1 4\n'
        f'WIDTH {len(points)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(points)}\n'
        f'DATA {form}\n'
    ).encode()


def records(points: np.ndarray) -> np.ndarray:
    layout = [('x', '<f4'), ('y', '<f4'), ('n', '<u2', 2), ('z', '<f4'), ('_', 'u1', 4)]
    found = np.zeros(len(points), layout)
    found['x'], found['y'], found['z'], found['n'] = *points.T, 300
    return found


def pcd_ascii(points: np.ndarray) -> bytes:
    lines = (f'{x!r} {y!r} 1 2 {z!r} 0 0 0 0' for x, y, z in points.astype(float).tolist())
    return pcd_header('ascii', points) + '\n'.join(lines).encode()


def pcd_binary(points: np.ndarray) -> bytes:
    return pcd_header('binary', points) + records(points).tobytes()


def pcd_compressed(points: np.ndarray) -> bytes:
    found = records(points)
    raw = b''.join(found[name].tobytes() for name in found.dtype.names or ())
    packed = lzf_compress(raw)
    head = struct.pack('<II', len(packed), len(raw))
    return pcd_header('binary_compressed', points) + head + packed


def lzf_compress(raw: bytes) -> bytes:
    """Return LZF of literals, and of what repeats the byte or the two bytes before."""
    out, place = b'', 0
    while place < len(raw):
        for distance in (1, 2):
            length = 0
            while (
                place >= distance
                and length < 264
                and place + length < len(raw)
                and raw[place + length] == raw[place + length - distance]
            ):
                length += 1
            if length >= 3:
                break
        if length >= 3:
            stated = length - 2
            out += bytes([stated << 5] if stated < 7 else [7 << 5, stated - 7]) + bytes(
                [distance - 1]
            )
            place += length
        else:
            out += bytes([0, raw[place]])
            place += 1
    return out


def kitti(points: np.ndarray) -> bytes:
    return np.c_[points, np.ones(len(points))].astype('<f4').tobytes()


def ply(points: np.ndarray, text: bool = False, order: str = '>') -> bytes:
    layout = [('a', 'u1'), ('z', 'f8'), ('x', 'f4'), ('y', 'f4')]
    vertices = np.zeros(len(points), layout)
    vertices['x'], vertices['y'], vertices['z'] = points.T
    faces = np.array([([0, 1, 2],)], [('vertex_indices', 'i4', (3,))])
    elements = [PlyElement.describe(faces, 'face'), PlyElement.describe(vertices, 'vertex')]
    data = PlyData(elements, text=text, byte_order='=' if text else order)
    return written(data)


def written(data: PlyData) -> bytes:
    stream = io.BytesIO()
    data.write(stream)
    return stream.getvalue()


FORMS: dict[str, Writer] = {
    'ascii.pcd': pcd_ascii,
    'binary.pcd': pcd_binary,
    'compressed.PCD': pcd_compressed,
    'kitti.bin': kitti,
    'big.ply': ply,
    'little.ply': lambda points: ply(points, order='<'),
    'text.ply': lambda points: ply(points, text=True),
}


@pytest.mark.parametrize('name', FORMS)
def test_points_of_every_format(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FORMS[name](POINTS))
    points = read_points(path)
    assert points.dtype == np.float64
    np.testing.assert_allclose(points, POINTS, rtol=1e-6)


def test_our_own_ply(tmp_path: Path) -> None:
    write_ply(tmp_path / 'cloud.ply', POINTS)
    np.testing.assert_array_equal(read_points(tmp_path / 'cloud.ply'), POINTS)


@pytest.mark.parametrize('name', FORMS)
def test_points_that_are_not_finite_are_dropped(tmp_path: Path, name: str) -> None:
    with_holes = POINTS.copy()
    with_holes[::2, 1] = np.nan
    (tmp_path / name).write_bytes(FORMS[name](with_holes))
    np.testing.assert_allclose(read_points(tmp_path / name), POINTS[1::2], rtol=1e-6)


@pytest.mark.parametrize('name', FORMS)
def test_a_file_cut_off_anywhere_is_refused_with_its_path(tmp_path: Path, name: str) -> None:
    path, whole = tmp_path / name, FORMS[name](POINTS)
    for size in range(0, len(whole), len(whole) // 50 + 1):
        if name == 'kitti.bin' and size and size % 16 == 0:
            continue  # a shorter file, as good as any
        path.write_bytes(whole[:size])
        with pytest.raises(PointsError, match=str(path)):
            read_points(path)


@pytest.mark.parametrize('name', FORMS)
def test_a_file_with_a_changed_byte_is_read_or_refused(tmp_path: Path, name: str) -> None:
    rng, path, whole = np.random.default_rng(1), tmp_path / name, FORMS[name](POINTS)
    for place in (*range(300), *rng.integers(0, len(whole), 200)):
        changed = bytearray(whole)
        changed[place] = rng.integers(256)
        path.write_bytes(changed)
        with contextlib.suppress(PointsError):  # any other error is one
            assert np.isfinite(read_points(path)).all()


@pytest.mark.parametrize(
    ('name', 'content', 'reason'),
    [
        ('a.ply', b'', 'is damaged'),
        ('a.bin', b'', 'holds no points'),
        ('a.bin', bytes(15), 'is damaged'),
        ('a.bin', np.full(8, np.nan, '<f4').tobytes(), 'holds no points'),
        ('a.xyz', b'1 2 3', r'none of \.ply, \.pcd, \.bin'),
        (
            'a.ply',
            b'ply\nformat ascii 1.0\nelement vertex 1\nproperty float x\nproperty float y\n'
            b'end_header\n1 2\n',
            'no field of name z',
        ),
        (
            'a.ply',
            b'ply\nformat binary_little_endian 1.0\nelement vertex 999999999999\n'
            b'property float x\nproperty float y\nproperty float z\nend_header\n' + bytes(99),
            'states 999999999999 of element vertex',
        ),
        (
            'a.ply',
            b'ply\nformat ascii 1.0\nelement face 999999999999\n'
            b'element vertex 1\nproperty float x\nend_header\n1\n',
            'states 999999999999 of element face',
        ),
        (
            'a.ply',
            b'ply\rformat ascii 1.0\relement vertex 999999999999\rproperty float x\r'
            b'end_header\r1\r',
            'states 999999999999 of element vertex',
        ),
        ('a.pcd', pcd_binary(POINTS).replace(b'WIDTH 200', b'WIDTH 999999999999'), 'is damaged'),
        ('a.pcd', pcd_ascii(POINTS).replace(b'WIDTH 200', b'WIDTH 999999999999'), 'is damaged'),
        ('a.pcd', pcd_binary(POINTS).replace(b'DATA binary', b'DATA zipped'), "DATA is 'zipped'"),
        ('a.pcd', pcd_binary(POINTS).replace(b'HEIGHT 1\n', b''), 'its header lacks HEIGHT'),
        ('a.pcd', b'VERSION 0.7\nDATA ascii\n', 'lacks FIELDS, SIZE, TYPE, WIDTH, HEIGHT'),
        ('a.pcd', pcd_binary(POINTS).replace(b'x y', b'u v'), 'lacks x, y'),
        ('a.pcd', pcd_binary(POINTS).replace(b'COUNT 1', b'COUNT 0'), 'COUNT 0'),
        ('a.pcd', pcd_binary(POINTS).replace(b'TYPE F', b'TYPE O'), 'type O4'),
        (
            'a.pcd',
            pcd_compressed(POINTS).replace(b'WIDTH 200', b'WIDTH 999999999999'),
            'points are stated as',
        ),
    ],
)
def test_what_holds_no_points(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PointsError, match=reason) as caught:
        read_points(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / 'folder.pcd').mkdir()
    for name in ('missing.ply', 'missing.pcd', 'missing.bin', 'folder.pcd'):
        with pytest.raises(PointsError, match=f'{name} cannot be read'):
            read_points(tmp_path / name)


@pytest.mark.parametrize(
    ('data', 'raw'),
    [
        (b'\x02abc', b'abc'),
        (b'\x00a\x20\x00', b'aaaa'),
        (b'\x02abc\x20\x02', b'abcabc'),
        (b'\x00a\xe0\xff\x00', b'a' * 265),
        (b'\x01ab\xe0\x01\x01', b'ab' * 6),
    ],
)
def test_lzf(data: bytes, raw: bytes) -> None:
    assert lzf_decompress(data, len(raw)) == raw
    for size in (len(raw) - 1, len(raw) + 1):
        with pytest.raises(PointsError, match=f'of the stated {size} bytes|cannot stand for'):
            lzf_decompress(data, size)


@pytest.mark.parametrize(
    ('data', 'reason'),
    [(b'\x20\x00', 'refers 1 bytes back'), (b'\x00a\x20\x05', 'refers 6 bytes back')],
)
def test_lzf_that_refers_to_nothing(data: bytes, reason: str) -> None:
    with pytest.raises(PointsError, match=reason):
        lzf_decompress(data, 5)


def test_lzf_that_would_fill_the_memory() -> None:
    with pytest.raises(PointsError, match='3 bytes of LZF cannot stand for the stated 4294967295'):
        lzf_decompress(b'\xe0\xff\x00', 2**32 - 1)
