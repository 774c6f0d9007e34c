"""Whether a network computes what the published one does, shown on one photograph."""

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from ..errors import CheckpointError
from ..parsing import parsing
from .checkpoints.table import resolve_variant
from .estimator import load_estimator
from .network_settings import EstimatorSettings

PHOTOGRAPH = "COCO's 000000039769.jpg"
PHOTOGRAPH_SIZE = (480, 640)  # (height, width) [px]
PHOTOGRAPH_MEANS = (((144, 77, 105), (147, 89, 105)), ((205, 100, 164), (206, 91, 154)))
"""Mean RGB of its four quarters, which identify it: decoders of JPEG differ in single bits."""
NETWORK_SIZE = (518, 686)  # of the input and the output

CORNERS = {
    'vits relative': '2.6751 2.6211 2.6571 2.582 2.6138 2.6271 2.616 2.6141 2.6306',
    'vitb relative': '4.3576 4.3723 4.3908 4.3231 4.3146 4.3611 4.3016 4.317 4.3121',
    'vits metric_indoor': '1.3349 1.2946 1.2801 1.2793 1.2337 1.2899 1.2629 1.2218 1.2476',
    'vitb metric_indoor': '1.4601 1.3824 1.4904 1.5031 1.4349 1.4274 1.457 1.4578 1.42',
    'vits metric_outdoor': '9.5804 8.0339 7.7386 7.989 7.2464 7.7149 7.7021 7.233 7.3304',
    'vitb metric_outdoor': '10.2916 9.0933 8.8622 9.1964 9.3393 9.0644 8.9618 9.4201 9.2262',
    'vits relative_v1': '8.8204 8.6468 8.6195 8.3313 8.6027 8.7526 8.6526 8.6866 8.7453',
}
"""By encoder and variant: the upper left 3x3 of the published output, row by row.

From huggingface/transformers (convert_depth_anything_to_hf.py, test_modeling_depth_anything.py),
which holds its own to 1e-4 of it; the image is resized as Pillow does it, cubic and in 8 bits.
"""

_TOLERANCE = 0.02  # relative; resizing in 8 bits differs from Pillow's by a level here and there
_MEAN_TOLERANCE = 3  # levels of 255


def check_output(encoder: str, variant: str, checkpoint: str, photograph: Path) -> str:
    """Compare the output for the photograph with the published one; return a sentence about it.

    The network runs on the CPU in fp32, so that only the weights can make a difference. The first
    three arguments are the values of the parameters of these names.

    Raises:
        MonoDepthError: The network cannot be loaded, its published output is not known, the file
            is another picture, or the output is another one.
    """
    pair = f'{encoder} {resolve_variant(encoder, variant)}'
    if pair not in CORNERS:
        raise CheckpointError(f'the output of {pair} is not known; known are {", ".join(CORNERS)}')
    rgb = _read(photograph)
    # A license binds use, and a check of the file is none.
    settings = EstimatorSettings(encoder, variant, checkpoint, True, 'cpu', 'fp32')
    # Antialiased, torch resizes as Pillow does, rounded to 8 bits; a network's own input size is
    # not resized again.
    planes = rgb.permute(2, 0, 1)[None]
    resized = F.interpolate(planes, NETWORK_SIZE, mode='bicubic', antialias=True)[0]
    estimator = load_estimator(settings)
    image = resized.permute(1, 2, 0).contiguous()
    found = estimator.predict([image], NETWORK_SIZE, [None])[0].values[:3, :3]
    expected = torch.tensor([float(value) for value in CORNERS[pair].split()]).reshape(3, 3)
    worst = float((found / expected - 1).abs().max())
    if not worst <= _TOLERANCE:
        raise CheckpointError(
            f'{photograph}: the corner of the output is {found.numpy().round(3).tolist()}; that '
            f'of the published network is {expected.numpy().round(3).tolist()}'
        )
    return f'{photograph}: output as published, its corner within {worst:.2%}'


def _read(path: Path) -> torch.Tensor:
    with parsing(path, 'picture', CheckpointError):
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise CheckpointError(f'{path} is no picture that can be read')
    rgb = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    quarters = cv2.resize(rgb, (2, 2), interpolation=cv2.INTER_AREA).astype(int)
    is_other = np.abs(quarters - PHOTOGRAPH_MEANS).max() > _MEAN_TOLERANCE
    if rgb.shape[:2] != PHOTOGRAPH_SIZE or is_other:
        raise CheckpointError(f'{path} is not {PHOTOGRAPH}, for which the output is known')
    return torch.from_numpy(rgb)
