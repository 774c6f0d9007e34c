"""A variant in a process of its own: loaded, then timed whenever a line comes from stdin.

`python -m mono_depth_ros.cli.benchmark.variant_process VARIANT FILE`, the variant as JSON; its
prediction is written to the file. Answers are lines of JSON.
"""

import json
import os
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy as np
import torch

from ...core.camera.pinhole import PinholeCamera
from ...core.devices import find_device, find_precision, keep_freed_memory
from ...core.errors import MonoDepthError
from ...core.network.backends import find_backend, use_backend
from ...core.network.checkpoints.store import locate
from ...core.network.estimator import Estimator, TorchEstimator, load_estimator
from ...core.network.exported_file import file_name
from ...core.network.families import build_network
from ...core.network.network_settings import EstimatorSettings
from ...core.network.zipdepth import ZipDepth
from .variants import Variant

IMAGE_SIZE = (480, 640)  # (height, width) [px]
_MAX_DEPTH = 20.0  # of random weights: a relative head may be zero everywhere
_WARM_UP = 2


def main() -> int:
    """Load a variant, then answer with its time [ms] for each line."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # libraries print, too
    keep_freed_memory()
    try:
        variant = Variant(**json.loads(sys.argv[1]))
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', RuntimeWarning)  # of weights that seem untrained
            warnings.filterwarnings('error', 'backend .* is not used', RuntimeWarning)
            estimator, is_random = _estimator(variant)
        predict = _prediction_of(estimator)
        for _ in range(_WARM_UP):
            seen = predict()
    except (MonoDepthError, RuntimeWarning) as error:
        _answer(answers, error=str(error))
        return 1
    np.save(sys.argv[2], seen)
    _answer(answers, is_random=is_random, seen=estimator.network_size(*IMAGE_SIZE))
    for _ in sys.stdin:
        began = time.perf_counter()
        predict()
        ms = 1e3 * (time.perf_counter() - began)
        _answer(answers, ms=ms, peak_mb=_peak_mb())
    return 0


def _estimator(variant: Variant) -> tuple[Estimator, bool]:
    """Return the estimator, and whether its weights are random."""
    # A license binds use, and speed is none.
    own = {'network': variant.network} if variant.is_card else {'encoder': variant.network}
    if variant.is_card:
        own |= {'provider': 'openvino' if variant.backend == 'openvino' else 'auto'}
    else:
        own |= {'backend': variant.backend}
    settings = EstimatorSettings(
        accept_noncommercial=True,
        device=variant.device,
        precision=variant.precision,
        input_size=variant.input_size,
        **own,
    )
    if variant.is_card or _is_here(settings):
        return load_estimator(settings), False
    return _random(settings), True


def _is_here(settings: EstimatorSettings) -> bool:
    try:
        return locate(settings.encoder, settings.variant, '', True) is not None
    except MonoDepthError:  # never published
        return False


def _random(settings: EstimatorSettings) -> TorchEstimator:
    """Return an encoder with the same random weights in every process."""
    os.environ['XDG_CACHE_HOME'] = str(Path(sys.argv[2]).parent)  # exported for this time only
    torch.manual_seed(0)
    network = build_network(settings.encoder, 'metric_indoor', _MAX_DEPTH)
    if isinstance(network, ZipDepth):
        torch.nn.init.constant_(network.head.bias, 5.0)  # keeps the last ReLU away from zero
    device = find_device(settings.device)
    precision = find_precision(settings.precision, device)
    backend = find_backend(settings.backend, settings.encoder, device, precision)
    held = precision if backend == 'torch' else torch.float32
    estimator = TorchEstimator(network, device, held, settings.input_size)
    use_backend(estimator, backend, precision, file_name(settings.encoder, 'random', _MAX_DEPTH))
    return estimator


def _prediction_of(estimator: Estimator) -> Callable[[], Any]:
    """Return what predicts one random image and brings the result to the CPU."""
    rgb = np.random.default_rng(0).integers(0, 256, (*IMAGE_SIZE, 3), np.uint8)
    image = torch.from_numpy(rgb).to(estimator.device)
    height, width = IMAGE_SIZE
    camera = PinholeCamera.from_fov(width, height, 60.0) if estimator.needs_camera else None
    return lambda: estimator.predict([image], IMAGE_SIZE, [camera])[0].values.cpu().numpy()


def _peak_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == 'darwin' else 1e6 / 1024)


def _answer(answers: TextIO, **values: Any) -> None:
    print(json.dumps(values), file=answers, flush=True)


if __name__ == '__main__':
    # Without tearing down threads of runtimes.
    code = main()
    sys.stderr.flush()
    os._exit(code)
