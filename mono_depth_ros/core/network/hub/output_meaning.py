"""What the output of a model of transformers means: by its class, its configuration and its id."""

from typing import NamedTuple

from ..cards.card_fields import CardFields
from ..cards.output_kind import MetersRule, OutputKind
from ..prediction import SATURATED


class OutputMeaning(NamedTuple):
    """What the output of a model is, and how it becomes meters."""

    kind: OutputKind
    meters: MetersRule
    depth_range: tuple[float, float] | None = None


_RELATIVE = OutputMeaning(OutputKind.RELATIVE_INVERSE_DEPTH, MetersRule('fit'))
_FARTHEST_M = 1000.0  # at which a head saturates; published ones at 10 to 80 m
_METRIC = OutputMeaning(OutputKind.DEPTH, MetersRule('metric'))
# Nothing in the configuration of a DPT says what it was trained for.
_DPT_IDS = {
    **dict.fromkeys(
        (
            'Intel/dpt-large',
            'Intel/dpt-hybrid-midas',
            'Intel/dpt-beit-base-384',
            'Intel/dpt-beit-large-384',
            'Intel/dpt-beit-large-512',
            'Intel/dpt-swinv2-base-384',
            'Intel/dpt-swinv2-large-384',
            'Intel/dpt-swinv2-tiny-256',
        ),
        _RELATIVE,
    ),
    # DINOv2's depth heads, trained on NYU Depth v2 and KITTI.
    **{
        f'facebook/dpt-dinov2-{size}-{data}': _METRIC
        for size in ('small', 'base', 'large', 'giant')
        for data in ('nyu', 'kitti')
    },
}
CLASSES = {
    'depth_anything': 'DepthAnythingForDepthEstimation',
    'depth_pro': 'DepthProForDepthEstimation',
    'dpt': 'DPTForDepthEstimation',
    'glpn': 'GLPNForDepthEstimation',
    'prompt_depth_anything': 'PromptDepthAnythingForDepthEstimation',
    'tipsv2_dpt': 'Tipsv2DptForDepthEstimation',
    'zoedepth': 'ZoeDepthForDepthEstimation',
}
"""Type of a model -> its class for depth."""
WHY_UNKNOWN = {
    'dpt': 'models of this class predict depth or relative inverse depth, and their configuration '
    'does not say which',
    'prompt_depth_anything': 'it refines a measured depth, which it is not given here, and '
    'without one its output has no stated relation to depth',
}
"""Type of a model -> why its class does not tell what it predicts."""


def find_meaning(model_type: str, config: CardFields, repository: str) -> OutputMeaning | None:
    """Return what a model predicts, None if that cannot be known.

    Args:
        model_type: Key of `CLASSES`, or another.
        config: What config.json holds.
        repository: Id on the hub, '' for a folder.

    Raises:
        SettingsError: The configuration states what cannot be.
    """
    if model_type == 'dpt':
        return _DPT_IDS.get(repository)
    if model_type == 'depth_anything':
        stated = config.optional_text('depth_estimation_type', 'relative', ('relative', 'metric'))
        return _RELATIVE if stated == 'relative' else _saturating(config, 1.0)
    if model_type == 'glpn':
        return _saturating(config, 10.0)
    if model_type == 'tipsv2_dpt':
        return _saturating(config, 10.0)
    if model_type == 'zoedepth':
        return _METRIC
    if model_type == 'depth_pro':
        # 1 / Z = v W / f of the image (DepthPro.infer); focal_px 0 is the width of the input.
        return OutputMeaning(OutputKind.INVERSE_DEPTH, MetersRule('canonical'))
    return None


def _saturating(config: CardFields, default: float) -> OutputMeaning:
    """Return the meaning of a head whose depth ends at `max_depth` [m] of the configuration."""
    remedy = 'give the depth at which the model saturates [m]'
    stated = config.positive('max_depth', remedy) if config.has('max_depth') else default
    if stated > _FARTHEST_M:
        raise config.error(f'has max_depth {stated:g}, probably in millimeters', remedy)
    return _METRIC._replace(depth_range=(0.0, SATURATED * stated))
