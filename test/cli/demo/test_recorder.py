"""The demo's peers of the node: samples are complete, and refusals are the node's own words."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Time
from rcl_interfaces.msg import SetParametersResult
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger

from mono_depth_ros.cli.demo.recorder import IMAGE_TOPIC, Recorder, Sample, switch
from mono_depth_ros.cli.observer import Observer
from mono_depth_ros.core.errors import MonoDepthError
from mono_depth_ros.ros.messages import depth_to_image, rgb_to_image
from mono_depth_ros.ros.ros_domain import claimed_domain

BOUND_S = 30.0
RGB = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


class Switchable(Node):
    """A node with two parameters that count as one, and a service."""

    def __init__(self, context: Context) -> None:
        super().__init__('switchable', context=context)
        self.resets = 0
        self.declare_parameter('method', 'robust')
        self.declare_parameter('residual', 0.25)
        self.add_on_set_parameters_callback(self._on_set)
        self.create_service(Trigger, '~/reset_alignment', self._on_reset)

    def _on_set(self, parameters: list[rclpy.Parameter]) -> SetParametersResult:
        bad = [p for p in parameters if p.value == 'magic']
        return SetParametersResult(successful=not bad, reason='no magic here' if bad else '')

    def _on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self.resets += 1
        return response


@contextmanager
def graph() -> Iterator[tuple[Node, Switchable]]:
    """Yield a node to be used, and one to be switched that spins in a thread."""
    with claimed_domain() as domain:
        context = Context()
        rclpy.init(args=[], context=context, domain_id=domain)
        client, node = Node('client', context=context), Switchable(context)
        executor, end = SingleThreadedExecutor(context=context), rclpy.Future()
        executor.add_node(node)
        with ThreadPoolExecutor() as pool:
            pool.submit(executor.spin_until_future_complete, end)
            try:
                yield client, node
            finally:
                end.set_result(None)
        executor.shutdown()
        client.destroy_node()
        node.destroy_node()
        context.try_shutdown()


def test_parameters_change_together_and_the_alignment_starts_anew() -> None:
    with graph() as (client, node):
        observer = Observer(client, BOUND_S)
        switch(observer, '/switchable', {'method': 'min_max', 'residual': 10.0})
        assert node.get_parameter('method').value == 'min_max'
        assert node.get_parameter('residual').value == 10.0
        assert node.resets == 1
        with pytest.raises(MonoDepthError, match=r"'magic'.*: no magic here"):
            switch(observer, '/switchable', {'residual': 1.0, 'method': 'magic'})
        assert node.get_parameter('residual').value == 10.0
        assert node.resets == 1


def test_a_node_that_is_not_there_is_named() -> None:
    with (
        graph() as (client, _),
        pytest.raises(MonoDepthError, match='/nobody/set_parameters_atomically'),
    ):
        switch(Observer(client, 0.1), '/nobody', {'method': 'min_max'})


class Sender(Node):
    """Publishes what the camera and the node of the demo do."""

    def __init__(self, context: Context) -> None:
        super().__init__('sender', context=context)
        self.image = self.create_publisher(Image, IMAGE_TOPIC, 10)
        self.parts = {
            'truth': self.create_publisher(Image, '/left/depth_truth', 10),
            'color': self.create_publisher(Image, '/mono_depth/color/image_rect', 10),
            'depth': self.create_publisher(Image, '/mono_depth/depth/image_rect', 10),
        }

    def send(self, second: int, depth: float) -> None:
        """Send all parts of a frame but its colors."""
        header = Header(stamp=Time(sec=second))
        self.image.publish(rgb_to_image(RGB, header))
        for name, value in (('truth', 2.0), ('depth', depth)):
            full = np.full((2, 3), value, np.float32)
            self.parts[name].publish(depth_to_image(full, header))

    def send_color(self, second: int) -> None:
        """Send the rest."""
        self.parts['color'].publish(rgb_to_image(RGB, Header(stamp=Time(sec=second))))


def test_a_sample_is_delivered_when_all_of_it_has_come() -> None:
    samples: list[Sample] = []
    with graph() as (client, node):
        sender, observer = Sender(node.context), Observer(client)
        recorder = Recorder(client, samples.append)
        publishers = [sender.image, *sender.parts.values()]
        matched = [partial(publisher.get_subscription_count) for publisher in publishers]
        assert observer.wait(lambda: all(count() for count in matched), BOUND_S)
        sender.send(1, depth=1.5)
        assert observer.wait(lambda: len(recorder.latencies_s) == 1, BOUND_S)
        assert not samples
        sender.send_color(1)
        assert observer.wait(lambda: len(samples) == 1, BOUND_S)
        sender.send(2, depth=np.nan)
        sender.send_color(2)
        assert observer.wait(lambda: len(samples) == 2, BOUND_S)
        client.get_logger().warning('trouble ahead')
        assert observer.wait(lambda: bool(recorder.warnings), BOUND_S)
        assert recorder.warnings[0] == 'client: trouble ahead'
        assert not observer.wait(lambda: False, 0.1)
    known, unknown = samples
    assert (known.stamp, unknown.stamp) == (1_000_000_000, 2_000_000_000)
    assert (known.depth[0, 0], known.truth[0, 0]) == (1.5, 2.0)
    assert np.isnan(unknown.depth).all()
    assert known.color.tolist() == RGB.tolist()
    assert known.view == unknown.view
    assert unknown.truth is known.truth, 'what is the same of a view is kept once'
    assert len(recorder.arrivals_s) == 2
    assert all(0 <= latency < BOUND_S for latency in recorder.latencies_s)
