"""Which classes and functions of the package an expression can mean, by annotations."""

import ast
from collections.abc import Iterable
from typing import Protocol

from .branches import is_guard, is_option, main_side
from .source_tree import Class, Function, Module, SourceTree, length
from .values import NOTHING, Container, Instance, Names, Value, Values, bind, elements, one, union

_PASSING = {'copy', 'dict', 'enumerate', 'filter', 'iter', 'list', 'max', 'min', 'next', 'replace'}
_PASSING |= {'reversed', 'set', 'sorted', 'tuple', 'zip'}
"""Functions of others that return what they are given."""
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_COLLECTIONS = (ast.Tuple, ast.List, ast.Set, ast.Dict, *_COMPREHENSIONS)


class Observer(Protocol):
    """Told what the visited functions use."""

    def on_call(self, caller: Function, callee: Class | Function) -> None:
        """Note a call that was resolved."""

    def on_type(self, met: Class) -> None:
        """Note a class that a signature names or of which something is used."""


class Inference:
    """Evaluates the expressions of a function in the order of its statements.

    Args:
        tree: The package.
        observer: Told what is used; None for nobody.
        shortest: Whether to leave out options (see `branches`), and all but the shortest function
            of a table.
    """

    def __init__(
        self, tree: SourceTree, observer: Observer | None = None, shortest: bool = False
    ) -> None:
        self._tree = tree
        self._observer = observer
        self._shortest = shortest
        self._silent = self if observer is None else Inference(tree)
        self._at: Function | None = None
        self._known: dict[tuple[Class | Module, str], Values] = {}

    def visit(self, function: Function) -> None:
        """Evaluate the signature and the body of a function."""
        self._at = function
        names = self._parameters(function)
        self._annotation(function.node.returns, function.module)
        self._statements(function.node.body, names, function.module)

    def _parameters(self, function: Function) -> Names:
        arguments = function.node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        names = {a.arg: self._annotation(a.annotation, function.module) for a in every}
        if function.owner is not None and every and not function.is_decorated('staticmethod'):
            is_class = function.is_decorated('classmethod')
            names[every[0].arg] = one(function.owner if is_class else Instance(function.owner))
        return names

    # Statements.

    def _statements(self, nodes: Iterable[ast.AST], names: Names, at: Module) -> None:
        nodes = list(nodes)
        for i, node in enumerate(nodes):
            self._statement(node, names, at)
            if self._shortest and is_guard(node) and is_option(nodes[i + 1 :], self._at):
                return

    def _statement(self, node: ast.AST, names: Names, at: Module) -> None:
        if isinstance(node, ast.Raise | ast.ExceptHandler):
            return
        if isinstance(node, ast.expr):
            self._value(node, names, at)
        elif isinstance(node, ast.Assign):
            found = self._value(node.value, names, at)
            for target in node.targets:
                bind(target, found, names)
        elif isinstance(node, ast.AnnAssign):
            declared = self._annotation(node.annotation, at)
            found = self._value(node.value, names, at) if node.value else NOTHING
            bind(node.target, declared | found, names)
        elif isinstance(node, ast.For):
            bind(node.target, elements(self._value(node.iter, names, at)), names)
            self._statements([*node.body, *node.orelse], names, at)
        elif isinstance(node, ast.withitem):
            found = self._value(node.context_expr, names, at)
            if node.optional_vars is not None:
                bind(node.optional_vars, found, names)
        elif isinstance(node, ast.If) and self._shortest:
            self._value(node.test, names, at)
            self._statements(main_side(node, self._at), names, at)
        else:
            self._statements(ast.iter_child_nodes(node), names, at)

    # Expressions.

    def _value(self, node: ast.AST, names: Names, at: Module) -> Values:
        if isinstance(node, ast.Name):
            return names[node.id] if node.id in names else self._global(at, node.id)
        if isinstance(node, ast.Attribute):
            bases = self._value(node.value, names, at)
            return union(self._attribute(base, node.attr) for base in bases)
        if isinstance(node, ast.Call):
            return self._called(node, names, at)
        if isinstance(node, ast.Subscript):
            self._value(node.slice, names, at)
            return elements(self._value(node.value, names, at))
        if isinstance(node, ast.NamedExpr):
            found = self._value(node.value, names, at)
            bind(node.target, found, names)
            return found
        if isinstance(node, _COMPREHENSIONS):
            names = dict(names)
            for loop in node.generators:
                bind(loop.target, elements(self._value(loop.iter, names, at)), names)
        parts = [self._value(child, names, at) for child in ast.iter_child_nodes(node)]
        if isinstance(node, ast.BoolOp | ast.IfExp | ast.Starred | ast.Await):
            return union(parts)
        if isinstance(node, ast.YieldFrom):
            return elements(union(parts))
        is_collection = isinstance(node, _COLLECTIONS)
        return one(Container(union(parts))) if is_collection else NOTHING

    def _called(self, node: ast.Call, names: Names, at: Module) -> Values:
        callees = self._value(node.func, names, at)
        arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
        given = [self._value(argument, names, at) for argument in arguments]
        if not callees and ast.unparse(node.func).split('.')[-1] in _PASSING:
            return union(given)
        made = [callee for callee in callees if isinstance(callee, Function)]
        if self._shortest and len(made) > 1:
            callees = one(min(made, key=_function_length))
        return union(self._result(callee) for callee in callees)

    def _result(self, callee: Value) -> Values:
        """Report a call and return what it returns."""
        if isinstance(callee, Class):
            self._report_call(callee)
            self._report_type(callee)
            for name in ('__init__', '__post_init__'):
                if (method := self._method(callee, name)) is not None:
                    self._report_call(method)
            return one(Instance(callee))
        if isinstance(callee, Function):
            self._report_call(callee)
            return self._silent._annotation(callee.node.returns, callee.module)
        if isinstance(callee, Instance):
            self._report_type(callee.type)
            method = self._method(callee.type, '__call__')
            return NOTHING if method is None else self._result(method)
        return one(callee) if isinstance(callee, Container) else NOTHING

    # Names and attributes.

    def _annotation(self, node: ast.expr | None, at: Module) -> Values:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._annotation(ast.parse(node.value, mode='eval').body, at)
        if isinstance(node, ast.BinOp):
            return self._annotation(node.left, at) | self._annotation(node.right, at)
        if isinstance(node, ast.Subscript):
            inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            arguments = union(self._annotation(item, at) for item in inner)
            outer = self._annotation(node.value, at)
            if outer or ast.unparse(node.value) in ('Optional', 'type'):
                return outer or arguments
            return NOTHING if ast.unparse(node.value) == 'Callable' else one(Container(arguments))
        found = self._tree.resolve(at, ast.unparse(node)) if node is not None else None
        if isinstance(found, Class):
            self._report_type(found)
            return one(Instance(found))
        return self._annotation(found, at) if isinstance(found, ast.BinOp) else NOTHING

    def _global(self, at: Module, name: str) -> Values:
        found = self._tree.resolve(at, name)
        if not isinstance(found, ast.expr):
            return NOTHING if found is None else one(found)
        key = (at, name)
        if key not in self._known:
            self._known[key] = NOTHING
            home = self._tree.home(at, name)
            self._known[key] = self._silent._value(found, {}, home)
        return self._known[key]

    def _attribute(self, base: Value, name: str) -> Values:
        if isinstance(base, Module):
            return self._global(base, name)
        if isinstance(base, Container):
            return one(base)
        if isinstance(base, Function):
            return NOTHING
        owner = base.type if isinstance(base, Instance) else base
        self._report_type(owner)
        method = self._method(owner, name)
        if method is None:
            is_member = base is owner and name.isupper()
            return one(Instance(owner)) if is_member else self._field(owner, name)
        if method.is_decorated('property', 'cached_property'):
            return self._result(method)
        return one(method)

    def _method(self, owner: Class, name: str) -> Function | None:
        owners = list(self._tree.bases(owner))
        found = next((cls.methods[name] for cls in owners if name in cls.methods), None)
        if found is None or not self._tree.is_abstract(found):
            return found
        made = self._tree.implementations(owner, name)
        return min(made, key=_function_length, default=found)

    def _field(self, owner: Class, name: str) -> Values:
        """Return what an attribute holds, as declared in the class or assigned in a method."""
        key = (owner, name)
        if key not in self._known:
            self._known[key] = NOTHING
            self._known[key] = union(
                self._silent._declared(cls, name) for cls in self._tree.bases(owner)
            )
        return self._known[key]

    def _declared(self, owner: Class, name: str) -> Values:
        found = NOTHING
        for item in owner.node.body:
            if isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == name:
                found |= self._annotation(item.annotation, owner.module)
        for method in owner.methods.values():
            names = self._parameters(method)
            for node in ast.walk(method.node):
                if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == f'self.{name}':
                    found |= self._annotation(node.annotation, owner.module)
                elif isinstance(node, ast.Assign) and f'self.{name}' in map(
                    ast.unparse, node.targets
                ):
                    found |= self._value(node.value, names, owner.module)
        return found

    def _report_call(self, callee: Class | Function) -> None:
        if self._observer is not None and self._at is not None:
            self._observer.on_call(self._at, callee)

    def _report_type(self, met: Class) -> None:
        if self._observer is not None:
            self._observer.on_type(met)


def _function_length(function: Function) -> tuple[int, str]:
    return length(function.node), function.name
