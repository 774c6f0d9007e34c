"""Settings of the step, composed of those that each room owns."""

from dataclasses import dataclass, replace

from .camera.image_settings import ImageSettings
from .network.checkpoints.table import EMBEDDED
from .network.network_settings import EstimatorSettings, PredictionSettings
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

    def network_for(self, estimator: EstimatorSettings) -> EstimatorSettings:
        """Return settings of the network with the variant that fits these.

        `scale` and `shift` are of a relative network, so the embedded one, which serves as both,
        is relative where they are set and its variant is left to us.
        """
        is_ours = estimator.encoder == EMBEDDED and not estimator.network
        if is_ours and estimator.variant == 'auto' and (self.scale or self.shift):
            return replace(estimator, variant='relative')
        return estimator

    def range_warning(self, estimator: EstimatorSettings) -> str:
        """Return that `max_depth` cuts off what the user raised the network's range to, or ''."""
        reach_m = self.depth_scale * (estimator.network_max_depth or 0.0)
        is_raised = self.depth_scale > 1 or estimator.checkpoint_max_depth > 0
        if not is_raised or reach_m <= self.max_depth:
            return ''
        return (
            f'the network reaches {reach_m:g} m (its maximum times depth_scale), and depth beyond '
            f'max_depth {self.max_depth:g} m is unknown; raise max_depth to {reach_m:g} to keep it'
        )
