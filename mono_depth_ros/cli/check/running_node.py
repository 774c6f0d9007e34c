"""The node mono_depth: whether it runs, what it says about itself, and the depth it publishes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from sensor_msgs.msg import Image

from ...core.errors import ImageError
from ...core.files.depth_messages import image_to_depth
from ..observer import Heard, Observer
from .findings import Finding, Verdict, fault, good, unchecked, warning

_TRANSITION = {'unconfigured': 'configure', 'inactive': 'activate'}
_PARAMETERS = (
    *('use_sim_time', 'rectify', 'assume_rectified', 'fov_deg'),
    *('min_depth', 'max_depth', 'alignment.stamp_tolerance'),
)
_VERDICTS = {DiagnosticStatus.ERROR: Verdict.FAULT, DiagnosticStatus.WARN: Verdict.WARNING}


class RunningNode:
    """A node that was found.

    Attributes:
        name: Full name.
        state: Lifecycle state, '' if it does not answer.
        parts: Its newest statuses on `/diagnostics`, by the name after the node's; '' is itself.
        parameters: Those that matter here; 0 if it does not answer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = ''
        self.parts = {'': DiagnosticStatus(level=DiagnosticStatus.STALE)}
        self.parameters: dict[str, Any] = dict.fromkeys(_PARAMETERS, 0)

    def take(self, report: DiagnosticArray) -> None:
        """Keep those statuses of a report that are of this node."""
        statuses = [(status.name.partition(': '), status) for status in report.status]
        own = self.name.lstrip('/')
        self.parts |= {part: status for (node, _, part), status in statuses if node == own}

    def value(self, key: str) -> str:
        """Return a value of the status of the node itself, '' if there is none."""
        return next((pair.value for pair in self.parts[''].values if pair.key == key), '')

    @property
    def message(self) -> str:
        """What it says about itself, '' before its first report."""
        return self.parts[''].message

    @property
    def image_topic(self) -> str:
        """Topic of the images that it takes; by its namespace until it reports."""
        return self.value('image topic') or f'{self.name.rpartition("/")[0]}/image_raw'

    @property
    def is_aligned(self) -> bool:
        """Whether its scale comes from measurements."""
        return bool(self.value('measurement topic')) or 'alignment' in self.parts

    def has_reported(self) -> bool:
        """Return whether anything came on `/diagnostics`."""
        return self.parts[''].level != DiagnosticStatus.STALE

    def is_ill(self) -> bool:
        """Return whether the node reports an error of its own."""
        return self.parts[''].level == DiagnosticStatus.ERROR

    def is_well(self) -> bool:
        """Return whether neither the node nor its alignment reports an error, or nothing yet."""
        names = ('', 'alignment') if self.is_aligned else ('',)
        bad = (DiagnosticStatus.ERROR, DiagnosticStatus.STALE)
        return all(name in self.parts and self.parts[name].level not in bad for name in names)


def look_at_node(observer: Observer, name: str, patience_s: float) -> RunningNode:
    """Ask a node for its state and parameters, and wait for its report."""
    found = RunningNode(name)
    observer.subscribe(DiagnosticArray, '/diagnostics', found.take)
    answer = observer.call(GetState, f'{name}/get_state', GetState.Request(), patience_s)
    if answer is not None:
        found.state = answer.current_state.label
        request = GetParameters.Request(names=list(found.parameters))
        answer = observer.call(GetParameters, f'{name}/get_parameters', request, patience_s)
        values = map(parameter_value_to_python, answer.values if answer else ())
        found.parameters.update(zip(request.names, values, strict=False))
    observer.wait(found.has_reported, patience_s)
    return found


def no_node(name: str, image: str, others: list[RunningNode]) -> Finding:
    """Return that no node of a name or on an image is there, each '' if it does not matter."""
    what = f'no node {name or "mono_depth"} runs'
    remedy = f'ros2 launch mono_depth_ros mono.launch.py image_topic:={image or "<image>"}'
    if others:
        where = ', '.join(f'{node.name} listens to {node.image_topic}' for node in others)
        what = f'no node listens to {image}: {where}'
    if image and not name:  # a camera alone
        return unchecked('node', what, f'{remedy}.')
    return fault('node', what, f'{remedy}; or name another with --node.')


def check_node(node: RunningNode, clock_comes: bool) -> Iterator[Finding]:
    """Yield whether the node is active, loses no frames, and has the clock of the others."""
    name, state, failure = node.name, node.state, node.value('last failure')
    if not state:
        remedy = (
            'See its log: it may have died, or hang. Across machines, services need the same '
            'network as topics.'
        )
        yield fault('node', f'{name} does not answer on {name}/get_state', remedy)
    elif not node.has_reported():
        what = f'{name} is {state} and reports nothing on /diagnostics'
        yield warning('node', what, 'See its log; it may hang.')
    elif state != 'active':
        remedy = (
            f'ros2 lifecycle set {name} {_TRANSITION.get(state, "configure")}; it says there and '
            'in its log what keeps it. While it loads the network, wait.'
        )
        yield fault('node', f'{name} is {state}: {node.message}', remedy)
    elif failure:
        yield fault('node', f'{name} loses frames', node.message)
    else:
        keys = ('encoder', 'device', 'backend', 'images in [Hz]')
        told = ((key, node.value(key)) for key in keys)
        performance = ', '.join(f'{key} {value}' for key, value in told if value)
        yield good('node', f'{name} is active: {performance}')
    use_sim_time = node.parameters['use_sim_time']
    if clock_comes and not use_sim_time:
        remedy = (
            'Start all nodes with use_sim_time:=true; only reported latencies are wrong here, '
            'but TF and Nav2 get confused.'
        )
        what = f'/clock is published and {name} has use_sim_time false'
        yield warning('clock', what, remedy)
    if use_sim_time and not clock_comes:
        what = f'{name} has use_sim_time true and nothing comes on /clock'
        remedy = 'Start the simulation, or ros2 bag play with --clock; or use_sim_time:=false.'
        yield fault('clock', what, remedy)


def check_alignment(node: RunningNode) -> list[Finding]:
    """Return whether there is a current alignment; nothing if the node needs none."""
    status = node.parts.get('alignment')
    if status is None:
        return []
    if status.level not in _VERDICTS:
        return [good('alignment', status.message)]
    topic = node.value('measurement topic')
    remedy = f'See what comes on {topic}. ' if topic else ''
    remedy += f'Every refusal has its reason in the log and on {node.name}/alignment.'
    return [Finding(_VERDICTS[status.level], 'alignment', status.message, remedy)]


def has_depth(msg: Image) -> bool:
    """Return whether depth is known at any pixel; not of a message that holds no depth."""
    try:
        return bool(np.isfinite(image_to_depth(msg)).any())
    except ImageError:
        return False


def check_depth(topic: str, heard: Heard[Image], node: RunningNode, waited_s: float) -> Finding:
    """Return whether an active node publishes depth, and how much of it is known."""
    image, failure = heard.newest, node.value('last failure')
    if image is None and failure:
        what = f'nothing comes on {topic}: {node.name} loses frames'
        return fault('depth', what, f'It says: {failure}.')
    if image is None:
        what = f'nothing came on {topic} in {waited_s:.0f} s, though images come in'
        slow = ' A large network on a CPU takes seconds for a frame: try encoder: tiny.'
        hint = '' if node.value('encoder') == 'tiny' else slow
        return fault('depth', what, f'The node says: {node.message}. See its log.{hint}')
    try:
        depth = image_to_depth(image)
    except ImageError as error:
        return fault('depth', f'{topic}: {error}', f'Is it {node.name} that publishes there?')
    known = depth[np.isfinite(depth)]
    if not known.size:
        # An error without that value is of a version before 0.2.
        reason = node.value('reason unknown') or (node.is_ill() and node.message)
        remedy = 'See min_depth, max_depth, mask and edge_filter: they leave nothing.'
        what = f'{topic}: no pixel of {depth.size} is known'
        return fault('depth', what, f'The node says: {reason}.' if reason else remedy)
    return good(
        'depth',
        f'{topic}: {known.size / depth.size:.0%} known, {known.min():.2f} to {known.max():.2f} m, '
        f'median {np.median(known):.2f} m',
    )
