"""What one frame meets on its way through the package: types, files and calls.

A static walk. It starts at the method that the worker calls for every frame and follows every call
that can be resolved, into each function once:

* A name is followed through the imports; `self.x` and `value.x` through the annotations of
  parameters, attributes and returns, and through the values assigned to attributes.
* A method of a protocol is followed into its shortest implementation.
* The shortest path passes by every option (see `branches`), and by all but the shortest function
  where an element of a table (`{Output.DEPTH: make_depth}`) is called. The path with every option
  takes them all.
* Error handling is left out (`except` and `raise`), as are the insides of torch modules.

A *type* is met where a function on the way names it in its signature, makes an instance of it, or
reads an attribute of it. Error classes do not count; settings records are counted apart. A *file*
is met where a function of it is entered or a type of it is met. A *call* is a pair of caller and
callee, both of the package; reading a property is a call, and so is making an instance.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from .inference import Inference
from .source_tree import Class, Function, Module, SourceTree

ENTRIES = (
    'mono_depth_ros.ros.frame_processor.FrameProcessor.process',
    'mono_depth_ros.ros.engine.Engine.process',
)
"""The method that works through one frame, under its present name and earlier ones."""
DRIVER = 'mono_depth_ros.core.network.batching', 'run_together'
"""What runs it, and the network in between, where the tree has that."""


@dataclass
class FramePath:
    """Names of what was met; `calls` holds (caller, callee)."""

    types: set[str] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)


def frame_path(
    tree: SourceTree, every_option: bool = False, entries: Iterable[str] = ENTRIES
) -> FramePath:
    """Walk from the first entry that the tree has.

    Args:
        tree: The package.
        every_option: Whether to take every option, rather than the shortest path.
        entries: Full names of methods.

    Raises:
        ValueError: It has none of them.
    """
    for entry in entries:
        module, owner, method = entry.rsplit('.', 2)
        if module in tree.modules and owner in tree.modules[module].classes:
            starts = [tree.modules[module].classes[owner].methods[method]]
            module, name = DRIVER
            if module in tree.modules:
                starts.append(tree.modules[module].functions[name])
            return _Walk(tree, every_option).run(starts)
    raise ValueError(f'no entry of a frame in {tree.folder}: {", ".join(entries)}')


class _Walk:
    def __init__(self, tree: SourceTree, every_option: bool) -> None:
        self._tree = tree
        self._inference = Inference(tree, self, shortest=not every_option)
        self._path = FramePath()
        self._queue: deque[Function] = deque()
        self._entered: set[Function] = set()

    def run(self, entries: Iterable[Function]) -> FramePath:
        for entry in entries:
            self._enter(entry)
        while self._queue:
            self._inference.visit(self._queue.popleft())
        return self._path

    def on_call(self, caller: Function, callee: Class | Function) -> None:
        self._path.calls.add((caller.name, callee.name))
        if isinstance(callee, Function):
            self._enter(callee)

    def on_type(self, met: Class) -> None:
        if not met.is_error(self._tree):
            (self._path.settings if met.is_settings(self._tree) else self._path.types).add(
                met.name
            )
            self._on_file(met.module)

    def _enter(self, function: Function) -> None:
        if function in self._entered:
            return
        self._entered.add(function)
        self._queue.append(function)
        self._on_file(function.module)
        if function.owner is not None:
            self.on_type(function.owner)

    def _on_file(self, module: Module) -> None:
        self._path.files.add(str(module.path.relative_to(self._tree.folder)))
