"""A full disk, said by its name and with the path, for every kind of result."""

import resource
from pathlib import Path

import cv2
import numpy as np
import pytest
from recordings import image, write_bag
from rosbags.rosbag2 import StoragePlugin

from mono_depth_ros.cli.main import main

TINY = ['--encoder', 'tiny', '--device', 'cpu', '--scale', '0.5']


@pytest.mark.parametrize('storage', [None, StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_a_full_disk_is_called_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    storage: StoragePlugin | None,
) -> None:
    """A limit on the size of files is the full disk that a test can have."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    name, result = 'photo.png', 'out/photo_depth.npy'
    cv2.imwrite(name, noise)
    if storage is not None:
        write_bag(tmp_path / 'ride', {'/cam/image_raw': [image(0, noise, 'rgb8')]}, storage)
        name, result = 'ride', 'out/ride_depth'
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, before[1]))
    try:
        assert main(['estimate', name, '-o', 'out', *TINY]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert f'{result} cannot be written: the disk is full' in capsys.readouterr().err
    assert not Path(result).exists()
