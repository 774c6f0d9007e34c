"""What offline tests share: the embedded network, loaded once."""

import pytest

from mono_depth_ros.core.network.estimator import (
    EstimatorSettings,
    TorchEstimator,
    load_estimator,
)


@pytest.fixture(scope='session')
def tiny() -> TorchEstimator:
    """Return the embedded network on the CPU."""
    return load_estimator(EstimatorSettings('tiny', 'relative', device='cpu'))
