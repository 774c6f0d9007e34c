"""YAML of others, read as plain values."""

from typing import Any

import yaml

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


class _StrictLoader(_PlainLoader):
    """A loader that refuses keys that stand twice, of which the last one would count."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        made = super().construct_mapping(node, deep)
        names = [str(key.value) for key, _ in node.value]
        if len(made) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise yaml.constructor.ConstructorError(
                None, None, f'{twice} stands twice: leave one away', node.start_mark
            )
        return made


def strict_yaml(text: str | bytes) -> Any:
    """Return the only document of a YAML text, in which no key stands twice; see `plain_yaml`."""
    return _StrictLoader(text).get_single_data()
