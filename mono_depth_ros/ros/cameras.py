"""Several cameras in one process: a node `mono_depth` for each, one network for all."""

import sys
from collections.abc import Sequence

from rclpy.exceptions import ParameterException

from ..core.devices import keep_freed_memory
from ..core.errors import SettingsError
from .camera_list import ListedCamera, cameras_of
from .network_host import NetworkHost
from .node import MonoDepthNode
from .process import process_namespace, run


def camera_nodes(cameras: Sequence[ListedCamera], namespace: str) -> list[MonoDepthNode]:
    """Return the nodes of cameras, with one host; `namespace` is that of the process.

    Raises:
        SettingsError: A parameter of one is invalid, has the wrong type or is out of range.
    """
    host = NetworkHost()
    return [_node(host, camera, namespace) for camera in cameras]


def _node(host: NetworkHost, camera: ListedCamera, namespace: str) -> MonoDepthNode:
    try:
        return MonoDepthNode(host, **camera.node_options(namespace))
    except (SettingsError, ParameterException) as error:
        raise SettingsError(f'camera {camera.name}: {error}') from error


def main(args: list[str] | None = None) -> int:
    """Run the nodes until they are told to stop; 1 if one cannot be."""
    keep_freed_memory()
    given = sys.argv if args is None else args

    def build() -> list[MonoDepthNode]:
        return camera_nodes(cameras_of(given), process_namespace())

    return run('mono_depth_cameras', build, args)


if __name__ == '__main__':
    sys.exit(main())
