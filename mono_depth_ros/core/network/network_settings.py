"""Settings of the network, and of how its output is read."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CheckpointError, SettingsError
from ..settings import Settings, setting
from ..types import PRECISIONS, PredictionKind
from .cards.providers import BACKENDS, PROVIDERS
from .checkpoints import table

if TYPE_CHECKING:
    from .cards.network_card import NetworkCard
    from .hub.hub_card import HubCard


@dataclass(frozen=True)
class EstimatorSettings(Settings):
    """Settings of the network."""

    encoder: str = setting(
        'vits', 'Network size; tiny ships with the package.', choices=table.ENCODERS, reload=True
    )
    variant: str = setting(
        'auto',
        'Training of the weights; auto selects metric_indoor, or relative for zipdepth and vitg, '
        'and for tiny where scale is set.',
        choices=table.VARIANTS,
        reload=True,
    )
    checkpoint: str = setting(
        '', 'Local .pth or .safetensors file to use instead of the published weights.', reload=True
    )
    accept_noncommercial: bool = setting(
        False, 'Accept weights whose license forbids commercial use (CC-BY-NC-4.0).', reload=True
    )
    device: str = setting(
        'auto',
        'auto, cuda, cuda:N, mps or cpu; auto selects the first one available.',
        reload=True,
    )
    precision: str = setting(
        'auto',
        'Floating-point type of the network; auto selects fp16 on CUDA, fp32 elsewhere.',
        choices=('auto', *PRECISIONS),
        reload=True,
    )
    input_size: int = setting(
        0,
        "Shorter side of the network input; 0 selects the encoder's default (518, zipdepth: 384, "
        'tiny: 192).',
        unit='px',
        limits=(0, 2044),
        reload=True,
    )

    checkpoint_max_depth: float = setting(
        0.0,
        'Depth at which the metric network in checkpoint saturates, as it was trained; 0 = that '
        'of the variant (metric_indoor 20, metric_outdoor 80). Raise max_depth with it.',
        unit='m',
        limits=(0.0, 10000.0),
        reload=True,
    )

    network: str = setting(
        '',
        'Another network (docs/networks.md): a card as YAML, an ONNX file that holds one, or hf: '
        "and a model of transformers; '' = encoder and variant. It needs onnxruntime or "
        'transformers.',
        reload=True,
    )
    provider: str = setting(
        'auto',
        'Execution provider of ONNX Runtime, for network; auto selects cuda where it is installed '
        'and cpu elsewhere.',
        choices=('auto', *PROVIDERS),
        reload=True,
    )
    backend: str = setting(
        'auto',
        'What runs an encoder: torch, or on a CPU ONNX Runtime (onnx) or openvino. auto selects '
        'torch, but for tiny in fp32 on a CPU onnx or else openvino where installed; '
        '`mono_depth benchmark` compares them.',
        choices=('auto', *BACKENDS),
        reload=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.network:
            self._require_no_weights()
        if self.checkpoint_max_depth and not self.checkpoint:
            raise SettingsError(
                f'checkpoint_max_depth is {self.checkpoint_max_depth} m without a checkpoint',
                'published weights have their own: set it to 0.0, or set checkpoint',
            )

    def _require_no_weights(self) -> None:
        """Raise `SettingsError` for what belongs to weights of an encoder."""
        for name, usual in (('variant', 'auto'), ('checkpoint', ''), ('backend', 'auto')):
            if (value := getattr(self, name)) != usual:
                raise SettingsError(
                    f'network is {self.network!r}, and {name} is {value!r}',
                    f'leave one of them: {name} {usual!r} belongs to a network with a card',
                )

    @property
    def label(self) -> str:
        """What the network is called in the log."""
        if self.network:
            return f'network {self.network}'
        return f'encoder {self.encoder}, variant {self.variant}'

    @property
    def kind(self) -> PredictionKind:
        """Kind of its predictions; reads the card of `network`, if there is one.

        Raises:
            SettingsError: The encoder has no such variant; see `read_network` for a card.
        """
        if self.network:
            return _card(self.network).kind
        is_metric = table.is_metric(table.resolve_variant(self.encoder, self.variant))
        return PredictionKind.DEPTH if is_metric else PredictionKind.RELATIVE_INVERSE_DEPTH

    @property
    def network_max_depth(self) -> float | None:
        """Depth at which a metric network saturates [m], None for one without such a depth.

        Raises:
            SettingsError: The encoder has no such variant, or a relative one is given a maximum.
        """
        if self.network:
            limits = _card(self.network).depth_range
            return limits and limits[1]
        variant = table.resolve_variant(self.encoder, self.variant)
        own = table.max_depth(self.encoder, variant)
        if own is None and self.checkpoint_max_depth:
            why = f'encoder {self.encoder} with variant {variant} does not saturate'
            raise SettingsError(
                f'checkpoint_max_depth is {self.checkpoint_max_depth} m, and {why}',
                'set it to 0.0, or variant to metric_indoor or metric_outdoor of vits, vitb, vitl',
            )
        return self.checkpoint_max_depth or own


def _card(network: str) -> 'NetworkCard | HubCard':
    # Not above: a card needs torch, which takes seconds, and published weights need none.
    from .cards.card_reader import read_network

    try:
        return read_network(network)
    except CheckpointError as error:  # a model of transformers describes itself, where it is
        raise SettingsError(error.what, error.remedy) from error


@dataclass(frozen=True)
class PredictionSettings(Settings):
    """How the output of a network is read."""

    focal_correction: bool = setting(
        False,
        'Metric network: multiply depth by f_network / f_training to compensate for a focal '
        'length that differs from training; measure first whether it helps.',
    )

    def require_correction(self, kind: PredictionKind) -> None:
        """Raise `SettingsError` if `focal_correction` is on for a relative network."""
        if kind.is_relative and self.focal_correction:
            what = 'focal_correction is true, which belongs to a metric network'
            raise SettingsError(what, 'a relative one has no meters to correct')
