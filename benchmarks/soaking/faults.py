"""What goes wrong around a node, made from a seed."""

import time
from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from lifecycle_msgs.msg import Transition
from sensor_msgs.msg import CameraInfo, Image, LaserScan, PointCloud2, PointField
from std_srvs.srv import Trigger
from stereo_msgs.msg import DisparityImage

from mono_depth_ros.core.files.encodings import ENCODINGS
from mono_depth_ros.core.settings import Parameter, parameter_table
from mono_depth_ros.ros.messages import rgb_to_image
from mono_depth_ros.ros.node_settings import NodeSettings

from .rig import HEIGHT, WIDTH, SoakRig

Fault = Callable[['Trouble'], None]

_CONFIGURE, _CLEANUP = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_CLEANUP
_ACTIVATE, _DEACTIVATE = Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_DEACTIVATE
_STRANGE = ('', '~nouser/x', '/dev/zero', '/proc/self/mem', 'a\tb', '/' * 5000, 'é' * 100, '..')
_SIZES = ((1, 1), (2, 64), (48, 64), (97, 61), (120, 160), (240, 320), (480, 640), (720, 1280))
_NUMBERS = (0.0, -1.0, 1e-30, 1e30, float('nan'), float('inf'))
# Slow to set, or about the network, which the storm leaves loaded.
_LEFT_ALONE = ('snapshot_folder', 'publish_tf')


class Trouble:
    """Faults from a seed.

    Args:
        rig: What sends.
        seed: Of everything that is random.
        good: Parameters under which the good image gives its depth.
        on_cycle: Called with the node deactivated, before its counts are lost.
    """

    def __init__(
        self, rig: SoakRig, seed: int, good: dict[str, Any], on_cycle: Callable[[], None]
    ) -> None:
        self.rig = rig
        self.rng = np.random.default_rng(seed)
        self._on_cycle = on_cycle
        self._table = [
            row
            for row in parameter_table(NodeSettings())
            if not row.info.reload and row.name not in _LEFT_ALONE
        ]
        self._usual = {row.name: row.default for row in self._table} | good

    def picture(self, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
        """Return noise, (H, W, 3) uint8."""
        return self.rng.integers(0, 256, (height, width, 3), np.uint8)

    def endless(self) -> Iterator[Fault]:
        """Yield all faults in ever another order."""
        while True:
            yield from self.rng.permutation(np.array(FAULTS, object))

    def ordinary(self) -> None:
        """Film as a camera that is well."""
        for _ in range(100):
            self.rig.film(self.picture())

    def silence(self) -> None:
        """Stop the camera."""
        time.sleep(float(self.rng.uniform(0.5, 2.0)))

    def sizes(self) -> None:
        """Change the resolution, under a camera_info that is of another."""
        for height, width in self.rng.permutation(_SIZES):
            self.rig.send(rgb_to_image(self.picture(height, width), self.rig.header()))
            self._pause()

    def encodings(self) -> None:
        """Send every encoding, and some that are none."""
        for name in (*ENCODINGS, '16UC1', 'rgb7', '', '\x7f'):
            encoding = ENCODINGS.get(name, ENCODINGS['rgb8'])
            step = encoding.row_bytes(WIDTH)
            data = self._bytes(HEIGHT * step)
            image = Image(header=self.rig.header(), width=WIDTH, height=HEIGHT, step=step)
            image.encoding, image.data = name, data
            self.rig.send(image)
            self._pause()

    def stamps(self) -> None:
        """Send stamps that stand still, jump, and are none."""
        times = [Time(), Time(sec=-1), Time(sec=-(2**31)), Time(sec=2**31 - 1, nanosec=2**32 - 1)]
        times += [Time(sec=int(self.rng.integers(-5, 5000))) for _ in range(8)]
        for stamp in (*times, *times[:4], times[0], times[0]):
            self.rig.send(rgb_to_image(self.picture(), self.rig.header(stamp)))
            self._pause()

    def garbage(self) -> None:
        """Send images and calibrations whose fields contradict each other."""
        for _ in range(30):
            width, height, step, length = (int(n) for n in self.rng.integers(0, 400, 4))
            image = Image(header=self.rig.header(), width=width, height=height, step=step)
            image.encoding = str(self.rng.choice([*ENCODINGS]))
            image.data = self._bytes(length)
            info = CameraInfo(header=image.header, width=width, height=height)
            info.k = self.rng.choice(_NUMBERS, 9).tolist()
            info.p = self.rng.choice(_NUMBERS, 12).tolist()
            info.d = self.rng.choice(_NUMBERS, int(self.rng.integers(0, 15))).tolist()
            info.distortion_model = str(self.rng.choice(['plumb_bob', 'equidistant', '', 'x']))
            self.rig.send(image, info)
            self._pause()

    def flood(self) -> None:
        """Send far more than can be processed."""
        image = rgb_to_image(self.picture(), self.rig.header())
        for _ in range(100):
            image.header = self.rig.header()
            self.rig.send(image)

    def deafness(self) -> None:
        """Have the only subscriber go while frames come."""
        self.rig.stop_listening()
        for _ in range(20):
            self.rig.send(rgb_to_image(self.picture(), self.rig.header()))
            self._pause()
        self.rig.listen()

    def storm(self) -> None:
        """Set parameters to whatever, one by one while frames come, and back."""
        for _ in range(40):
            row = self._table[int(self.rng.integers(len(self._table)))]
            self.rig.set({row.name: self._value(row)})
            self.rig.send(rgb_to_image(self.picture(), self.rig.header()))
        self._restore()

    def measurements(self) -> None:
        """Align to disparities that are none, and ask for images that were empty."""
        self.rig.set({'alignment.source': 'disparity'})
        for _ in range(20):
            image = rgb_to_image(self.picture(), self.rig.header())
            disparity = DisparityImage(header=image.header, f=float(self.rng.choice(_NUMBERS)))
            disparity.t = float(self.rng.choice(_NUMBERS))
            disparity.image.encoding, disparity.image.step = '32FC1', 4 * WIDTH
            disparity.image.height, disparity.image.width = HEIGHT, WIDTH
            size = int(self.rng.choice([0, 4 * WIDTH * HEIGHT, 7]))
            disparity.image.data = self._bytes(size)
            self.rig.send(image)
            self.rig.disparity.publish(disparity)
            self.rig.send(Image(header=self.rig.header()))
            self._pause()
        self._restore()

    def sensors(self) -> None:
        """Align to scans and clouds whose fields contradict each other."""
        for source in ('scan', 'points'):
            self.rig.set({'alignment.source': source, 'alignment.sensor_pose': '0 0 0 0 0 0 1'})
            for _ in range(10):
                image = rgb_to_image(self.picture(), self.rig.header())
                if source == 'scan':
                    ranges = self.rng.choice(_NUMBERS, 40).tolist()
                    scan = LaserScan(header=image.header, ranges=ranges)
                    scan.angle_min, scan.angle_increment = self.rng.choice(_NUMBERS, 2).tolist()
                    scan.range_min, scan.range_max = self.rng.choice(_NUMBERS, 2).tolist()
                    self.rig.scan.publish(scan)
                else:
                    width, height, step, length = (int(n) for n in self.rng.integers(0, 400, 4))
                    cloud = PointCloud2(header=image.header, width=width, height=height)
                    cloud.point_step, cloud.row_step, cloud.data = step, step, self._bytes(length)
                    cloud.fields = [PointField(name=axis, datatype=7) for axis in 'xyz']
                    self.rig.cloud.publish(cloud)
                self.rig.send(image)
                self._pause()
        self._restore()

    def requests(self) -> None:
        """Ask for twenty snapshots at once, amid frames."""
        asked = [self.rig.ask('snapshot', Trigger.Request()) for _ in range(20)]
        self.rig.call('reset_alignment', Trigger.Request())
        for _ in range(10):
            self.rig.film(self.picture())
        for answer in asked:
            self.rig.wait(answer.done, 'a snapshot')

    def cycle(self) -> None:
        """Take the node down and up while frames come, with transitions it has to refuse."""
        for transition in (_CONFIGURE, _CLEANUP, _DEACTIVATE, _DEACTIVATE):
            self.rig.change(transition)
            self.rig.send(rgb_to_image(self.picture(), self.rig.header()))
        self._on_cycle()
        for transition in (_CLEANUP, _ACTIVATE, _CONFIGURE, _CONFIGURE, _ACTIVATE):
            self.rig.change(transition)
            self.rig.send(rgb_to_image(self.picture(), self.rig.header()))

    def end(self) -> None:
        """Take the node down to where its counts stand."""
        self.rig.change(_DEACTIVATE)

    def _restore(self) -> None:
        reason = self.rig.set(self._usual)
        if reason:
            raise RuntimeError(f'the usual parameters are refused: {reason}')

    def _value(self, row: Parameter) -> Any:
        if isinstance(row.default, bool):
            return bool(self.rng.integers(2))
        if isinstance(row.default, str):
            return str(self.rng.choice([*row.info.choices, *_STRANGE]))
        low, high = row.info.limits or (0, 100)
        value = self.rng.uniform(low, high)
        if self.rng.integers(4) == 0:
            value = float(self.rng.choice(_NUMBERS))
        if isinstance(row.default, int):
            return int(np.clip(np.nan_to_num(value), -(2**31), 2**31))
        return float(value)

    def _bytes(self, size: int) -> Any:
        return array('B', self.rng.bytes(size))

    def _pause(self) -> None:
        time.sleep(0.02)


FAULTS: tuple[Fault, ...] = (
    Trouble.silence,
    Trouble.sizes,
    Trouble.encodings,
    Trouble.stamps,
    Trouble.garbage,
    Trouble.flood,
    Trouble.deafness,
    Trouble.storm,
    Trouble.measurements,
    Trouble.sensors,
    Trouble.requests,
    Trouble.cycle,
)
