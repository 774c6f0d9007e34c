"""Videos: every frame in order, and what is wrong with a broken one."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from mono_depth_ros.core.errors import RecordingError
from mono_depth_ros.core.pipeline import Result
from mono_depth_ros.core.scale.frame_scale import FrameScale
from mono_depth_ros.core.types import AffineScale
from mono_depth_ros.offline.images import ImageFrame, LazyFrame, ReadingSettings
from mono_depth_ros.offline.videos import DepthVideoWriter, Video

READING = ReadingSettings()

FRAMES, FPS = 30, 10.0
LEVELS = [40 + 6 * i for i in range(FRAMES)]


def write_video(path: Path, frames: int = FRAMES) -> Path:
    """Write frames of noise around a level of gray that grows."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), FPS, (96, 64))
    random = np.random.default_rng(0)
    for level in LEVELS[:frames]:
        writer.write(random.integers(level - 20, level + 21, (64, 96, 3)).astype(np.uint8))
    writer.release()
    return path


def load(item: LazyFrame) -> ImageFrame:
    return item.load()


def test_frames_come_in_order_with_their_times(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / 'clip.avi'), 'clip', READING)
    assert (video.count, video.fps) == (FRAMES, FPS)
    frames = []
    for i, item in enumerate(video.items()):
        assert item.name == f'clip/{i:06d}'
        frames.append(item.load())
    assert [frame.stamp_ns for frame in frames] == [i * 100_000_000 for i in range(FRAMES)]
    assert [float(f.rgb.mean()) for f in frames] == pytest.approx(LEVELS, abs=4)
    assert frames[0].rgb.shape == (64, 96, 3)
    assert frames[0].reduction == 1


def test_large_frames_are_reduced(tmp_path: Path) -> None:
    video = Video(write_video(tmp_path / 'clip.avi', 2), 'clip', ReadingSettings(max_side=48))
    items = video.items()
    frame = load(next(items))
    assert frame.rgb.shape == (32, 48, 3)
    assert frame.reduction == 0.5


def test_a_broken_tail_costs_only_the_tail(tmp_path: Path) -> None:
    whole = write_video(tmp_path / 'clip.avi').read_bytes()
    path = tmp_path / 'cut.avi'
    path.write_bytes(whole[: len(whole) // 2])
    items = Video(path, 'cut', READING).items()
    levels = []
    with pytest.raises(RecordingError, match=rf'cut.avi breaks off after frame \d+ of {FRAMES}'):
        levels.extend(float(load(item).rgb.mean()) for item in items)
    assert 5 < len(levels) < FRAMES - 5
    assert levels[:-1] == pytest.approx(LEVELS[: len(levels) - 1], abs=4)


@pytest.mark.parametrize(
    ('content', 'reason'),
    [(b'', r'is empty \(0 bytes\)'), (b'no video', r'\(8 bytes\) is damaged or no video')],
)
def test_what_is_no_video_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'clip.mp4'
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=reason):
        Video(path, 'clip', READING)
    with pytest.raises(RecordingError, match='cannot be read'):
        Video(tmp_path / 'missing.mp4', 'missing', READING)


def named(name: str) -> LazyFrame:
    return LazyFrame(name, lambda: ImageFrame(np.zeros((1, 1, 3), np.uint8)), Path('clip.avi'))


def add(video: DepthVideoWriter, i: int) -> None:
    frame = ImageFrame(np.zeros((64, 96, 3), np.uint8))
    item = LazyFrame(f'clip/{i:06d}', lambda: frame, Path('clip.avi'))
    colormap = np.full((64, 96, 3), LEVELS[i], np.uint8)
    video.add(item, frame, Result(None, FrameScale(AffineScale(1.0)), colormap=colormap))


def levels_of(path: Path) -> list[float]:
    return [float(load(item).rgb.mean()) for item in Video(path, 'x', READING).items()]


def test_a_video_is_there_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    video = DepthVideoWriter(path, FPS, resume=False)
    for i in (0, 2, 1):
        add(video, i)
    video.close(complete=False)
    assert not path.exists()

    resumed = DepthVideoWriter(path, FPS, resume=True)
    assert resumed.has(named('clip/000001'))
    assert not resumed.has(named('clip/000003'))
    add(resumed, 3)
    resumed.close(complete=True)
    assert levels_of(path) == pytest.approx(LEVELS[:4], abs=3)
    assert [entry.name for entry in tmp_path.iterdir()] == ['clip_depth.mp4']


def test_frames_of_an_earlier_run_do_not_count_without_resume(tmp_path: Path) -> None:
    path = tmp_path / 'clip_depth.mp4'
    stopped = DepthVideoWriter(path, FPS, resume=False)
    add(stopped, 9)
    stopped.close(complete=False)
    video = DepthVideoWriter(path, FPS, resume=False)
    add(video, 0)
    video.close(complete=True)
    assert levels_of(path) == pytest.approx(LEVELS[:1], abs=3)
