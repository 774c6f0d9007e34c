from types import SimpleNamespace

import numpy as np
import torch

from mono_depth_ros.core.camera.pinhole import PinholeCamera
from mono_depth_ros.core.network.predicted_frame import PredictedFrame
from mono_depth_ros.core.scale.disparity_source import DisparitySource
from mono_depth_ros.core.scale.scale_settings import AlignmentSettings
from mono_depth_ros.core.types import PredictionKind

WIDTH, HEIGHT, FOCAL_PX, BASELINE_M = 64, 48, 60.0, 0.1


def test_a_disparity_counts_where_the_image_has_texture() -> None:
    color = torch.full((HEIGHT, WIDTH, 3), 120, dtype=torch.uint8)
    random = torch.Generator().manual_seed(0)
    texture = torch.randint(0, 256, (HEIGHT, WIDTH // 2, 1), generator=random)
    color[:, WIDTH // 2 :] = texture.to(torch.uint8)
    camera = PinholeCamera(WIDTH, HEIGHT, FOCAL_PX, FOCAL_PX, 31.5, 23.5)
    frame = PredictedFrame(
        torch.ones(HEIGHT, WIDTH), color, camera, PredictionKind.RELATIVE_INVERSE_DEPTH, 1, ''
    )
    values = np.full((HEIGHT, WIDTH), 3.0, np.float32)
    image = SimpleNamespace(
        height=HEIGHT,
        width=WIDTH,
        encoding='32FC1',
        step=4 * WIDTH,
        is_bigendian=False,
        data=values.tobytes(),
    )
    message = SimpleNamespace(
        image=image, f=FOCAL_PX, t=BASELINE_M, min_disparity=0.0, max_disparity=63.0
    )
    measured = DisparitySource().measure(frame, message, AlignmentSettings(source='disparity'))
    inverse_depth = measured.inverse_depth
    assert bool(inverse_depth[:, :24].isnan().all())
    assert inverse_depth[:, 34:].unique().tolist() == [0.5]
