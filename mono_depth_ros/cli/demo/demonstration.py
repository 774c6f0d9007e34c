"""The demo from start to end: run on the simulated drive, estimate a recording."""

import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

from ...core.camera.pinhole import PinholeCamera
from ...core.errors import MonoDepthError
from ...core.network.estimator import load_estimator
from ...core.network.network_settings import EstimatorSettings
from ...offline.input_files import find_inputs, is_bag
from ...ros.ros_domain import claimed_domain, ros_environment
from ...ros.simulated_camera import SimulatedCameraSettings
from ..batch import write_json
from ..main import main
from . import demo_report as report
from .drive_pictures import PANEL, PICTURES, draw_clouds, draw_panel, telling_view
from .overview import OVERVIEW, draw_overview
from .recorder import Parameters
from .trial import LIDAR, run_drive

CAMERA = SimulatedCameraSettings(room='furnished', speed=0.7, rate=5.0, disparity_rate=5.0)
LENS = PinholeCamera.from_fov(CAMERA.width, CAMERA.height, CAMERA.field_of_view)
_TITLE = 'drive through a furnished room'
_FOV_DEG, _MOST_PX, _MOST_PANELS = 60, 640, 12
_OTHER_CAMERAS = ('right', 'depth', 'infra')


def demonstrate(
    recording: Path | None, output: Path, frames: int, checkpoint: str, console: Console
) -> None:
    """Run the demo; the arguments are those of the command."""
    began_s = time.monotonic()
    torch.set_num_threads(max(1, torch.get_num_threads() // 2))  # the camera takes the others
    flags = chosen_images(recording, output, frames) if recording else []
    # What is wrong with the weights is said here, before anything starts.
    load_estimator(EstimatorSettings('tiny', checkpoint=checkpoint))
    for name in ('report.txt', 'report.json', *PICTURES, OVERVIEW):
        (output / name).unlink(missing_ok=True)
    network = {'encoder': 'tiny', 'checkpoint': checkpoint}
    failed = _drive(network, output, frames, console)
    if recording is not None:
        console.print(
            f'{recording}: without a calibration a field of view of {_FOV_DEG} deg is assumed, '
            'on which the meters depend'
        )
        flags += [f'--{name}={value}' for name, value in network.items()]
        flags += [f'--fov={_FOV_DEG}', '--formats=panel,ply,preview']
        if main(['estimate', str(recording), f'-o{output / "recording"}', *flags]):
            failed.append(f'{recording}: not all of it could be estimated')
    seconds = time.monotonic() - began_s
    console.print(f'done after {seconds:.0f} s; all of it is in {output}', soft_wrap=True)
    if failed:
        raise MonoDepthError('; '.join(failed))


def _drive(parameters: Parameters, output: Path, frames: int, console: Console) -> list[str]:
    """Run the node on the simulated drive, report, and return the shortcomings."""
    began_s = time.monotonic()
    with claimed_domain() as domain, Progress(console=console) as progress:
        os.environ.update(ros_environment(domain), ROS_LOG_DIR=str(output / 'logs'))
        console.print(f'ROS_DOMAIN_ID={domain}, on this machine only', soft_wrap=True)
        camera = replace(CAMERA, views=frames)
        trials, recorder = run_drive(camera, parameters, progress)
    run = report.summarize(_TITLE, trials, recorder, CAMERA.rate)
    with open(output / 'report.txt', 'w') as file:
        for where in (console, Console(file=file, width=100, markup=False)):
            report.print_run(where, run)
    draw_panel(output / PANEL, f'{_TITLE}, encoder tiny', trials)
    sample = telling_view(trials)
    if sample is not None:
        draw_clouds(output, sample, trials, LENS)
        by_lidar = next(trial for trial in trials if trial.method == LIDAR).sample_of(sample.view)
        if by_lidar is not None:
            checkpoint = str(parameters['checkpoint'])
            draw_overview(output / OVERVIEW, by_lidar, camera, LENS, checkpoint)
    facts = {'camera': asdict(camera), 'seconds': time.monotonic() - began_s}
    write_json(output / 'report.json', {**facts, 'sources': [asdict(run)]})
    return report.shortcomings(run)


def chosen_images(recording: Path, output: Path, frames: int) -> list[str]:
    """Return the flags of `estimate` for a few images, evenly spread; raise if there are none.

    Of a bag they are those of the left camera of two, and of color rather than infrared.
    """
    topic = _color_topic(recording) if is_bag(recording) else ''
    inputs = find_inputs([str(recording)]).files
    images = sum(entry.open(_MOST_PX, topic).count or 0 for entry in inputs)
    parts = max(1, -(-images // min(frames, _MOST_PANELS)))
    return [f'--topic={topic}', f'--shard=1/{parts}', f'--max-size={_MOST_PX}']


def _color_topic(recording: Path) -> str:
    """Return the topic of the left color camera of a bag, '' if there are no images."""
    try:
        from ...offline.bags import Bag
    except ModuleNotFoundError:
        return ''  # opening it as an input says what is missing
    names = [topic.name for topic in Bag(recording).topics.values() if topic.holds == 'picture']
    return min(names, key=lambda name: any(word in name for word in _OTHER_CAMERAS), default='')
