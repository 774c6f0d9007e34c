"""What a graph says of itself, for a bug report: nodes, parameters, topics, frames, log."""

from collections import Counter, deque
from collections.abc import Iterable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Log
from rcl_interfaces.srv import GetParameters, ListParameters
from rclpy.parameter import parameter_value_to_python
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ...core.settings import parameter_table
from ...ros.node_settings import NodeSettings
from ..machine import Facts
from ..observer import Heard, Observer
from .examination import candidates
from .graph import add_transforms

_ANSWER_S = 3.0
_LISTEN_S = 3.0  # for rates: a camera of 1 Hz shows three
_REPORT_S = 30.0  # all of it, of several nodes as well
_KEPT_LINES = 20
_MOST_FRAMES = 60
_LEVELS = {b'\x00': 'ok', b'\x01': 'warning', b'\x02': 'error', b'\x03': 'stale'}
_SEVERITIES = {30: 'warning', 40: 'error', 50: 'fatal'}
_NOT_OF_A_CAMERA = ('/parameter_events', '/rosout', '/clock', '/diagnostics', '/tf', '/tf_static')


class GraphRecord:
    """Listens to what nodes report from its making on, and then asks them the rest."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._statuses: dict[str, DiagnosticStatus] = {}
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._parents: dict[str, str] = {}
        observer.subscribe(DiagnosticArray, '/diagnostics', self._take_statuses)
        observer.subscribe(Log, '/rosout', self._take_line, latched=True)
        if find_spec('tf2_msgs') is not None:
            from tf2_msgs.msg import TFMessage

            put = partial(add_transforms, self._parents)
            observer.subscribe(TFMessage, '/tf', put)
            observer.subscribe(TFMessage, '/tf_static', put, latched=True)

    def _take_statuses(self, report: DiagnosticArray) -> None:
        self._statuses |= {status.name: status for status in report.status}

    def _take_line(self, line: Log) -> None:
        if line.level in _SEVERITIES:
            self._lines.append(f'{line.name}: {_SEVERITIES[line.level]}: {line.msg}')

    def sections(self, node: str) -> dict[str, Facts]:
        """Return all there is to say; of the named node, or of every one there is if ''."""
        observer = self._observer
        observer.allow(_REPORT_S)
        nodes = observer.nodes()
        found = candidates(observer, node)
        sections = {'Graph': _graph(nodes, node, found)}
        for name in found:
            sections[f'Parameters of {name} that are not at their defaults'] = _parameters(
                observer, name
            )
        sections['Topics'] = _topics(observer, found)
        sections['Frames'] = self._frames()
        sections['Diagnostics'] = dict(map(_status, self._statuses.values()))
        sections['Log: newest warnings and errors'] = {
            f'{count}': line for count, line in enumerate(self._lines, 1)
        }
        return sections

    def _frames(self) -> Facts:
        if find_spec('tf2_msgs') is None:
            return {'TF': 'tf2_msgs is not installed here'}
        frames = {child: f'in {parent}' for child, parent in sorted(self._parents.items())}
        left_out = len(frames) - _MOST_FRAMES
        shown = dict(list(frames.items())[:_MOST_FRAMES])
        return shown | ({'and': f'{left_out} more'} if left_out > 0 else {})


def _graph(nodes: Iterable[str], wanted: str, found: list[str]) -> Facts:
    count = Counter(nodes)
    names = ', '.join(name if n == 1 else f'{name} ({n} times)' for name, n in count.items())
    missing = f'no node {wanted or "mono_depth"} runs: nothing below is of one'
    return {
        'middleware': rclpy.get_rmw_implementation_identifier(),
        'nodes': names or 'no other is seen',
        'mono_depth': ', '.join(found) or missing,
    }


def _parameters(observer: Observer, name: str) -> Facts:
    """Return the lifecycle state of a node, and its parameters with another value than ours."""
    answer = observer.call(GetState, f'{name}/get_state', GetState.Request(), _ANSWER_S)
    state = answer.current_state.label if answer else 'does not answer'
    listed = observer.call(
        ListParameters, f'{name}/list_parameters', ListParameters.Request(), _ANSWER_S
    )
    if listed is None:
        return {'state': state, 'parameters': 'no answer'}
    names = sorted(listed.result.names)
    request = GetParameters.Request(names=names)
    answer = observer.call(GetParameters, f'{name}/get_parameters', request, _ANSWER_S)
    values = [_plain(parameter_value_to_python(it)) for it in answer.values] if answer else []
    return {'state': state} | changed_parameters(dict(zip(names, values, strict=False)))


def changed_parameters(values: dict[str, Any]) -> Facts:
    """Return those of a node's parameters that are not at our defaults; others are all told."""
    defaults = {row.name: _plain(row.default) for row in parameter_table(NodeSettings())}
    # rclpy declares these of each node.
    defaults |= {'use_sim_time': False, 'start_type_description_service': True}
    return {
        name: repr(value)
        for name, value in values.items()
        if not name.startswith('qos_overrides.') and value != defaults.get(name, ...)
    }


def _plain(value: Any) -> Any:
    return list(value) if not isinstance(value, str) and hasattr(value, '__iter__') else value


def _topics(observer: Observer, nodes: Iterable[str]) -> Facts:
    """Return type, rate and ends of the topics of nodes, or of all images if there are none."""
    names = {topic for node in nodes for topic in observer.topics_of_node(node)}
    if not names:
        kinds = ('Image', 'CompressedImage', 'CameraInfo')
        names = set(observer.topics_of_type(*(f'sensor_msgs/msg/{kind}' for kind in kinds)))
    topics = sorted(names.difference(_NOT_OF_A_CAMERA))
    idle = [topic for topic in topics if _is_idle(observer, topic)]
    heard = {topic: _heard(observer, topic) for topic in topics if topic not in idle}
    observer.wait(lambda: False, _LISTEN_S)
    facts = {topic: _topic(observer, topic, at) for topic, at in heard.items()}
    return facts | ({'not made, as nobody listens': ', '.join(idle)} if idle else {})


def _is_idle(observer: Observer, topic: str) -> bool:
    """Return whether a topic is an output of ours that nobody listens to."""
    is_output = '/mono_depth/' in topic and observer.publishers(topic)
    return bool(is_output) and not observer.subscriptions(topic)


def _heard(observer: Observer, topic: str) -> Heard[Any] | str:
    """Count the messages of a topic undecoded; return why they cannot be."""
    publishers = observer.publishers(topic)
    if not publishers:
        return 'nobody publishes'
    package, _, kind = publishers[0].topic_type.partition('/msg/')
    try:
        message = getattr(import_module(f'{package}.msg'), kind)
    except (ImportError, AttributeError):
        return f'no package {package} here to listen with'
    return observer.listen_undecoded(message, topic)


def _topic(observer: Observer, topic: str, heard: Heard[Any] | str) -> str:
    publishers, readers = observer.publishers(topic), observer.subscriptions(topic)
    rate = heard if isinstance(heard, str) else heard.rate if heard.count else 'nothing came'
    if not isinstance(heard, str) and heard.newest is not None:
        rate += f', {len(heard.newest) / 1e6:.3g} MB'
    kinds = sorted({it.topic_type for it in (*publishers, *readers)})
    ends = [('from', it) for it in publishers] + [('to', it) for it in readers]
    return '\n'.join([f'{", ".join(kinds)}, {rate}', *(f'{way} {_end(it)}' for way, it in ends)])


def _end(endpoint: TopicEndpointInfo) -> str:
    qos, namespace = endpoint.qos_profile, endpoint.node_namespace.rstrip('/')
    policies = f'{qos.reliability.short_key} {qos.durability.short_key}'
    return f'{namespace}/{endpoint.node_name}: {policies}'


def _status(status: DiagnosticStatus) -> tuple[str, str]:
    values = [f'{pair.key}: {pair.value}' for pair in status.values]
    level = _LEVELS.get(bytes(status.level), str(status.level))
    return status.name, '\n'.join([f'{level}: {status.message}', *values])
