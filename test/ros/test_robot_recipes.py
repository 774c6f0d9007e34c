"""Robots of docs/robots.md over DDS: from their simulated sensors by the node to a costmap."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from harness import Graph, Mailbox, Spun, key, wait_until
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, PointCloud2

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.camera.rigid_transform import RigidTransform
from mono_depth_ros.core.evaluation.costmap_agreement import CostmapAgreement, CostmapComparison
from mono_depth_ros.core.evaluation.posed_camera import PosedCamera
from mono_depth_ros.core.files.point_messages import cloud_to_points
from mono_depth_ros.ros.robot_recipes import CAMERA_FRAME, RECIPES
from mono_depth_ros.ros.simulated_camera import SimulatedStereoCamera

if find_spec('tf2_msgs') is None:
    pytest.skip('no tf2_msgs: `make test` builds one with g++', allow_module_level=True)

CONFIG = Path(__file__).resolve().parents[2] / 'config'
VIEWS = 12
# One meter from each view to the next.
WHEELED = {'rate': 1.0, 'speed': 1.0, 'views': VIEWS}
MOTION = {
    'turtlebot': WHEELED,
    'outdoor_lidar': WHEELED,
    'drone': {'rate': 2.0, 'speed': 2.0, 'views': VIEWS},
}
INPUTS = {'scan': 'scan', 'lidar_points': 'lidar_points', 'landmarks': 'lidar_points'}
DOTTED = {'camera_height': 'alignment.camera_height', 'camera_pitch': 'alignment.camera_pitch'}
# On a machine with much else to do every view takes seconds.
START_S, ALL_VIEWS_S = 120.0, 240.0
CAMERA = PinholeCamera.from_fov(320, 240, 75.0)


@dataclass(frozen=True)
class Outcome:
    """What the node made of a robot's drive.

    Attributes:
        errors: Relative errors of the known depth of every view.
        known: Share of known pixels of every view.
        costmap: Of all views.
    """

    errors: list[np.ndarray]
    known: list[float]
    costmap: CostmapAgreement


def driven(graph: Graph, weights: Path, name: str) -> Outcome:
    """Run a robot until the node has answered every view."""
    space, recipe = f'/{name}', RECIPES[name]
    boxes = {'truth': graph.listen(f'{space}/left/depth_truth', Image)}
    poses = tf_boxes(graph)
    remapped = {'image_raw': 'left/image_raw', INPUTS[recipe.sensor]: recipe.sensor}
    parameters: dict[str, Any] = {
        DOTTED.get(argument, argument): float(text) if argument in DOTTED else text
        for argument, text in recipe.arguments.items()
    }
    arguments = ['--params-file', str(CONFIG / f'{name}.yaml')]
    for topic, of_robot in remapped.items():
        arguments += ['-r', f'{topic}:={space}/{of_robot}']
    # On a machine with much else to do, two views are seconds apart.
    parameters |= {'alignment.max_age': 60.0, 'checkpoint': str(weights)}
    if recipe.source_with_floor:
        parameters['alignment.source'] = recipe.source_with_floor
    node = graph.start(parameters, *arguments)
    wait_until(lambda: node.state == 'active', 'the node active', START_S)
    for output, kind in (('points', PointCloud2), ('points_clearing', PointCloud2)):
        boxes[output] = node.listen(f'~/{output}', kind)
    boxes['depth'] = node.listen('~/depth/image_rect', Image)
    for _ in simulated(graph, space, {**recipe.camera, **MOTION[name]}):
        wait_until(lambda: len(complete(boxes)) >= VIEWS, 'every view answered', ALL_VIEWS_S)
        (mounted,) = [
            transform
            for message in poses['/tf_static'].all()
            for transform in message.transforms
            if transform.child_frame_id == CAMERA_FRAME
        ][:1]
    node.close()
    views = complete(boxes)
    return judged(views, [camera_of(poses['/tf'], view['truth'], mounted) for view in views])


def complete(boxes: dict[str, Mailbox]) -> list[dict[str, Any]]:
    """Return of every view that was answered what came first of it.

    Without depth anywhere there are no clouds.
    """
    arrived = {
        name: {key(message): message for message in box.all()} for name, box in boxes.items()
    }
    found: dict[bytes, dict[str, Any]] = {}
    for stamp, truth in arrived['truth'].items():
        view = {name: messages.get(stamp) for name, messages in arrived.items()}
        has_clouds = view['points'] and view['points_clearing']
        if view['depth'] and (has_clouds or np.isnan(plane(view['depth'])).all()):
            found.setdefault(truth.data.tobytes(), view)
    return list(found.values())


def judged(views: list[dict[str, Any]], cameras: list[PosedCamera]) -> Outcome:
    comparison = CostmapComparison(cameras)
    errors, known = [], []
    for view, camera in zip(views, cameras, strict=True):
        depth, truth = (plane(view[name]) for name in ('depth', 'truth'))
        error = np.abs(depth / truth - 1)
        errors.append(error[np.isfinite(error)])
        known.append(float(np.isfinite(error).mean()))
        points, clearing = (
            torch.from_numpy(cloud_to_points(view[name])) if view[name] else torch.empty(0, 3)
            for name in ('points', 'points_clearing')
        )
        comparison.add(points, clearing, torch.from_numpy(truth), camera)
    return Outcome(errors, known, comparison.agreement())


def plane(message: Image) -> np.ndarray:
    values = np.frombuffer(message.data, np.float32)
    return values.reshape(message.height, message.width).copy()


def camera_of(moving: Mailbox, image: Image, mounted: Any) -> PosedCamera:
    """Return where TF has the camera at the stamp of an image."""
    placed = moving.wait(lambda tf: key(tf.transforms[0]) == key(image)).transforms[0]
    assert (placed.header.frame_id, placed.child_frame_id) == ('odom', mounted.header.frame_id)
    camera = transform_of(placed) @ transform_of(mounted)
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3] = torch.from_numpy(camera.rotation)
    pose[:3, 3] = torch.from_numpy(camera.position)
    return PosedCamera(CAMERA, pose)


def transform_of(stamped: Any) -> RigidTransform:
    p, q = stamped.transform.translation, stamped.transform.rotation
    return RigidTransform.of((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))


def tf_boxes(graph: Graph) -> dict[str, Mailbox]:
    from tf2_msgs.msg import TFMessage

    latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    found = {}
    for topic, qos in (('/tf', QoSProfile(depth=100)), ('/tf_static', latched)):
        found[topic] = box = Mailbox(topic)
        graph.peer.do(
            lambda topic=topic, box=box, qos=qos: graph.peer.node.create_subscription(
                TFMessage, topic, box.put, qos
            )
        )
    return found


def simulated(graph: Graph, namespace: str, values: dict[str, Any]) -> Iterator[Spun]:
    args = [part for name, value in values.items() for part in ('-p', f'{name}:={value}')]
    spun = Spun(
        SimulatedStereoCamera(
            context=graph.context,
            namespace=namespace,
            cli_args=['--ros-args', *args],
            use_global_arguments=False,
        )
    )
    yield spun
    assert spun.is_spinning, 'a callback ended the executor'
    spun.close()


@dataclass(frozen=True)
class Limits:
    """Of depth, the mean AbsRel and the share known; of lethal and of true cells, those right."""

    error: float
    known: float
    right: float
    found: float


# Measured: 0.039, 0.93, 0.65, 0.73 (drone); 0.012, 0.52, 0.95, 0.83 (outdoor_lidar); 0.058, 0.18,
# 0.39, 0.68 (turtlebot: one line of a laser leaves much to the views before, which a busy machine
# leaves out). The drone sees 88 true cells only: at 1 m/s, in other attitudes, 0.24 are right and
# 0.19 found.
LIMITS = {
    'drone': Limits(0.06, 0.8, 0.5, 0.6),
    'outdoor_lidar': Limits(0.03, 0.4, 0.8, 0.7),
    'turtlebot': Limits(0.12, 0.1, 0.2, 0.4),
}


@pytest.mark.parametrize('name', sorted(RECIPES))
def test_depth_and_costmap_of_a_robot_agree_with_the_truth(
    graph: Graph, weights: Path, name: str
) -> None:
    outcome, limits = driven(graph, weights, name), LIMITS[name]
    assert len(outcome.known) == VIEWS
    error = np.mean([error.mean() for error in outcome.errors if len(error)])
    known, costmap = np.mean(outcome.known), outcome.costmap
    print(f'{name}: AbsRel {error:.3f}, known {known:.2f}, {costmap}')
    assert error < limits.error
    assert known > limits.known
    assert costmap.true > 50
    assert costmap.precision is not None
    assert costmap.recall is not None
    assert costmap.precision > limits.right
    assert costmap.recall > limits.found
