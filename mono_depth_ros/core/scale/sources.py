"""The registry of sources: value of `alignment.source` -> object. Add a row for a new source."""

from .depth_source import DepthSource
from .disparity_source import DisparitySource
from .ground_source import GroundSource
from .points_source import PointsSource
from .range_source import RangeSource
from .scan_source import ScanSource
from .source import Source

SOURCES: dict[str, Source] = {
    'none': Source(),
    'disparity': DisparitySource(),
    'depth': DepthSource(),
    'ground': GroundSource(),
    'points': PointsSource(),
    'scan': ScanSource(),
    'range': RangeSource(),
}
