"""Depth as a video: single pictures first, so that a stop costs none, then the video of them."""

import shutil
from pathlib import Path

import cv2
import numpy as np

from ..core.errors import RecordingError
from ..core.files.encodings import Pixels
from ..core.files.file_writers import replaced
from ..core.pipeline import Output, Result
from .formats import made
from .frames import Frame, Item

_CODEC = 'mp4v'
_QUALITY = 95


class DepthVideo:
    """An .mp4 in the making; see `Product`.

    Args:
        path: Of the video.
        fps: Frames per second.
        resume: Whether frames that wait from an earlier run count.

    Frames wait as JPEG in a hidden folder beside it, which goes once the video is there.
    """

    outputs = Output.COLORMAP

    def __init__(self, path: Path, fps: float, *, resume: bool) -> None:
        self.path = path
        self._fps = fps
        self._waiting = path.with_name(f'.{path.name}.frames')
        if not resume:
            shutil.rmtree(self._waiting, ignore_errors=True)

    def has(self, item: Item) -> bool:
        """Say whether a frame is there, in the video or waiting."""
        return self.path.is_file() or self._frame(item).is_file()

    def add(self, item: Item, frame: Frame, result: Result) -> None:
        """Keep the colors of a frame.

        Raises:
            OSError: They cannot be written.
        """
        self._waiting.mkdir(parents=True, exist_ok=True)
        quality = (cv2.IMWRITE_JPEG_QUALITY, _QUALITY)
        _, encoded = cv2.imencode('.jpg', made(result.colormap), quality)
        with replaced(self._frame(item)) as file:
            file.write(encoded.tobytes())

    def close(self, complete: bool) -> None:
        """Make the video of all frames, if there are any and no more will come.

        Raises:
            RecordingError: This OpenCV cannot write it.
        """
        if complete:
            self._finish()

    def _finish(self) -> None:
        frames = sorted(self._waiting.glob('*.jpg'))
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
                raise RecordingError(
                    f'{self.path} cannot be written: this OpenCV has no encoder {_CODEC}; choose '
                    '--formats color'
                )
            for frame in frames:
                # A camera may change its resolution, a video may not.
                writer.write(cv2.resize(_read(frame), size))
            writer.release()
            partial.replace(self.path)
        finally:
            writer.release()
            partial.unlink(missing_ok=True)
        shutil.rmtree(self._waiting)

    def _frame(self, item: Item) -> Path:
        return self._waiting / f'{Path(item.name).name}.jpg'


def _read(path: Path) -> Pixels:
    # imread takes no path that is not ASCII on every system.
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None, f'{path} was written by us'
    return np.asarray(picture, np.uint8)
