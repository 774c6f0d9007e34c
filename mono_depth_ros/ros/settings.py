"""Everything the node `mono_depth` can be told, in the order of its parameter table."""

from dataclasses import dataclass, field

from ..core.estimator import EstimatorSettings
from ..core.pipeline import PipelineSettings
from ..core.settings import Settings, setting


@dataclass(frozen=True)
class InputSettings(Settings):
    """What the node listens to."""

    image_transport: str = setting(
        'raw',
        'raw, or compressed for <image topic>/compressed.',
        choices=('raw', 'compressed'),
        reload=True,
    )
    frame_id: str = setting('camera_optical_frame', 'Frame of images whose own frame_id is empty.')
    max_rate: float = setting(
        0.0,
        'Most images worked on per second of their stamps; 0 = all.',
        unit='Hz',
        minimum=0.0,
        maximum=1000.0,
    )


@dataclass(frozen=True)
class OutputSettings(Settings):
    """The form of what the node publishes and saves."""

    depth_encoding: str = setting(
        '32FC1', '32FC1 (m, NaN unknown) or 16UC1 (mm, 0 unknown).', choices=('32FC1', '16UC1')
    )
    snapshot_folder: str = setting('~/.ros/mono_depth', 'Folder that ~/snapshot writes into.')
    autostart: bool = setting(
        True,
        'Configure and activate without a lifecycle manager; read at start only.',
        reload=True,
    )


@dataclass(frozen=True)
class NodeSettings(Settings):
    """Everything the node can be told, in the order of the parameter table."""

    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    inputs: InputSettings = field(default_factory=InputSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pipeline.require_kind(self.estimator.kind)
