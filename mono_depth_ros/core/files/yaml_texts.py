"""YAML of others, read as plain values; and ours, which ROS reads as it is meant."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

MAX_TEXT_BYTES = 1_000_000
"""Larger texts are no parameters and no calibration, and YAML is slow to read."""
_MATRIX = 'tag:yaml.org,2002:opencv-matrix'


class _PlainLoader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """A loader without aliases, of which a few lines can stand for any number of values."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(
                None,
                None,
                f'alias *{event.anchor} is not followed, as in ROS: write its value out',
                event.start_mark,
            )
        return super().compose_node(parent, index)


def _matrix(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Any:
    return loader.construct_mapping(node, deep=True)


_PlainLoader.add_constructor(_MATRIX, _matrix)


def plain_yaml(text: str) -> Any:
    """Return the first document of a YAML text; a matrix of OpenCV is a dictionary.

    Whatever is wrong with it is raised as PyYAML or Python raise it: call this within `parsing`.
    """
    # OpenCV's own first line, which no other reader of YAML takes.
    return next(yaml.load_all(text.removeprefix('%YAML:1.0'), _PlainLoader), None)


class _ParameterDumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """A dumper that quotes every text but keys, and writes every float with a point."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_mapping(self, *args: Any, **kwargs: Any) -> yaml.MappingNode:
        node = super().represent_mapping(*args, **kwargs)
        for key, _ in node.value:
            key.style = None
        return node


def dump_parameters(content: Mapping[str, Any]) -> str:
    """Return nested parameters as YAML, in their order.

    Every text is in single quotes, since plain `nan`, `inf`, `y` and `on` are numbers and
    booleans to ROS. Every float has a point, since ROS takes a number without one for an integer.
    """
    style = {'sort_keys': False, 'default_flow_style': False, 'allow_unicode': True}
    dumped: str = yaml.dump(dict(content), Dumper=_ParameterDumper, width=math.inf, **style)
    return dumped


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar('tag:yaml.org,2002:str', text, style="'")


def _float_node(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    if not math.isfinite(value):
        return dumper.represent_float(value)
    text = np.format_float_positional(value, trim='0')
    return dumper.represent_scalar('tag:yaml.org,2002:float', text)


_ParameterDumper.add_representer(str, _text_node)
_ParameterDumper.add_representer(float, _float_node)
