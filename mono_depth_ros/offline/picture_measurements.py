"""Files that measure a picture: disparity, the right picture of a pair, depth, or points."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..core.camera.picture_header import UPRIGHT
from ..core.camera.pinhole import PinholeCamera
from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import CalibrationError, ImageError
from ..core.files.depth_files import read_map
from ..core.files.point_files import POINT_FORMATS, read_points
from ..core.scale.depth_measurement import DepthMeasurement, measure_depth, require_same_view
from ..core.scale.disparity_measurement import measure_disparity
from ..core.scale.points_source import measure_points
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from .images import ImageFrame, ReadingSettings, load_picture
from .measuring import Measuring, required_camera

_FEW = 0.5
_MANY = 0.2
_MANY_TIMES = 2.0
"""On the real pairs in data/ 75 % or more have a match, and 3 % or less of exchanged pictures; on
simulated pairs 10 to 75 %, and 22 % or less."""
_ANY_FOV_DEG = 60.0
"""Only the aspect counts."""
_MAPS = ('.npy', '.npz', '.pfm', '.png')


@dataclass(frozen=True)
class StereoFiles(Measuring):
    """Files beside the left pictures of rectified pairs: Z = f B / (d + doffs).

    Attributes:
        place: A file, or a folder of files that are called like the pictures.
        baseline_m: Distance of the cameras [m].
        doffs_px: Difference of the principal points, at the size of the picture's file [px].
    """

    place: Path
    baseline_m: float
    doffs_px: float

    def doubts(self) -> str:
        """Name what is forgotten or swapped most often; see `Measuring`."""
        mistakes = ['left and right are swapped', f'{self.place} belongs to another picture']
        if not self.doffs_px:
            mistakes.insert(
                0,
                '--doffs is 0, which says that the principal points of both cameras are alike '
                '(cx right - cx left; Middlebury calls it doffs)',
            )
        return f'the usual mistakes: {", or ".join(mistakes)}'

    def from_disparity(
        self, disparity: torch.Tensor, frame: ImageFrame, camera: PinholeCamera
    ) -> DepthMeasurement:
        """Return what a disparity (h, w) [px] of the view of a frame says, at its own size."""
        _require_upright(frame, 'disparity')
        height, width = disparity.shape
        full_width = frame.rgb.shape[1] / frame.reduction
        focal_px = camera.fx * width / camera.width
        require_same_view(width, height, focal_px, camera, 'disparity')
        doffs_px = self.doffs_px * width / full_width
        measured = measure_disparity(disparity, focal_px, self.baseline_m, doffs_px=doffs_px)
        # In the words of the command line: a message calls them f and t.
        return replace(
            measured,
            origin=f'disparity with --focal {focal_px:.4g} and --baseline {self.baseline_m:.4g}',
            units={
                factor: cause.replace('t is in', '--baseline is in')
                for factor, cause in measured.units.items()
            },
        )


@dataclass(frozen=True)
class DisparityMaps(StereoFiles):
    """Files of disparity; see `Measuring`.

    Attributes:
        unit_px: Value of 1 in files of integers; None if nothing states it.
    """

    unit_px: float | None

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement:
        """Return what the disparity of a picture says."""
        file = _beside(path, self.place, _MAPS, 'disparity')
        disparity = torch.from_numpy(read_map(file, self.unit_px, 'disparity'))
        _require_positive(disparity, file)
        return self.from_disparity(disparity, frame, required_camera(path, camera))


@dataclass(frozen=True)
class RightPictures(StereoFiles):
    """Right pictures, matched here; read like the left ones. See `Measuring`."""

    matching: MatchingSettings
    reading: ReadingSettings

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement:
        """Return what matching a picture with its right one says."""
        file = self.place / path.name if self.place.is_dir() else self.place
        right = torch.from_numpy(load_picture(file, self.reading).rgb)
        left = torch.from_numpy(frame.rgb)
        disparity = match_disparity(left, right, self.matching)
        matched, swapped = _share(disparity), 0.0
        if matched < _FEW:
            swapped = _share(match_disparity(right, left, self.matching))
        if swapped > max(_MANY, _MANY_TIMES * matched):
            raise ImageError(
                f'{path} and {file}: {matched:.0%} of the pixels have a match, and {swapped:.0%} '
                'with the pictures exchanged',
                f'left and right are swapped: {file} is the left one',
            )
        if not matched:
            raise ImageError(
                f'{path} and {file} have nothing in common within '
                f'{self.matching.num_disparities} px of disparity'
            )
        return self.from_disparity(disparity, frame, required_camera(path, camera))


@dataclass(frozen=True)
class DepthFiles(Measuring):
    """Registered depth, a file or a folder of files for pictures. See `Measuring`.

    Attributes:
        unit_m: Value of 1 in files of integers; None if nothing states it.
    """

    place: Path
    unit_m: float | None

    def doubts(self) -> str:
        """Name what is wrong most often; see `Measuring`."""
        return (
            'the usual mistakes: depth is that of another camera and not registered to this one, '
            f'or {self.place} belongs to another picture'
        )

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement:
        """Return what the depth of a picture says."""
        _require_upright(frame, 'registered depth')
        file = _beside(path, self.place, _MAPS, 'depth')
        depth = torch.from_numpy(read_map(file, self.unit_m, 'depth'))
        height, width = frame.rgb.shape[:2]
        seen = camera or PinholeCamera.from_fov(width, height, _ANY_FOV_DEG)
        require_same_view(depth.shape[1], depth.shape[0], 0.0, seen, 'registered depth')
        return measure_depth(depth)


@dataclass(frozen=True)
class PointFiles(Measuring):
    """Points of a sensor at a pose, a file or a folder of files for pictures. See `Measuring`."""

    place: Path
    pose: RigidTransform

    @property
    def is_projected(self) -> bool:
        """Points are; see `Measuring`."""
        return True

    def doubts(self) -> str:
        """Name what is wrong most often; see `Measuring`."""
        return (
            'the usual mistakes: --sensor-pose is not in the optical frame (z forward, x right), '
            f'or {self.place} belongs to another picture'
        )

    def observe(
        self, path: Path, frame: ImageFrame, camera: PinholeCamera | None
    ) -> DepthMeasurement:
        """Return what the points of a picture say."""
        file = _beside(path, self.place, POINT_FORMATS, 'points')
        return measure_points(read_points(file), self.pose, required_camera(path, camera))


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


def _require_upright(frame: ImageFrame, what: str) -> None:
    if frame.orientation != UPRIGHT:
        raise CalibrationError(
            f'the picture was turned upright by its orientation tag ({frame.orientation}), '
            f'and {what} runs along the rows of the sensor',
            'remove the tag of both pictures: exiftool -Orientation= FILE',
        )


def _share(disparity: torch.Tensor) -> float:
    """Return the share of the pixels that have a match."""
    return float(disparity.isfinite().float().mean())


def _require_positive(disparity: torch.Tensor, file: Path) -> None:
    known = disparity[disparity.isfinite() & (disparity != 0)]
    known = known[known > known.min()] if len(known) else known  # the least may be a marker
    if len(known) and float((known < 0).float().mean()) > _FEW:
        raise ImageError(
            f'{file} is negative in most pixels, by {float(known.median()):.3g} px in the median: '
            'nothing in front of both cameras has such a disparity',
            'left and right are swapped, or the sign is: negate it if it is of the left picture',
        )
