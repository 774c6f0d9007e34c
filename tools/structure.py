"""Print the size and the shape of the package; `make structure`.

Lines of a file are all of its lines. Lines of a function are its signature and body without the
docstring. `frame_path` says which types, files and calls of a frame's path are counted.
"""

import argparse
import io
import json
import statistics
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .frame_path import FramePath, frame_path
from .source_tree import Module, SourceTree, complexity, functions, length

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = 'mono_depth_ros'
STEP = f'{PACKAGE}.core.pipeline', 'Pipeline', ('begin_step', 'step')
"""Module, class, and method under its present name and the earlier one."""
MOST_FUNCTION_LINES, MOST_FILE_LINES = 40, 250

Facts = dict[str, Any]


def measure(root: Path = ROOT) -> Facts:
    """Return every number and list about the package in a checkout."""
    tree = SourceTree(root / PACKAGE)
    inner = [m for name, m in tree.modules.items() if '.simulation' not in name]
    module, owner, names = STEP
    methods = tree.modules[module].classes[owner].methods
    step = next(methods[name].node for name in names if name in methods)
    shortest, every = frame_path(tree), frame_path(tree, every_option=True)
    return {
        'package': _size(tree.modules.values()),
        'without simulation/': _size(inner),
        'Pipeline.step': {'lines': length(step), 'complexity': complexity(step)},
        "a frame's shortest path": _counts(shortest),
        "a frame's path with every option": _counts(every),
        'class names used twice': duplicate_classes(tree),
        'file names used twice': duplicate_files(tree),
        f'functions over {MOST_FUNCTION_LINES} lines': long_functions(tree),
        f'files over {MOST_FILE_LINES} lines': long_files(tree),
    }


def duplicate_classes(tree: SourceTree) -> list[str]:
    """Return the class names that several modules define, private ones included."""
    places = defaultdict(list)
    for name, module in tree.modules.items():
        for class_name in module.classes:
            places[class_name].append(name.removeprefix(f'{PACKAGE}.'))
    return [f'{name}: {", ".join(found)}' for name, found in places.items() if len(found) > 1]


def duplicate_files(tree: SourceTree) -> list[str]:
    """Return the names that several files have, `__init__.py` aside."""
    counts = Counter(module.path.name for module in tree.modules.values())
    return sorted(f'{name}: {n}' for name, n in counts.items() if n > 1 and name != '__init__.py')


def long_functions(tree: SourceTree, most: int = MOST_FUNCTION_LINES) -> list[str]:
    """Return the functions with more lines than allowed."""
    return [
        f'{name}.{node.name}: {length(node)}'
        for name, module in tree.modules.items()
        for node in functions(module.tree)
        if length(node) > most
    ]


def long_files(tree: SourceTree, most: int = MOST_FILE_LINES) -> list[str]:
    """Return the files with more lines than allowed."""
    found = {module.path: _lines(module) for module in tree.modules.values()}
    return [f'{path.relative_to(tree.folder)}: {n}' for path, n in found.items() if n > most]


def _size(modules: Iterable[Module]) -> Facts:
    modules = list(modules)
    lengths = sorted(length(node) for module in modules for node in functions(module.tree))
    return {
        'files': len(modules),
        'lines': sum(map(_lines, modules)),
        'functions': len(lengths),
        'median function lines': int(statistics.median(lengths)),
        'p90 function lines': lengths[int(0.9 * len(lengths))],
        'max function lines': lengths[-1],
    }


def _counts(path: FramePath) -> Facts:
    return {name: len(getattr(path, name)) for name in ('types', 'settings', 'files', 'calls')}


def _lines(module: Module) -> int:
    return module.path.read_text(encoding='utf-8').count('\n')


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Unpack the package at a git revision into a folder that is removed afterwards."""
    command = ['git', '-C', str(ROOT), 'archive', revision, PACKAGE]
    archive = subprocess.run(command, check=True, capture_output=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter='data')
        yield Path(folder)


def table(columns: dict[str, Facts]) -> str:
    """Return the facts of one or two revisions as text, the lists of the last one below."""
    newest = list(columns.values())[-1]
    lines = [f'{"":<58}' + ''.join(f'{name:>12}' for name in columns)]
    for subject, facts in newest.items():
        names = facts if isinstance(facts, dict) else ['']
        for name in names:
            found = [facts[subject] for facts in columns.values()]
            cells = [f[name] if isinstance(f, dict) else len(f) for f in found]
            label = f'{subject}: {name}' if name else subject
            lines.append(f'{label:<58}' + ''.join(f'{cell:>12}' for cell in cells))
    for subject, facts in newest.items():
        if isinstance(facts, list) and facts:
            lines += ['', f'{subject}:', *(f'  {fact}' for fact in facts)]
    return '\n'.join(lines)


def main() -> None:
    """Print the facts of the working tree, and of another revision beside them."""
    parser = argparse.ArgumentParser(prog='tools.structure', description=__doc__)
    parser.add_argument('--json', action='store_true', help='print JSON instead of a table')
    parser.add_argument('--against', metavar='REV', help='a git revision to print beside')
    args = parser.parse_args()
    columns = {}
    if args.against:
        with checkout(args.against) as folder:
            columns[args.against[:10]] = measure(folder)
    columns['now'] = measure()
    print(json.dumps(columns, indent=2) if args.json else table(columns))


if __name__ == '__main__':
    main()
