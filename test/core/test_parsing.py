"""The boundary round parsers: what passes it, and as what the rest comes out."""

import errno
import os
import re
import tokenize
import zlib
from pathlib import Path

import pytest

from mono_depth_ros.core.errors import CalibrationError, CheckpointError, ImageError
from mono_depth_ros.core.parsing import parsing, read_bytes


class Panic(BaseException):
    """What extensions in Rust raise, which is no Exception."""


@pytest.mark.parametrize(
    'raised',
    [
        ValueError('one\ntwo'),
        MemoryError(),
        RecursionError('too deep'),
        StopIteration(),
        OverflowError('inf'),
        tokenize.TokenError('EOF', (1, 0)),
        zlib.error('Error -3'),
        EOFError(),
        UnicodeDecodeError('utf-8', b'\xff', 0, 1, 'invalid start byte'),
        NotImplementedError(),
        AssertionError(),
        Panic('index out of range'),
        OSError(),
    ],
    ids=repr,
)
def test_anything_becomes_an_error_of_ours(raised: BaseException) -> None:
    with pytest.raises(ImageError) as caught, parsing('a.png', 'PNG', ImageError, 'send it anew'):
        raise raised
    said = str(caught.value)
    assert re.fullmatch(r'a\.png is damaged or no PNG: .+; send it anew', said)
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize('raised', [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_program_passes(raised: BaseException) -> None:
    with pytest.raises(type(raised)), parsing('a.png', 'PNG', ImageError):
        raise raised


def test_an_error_of_ours_keeps_its_class_and_gains_the_name() -> None:
    with pytest.raises(CalibrationError) as caught, parsing('a.yaml', 'YAML', ImageError):
        raise CalibrationError('K is 0', 'calibrate')
    assert str(caught.value) == 'a.yaml: K is 0; calibrate'
    named = CalibrationError('a.yaml states no size', 'add it')
    with pytest.raises(CalibrationError) as caught, parsing('a.yaml', 'YAML', ImageError):
        raise named
    assert caught.value is named


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    loop = tmp_path / 'loop'
    loop.symlink_to(loop)
    (tmp_path / 'empty').touch()
    (tmp_path / 'large').write_bytes(bytes(11))
    for name, reason in (
        ('missing', f'cannot be read: {os.strerror(errno.ENOENT)}'),
        ('loop', f'cannot be read: {os.strerror(errno.ELOOP)}'),
        ('.', f'cannot be read: {os.strerror(errno.EISDIR)}'),
        ('empty', r'is empty \(0 bytes\)'),
        ('large', 'has more than 10 bytes, the most that are read'),
    ):
        path = tmp_path / name
        with pytest.raises(CheckpointError, match=f'^{re.escape(str(path))} {reason}'):
            read_bytes(path, 10, CheckpointError)
    assert read_bytes(tmp_path / 'large', 11, CheckpointError) == bytes(11)
