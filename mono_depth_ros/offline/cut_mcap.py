"""MCAP without its end, as a power cut leaves it: read from the beginning, as far as it goes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from mcap.records import Channel, Message, Schema
from mcap.stream_reader import StreamReader
from rosbags.interfaces import (
    Connection,
    ConnectionExtRosbag2,
    MessageDefinition,
    MessageDefinitionFormat,
)
from rosbags.rosbag2.metadata import parse_qos

from ..core.errors import RecordingError
from ..core.parsing import parsing

_MAGIC = b'\x89MCAP0\r\n'
_MAX_RECORD_BYTES = 1 << 30
_FORMATS = {'ros2msg': MessageDefinitionFormat.MSG, 'ros2idl': MessageDefinitionFormat.IDL}


def is_cut_off(path: Path) -> bool:
    """Say whether a file begins as MCAP does and does not end so."""
    with path.open('rb') as file:
        begins = file.read(len(_MAGIC)) == _MAGIC
        file.seek(max(0, path.stat().st_size - len(_MAGIC)))
        return begins and file.read() != _MAGIC


class CutMcap:
    """The messages of an MCAP file up to the first record that is not whole; see `BagReader`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._channels: dict[int, tuple[Channel, Schema | None]] = {}
        counts: Counter[int] = Counter()
        times: list[int] = []
        for channel_id, logged_ns, _ in self._records():
            counts[channel_id] += 1
            times = (
                [min(times[0], logged_ns), max(times[1], logged_ns)] if times else 2 * [logged_ns]
            )
        self.lasts_s = (times[1] - times[0]) / 1e9 if times else 0.0
        self._by_id = {
            number: self._connection(number, channel, schema, counts[number])
            for number, (channel, schema) in self._channels.items()
        }

    @property
    def connections(self) -> Sequence[Connection]:
        """Topics with their types and numbers of messages."""
        return list(self._by_id.values())

    def messages(
        self, connections: Sequence[Connection]
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield connection, time of recording [ns] and CDR, in the order of the file."""
        wanted = {connection.id for connection in connections}
        for channel_id, logged_ns, data in self._records():
            if channel_id in wanted:
                yield self._by_id[channel_id], logged_ns, data

    def _records(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield channel, time [ns] and data of each message."""
        schemas: dict[int, Schema] = {}
        try:
            with parsing(self._path, 'MCAP', RecordingError), self._path.open('rb') as file:
                for record in StreamReader(file, record_size_limit=_MAX_RECORD_BYTES).records:
                    if isinstance(record, Schema):
                        schemas[record.id] = record
                    elif isinstance(record, Channel):
                        self._channels[record.id] = record, schemas.get(record.schema_id)
                    elif isinstance(record, Message):
                        yield record.channel_id, record.log_time, record.data
        except RecordingError:
            return  # here it breaks off, as it was known to

    def _connection(
        self, number: int, channel: Channel, schema: Schema | None, count: int
    ) -> Connection:
        form = _FORMATS.get(schema.encoding if schema else '', MessageDefinitionFormat.NONE)
        text = schema.data.decode() if schema and form is not MessageDefinitionFormat.NONE else ''
        return Connection(
            id=number,
            topic=channel.topic,
            msgtype=schema.name if schema else '',
            msgdef=MessageDefinition(form, text),
            digest='',
            msgcount=count,
            ext=ConnectionExtRosbag2(
                serialization_format=channel.message_encoding,
                offered_qos_profiles=parse_qos(channel.metadata.get('offered_qos_profiles', '')),
            ),
            owner=self,
        )
