"""The cameras of one process: their names, topics and parameters, from a list or a YAML file."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rclpy.exceptions import InvalidNamespaceException, InvalidTopicNameException
from rclpy.expand_topic_name import expand_topic_name
from rclpy.parameter import Parameter
from rclpy.utilities import remove_ros_args
from rclpy.validate_full_topic_name import validate_full_topic_name
from rclpy.validate_namespace import validate_namespace

from ..core.errors import SettingsError
from ..core.files.yaml_texts import MAX_TEXT_BYTES
from ..core.parsing import parsing, read_bytes
from ..core.settings import parameter_table
from ..core.yaml_loading import strict_yaml
from .node_settings import NodeSettings
from .qos import OVERRIDES, POLICIES

INPUTS = (
    *('image_raw', 'camera_info', 'imu'),
    *('disparity', 'registered_depth', 'lidar_points', 'scan', 'range'),
)
"""Topics that a node listens to, relative to its namespace."""
_OF_EVERY_NODE = ('use_sim_time', 'start_type_description_service')
_KEYS = ('name', 'topics', 'parameters')
_FORM = (
    'write names with commas between them, such as front,left,rear, or a YAML file: a list whose '
    'entries have name and, if needed, topics and parameters'
)


@dataclass(frozen=True)
class ListedCamera:
    """A camera of the list.

    Attributes:
        name: Namespace of its node, in that of the process.
        topics: What its node listens to or publishes instead, by the usual names.
        parameters: Of its node, by name, before those of parameter files.
    """

    name: str
    topics: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def node_options(self, namespace: str) -> dict[str, Any]:
        """Return the options of `rclpy.node.Node`; `namespace` is that of the process."""
        below = f'{namespace.rstrip("/")}/{self.name}'
        rules = {'__ns': below, **self.topics}
        arguments = [part for rule in rules.items() for part in ('-r', ':='.join(rule))]
        overrides = [Parameter(name, value=value) for name, value in self.parameters.items()]
        return {'cli_args': ['--ros-args', *arguments], 'parameter_overrides': overrides}


def cameras_of(arguments: list[str]) -> list[ListedCamera]:
    """Return the cameras of a command line, its program included; see `read_cameras`.

    Raises:
        SettingsError: It names none, or more than one list of them.
    """
    given = remove_ros_args(args=arguments)[1:]
    if len(given) != 1:
        raise SettingsError(f'one list of cameras is needed, and {len(given)} are given', _FORM)
    return read_cameras(given[0])


def read_cameras(text: str) -> list[ListedCamera]:
    """Return the cameras of a list such as front,left,rear, or of a YAML file.

    Raises:
        SettingsError: There is none, two have one name, or an entry is wrong.
    """
    if text.endswith(('.yaml', '.yml')):
        cameras = [*_from_file(Path(text))]
    else:
        cameras = [_camera({'name': name.strip()}, text) for name in text.split(',')]
    names = [camera.name for camera in cameras]
    if not names:
        raise SettingsError(f'{text} lists no camera', _FORM)
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f'{text} lists {", ".join(sorted(twice))} twice')
    return cameras


def _from_file(path: Path) -> Iterator[ListedCamera]:
    text = read_bytes(path, MAX_TEXT_BYTES, SettingsError)
    with parsing(path, 'YAML', SettingsError):
        entries = strict_yaml(text.decode('utf-8-sig'))
        if not isinstance(entries, Sequence) or isinstance(entries, str):
            raise SettingsError(f'{path} is no list of cameras', _FORM)
        for entry in entries:
            yield _camera({'name': entry} if isinstance(entry, str) else entry, str(path))


def _camera(entry: Any, where: str) -> ListedCamera:
    """Return the camera of an entry.

    Raises:
        SettingsError: It is none.
    """
    if not isinstance(entry, Mapping) or not isinstance(name := entry.get('name'), str):
        raise SettingsError(f'{where}: {entry!r} is no camera', _FORM)
    if unknown := [str(key) for key in entry if key not in _KEYS]:
        raise SettingsError(
            f'{where}: camera {name} has {", ".join(unknown)}', f'its keys are {", ".join(_KEYS)}'
        )
    try:
        validate_namespace(f'/{name}' if name and name.isprintable() else '')
    except (InvalidNamespaceException, ValueError) as error:
        what = f'{where}: {name!r} is no name of a camera'
        raise SettingsError(what, 'it is a namespace: letters, digits and _') from error
    topics, parameters = (entry.get(key, {}) for key in _KEYS[1:])
    if not isinstance(topics, Mapping) or not isinstance(parameters, Mapping):
        raise SettingsError(f'{where}: topics and parameters of camera {name} must be mappings')
    _check_topics(topics, name, f'{where}: camera {name}')
    return ListedCamera(name, topics, _parameters(parameters, f'{where}: camera {name}'))


def _check_topics(topics: Mapping[Any, Any], namespace: str, whose: str) -> None:
    """Raise `SettingsError` unless a node has these topics, and they can be called that."""
    for usual, topic in topics.items():
        if usual not in INPUTS and usual not in (outputs := _outputs()):
            near = get_close_matches(str(usual), outputs, 1)
            remedy = f'did you mean {near[0]}?' if near else 'outputs begin with ~/'
            raise SettingsError(
                f'{whose} has no topic {usual!r}', f'its inputs are {", ".join(INPUTS)}; {remedy}'
            )
        try:
            # rclpy would expand substitutions and a lone ~, which a remapping cannot have.
            is_plain = topic.isprintable() and '{' not in topic and topic != '~'
            name = topic if is_plain else ''
            validate_full_topic_name(expand_topic_name(name, 'mono_depth', f'/{namespace}'))
        except (InvalidTopicNameException, ValueError, AttributeError) as error:
            raise SettingsError(f'{whose}: {topic!r} is no topic for {usual}') from error


def _outputs() -> tuple[str, ...]:
    """Return the topics that a node publishes; a launch file need not import PyTorch for them."""
    from .output_publishers import ALIGNMENT_TOPIC, INFO_TOPICS, TOPICS

    made = (f'{topic}{transport}' for _, topic, transport, *_ in TOPICS)
    return (*made, *INFO_TOPICS, ALIGNMENT_TOPIC)


def _parameters(given: Mapping[Any, Any], whose: str) -> dict[str, Any]:
    """Return parameters by their full names.

    Raises:
        SettingsError: No node has one, or its value is none of a ROS parameter.
    """
    found: dict[str, Any] = {}
    for name, value in _flat(given):
        _check_name(name, whose)
        if name in found:
            raise SettingsError(f'{whose} has {name} twice', 'leave one away')
        try:
            kind = Parameter(name, value=value).type_
        except (TypeError, ValueError, AttributeError):
            kind = Parameter.Type.NOT_SET
        if kind is Parameter.Type.NOT_SET:
            what = f'{whose}: {name} is {value!r}'
            raise SettingsError(what, 'that is no value of a ROS parameter')
        found[name] = value
    return found


def _check_name(parameter: str, whose: str) -> None:
    """Raise `SettingsError` for a parameter that no node has; ROS would drop it silently.

    Of `qos_overrides` only the form is looked at, not whether there is such a topic.
    """
    known = [*_OF_EVERY_NODE, *(row.name for row in parameter_table(NodeSettings()))]
    if parameter in known or re.fullmatch(OVERRIDES, parameter):
        return
    if parameter.startswith('qos_overrides.'):
        raise SettingsError(
            f'{whose} has no parameter {parameter}',
            'after qos_overrides come a full topic, publisher or subscription, and '
            f'{", ".join(POLICIES)}: qos_overrides./front/mono_depth/points.publisher.depth',
        )
    near = get_close_matches(parameter, known, 1)
    remedy = f'did you mean {near[0]}?' if near else 'see config/mono.yaml'
    raise SettingsError(f'{whose} has no parameter {parameter}', remedy)


def _flat(parameters: Mapping[Any, Any], prefix: str = '') -> Iterator[tuple[str, Any]]:
    for name, value in parameters.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value
