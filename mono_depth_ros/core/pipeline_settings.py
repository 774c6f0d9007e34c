"""Settings of the step, composed of those that each room owns."""

from dataclasses import dataclass

from .camera.image_settings import ImageSettings
from .network.network_settings import PredictionSettings
from .outputs.output_settings import OutputSettings
from .scale.scale_settings import ScaleSettings
from .types import PredictionKind


@dataclass(frozen=True)
class PipelineSettings(OutputSettings, ScaleSettings, PredictionSettings, ImageSettings):
    """From image to depth and points; a record of every room's settings in one flat namespace."""

    def require_kind(self, kind: PredictionKind) -> None:
        """Raise `SettingsError` for values that belong to a network of the other kind."""
        super().require_kind(kind)
        self.require_correction(kind)
