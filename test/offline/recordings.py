"""Small bags, pictures and cameras that tests are made of."""

from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.offline.bag_writer import camera_info_message, header, image_message
from mono_depth_ros.offline.bags import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    IMAGE,
    POINT_CLOUD,
    Bag,
    depth_of,
    typestore,
)

CAMERA = PinholeCamera(64, 48, 60.0, 60.0, 31.5, 23.5)
START_NS = 1_600_000_000_000_000_000
STEP_NS = 100_000_000


def stamp(i: int) -> int:
    return START_NS + i * STEP_NS


def color(i: int, height: int = 48, width: int = 64) -> np.ndarray:
    v, u = np.mgrid[:height, :width]
    return np.stack((3 * u + 9 * i, 4 * v, 255 - 3 * u), axis=-1).astype(np.uint8)


def depth(i: int) -> np.ndarray:
    return np.full((48, 64), 1.0 + i, np.float32)


def image(i: int, pixels: np.ndarray, encoding: str, frame_id: str = 'camera') -> tuple:
    return IMAGE, stamp(i), image_message(pixels, encoding, header(stamp(i), frame_id))


def info(i: int, camera: PinholeCamera = CAMERA) -> tuple:
    return CAMERA_INFO, stamp(i), camera_info_message(camera, header(stamp(i), 'camera'))


def compressed(i: int, data: bytes, text: str) -> tuple:
    message = typestore().types[COMPRESSED_IMAGE](
        header=header(stamp(i), 'camera'), format=text, data=np.frombuffer(data, np.uint8)
    )
    return COMPRESSED_IMAGE, stamp(i), bytes(typestore().serialize_cdr(message, COMPRESSED_IMAGE))


def write_bag(
    path: Path,
    topics: dict[str, list[tuple[str, int, bytes]]],
    storage: StoragePlugin = StoragePlugin.MCAP,
) -> Path:
    """Write (type, time [ns], CDR) of each topic in the order of time."""
    with Writer(path, version=8, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {
            topic: writer.add_connection(topic, messages[0][0], typestore=typestore())
            for topic, messages in topics.items()
        }
        everything = [(time, topic, raw) for topic in topics for _, time, raw in topics[topic]]
        for time, topic, raw in sorted(everything, key=lambda entry: entry[0]):
            writer.write(connections[topic], time, raw)
    return path


def camera_bag(
    path: Path, frames: int = 3, storage: StoragePlugin = StoragePlugin.MCAP, **more: list
) -> Path:
    """Write a camera with its calibration, and what else there is."""
    topics = {
        '/cam/camera_info': [info(i) for i in range(frames)],
        '/cam/image_raw': [image(i, color(i), 'rgb8') for i in range(frames)],
    }
    return write_bag(
        path, topics | {f'/{name}': messages for name, messages in more.items()}, storage
    )


def depths(bag: Bag, topic: str) -> list[tuple[int, np.ndarray]]:
    """Return stamp [ns] and depth [m] of each message of a topic."""
    return [(found.stamp_ns, depth_of(found.message())) for found in bag.messages(topic)]


FIELD_TYPES = {'f4': 7, 'f8': 8, 'i2': 3}


def cloud(
    stamp_ns: int,
    points: np.ndarray,
    kind: str = 'f4',
    *,
    big_endian: bool = False,
    rows: int = 1,
    frame_id: str = 'lidar',
    names: str = 'xyz',
    cut: int = 0,
) -> tuple[str, int, bytes]:
    """Return a PointCloud2 of (N, 3) points [m]; a point begins and ends with other bytes."""
    types, dtype = typestore().types, np.dtype(('>' if big_endian else '<') + kind)
    size, count = dtype.itemsize, len(points)
    step = 3 * size + 5
    field = types['sensor_msgs/msg/PointField']
    packed = np.full((count, step), 0xAB, np.uint8)
    for k in range(3):
        values = points[:, k].astype(dtype)[:, None]
        packed[:, 2 + k * size : 2 + (k + 1) * size] = values.view(np.uint8)
    message = types[POINT_CLOUD](
        header=header(stamp_ns, frame_id),
        height=rows,
        width=count // rows,
        fields=[
            field(name=name, offset=2 + k * size, datatype=FIELD_TYPES[kind], count=1)
            for k, name in enumerate(names)
        ],
        is_bigendian=big_endian,
        point_step=step,
        row_step=step * (count // rows),
        data=packed.ravel()[: packed.size - cut],
        is_dense=False,
    )
    raw = bytes(typestore().serialize_cdr(message, POINT_CLOUD))
    return POINT_CLOUD, stamp_ns + 30_000_000, raw
