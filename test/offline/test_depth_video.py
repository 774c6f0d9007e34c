"""Depth as a video: there once it is complete, at the times of its source."""

from pathlib import Path

import av
import numpy as np
import pytest

from mono_depth_ros.core.errors import RecordingError
from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.scale.scale_estimator import FrameScale
from mono_depth_ros.core.types import AffineScale
from mono_depth_ros.offline.depth_video import DepthVideoWriter
from mono_depth_ros.offline.images import ImageFrame, LazyFrame, ReadingSettings
from mono_depth_ros.offline.videos import Video

READING = ReadingSettings()
LEVELS = [40 + 6 * i for i in range(30)]


def named(name: str) -> LazyFrame:
    return LazyFrame(name, lambda: ImageFrame(np.zeros((1, 1, 3), np.uint8)), Path('clip.avi'))


def add(video: DepthVideoWriter, i: int, stamp_ns: int = 0) -> None:
    frame = ImageFrame(np.zeros((64, 96, 3), np.uint8), stamp_ns)
    item = LazyFrame(f'clip/{i:06d}', lambda: frame, Path('clip.avi'), frame.stamp_ns)
    colormap = np.full((64, 96, 3), LEVELS[i], np.uint8)
    video.add(item, frame, Result(None, FrameScale(AffineScale(1.0)), colormap=colormap))


def levels_of(path: Path) -> list[float]:
    return [float(item.load().rgb.mean()) for item in Video(path, 'x', READING).items()]


def test_a_video_is_there_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    video = DepthVideoWriter(path, resume=False)
    for i in (0, 2, 1):
        add(video, i)
    video.close(complete=False)
    assert not path.exists()

    resumed = DepthVideoWriter(path, resume=True)
    assert resumed.has(named('clip/000001'))
    assert not resumed.has(named('clip/000003'))
    add(resumed, 3)
    resumed.close(complete=True)
    assert levels_of(path) == pytest.approx(LEVELS[:4], abs=3)
    assert [entry.name for entry in tmp_path.iterdir()] == ['clip_depth.mp4']


def test_frames_of_an_earlier_run_do_not_count_without_resume(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    stopped = DepthVideoWriter(path, resume=False)
    add(stopped, 9)
    stopped.close(complete=False)
    video = DepthVideoWriter(path, resume=False)
    add(video, 0)
    video.close(complete=True)
    assert levels_of(path) == pytest.approx(LEVELS[:1], abs=3)


def test_times_are_those_of_the_source(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    stamps_s = [5.0, 5.1, 5.2, 7.0, 7.0, 9.5]
    video = DepthVideoWriter(path, resume=False)
    for i, stamp in enumerate(stamps_s):
        add(video, i, round(1e9 * stamp))
    video.close(complete=True)
    found = [item.stamp_ns / 1e9 for item in Video(path, 'x', READING).items()]
    np.testing.assert_allclose(found, np.array(stamps_s) - 5, atol=1e-3)


def test_browsers_play_it(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    video = DepthVideoWriter(path, resume=False)
    frame = ImageFrame(np.zeros((63, 95, 3), np.uint8))
    colormap = np.zeros((63, 95, 3), np.uint8)
    item = LazyFrame('clip/000000', lambda: frame, Path('clip.avi'))
    video.add(item, frame, Result(None, FrameScale(AffineScale(1.0)), colormap=colormap))
    video.close(complete=True)
    with av.open(str(path)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.pix_fmt) == ('h264', 'yuv420p')
        assert (stream.width, stream.height) == (94, 62)
    content = path.read_bytes()
    assert content.index(b'moov') < content.index(b'mdat')


def test_a_video_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    path.write_bytes(b'my own')
    for resume in (False, True):
        with pytest.raises(RecordingError, match='there already and was not written by'):
            DepthVideoWriter(path, resume)
    path.unlink()
    for level in (1, 2):
        video = DepthVideoWriter(path, resume=False)
        add(video, level)
        video.close(complete=True)
        assert levels_of(path) == pytest.approx([LEVELS[level]], abs=3)
