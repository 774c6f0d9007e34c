"""Several sources at once: a laser, a range sensor and the floor, alone and together.

python -m benchmarks.several_sources writes results/several_sources.md. tiny looks at simulated
rooms; the floor is stated with errors of the pitch, as a mount measured by hand has.
"""

import argparse
import datetime
import math
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.network.estimator import load_estimator
from mono_depth_ros.core.network.network_settings import EstimatorSettings
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.sensor_reading import SensorReading
from mono_depth_ros.core.scale.tilt import Tilt
from mono_depth_ros.simulation.drive import Drive
from mono_depth_ros.simulation.range_sensors import SpinningLidar
from mono_depth_ros.simulation.rig import StereoRig

from .alignment.table import percent, table
from .measuring import machine

RESULTS = Path(__file__).resolve().parent / 'results'
DRIVES, PER_DRIVE = range(40, 50), 3
CAMERA = PinholeCamera.from_fov(320, 240, 75.0)
DEPTH_RANGE = 0.1, 80.0
LASER = RigidTransform.of((0.05, 0.25, 0.0), (0.5, -0.5, 0.5, 0.5))
AHEAD = RigidTransform.of((0.0, 0.0, 0.0), (0.5, -0.5, 0.5, 0.5))
SENSOR = SpinningLidar((0.0,), columns=720, farthest_m=12.0, noise_m=0.01)
CONE_RAD, FARTHEST_M = math.radians(25), 4.0
PITCH_ERRORS_DEG = (0.0, 1.0, -1.0, 3.0, -3.0, 8.0)
COMBINATIONS = (
    'scan',
    'range',
    'ground',
    'scan,ground',
    'range,ground',
    'scan,range',
    'scan,range,ground',
)


@dataclass(frozen=True, eq=False)
class View:
    """One frame.

    Attributes:
        prediction: Of tiny.
        truth: (H, W) inverse depth [1/m].
        height_m: Of the camera [m].
        pitch_rad: Of the camera, positive = looking down [rad].
        readings: Of the laser and the range sensor.
    """

    prediction: PredictedFrame
    truth: torch.Tensor
    height_m: float
    pitch_rad: float
    readings: dict[str, SensorReading]


def views() -> list[View]:
    """Return what a camera and its sensors see on drives."""
    estimator = load_estimator(EstimatorSettings('tiny', device='cpu'))
    rig, found = StereoRig(CAMERA, 0.12), []
    for seed in DRIVES:
        drive = Drive(seed)
        for k in range(PER_DRIVE):
            pose = drive.pose_at(k / PER_DRIVE * drive.period_s)
            frame = rig.capture(drive.scene, pose, seed=k)
            size = CAMERA.height, CAMERA.width
            said = estimator.predict([frame.left], size, [CAMERA])[0]
            ranges = SENSOR.ranges(drive.scene, pose, LASER, seed=k)[0]
            found.append(
                View(
                    PredictedFrame(said.values, frame.left, CAMERA, said.kind, 1, ''),
                    frame.depth.reciprocal(),
                    float(pose.position[2]),
                    math.asin(-float(pose.rotation[2, 2])),
                    {'scan': _scan(ranges), 'range': _range(frame.depth, k)},
                )
            )
    return found


def _scan(ranges: np.ndarray) -> SensorReading:
    azimuth = SENSOR.azimuths()
    message = SimpleNamespace(
        angle_min=float(azimuth[0]),
        angle_increment=2 * math.pi / SENSOR.columns,
        time_increment=0.0,
        range_min=0.1,
        range_max=SENSOR.farthest_m,
        ranges=ranges,
    )
    return SensorReading.fixed(message, LASER)


def _range(depth: torch.Tensor, seed: int) -> SensorReading:
    """Return what a sensor in the camera hears of the nearest thing in its cone."""
    x, y = CAMERA.rays()
    length = (x * x + y * y + 1).sqrt()
    in_cone = length < 1 / math.cos(CONE_RAD / 2)
    range_m = float((depth * length)[in_cone].min())
    noisy_m = range_m * (1 + 0.02 * np.random.default_rng(seed).standard_normal())
    message = SimpleNamespace(
        field_of_view=CONE_RAD,
        min_range=0.02,
        max_range=FARTHEST_M,
        range=noisy_m if range_m < FARTHEST_M else math.inf,
    )
    return SensorReading.fixed(message, AHEAD)


def error(view: View, source: str, model: str, pitch_error_deg: float) -> tuple[float, str]:
    """Return AbsRel, NaN where there is no scale, and why something was not used."""
    alignment = AlignmentSettings(source=source, model=model, camera_height=view.height_m)
    estimator = ScaleEstimator(ScaleSettings(alignment=alignment), view.prediction.kind)
    evidence: dict[str, Any] = {n: view.readings[n] for n in alignment.sources if n != 'ground'}
    if 'ground' in alignment.sources:
        evidence['ground'] = Tilt(view.pitch_rad + math.radians(pitch_error_deg))
    scale = estimator.update(1, view.prediction, DEPTH_RANGE, lambda: evidence)
    if scale.alignment is None:
        return math.nan, scale.reason_missing
    q = scale.metric(view.prediction, DEPTH_RANGE).inverse_depth
    least = float(view.truth.min())
    return float((view.truth / q.clamp(min=least) - 1).abs().mean()), str(scale.left_out)


def report(seen: list[View]) -> str:
    """Return the table."""
    rows = []
    for source in COMBINATIONS:
        for pitch in PITCH_ERRORS_DEG if 'ground' in source else (0.0,):
            stated = f'{pitch:+g} deg' if 'ground' in source else ''
            rows.append([f'`{source}`', stated, *_row(seen, source, pitch)])
    head = ['source', 'pitch too large by', 'global', '90 %', 'fused', '90 %', 'known', 'floor']
    return table(head, rows)


def _row(seen: list[View], source: str, pitch_error_deg: float) -> list[str]:
    cells: list[str] = []
    for model in ('global', 'fused'):
        found = [error(view, source, model, pitch_error_deg) for view in seen]
        values = np.array([value for value, _ in found])
        known = values[np.isfinite(values)]
        numbers = (known.mean(), np.quantile(known, 0.9)) if len(known) else ()
        cells += [percent(float(number)) for number in numbers] or ['', '']
    used = sum("'ground'" not in why for value, why in found if math.isfinite(value))
    return [*cells, str(len(known)), str(used) if 'ground' in source else '']


def main() -> None:
    """Measure, and write the report."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    seen = views()
    text = (
        f'# Several sources at once\n\n{datetime.date.today()}, {machine(torch.device("cpu"))}, '
        f'`python -m benchmarks.several_sources`.\n\n'
        f'tiny, as it is by default, in {len(seen)} views of {len(DRIVES)} drives through '
        'simulated rooms, 320x240; a '
        f'laser 0.25 m below the camera (1 cm noise, 12 m), a range sensor in it (cone of '
        f'{math.degrees(CONE_RAD):.0f} degrees, 2 %, {FARTHEST_M:g} m), and the floor with the '
        'true height and a pitch that is stated too large by so much. Mean AbsRel over the views '
        'with a scale, its 90 % quantile, the number of these, and in how many of them the floor '
        'was not left out.\n\n' + report(seen)
    )
    (RESULTS / 'several_sources.md').write_text(text)


if __name__ == '__main__':
    main()
