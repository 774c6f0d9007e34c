"""Video files, as far as they can be decoded."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import cv2

from ..core.errors import ImageError, RecordingError
from ..core.files.encodings import Pixels
from .frames import Frame, Item, Kind, limited

VIDEO_FILES = ('.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.gif')

_USUAL_FPS = 30.0
_COUNT_SLACK = 2
_COUNT_SHARE = 0.01
"""Containers without an index state a duration instead, which is rounded."""


@dataclass(frozen=True)
class Video:
    """A video file; see `Source`.

    Attributes:
        path: The file.
        stem: What its outputs are called.
        max_side: Larger frames are reduced to this [px].
        count: How many frames it states, None if it does not.
        fps: Frames per second.
        kind: What it is.
        is_rectified: Never said of a file.
    """

    path: Path
    stem: str
    max_side: int
    count: int | None
    fps: float
    kind: Kind = 'video'
    is_rectified: bool = False

    @classmethod
    def open(cls, path: Path, stem: str, max_side: int) -> 'Video':
        """Look at the head of a file.

        Raises:
            RecordingError: It is no video, or so damaged that nothing in it can be found.
        """
        capture = _opened(path)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        fps = capture.get(cv2.CAP_PROP_FPS)
        capture.release()
        usable = fps if 0 < fps < 1000 else _USUAL_FPS
        return cls(path, stem, max_side, count if count > 0 else None, usable)

    def items(self) -> Iterator[Item]:
        """Yield the frames, named by their numbers.

        Raises:
            RecordingError: They end before the number that the file states.
        """
        capture = _opened(self.path)
        index = 0
        try:
            while capture.grab():
                load = partial(self._load, capture, index)
                yield Item(f'{self.stem}/{index:06d}', load, self.path)
                index += 1
        finally:
            capture.release()
        stated = self.count or 0
        if index == 0 or stated - index > max(_COUNT_SLACK, _COUNT_SHARE * stated):
            raise RecordingError(
                f'{self.path} breaks off after frame {index} of {stated}: the rest is damaged or '
                'missing'
            )

    def _load(self, capture: cv2.VideoCapture, index: int) -> Frame:
        ok, bgr = capture.retrieve()
        if not ok:
            raise ImageError(f'{self.path}: frame {index} cannot be decoded')
        rgb = cast(Pixels, cv2.cvtColor(limited(bgr, self.max_side), cv2.COLOR_BGR2RGB))
        stamp_ns = round(index * 1e9 / self.fps)
        return Frame(rgb, stamp_ns, reduction=rgb.shape[1] / bgr.shape[1])


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
