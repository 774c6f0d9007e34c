"""Measures of depth as a robot uses it, each frame seen from where its camera stands."""

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import CalibrationError, EvaluationError
from ...core.evaluation.cloud_metrics import cloud_f_score
from ...core.evaluation.costmap import CostmapSettings
from ...core.evaluation.costmap_agreement import (
    CostmapAgreement,
    CostmapComparison,
    costmap_agreement,
)
from ...core.evaluation.obstacle_metrics import (
    DISTANCES_M,
    false_obstacle_density,
    median_errors,
    obstacle_recall,
)
from ...core.evaluation.posed_camera import PosedCamera
from ...core.scale.tilt import Tilt
from ...core.settings import updated
from ...offline.bags import Bag
from ...offline.input_files import is_bag
from ..common_arguments import add_settings, chosen_camera, given, positive_number
from ..estimate_arguments import asks_for_estimation
from .poses import Poses

THRESHOLDS_M = {'f_score_10cm': 0.1, 'f_score_20cm': 0.2}
_FLOOR = ('false_cells', 'costmap_precision', 'costmap_recall')
_EMPTY = {
    **{f'median_error_{low}_{high}': 'no pixel is known there' for low, high in DISTANCES_M},
    **dict.fromkeys(THRESHOLDS_M, 'the truth has no point'),
    'obstacles_found': 'the truth has nothing nearer than 3 m within the heights of obstacles',
    'false_cells': 'the truth sees no free floor within obstacle_max_range',
    'costmap_precision': 'no cell is lethal',
    'costmap_recall': 'the truth marks no cell',
}
"""Measures by name, and why one is missing although all that it needs is there."""
_NO_FLOOR = (
    'the place of the camera above the floor is not known; give --camera-height and '
    '--camera-pitch, or --poses'
)
_BY_ROWS = '; until then obstacles are looked for in the quarter of the rows above the middle'

_NO_CAMERA = 'the camera is not known; give --calibration, --fov or --focal'


def add_robot_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where the camera stands, and the costmap."""
    camera = parser.add_argument_group(
        'place of the camera', 'for obstacles and costmaps, beside its calibration'
    )
    camera.add_argument(
        '--camera-height', type=positive_number, metavar='M', help='above the floor [m]'
    )
    camera.add_argument(
        '--camera-pitch',
        type=float,
        default=0.0,
        metavar='RAD',
        help='positive = looking down (default: 0)',
    )
    camera.add_argument(
        '--poses',
        type=Path,
        metavar='FILE',
        help='place of the camera at each moment, in place of height and pitch: lines of stamp '
        '[s], x y z [m] and qx qy qz qw, from its optical frame to a map with the floor at z = 0',
    )
    costmap = parser.add_argument_group('costmap')
    costmap.add_argument(
        '--costmap',
        action='store_true',
        help="mark and clear a costmap by Nav2's rules and compare it with that of the truth; "
        'one for all frames with --poses, else one for each',
    )
    add_settings(costmap, CostmapSettings())


class RobotMeasures:
    """What a robot's user looks at, of each frame and each kind of alignment.

    Raises:
        MonoDepthError: The arguments contradict each other, or a file cannot be read.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        if args.costmap and not (args.poses or args.camera_height):
            raise EvaluationError(f'--costmap: {_NO_FLOOR}')
        if args.poses and args.camera_height:
            raise EvaluationError('--poses and --camera-height both place the camera; leave one')
        owners = [(args.truth, 'depth', args.truth_topic)] if is_bag(args.truth) else []
        if is_bag(args.predictions) and asks_for_estimation(args):
            owners.append((args.predictions, 'picture', args.topic))
        self._camera = chosen_camera(args)
        for path, holds, topic in owners:
            bag = Bag(path)
            own = bag.calibration(bag.find_topic(holds, topic))
            self._camera = replace(self._camera, calibration=self._camera.calibration or own)
        self._height_m, self._tilt = args.camera_height, Tilt(args.camera_pitch)
        self._poses = Poses(args.poses) if args.poses else None
        self._settings = updated(CostmapSettings(), given(args))
        self._with_costmap = args.costmap
        self._drives: dict[str, CostmapComparison] = {}
        self._no_camera = ''

    def pinhole(self, height: int, width: int) -> PinholeCamera:
        """Return the intrinsics of images of that size.

        Raises:
            CalibrationError: They are not known, or of another aspect ratio.
        """
        calibration = self._camera.of_size(width, height)
        if calibration is None:
            raise CalibrationError(_NO_CAMERA)
        return calibration.rectified_camera()

    def numbers(
        self,
        kind: str,
        depth: torch.Tensor,
        truth: torch.Tensor,
        counted: torch.Tensor,
        moment_ns: int | None,
    ) -> dict[str, float]:
        """Return the numbers of a frame by name; those that cannot be known are missing.

        Depth (H, W) [m], NaN unknown, is judged where `counted` (H, W) by the truth (H, W) [m].

        Raises:
            EvaluationError: No pose is known at that moment.
        """
        found: dict[str, float | None] = {
            f'median_error_{low}_{high}': error
            for (low, high), error in median_errors(depth, truth, counted).items()
        }
        camera = None
        try:
            pinhole = self.pinhole(*truth.shape)
        except CalibrationError as error:
            self._no_camera = str(error)
        else:
            found |= _f_scores(depth, truth, counted, pinhole)
            camera = self._placed(pinhole, moment_ns)
        found['obstacles_found'] = obstacle_recall(depth, truth, camera, counted, self._settings)
        if camera is not None:
            floor = depth, truth, camera, counted
            found['false_cells'] = false_obstacle_density(*floor, self._settings)
            if self._with_costmap and self._poses is None:
                found |= _numbers_of(costmap_agreement(*floor, self._settings))
            elif self._with_costmap:
                self._drive(kind, pinhole).add_depth(*floor)
        return {name: number for name, number in found.items() if number is not None}

    def drive_numbers(self) -> dict[str, dict[str, float]]:
        """Return, by kind of alignment, what only all frames together have."""
        found = {kind: _numbers_of(drive.agreement()) for kind, drive in self._drives.items()}
        return {
            kind: {name: number for name, number in numbers.items() if number is not None}
            for kind, numbers in found.items()
        }

    def absent(self, measured: set[str]) -> dict[str, str]:
        """Return why measures are missing, by name."""
        reasons = {}
        for name, reason in _EMPTY.items():
            is_asked = self._with_costmap or not name.startswith('costmap')
            if name in measured or not is_asked:
                continue
            if self._no_camera and (name in THRESHOLDS_M or name in _FLOOR):
                reason = self._no_camera
            elif name in _FLOOR and not (self._height_m or self._poses):
                reason = _NO_FLOOR + _BY_ROWS
            reasons[name] = reason
        return reasons

    def _placed(self, pinhole: PinholeCamera, moment_ns: int | None) -> PosedCamera | None:
        if self._poses is not None:
            return PosedCamera(pinhole, self._poses.at(moment_ns))
        height_m = self._height_m
        return PosedCamera.above_floor(pinhole, height_m, self._tilt) if height_m else None

    def _drive(self, kind: str, pinhole: PinholeCamera) -> CostmapComparison:
        if kind not in self._drives:
            assert self._poses is not None
            cameras = [PosedCamera(pinhole, pose) for pose in self._poses.poses]
            self._drives[kind] = CostmapComparison(cameras, self._settings)
        return self._drives[kind]


def _f_scores(
    depth: torch.Tensor, truth: torch.Tensor, counted: torch.Tensor, pinhole: PinholeCamera
) -> dict[str, float | None]:
    camera = PosedCamera(pinhole, torch.eye(4, dtype=torch.float64))
    cloud = camera.map_points(depth)[counted & (depth > 0) & depth.isfinite()]
    true_cloud = camera.map_points(truth)[counted]
    found: dict[str, float | None] = {}
    for name, threshold_m in THRESHOLDS_M.items():
        score = cloud_f_score(cloud, true_cloud, threshold_m)
        if score is not None:
            found |= {name: score.f, f'{name}_precision': score.precision}
            found[f'{name}_recall'] = score.recall
    return found


def _numbers_of(agreement: CostmapAgreement) -> dict[str, float | None]:
    return {f'costmap_{name}': number for name, number in agreement._asdict().items()}
