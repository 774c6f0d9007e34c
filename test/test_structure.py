"""Hard limits on the shape of the package, and what `make structure` counts."""

import ast
from pathlib import Path

import pytest

from tools.frame_path import frame_path
from tools.source_tree import SourceTree, complexity, length
from tools.structure import (
    PACKAGE,
    ROOT,
    STEP,
    duplicate_classes,
    duplicate_files,
    long_files,
    long_functions,
    measure,
    table,
)


@pytest.fixture(scope='module')
def tree() -> SourceTree:
    return SourceTree(ROOT / PACKAGE)


def test_no_two_classes_of_one_name(tree: SourceTree) -> None:
    assert duplicate_classes(tree) == []


def test_no_two_files_of_one_name(tree: SourceTree) -> None:
    assert duplicate_files(tree) == []


def test_no_function_over_40_lines(tree: SourceTree) -> None:
    assert long_functions(tree) == []


def test_no_file_over_250_lines(tree: SourceTree) -> None:
    assert long_files(tree) == []


def test_the_step_is_a_page(tree: SourceTree) -> None:
    module, owner, (name, _) = STEP
    step = tree.modules[module].classes[owner].methods[name].node
    assert length(step) <= 32
    assert complexity(step) <= 6


def test_the_table_has_all_facts_of_two_revisions() -> None:
    facts = measure()
    text = table({'then': facts, 'now': facts})
    assert 'Pipeline.step: complexity' in text
    files = next(line for line in text.splitlines() if line.startswith('package: files'))
    assert files.split()[-2:] == [str(facts['package']['files'])] * 2


@pytest.mark.parametrize(
    ('source', 'lines', 'decisions'),
    [
        ('def f():\n    """Text.\n\n    More.\n    """\n    return 1', 2, 1),
        ('def f(\n    a,\n    b,\n):\n    return a', 5, 1),
        ('def f(a):\n    if a:\n        return 1\n    elif not a:\n        return 2', 5, 3),
        ('def f(a):\n    return [b for b in a if b and a or b]', 2, 5),
        ('def f(a):\n    try:\n        a()\n    except OSError:\n        pass', 5, 2),
        ('def f(a):\n    return 1 if a else 2', 2, 2),
    ],
)
def test_length_and_complexity_of_a_function(source: str, lines: int, decisions: int) -> None:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    assert (length(node), complexity(node)) == (lines, decisions)


ENTRY = """
from .shapes import Shape, area, TABLE, Kind
from . import shapes

class Worker:
    def __init__(self, shape: Shape) -> None:
        self._shape = shape

    def process(self, kind: Kind, options: list[shapes.Option]) -> int:
        if kind is Kind.SMALL:
            shapes.rare()
        for option in options:
            option.apply()
        if kind is Kind.SMALL:
            shapes.rare()
        elif options:
            shapes.rare()
        self.finish(shapes.SizeSettings())
        found = self._shape.smallest.grown(2)
        try:
            found.save()
        except shapes.ShapeError as error:
            shapes.forgive(error)
        return area(found) + TABLE[kind]() + sum(s.size for s in [found])

    def finish(self, settings: shapes.SizeSettings) -> None:
        self._shape.save()
        area(self._shape)
        if settings.is_last:
            return
        shapes.rare()
"""
SHAPES = """
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

class ShapeError(Exception): ...
class Settings: ...
class SizeSettings(Settings):
    is_last: bool = True
class Kind(Enum):
    SMALL = 1
class Option(Protocol):
    def apply(self) -> None: ...
class LongOption:
    def apply(self) -> None:
        rare()
        rare()
class ShortOption:
    def apply(self) -> None:
        used()
class Shape:
    @property
    def smallest(self) -> 'Shape':
        return Shape()
    def grown(self, factor: int) -> 'Shape':
        return self
    def save(self) -> None:
        raise ShapeError(rare())
def area(shape: Shape) -> int:
    return 1
def used() -> None: ...
def rare() -> None: ...
def forgive(error: ShapeError) -> None: ...
def short() -> int:
    return 1
def long() -> int:
    rare()
    return 1
TABLE = {Kind.SMALL: short, 2: long}
"""


@pytest.fixture
def example(tmp_path: Path) -> SourceTree:
    folder = tmp_path / 'example'
    folder.mkdir()
    (folder / '__init__.py').write_text('')
    (folder / 'worker.py').write_text(ENTRY)
    (folder / 'shapes.py').write_text(SHAPES)
    return SourceTree(folder)


def callees(tree: SourceTree, every_option: bool) -> set[str]:
    path = frame_path(tree, every_option, ('example.worker.Worker.process',))
    assert path.files == {'worker.py', 'shapes.py'}
    names = {name.rpartition('.')[2] for name in path.types}
    assert names == {'Worker', 'Shape', 'Kind', 'Option', 'ShortOption'}
    assert path.settings == {'example.shapes.SizeSettings'}
    return {callee.split('.', 2)[2] for _, callee in path.calls}


def test_the_shortest_path_of_a_frame(example: SourceTree) -> None:
    assert callees(example, every_option=False) == {
        *('Shape.smallest', 'Shape', 'Shape.grown', 'Shape.save', 'area', 'short', 'used'),
        *('ShortOption.apply', 'Worker.finish', 'SizeSettings'),
    }


def test_the_path_with_every_option(example: SourceTree) -> None:
    more = callees(example, every_option=True) - callees(example, every_option=False)
    assert more == {'rare', 'long'}


def test_a_tree_without_an_entry_is_refused(example: SourceTree) -> None:
    with pytest.raises(ValueError, match='no entry of a frame in'):
        frame_path(example)
