"""The node `simulated_stereo_camera`: drives a stereo rig through the simulated world."""

import sys
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from rclpy.time import Time as Instant
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header
from stereo_msgs.msg import DisparityImage

from ..core.camera.pinhole import PinholeCamera
from ..core.scale.stereo_matching import MatchingSettings, match_disparity
from ..core.settings import Settings, setting
from ..simulation.depth_camera import DepthCamera
from ..simulation.drive import Drive
from ..simulation.furnished_drive import FurnishedDrive
from ..simulation.pose import Pose
from ..simulation.rig import StereoFrame, StereoRig
from ..simulation.robots import ROBOTS
from .guarded_node import GuardedNode
from .messages import camera_to_info, depth_to_image, float_to_image, rgb_to_image
from .parameters import declare
from .process import run
from .simulated_sensors import Moment, SimulatedSensors

_DEPTH_CAMERA = DepthCamera()


@dataclass(frozen=True)
class SimulatedCameraSettings(Settings):
    """The rig, the drive and what goes out how often."""

    room: str = setting(
        'random',
        'Where it drives: furnished (a living room, always the same), or random (of seed).',
        choices=('random', 'furnished'),
    )
    seed: int = setting(1, 'Seed of the scene and the path of room random.', limits=(0, 2**31))
    width: int = setting(320, 'Image width.', unit='px', limits=(32, 4096))
    height: int = setting(240, 'Image height.', unit='px', limits=(32, 4096))
    field_of_view: float = setting(
        75.0, 'Horizontal field of view.', unit='deg', limits=(20.0, 140.0)
    )
    baseline: float = setting(
        0.1, 'Distance between the two cameras.', unit='m', limits=(0.01, 1.0)
    )
    speed: float = setting(0.6, 'Speed of the camera.', unit='m/s', limits=(0.01, 10.0))
    rate: float = setting(10.0, 'Image rate.', unit='Hz', limits=(0.1, 120.0))
    disparity_rate: float = setting(3.0, 'Maximum disparity rate.', unit='Hz', limits=(0.1, 120.0))
    disparity_delay: float = setting(0.0, 'Delay of each disparity.', unit='s', limits=(0.0, 10.0))
    views: int = setting(
        0,
        'Number of frames after which the drive repeats, bit for bit; 0 = never.',
        limits=(0, 10000),
    )
    frame_id: str = setting('camera_left_optical_frame', 'Frame of the pictures.')
    lidar_beams: int = setting(16, 'Beams of the LiDAR above the camera.', limits=(1, 128))
    robot: str = setting(
        'rig',
        'What carries the camera: rig (nods, sensors with it), turtlebot or outdoor_lidar (level, '
        'base_footprint on the floor), or drone (climbs and tilts, base_link).',
        choices=tuple(ROBOTS),
    )


class SimulatedStereoCamera(GuardedNode):
    """Publishes what a stereo camera driver, a matcher and other sensors would, and the truth.

    Disparity is matched on the rendered pair, with all the errors of real matching, and only
    while somebody listens to it.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__('simulated_stereo_camera', **options)
        self._settings = settings = declare(self, SimulatedCameraSettings(), read_only=True)
        camera = PinholeCamera.from_fov(settings.width, settings.height, settings.field_of_view)
        self._rig = StereoRig(camera, settings.baseline)
        self._drive = drive_for(settings)
        self._robot = ROBOTS[settings.robot]
        self._matching = matching_for(settings.width)
        self._views: dict[int, StereoFrame] = {}
        self._last_matched: Instant | None = None
        self._held_back: deque[tuple[Instant, DisparityImage]] = deque()
        self._left = self._publisher(Image, 'left/image_raw')
        self._left_info = self._publisher(CameraInfo, 'left/camera_info')
        self._right = self._publisher(Image, 'right/image_raw')
        self._right_info = self._publisher(CameraInfo, 'right/camera_info')
        self._truth = self._publisher(Image, 'left/depth_truth')
        self._disparity = self._publisher(DisparityImage, 'disparity')
        self._registered_depth = self._publisher(Image, 'registered_depth')
        self._sensors = SimulatedSensors(
            self, settings.frame_id, camera, self._robot, self._drive, settings.lidar_beams
        )
        self._began = self.get_clock().now()
        self.create_timer(1 / settings.rate, self._tick)

    def _publisher(self, message_type: type, topic: str) -> Publisher:
        return self.create_publisher(message_type, topic, QoSProfile(depth=5))

    def _tick(self) -> None:
        now = self.get_clock().now()
        number = int((now - self._began).nanoseconds * self._settings.rate / 1e9)
        if self._settings.views:
            number %= self._settings.views
        t_s = number / self._settings.rate
        pose = self._robot.camera_at(self._drive, t_s)
        frame = self._view(number, pose)
        header = Header(stamp=now.to_msg(), frame_id=self._settings.frame_id)
        self._sensors.publish(Moment(pose, number, t_s), header)
        self._publish_images(frame, header)
        if self._registered_depth.get_subscription_count():
            depth = _DEPTH_CAMERA.measure(frame.depth, self._rig.camera, number)
            self._registered_depth.publish(depth_to_image(depth.numpy(), header))
        if self._disparity.get_subscription_count() and self._matching_is_due(now):
            disparity = match_disparity(frame.left, frame.right, self._matching)
            message = disparity_message(disparity, self._rig, self._matching, header)
            self._held_back.append((now, message))
        self._publish_disparities()

    def _view(self, number: int, pose: Pose) -> StereoFrame:
        """Return what is seen after so many frames of the drive; kept if it will come again."""
        if number in self._views:
            return self._views[number]
        frame = self._rig.capture(self._drive.scene, pose, number)
        if self._settings.views:
            self._views[number] = frame
        return frame

    def _publish_images(self, frame: StereoFrame, header: Header) -> None:
        info = camera_to_info(self._rig.camera, header)
        self._left_info.publish(info)
        self._left.publish(rgb_to_image(frame.left.numpy(), header))
        self._truth.publish(depth_to_image(frame.depth.numpy(), header))
        info = camera_to_info(self._rig.camera, header)
        info.p[3] = -self._rig.camera.fx * self._rig.baseline_m
        self._right_info.publish(info)
        self._right.publish(rgb_to_image(frame.right.numpy(), header))

    def _matching_is_due(self, now: Instant) -> bool:
        last = self._last_matched
        due = last is None or (now - last).nanoseconds >= 0.9e9 / self._settings.disparity_rate
        if due:
            self._last_matched = now
        return due

    def _publish_disparities(self) -> None:
        now = self.get_clock().now()
        while self._held_back:
            stamp, message = self._held_back[0]
            if (now - stamp).nanoseconds < 1e9 * self._settings.disparity_delay:
                return
            self._held_back.popleft()
            self._disparity.publish(message)


def drive_for(settings: SimulatedCameraSettings) -> Drive:
    """Return the drive through the room of the settings."""
    if settings.room == 'furnished':
        return FurnishedDrive(settings.speed)
    return Drive(settings.seed, settings.speed)


def matching_for(width: int) -> MatchingSettings:
    """Return how a pair of images of that width is matched: a fifth of it is searched."""
    return MatchingSettings(num_disparities=max(16, width // 5 // 16 * 16))


def disparity_message(
    disparity: torch.Tensor, rig: StereoRig, matching: MatchingSettings, header: Header
) -> DisparityImage:
    """Return disparity (H, W) [px], NaN invalid, as stereo_image_proc would publish it.

    Its convention for "no match" is a value below `min_disparity`, not NaN.
    """
    values = disparity.nan_to_num(-1.0).numpy().astype(np.float32)
    return DisparityImage(
        header=header,
        image=float_to_image(values, header),
        f=rig.camera.fx,
        t=rig.baseline_m,
        min_disparity=0.0,
        max_disparity=float(matching.num_disparities - 1),
        delta_d=1 / 16,
        valid_window=RegionOfInterest(),
    )


def main(args: list[str] | None = None) -> int:
    """Drive until told to stop; 1 if the parameters cannot be."""
    torch.set_num_threads(1)
    return run('simulated_stereo_camera', lambda: [SimulatedStereoCamera()], args)


if __name__ == '__main__':
    sys.exit(main())
