"""What gives a picture its scale: a disparity map, the right picture of a pair, or points."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import ImageError
from ..core.files.depth_files import read_map
from ..core.files.point_files import POINT_FORMATS, read_points
from ..core.scale.depth_measurement import DepthMeasurement, measure_disparity, require_same_view
from ..core.scale.points_source import measure_points
from ..core.scale.sensor_pose import SensorPose
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from .images import ImageFrame, ReadingSettings, load_picture

_MAPS = ('.npy', '.npz', '.pfm', '.png')


class Measuring(Protocol):
    """Anything that measures what images show."""

    def begin(self, path: Path) -> None:
        """Prepare for a source; raise `MonoDepthError` if nothing can be measured there."""

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what was measured of the image at a path.

        Raises:
            AlignmentError: Nothing was.
            MonoDepthError: It is missing, damaged, or of another view.
        """


@dataclass(frozen=True)
class StereoFiles:
    """Files beside the left pictures of rectified pairs: Z = f B / (d + doffs).

    Attributes:
        place: A file, or a folder of files that are called like the pictures.
        baseline_m: Distance of the cameras [m].
        doffs_px: Difference of the principal points, at the size of the picture's file [px].
    """

    place: Path
    baseline_m: float
    doffs_px: float

    def begin(self, path: Path) -> None:
        """Do nothing: each picture has a file of its own."""

    def from_disparity(
        self, disparity: torch.Tensor, frame: ImageFrame, camera: PinholeCamera
    ) -> DepthMeasurement:
        """Return what a disparity (h, w) [px] of the view of a frame says, at its own size."""
        height, width = disparity.shape
        full_width = frame.rgb.shape[1] / frame.reduction
        focal_px = camera.fx * width / camera.width
        require_same_view(width, height, focal_px, camera, 'disparity')
        doffs_px = self.doffs_px * width / full_width
        return measure_disparity(disparity, focal_px, self.baseline_m, doffs_px=doffs_px)


@dataclass(frozen=True)
class DisparityMaps(StereoFiles):
    """Files of disparity; `unit_px` is the value of 1 in files of integers. See `Measuring`."""

    unit_px: float

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what the disparity of a picture says."""
        file = _beside(path, self.place, _MAPS, 'disparity')
        return self.from_disparity(torch.from_numpy(read_map(file, self.unit_px)), frame, camera)


@dataclass(frozen=True)
class RightPictures(StereoFiles):
    """Right pictures, matched here; read like the left ones. See `Measuring`."""

    matching: MatchingSettings
    reading: ReadingSettings

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what matching a picture with its right one says."""
        file = self.place / path.name if self.place.is_dir() else self.place
        right = torch.from_numpy(load_picture(file, self.reading).rgb)
        disparity = match_disparity(torch.from_numpy(frame.rgb), right, self.matching)
        if not bool(disparity.isfinite().any()):
            raise ImageError(
                f'{path} and {file} have nothing in common within '
                f'{self.matching.num_disparities} px of disparity'
            )
        return self.from_disparity(disparity, frame, camera)


@dataclass(frozen=True)
class PointFiles:
    """Points of a sensor at a pose, a file or a folder of files for pictures. See `Measuring`."""

    place: Path
    pose: SensorPose

    def begin(self, path: Path) -> None:
        """Do nothing: each picture has a file of its own."""

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what the points of a picture say."""
        file = _beside(path, self.place, POINT_FORMATS, 'points')
        return measure_points(read_points(file), self.pose, camera)


def _beside(path: Path, place: Path, suffixes: Iterable[str], what: str) -> Path:
    """Return the file of a picture: a place itself, or what is called like it in a folder.

    Raises:
        ImageError: The folder holds no such file.
    """
    if not place.is_dir():
        return place
    for suffix in suffixes:
        if (file := place / f'{path.stem}{suffix}').is_file():
            return file
    named = f'{path.stem} with {", ".join(suffixes)}'
    raise ImageError(f'{place} holds no {what} for {path.name}: {named}')
