"""What the node makes of a measurement, and what others make of it."""

import cv2
import numpy as np
import torch

from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.correspondences import select_correspondences
from mono_depth_ros.core.scale.depth_measurement import DepthMeasurement
from mono_depth_ros.core.scale.fusion import MetricDepth
from mono_depth_ros.core.scale.scale_estimator import ScaleEstimator
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings, ScaleSettings
from mono_depth_ros.core.scale.sources import SOURCES
from mono_depth_ros.core.types import PredictionKind

from ..alignment.rivals import least_error_line, scikit_learn
from ..distortions import filled
from .scenes import Scene

RANGE = (0.1, 80.0)
ROBUST, LOCAL, FUSED = 'robust', 'robust + local', 'fused'
MODELS = {ROBUST: 'global', LOCAL: 'local', FUSED: 'fused'}
ORACLE, WITHOUT_NETWORK = 'oracle line', 'without network'
_ORACLE_PIXELS = 4000


def estimator_of(model: str, source: str, *, may_wait: bool = False) -> ScaleEstimator:
    """Return what finds the scale in the node, at its default settings."""
    settings = ScaleSettings(alignment=AlignmentSettings(source=source, model=model))
    return ScaleEstimator(settings, PredictionKind.RELATIVE_INVERSE_DEPTH, may_wait=may_wait)


def prediction_of(scene: Scene, network: str) -> PredictedFrame:
    """Return what the network says, as the node holds it."""
    return PredictedFrame(
        scene.predictions[network], scene.color, None, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''
    )


def metric_depth(
    model: str, source: str, scene: Scene, network: str, measured: DepthMeasurement
) -> tuple[MetricDepth, str]:
    """Return the depth of the node for a single image, and why it is refused, '' if it is not."""
    prediction = prediction_of(scene, network)
    scale = estimator_of(model, source).update(1, prediction, RANGE, lambda: {source: measured})
    return scale.metric(prediction, RANGE), scale.reason_unknown


def rival_lines(
    source: str, scene: Scene, network: str, measured: DepthMeasurement
) -> dict[str, torch.Tensor]:
    """Return inverse depth (H, W) by scikit-learn's lines through the same points as ours."""
    image = scene.color if SOURCES[source].is_matched else None
    prediction = scene.predictions[network]
    points = select_correspondences(prediction, measured, RANGE, np.random.default_rng(0), image)
    lines = {name: fit(points) for name, fit in scikit_learn().items()}
    return {name: line.inverse_depth(prediction) for name, line in lines.items()}


def oracle_line(scene: Scene, network: str) -> torch.Tensor:
    """Return inverse depth (H, W) by the line with the least AbsRel to the truth."""
    known = scene.truth.isfinite()
    step = max(1, int(known.sum()) // _ORACLE_PIXELS)
    p, q = (
        values[known][::step].double().numpy()
        for values in (scene.predictions[network], scene.truth)
    )
    return least_error_line(p, q, np.full(len(p), 1 / len(p))).inverse_depth(
        scene.predictions[network]
    )


def interpolated(measured: torch.Tensor, trusted: torch.Tensor) -> torch.Tensor | None:
    """Return the measurement (H, W) without any network: linear inside, nearest outside.

    Delaunay's triangles of the trusted pixels, and in them inverse depth, which is linear in the
    image on a plane. Pixels of a border between two triangles belong to either.

    Args:
        measured: (H, W) inverse depth [1/m], NaN elsewhere.
        trusted: (H, W) bool, what is no outlier.

    Returns:
        None without SciPy or without a trusted pixel.
    """
    try:
        from scipy.spatial import Delaunay, QhullError
    except ImportError:
        return None
    known = measured.masked_fill(~trusted, torch.nan).numpy()
    v, u = np.nonzero(np.isfinite(known))
    if not len(v):
        return None
    complete = filled(known)
    places = np.stack((u, v), axis=1)
    # Triangles of pixels in rows are ambiguous; a thousandth of a pixel decides.
    shaken = places + np.random.default_rng(0).uniform(-1e-3, 1e-3, places.shape)
    try:
        mesh = Delaunay(shaken if np.ptp(v) and np.ptp(u) else places)
    except QhullError:  # all on a line
        return torch.from_numpy(complete).float()
    owner = np.full(known.shape, -1, np.int32)
    for k, corners in enumerate(places[mesh.simplices].astype(np.int32)):
        cv2.fillConvexPoly(owner, corners, k)
    inside = owner >= 0
    triangle = owner[inside]
    offset = np.argwhere(inside)[:, ::-1] - mesh.transform[triangle, 2]
    two = np.einsum('nij,nj->ni', mesh.transform[triangle, :2], offset)
    weight = np.column_stack((two, 1 - two.sum(axis=1))).clip(0, 1)
    corner_values = known[v, u][mesh.simplices[triangle]]
    complete[inside] = (weight * corner_values).sum(axis=1) / weight.sum(axis=1)
    return torch.from_numpy(complete).float()


def abs_rel(inverse_depth: torch.Tensor, scene: Scene, where: torch.Tensor) -> float:
    """Return the mean relative depth error; nothing counts as farther than the farthest truth."""
    truth = scene.truth[where]
    least = float(scene.truth[scene.truth.isfinite()].min())
    return float((truth / inverse_depth[where].clamp(min=least) - 1).abs().mean())
