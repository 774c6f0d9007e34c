"""Where the ground is below the camera, as TF or the mount says."""

from functools import partial

from rclpy.node import Node
from std_msgs.msg import Header

from ..core.camera.rigid_transform import RigidTransform
from ..core.errors import AlignmentError, SettingsError, TransformError
from ..core.outputs.ground_plane import GroundFinder, GroundPlane
from .messages import nanoseconds
from .node_settings import NodeSettings
from .qos import QosMonitor
from .tf_buffer import Tf
from .throttled_log import ThrottledLog
from .tilt_source import TiltSource

_WHO = 'ground'


class PlaneSource:
    """Listens to what `ground.plane_from` names while a cloud needs the plane.

    The executor listens, the worker asks.
    """

    def __init__(self, node: Node, settings: NodeSettings, qos: QosMonitor, tf: Tf) -> None:
        self._tf = tf
        self._log = ThrottledLog(node.get_logger())
        self._tilt = TiltSource(node, qos, tf)
        self._heard: tuple[NodeSettings, str, SettingsError | None] = settings, 'parameter', None

    @property
    def newest_imu_ns(self) -> int:
        """Stamp of the newest message of the IMU [ns], 0 before the first."""
        return self._tilt.newest_imu_ns

    def listen(self, settings: NodeSettings, is_wanted: bool) -> None:
        """Begin or cease to listen; what cannot be listened to, `plane` raises."""
        alignment, origin = settings.pipeline.alignment, settings.pipeline.ground.plane_from
        by_mount = origin == 'mount' or (origin == 'auto' and alignment.camera_height > 0)
        tilt_from = alignment.camera_pitch_from if is_wanted and by_mount else 'parameter'
        by_tf = origin in ('auto', 'tf') or tilt_from != 'parameter'
        moves = settings.pipeline.ground.max_new_cells > 0
        self._tf.listen(is_wanted and (by_tf or moves), _WHO)
        trouble = None
        try:
            self._tilt.listen(tilt_from, settings.mount.base_frame)
        except SettingsError as error:
            trouble = error
        self._heard = settings, tilt_from, trouble  # at once, for the worker

    def close(self) -> None:
        """Cease to listen."""
        self.listen(self._heard[0], is_wanted=False)

    def finder(self, header: Header) -> GroundFinder:
        """Return what `plane` and `pose` tell of an image."""
        return GroundFinder(partial(self.plane, header), partial(self.pose, header))

    def plane(self, header: Header) -> GroundPlane:
        """Return the ground plane in the frame and at the stamp of an image.

        Raises:
            MonoDepthError: Nothing tells it.
        """
        settings, tilt_from, trouble = self._heard
        alignment, origin = settings.pipeline.alignment, settings.pipeline.ground.plane_from
        if origin in ('auto', 'tf'):
            try:
                return self._by_tf(header, settings.mount.base_frame)
            except TransformError:
                if origin == 'tf' or not alignment.camera_height:
                    raise
        if trouble is not None:
            raise trouble
        if tilt_from != alignment.camera_pitch_from:
            what = f'alignment.camera_pitch_from is {alignment.camera_pitch_from}'
            raise AlignmentError(f'{what}, which is not heard yet')
        return GroundPlane.of_mount(alignment, self._tilt.tilt(header))

    def pose(self, header: Header) -> RigidTransform | None:
        """Return the pose of the camera in `alignment.fixed_frame`; None, and say so, without."""
        fixed_frame = self._heard[0].pipeline.alignment.fixed_frame
        why = 'alignment.fixed_frame is not set'
        if fixed_frame:
            try:
                return self._tf.lookup(fixed_frame, header.frame_id, nanoseconds(header.stamp))
            except TransformError as error:
                why = str(error)
        self._log.repeat(
            f'ground.max_new_cells drops nothing: {why}; alignment.fixed_frame must be the frame '
            "of the robot's odometry, and known at the stamps of the images"
        )
        return None

    def _by_tf(self, header: Header, base_frame: str) -> GroundPlane:
        """Return the plane at the stamp of an image, or the newest where TF lags behind."""
        frame_id = header.frame_id
        try:
            base = self._tf.lookup(frame_id, base_frame, nanoseconds(header.stamp))
        except TransformError:
            try:
                base = self._tf.lookup(frame_id, base_frame)
            except TransformError as error:
                raise TransformError(
                    f'where the floor is is not known: {error}',
                    'have the robot description or a static_transform_publisher say where '
                    f'{frame_id!r} is on the robot, name its frame on the floor in base_frame, or '
                    'set alignment.camera_height and alignment.camera_pitch',
                ) from error
        return GroundPlane.of_base(base, base_frame)
