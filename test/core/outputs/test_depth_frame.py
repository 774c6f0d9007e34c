"""The range gate, and why depth is not known, as REP-117 says it."""

import numpy as np
import pytest
import torch

from mono_depth_ros.core.outputs.depth_frame import clip_range, mark_out_of_range

NAN, INF = float('nan'), float('inf')
#        inverse depth, depth within 0.5 .. 4 m, the same with reasons
TABLE = [
    (2.1, NAN, -INF),
    (2.0, 0.5, 0.5),
    (1.0, 1.0, 1.0),
    (0.25, 4.0, 4.0),
    (0.249, NAN, INF),
    (0.0, NAN, INF),
    (-0.1, NAN, INF),
    (-100.0, NAN, INF),
    (INF, NAN, -INF),
    (NAN, NAN, NAN),
]


def test_gate() -> None:
    q, depth, reasons = torch.tensor(TABLE).unbind(1)
    made = clip_range(q, 0.5, 4.0)
    np.testing.assert_allclose(made, depth, rtol=1e-6)
    np.testing.assert_allclose(mark_out_of_range(made, q, 0.5, 4.0), reasons, rtol=1e-6)
    np.testing.assert_allclose(made, depth, rtol=1e-6, err_msg='left alone')


@pytest.mark.parametrize('nearest', [0.0, 1e-3])
def test_no_near_end(nearest: float) -> None:
    q = torch.tensor([1e3, 1.0, -1.0])
    made = mark_out_of_range(clip_range(q, nearest, 10.0), q, nearest, 10.0)
    np.testing.assert_allclose(made, [1e-3, 1, INF], rtol=1e-6)
