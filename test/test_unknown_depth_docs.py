"""docs/unknown_depth.md lists every reason that the code gives for depth that is not known."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs' / 'unknown_depth.md'
PACKAGE = ROOT / 'mono_depth_ros'

# Where reasons are made: in these files all that is raised as one of these errors ...
RAISING = (
    *('core/scale/fitting.py', 'core/scale/least_squares.py', 'core/scale/alignment_filter.py'),
    *('core/scale/ground_source.py', 'core/scale/tilt.py'),
    *('core/scale/points_source.py', 'core/scale/point_projection.py'),
    *('core/scale/scan_source.py', 'core/camera/transform_tree.py'),
    *('ros/sensor_poses.py', 'ros/tf_buffer.py'),
    *('ros/tilt_source.py', 'ros/frame_reader.py', 'core/camera/mask.py'),
)
ERRORS = {'AlignmentError', 'FlatSceneError', 'TransformError'}
# ... and in these all texts of some functions or constants.
SAYING = {
    'core/scale/scale_estimator.py': {'_NO_SCALE', '_indistinct'},
    'core/scale/alignment_filter.py': {'current', '_require_points'},
    'core/scale/range_explanation.py': {'explain_out_of_range'},
    'core/scale/opposite_sign.py': {'explain_sign'},
    'core/camera/image_preparation.py': {'_missing_content'},
    'core/network/predicted_frame.py': {'_frame'},
    'core/network/cards/output_kind.py': {'_NO_CAMERA', '_NO_TRAINING_FOCAL'},
    'core/outputs/output_table.py': {'_reason_none_known'},
}


def pieces(node: ast.expr) -> list[str]:
    """Return the fixed parts of a text, between what is filled in."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.JoinedStr):
        parts = ''.join(
            part.value if isinstance(part, ast.Constant) else '\0' for part in node.values
        )
        return parts.split('\0')
    return []


def texts(tree: ast.AST) -> Iterator[ast.expr]:
    inner = {id(part) for n in ast.walk(tree) if isinstance(n, ast.JoinedStr) for part in n.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in inner:
            yield node


def reasons(source: str, errors: set[str], names: set[str]) -> Iterator[str]:
    """Yield the first fixed words of every reason in a module."""
    tree = ast.parse(source)
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if is_call and node.func.id in errors and node.args:
            found.append(node.args[0])
        elif isinstance(node, ast.FunctionDef) and node.name in names:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            found += [text for statement in body for text in texts(statement)]
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id in names for target in node.targets
        ):
            found += texts(node.value)
    for text in found:
        said = [piece.strip(' ;:,.') for piece in pieces(text)]
        first = next((piece for piece in said if len(piece.split()) >= 2), '')
        if first:
            yield first


def normalized(text: str) -> str:
    return re.sub(r'\W+', ' ', text).strip().lower()


def is_listed(reason: str, page: str) -> bool:
    """Say whether the page has the beginning of a reason, at least four words of it or all."""
    words = normalized(reason).split()
    return ' '.join(words[:4]) in normalized(page)


def all_reasons() -> list[tuple[str, str]]:
    found = []
    for name in dict.fromkeys((*RAISING, *SAYING)):
        source = (PACKAGE / name).read_text()
        errors = ERRORS if name in RAISING else set()
        found += [(name, text) for text in reasons(source, errors, SAYING.get(name, set()))]
    return found


@pytest.mark.parametrize(('name', 'reason'), all_reasons())
def test_every_reason_is_on_the_page(name: str, reason: str) -> None:
    assert is_listed(reason, PAGE.read_text()), f'{name}: {reason}'


def test_there_are_reasons() -> None:
    assert len(all_reasons()) > 25


def test_a_reason_that_is_missing_is_seen() -> None:
    source = "raise AlignmentError(f'the lens has {count} raindrops on it')"
    (reason,) = reasons(source, ERRORS, set())
    assert not is_listed(reason, PAGE.read_text())
    assert is_listed(reason, 'It says `the lens has 3 raindrops on it`.')


def test_every_sentence_of_the_page_is_in_the_code() -> None:
    """Nothing is promised that is never said: the first fixed words of each are in the code."""
    code = normalized(' '.join(path.read_text() for path in PACKAGE.rglob('*.py')))
    code = re.sub(r' f ', ' ', code)
    page = PAGE.read_text()
    rows = [line.split('|')[1] for line in page.splitlines() if line.startswith('| `')]
    assert len(rows) > 20
    for row in rows:
        for said in re.findall(r'`([^`]+)`', row):
            parts = [normalized(part) for part in said.split('...')]
            part = next((part for part in parts if len(part.split()) >= 2), parts[0])
            start = ' '.join(part.split()[:4])
            assert start in code, said
