"""The worker thread's side of the node: it owns the network and processes frames."""

import time
import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from rclpy.clock import Clock
from rclpy.impl.rcutils_logger import RcutilsLogger
from rclpy.time import Time

from ..core.errors import MonoDepthError
from ..core.files.camera_info import CheckedCameraInfo
from ..core.network.batching import alone
from ..core.network.predicted_frame import Predicting
from ..core.pipeline import CLOUDS, Output, Pipeline, Result
from ..core.scale.evidence import Evidence
from ..core.scale.frame_scale import FrameScale, told
from .diagnostics import alignment_array
from .frame_reader import FrameReader
from .inputs import Inputs
from .messages import nanoseconds
from .network_host import NetworkHost
from .node_settings import NodeSettings
from .output_publishers import OutputPublishers
from .plane_source import PlaneSource
from .shared_state import Frame, SharedState
from .snapshot import PATIENCE_S, SnapshotRequests
from .statistics import Statistics
from .throttled_log import ThrottledLog

_SNAPSHOT = Output.DEPTH | Output.POINTS | Output.COLOR


class FrameProcessor:
    """Turns frames into published outputs by a network of the host; called on the worker only.

    Failures are not logged once `is_running` says that the process ends.
    """

    def __init__(
        self,
        host: NetworkHost,
        shared: SharedState,
        logger: RcutilsLogger,
        clock: Clock,
        settings: NodeSettings,
        is_running: Callable[[], bool],
    ) -> None:
        self._host = host
        self._shared = shared
        self._logger = logger
        self._clock = clock
        self._settings = settings
        self._is_running = is_running
        self._pipeline: Pipeline | None = None
        self._outputs: OutputPublishers | None = None
        self._ground: PlaneSource | None = None
        self._snapshots = SnapshotRequests()
        self._snapshot_unknown = ''
        self._log = ThrottledLog(logger)
        self._reader = FrameReader(shared, self._log, settings)

    # Called by the node, between frames.

    def load(self, progress: Callable[[int, int], None]) -> None:
        """Have the network of the settings, loaded and warmed up unless that has been done.

        Raises:
            MonoDepthError: Whatever `load_estimator` finds wrong.
        """
        wanted = self._settings.network
        if self._shared.network is not None and self._shared.network.settings == wanted:
            return
        self.unload()
        estimator, network = self._host.obtain(self, wanted, self._logger, progress)
        self._pipeline = Pipeline(estimator, self._settings.pipeline, may_fit_later=True)
        self._shared.network = network
        self._warn_of_range(self._settings)

    def _warn_of_range(self, settings: NodeSettings) -> None:
        warning = settings.pipeline.range_warning(settings.network)
        if warning:
            self._log.once(warning)

    def unload(self) -> None:
        """Let go of the network and forget the latest frame."""
        self._pipeline = self._shared.network = None
        self._shared.record(None, CheckedCameraInfo(None))
        self._shared.scale = None
        self._host.release(self)

    def publish_to(self, outputs: OutputPublishers | None) -> None:
        """Publish to other outputs, or None; count from zero and log everything anew."""
        self._outputs = outputs
        if outputs is not None:
            self._shared.statistics = Statistics()
            self._log.forget()

    def place_by(self, inputs: Inputs | None = None, ground: PlaneSource | None = None) -> None:
        """Take the poses of sensors, the camera's tilt and the ground from what tells them."""
        reader = self._reader
        reader.tf, reader.tilt = (inputs.tf, inputs.tilt_source) if inputs else (None, None)
        self._ground = ground

    def configure(self, settings: NodeSettings) -> None:
        """Take over settings; those of the network take effect at the next `load`."""
        self._settings = self._reader.settings = settings
        network = self._shared.network
        if self._pipeline is not None and network and network.settings == settings.network:
            self._pipeline.settings = settings.pipeline
            self._warn_of_range(settings)

    def snapshot(self, requests: 'deque[Future[str]]') -> None:
        """Take all requests, and save the latest frame or else the first whose depth is known."""
        if not requests:
            return
        while requests:
            self._snapshots.add(requests.popleft())
        if self._shared.latest is None or self._pipeline is None:
            return  # until a frame comes
        try:
            work = self._step(self._shared.latest, self._pipeline, _SNAPSHOT)
            unknown = alone(work).reason_unknown
        except MonoDepthError as error:
            unknown = str(error)
        self._snapshot_unknown = unknown
        if unknown and not self._pipeline.scale.is_measured:
            self._snapshots.refuse(f'nothing saved, depth is not known: {unknown}')

    def expire_snapshots(self) -> None:
        """Refuse snapshots that have waited too long."""
        statistics = self._shared.statistics
        unknown = statistics.reason_unknown or statistics.last_failure or self._snapshot_unknown
        reason = f'nothing saved, depth is not known: {unknown}'
        if self._shared.latest is None:
            reason = 'no frame has come yet; is the node active and the camera on?'
        elif not unknown:
            reason = 'nothing saved, no further frame has come; is the camera on?'
        self._snapshots.refuse(reason, PATIENCE_S)

    def reset_alignment(self) -> None:
        """Forget every fit."""
        if self._pipeline is not None:
            self._pipeline.scale.reset()

    def process(self, frame: Frame) -> Predicting[None]:
        """Process a frame; whatever is wrong with it costs this frame only."""
        statistics = self._shared.statistics
        if self._outputs is None or self._pipeline is None:
            statistics.rest()
            return
        try:
            yield from self._process(frame, self._pipeline, self._outputs)
        except MonoDepthError as error:
            statistics.fail(str(error))
            self._log.repeat(f'frame lost: {error}')
        except Exception as error:
            if not self._is_running():
                return
            statistics.fail(repr(error))
            self._log.repeat(f'frame lost: {"".join(traceback.format_exception(error))}')

    def _process(
        self, frame: Frame, pipeline: Pipeline, outputs: OutputPublishers
    ) -> Predicting[None]:
        """Take one frame from message to messages, then make the fits that could wait."""
        self._shared.record(frame, self._reader.check_info(frame, frame.size))
        wanted = outputs.wanted() | (_SNAPSHOT if self._snapshots else Output(0))
        scale, is_heard = pipeline.scale, bool(wanted) or outputs.info_wanted()
        if is_heard:
            yield from self._publish(frame, pipeline, outputs, wanted)
            scale.catch_up()
        else:
            self._shared.statistics.rest()
        if not scale.is_measured:
            self._shared.scale = None
            return
        if is_heard or outputs.alignment_wanted():
            if scale.measures_images:
                yield from self._predict(frame, pipeline)
            self._report(scale.alignment_at(frame.stamp_ns), frame.stamp_ns, outputs)
            yield from self._fit_late(pipeline, outputs)
        self._shared.scale = scale.alignment_at(frame.stamp_ns)

    def _publish(
        self, frame: Frame, pipeline: Pipeline, outputs: OutputPublishers, wanted: Output
    ) -> Predicting[None]:
        """Make and publish what is wanted of a frame."""
        began = time.monotonic()
        result = yield from self._step(frame, pipeline, wanted)
        step_s = time.monotonic() - began
        if wanted & CLOUDS and result.camera is None:
            self._reader.warn_of_missing_cloud()
        for complaint in result.complaints:
            self._log.repeat(complaint)
        self._shared.statistics.beyond_px += outputs.publish(result, self._reader.header(frame))
        now, stamp = self._clock.now(), Time.from_msg(frame.header.stamp)
        self._shared.statistics.succeed((now - stamp).nanoseconds / 1e9, step_s, result)

    def _step(self, frame: Frame, pipeline: Pipeline, wanted: Output) -> Predicting[Result]:
        """Make what is wanted of a frame, and answer the snapshots that wait for it."""
        rgb, checked = self._reader.read(frame)
        lookup, ground = self._lookup(frame, pipeline), self._ground
        finder = ground and ground.finder(self._reader.header(frame))
        image = rgb, checked.calibration, wanted, frame.stamp_ns
        result = yield from pipeline.begin_step(*image, lookup, finder)
        if self._snapshots:
            into = self._settings.outputs.snapshot_folder
            self._snapshots.answer(result, frame.header.stamp, into)
        return result

    def _predict(self, frame: Frame, pipeline: Pipeline) -> Predicting[None]:
        """Predict a frame unless that has been done."""
        if pipeline.scale.find(frame.stamp_ns) is None:
            rgb, checked = self._reader.read(frame)
            lookup = self._lookup(frame, pipeline)
            yield from pipeline.begin_prediction(rgb, checked.calibration, frame.stamp_ns, lookup)

    def _fit_late(self, pipeline: Pipeline, outputs: OutputPublishers) -> Predicting[None]:
        """Fit to what came after its image was published, of each source the newest if due."""
        for name, message in self._shared.take_late().items():
            image_ns = stamp_ns = nanoseconds(message.header.stamp)
            if not pipeline.scale.is_due(stamp_ns, [name]):
                continue
            try:
                frame = self._reader.measured_image(name, message.header)
                image_ns = frame.stamp_ns
                yield from self._predict(frame, pipeline)
                pipeline.observe(image_ns, self._reader.readings(frame, may_wait=False))
            except MonoDepthError as error:
                pipeline.scale.refuse(str(error), image_ns, name)
            self._report(pipeline.scale.alignment_at(image_ns), stamp_ns, outputs)

    def _report(self, scale: FrameScale, stamp_ns: int, outputs: OutputPublishers) -> None:
        """Publish what became of a measurement, if there was one of this stamp."""
        if not scale.was_measured:
            return
        if scale.refusal:
            self._log.repeat(f'measurement not used: {scale.refusal}')
        elif scale.left_out:
            self._log.repeat(f'measurement not used: {told(scale.left_out)}')
        silences = self._shared.silences()
        outputs.publish_alignment(alignment_array(scale, silences, stamp_ns, self._logger.name))

    def _lookup(self, frame: Frame, pipeline: Pipeline) -> Callable[[], Evidence] | None:
        """Return what finds that which measures a frame, None if nothing does."""
        return partial(self._reader.readings, frame) if pipeline.scale.is_measured else None
