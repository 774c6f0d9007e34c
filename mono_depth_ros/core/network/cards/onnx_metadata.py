"""Texts that travel inside an ONNX file, read and written without the rest of it.

An ONNX file is a protocol buffer, a sequence of fields, each a key of `number << 3 | type` and a
value. Its metadata are fields 14 of the outermost message, of a text 1 (name) and a text 2
(value) each. Libraries read them only with all the weights, which may be gigabytes.
https://protobuf.dev/programming-guides/encoding, onnx/onnx.proto
"""

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from ...errors import SettingsError
from ...parsing import parsing

METADATA_KEY = 'mono_depth_card'
_METADATA_PROPS = 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_BYTES = 1_000_000  # of one entry


def read_metadata(path: Path) -> dict[str, str]:
    """Return the texts by their names.

    Raises:
        SettingsError: The file cannot be read or is no ONNX file.
    """
    with parsing(path, 'ONNX file', SettingsError, 'fetch it again'), path.open('rb') as file:
        size = path.stat().st_size
        if not size:
            raise SettingsError(f'{path} is empty (0 bytes)')
        entries = [dict(_fields(BytesIO(entry), len(entry))) for entry in _entries(file, size)]
        return {entry[1].decode(): entry.get(2, b'').decode() for entry in entries}


def append_metadata(path: Path, texts: Mapping[str, str]) -> None:
    """Add texts to a file; in a protocol buffer, fields at its end count as those before."""
    with path.open('ab') as file:
        for name, text in texts.items():
            entry = _text(1, name) + _text(2, text)
            file.write(_varint(_METADATA_PROPS << 3 | _BYTES) + _varint(len(entry)) + entry)


def _entries(file: BinaryIO, size: int) -> Iterator[bytes]:
    for number, value in _fields(file, size, _METADATA_PROPS):
        if number == _METADATA_PROPS:
            yield value


def _fields(file: BinaryIO, size: int, wanted: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (number, bytes) of fields; only those of number `wanted`, if that is not 0."""
    while file.tell() < size:
        key = _read_varint(file)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            _read_varint(file)
            continue
        if kind not in (_FIXED64, _BYTES, _FIXED32):
            raise ValueError(f'field {number} has type {kind}')
        length = {_FIXED64: 8, _FIXED32: 4}.get(kind) or _read_varint(file)
        end = file.tell() + length
        if end > size:
            raise ValueError(f'field {number} ends {end - size} bytes after the file')
        if kind == _BYTES and wanted in (0, number):
            if length > _MOST_BYTES:
                raise ValueError(f'field {number} has {length} bytes')
            yield number, file.read(length)
        file.seek(end)


def _read_varint(file: BinaryIO) -> int:
    value = 0
    for shift in range(0, 64, 7):
        (byte,) = file.read(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
    raise ValueError('a number has more than 64 bits')


def _varint(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def _text(number: int, text: str) -> bytes:
    content = text.encode()
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content
