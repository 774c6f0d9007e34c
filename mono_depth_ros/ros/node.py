"""The lifecycle node `mono_depth`: transitions, parameters and services."""

import concurrent.futures
import sys
from concurrent.futures import Future
from functools import partial
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from ..core.devices import keep_freed_memory
from ..core.errors import CheckpointError, MonoDepthError, SettingsError
from ..core.settings import needing_reload, updated
from .camera_tf import CameraTfPublisher
from .diagnostics_publisher import DiagnosticsPublisher
from .frame_processor import FrameProcessor
from .inputs import Inputs
from .lifecycle_base import LifecycleBase, transition
from .network_host import FrameWork, NetworkHost
from .network_loader import require_at_hand
from .node_settings import NodeSettings
from .output_publishers import OutputPublishers
from .parameters import declare
from .plane_source import PlaneSource
from .process import run
from .qos import QosMonitor
from .shared_state import Frame, SharedState
from .snapshot import SnapshotService

_PATIENCE_S = 0.05
"""How long a transition that waits for the worker overlooks that the process must end."""
_GOODBYE_S = 1.0
"""How long the process waits for the frame in work when it must end."""


class MonoDepthNode(LifecycleBase):
    """Turns the images of one camera into depth and points.

    The worker thread of the host processes frames; the executor only stores messages, answers
    parameters and services, and gates what is published.

    Args:
        host: What it shares with the nodes of other cameras; by default one of its own.
        options: Of `rclpy.node.Node`.

    Attributes:
        worker: Of the host.
        inputs: What the node listens to, None while it is not active.
        outputs: What it publishes, None while it is not configured.
        ground: What tells the ground plane, None while it is not active.
    """

    def __init__(self, host: NetworkHost | None = None, **options: Any) -> None:
        super().__init__('mono_depth', **options)
        self._settings = declare(self, NodeSettings())
        self.shared = SharedState()
        host = host or NetworkHost()
        self.worker = host.worker
        self._processor = FrameProcessor(
            host, self.shared, self.get_logger(), self.get_clock(), self._settings, self.context.ok
        )
        self.inputs: Inputs | None = None
        self.outputs: OutputPublishers | None = None
        self.ground: PlaneSource | None = None
        self._loading = False
        self._snapshots = SnapshotService(self, self.worker, self._processor)
        self._qos = QosMonitor(self)
        self._camera_tf = CameraTfPublisher(self, self._settings)
        self._diagnostics = DiagnosticsPublisher(self, self.shared, self._qos)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        # Not the node's clock: a bag that is paused must not silence the diagnostics.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report, clock=steady)
        self.create_service(Trigger, '~/reset_alignment', self._on_reset_alignment)

    def start(self) -> None:
        """Start the worker and, under `autostart`, load the network and become active."""
        self.worker.start()
        if self._settings.outputs.autostart:
            self.remedy = 'under a lifecycle manager such as that of Nav2 set autostart: false'
            self._loading = True
            loading = self.worker.call(partial(self._processor.load, self._on_download))
            loading.add_done_callback(self._on_loaded)

    def stop(self) -> bool:
        """Stop the worker; return whether it ended in time."""
        return self.worker.stop(_GOODBYE_S)

    def _on_loaded(self, loading: 'Future[None]') -> None:
        """Have the executor go on; called by the worker."""
        if self.executor is not None and self.context.ok():
            self.executor.create_task(self.guarded(self._autostart), loading)

    def _autostart(self, loading: 'Future[None]') -> None:
        self._loading = False
        if self.outputs is not None or self.is_finalized:
            self.get_logger().info('somebody else changed the state: no autostart')
        elif (error := loading.exception()) is not None:
            self.log_failure('load the network', error)
        elif self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def _on_download(self, done: int, total: int) -> None:
        if self.is_finalized or not self.context.ok():
            raise CheckpointError('download stopped: the node is shutting down')
        megabytes = f'{done // 1_000_000} of {total // 1_000_000} MB'
        self.get_logger().info(f'downloading weights: {megabytes}', throttle_duration_sec=2.0)

    # Lifecycle transitions.

    @transition('configure')
    def on_configure(self) -> None:
        """Have the network loaded and advertise the outputs."""
        self._require_network()
        self.outputs = OutputPublishers(self, self._settings.outputs, self._qos)
        self._await(self.worker.call(partial(self._processor.publish_to, self.outputs)))

    @transition('activate')
    def on_activate(self) -> None:
        """Have the network of changed settings loaded, and listen."""
        self._require_network()
        inputs = Inputs(self, self._settings.inputs, self.shared, self._take, self._qos)
        try:
            inputs.measure(self._settings.pipeline.alignment, self._settings.mount.base_frame)
        except SettingsError:
            inputs.close()
            raise
        self.inputs = inputs
        self.ground = ground = PlaneSource(self, self._settings, self._qos, inputs.tf)
        self.worker.call(partial(self._processor.place_by, inputs, ground))
        self.get_logger().info(f'listening to {inputs.image_topic} and {inputs.info_topic}')

    def _take(self, frame: Frame) -> None:
        """Pass a frame on; tell TF about a camera that was not known, and ask for the ground."""
        if self.ground is not None and self.outputs is not None:
            is_needed = self.outputs.is_ground_wanted(self._settings.pipeline)
            self.ground.listen(self._settings, is_needed)
        self._camera_tf.place(frame.header.frame_id or self._settings.inputs.frame_id)
        work = FrameWork(frame, self._processor.process)
        self.shared.statistics.dropped += self.worker.submit(self, work)

    @transition('deactivate')
    def on_deactivate(self) -> None:
        """Stop listening."""
        self._stop_listening()

    @transition('clean up')
    def on_cleanup(self) -> None:
        """Take the outputs off the graph and free the network."""
        self._free()

    @transition('shut down')
    def on_shutdown(self) -> None:
        """Let go of everything, from any state."""
        self.is_finalized = True
        self._free()

    def _stop_listening(self) -> None:
        if self.ground is not None:
            self.ground.close()
            self.ground = None
        if self.inputs is not None:
            self.inputs.close()
            self.inputs = None
        self.shared.statistics.dropped += self.worker.clear(self)
        # Behind the frame in work.
        self._await(self.worker.call(self._processor.place_by))

    def _free(self) -> None:
        self._stop_listening()
        self._await(self.worker.call(partial(self._processor.publish_to, None)))
        self._await(self.worker.call(self._processor.unload))
        if self.outputs is not None:
            self.outputs.close()
            self.outputs = None

    def _require_network(self) -> None:
        """Have the network of the settings loaded; never download inside a transition."""
        wanted, network = self._settings.network, self.shared.network
        if network is not None and network.settings == wanted:
            return
        require_at_hand(wanted)
        self._await(self.worker.call(partial(self._processor.load, self._on_download)))

    def _await(self, future: 'Future[None]') -> None:
        """Wait for the worker without standing in the way of a shutdown."""
        while not future.done():
            if not self.context.ok():
                raise MonoDepthError('the node is shutting down')
            concurrent.futures.wait([future], _PATIENCE_S)
        future.result()

    # Parameters, services, diagnostics.

    def _on_set_parameters(self, parameters: list[Parameter]) -> SetParametersResult:
        values = {parameter.name: parameter.value for parameter in parameters}
        reloading = needing_reload(self._settings, values)
        try:
            settings = updated(self._settings, values)
            if not reloading and settings.network != self._settings.network:
                reloading = [name for name in ('scale', 'shift') if name in values]
            if not reloading or self.inputs is None:
                self._apply(settings)
                return SetParametersResult(successful=True)
        except SettingsError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(
            successful=False,
            reason=f'{", ".join(reloading)} can change only while the node is not active: '
            f'ros2 lifecycle set {self.get_fully_qualified_name()} deactivate',
        )

    def _apply(self, settings: NodeSettings) -> None:
        if self.inputs is not None:
            self.inputs.measure(settings.pipeline.alignment, settings.mount.base_frame)
            self.inputs.settings = settings.inputs
        self._settings = settings
        self._camera_tf.configure(settings)
        if self.outputs is not None:
            self.outputs.settings = settings.outputs
        # On the worker: between two frames, never in the middle of one.
        self.worker.call(partial(self._processor.configure, settings))

    def _on_reset_alignment(self, _: Trigger.Request, response: Trigger.Response) -> Any:
        """Forget every fit, so that the next measurement counts alone."""
        self.worker.call(self._processor.reset_alignment)
        response.success, response.message = True, 'the next measurement starts anew'
        return response

    def _report(self) -> None:
        state = '' if self.inputs is not None else 'not active'
        if self._loading:
            state = 'loading the network'
        self._snapshots.expire()
        reason = self.trouble or self.failure
        self._diagnostics.report(self.inputs, self.outputs, state, reason, self._settings)


def main(args: list[str] | None = None) -> int:
    """Run the node until it is told to stop; 1 if its parameters cannot be."""
    keep_freed_memory()
    return run('mono_depth', lambda: [MonoDepthNode()], args)


if __name__ == '__main__':
    sys.exit(main())
