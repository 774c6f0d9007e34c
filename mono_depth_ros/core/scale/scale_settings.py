"""Settings of the scale: the values set by the user, and the alignment to measurements."""

from dataclasses import dataclass, field

from ..camera.rigid_transform import RigidTransform
from ..errors import SettingsError
from ..settings import Settings, named, setting
from ..types import AffineScale, PredictionKind
from .sensor_pose import parse_poses

MAX_POINTS = 3072  # of each source in a fit
NAMES = ('none', 'disparity', 'depth', 'ground', 'points', 'scan', 'range')
POSED = ('points', 'scan', 'range')
"""Those of `SOURCES`, which needs torch, and which of them measure from a place of their own."""


@dataclass(frozen=True)
class AlignmentSettings(Settings):
    """How predictions are made metric by measurements."""

    source: str = setting(
        'none',
        'Source of metric scale: none, or one or several of disparity (topic disparity), depth '
        '(topic registered_depth), ground (the floor, from camera_height and camera_pitch), '
        'points (topic lidar_points), scan (topic scan, a 2D laser) and range (topic range, an '
        'ultrasonic or infrared sensor), separated by commas: scan,ground.',
        choices=NAMES,
        several=True,
    )
    method: str = setting(
        'robust',
        'Fitting method: robust, least_squares, or min_max (map the range of values only).',
        choices=('robust', 'least_squares', 'min_max'),
    )
    model: str = setting(
        'fused',
        'global (one scale and shift), local (also a smooth field of correction factors, where '
        'it reduces the error), or fused (also what was measured of the very image, and a field '
        'of corrections around it).',
        choices=('global', 'local', 'fused'),
    )
    max_age: float = setting(
        2.0, 'Maximum age of a fit; an older one is not used.', unit='s', limits=(0.05, 3600.0)
    )
    fallback: str = setting(
        'unknown',
        'Depth of a metric network without a current fit: unknown, or as the network predicts it.',
        choices=('unknown', 'network'),
    )
    refit_period: float = setting(
        0.2, 'Minimum time between two fits.', unit='s', limits=(0.0, 60.0)
    )
    stamp_tolerance: float = setting(
        0.02,
        'A measurement is fitted to the image with its stamp, or else to the nearest one within '
        'this time; 0.02 is less than a frame of a 30 Hz camera.',
        unit='s',
        limits=(0.0, 0.5),
    )
    wait: float = setting(
        0.0,
        'Time that an image waits for its measurement after the network has run; what arrives '
        'during that is fused at no cost.',
        unit='s',
        limits=(0.0, 1.0),
    )
    smoothing: float = setting(
        0.3, 'Weight of the previous estimate in the filter; 0 = no smoothing.', limits=(0.0, 0.99)
    )
    min_points: int = setting(
        8, 'Minimum number of measured points for a fit.', limits=(3, MAX_POINTS)
    )
    max_uncertainty: float = setting(
        0.2,
        'Maximum standard deviation of the depth of the median pixel, as a share of it; a fit '
        'that leaves more open is rejected.',
        limits=(0.001, 10.0),
    )
    max_residual: float = setting(
        0.25,
        'Maximum median relative error of inverse depth of the inliers; a fit above it is '
        'rejected.',
        limits=(0.001, 10.0),
    )
    camera_height: float = setting(
        0.0,
        'Source ground: height of the camera above the floor; 0 = not set.',
        unit='m',
        limits=(0.0, 100.0),
    )
    camera_pitch: float = setting(
        0.0,
        'Source ground: pitch of the camera; positive = looking down. An error of 1 degree (0.017 '
        'rad) changes depth Z by the share Z / (57 camera_height): see docs/alignment.md.',
        unit='rad',
        limits=(-1.5, 1.5),
    )
    camera_pitch_from: str = setting(
        'parameter',
        'Source ground: origin of the camera tilt: parameter (camera_pitch), tf (base_frame, '
        'whose z axis points up), or imu (gravity on topic imu).',
        choices=('parameter', 'tf', 'imu'),
    )
    sensor_pose: str = setting(
        '',
        'Sources points, scan and range: pose of the sensor in the optical frame of the camera '
        '(x right, y down, z forward) as x y z qx qy qz qw, position in m; of several sensors '
        'each after its source: scan x y z qx qy qz qw; points x y z qx qy qz qw. Those without '
        'are placed by TF, or in the optical frame itself if both have one frame_id.',
    )
    fixed_frame: str = setting(
        'odom',
        'Sources points, scan and range: frame in which the world stands still; by TF, what was '
        'measured is moved from its own stamp to that of the image; empty = the robot stands '
        'still. ground.max_new_cells needs it.',
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._require_poses()
        if 'none' in self.sources and len(self.sources) > 1:
            raise SettingsError(
                f'alignment.source is {self.source!r}; none means that nothing measures: name it '
                'alone, or leave it away'
            )
        if 'ground' in self.sources and not self.camera_height:
            raise SettingsError(
                f'alignment.source is {self.source} and alignment.camera_height is 0.0 m, which '
                'means not set; set the height of the camera above the floor first'
            )

    @property
    def sources(self) -> tuple[str, ...]:
        """What measures, in the order of the registry; () if nothing does."""
        wanted = named(self.source)
        return tuple(name for name in NAMES if name in wanted and wanted != ('none',))

    def pose_of(self, source: str) -> RigidTransform | None:
        """Return where the sensor of a source stands in the optical frame, None if TF tells."""
        poses = parse_poses(self.sensor_pose)
        return poses.get(source, poses.get('') if source in POSED else None)

    def _require_poses(self) -> None:
        """Raise `SettingsError` for a pose that is none, or of which nothing says whose it is."""
        poses, posed = parse_poses(self.sensor_pose), [s for s in self.sources if s in POSED]
        if '' in poses and len(posed) > 1:
            raise SettingsError(
                f'alignment.sensor_pose is {self.sensor_pose!r} and alignment.source '
                f'{self.source}: it does not say which of {", ".join(posed)} stands there',
                f'name it, as in {posed[0]} {self.sensor_pose}, and the others after a semicolon, '
                'or leave them to TF',
            )
        for name in set(poses).difference(('', *POSED)):
            raise SettingsError(
                f'alignment.sensor_pose names {name!r}, which is none of {", ".join(POSED)}'
            )


@dataclass(frozen=True)
class ScaleSettings(Settings):
    """What turns predictions into meters."""

    depth_scale: float = setting(
        1.0, 'Metric network: factor applied to depth; 1.1 = 10 % farther.', limits=(0.001, 1000.0)
    )
    scale: float = setting(
        0.0,
        'Relative network: inverse depth [1/m] = scale * prediction + shift, or depth [m] of a '
        'network whose card says relative_depth; 0 = not set.',
        unit='1/m',
        limits=(0.0, 1e6),
    )
    shift: float = setting(
        0.0,
        'Relative network: shift of inverse depth, or of depth [m]; see scale.',
        unit='1/m',
        limits=(-1e6, 1e6),
    )
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)

    def require_kind(self, kind: PredictionKind) -> None:
        """Refuse values that belong to a network of the other kind.

        Raises:
            SettingsError: `scale` or `shift` is set for a metric network, or `depth_scale` for a
                relative one.
        """
        if kind is PredictionKind.DEPTH and (self.scale or self.shift):
            raise SettingsError(
                f'scale is {self.scale} and shift {self.shift}, which belong to a relative '
                'network; for a metric one use depth_scale'
            )
        if kind.is_relative and self.depth_scale != 1:
            raise SettingsError(
                f'depth_scale is {self.depth_scale}, which belongs to a metric network; for a '
                'relative one use scale and shift'
            )

    def manual_scale(self, kind: PredictionKind) -> AffineScale | None:
        """Return the user's scale and shift of a relative network of a kind, None if not set."""
        return AffineScale(self.scale, self.shift, kind.fitted) if self.scale > 0 else None
