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
from .images import ImageFrame, read_picture

_MAPS = ('.npy', '.npz', '.pfm', '.png')


@dataclass(frozen=True)
class Stereo:
    """How disparity becomes distance: Z = f B / (d + doffs).

    Attributes:
        baseline_m: Distance of the cameras [m].
        doffs_px: Difference of the principal points, at the size of the picture's file [px].
    """

    baseline_m: float
    doffs_px: float = 0.0

    def observe(
        self, disparity: torch.Tensor, frame: ImageFrame, camera: PinholeCamera
    ) -> DepthMeasurement:
        """Return what a disparity (h, w) [px] of the view of a frame says, at its own size."""
        height, width = disparity.shape
        full_width = frame.rgb.shape[1] / frame.reduction
        focal_px = camera.fx * width / camera.width
        require_same_view(width, height, focal_px, camera, 'disparity')
        doffs_px = self.doffs_px * width / full_width
        return measure_disparity(disparity, focal_px, self.baseline_m, doffs_px=doffs_px)


class Measuring(Protocol):
    """Anything that measures what a picture shows."""

    def begin(self, path: Path) -> None:
        """Look at what there is for a source.

        Raises:
            MonoDepthError: It can measure nothing there.
        """

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what was measured of the picture at a path.

        Raises:
            MonoDepthError: It is missing, damaged, or of another view.
        """


@dataclass(frozen=True)
class DisparityMaps:
    """Disparity of the left picture in files; see `Measuring`.

    Attributes:
        place: A file, or a folder of files that are called like the pictures.
        stereo: What their pixels mean.
        unit_px: Value of 1 in files of integers.
    """

    place: Path
    stereo: Stereo
    unit_px: float

    def begin(self, path: Path) -> None:
        """Do nothing: each picture has a file of its own."""

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what the disparity of a picture says."""
        disparity = torch.from_numpy(read_map(self._file(path), self.unit_px))
        return self.stereo.observe(disparity, frame, camera)

    def _file(self, path: Path) -> Path:
        if not self.place.is_dir():
            return self.place
        files = (self.place / f'{path.stem}{suffix}' for suffix in _MAPS)
        found = [file for file in files if file.is_file()]
        if not found:
            raise ImageError(
                f'{self.place} holds no disparity for {path.name}: {path.stem} with '
                f'{", ".join(_MAPS)}'
            )
        return found[0]


@dataclass(frozen=True)
class RightPictures:
    """The right pictures of rectified pairs, matched here; see `Measuring`.

    Attributes:
        place: A file, or a folder of files that are called like the left pictures.
        stereo: What disparity means.
        matching: How it is searched for.
        max_side: Larger pictures are reduced to this [px], like the left ones.
    """

    place: Path
    stereo: Stereo
    matching: MatchingSettings
    max_side: int

    def begin(self, path: Path) -> None:
        """Do nothing: each picture has a file of its own."""

    def observe(self, path: Path, frame: ImageFrame, camera: PinholeCamera) -> DepthMeasurement:
        """Return what matching a picture with its right one says."""
        file = self.place / path.name if self.place.is_dir() else self.place
        right = torch.from_numpy(read_picture(file, self.max_side))
        disparity = match_disparity(torch.from_numpy(frame.rgb), right, self.matching)
        if not bool(disparity.isfinite().any()):
            raise ImageError(
                f'{path} and {file} have nothing in common within '
                f'{self.matching.num_disparities} px of disparity'
            )
        return self.stereo.observe(disparity, frame, camera)
