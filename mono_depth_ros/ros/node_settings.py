"""Everything the node `mono_depth` can be told, in the order of its parameter table."""

from dataclasses import dataclass, field
from importlib.util import find_spec

from ..core.errors import SettingsError
from ..core.network.network_settings import EstimatorSettings
from ..core.pipeline_settings import PipelineSettings
from ..core.settings import Settings, setting, user_path


def require_snapshot_folder(path: str) -> None:
    """Require a folder that can be named; it may still have to be made.

    Raises:
        SettingsError: It is '', there is no such user, or no path can be like this.
    """
    if not path:
        raise SettingsError(
            "snapshot_folder is ''", "name a folder; '.' is the one that the node was started in"
        )
    user_path('snapshot_folder', path)


@dataclass(frozen=True)
class InputSettings(Settings):
    """What the node listens to."""

    image_transport: str = setting(
        'raw',
        'Image transport: raw, or compressed (topic <image topic>/compressed).',
        choices=('raw', 'compressed'),
        reload=True,
    )
    frame_id: str = setting(
        'camera_optical_frame', 'Frame used for images with an empty frame_id.'
    )
    max_rate: float = setting(
        0.0,
        'Maximum processing rate, by image stamp; 0 = unlimited.',
        unit='Hz',
        limits=(0.0, 1000.0),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.frame_id:
            raise SettingsError("frame_id is ''; name the optical frame of the camera")


@dataclass(frozen=True)
class PublisherSettings(Settings):
    """The form of what the node publishes and saves."""

    depth_encoding: str = setting(
        '32FC1',
        'Encoding of depth: 32FC1 (m, NaN = unknown) or 16UC1 (mm, 0 = unknown or over 65.535 m).',
        choices=('32FC1', '16UC1'),
    )
    snapshot_folder: str = setting(
        '~/.ros/mono_depth',
        'Folder for the files of the service ~/snapshot.',
        validate=require_snapshot_folder,
    )
    autostart: bool = setting(
        True,
        'Configure and activate without a lifecycle manager; read only at startup.',
        reload=True,
    )


@dataclass(frozen=True)
class MountSettings(Settings):
    """What TF is told about the camera."""

    publish_tf: bool = setting(
        False,
        'Publish the static transform from base_frame to the image frame, computed from '
        'alignment.camera_height and alignment.camera_pitch.',
    )
    base_frame: str = setting(
        'base_footprint', 'Robot frame on the floor below the camera: x forward, y left, z up.'
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.publish_tf and not self.base_frame:
            raise SettingsError("publish_tf is true and base_frame is ''; name a frame")
        if self.publish_tf and find_spec('tf2_msgs') is None:
            raise SettingsError(
                'publish_tf is true, which needs tf2_msgs: install ros-<distribution>-tf2-msgs '
                '(there is no wheel of it), or leave publish_tf false and place the camera in TF '
                'by other means'
            )


@dataclass(frozen=True)
class NodeSettings(Settings):
    """Everything the node can be told, in the order of the parameter table."""

    estimator: EstimatorSettings = field(default_factory=EstimatorSettings)
    inputs: InputSettings = field(default_factory=InputSettings)
    pipeline: PipelineSettings = field(default_factory=PipelineSettings)
    outputs: PublisherSettings = field(default_factory=PublisherSettings)
    mount: MountSettings = field(default_factory=MountSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mount.publish_tf and not self.pipeline.alignment.camera_height:
            raise SettingsError(
                'publish_tf is true and alignment.camera_height is 0.0 m, which means not set; '
                'set the height of the camera above the floor first'
            )
        self.pipeline.require_kind(self.network.kind)

    @property
    def network(self) -> EstimatorSettings:
        """Settings of the network, with the variant that the others ask for."""
        return self.pipeline.network_for(self.estimator)
