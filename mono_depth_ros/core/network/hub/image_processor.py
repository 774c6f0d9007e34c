"""How an image becomes the input of a model of transformers: its preprocessor_config.json."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...errors import SettingsError
from ..cards.card_fields import CardFields
from ..cards.normalization import require_plausible
from ..cards.placement import MOST_PX, Placement, Size
from ..preprocessing import network_size, resized

_INTERPOLATIONS = {2: 'linear', 3: 'cubic'}
"""Numbers of PIL -> of ours."""
_HALF = [0.5, 0.5, 0.5]
_COMMON = {
    'do_resize': True,
    'do_rescale': True,
    'do_normalize': True,
    'do_pad': False,
    'rescale_factor': 1 / 255,
    'image_mean': _HALF,
    'image_std': _HALF,
    'resample': 2,
    'keep_aspect_ratio': False,
    'ensure_multiple_of': 1,
    'size_divisor': None,
}
_DPT = _COMMON | {'size': {'height': 384, 'width': 384}, 'resample': 3}
_DEFAULTS: dict[str, dict[str, Any]] = {
    'DPT': _DPT,
    'PromptDepthAnything': _DPT,
    'ZoeDepth': _COMMON
    | {
        'size': {'height': 384, 'width': 512},
        'do_pad': True,
        'keep_aspect_ratio': True,
        'ensure_multiple_of': 32,
    },
    'GLPN': _COMMON | {'size': None, 'do_normalize': False, 'size_divisor': 32},
    'DepthPro': _COMMON | {'size': {'height': 1536, 'width': 1536}},
    'Tipsv2Dpt': _COMMON | {'size': {'height': 448, 'width': 448}, 'do_normalize': False},
}
"""What a processor does where its file does not say, by its class (transformers 5.24)."""
_SUFFIXES = ('Fast', 'Pil', 'ImageProcessor', 'FeatureExtractor')


@dataclass(frozen=True)
class ProcessorSize:
    """How large the input is for an image.

    Attributes:
        target: (height, width) to resize to [px]; None to leave the image as it is.
        keeps_aspect: Resize by one factor, that of the two which is nearer to 1.
        multiple: Both sides become multiples of it [px].
        padded_multiple: Both sides are padded to multiples of it [px].
        shorter: Instead of all that, what the shorter side becomes [px]; 0 if it is not set.
    """

    target: Size | None
    keeps_aspect: bool = False
    multiple: int = 1
    padded_multiple: int = 1
    shorter: int = 0

    @property
    def fixed(self) -> Size | None:
        """(height, width) of the input of whatever image [px]; None if it follows the image."""
        return None if self.keeps_aspect or self.shorter else self.target

    def place(self, height: int, width: int) -> Placement:
        """Return where an image of that size [px] lies in the input."""
        rows, columns = self._resized(height, width)
        high, wide = (
            -(-n // self.padded_multiple) * self.padded_multiple for n in (rows, columns)
        )
        return Placement(
            (rows, columns), (high, wide), (((high - rows) // 2, (wide - columns) // 2),)
        )

    def _resized(self, height: int, width: int) -> Size:
        if self.shorter:
            multiple = math.lcm(self.multiple, self.padded_multiple)
            return network_size(height, width, self.shorter, multiple)
        if self.target is None:
            rows, columns = (max(1, n // self.multiple) * self.multiple for n in (height, width))
            return rows, columns
        scales = [goal / n for goal, n in zip(self.target, (height, width), strict=True)]
        if self.keeps_aspect:
            by_height, by_width = scales
            scales = [by_width if abs(1 - by_width) < abs(1 - by_height) else by_height] * 2
        rows, columns = (
            max(1, round(scale * n / self.multiple)) * self.multiple
            for scale, n in zip(scales, (height, width), strict=True)
        )
        return rows, columns


@dataclass(frozen=True)
class ImageProcessor:
    """What is done with an image: (scale * value - mean) / std for value 0..255, RGB.

    Attributes:
        interpolation: See `resized`.
        is_reflected: Whether the image gets a border of its own reflection (ZoeDepth).
    """

    size: ProcessorSize
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    is_reflected: bool = False

    def border(self, height: int, width: int) -> Size:
        """Return the rows and columns of the border on each side of an image of that size [px]."""
        if not self.is_reflected:
            return 0, 0
        # ZoeDepth, DepthModel.infer: against artifacts at the borders.
        rows, columns = (min(n - 1, int(math.sqrt(n / 2) * 3)) for n in (height, width))
        return rows, columns

    def place(self, height: int, width: int) -> Placement:
        """Return where an image of that size [px], with its border, lies in the input."""
        rows, columns = self.border(height, width)
        return self.size.place(height + 2 * rows, width + 2 * columns)

    def inputs(self, rgb: torch.Tensor) -> torch.Tensor:
        """Return (1, 3, H, W) float32 of an image (h, w, 3) uint8, on its device."""
        height, width = rgb.shape[:2]
        placement = self.place(height, width)
        if self.is_reflected:
            for axis, (length, n) in enumerate(
                zip((height, width), self.border(height, width), strict=True)
            ):
                rgb = rgb.index_select(axis, _reflected(length, n, rgb.device))
        pixels = resized(rgb.contiguous(), placement.resized, self.interpolation)
        mean, std = (torch.tensor(row, device=rgb.device) for row in (self.mean, self.std))
        planes = torch.addcmul(-mean / std, pixels, self.scale / std).permute(2, 0, 1)
        return placement.inputs(planes, torch.zeros(3, device=rgb.device))

    def sized(self, input_size: int, where: str) -> 'ImageProcessor':
        """Return it with `input_size` as the shorter side [px]; 0 leaves it as it is.

        Raises:
            SettingsError: The input has a fixed size.
        """
        if not input_size:
            return self
        if self.size.fixed is not None:
            height, width = self.size.fixed
            raise SettingsError(
                f'input_size is {input_size} px, and the input of {where} is {width}x{height} px',
                'set input_size to 0',
            )
        return replace(self, size=replace(self.size, shorter=input_size))


def read_processor(content: Any, place: str) -> ImageProcessor:
    """Return the processor of what preprocessor_config.json holds; `place` is for messages.

    Raises:
        SettingsError: It is of a class that is not known, or does what is not done here.
    """
    named = CardFields(content, place)
    older = 'feature_extractor_type'
    is_old = named.has(older) and not named.has('image_processor_type')
    key = older if is_old else 'image_processor_type'
    name = family = named.text(key, 'save the image processor of the model there again')
    for suffix in _SUFFIXES:
        family = family.removesuffix(suffix)
    if family not in _DEFAULTS:
        known = ', '.join(f'{other}ImageProcessor' for other in _DEFAULTS)
        raise named.error(f'is for {name}, which is not known', f'known are {known}')
    stated = {key: value for key, value in content.items() if value is not None}
    fields = CardFields(_DEFAULTS[family] | stated, place)
    if fields.flag('do_center_crop', False):
        raise fields.error('has do_center_crop true, and a crop is not done', 'set it to false')
    mean: tuple[float, ...] = (0.0,) * 3
    std: tuple[float, ...] = (1.0,) * 3
    if fields.flag('do_normalize', True):
        mean, std = (fields.numbers(n, 3, 'give RGB') for n in ('image_mean', 'image_std'))
    if min(std) <= 0:
        raise fields.error(f'has image_std {list(std)}, which must be positive')
    scale = 1.0
    if fields.flag('do_rescale', True):
        scale = fields.positive('rescale_factor', 'give a factor such as 1/255')
    require_plausible(scale, mean, std, fields)
    number = fields.whole('resample', 'give 2 (bilinear) or 3 (bicubic)')
    if number not in _INTERPOLATIONS:
        raise fields.error(f'has resample {number}', 'give 2 (bilinear) or 3 (bicubic)')
    is_padded = fields.flag('do_pad', False)
    size = _read_size(fields, family, is_padded and family != 'ZoeDepth')
    is_reflected = is_padded and family == 'ZoeDepth'
    return ImageProcessor(size, scale, mean, std, _INTERPOLATIONS[number], is_reflected)


def _read_size(fields: CardFields, family: str, is_padded: bool) -> ProcessorSize:
    remedy = 'give a whole number of pixels'
    padded = _multiple(fields, 'size_divisor') if is_padded else 1
    if not fields.flag('do_resize', True):
        return ProcessorSize(None, padded_multiple=padded)
    if family == 'GLPN':
        return ProcessorSize(None, multiple=_multiple(fields, 'size_divisor'))
    both = fields.value('size', remedy)
    if isinstance(both, int):
        target = both, both
    else:
        sides = fields.section('size', remedy)
        target = sides.whole('height', remedy), sides.whole('width', remedy)
    if not 0 < min(target) <= max(target) <= MOST_PX:
        raise fields.error(f'has size {both}', f'give 1 to {MOST_PX} px')
    multiple = _multiple(fields, 'ensure_multiple_of')
    return ProcessorSize(target, fields.flag('keep_aspect_ratio', False), multiple, padded)


def _multiple(fields: CardFields, name: str) -> int:
    number = fields.whole(name, 'give a whole number of pixels')
    if number > MOST_PX:
        raise fields.error(f'has {name} {number}', f'give 1 to {MOST_PX} px')
    return number


def _reflected(length: int, border: int, device: torch.device) -> torch.Tensor:
    """Return the indices of a row and its reflection on either side, the ends not repeated."""
    index = torch.arange(-border, length + border, device=device).abs()
    return torch.minimum(index, 2 * (length - 1) - index)
