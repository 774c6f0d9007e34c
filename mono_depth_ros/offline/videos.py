"""Videos: frames of a file with their stamps, as far as they can be decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import av
import numpy as np

from ..core.camera.decoding import require_size
from ..core.camera.orientation import turned_pixels
from ..core.camera.picture_header import UPRIGHT
from ..core.errors import ImageError, RecordingError
from ..core.files.encodings import Pixels
from ..core.parsing import parsing
from .images import ImageFrame, Kind, LazyFrame, ReadingSettings, limited

VIDEO_FILES = (
    *('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.gif', '.3gp'),
    *('.3g2', '.ts', '.mts', '.m2ts', '.flv', '.f4v', '.ogv', '.vob', '.mjpeg', '.mjpg', '.asf'),
)

_CUT_OFF = 'an .mp4 or .mov that was cut off has lost its index, which untrunc rebuilds'
_ORIENTATIONS = {0: UPRIGHT, -90: 6, 270: 6, 180: 3, -180: 3, 90: 8, -270: 8}
"""Degrees, counterclockwise, that a player turns frames by -> EXIF's number for the same."""
_SLACK_S, _SLACK_SHARE, _SLACK_GAPS = 0.2, 0.01, 3
"""Stated durations are rounded, and not every file says how long the last frame stays."""
_SLACK_OF_SOUND_S = 2.0
"""The duration of a container is that of its longest stream."""


class Video:
    """A video file; see `ImageSource`.

    Raises:
        RecordingError: It is no video, or so damaged that nothing in it can be found.
        ImageError: Its frames are too large.
    """

    def __init__(self, path: Path, stem: str, reading: ReadingSettings) -> None:
        self.path = path
        self.stem = stem
        self.kind: Kind = 'video'
        self.is_rectified = False
        self._reading = reading
        with parsing(path, 'video', RecordingError, _CUT_OFF):
            if path.stat().st_size == 0:
                raise RecordingError(f'{path} is empty (0 bytes)')
            with self._opened() as container:
                stream = container.streams.video[0]
                count = stream.frames or round(_duration_s(stream) * (stream.average_rate or 0))
                self.count: int | None = int(count) or None

    def items(self) -> Iterator[LazyFrame]:
        """Yield the frames, named by their numbers, with the time since the first one."""
        progress = _Progress()
        with parsing(self.path, 'video', RecordingError), self._opened() as container:
            stream = container.streams.video[0]
            stream.thread_type = 'AUTO'
            for frame in _decoded(container, stream, progress):
                if progress.index == 0:
                    require_size(
                        (frame.width, frame.height), str(self.path), self._reading.max_pixels
                    )
                progress.take(frame)
                name = f'{self.stem}/{progress.index - 1:06d}'
                load = partial(self._load, frame, progress.index - 1, progress.stamp_ns)
                yield LazyFrame(name, load, self.path, progress.stamp_ns)
            progress.require_end(self.path, stream)

    def _opened(self) -> 'av.container.InputContainer':
        container = av.open(str(self.path), 'r')
        if not container.streams.video:
            container.close()
            raise RecordingError(f'{self.path} holds no video, but {container.format.long_name}')
        context = container.streams.video[0].codec_context
        require_size((context.width, context.height), str(self.path), self._reading.max_pixels)
        return container

    def _load(self, frame: av.VideoFrame, index: int, stamp_ns: int) -> ImageFrame:
        if frame.is_corrupt:
            raise ImageError(f'{self.path}: frame {index} is damaged')
        with parsing(f'{self.path}: frame {index}', 'frame', ImageError):
            full = cast(Pixels, frame.to_ndarray(format='rgb24'))
            orientation = _ORIENTATIONS.get(round(frame.rotation), UPRIGHT)
            rgb = turned_pixels(limited(full, self._reading.max_side), orientation)
        reduction = max(rgb.shape[:2]) / max(full.shape[:2])
        return ImageFrame(
            np.asarray(rgb, np.uint8), stamp_ns, reduction=reduction, orientation=orientation
        )


@dataclass
class _Progress:
    """How far a video has been decoded.

    Attributes:
        index: Number of frames.
        damaged: Number of packets that hold no frame.
        first_s: Time of the first frame [s].
        latest_s: Time since then of the latest one [s].
        longest_s: Longest time between two frames [s].
        end_s: When the latest frame ends, as far as the file says so [s].
    """

    index: int = 0
    damaged: int = 0
    first_s: float = 0.0
    latest_s: float = 0.0
    longest_s: float = 0.0
    end_s: float = 0.0

    @property
    def stamp_ns(self) -> int:
        """Time of the latest frame since the first one [ns]."""
        return round(1e9 * self.latest_s)

    def take(self, frame: av.VideoFrame) -> None:
        """Count a frame; one without a time is as late after the one before as that was."""
        time = frame.time
        if self.index == 0:
            self.first_s = time or 0.0
        now = self.latest_s + self.longest_s if time is None else time - self.first_s
        self.longest_s = max(self.longest_s, now - self.latest_s)
        self.latest_s = self.end_s = now
        if frame.duration and frame.time_base:
            self.end_s += float(frame.duration * frame.time_base)
        self.index += 1

    def require_end(self, path: Path, stream: av.VideoStream) -> None:
        """Raise `RecordingError` if the stated duration goes on for longer."""
        duration = _duration_s(stream)
        slack = max(_SLACK_S, _SLACK_SHARE * duration, _SLACK_GAPS * self.longest_s)
        if stream.duration is None and stream.container.streams.audio:
            slack = max(slack, _SLACK_OF_SOUND_S)
        has_all = 0 < stream.frames <= self.index
        if self.index == 0 or (duration - self.end_s > slack and not has_all):
            raise RecordingError(
                f'{path} breaks off after frame {self.index}, {self.latest_s:.1f} s of '
                f'{duration:.1f} s: the rest is damaged or missing'
            )
        if self.damaged:
            raise RecordingError(f'{path} has {self.damaged} damaged packets, which were left out')


def _decoded(
    container: 'av.container.InputContainer', stream: av.VideoStream, progress: _Progress
) -> Iterator[av.VideoFrame]:
    """Yield all frames; of a file that breaks off also those that wait in the decoder."""
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                progress.damaged += 1
            else:
                yield from frames
    except av.error.InvalidDataError:
        yield from stream.decode(None)
        raise


def _duration_s(stream: av.VideoStream) -> float:
    """Return the duration that a file states [s], 0 if it states none."""
    counted = float(stream.frames / stream.average_rate) if stream.average_rate else 0.0
    if stream.duration is not None and stream.time_base is not None:
        # An AVI that was cut off has lost its index, and still states its number of frames.
        return max(counted, float(stream.duration * stream.time_base))
    container = cast(av.container.InputContainer, stream.container)
    return (container.duration or 0) / av.time_base
