"""The networks that are compared, and how each is trained."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.depth_anything import DepthAnything, Preset
from mono_depth_ros.core.network.families import Network

from .batch_norms import normalized_convolution
from .mixed_precision import mixed_network
from .pretrained import load_pretrained

Size = tuple[int, int]
"""Height and width [px]."""
SMALL_VIT = Preset('vit', 192, 6, 3, 32, (24, 48, 96, 96), (1, 2, 4, 5), input_size=126, hidden=16)
"""A Depth Anything of 3.2 million parameters, the first `tiny`."""


def compact_network() -> CompactDepth:
    """Return the embedded network with random weights."""
    return CompactDepth(convolution=normalized_convolution)


def pretrained_network() -> CompactDepth:
    """Return it with an encoder that knows the objects of photographs."""
    network = compact_network()
    load_pretrained(network)
    return network


def shipped_network() -> CompactDepth:
    """Return it where the weights of the package are, without normalization."""
    network = mixed_network()
    weights = load_file(Path(str(resources.files('mono_depth_ros'))) / 'weights/tiny.safetensors')
    network.load_state_dict({name: value.float() for name, value in weights.items()})
    return network


def vit_network() -> DepthAnything:
    """Return a small vision transformer with random weights."""
    network = DepthAnything(SMALL_VIT)
    for module in network.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
            nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    nn.init.trunc_normal_(network.pretrained.pos_embed, std=0.2)
    nn.init.trunc_normal_(network.pretrained.cls_token, std=0.2)
    last = network.depth_head.scratch.output_conv2[2]
    nn.init.normal_(last.weight, std=0.05)
    nn.init.ones_(last.bias)  # the final ReLU starts open
    return network


@dataclass(frozen=True)
class Candidate:
    """A network and how it is trained.

    Attributes:
        build: Returns it with its first weights.
        early: Sizes of images for most of the training, the cheaper ones.
        late: Sizes of images at the end; the first is that of its use.
        late_from: Share of the budget from which they have those.
        rate: Peak of the learning rate.
        encoder_pace: Factor on the rate of the encoder, which may know something already.
        is_relative: Whether the rate is a share of what a parameter is (its root mean square, as
            in Adafactor, Shazeer and Stern, 2018): where normalization was merged away, those of
            one layer are 100 times those of another.
        is_mixed: Whether it trains in bfloat16 where the processor has instructions for it.
    """

    build: Callable[[], Network]
    early: tuple[Size, ...]
    late: tuple[Size, ...]
    rate: float
    encoder_pace: float = 1.0
    late_from: float = 0.65
    is_relative: bool = False
    is_mixed: bool = False


_EARLY = ((128, 160), (128, 192), (96, 128), (160, 160))
_LATE = ((192, 256), (192, 256), (192, 320), (192, 192), (224, 320))

CANDIDATES = {
    'compact': Candidate(pretrained_network, _EARLY, _LATE, 1.2e-3, encoder_pace=0.3),
    'tiny': Candidate(
        *(shipped_network, _EARLY, _LATE, 5e-3),
        encoder_pace=0.3,
        late_from=0.0,
        is_relative=True,
        is_mixed=True,
    ),
    'from_scratch': Candidate(compact_network, _EARLY, _LATE, 1.2e-3),
    'vit': Candidate(
        vit_network,
        early=((98, 126), (98, 126), (84, 126), (98, 98)),
        late=((126, 168), (126, 168), (112, 154), (126, 126)),
        rate=7e-4,
    ),
}
