"""What measures one image: what each of its sources has to say."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..errors import MonoDepthError
from ..network.predicted_frame import PredictedFrame
from .depth_measurement import DepthMeasurement
from .scale_settings import AlignmentSettings
from .sources import SOURCES

Evidence = Mapping[str, Any]
"""By source: a `DepthMeasurement`, what the source makes one of (see `Source`), or the
`MonoDepthError` that says why there is none."""


def measure(
    prediction: PredictedFrame, evidence: Evidence, settings: AlignmentSettings
) -> tuple[dict[str, DepthMeasurement], dict[str, str]]:
    """Return the measurements of an image by source, on its device, and why others have none."""
    measured: dict[str, DepthMeasurement] = {}
    reasons: dict[str, str] = {}
    for name, reading in evidence.items():
        try:
            measured[name] = _measure(name, prediction, reading, settings)
        except MonoDepthError as error:
            reasons[name] = str(error)
    return measured, reasons


def _measure(
    source: str, prediction: PredictedFrame, reading: Any, settings: AlignmentSettings
) -> DepthMeasurement:
    if isinstance(reading, MonoDepthError):
        raise reading
    if isinstance(reading, DepthMeasurement):
        measured = reading
    else:
        measured = SOURCES[source].measure(prediction, reading, settings)
    return replace(measured, inverse_depth=measured.inverse_depth.to(prediction.values.device))
