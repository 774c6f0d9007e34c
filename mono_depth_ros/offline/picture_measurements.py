"""What gives a picture its scale: a disparity map, or the right picture of a stereo pair."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch

from ..core.camera.pinhole import PinholeCamera
from ..core.errors import ImageError
from ..core.files.depth_files import read_map
from ..core.scale.depth_measurement import DepthMeasurement, measure_disparity, require_same_view
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
        disparity = torch.from_numpy(read_map(self._file(path), self.unit_px))
        return self.from_disparity(disparity, frame, camera)

    def _file(self, path: Path) -> Path:
        if not self.place.is_dir():
            return self.place
        for suffix in _MAPS:
            if (file := self.place / f'{path.stem}{suffix}').is_file():
                return file
        named = f'{path.stem} with {", ".join(_MAPS)}'
        raise ImageError(f'{self.place} holds no disparity for {path.name}: {named}')


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
