"""Which statements of a function are options, passed by on the shortest path through it.

Options are an `if` without `else` that holds less than half of the function, as much behind a bare
`return` under an `if`, and all sides but the shortest where there is an `else`.
"""

import ast
from collections.abc import Sequence

from .source_tree import Function, length


def main_side(node: ast.If, function: Function | None) -> list[ast.stmt]:
    """Return the side of a branch that the shortest path takes; nothing for an option."""
    sides = [node.body]
    while len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        node = node.orelse[0]
        sides.append(node.body)
    if node.orelse:
        return min(*sides, node.orelse, key=_lines)
    longest = max(sides, key=_lines)
    return [] if is_option(longest, function) else longest


def is_option(nodes: Sequence[ast.AST], function: Function | None) -> bool:
    """Return whether statements are less than half of a function; None has no options."""
    return function is not None and 2 * _lines(nodes) < length(function.node)


def is_guard(node: ast.AST) -> bool:
    """Return whether a statement is a bare `return` under an `if`."""
    body = node.body if isinstance(node, ast.If) else []
    return bool(body) and isinstance(body[-1], ast.Return) and body[-1].value is None


def _lines(nodes: Sequence[ast.AST]) -> int:
    if not nodes:
        return 0
    return nodes[-1].end_lineno - nodes[0].lineno + 1  # type: ignore[attr-defined, no-any-return]
