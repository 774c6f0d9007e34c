"""What the demo can look at: the simulated drive, a bag, a picture."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ...core.camera.calibration import fit_to_image
from ...core.files.depth_messages import image_to_depth
from ...ros.camera_info_messages import calibration_from_info
from ...ros.simulated_camera import SimulatedCameraSettings
from .collector import Estimate
from .methods import COMPARED, NONE, ROBUST, Method, Value
from .recording import Recording
from .registration import register_depth
from .stream import Stream

Depth = npt.NDArray[np.float32]

NAMES = (DRIVE, RECORDING) = ('drive', 'recording')
FOV_DEG = 60.0
_MOST_PX = 640
_REPLAY_HZ = 5.0
_LISTENERS = 2
_FEW = 10


@dataclass(frozen=True)
class Source:
    """A process that publishes images, and how the node is to take them.

    Attributes:
        name: Of the files about it.
        title: For people.
        process: Name of the process.
        module: What the process runs.
        arguments: Its command line.
        image_topic: Full name, without `/compressed`.
        rate_hz: Images per second.
        frames: How many different ones there are to judge each method by.
        answers: How many depth images to wait for, repeated frames included.
        methods: What to compare on them.
        shown: The method whose depth and cloud the pictures show.
        view: Tells different frames apart; one that is sent again is the same.
        truth: Gives the true depth of a list of estimates, None where it is not known.
        is_compressed: Whether the images are JPEG or PNG.
        truth_topic: Full name, '' if the truth is not on a topic.
        parameters: Of the node.
        notes: What a reader of the numbers must know.
    """

    name: str
    title: str
    process: str
    module: str
    arguments: Sequence[str]
    image_topic: str
    rate_hz: float
    frames: int
    answers: int
    methods: Sequence[Method]
    shown: Method
    view: Callable[[Estimate], Hashable]
    truth: Callable[[Sequence[Estimate]], list[Depth | None]]
    is_compressed: bool = False
    truth_topic: str = ''
    parameters: Mapping[str, Value] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def simulated_drive(settings: SimulatedCameraSettings) -> Source:
    """Return the simulated camera, whose truth comes on a topic; it shows its views repeatedly."""
    sent = {
        'seed': settings.seed,
        'rate': settings.rate,
        'disparity_delay': settings.disparity_delay,
        'views': settings.views,
    }
    return Source(
        name=DRIVE,
        title=f'simulated drive {settings.seed}',
        process='simulated_camera',
        module='mono_depth_ros.ros.simulated_camera',
        arguments=ros_arguments(sent),
        image_topic='/left/image_raw',
        rate_hz=settings.rate,
        frames=settings.views,
        answers=settings.views,
        methods=COMPARED,
        shown=ROBUST,
        view=_by_truth,
        truth=lambda estimates: [estimate.truth for estimate in estimates],
        truth_topic='/left/depth_truth',
    )


def _by_truth(estimate: Estimate) -> Hashable:
    """Tell simulated views apart: seen again, one has the same truth to the last bit."""
    return None if estimate.truth is None else estimate.truth.tobytes()


def played(recording: Recording, frames: int) -> Source:
    """Return a recording that is played over and over."""
    parameters, notes = _how_to_take(recording)
    if recording.depth is not None and recording.depth.frame_id != recording.frame_id:
        notes.append(
            f'depth of {recording.depth.topic} is moved into the color image by the two '
            'calibrations, the two cameras taken to be at one place'
        )
    count = min(frames, recording.count)
    return Source(
        name=RECORDING,
        title=f'{recording.path.name} {recording.topic}'.strip(),
        process='replay',
        module='mono_depth_ros.cli.demo.replay',
        arguments=[
            str(recording.path.resolve()),
            *('--frames', str(frames), '--rate', str(_REPLAY_HZ), '--listeners', str(_LISTENERS)),
            *('--ros-args', '-r', '__ns:=/recording'),
        ],
        image_topic='/recording/image_raw',
        rate_hz=_REPLAY_HZ,
        frames=count,
        answers=max(count, min(frames, _FEW)),
        methods=(NONE,),
        shown=NONE,
        view=lambda estimate: estimate.stamp,
        truth=lambda estimates: _recorded_truth(recording, estimates),
        is_compressed=recording.is_compressed,
        parameters=parameters,
        notes=tuple(notes),
    )


def _how_to_take(recording: Recording) -> tuple[dict[str, Value], list[str]]:
    """Return the node's parameters for images of a recording, and what must be said of them."""
    parameters: dict[str, Value] = {'fov_deg': FOV_DEG}
    notes = ['scale and shift belong to the simulated world: judge shapes, not meters']
    calibration = recording.info and calibration_from_info(recording.info)
    if calibration is None:
        notes.append(f'no calibration: a horizontal field of view of {FOV_DEG:.0f} deg is assumed')
    elif not calibration.is_rectified and 'rect' not in recording.topic:
        parameters['rectify'] = True
    if recording.is_compressed:
        parameters['image_transport'] = 'compressed'
    height, width = recording.size()
    if max(height, width) > _MOST_PX:
        parameters['output_scale'] = _MOST_PX / max(height, width)
        notes.append(f'{width}x{height} px; all outputs are reduced to {_MOST_PX} px at most')
    return parameters, notes


def ros_arguments(parameters: Mapping[str, Value]) -> list[str]:
    """Return parameters as a node's command line takes them."""
    return ['--ros-args', *(part for item in parameters.items() for part in _parameter(*item))]


def _parameter(name: str, value: Value) -> tuple[str, str]:
    if isinstance(value, bool):
        text = str(value).lower()
    else:
        # Without an exponent, which not every version reads as a number.
        text = f'{value:.9f}' if isinstance(value, float) else str(value)
    return '-p', f'{name}:={text}'


def _recorded_truth(recording: Recording, estimates: Sequence[Estimate]) -> list[Depth | None]:
    if recording.depth is None:
        return [None] * len(estimates)
    measured = recording.depths([estimate.stamp for estimate in estimates])
    return [
        _in_view(recording.depth, image_to_depth(measured[estimate.stamp]), estimate)
        if estimate.stamp in measured
        else None
        for estimate in estimates
    ]


def _in_view(stream: Stream, depth: Depth, estimate: Estimate) -> Depth | None:
    """Return measured depth in the pixels of an estimate, None where there is next to none."""
    calibration = calibration_from_info(stream.info)
    if calibration is None:
        return None
    camera = fit_to_image(calibration, depth.shape[1], depth.shape[0]).rectified_camera()
    registered = register_depth(depth, camera, estimate.camera)
    return registered if np.isfinite(registered).mean() > 0.01 else None
