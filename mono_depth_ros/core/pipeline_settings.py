"""What a user may say about the step from prediction to outputs."""

from dataclasses import dataclass, field

from .camera.mask import read_mask
from .errors import SettingsError
from .outputs.clearing import ClearingSettings
from .outputs.cloud import CloudSettings
from .outputs.colormap import ColormapSettings
from .outputs.edge_filter import EdgeFilterSettings
from .scale.alignment_settings import AlignmentSettings
from .settings import Settings, setting
from .types import AffineScale, PredictionKind


@dataclass(frozen=True)
class PipelineSettings(Settings):
    """From prediction to depth and points."""

    output_scale: float = setting(
        1.0, 'Size of all outputs relative to the input image.', minimum=0.05, maximum=1.0
    )
    depth_scale: float = setting(
        1.0,
        'Metric network: factor applied to depth; 1.1 = 10 % farther.',
        minimum=0.001,
        maximum=1000.0,
    )
    focal_correction: bool = setting(
        False,
        'Metric network: multiply depth by f_network / f_training to compensate for a focal '
        'length that differs from training; measure first whether it helps.',
    )
    scale: float = setting(
        0.0,
        'Relative network: inverse depth [1/m] = scale * prediction + shift; 0 = not set.',
        unit='1/m',
        minimum=0.0,
        maximum=1e6,
    )
    shift: float = setting(
        0.0,
        'Relative network: shift of inverse depth; see scale.',
        unit='1/m',
        minimum=-1e6,
        maximum=1e6,
    )
    min_depth: float = setting(
        0.1, 'Minimum depth; nearer pixels are unknown.', unit='m', minimum=0.0, maximum=1000.0
    )
    max_depth: float = setting(
        80.0, 'Maximum depth; farther pixels are unknown.', unit='m', minimum=0.01, maximum=10000.0
    )
    depth_invalid: str = setting(
        'nan',
        'Value of out-of-range depth in 32FC1: nan, or inf for +Inf beyond max_depth and -Inf '
        'below min_depth (REP-117; RViz cannot display it). Quote the value in YAML files.',
        choices=('nan', 'inf'),
    )
    rectify: bool = setting(
        False, 'Rectify the image with its camera_info first; required for unrectified images.'
    )
    mask: str = setting(
        '',
        'PNG aligned with the input image; depth is unknown where it is black, for instance on '
        'the robot itself or outside the image circle of a lens.',
    )
    fov_deg: float = setting(
        0.0,
        'Horizontal field of view to assume without a usable camera_info; 0 = never assume one.',
        unit='deg',
        minimum=0.0,
        maximum=179.0,
    )
    alignment: AlignmentSettings = field(default_factory=AlignmentSettings)
    edge_filter: EdgeFilterSettings = field(default_factory=EdgeFilterSettings)
    cloud: CloudSettings = field(default_factory=CloudSettings)
    clearing: ClearingSettings = field(default_factory=ClearingSettings)
    colormap: ColormapSettings = field(default_factory=ColormapSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_depth >= self.max_depth:
            raise SettingsError(
                f'min_depth is {self.min_depth} m and max_depth {self.max_depth} m; '
                'min_depth must be smaller'
            )
        if self.colormap.near >= self.colormap.far:
            raise SettingsError(
                f'colormap.near is {self.colormap.near} m and colormap.far '
                f'{self.colormap.far} m; near must be smaller'
            )
        if self.mask:
            read_mask(self.mask)

    def require_kind(self, kind: PredictionKind) -> None:
        """Refuse what does not belong to a network of this kind.

        Raises:
            SettingsError: `scale` or `shift` is set for a metric network, or `depth_scale` or
                `focal_correction` for a relative one.
        """
        if kind is PredictionKind.DEPTH and (self.scale or self.shift):
            raise SettingsError(
                f'scale is {self.scale} and shift {self.shift}, which belong to a relative '
                'network; for a metric one use depth_scale'
            )
        if kind is PredictionKind.RELATIVE_INVERSE_DEPTH and self.depth_scale != 1:
            raise SettingsError(
                f'depth_scale is {self.depth_scale}, which belongs to a metric network; for a '
                'relative one use scale and shift'
            )

        if kind is PredictionKind.RELATIVE_INVERSE_DEPTH and self.focal_correction:
            raise SettingsError(
                'focal_correction is true, which belongs to a metric network; a relative one has '
                'no meters to correct'
            )

    def manual_alignment(self) -> AffineScale | None:
        """Return the user's scale and shift of a relative network, None if not set."""
        return AffineScale(self.scale, self.shift) if self.scale > 0 else None
