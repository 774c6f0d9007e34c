"""Where an image lies in the input of a network: stretched, padded, cropped or in windows."""

from dataclasses import dataclass

import torch

from ..preprocessing import network_size
from .card_fields import CardFields

Size = tuple[int, int]
MOST_PX = 4096  # of a side; a number with a typing error must not fill the memory
_FITS = ('stretch', 'pad', 'crop', 'windows')


@dataclass(frozen=True)
class Placement:
    """An image in the input of a network.

    Attributes:
        resized: (height, width) to which the image is resized [px].
        network: (height, width) of the input [px].
        offsets: (row, column) of the resized image in each input; negative where it is cut.
    """

    resized: Size
    network: Size
    offsets: tuple[tuple[int, int], ...] = ((0, 0),)

    def seen(self, output_share: tuple[float, ...]) -> Size:
        """Return (height, width) of the image by the coarser of the network's two ends [px].

        An output that is a share of the input, by (height, width), spreads an edge over more of
        the image.
        """
        rows, columns = (
            max(1, round(n * min(1.0, share)))
            for n, share in zip(self.resized, output_share, strict=True)
        )
        return rows, columns

    def share(self, output: tuple[int, ...]) -> tuple[float, ...]:
        """Return what share of the input an output of that size is, by (height, width)."""
        return tuple(out / into for out, into in zip(output, self.network, strict=True))

    def inputs(self, image: torch.Tensor, fill: torch.Tensor) -> torch.Tensor:
        """Return (N, C, *network) of an image (C, *resized), filled up with (C,)."""
        made = fill[:, None, None].repeat(len(self.offsets), 1, *self.network)
        for canvas, offset in zip(made, self.offsets, strict=True):
            there, here = self._overlap(offset)
            canvas[:, there[0], there[1]] = image[:, here[0], here[1]]
        return made

    def merged(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return (*resized) of outputs (N, *network): their mean, NaN where none of them is."""
        total, count = (torch.zeros(self.resized, device=outputs.device) for _ in range(2))
        for output, offset in zip(outputs, self.offsets, strict=True):
            there, here = self._overlap(offset)
            total[here] += output[there]
            count[here] += 1
        return total / count.where(count > 0, torch.nan)

    def _overlap(self, offset: tuple[int, int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Return the rows and columns that both have, in the input and in the image."""
        there, here = [], []
        for start, length, available in zip(offset, self.resized, self.network, strict=True):
            first, last = max(0, start), min(available, start + length)
            there.append(slice(first, last))
            here.append(slice(first - start, last - start))
        return tuple(there), tuple(here)


@dataclass(frozen=True)
class SizeRule:
    """How large the input of a network is for an image: `size` of a card.

    Attributes:
        fixed: (height, width) [px]; None if it follows from the image.
        side: `shorter` or `longer`, which side of the image becomes `length` [px].
        multiple: Both sides are multiples of it [px].
        fit: How an image gets into a fixed input: stretch, pad, crop or windows.
        color: RGB of what is padded, 0..255.
        step: Distance of windows [px].
    """

    fixed: Size | None
    side: str = 'shorter'
    length: int = 0
    multiple: int = 1
    fit: str = 'stretch'
    color: tuple[float, ...] = (0.0, 0.0, 0.0)
    step: int = 0

    def place(self, height: int, width: int) -> Placement:
        """Return where an image of that size [px] lies in the input."""
        if self.fixed is None:
            size = self._following(height, width)
            return Placement(size, size)
        if self.fit == 'stretch':
            return Placement(self.fixed, self.fixed)
        high, wide = self.fixed
        if self.fit == 'windows':
            columns = max(wide, round(width * high / height))
            starts = [*range(0, columns - wide, self.step), columns - wide]
            return Placement((high, columns), self.fixed, tuple((0, -start) for start in starts))
        choose = min if self.fit == 'pad' else max
        scale = choose(high / height, wide / width)
        # Rounding must neither stick out of a padded input nor leave a gap in a cropped one.
        rows, columns = (
            max(1, choose(round(n * scale), most)) for n, most in ((height, high), (width, wide))
        )
        return Placement(
            (rows, columns), self.fixed, (((high - rows) // 2, (wide - columns) // 2),)
        )

    def _following(self, height: int, width: int) -> Size:
        if self.side == 'shorter':
            return network_size(height, width, self.length, self.multiple)
        scale = self.length / max(height, width)

        def fitted(length: int) -> int:
            size = round(length * scale / self.multiple) * self.multiple
            return max(size - self.multiple * (size > self.length), self.multiple)

        return fitted(height), fitted(width)


def read_size(fields: CardFields) -> SizeRule:
    """Return the rule of a card."""
    remedy = 'give fixed: [height, width], or shorter or longer with multiple [px]'
    given = [name for name in ('fixed', 'shorter', 'longer') if fields.has(name)]
    if len(given) != 1:
        raise fields.error(
            f'has {" and ".join(given) or "none"} of fixed, shorter, longer', remedy
        )
    if given[0] != 'fixed':
        length, multiple = fields.whole(given[0], remedy), fields.whole('multiple', remedy)
        if length < multiple:
            raise fields.error(f'has {given[0]} {length}, less than multiple {multiple}', remedy)
        if max(length, multiple) > MOST_PX:
            raise fields.error(f'has {given[0]} {length}', f'give at most {MOST_PX} px')
        fields.finish()
        return SizeRule(None, given[0], length, multiple)
    sides = fields.numbers('fixed', 2, remedy)
    height, width = (int(n) for n in sides)
    if (height, width) != sides:
        raise fields.error(f'has fixed {list(sides)}, which must be whole numbers', remedy)
    if min(height, width) < 1 or max(height, width) > MOST_PX:
        what = f'has fixed {[height, width]}, which must be positive and at most {MOST_PX}'
        raise fields.error(what, remedy)
    fit = fields.text('fit', f'give {", ".join(_FITS)}', _FITS)
    color: tuple[float, ...] = (0.0, 0.0, 0.0)
    if fit == 'pad':
        color = fields.numbers('color', 3, 'give the RGB of the border, 0..255')
    step = fields.whole('step', 'give the distance of windows [px]') if fit == 'windows' else 0
    if step > width:
        raise fields.error(f'has step {step}, which leaves gaps', f'give at most {width}')
    fields.finish()
    return SizeRule((height, width), fit=fit, color=color, step=step)
