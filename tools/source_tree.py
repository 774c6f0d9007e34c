"""The modules, classes and functions of a Python package, read with `ast` and never imported."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
_BRANCHES = (
    ast.If,
    ast.IfExp,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.ExceptHandler,
    ast.Assert,
    ast.match_case,
)


@dataclass(eq=False)
class Module:
    """One file: what it defines and the names that it imports from the package.

    Attributes:
        imports: Local name -> (module, name there); the name is '' for a module itself.
        tables: Name -> value of every assignment at module level.
    """

    name: str
    path: Path
    tree: ast.Module
    classes: dict[str, 'Class'] = field(default_factory=dict)
    functions: dict[str, 'Function'] = field(default_factory=dict)
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    tables: dict[str, ast.expr] = field(default_factory=dict)


@dataclass(eq=False)
class Class:
    """A class at module level."""

    module: Module
    node: ast.ClassDef
    methods: dict[str, 'Function'] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Module and class name, unique in the package."""
        return f'{self.module.name}.{self.node.name}'

    def is_settings(self, tree: 'SourceTree') -> bool:
        """Return whether it is a settings record."""
        return any(base.node.name == 'Settings' for base in tree.bases(self))

    def is_error(self, tree: 'SourceTree') -> bool:
        """Return whether it is an exception."""
        roots = (ast.unparse(base) for cls in tree.bases(self) for base in cls.node.bases)
        return any(root.endswith(('Error', 'Exception')) for root in roots)


@dataclass(eq=False)
class Function:
    """A function at module level, or a method."""

    module: Module
    node: FunctionNode
    owner: Class | None = None

    @property
    def name(self) -> str:
        """Module, class and function name, unique in the package."""
        owner = self.module.name if self.owner is None else self.owner.name
        return f'{owner}.{self.node.name}'

    def is_decorated(self, *names: str) -> bool:
        """Return whether a decorator, called or not, ends in one of the names."""
        found = (d.func if isinstance(d, ast.Call) else d for d in self.node.decorator_list)
        return any(ast.unparse(decorator).split('.')[-1] in names for decorator in found)


class SourceTree:
    """All modules of a package.

    Args:
        folder: Of the package.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[str, Module] = {}
        for path in sorted(folder.rglob('*.py')):
            parts = path.relative_to(folder.parent).with_suffix('').parts
            is_package = parts[-1] == '__init__'
            name = '.'.join(parts[:-1] if is_package else parts)
            module = Module(name, path, ast.parse(path.read_text(encoding='utf-8')))
            _define(module)
            _import(module, is_package)
            self.modules[name] = module

    def resolve(self, module: Module, name: str) -> Module | Class | Function | ast.expr | None:
        """Return what a dotted name means in a module, through imports; None if not ours."""
        outer, _, inner = name.rpartition('.')
        if outer:
            found = self.resolve(module, outer)
            return self.resolve(found, inner) if isinstance(found, Module) else None
        for names in (module.classes, module.functions, module.tables):
            if name in names:
                return names[name]
        if name not in module.imports:
            return None
        source, original = module.imports[name]
        if f'{source}.{original}' in self.modules:
            return self.modules[f'{source}.{original}']
        target = self.modules.get(source)
        if target is None or not original:
            return target
        return None if target is module else self.resolve(target, original)

    def home(self, module: Module, name: str) -> Module:
        """Return the module that defines what a name means in a module."""
        while name not in module.tables and name in module.imports:
            source, name = module.imports[name]
            module = self.modules[source]
        return module

    def is_abstract(self, method: 'Function') -> bool:
        """Return whether a method belongs to a protocol or is left to subclasses."""
        owner = method.owner
        bases = [] if owner is None else [ast.unparse(base) for base in owner.node.bases]
        return method.is_decorated('abstractmethod') or any(
            base.split('[')[0] == 'Protocol' for base in bases
        )

    def implementations(self, protocol: Class, name: str) -> list[Function]:
        """Return a method in all classes that inherit from a protocol or have its methods."""
        needed = {method for method in protocol.methods if not method.startswith('_')}
        found = []
        for module in self.modules.values():
            for other in module.classes.values():
                inherits = protocol in self.bases(other)
                if other is not protocol and (inherits or needed <= set(other.methods)):
                    found += [other.methods[name]] if name in other.methods else []
        return [method for method in found if not self.is_abstract(method)]

    def bases(self, owner: Class) -> Iterator[Class]:
        """Yield a class and those of the package that it inherits from, nearest first."""
        yield owner
        for base in owner.node.bases:
            name = base.value if isinstance(base, ast.Subscript) else base
            found = self.resolve(owner.module, ast.unparse(name))
            if isinstance(found, Class):
                yield from self.bases(found)


def _define(module: Module) -> None:
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef):
            owner = module.classes[node.name] = Class(module, node)
            for item in node.body:
                if isinstance(item, FunctionNode) and item.name not in owner.methods:
                    owner.methods[item.name] = Function(module, item, owner)
        elif isinstance(node, FunctionNode):
            module.functions[node.name] = Function(module, node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            module.tables[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            module.tables[node.target.id] = node.value


def _import(module: Module, is_package: bool) -> None:
    base = module.name.split('.') if is_package else module.name.split('.')[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom):
            parents = base[: len(base) - node.level + 1] if node.level else []
            source = '.'.join([*parents, *([node.module] if node.module else [])])
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (source, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.imports[alias.asname or alias.name] = (alias.name, '')


def functions(node: ast.AST) -> Iterator[FunctionNode]:
    """Yield every function, method and nested function of a syntax tree."""
    return (found for found in ast.walk(node) if isinstance(found, FunctionNode))


def length(node: FunctionNode) -> int:
    """Return the lines of a function: its signature and body without the docstring."""
    end = node.end_lineno or node.lineno
    docstring = 0
    if ast.get_docstring(node, clean=False) is not None:
        docstring = (node.body[0].end_lineno or 0) - node.body[0].lineno + 1
    return end - node.lineno + 1 - docstring


def complexity(node: ast.AST) -> int:
    """Return the cyclomatic complexity (McCabe, 1976): 1 and one for each decision.

    Decisions are branches, loops, handlers, conditional expressions, each `for` and `if` of a
    comprehension, and each further operand of `and` and `or`.
    """
    count = 1
    for found in ast.walk(node):
        if isinstance(found, ast.BoolOp):
            count += len(found.values) - 1
        elif isinstance(found, ast.comprehension):
            count += 1 + len(found.ifs)
        else:
            count += isinstance(found, _BRANCHES)
    return count
