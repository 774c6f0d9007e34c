"""The ways to meters that the demo compares: what the node is told for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | float | bool

_ANY_RESIDUAL = 10.0
"""Every fit is used, however bad, so that all methods are judged on the same frames."""


@dataclass(frozen=True)
class Method:
    """One row of the table.

    Attributes:
        name: For people.
        parameters: Of the node; they may change while it runs.
    """

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)


def aligned(name: str, method: str, model: str = 'global') -> Method:
    """Return an alignment to the camera's disparity."""
    parameters: dict[str, Value] = {
        'alignment.source': 'disparity',
        'alignment.method': method,
        'alignment.model': model,
        'alignment.max_residual': _ANY_RESIDUAL,
    }
    return Method(name, parameters)


NONE = Method('none', {'alignment.source': 'none'})
ROBUST = aligned('robust', 'robust')
COMPARED = (
    NONE,
    aligned('min_max', 'min_max'),
    aligned('least_squares', 'least_squares'),
    ROBUST,
    aligned('robust + local', 'robust', 'local'),
)
