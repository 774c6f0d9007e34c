"""YAML that ROS reads as it is meant: texts stay texts, and floats stay floats."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import yaml


class _Text(str):
    """A value that is a text; keys are left plain."""


class _ParameterDumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
    """A dumper that quotes every text and writes every float with a point."""


def dump_parameters(content: Mapping[str, Any]) -> str:
    """Return nested parameters as YAML, in their order.

    Every text is in single quotes, since plain `nan`, `inf`, `y` and `on` are numbers and
    booleans to ROS. Every float has a point, since ROS takes a number without one for an integer.
    """
    dumped: str = yaml.dump(
        _marked(content),
        Dumper=_ParameterDumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=math.inf,
    )
    return dumped


def _marked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _marked(below) for name, below in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(entry) for entry in value]
    return _Text(value) if isinstance(value, str) else value


def _text_node(dumper: yaml.SafeDumper, text: _Text) -> yaml.ScalarNode:
    return dumper.represent_scalar('tag:yaml.org,2002:str', str(text), style="'")


def _float_node(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    if not math.isfinite(value):
        return dumper.represent_float(value)
    text = np.format_float_positional(value, trim='0')
    return dumper.represent_scalar('tag:yaml.org,2002:float', text)


_ParameterDumper.add_representer(_Text, _text_node)
_ParameterDumper.add_representer(float, _float_node)
