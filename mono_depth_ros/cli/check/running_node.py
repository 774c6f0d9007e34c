"""The node mono_depth: whether it runs, what it says about itself, and the depth it publishes."""

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python
from sensor_msgs.msg import Image

from ...core.errors import ImageError
from ...core.files.depth_messages import image_to_depth
from ...core.outputs.output_table import OutputSettings
from .findings import Finding, fault, good, unchecked, warning
from .observer import Heard, Observer

_TRANSITION = {'unconfigured': 'configure', 'inactive': 'activate'}


class RunningNode:
    """A node that was found.

    Attributes:
        name: Full name.
        state: Lifecycle state, '' if it does not answer.
        parts: Its newest statuses on `/diagnostics`, by the name after the node's; '' is itself.
        use_sim_time: Parameter.
        rectify: Parameter.
        fov_deg: Parameter [deg].
        min_depth: Parameter [m].
        max_depth: Parameter [m].
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = ''
        self.parts: dict[str, DiagnosticStatus] = {}
        self.use_sim_time = self.rectify = False
        self.fov_deg = 0.0
        self.min_depth, self.max_depth = OutputSettings().depth_range

    def take(self, report: DiagnosticArray) -> None:
        """Keep those statuses of a report that are of this node."""
        for status in report.status:
            node, _, part = status.name.partition(': ')
            if node == self.name.lstrip('/'):
                self.parts[part] = status

    @property
    def is_aligned(self) -> bool:
        """Whether its scale comes from measurements."""
        return bool(self.value('measurement topic')) or 'alignment' in self.parts

    def is_well(self) -> bool:
        """Return whether neither the node nor its alignment reports an error."""
        names = ('', 'alignment') if self.is_aligned else ('',)
        parts = [self.parts.get(name) for name in names]
        return all(part is not None and part.level != DiagnosticStatus.ERROR for part in parts)

    def is_ill(self) -> bool:
        """Return whether the node reports an error of its own."""
        return '' in self.parts and self.parts[''].level == DiagnosticStatus.ERROR

    @property
    def message(self) -> str:
        """What it says about itself, '' before its first report."""
        return self.parts[''].message if '' in self.parts else ''

    @property
    def last_failure(self) -> str:
        """Why its newest frame was lost, '' if it was not."""
        return self.value('last failure')

    def value(self, key: str) -> str:
        """Return a value of the status of the node itself, '' if there is none."""
        status = self.parts.get('', DiagnosticStatus())
        return next((pair.value for pair in status.values if pair.key == key), '')


def look_at_node(observer: Observer, name: str, patience_s: float) -> RunningNode:
    """Ask a node for its state and parameters, and wait for its report."""
    found = RunningNode(name)
    observer.subscribe(DiagnosticArray, '/diagnostics', found.take)
    answer = observer.call(GetState, f'{name}/get_state', GetState.Request(), patience_s)
    if answer is not None:
        found.state = answer.current_state.label
        names = ['use_sim_time', 'rectify', 'fov_deg', 'min_depth', 'max_depth']
        request = GetParameters.Request(names=names)
        answer = observer.call(GetParameters, f'{name}/get_parameters', request, patience_s)
        for parameter, value in zip(names, answer.values if answer else (), strict=False):
            setattr(found, parameter, parameter_value_to_python(value))
    observer.wait(lambda: found.parts, patience_s)
    return found


def no_node(name: str, asked_image: str) -> Finding:
    """Return that the node was not found; no fault if only a camera is looked at."""
    what = f'no node {name} runs'
    remedy = 'ros2 launch mono_depth_ros mono.launch.py image_topic:=<image>'
    if asked_image:
        return unchecked('node', what, f'{remedy}.')
    return fault('node', what, f'{remedy}; or name it with --node.')


def check_node(node: RunningNode) -> Finding:
    """Return whether the node is active and loses no frames."""
    subject = 'node'
    if not node.state:
        return fault(
            subject,
            f'{node.name} does not answer on {node.name}/get_state',
            'See its log: it may have died, or hang. Across machines, services need the same '
            'network as topics.',
        )
    if '' not in node.parts:
        what = f'{node.name} is {node.state} and reports nothing on /diagnostics'
        return warning(subject, what, 'See its log; it may hang.')
    if node.state != 'active':
        transition = _TRANSITION.get(node.state, 'configure')
        return fault(
            subject,
            f'{node.name} is {node.state}: {node.message}',
            f'ros2 lifecycle set {node.name} {transition}; it says there and in its log what '
            'keeps it. While it loads the network, wait.',
        )
    if node.last_failure:
        return fault(subject, f'{node.name} loses frames', node.message)
    told = ((key, node.value(key)) for key in ('encoder', 'device', 'images in [Hz]'))
    performance = ', '.join(f'{key} {value}' for key, value in told if value)
    return good(subject, f'{node.name} is active: {performance}')


def check_clock(node: RunningNode, clock_comes: bool) -> list[Finding]:
    """Return whether use_sim_time and `/clock` fit each other; nothing if they do."""
    if clock_comes and not node.use_sim_time:
        what = f'/clock is published and {node.name} has use_sim_time false'
        remedy = (
            'Start all nodes with use_sim_time:=true; only reported latencies are wrong here, '
            'but TF and Nav2 get confused.'
        )
        return [warning('clock', what, remedy)]
    if node.use_sim_time and not clock_comes:
        what = f'{node.name} has use_sim_time true and nothing comes on /clock'
        remedy = 'Start the simulation, or ros2 bag play with --clock; or use_sim_time:=false.'
        return [fault('clock', what, remedy)]
    return []


def check_alignment(node: RunningNode) -> list[Finding]:
    """Return whether there is a current alignment; nothing if the node needs none."""
    status = node.parts.get('alignment')
    if status is None:
        return []
    topic = node.value('measurement topic')
    remedy = f'See what comes on {topic}. ' if topic else ''
    remedy += f'Every refusal has its reason in the log and on {node.name}/alignment.'
    if status.level == DiagnosticStatus.ERROR:
        return [fault('alignment', status.message, remedy)]
    if status.level == DiagnosticStatus.WARN:
        return [warning('alignment', status.message, remedy)]
    return [good('alignment', status.message)]


def check_depth(topic: str, heard: Heard[Image], node: RunningNode, waited_s: float) -> Finding:
    """Return whether an active node publishes depth, and how much of it is known."""
    subject = 'depth'
    if not heard.count and node.last_failure:
        what = f'nothing comes on {topic}: {node.name} loses frames'
        return fault(subject, what, f'It says: {node.last_failure}.')
    if not heard.count:
        return fault(
            subject,
            f'nothing came on {topic} in {waited_s:.0f} s, though images come in',
            f'The node says: {node.message}. A large network on a CPU takes seconds for a frame; '
            'try encoder: tiny, or see the log.',
        )
    try:
        depth = image_to_depth(heard.newest[-1])
    except ImageError as error:
        return fault(subject, f'{topic}: {error}', f'Is it {node.name} that publishes there?')
    known = depth[np.isfinite(depth)]
    if not known.size:
        # An error without that value is of a version before 0.2.
        reason = node.value('reason unknown') or (node.is_ill() and node.message)
        remedy = 'See min_depth, max_depth, mask and edge_filter: they leave nothing.'
        what = f'{topic}: no pixel of {depth.size} is known'
        return fault(subject, what, f'The node says: {reason}.' if reason else remedy)
    return good(
        subject,
        f'{topic}: {known.size / depth.size:.0%} known, {known.min():.2f} to {known.max():.2f} m, '
        f'median {np.median(known):.2f} m',
    )
