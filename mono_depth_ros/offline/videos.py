"""Videos: frames of a file as far as they can be decoded, and depth as a new file."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from ..core.camera.decoding import require_size
from ..core.errors import ImageError, RecordingError
from ..core.files.encodings import Pixels
from ..core.files.file_writers import replaced
from ..core.pipeline import Output, Result
from .images import ImageFrame, Kind, LazyFrame, ReadingSettings, limited

VIDEO_FILES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.gif')

_CODEC = 'mp4v'
_JPEG_QUALITY = 95
_USUAL_FPS = 30.0
_COUNT_SLACK = 2
_COUNT_SHARE = 0.01
"""Containers without an index state a duration instead, which is rounded."""


class Video:
    """A video file; see `ImageSource`.

    Raises:
        RecordingError: It is no video, or so damaged that nothing in it can be found.
        ImageError: Its frames are too large.
    """

    def __init__(self, path: Path, stem: str, reading: ReadingSettings) -> None:
        capture = _opened(path)
        sides = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
        width, height = (int(capture.get(side)) for side in sides)
        require_size((width, height), str(path), reading.max_pixels)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = capture.get(cv2.CAP_PROP_FPS)
        capture.release()
        self.path = path
        self.stem = stem
        self.kind: Kind = 'video'
        self.count = count if count > 0 else None
        self.fps = fps if 0 < fps < 1000 else _USUAL_FPS
        self.is_rectified = False
        self._max_side = reading.max_side

    def items(self) -> Iterator[LazyFrame]:
        """Yield the frames, named by their numbers."""
        capture = _opened(self.path)
        index = 0
        try:
            while capture.grab():
                load = partial(self._load, capture, index)
                yield LazyFrame(f'{self.stem}/{index:06d}', load, self.path)
                index += 1
        finally:
            capture.release()
        stated = self.count or 0
        if index == 0 or stated - index > max(_COUNT_SLACK, _COUNT_SHARE * stated):
            raise RecordingError(
                f'{self.path} breaks off after frame {index} of {stated}: the rest is damaged or '
                'missing'
            )

    def _load(self, capture: cv2.VideoCapture, index: int) -> ImageFrame:
        ok, bgr = capture.retrieve()
        if not ok:
            raise ImageError(f'{self.path}: frame {index} cannot be decoded')
        rgb = cast(Pixels, cv2.cvtColor(limited(bgr, self._max_side), cv2.COLOR_BGR2RGB))
        stamp_ns = round(index * 1e9 / self.fps)
        return ImageFrame(rgb, stamp_ns, reduction=rgb.shape[1] / bgr.shape[1])


class DepthVideoWriter:
    """An .mp4 of `fps` frames per second in the making; see `Writer`.

    Frames wait as JPEG in a hidden folder beside it, which goes once the video is there; `resume`
    makes those of an earlier run count.
    """

    outputs = Output.COLORMAP

    def __init__(self, path: Path, fps: float, resume: bool) -> None:
        self.path = path
        self._fps = fps
        self._waiting = path.with_name(f'.{path.name}.frames')
        if not resume:
            shutil.rmtree(self._waiting, ignore_errors=True)

    def has(self, item: LazyFrame) -> bool:
        """Say whether a frame is there, in the video or waiting."""
        return self.path.is_file() or self._frame(item).is_file()

    def add(self, item: LazyFrame, frame: ImageFrame, result: Result) -> None:
        """Keep the colors of a frame."""
        assert result.colormap is not None, 'the pipeline was asked for it'
        self._waiting.mkdir(parents=True, exist_ok=True)
        quality = (cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY)
        _, encoded = cv2.imencode('.jpg', result.colormap, quality)
        with replaced(self._frame(item)) as file:
            file.write(encoded.tobytes())

    def close(self, complete: bool) -> None:
        """Make the video of all frames, if there are any and no more will come."""
        frames = sorted(self._waiting.glob('*.jpg')) if complete else []
        if not frames:
            return
        # The suffix tells OpenCV the container.
        partial = self.path.with_name(f'.{self.path.stem}.part{self.path.suffix}')
        first = _read(frames[0])
        size = first.shape[1], first.shape[0]
        codec = cv2.VideoWriter.fourcc(*_CODEC)
        writer = cv2.VideoWriter(str(partial), codec, self._fps, size)
        try:
            if not writer.isOpened():
                missing = f'{self.path} cannot be written: this OpenCV has no encoder {_CODEC}'
                raise RecordingError(missing, 'choose --formats color')
            for frame in frames:
                # A camera may change its resolution, a video may not.
                writer.write(cv2.resize(_read(frame), size))
            writer.release()
            partial.replace(self.path)
        finally:
            writer.release()
            partial.unlink(missing_ok=True)
        shutil.rmtree(self._waiting)

    def _frame(self, item: LazyFrame) -> Path:
        return self._waiting / f'{Path(item.name).name}.jpg'


def _opened(path: Path) -> cv2.VideoCapture:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise RecordingError(f'{path} cannot be read: {error.strerror}') from error
    if not size:
        raise RecordingError(f'{path} is empty (0 bytes)')
    capture = cv2.VideoCapture(str(path))
    if not capture.isOpened():
        raise RecordingError(
            f'{path} ({size} bytes) is damaged or no video that this OpenCV reads; an .mp4 that '
            'was cut off has lost its index'
        )
    return capture


def _read(path: Path) -> Pixels:
    # imread takes no path that is not ASCII on every system.
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, f'{path} was written by us'
    return np.asarray(picture, np.uint8)
