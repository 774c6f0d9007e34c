"""Settings of the outputs."""

import math
from dataclasses import dataclass, field

from ..camera.pinhole import PinholeCamera
from ..errors import SettingsError
from ..settings import Settings, setting


@dataclass(frozen=True)
class EdgeFilterSettings(Settings):
    """Settings of the edge filter."""

    enabled: bool = setting(True, 'Remove pixels at depth discontinuities.')
    threshold: float = setting(
        0.1,
        'Remove a pixel that lies behind something nearer, and by more than half of this fraction '
        'off the surfaces on both its sides.',
        limits=(0.001, 10.0),
    )


_MIN_VOXEL_M = 0.001


@dataclass(frozen=True)
class CloudSettings(Settings):
    """Settings of the point cloud."""

    organized: bool = setting(
        False, 'Keep the image grid, with NaN where depth is unknown, instead of a dense list.'
    )
    color: bool = setting(True, 'Add the color of its pixel to every point.')
    uncertainty: bool = setting(
        False, 'Add field uncertainty to every point: one standard deviation of its depth [m].'
    )
    stride: int = setting(1, 'Use every n-th pixel in both directions.', unit='px', limits=(1, 64))
    voxel_size: float = setting(
        0.0,
        'Voxel edge length; one point is kept per voxel; at least 0.001, 0 = off.',
        unit='m',
        limits=(0.0, 10.0),
    )
    voxel_keep: str = setting(
        'nearest',
        'Point kept per voxel: the one nearest to the image plane, or the centroid of all points '
        'with their mean color.',
        choices=('nearest', 'centroid'),
    )
    min_range: float = setting(
        0.0,
        'Drop points closer to the camera than this, measured along the ray.',
        unit='m',
        limits=(0.0, 1000.0),
    )
    max_range: float = setting(
        0.0,
        'Drop points farther from the camera than this, measured along the ray; 0 = off.',
        unit='m',
        limits=(0.0, 1000.0),
    )
    min_height: float = setting(
        0.0,
        'Drop points lower than this above the ground plane (ground.plane_from); both heights 0 '
        '= off.',
        unit='m',
        limits=(-100.0, 100.0),
    )
    max_height: float = setting(
        0.0,
        'Drop points higher than this above the ground plane, as what a robot passes under; rays '
        'of the clearing cloud end there. Both heights 0 = off.',
        unit='m',
        limits=(-100.0, 100.0),
    )

    @property
    def has_height_gate(self) -> bool:
        """Whether points are dropped by their height."""
        return self.min_height != 0 or self.max_height != 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.has_height_gate and self.min_height >= self.max_height:
            values = (
                f'cloud.min_height is {self.min_height} m and cloud.max_height {self.max_height} m'
            )
            remedy = 'min_height must be smaller; 100 is no upper limit, -100 no lower one'
            raise SettingsError(values, remedy)
        if 0 < self.voxel_size < _MIN_VOXEL_M:
            remedy = f'it must be 0 (keep all points) or at least {_MIN_VOXEL_M} m'
            raise SettingsError(f'cloud.voxel_size is {self.voxel_size} m', remedy)
        if self.organized and self.voxel_size > 0:
            what = f'cloud.voxel_size is {self.voxel_size} m with cloud.organized'
            remedy = 'set one of them to its default'
            raise SettingsError(f'{what}: thinning breaks the image grid', remedy)
        if self.uncertainty and not self.color:
            what = 'cloud.uncertainty is true and cloud.color is false'
            raise SettingsError(f'{what}: the field follows the colors', 'set both or neither')
        if 0 < self.max_range <= self.min_range:
            values = (
                f'cloud.min_range is {self.min_range} m and cloud.max_range {self.max_range} m'
            )
            raise SettingsError(values, 'min_range must be smaller')


@dataclass(frozen=True)
class GroundSettings(Settings):
    """Settings of the ground, for its clouds and for heights above it."""

    plane_from: str = setting(
        'auto',
        'Origin of the ground plane: tf (base_frame, on the floor, z up), mount '
        '(alignment.camera_height and the tilt by alignment.camera_pitch_from), depth (fitted to '
        'the depth itself; no height gate), or auto (tf, else mount, else depth).',
        choices=('auto', 'tf', 'mount', 'depth'),
    )
    max_slope_deg: float = setting(
        15.0,
        'Steepest ramp that is ground; steeper is an obstacle.',
        unit='deg',
        limits=(0.0, 45.0),
    )
    tolerance: float = setting(
        0.05,
        'Points up to this far above or below the ground surface are ground.',
        unit='m',
        limits=(0.005, 1.0),
    )
    min_cell_points: int = setting(
        0,
        'Points above the ground are dropped from points_nonground where fewer stand in a cell of '
        '0.05 m; 0 = off.',
        limits=(0, 10000),
    )
    max_new_cells: int = setting(
        0,
        'Clusters above the ground of at most so many cells of 0.05 m are dropped from '
        'points_nonground if nothing stood within 0.5 m in the image before. Needs TF from '
        'alignment.fixed_frame to the camera; 0 = off.',
        limits=(0, 10000),
    )


@dataclass(frozen=True)
class ClearingSettings(Settings):
    """Settings of the clearing cloud."""

    range: float = setting(5.0, 'Rays are clamped to this length.', unit='m', limits=(0.1, 1000.0))
    spacing_deg: float = setting(
        0.8,
        "Maximum angle between rays; at the costmap's raytrace range it should span less than one "
        'cell. A ray needs known depth in every pixel that it covers and ends at the nearest.',
        unit='deg',
        limits=(0.01, 20.0),
    )
    far_inverse_depth: float = setting(
        0.05,
        'Relative network with a current scale: pixels of lower inverse depth, including negative '
        'values such as sky, are free up to clearing.range.',
        unit='1/m',
        limits=(0.0, 10.0),
    )

    def stride_px(self, camera: PinholeCamera) -> int:
        """Return the distance between two rays [px], at least 1."""
        focal_px = min(camera.fx, camera.fy)
        return max(1, int(focal_px * math.tan(math.radians(self.spacing_deg))))


@dataclass(frozen=True)
class ColormapSettings(Settings):
    """Range of the colors."""

    near: float = setting(
        0.3, 'Depth drawn in the warmest color.', unit='m', limits=(0.01, 1000.0)
    )
    far: float = setting(
        20.0, 'Depth drawn in the coldest color.', unit='m', limits=(0.01, 1000.0)
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.near >= self.far:
            values = f'colormap.near is {self.near} m and colormap.far {self.far} m'
            raise SettingsError(values, 'near must be smaller')


@dataclass(frozen=True)
class OutputSettings(Settings):
    """The range of known depth and the form of the outputs."""

    min_depth: float = setting(
        0.1, 'Minimum depth; nearer pixels are unknown.', unit='m', limits=(0.0, 1000.0)
    )
    max_depth: float = setting(
        80.0, 'Maximum depth; farther pixels are unknown.', unit='m', limits=(0.01, 10000.0)
    )
    uncertainty_limit: float = setting(
        0.0,
        'Pixels whose depth is more uncertain than this share of it (one standard deviation) are '
        'unknown; 0 = off.',
        limits=(0.0, 10.0),
    )
    depth_invalid: str = setting(
        'nan',
        'Value of out-of-range depth in 32FC1: nan, or inf for +Inf beyond max_depth and -Inf '
        'below min_depth (REP-117; RViz cannot display it). Quote the value in YAML files.',
        choices=('nan', 'inf'),
    )
    edge_filter: EdgeFilterSettings = field(default_factory=EdgeFilterSettings)
    cloud: CloudSettings = field(default_factory=CloudSettings)
    ground: GroundSettings = field(default_factory=GroundSettings)
    clearing: ClearingSettings = field(default_factory=ClearingSettings)
    colormap: ColormapSettings = field(default_factory=ColormapSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth >= self.max_depth:
            values = f'min_depth is {self.min_depth} m and max_depth {self.max_depth} m'
            raise SettingsError(values, 'min_depth must be smaller')
        if self.cloud.has_height_gate and self.ground.plane_from == 'depth':
            raise SettingsError(
                'cloud.min_height and cloud.max_height are set and ground.plane_from is depth, '
                'which knows no height of its own',
                'set ground.plane_from to auto, tf or mount',
            )

    @property
    def depth_range(self) -> tuple[float, float]:
        """(min_depth, max_depth) [m]."""
        return self.min_depth, self.max_depth
