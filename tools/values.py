"""What an expression can stand for: sets of things of the package."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .source_tree import Class, Function, Module


@dataclass(frozen=True)
class Instance:
    """An instance of a class."""

    type: Class


@dataclass(frozen=True)
class Container:
    """A collection; its own methods return it again."""

    elements: frozenset['Value']


Value = Class | Function | Module | Instance | Container
Values = frozenset[Value]
Names = dict[str, Values]
NOTHING: Values = frozenset()


def one(value: Value) -> Values:
    """Return a set of one value."""
    return frozenset({value})


def union(values: Iterable[Values]) -> Values:
    """Return the values of several sets."""
    return frozenset().union(*values)


def elements(values: Values) -> Values:
    """Return what iterating over a value, or indexing it, gives."""
    inner = (v.elements if isinstance(v, Container) else one(v) for v in values)
    return union(inner)


def bind(target: ast.expr, found: Values, names: Names) -> None:
    """Give names of an assignment their values."""
    if isinstance(target, ast.Name):
        names[target.id] = found
    elif isinstance(target, ast.Tuple | ast.List):
        for item in target.elts:
            bind(item, elements(found), names)
