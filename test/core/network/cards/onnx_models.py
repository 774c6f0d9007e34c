"""Small ONNX models with random weights, and cards for them.

A model takes red and blue of each pixel, weighted at random, so that what it says of a picture is
known: `raw_output`. Blue falls towards the lower edge of the picture of the self-test, as depth
does, and red grows, as inverse depth does.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

RNG = np.random.default_rng(5)
WEIGHTS = {
    'depth': np.array([0.01, 0, 1], np.float32) * RNG.uniform(1, 2),
    'inverse': np.array([1, 0, 0.01], np.float32) * RNG.uniform(1, 2),
}
"""Of red, green and blue, 0..1, by the sign of what they make."""
BIAS = 0.5
METRIC = {'rule': 'metric'}


def raw_output(rgb: np.ndarray, sign: str) -> np.ndarray:
    """Return what a model of that sign makes of colors (..., 3) 0..255."""
    return (rgb.astype(np.float64) / 255) @ WEIGHTS[sign] + BIAS


def convolution(sign: str) -> list[onnx.TensorProto]:
    """Return the weights of a 1x1 convolution."""
    weight = WEIGHTS[sign].reshape(1, 3, 1, 1)
    bias = np.array([BIAS], np.float32)
    return [numpy_helper.from_array(weight, 'w'), numpy_helper.from_array(bias, 'b')]


def save_model(
    path: Path,
    sign: str = 'depth',
    *,
    shape: tuple[Any, ...] = ('n', 3, 'h', 'w'),
    nodes: list[onnx.NodeProto] | None = None,
    weights: list[onnx.TensorProto] | None = None,
    inputs: dict[str, tuple[Any, ...]] | None = None,
    outputs: dict[str, int] | None = None,
    image_type: int = TensorProto.FLOAT,
) -> Path:
    """Write a model whose `nodes` make `depth` of `raw` (N, 1, H, W); by default it is `raw`.

    `shape` is that of its input `image`, `inputs` are others, `outputs` are all by their types.
    """
    if nodes is None:
        nodes = [helper.make_node('Identity', ['raw'], ['depth'])]
    images = [helper.make_node('Conv', ['image', 'w', 'b'], ['raw'])]
    if image_type != TensorProto.FLOAT:
        cast = helper.make_node('Cast', ['image'], ['as_float'], to=TensorProto.FLOAT)
        images = [cast, helper.make_node('Conv', ['as_float', 'w', 'b'], ['raw'])]
    graph = helper.make_graph(
        images + nodes,
        'model',
        [
            helper.make_tensor_value_info('image', image_type, shape),
            *(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)
                for name, sides in (inputs or {}).items()
            ),
        ],
        [
            helper.make_tensor_value_info(name, kind, ('n', 1, 'oh', 'ow'))
            for name, kind in (outputs or {'depth': TensorProto.FLOAT}).items()
        ],
        [*convolution(sign), *(weights or [])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def card_values(**changes: Any) -> dict[str, Any]:
    """Return the keys of a card of depth [m] at a fixed size; None takes a key away."""
    values = {
        'model': 'model.onnx',
        'license': 'MIT',
        'input': {
            'name': 'image',
            'order': 'rgb',
            'scale': '1/255',
            'mean': [0, 0, 0],
            'std': [1, 1, 1],
        },
        'size': {'fixed': [60, 80], 'fit': 'stretch'},
        'output': {'name': 'depth', 'kind': 'depth'},
        'meters': METRIC,
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def write_card(folder: Path, **changes: Any) -> str:
    """Write a card and return its path as the parameter `network`."""
    path = folder / 'card.yaml'
    path.write_text(yaml.safe_dump(card_values(**changes)))
    return str(path)
