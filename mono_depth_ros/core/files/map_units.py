"""What 1 means in maps of integers, by the quantity that they hold."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from ..errors import ImageError

Quantity = Literal['depth', 'disparity', 'inverse_depth']

MILLIMETER = 0.001


@dataclass(frozen=True)
class MapUnit:
    """The unit of one quantity in files of integers.

    Attributes:
        symbol: Unit of its floats.
        of_png: What 1 means in a 16-bit PNG unless another is stated; 0 = it must be stated.
        usual: What 1 usually means, by those who write such files, for messages.
    """

    quantity: str
    symbol: str
    of_png: float
    usual: str

    def of_counts(self, name: str, bits: int, is_png: bool, stated: float | None) -> float:
        """Return what 1 means in integers of a file; of NumPy arrays nothing is assumed.

        Raises:
            ImageError: It must be stated, and is not.
        """
        if stated is not None:
            return stated
        if is_png and bits == 16 and self.of_png:
            return self.of_png
        raise ImageError(
            f'{name} holds {self.quantity} as integers of {bits} bits, and nothing says what 1 '
            f'means: usually {self.usual}',
            'state the unit, or store floats',
        )

    def described(self, stated: float | None) -> str:
        """Return a sentence about what 1 means in a PNG."""
        value = self.of_png if stated is None else stated
        source = 'the default' if stated is None else 'as stated'
        shown = Fraction(value).limit_denominator(10_000)
        exact = f'1/{shown.denominator}' if shown.numerator == 1 and shown != 1 else f'{value:g}'
        return f'1 in a 16-bit PNG of {self.quantity} is {exact} {self.symbol}, {source}'


UNITS: dict[Quantity, MapUnit] = {
    'depth': MapUnit(
        'depth',
        'm',
        MILLIMETER,
        '0.001 m (millimeters: ROS, RealSense, Kinect) or 1/5000 m (TUM)',
    ),
    'disparity': MapUnit(
        'disparity',
        'px',
        1 / 256,
        '1/16 px (StereoSGBM and StereoBM of OpenCV) or 1/256 px (KITTI)',
    ),
    'inverse_depth': MapUnit('inverse depth', '1/m', 0.0, '0.001 1/m or 1/65535 1/m'),
}
"""By the quantities that a map of integers may hold."""
