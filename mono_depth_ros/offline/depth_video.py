"""Depth as a video that browsers play, with the times of its source."""

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from ..core.errors import RecordingError
from ..core.files.encodings import Pixels
from ..core.files.file_writers import replaced, writing
from ..core.parsing import parsing
from ..core.pipeline import Output, Result
from .images import ImageFrame, LazyFrame

_CODEC, _PIXELS = 'h264', 'yuv420p'
_QUALITY = {'crf': '18', 'preset': 'veryfast'}
_JPEG_QUALITY = 95
_TICKS_PER_S = 90_000
_USUAL_GAP = _TICKS_PER_S // 30
_LEAST_GAP = _TICKS_PER_S // 1000
OURS = 'mono_depth estimate'
"""What a result of ours says about itself."""


class DepthVideoWriter:
    """An .mp4 in the making; see `Writer`.

    Frames wait as JPEG in a hidden folder beside it, which goes once the video is there; `resume`
    makes those of an earlier run count.

    Raises:
        RecordingError: There is such a file already, and it is not ours.
    """

    outputs = Output.COLORMAP

    def __init__(self, path: Path, resume: bool) -> None:
        self.path = path
        self._waiting = path.with_name(f'.{path.name}.frames')
        if path.exists() and not _is_ours(path):
            raise RecordingError(
                f'{path} is there already and was not written by `mono_depth estimate`',
                'move it away, or name another -o',
            )
        if not resume:
            shutil.rmtree(self._waiting, ignore_errors=True)

    def has(self, item: LazyFrame) -> bool:
        """Say whether a frame is there, in the video or waiting."""
        return self.path.is_file() or any(self._waiting.glob(f'{_name(item)}@*.jpg'))

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Keep the colors of a frame."""
        assert result.colormap is not None, 'the pipeline was asked for it'
        stamp_ns = frame.stamp_ns or frame.logged_ns
        quality = (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        _, encoded = cv2.imencode('.jpg', result.colormap, quality)
        with writing(self.path):
            self._waiting.mkdir(parents=True, exist_ok=True)
            with replaced(self._waiting / f'{_name(item)}@{stamp_ns}.jpg') as file:
                file.write(encoded.tobytes())

    def close(self, complete: bool) -> None:
        """Make the video of all frames, if there are any and no more will come."""
        frames = sorted(self._waiting.glob('*.jpg')) if complete else []
        if not frames:
            return
        partial = self.path.with_name(f'.{self.path.stem}.part{self.path.suffix}')
        try:
            with writing(self.path):
                _encode(partial, frames)
                partial.replace(self.path)
        finally:
            partial.unlink(missing_ok=True)
        shutil.rmtree(self._waiting)


def _encode(path: Path, frames: list[Path]) -> None:
    """Write pictures, named by their stamps, as a video; a camera may change its size, it not."""
    height, width = (side - side % 2 for side in _read(frames[0]).shape[:2])
    with av.open(str(path), 'w', options={'movflags': 'faststart'}) as container:
        container.metadata['comment'] = OURS
        try:
            stream = container.add_stream(_CODEC, rate=30, options=_QUALITY)
        except av.codec.codec.UnknownCodecError as error:
            missing = f'{path} cannot be written: this PyAV has no encoder for {_CODEC}'
            raise RecordingError(missing, 'choose --formats color') from error
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, _PIXELS
        stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        begins, gaps = _ticks(frames)
        stays = dict(zip(begins, gaps, strict=True))
        for file, at in zip(frames, begins, strict=True):
            pixels = np.asarray(cv2.resize(_read(file), (width, height)), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format='bgr24')
            frame.pts, frame.time_base = at, stream.time_base
            _mux(container, stream.encode(frame), stays)
        _mux(container, stream.encode(), stays)


def _mux(
    container: 'av.container.OutputContainer', packets: list[Any], stays: dict[int, int]
) -> None:
    """Write packets with how long their frames stay, which encoders do not pass on."""
    for packet in packets:
        if packet.pts is not None:
            packet.duration = stays[packet.pts]
        container.mux(packet)


def _ticks(frames: list[Path]) -> tuple[list[int], list[int]]:
    """Return when each frame begins, later than the one before, and how long it stays."""
    stamps = [int(file.stem.rpartition('@')[2]) for file in frames]
    begins: list[int] = []
    for stamp in stamps:
        at = round((stamp - stamps[0]) * _TICKS_PER_S / 1e9)
        begins.append(max(at, begins[-1] + _LEAST_GAP) if begins else 0)
    gaps = np.diff(begins).tolist()
    return begins, [*gaps, int(np.median(gaps)) if gaps else _USUAL_GAP]


def _is_ours(path: Path) -> bool:
    try:
        with parsing(path, 'video', RecordingError), av.open(str(path)) as container:
            return container.metadata.get('comment') == OURS
    except RecordingError:
        return False


def _name(item: LazyFrame) -> str:
    return Path(item.name).name


def _read(path: Path) -> Pixels:
    # imread takes no path that is not ASCII on every system.
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, f'{path} was written by us'
    return np.asarray(picture, np.uint8)
