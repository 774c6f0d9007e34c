"""Load a network and say so in the log."""

import time
import warnings
from collections.abc import Callable

from rclpy.impl.rcutils_logger import RcutilsLogger

from ..core.errors import CheckpointError
from ..core.network.cards.card_reader import read_network
from ..core.network.checkpoints.store import locate
from ..core.network.estimator import Estimator, load_estimator
from ..core.network.network_settings import EstimatorSettings
from .shared_state import LoadedNetwork


def require_at_hand(settings: EstimatorSettings) -> None:
    """Raise `CheckpointError` unless the network lies on this machine."""
    if settings.network:
        read_network(settings.network).require_model()
        return
    encoder, variant = settings.encoder, settings.variant
    if locate(encoder, variant, settings.checkpoint, settings.accept_noncommercial) is None:
        raise CheckpointError(
            f'the weights of encoder {encoder}, variant {variant} are not on this machine; fetch '
            f'them with `mono_depth weights get {encoder} {variant}`, or set encoder to tiny'
        )


def load_network(
    settings: EstimatorSettings, logger: RcutilsLogger, progress: Callable[[int, int], None]
) -> tuple[Estimator, LoadedNetwork]:
    """Return a network, warmed up, and what to tell others about it.

    Args:
        settings: Which network, and where it runs.
        logger: Told what happens, warnings of the self-test included.
        progress: Called with bytes done and in total while weights are downloaded.

    Raises:
        MonoDepthError: Whatever `load_estimator` finds wrong.
    """
    began = time.monotonic()
    logger.info(f'loading {settings.label}')
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('ignore')
        warnings.simplefilter('always', RuntimeWarning)
        estimator = load_estimator(settings, progress)
    for warning in caught:
        logger.warning(str(warning.message))
    precision = str(estimator.precision).removeprefix('torch.')
    seconds = time.monotonic() - began
    runs = f'ready on {estimator.device} in {precision} by {estimator.backend}'
    logger.info(f'{runs} after {seconds:.1f} s')
    return estimator, LoadedNetwork(settings, estimator.device, precision, estimator.backend)
