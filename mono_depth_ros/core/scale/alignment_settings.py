"""Settings of the alignment, apart from the fits so that they can be read alone."""

from dataclasses import dataclass

from ..errors import SettingsError
from ..settings import Settings, setting
from .correspondences import MAX_POINTS
from .fitting import METHODS


@dataclass(frozen=True)
class AlignmentSettings(Settings):
    """How predictions are made metric by measurements."""

    source: str = setting(
        'none',
        'What gives the scale: none, disparity (topic disparity), depth (topic '
        'registered_depth), or ground (the floor, by camera_height and camera_pitch).',
        choices=('none', 'disparity', 'depth', 'ground'),
    )
    method: str = setting(
        'robust',
        'robust, least_squares, or min_max (range onto range).',
        choices=tuple(METHODS),
    )
    model: str = setting(
        'global',
        'global (one scale and shift), or local (and a smooth field of factors on top, where it '
        'helps).',
        choices=('global', 'local'),
    )
    max_age: float = setting(
        2.0, 'A fit older than this is not used any more.', unit='s', minimum=0.05, maximum=3600.0
    )
    fallback: str = setting(
        'unknown',
        'Without a live fit, the depth of a metric network is unknown, or that of the network.',
        choices=('unknown', 'network'),
    )
    refit_period: float = setting(
        0.2, 'Least time between two fits.', unit='s', minimum=0.0, maximum=60.0
    )
    smoothing: float = setting(
        0.3, 'Weight of all earlier fits beside a new one; 0 = none.', minimum=0.0, maximum=0.99
    )
    min_points: int = setting(
        200, 'Fewer measured points are not fitted.', minimum=10, maximum=MAX_POINTS
    )
    max_residual: float = setting(
        0.25,
        'A fit with a larger median relative error of inverse depth is not used.',
        minimum=0.001,
        maximum=10.0,
    )
    camera_height: float = setting(
        0.0,
        'Height of the camera above the floor, for source ground; 0 = not set.',
        unit='m',
        minimum=0.0,
        maximum=100.0,
    )
    camera_pitch: float = setting(
        0.0,
        'Pitch of the camera, for source ground; positive = looking down.',
        unit='rad',
        minimum=-1.5,
        maximum=1.5,
    )
    camera_pitch_from: str = setting(
        'parameter',
        'What tells the tilt of the camera, for source ground: parameter (camera_pitch), tf '
        '(base_frame, whose z points up), or imu (gravity on topic imu).',
        choices=('parameter', 'tf', 'imu'),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source == 'ground' and not self.camera_height:
            raise SettingsError(
                'alignment.source is ground and alignment.camera_height is 0.0 m, which means '
                'not set; set the height of the camera above the floor first'
            )
