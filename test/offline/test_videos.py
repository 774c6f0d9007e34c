"""Videos: every frame in order, and what is wrong with a broken one."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from damage import damaged, outcome
from PIL import Image

from mono_depth_ros.core.errors import MonoDepthError, RecordingError
from mono_depth_ros.offline.images import ImageFrame, LazyFrame, ReadingSettings
from mono_depth_ros.offline.videos import VIDEO_FILES, Video

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
    assert video.count == FRAMES
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
    with pytest.raises(
        RecordingError, match=r'cut.avi breaks off after frame \d+, 1\.\d s of 3\.0 s'
    ):
        levels.extend(float(load(item).rgb.mean()) for item in items)
    assert 5 < len(levels) < FRAMES - 5
    assert levels[:-1] == pytest.approx(LEVELS[: len(levels) - 1], abs=4)


@pytest.mark.parametrize(
    ('content', 'reason'),
    [
        (b'', r'is empty \(0 bytes\)'),
        (b'no video', r'clip\.mp4 is damaged or no video: .* untrunc rebuilds'),
    ],
)
def test_what_is_no_video_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / 'clip.mp4'
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=reason):
        Video(path, 'clip', READING)
    with pytest.raises(RecordingError, match='cannot be read'):
        Video(tmp_path / 'missing.mp4', 'missing', READING)


def encode(
    path: Path,
    times_s: list[float],
    codec: str,
    form: str | None = None,
    sound_s: float = 0.0,
    noise: bool = False,
) -> Path:
    """Write a frame of the levels of gray at each time, with silence of another length."""
    random = np.random.default_rng(0)
    with av.open(str(path), 'w', form) as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, 'yuv420p'
        tick = Fraction(1, 90_000 if form != 'avi' else 30)
        if form != 'avi':
            stream.codec_context.time_base = tick
        if sound_s:
            sound = container.add_stream('mp3' if form == 'avi' else 'aac', rate=16_000)
            sound.codec_context.layout = 'mono'
        for level, time in zip(LEVELS * 2, times_s, strict=False):
            pixels = np.full((64, 96, 3), level, np.uint8)
            if noise:
                pixels = random.integers(0, 256, pixels.shape).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
            frame.pts, frame.time_base = round(time / tick), tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for i in range(int(sound_s * 16_000 / 1024)):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
            block.sample_rate, block.pts = 16_000, 1024 * i
            container.mux(sound.encode(block))
        if sound_s:
            container.mux(sound.encode())
    return path


UNEVEN = [0.05 * i if i < 20 else 1.0 + 0.25 * (i - 20) for i in range(40)]
"""40 frames over 6 s, which a rate of 30 Hz would make 180."""


@pytest.mark.parametrize(
    ('name', 'codec', 'form'),
    [
        ('a.mkv', 'libx264', 'matroska'),
        ('a.webm', 'libvpx-vp9', 'webm'),
        ('a.mp4', 'libx264', 'mp4'),
        ('a.3gp', 'libx264', '3gp'),
        ('a.ts', 'libx264', 'mpegts'),
        ('a.mts', 'libx264', 'mpegts'),
        ('a.flv', 'flv1', 'flv'),
    ],
)
def test_an_intact_file_with_frames_at_odd_times(
    tmp_path: Path, name: str, codec: str, form: str
) -> None:
    path = encode(tmp_path / name, UNEVEN, codec, form)
    assert path.suffix in VIDEO_FILES
    frames = [load(item) for item in Video(path, 'a', READING).items()]
    stamps = np.array([frame.stamp_ns for frame in frames]) / 1e9
    # Matroska and Flash count in milliseconds.
    np.testing.assert_allclose(stamps, UNEVEN, atol=1.1e-3)


def test_a_last_frame_that_stays(tmp_path: Path) -> None:
    first, second = (Image.new('RGB', (32, 24), color) for color in ('red', 'blue'))
    durations_ms = [100, 1100]
    path = tmp_path / 'a.gif'
    first.save(path, save_all=True, append_images=[second], duration=durations_ms)
    stamps = [item.stamp_ns for item in Video(path, 'a', READING).items()]
    assert stamps == [0, 100_000_000]


@pytest.mark.parametrize('form', ['mp4', 'matroska'])
def test_sound_may_go_on_for_longer(tmp_path: Path, form: str) -> None:
    path = encode(tmp_path / 'a.video', [i / 10 for i in range(20)], 'libx264', form, 3.5)
    assert len(list(Video(path, 'a', READING).items())) == 20


@pytest.mark.parametrize(('form', 'codec'), [('matroska', 'libx264'), ('flv', 'flv1')])
def test_a_recording_that_was_cut_off_gives_what_there_is(
    tmp_path: Path, form: str, codec: str
) -> None:
    whole = encode(
        tmp_path / 'whole', [i / 10 for i in range(50)], codec, form, noise=True
    ).read_bytes()
    path = tmp_path / 'cut.mkv'
    path.write_bytes(whole[: len(whole) // 2])
    frames = []
    with pytest.raises(RecordingError, match=r'cut\.mkv'):
        frames.extend(outcome(item.load) for item in Video(path, 'a', READING).items())
    assert 10 < len(frames) < 45


def test_a_file_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / 'a.mp4'
    with av.open(str(path), 'w') as container:
        sound = container.add_stream('aac', rate=16_000)
        sound.codec_context.layout = 'mono'
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
        block.sample_rate = 16_000
        container.mux(sound.encode(block))
        container.mux(sound.encode())
    with pytest.raises(RecordingError, match=r'a\.mp4 holds no video'):
        Video(path, 'a', READING)


def turned(content: bytes, matrix: tuple[int, ...]) -> bytes:
    """Return an .mp4 whose track is shown by another matrix, as telephones write it."""
    at = content.index(b'tkhd') + 4 + 40
    return content[:at] + np.array(matrix, '>i4').tobytes() + content[at + 36 :]


@pytest.mark.parametrize(
    ('matrix', 'orientation'),
    [
        ((0, 65536, 0, -65536, 0, 0, 64 << 16, 0, 1 << 30), 6),
        ((0, -65536, 0, 65536, 0, 0, 0, 96 << 16, 1 << 30), 8),
        ((-65536, 0, 0, 0, -65536, 0, 96 << 16, 64 << 16, 1 << 30), 3),
    ],
)
def test_videos_of_telephones_are_turned_upright(
    tmp_path: Path, matrix: tuple[int, ...], orientation: int
) -> None:
    path = encode(tmp_path / 'a.mp4', [0.0, 0.1], 'libx264')
    path.write_bytes(turned(path.read_bytes(), matrix))
    frame = load(next(Video(path, 'a', ReadingSettings(max_side=48)).items()))
    assert frame.orientation == orientation
    assert frame.rgb.shape == ((32, 48, 3) if orientation == 3 else (48, 32, 3))
    assert frame.reduction == 0.5


@pytest.mark.parametrize(('name', 'codec'), [('a.mp4', 'libx264'), ('a.mkv', 'libx264')])
def test_whatever_byte_is_damaged(tmp_path: Path, name: str, codec: str) -> None:
    path = encode(tmp_path / name, [0.0, 0.1, 0.2], codec)
    for content in damaged(path.read_bytes(), places=40):
        path.write_bytes(content)
        for found in [
            outcome(lambda: [outcome(i.load) for i in Video(path, 'a', READING).items()])
        ]:
            assert not isinstance(found, MonoDepthError) or str(path) in str(found)
