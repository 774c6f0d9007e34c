"""The package's own papers agree with each other and with what is in the folder."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from catkin_pkg.changelog import get_changelog_from_path
from catkin_pkg.package import Package, parse_package

import mono_depth_ros

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='module')
def manifest() -> Package:
    """Parse package.xml as the ROS tools do, warnings counted as errors."""
    warnings: list[str] = []
    package = parse_package(str(ROOT / 'package.xml'), warnings=warnings)
    assert warnings == []
    return package


@pytest.fixture(scope='module')
def setup_arguments() -> dict[str, ast.expr]:
    """Return the arguments of the call of `setup`, unevaluated."""
    tree = ast.parse((ROOT / 'setup.py').read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (call,) = [c for c in calls if isinstance(c.func, ast.Name) and c.func.id == 'setup']
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}


def test_manifest_is_an_ament_python_package(manifest: Package) -> None:
    assert manifest.package_format == 3
    assert manifest.name == 'mono_depth_ros'
    assert [export.content for export in manifest.exports] == ['ament_python']
    assert manifest.licenses == ['Apache-2.0']
    assert 'Apache License' in (ROOT / manifest.licenses[0].file).read_text()


def test_version_is_the_same_everywhere(
    manifest: Package, setup_arguments: dict[str, ast.expr]
) -> None:
    version = mono_depth_ros.__version__
    assert manifest.version == version
    assert ast.literal_eval(setup_arguments['version']) == version
    newest = next(get_changelog_from_path(str(ROOT / 'CHANGELOG.rst')).foreach_version())[0]
    assert newest == version


@pytest.mark.parametrize('field', ['description', 'license', 'maintainer', 'maintainer_email'])
def test_setup_says_what_the_manifest_says(
    manifest: Package, setup_arguments: dict[str, ast.expr], field: str
) -> None:
    said = {
        'description': manifest.description,
        'license': manifest.licenses[0],
        'maintainer': manifest.maintainers[0].name,
        'maintainer_email': manifest.maintainers[0].email,
    }
    assert ast.literal_eval(setup_arguments[field]) == said[field]


def test_entry_points_name_files_that_exist(setup_arguments: dict[str, ast.expr]) -> None:
    scripts = ast.literal_eval(setup_arguments['entry_points'])['console_scripts']
    assert len(scripts) == 4
    for script in scripts:
        module, function = script.split('=')[1].strip().split(':')
        path = ROOT / Path(*module.split('.')).with_suffix('.py')
        tree = ast.parse(path.read_text())
        assert function in [n.name for n in tree.body if isinstance(n, ast.FunctionDef)], script


def test_every_imported_ros_package_is_declared(manifest: Package) -> None:
    declared = {d.name for d in manifest.exec_depends}
    used = set()
    for path in [*(ROOT / 'mono_depth_ros').rglob('*.py'), *(ROOT / 'launch').glob('*.py')]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                used.add(node.module.split('.')[0])
            elif isinstance(node, ast.Import):
                used.update(alias.name.split('.')[0] for alias in node.names)
    ros = {n for n in used if re.search(r'^(rclpy|cv_bridge|launch|ament_|tf2_)|_(msgs|srvs)', n)}
    assert ros
    declared |= {'tf2_ros'} if 'tf2_ros_py' in declared else set()  # the module's package
    assert ros - declared == set()


def test_colcon_builds_and_installs_everything(tmp_path: Path) -> None:
    pytest.importorskip('colcon_core', reason='needs colcon')
    where = [f'--{kind}-base={tmp_path / kind}' for kind in ('build', 'install')]
    command = [sys.executable, '-m', 'colcon', f'--log-base={tmp_path / "log"}', 'build', *where]
    done = subprocess.run(
        [*command, f'--paths={ROOT}'], capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr
    prefix = tmp_path / 'install' / 'mono_depth_ros'
    share = prefix / 'share' / 'mono_depth_ros'
    marker = prefix / 'share/ament_index/resource_index/packages/mono_depth_ros'
    assert marker.is_file()
    installed = {'launch': '*.launch.py', 'config': '*', 'policies': '*.xml', 'rviz': '*.rviz'}
    for folder, pattern in installed.items():
        there = {p.name for p in (share / folder).iterdir()}
        assert there == {p.name for p in (ROOT / folder).glob(pattern)}
        assert there
    scripts = {p.name for p in (prefix / 'lib' / 'mono_depth_ros').iterdir()}
    nodes = {'mono_depth_node', 'mono_depth_cameras', 'simulated_stereo_camera'}
    assert scripts == {*nodes, 'mono_depth'}
    first_line = (prefix / 'lib/mono_depth_ros/mono_depth_node').read_text().splitlines()[0]
    assert first_line == '#!/usr/bin/env python3'
