"""What a computer and its software are: what measurements and bug reports depend on."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

from .. import __version__
from ..ros.transport import PROFILE_VARIABLES

Facts = dict[str, str]
"""Names and values, in the order in which they are printed."""

_SHARED_MEMORY = Path('/dev/shm')  # nosec B108
_PACKAGES = (
    *('numpy', 'safetensors', 'huggingface_hub', 'onnxruntime', 'onnx', 'openvino'),
    *('transformers', 'simplejpeg', 'av', 'rosbags', 'mcap', 'PyYAML', 'setuptools'),
)
_VARIABLES = (
    *('ROS_DISTRO', 'ROS_VERSION', 'ROS_DOMAIN_ID', 'RMW_IMPLEMENTATION'),
    *('ROS_AUTOMATIC_DISCOVERY_RANGE', 'ROS_LOCALHOST_ONLY', 'ROS_STATIC_PEERS'),
    *('ROS_DISCOVERY_SERVER', 'ROS_SECURITY_ENABLE', *PROFILE_VARIABLES),
    *('FASTDDS_BUILTIN_TRANSPORTS', 'RMW_FASTRTPS_USE_QOS_FROM_XML', 'CYCLONEDDS_URI'),
    *('ZENOH_ROUTER_CONFIG_URI', 'OMP_NUM_THREADS', 'CUDA_VISIBLE_DEVICES'),
    *('HF_ENDPOINT', 'HF_HUB_OFFLINE', 'VIRTUAL_ENV'),
)
_KERNEL = (
    *('net/core/rmem_max', 'net/core/rmem_default', 'net/core/wmem_max'),
    *('net/ipv4/ipfrag_time', 'net/ipv4/ipfrag_high_thresh'),
)


def processor() -> str:
    """Return the name of the processor."""
    lines = _text(Path('/proc/cpuinfo')).splitlines()
    models = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return models[0] if models else platform.processor() or platform.machine()


def software() -> Facts:
    """Return the versions of the package and of what it runs on; torch and OpenCV are loaded."""
    try:
        system = platform.freedesktop_os_release()['PRETTY_NAME']
    except (OSError, KeyError):
        system = platform.system()
    environment = 'virtual environment' if sys.prefix != sys.base_prefix else 'no environment'
    facts = {
        'mono_depth_ros': __version__,
        'system': f'{system}, kernel {platform.release()}, {platform.machine()}',
        'Python': f'{platform.python_version()}, {environment}',
        'torch': _torch(),
        'OpenCV': _loaded('cv2'),
        'cv_bridge': _loaded('cv_bridge'),
    }
    return facts | {name: _installed(name) for name in _PACKAGES}


def hardware() -> Facts:
    """Return the processor, its load, memory and the GPUs."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == 'linux' else os.cpu_count()
    facts = {
        'processor': processor(),
        'cores': f'{usable} of {os.cpu_count()}, load {os.getloadavg()[0]:.1f}',
        'memory': _memory(),
        'GPU': _gpus(),
    }
    for name, path in (
        ('board', '/proc/device-tree/model'),
        ('Jetson', '/etc/nv_tegra_release'),
        ('GPU driver', '/proc/driver/nvidia/version'),
        ('limit of memory', '/sys/fs/cgroup/memory.max'),
        ('limit of cores', '/sys/fs/cgroup/cpu.max'),
    ):
        if line := _text(Path(path)).strip('\0\n ').partition('\n')[0]:
            facts[name] = line
    if any(Path(path).exists() for path in ('/.dockerenv', '/run/.containerenv')):
        facts['container'] = 'yes'
    return facts


def middleware(environment: Mapping[str, str] = os.environ) -> Facts:
    """Return what decides how messages travel: variables, profile, shared memory, buffers."""
    facts = {'ROS': _ros(), 'rclpy': _installed('rclpy')}
    facts |= {name: environment[name] for name in _VARIABLES if environment.get(name)}
    for name in PROFILE_VARIABLES:
        if environment.get(name):
            facts[f'profile of {name}'] = profile_sizes(Path(environment[name]))
    facts['shared memory'] = 'none'
    if _SHARED_MEMORY.is_dir():
        usage = shutil.disk_usage(_SHARED_MEMORY)
        facts['shared memory'] = f'{usage.free / 1e6:.0f} of {usage.total / 1e6:.0f} MB free'
    for name in _KERNEL:
        if value := _text(Path('/proc/sys') / name).strip():
            facts[name.replace('/', '.')] = value
    return facts


def profile_sizes(profile: Path) -> str:
    """Return the sizes that a Fast DDS profile sets [byte], as text."""
    if not profile.is_file():
        return 'no such file'
    found = re.findall(r'<(segment_size|maxMessageSize)>\s*(\d+)', _text(profile))
    return ', '.join(f'{name} {size}' for name, size in found) or 'sets no sizes'


def _torch() -> str:
    version = _loaded('torch')
    if not version[:1].isdigit():
        return version
    import torch

    cuda = torch.version.cuda
    return f'{version}, {f"CUDA {cuda}" if cuda else "no CUDA"}, {torch.get_num_threads()} threads'


def _gpus() -> str:
    if not _loaded('torch')[:1].isdigit():
        return 'torch is not there to ask'
    import torch

    if torch.backends.mps.is_available():
        return 'MPS'
    if not torch.cuda.is_available():
        return 'none that torch can use'
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return ', '.join(f'{it.name} ({it.total_memory / 1e9:.0f} GB)' for it in devices)


def _memory() -> str:
    pairs = re.findall(r'^(\w+): +(\d+) kB', _text(Path('/proc/meminfo')), re.MULTILINE)
    sizes = {name: int(size) / 1e6 for name, size in pairs}
    if 'MemTotal' not in sizes:
        return 'not reported'
    return (
        f'{sizes.get("MemAvailable", 0):.1f} of {sizes["MemTotal"]:.1f} GB available, '
        f'swap {sizes.get("SwapTotal", 0):.1f} GB'
    )


def _ros() -> str:
    """Return the distribution, also where it came as wheels and nothing is sourced."""
    names = (it.metadata['Name'] or '' for it in metadata.distributions())
    wheels = [found[1] for name in names if (found := re.fullmatch(r'ros-(\w+)-rclpy', name))]
    sourced = os.environ.get('ROS_DISTRO')
    if wheels:
        return f'{", ".join(sorted(set(wheels)))}, as wheels'
    return f'{sourced}, sourced' if sourced else 'none is sourced'


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return 'not installed'


def _loaded(module: str) -> str:
    """Return the version of a module, or why it is none: builds for another NumPy fail here."""
    if find_spec(module) is None:
        return 'not installed'
    try:
        return str(getattr(import_module(module), '__version__', 'loads'))
    except Exception as error:
        return f'cannot be loaded: {type(error).__name__}: {str(error).strip().splitlines()[0]}'


def _text(path: Path) -> str:
    try:
        return path.read_text(errors='replace')
    except OSError:  # not on this system, or not for us
        return ''
