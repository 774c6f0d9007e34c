"""Whether the numbers that pixels are normalized with can be meant."""

from .card_fields import CardFields

_SLACK = 0.05  # of a mean beyond black and white
_SPANS = 0.1, 300.0
"""Of an input between black and white: 1 to 4.5 in published models, 255 where pixels stay as they
are; 0.004 if they are divided by 255 twice, 1,100 if they are divided by std alone."""
_REMEDY = 'mean and std are in units of what scale makes of pixels 0..255'


def require_plausible(
    scale: float, mean: tuple[float, ...], std: tuple[float, ...], fields: CardFields
) -> None:
    """Refuse numbers that mix pixels of 0..255 with those of 0..1.

    Raises:
        SettingsError: A mean lies outside of all pixels, or nearly nothing, or far too much, lies
            between black and white.
    """
    white = 255 * scale
    if min(mean) < -_SLACK * white or max(mean) > (1 + _SLACK) * white:
        what = f'has mean {list(mean)}, and pixels times scale are 0 to {white:g}'
        raise fields.error(what, _REMEDY)
    spans = [white / deviation for deviation in std]
    if not _SPANS[0] <= min(spans) <= max(spans) <= _SPANS[1]:
        raise fields.error(
            f'has std {list(std)}: with scale {scale:g} black and white differ by '
            f'{min(spans):.3g} to {max(spans):.3g}, and no network takes that',
            _REMEDY,
        )
