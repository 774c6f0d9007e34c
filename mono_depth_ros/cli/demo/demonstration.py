"""The demo from start to end: calibrate, run on the simulated drive, then on a recording."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import MonoDepthError
from ...core.network.estimator import EstimatorSettings, load_estimator
from ...ros.simulated_camera import SimulatedCameraSettings
from ...simulation.drive import Drive
from ...simulation.rig import StereoRig
from .calibration import Calibration, calibrate
from .domain import claimed_domain
from .methods import NONE, Value
from .pictures import FILES, draw
from .recording import open_recording
from .report import Section, print_section, shortcomings, summarize, write_json
from .session import ros_environment
from .source import Source, played, simulated_drive
from .take import Take, take

CALIBRATION_DRIVE = 1000
SCORED_DRIVE = 1
CAMERA_HZ = 5.0
DISPARITY_DELAY_S = 0.3


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
    camera = SimulatedCameraSettings(
        seed=SCORED_DRIVE,
        rate=CAMERA_HZ,
        disparity_delay=DISPARITY_DELAY_S,
        views=options.frames,
    )
    calibration = _calibrate(camera, options.checkpoint, console)
    sources = [simulated_drive(camera)]
    if recording is not None:
        sources.append(played(recording, options.frames))
    sections: list[Section] = []
    with claimed_domain() as domain, _fresh(options.output / 'report.txt') as text:
        os.environ.update(ros_environment(domain))
        console.print(f'ROS_DOMAIN_ID={domain}, on this machine only', soft_wrap=True)
        for source in sources:
            sections.append(summarize(_run(source, options, calibration, console)))
            for where in (console, text):
                print_section(where, sections[-1])
            write_json(options.output / 'report.json', sections, calibration, CALIBRATION_DRIVE)
    seconds = time.monotonic() - began
    console.print(f'done after {seconds:.0f} s; all of it is in {options.output}', soft_wrap=True)
    if found := shortcomings(sections[0]):
        raise MonoDepthError('; '.join(found))


@contextmanager
def _fresh(path: Path) -> Iterator[Console]:
    """Remove what an earlier demo left beside a new text file; yield a console on that file."""
    for name in ('report.json', *FILES):
        (path.parent / name).unlink(missing_ok=True)
    with open(path, 'w') as file:
        yield Console(file=file, width=100, markup=False)


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
        f'scale {scale:.4f} 1/m, shift {shift:.4f} 1/m for {NONE.name}: fitted once to '
        f'{calibration.views} views of simulated drive {CALIBRATION_DRIVE}, which is not scored '
        f'(AbsRel there {calibration.abs_rel:.3f})'
    )
    return calibration


def _run(source: Source, options: Options, calibration: Calibration, console: Console) -> Take:
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
        TextColumn('{task.completed:.0f}/{task.total:.0f} frames  {task.fields[status]}'),
    )
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(
            source.name, total=len(source.methods) * source.frames, status='starting'
        )
        taken = take(
            source,
            parameters,
            logs,
            lambda done, status: progress.update(bar, completed=done, status=status),
        )
    for name, status in taken.statuses.items():
        if status:
            console.print(f'{name} did not end cleanly: status {status}, see {logs}/{name}.log')
    draw(taken, options.output)
    return taken
