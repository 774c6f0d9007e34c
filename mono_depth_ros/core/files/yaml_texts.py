"""YAML of ours, which ROS reads as it is meant."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml

MAX_TEXT_BYTES = 1_000_000
"""Larger texts are no parameters and no calibration, and YAML is slow to read."""


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
