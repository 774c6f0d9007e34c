"""How many cases, and of which: drawn without chance, so that two runs are the same."""

import os

from hypothesis import HealthCheck, Phase, settings

VARIABLE = 'MONO_DEPTH_FUZZ_CASES'
CASES = int(os.environ.get(VARIABLE, '1000'))


def cases(share: float) -> settings:
    """Return the settings of a test that takes this share of all cases."""
    return settings(
        max_examples=round(CASES * share),
        derandomize=True,
        deadline=None,
        database=None,
        # The first case that fails is shown as it is: shrinking one may take minutes.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
