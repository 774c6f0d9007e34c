"""A network's output in six numbers, by which it can be compared with one computed elsewhere."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ...errors import CheckpointError

_TOLERANCE = 0.02
"""Of the standard deviation. Convolutions of another GPU or library differ by 0.001 and less."""


@dataclass(frozen=True)
class Statistics:
    """What a network put out for one photograph, at the size of the photograph.

    Attributes:
        height: [px].
        width: [px].
        min: Smallest value; [m] or without unit, as the network has it.
        max: Largest.
        mean: Over all pixels.
        std: Standard deviation over all pixels.
    """

    height: int
    width: int
    min: float
    max: float
    mean: float
    std: float

    @classmethod
    def of(cls, prediction: torch.Tensor) -> 'Statistics':
        """Return those of a prediction (H, W)."""
        values = prediction.double()
        std, mean = torch.std_mean(values, correction=0)
        height, width = values.shape
        return cls(
            height, width, float(values.min()), float(values.max()), float(mean), float(std)
        )

    def agrees(self, other: 'Statistics') -> bool:
        """Say whether the other's are these, but for the arithmetic of another machine."""
        slack = _TOLERANCE * self.std
        mine, others = self._values(), other._values()
        return (self.height, self.width) == (other.height, other.width) and all(
            abs(a - b) <= slack for a, b in zip(mine, others, strict=True)
        )

    def __str__(self) -> str:
        low, high, mean, std = self._values()
        return f'min {low:.3f}, max {high:.3f}, mean {mean:.3f}, std {std:.3f}'

    def _values(self) -> tuple[float, float, float, float]:
        return self.min, self.max, self.mean, self.std


def read_statistics(path: Path) -> Mapping[str, Statistics]:
    """Return the statistics of a JSON file, by the sha256 of the photograph.

    It holds `samples`: a name -> `image_sha256`, `height`, `width`, `min`, `max`, `mean`, `std`.

    Raises:
        CheckpointError: It cannot be read, or holds something else.
    """
    try:
        samples = json.loads(path.read_text())['samples']
        return {
            str(sample['image_sha256']): Statistics(
                *(int(sample[name]) for name in ('height', 'width')),
                *(float(sample[name]) for name in ('min', 'max', 'mean', 'std')),
            )
            for sample in samples.values()
        }
    except OSError as error:
        raise CheckpointError(f'{path} cannot be read: {error.strerror}') from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f'{path} holds no statistics ({type(error).__name__}: {error}); needed are samples '
            'with image_sha256, height, width, min, max, mean and std'
        ) from error
