"""The node mono_depth itself: there, active, and what it says about its health."""

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from rcl_interfaces.srv import GetParameters
from rclpy.parameter import parameter_value_to_python

from .finding import Finding, fault, good, unchecked, warning
from .observer import Observer

SUBJECT = 'node'
_LOST = 'frame lost: '
_TRANSITION = {'unconfigured': 'configure', 'inactive': 'activate'}


class RunningNode:
    """What a node that was found says.

    Args:
        name: Full name.

    Attributes:
        name: Full name.
        state: Of its life cycle, '' if it does not answer.
        parts: What it reported last in `/diagnostics`, by the name after the node's; '' is itself.
        use_sim_time: Parameter.
        rectify: Parameter.
        fov_deg: Parameter [deg].
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = ''
        self.parts: dict[str, DiagnosticStatus] = {}
        self.use_sim_time = self.rectify = False
        self.fov_deg = 0.0

    def take(self, report: DiagnosticArray) -> None:
        """Keep a report, if it is this node's."""
        for status in report.status:
            node, _, part = status.name.partition(': ')
            if node == self.name.lstrip('/'):
                self.parts[part] = status

    @property
    def is_aligned(self) -> bool:
        """Whether its scale comes from measurements."""
        return bool(self.value('measurement topic')) or 'alignment' in self.parts

    def is_well(self) -> bool:
        """Say whether its newest report is no error, that on what it measures included."""
        names = ('', 'alignment') if self.is_aligned else ('',)
        parts = [self.parts.get(name) for name in names]
        return all(part is not None and part.level != DiagnosticStatus.ERROR for part in parts)

    def is_ill(self) -> bool:
        """Say whether its newest report names a fault of its own."""
        return '' in self.parts and self.parts[''].level == DiagnosticStatus.ERROR

    @property
    def lost(self) -> str:
        """Why its newest frame was lost, '' if it was not."""
        message = self.parts.get('', DiagnosticStatus()).message
        return message.removeprefix(_LOST) if message.startswith(_LOST) else ''

    def value(self, key: str) -> str:
        """Return a value that it reports of itself, '' if it does not."""
        status = self.parts.get('', DiagnosticStatus())
        return next((pair.value for pair in status.values if pair.key == key), '')


def look_at_node(observer: Observer, name: str, patience_s: float) -> RunningNode:
    """Ask a node for its state and wait for its report."""
    found = RunningNode(name)
    observer.subscribe(DiagnosticArray, '/diagnostics', found.take)
    answer = observer.call(GetState, f'{name}/get_state', GetState.Request(), patience_s)
    if answer is not None:
        found.state = answer.current_state.label
        _ask_parameters(observer, found, patience_s)
    observer.wait(lambda: found.parts, patience_s)
    return found


def judge_node(node: RunningNode) -> list[Finding]:
    """Return whether the node is at work, and what has befallen it."""
    if not node.state:
        return [
            fault(
                SUBJECT,
                f'{node.name} does not answer on {node.name}/get_state',
                'See its log: it may have died, or hang. Across machines, services need the same '
                'network as topics.',
            )
        ]
    status = node.parts.get('')
    if status is None:
        return [
            warning(
                SUBJECT,
                f'{node.name} is {node.state} and reports nothing on /diagnostics',
                'See its log; it may hang.',
            )
        ]
    if node.state != 'active':
        transition = _TRANSITION.get(node.state, 'configure')
        return [
            fault(
                SUBJECT,
                f'{node.name} is {node.state}: {status.message}',
                f'ros2 lifecycle set {node.name} {transition}; it says there and in its log what '
                'keeps it. While it loads the network, wait.',
            )
        ]
    if node.lost:
        return [fault(SUBJECT, f'{node.name} loses frames', status.message)]
    return [good(SUBJECT, f'{node.name} is active: {_performance(node)}')]


def judge_alignment(node: RunningNode) -> list[Finding]:
    """Return whether the alignment is live; nothing where there is none."""
    status = node.parts.get('alignment')
    if status is None:
        return []
    judge: Callable[[str, str, str], Finding] = {
        DiagnosticStatus.ERROR: fault,
        DiagnosticStatus.WARN: warning,
    }.get(status.level, lambda subject, what, _: good(subject, what))
    topic = node.value('measurement topic')
    source = f'See what comes on {topic}. ' if topic else ''
    remedy = f'{source}Every refusal has its reason in the log and on {node.name}/alignment.'
    return [judge('alignment', status.message, remedy)]


def judge_clock(node: RunningNode, clock_comes: bool) -> list[Finding]:
    """Return what is wrong with the time that the node goes by."""
    if clock_comes and not node.use_sim_time:
        return [
            warning(
                'clock',
                f'/clock is published and {node.name} has use_sim_time false',
                'Start all nodes with use_sim_time:=true; only reported latencies are wrong here, '
                'but TF and Nav2 get confused.',
            )
        ]
    if node.use_sim_time and not clock_comes:
        return [
            fault(
                'clock',
                f'{node.name} has use_sim_time true and nothing comes on /clock',
                'Start the simulation, or ros2 bag play with --clock; or use_sim_time:=false.',
            )
        ]
    return []


def no_node(name: str, asked_image: str) -> Finding:
    """Return that the node was not found; no fault if only a camera is looked at."""
    what = f'no node {name} runs'
    remedy = 'ros2 launch mono_depth_ros mono.launch.py image_topic:=<image>'
    if asked_image:
        return unchecked(SUBJECT, what, f'{remedy}.')
    return fault(SUBJECT, what, f'{remedy}; or name it with --node.')


def _ask_parameters(observer: Observer, node: RunningNode, patience_s: float) -> None:
    names = ['use_sim_time', 'rectify', 'fov_deg']
    request = GetParameters.Request(names=names)
    answer = observer.call(GetParameters, f'{node.name}/get_parameters', request, patience_s)
    if answer is not None:
        for name, value in zip(names, answer.values, strict=True):
            setattr(node, name, parameter_value_to_python(value))


def _performance(node: RunningNode) -> str:
    keys = ('encoder', 'device', 'images in [Hz]')
    told = [(key, node.value(key)) for key in keys]
    return ', '.join(f'{key} {value}' for key, value in told if value)
