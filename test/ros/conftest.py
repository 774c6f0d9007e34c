"""A ROS domain that no other test run shares, a small network, and a graph to run nodes in."""

import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticArray
from harness import Graph, Mailbox, Running, opened, scene
from safetensors.torch import save_file
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mono_depth_ros.core.files.camera_info import calibration_from_info
from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.estimator import EstimatorSettings, load_estimator
from mono_depth_ros.core.pipeline import Output, Pipeline, PipelineSettings, Result
from mono_depth_ros.ros.ros_domain import claimed_domain

# What `make` builds of test/interfaces where ROS comes as wheels, none of which is tf2_msgs.
INTERFACES = Path(sys.prefix) / 'test_interfaces'
PYTHON_FOLDER = f'python{sys.version_info.major}.{sys.version_info.minor}'
INTERFACES_PATH = INTERFACES / 'lib' / PYTHON_FOLDER / 'site-packages'

if find_spec('tf2_msgs') is None and INTERFACES_PATH.is_dir():
    sys.path.append(str(INTERFACES_PATH))
    for variable, folder in (
        ('PYTHONPATH', INTERFACES_PATH),
        ('LD_LIBRARY_PATH', INTERFACES / 'lib'),
    ):
        inherited = os.environ.get(variable)
        os.environ[variable] = f'{inherited}:{folder}' if inherited else str(folder)
    # This process looked at LD_LIBRARY_PATH when it began.
    for library in (INTERFACES / 'lib').glob('*.so'):
        ctypes.CDLL(str(library))

SEED, OTHER_SEED = 3, 0


@pytest.fixture(scope='session', autouse=True)
def domain_id() -> Iterator[int]:
    """Take a ROS domain for this run, visible on this machine only."""
    with claimed_domain() as number, pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_DOMAIN_ID', str(number))
        patch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        patch.delenv('ROS_STATIC_PEERS', raising=False)
        if os.environ.get('ROS_DISTRO') == 'humble':
            patch.setenv('ROS_LOCALHOST_ONLY', '1')
        yield number


@pytest.fixture(scope='session', autouse=True)
def log_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep ROS's log files out of the home folder."""
    folder = tmp_path_factory.mktemp('ros_log')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ROS_LOG_DIR', str(folder))
        yield folder


@pytest.fixture
def no_tf2_msgs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the tests' own tf2_msgs: a machine with nothing but the wheels."""
    monkeypatch.setattr(sys, 'path', [path for path in sys.path if path != str(INTERFACES_PATH)])
    for name in [name for name in sys.modules if name.partition('.')[0] == 'tf2_msgs']:
        monkeypatch.delitem(sys.modules, name)
    if find_spec('tf2_msgs') is not None:
        pytest.skip('tf2_msgs is installed here')


@pytest.fixture(scope='session', autouse=True)
def one_thread() -> None:
    """Let torch leave a core to DDS."""
    os.environ['OMP_NUM_THREADS'] = '1'
    torch.set_num_threads(1)


@pytest.fixture(scope='session')
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return weights of the tiny network: the package's, or else random ones."""
    embedded = Path(str(resources.files('mono_depth_ros'))) / 'weights' / 'tiny.safetensors'
    if embedded.is_file():
        return embedded
    return random_weights(tmp_path_factory.mktemp('weights') / 'network.safetensors', SEED)


@pytest.fixture(scope='session')
def other_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return random weights of the tiny network."""
    return random_weights(tmp_path_factory.mktemp('weights') / 'other.safetensors', OTHER_SEED)


def random_weights(path: Path, seed: int) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = CompactDepth()
    save_file(network.state_dict(), path)
    return path


@pytest.fixture(scope='session')
def step(weights: Path) -> Callable[..., Result]:
    """Return a function that does without ROS what the node does with one frame."""
    estimator = load_estimator(EstimatorSettings('tiny', 'relative', checkpoint=str(weights)))
    everything = ~Output(0)

    def result(rgb: np.ndarray, info: CameraInfo | None = None, **settings: float) -> Result:
        calibration = None if info is None else calibration_from_info(info)
        return Pipeline(estimator, PipelineSettings(**settings)).step(rgb, calibration, everything)

    return result


@pytest.fixture(scope='module')
def graph(domain_id: int) -> Iterator[Graph]:
    """A context with a peer; nodes started in it end with the module."""
    yield from opened(domain_id)


@pytest.fixture(scope='module')
def node(graph: Graph, weights: Path, request: pytest.FixtureRequest) -> Running:
    """An active node with the parameters that the module has as `PARAMETERS`."""
    parameters = {
        'encoder': 'tiny',
        'variant': 'relative',
        'checkpoint': str(weights),
        **request.module.PARAMETERS,
    }
    return graph.start(parameters).until('active')


@pytest.fixture(scope='module')
def relative(step: Callable[..., Result]) -> np.ndarray:
    """Return the relative inverse depth of `scene`."""
    return step(scene()).relative_inverse_depth


# What the node publishes.


@pytest.fixture(scope='module')
def depths(node: Running) -> Mailbox:
    return node.listen('~/depth/image_rect', Image)


@pytest.fixture(scope='module')
def infos(node: Running) -> Mailbox:
    return node.listen('~/depth/camera_info', CameraInfo)


@pytest.fixture(scope='module')
def clouds(node: Running) -> Mailbox:
    return node.listen('~/points', PointCloud2)


@pytest.fixture(scope='module')
def fits(node: Running) -> Mailbox:
    return node.listen('~/alignment', DiagnosticArray)


@pytest.fixture(scope='module')
def reports(node: Running) -> Mailbox:
    return node.listen('/diagnostics', DiagnosticArray)
