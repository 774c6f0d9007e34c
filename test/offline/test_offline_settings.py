"""Parameters of the node, from its files and from a command line."""

from pathlib import Path

import pytest

from mono_depth_ros.core.errors import SettingsError
from mono_depth_ros.core.settings import updated
from mono_depth_ros.offline.parameter_files import (
    OfflineSettings,
    parse_assignments,
    read_parameters,
)

ROOT = Path(__file__).resolve().parents[2]


def test_the_nodes_own_file_is_the_defaults() -> None:
    values = read_parameters(ROOT / 'config' / 'mono.yaml')
    assert values['frame_id'] == 'camera_optical_frame'
    assert updated(OfflineSettings(), values) == OfflineSettings()


def test_nested_and_dotted_names(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(
        '/**:\n  ros__parameters:\n    encoder: tiny\n    scale: 2.5\n'
        '    cloud:\n      stride: 3\n    edge_filter.enabled: false\n'
    )
    settings = updated(OfflineSettings(), read_parameters(path))
    assert settings.estimator.encoder == 'tiny'
    assert settings.pipeline.scale == 2.5
    assert settings.pipeline.cloud.stride == 3
    assert settings.pipeline.edge_filter.enabled is False


def test_assignments() -> None:
    values = parse_assignments(
        ['max_depth=100', 'cloud.voxel_size=0.02', 'edge_filter.enabled=false', 'checkpoint=007']
    )
    assert values == {
        'max_depth': 100.0,
        'cloud.voxel_size': 0.02,
        'edge_filter.enabled': False,
        'checkpoint': '007',
    }
    assert isinstance(values['max_depth'], float)


@pytest.mark.parametrize(
    ('assignment', 'reason'),
    [('max_depth', 'must be NAME=VALUE'), ('far=3', 'far is no parameter'), ('scale=[', 'scale')],
)
def test_what_is_no_assignment(assignment: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        parse_assignments([assignment])


def test_values_are_held_to_their_ranges() -> None:
    with pytest.raises(SettingsError, match=r'max_depth is -1\.0 m'):
        updated(OfflineSettings(), parse_assignments(['max_depth=-1']))
    with pytest.raises(SettingsError, match='belong to a relative network'):
        updated(OfflineSettings(), parse_assignments(['scale=2']))


@pytest.mark.parametrize(
    ('text', 'reason'),
    [('a: [', 'damaged or no YAML'), ('a: 1', 'no parameters below ros__parameters')],
)
def test_what_is_no_parameter_file(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=reason):
        read_parameters(path)
    with pytest.raises(SettingsError, match='cannot be read'):
        read_parameters(tmp_path / 'missing.yaml')


@pytest.mark.parametrize(
    'text',
    [
        'a: &a [1, 2]\nb: *a\n',
        'x: &x {a: 1}\n/**:\n  ros__parameters: *x\n',
        '[' * 5000,
        '{a: ' * 5000,
        '/**:\n  ros__parameters: {scale: 2001-99-99}\n',
        '/**:\n  ros__parameters: {scale: !!int "x"}\n',
        '!!python/object/apply:os.system ["true"]',
        'a: "\\xZZ"',
        '\x07',
        '&a [*a]',
    ],
)
def test_yaml_that_is_no_plain_values(tmp_path: Path, text: str) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(SettingsError, match=r'mine\.yaml'):
        read_parameters(path)


def test_aliases_stand_for_more_than_memory(tmp_path: Path) -> None:
    lines = ['a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]']
    lines += [f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]' for i in range(1, 30)]
    path = tmp_path / 'mine.yaml'
    path.write_text('\n'.join(lines))
    with pytest.raises(SettingsError, match=r'alias \*a0 is not followed'):
        read_parameters(path)


def test_texts_larger_than_any_parameters(tmp_path: Path) -> None:
    path = tmp_path / 'mine.yaml'
    path.write_bytes(b'# ' + bytes(2_000_000))
    with pytest.raises(SettingsError, match='more than 1000000 bytes'):
        read_parameters(path)
    with pytest.raises(SettingsError, match='more than 1000000 bytes'):
        read_parameters(Path('/dev/zero'))


@pytest.mark.parametrize('value', ['2001-99-99', '!!binary "x"', '&a [*a]', '{' * 3000])
def test_assigned_values_that_are_no_yaml(value: str) -> None:
    with pytest.raises(SettingsError, match='scale='):
        parse_assignments([f'scale={value}'])
