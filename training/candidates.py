"""The networks that are compared: what they read, and what they return."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

from .compact_depth import CompactDepth

Size = tuple[int, int]
"""Height and width [px]."""


class CanonicalVit(nn.Module):
    """The network shipped today, made to return canonical inverse depth."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer('mean', torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.network = DepthAnything(PRESETS['tiny'])
        for module in self.network.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d) and module.kernel_size != (1, 1):
                nn.init.kaiming_normal_(module.weight, nonlinearity='relu')
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.trunc_normal_(self.network.pretrained.pos_embed, std=0.2)
        nn.init.trunc_normal_(self.network.pretrained.cls_token, std=0.2)
        last = self.network.depth_head.scratch.output_conv2[2]
        nn.init.normal_(last.weight, std=0.05)
        nn.init.ones_(last.bias)  # the final ReLU starts open

    def forward(self, rgb: torch.Tensor) -> torch.Tensor:
        """Return f / (S Z) (B, H, W) from RGB (B, 3, H, W) in 0..1; sides of multiples of 14."""
        output: torch.Tensor = self.network((rgb - self.mean) / self.std).float()
        return output


@dataclass(frozen=True)
class Candidate:
    """A network and how it is trained.

    Attributes:
        build: Returns it with random weights.
        early: Sizes of images for most of the training, the cheaper ones.
        late: Sizes of images at the end; the first is that of its use.
        multiple: Of which sides must be [px].
        rate: Peak of the learning rate.
    """

    build: Callable[[], nn.Module]
    early: tuple[Size, ...]
    late: tuple[Size, ...]
    multiple: int
    rate: float

    def predict(self, network: nn.Module, rgb: torch.Tensor) -> torch.Tensor:
        """Return canonical inverse depth (H, W) of an image (H, W, 3) uint8 of any size."""
        height, width = rgb.shape[:2]
        factor = min(self.late[0]) / min(height, width)
        size = [max(1, round(s * factor / self.multiple)) * self.multiple for s in (height, width)]
        image = rgb.permute(2, 0, 1)[None].float() / 255
        shrunk = F.interpolate(image, size=size, mode='bilinear', antialias=True).clamp(0, 1)
        with torch.inference_mode():
            output = network(shrunk.contiguous(memory_format=torch.channels_last))
        return F.interpolate(output[None], size=(height, width), mode='bilinear')[0, 0]


CANDIDATES = {
    'compact': Candidate(
        CompactDepth,
        early=((128, 160), (128, 192), (96, 128), (160, 160)),
        late=((192, 256), (192, 256), (192, 320), (192, 192), (224, 320)),
        multiple=32,
        rate=1.5e-3,
    ),
    'vit': Candidate(
        CanonicalVit,
        early=((98, 126), (98, 126), (84, 126), (98, 98)),
        late=((126, 168), (126, 168), (112, 154), (126, 126)),
        multiple=14,
        rate=7e-4,
    ),
}
