"""The demo from start to end: calibrate, run on the simulated drive, then on a recording."""

import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from ...core.camera import PinholeCamera
from ...core.cloud import CloudSettings, pack_cloud
from ...core.colormap import ColormapSettings
from ...core.errors import MonoDepthError
from ...core.estimator import EstimatorSettings, load_estimator
from ...core.files import write_ply
from ...ros.simulated_camera import SimulatedCameraSettings
from ...simulation.drive import Drive
from ...simulation.rig import StereoRig
from .calibration import Calibration, calibrate
from .cloud_picture import write_cloud_picture
from .domain import claimed_domain
from .panel import Row, write_panel
from .recording import open_recording
from .report import print_section, shortcomings, summarize, write_json
from .session import ros_environment
from .source import Source, Value, played, simulated_drive
from .take import Take, take

CALIBRATION_DRIVE = 1000
SCORED_DRIVE = 1
CAMERA_HZ = 5.0


@dataclass(frozen=True)
class Options:
    """What the user may choose.

    Attributes:
        recording: A bag or a picture to run on after the simulated drive, None for neither.
        output: Folder for all results.
        frames: How many frames to use of each source, at most.
        checkpoint: Other weights for the network, '' for the package's own.
    """

    recording: Path | None
    output: Path
    frames: int
    checkpoint: str


def demonstrate(options: Options, console: Console) -> None:
    """Run the demo.

    Raises:
        MonoDepthError: Something does not work, or the depth of the drive is no good.
    """
    began = time.monotonic()
    torch.set_num_threads(1)  # the nodes need the processor more
    recording = open_recording(options.recording) if options.recording else None
    camera = SimulatedCameraSettings(seed=SCORED_DRIVE, rate=CAMERA_HZ)
    calibration = _calibrate(camera, options.checkpoint, console)
    sources = [simulated_drive(camera, options.frames)]
    if recording is not None:
        sources.append(played(recording, options.frames))
    with claimed_domain() as domain:
        environment = ros_environment(domain)
        os.environ.update(environment)
        console.print(f'ROS_DOMAIN_ID={domain}, this machine only: look on with ros2 or RViz')
        run = partial(_run, options=options, calibration=calibration, console=console)
        takes = [run(source, environment) for source in sources]
    sections = [summarize(taken) for taken in takes]
    write_json(options.output / 'report.json', sections, calibration, CALIBRATION_DRIVE)
    with open(options.output / 'report.txt', 'w') as file:
        for where in (console, Console(file=file, width=100)):
            for section in sections:
                print_section(where, section)
    files = ', '.join(sorted(path.name for path in options.output.iterdir() if path.is_file()))
    console.print(f'{options.output}/: {files}')
    console.print(f'done after {time.monotonic() - began:.0f} s')
    if found := shortcomings(sections[0]):
        raise MonoDepthError('; '.join(found))


def _calibrate(
    settings: SimulatedCameraSettings, checkpoint: str, console: Console
) -> Calibration:
    """Fit scale and shift on a drive that is not scored, and print them."""
    estimator = load_estimator(EstimatorSettings(encoder='tiny', checkpoint=checkpoint))
    camera = PinholeCamera.from_fov(settings.width, settings.height, settings.field_of_view)
    rig = StereoRig(camera, settings.baseline)
    calibration = calibrate(estimator, Drive(CALIBRATION_DRIVE), rig)
    scale, shift = calibration.alignment.scale, calibration.alignment.shift
    console.print(
        f'scale {scale:.4f} 1/m, shift {shift:.4f} 1/m: fitted once to {calibration.views} views '
        f'of simulated drive {CALIBRATION_DRIVE}, which is not scored '
        f'(AbsRel there {calibration.abs_rel:.3f})'
    )
    return calibration


def _run(
    source: Source,
    environment: dict[str, str],
    options: Options,
    calibration: Calibration,
    console: Console,
) -> Take:
    """Run the node on a source under a progress line; leave pictures and logs."""
    parameters: dict[str, Value] = {
        'encoder': 'tiny',
        'scale': calibration.alignment.scale,
        'shift': calibration.alignment.shift,
    }
    if options.checkpoint:
        parameters['checkpoint'] = str(Path(options.checkpoint).resolve())
    logs = options.output / 'logs' / source.name
    logs.mkdir(parents=True, exist_ok=True)
    columns = (
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn('frames  {task.fields[status]}'),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(source.name, total=source.frames, status='starting')
        taken = take(
            source,
            parameters,
            environment,
            logs,
            lambda done, status: progress.update(bar, completed=done, status=status),
        )
    for name, status in taken.statuses.items():
        if status:
            console.print(f'{name} did not end cleanly: status {status}, see {logs}/{name}.log')
    _draw(taken, options.output)
    return taken


def _draw(taken: Take, folder: Path) -> None:
    """Write the panel, and cloud and picture of the frame in the middle of it."""
    name, title = taken.source.name, taken.source.title
    rows = [
        Row(
            sample.color,
            sample.colormap,
            sample.estimate.depth,
            sample.estimate.prediction,
            truth,
        )
        for sample, truth in zip(taken.shown, taken.truths, strict=True)
    ]
    heading = f'{title}: {len(rows)} of {taken.frames} frames, encoder tiny'
    write_panel(folder / f'{name}_panel.png', heading, rows, ColormapSettings())
    i = len(taken.shown) // 2
    points, camera = taken.shown[i].points, taken.shown[i].estimate.camera
    write_ply(folder / f'{name}_cloud.ply', points)
    clouds = {'published': points}
    truth = taken.truths[i]
    if truth is not None:
        rgb = torch.from_numpy(taken.shown[i].color.copy())
        clouds['truth'] = pack_cloud(
            torch.from_numpy(truth), camera.rays(), rgb, CloudSettings()
        ).numpy()
    clouds = {label: cloud for label, cloud in clouds.items() if len(cloud)}
    if clouds:
        write_cloud_picture(folder / f'{name}_cloud.png', clouds, camera)
