"""The entries of published ZipDepth checkpoints, added up to the convolutions for inference.

In training a convolution is followed by batch normalization, and most 3x3 ones are a sum of a 3x3,
a 1x1 and the input itself (RepVGG: Ding et al., 2021). All of that is linear, so it is one.
"""

import re
from pathlib import Path

import torch

from ...errors import CheckpointError
from ..zipdepth import BLOCKS

State = dict[str, torch.Tensor]

MARK = 'encoder.stem_half.conv.weight'
"""An entry that every such file has."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_EPSILON = 1e-5  # of batch normalization, added to the variance
_EXCHANGED = 0.3  # share of the other level
_TRAINING_ONLY = re.compile(r'.*\.num_batches_tracked|.*total_(?:ops|params)')
"""Entries that serve training, or its bookkeeping, alone."""

_NORMALIZED = {
    'stem.0': ('encoder.stem_half.conv', 'encoder.stem_half.bn'),
    'stem.1': ('encoder.stem_quarter.conv', 'encoder.stem_quarter.bn'),
    'gates.1.near': ('encoder.stage2.2.branch1', 'encoder.stage2.2.bn'),
    'gates.1.gate': ('encoder.stage2.3.gate_conv.0', 'encoder.stage2.3.gate_conv.1'),
    'gates.2.hidden': ('encoder.stage3.7.transform.0', 'encoder.stage3.7.transform.1'),
    'gates.3.narrow': ('encoder.spp.cv1.conv', 'encoder.spp.cv1.bn'),
    'gates.3.join': ('encoder.spp.cv2.conv', 'encoder.spp.cv2.bn'),
    'top': ('decoder.proj4.conv', 'decoder.proj4.bn'),
    'enlarge.hidden': ('decoder.convex_up.mask_pred.0', 'decoder.convex_up.mask_pred.1'),
    **{
        f'merges.{k}.finer': (f'decoder.{name}.proj_high', f'decoder.{name}.bn')
        for k, name in enumerate(('fuse3', 'fuse2', 'fuse1', 'fuse_half'))
    },
}
_ADDED = {
    'gates.1.far': ('encoder.stage2.2.branch2', 'encoder.stage2.2.bn'),
    **{
        f'merges.{k}.coarser': (f'decoder.{name}.proj_low', f'decoder.{name}.bn')
        for k, name in enumerate(('fuse3', 'fuse2', 'fuse1', 'fuse_half'))
    },
}
"""Of a sum that is normalized: its other part has the offset."""
_PLAIN = {
    'gates.2.squeeze': 'encoder.stage3.6.fc.0',
    'gates.2.expand': 'encoder.stage3.6.fc.2',
    'gates.2.telling': 'encoder.stage3.7.context_weight',
    'gates.2.context': 'encoder.stage3.7.transform.3',
    'head': 'decoder.head_half',
    'enlarge.weights': 'decoder.convex_up.mask_pred.3',
}
_BRANCHES = {
    **{f'down.{k}': f'encoder.down{k + 2}' for k in range(3)},
    **{
        f'levels.{level}.{k}': f'encoder.stage{level + 1}.{k}'
        for level, count in enumerate(BLOCKS)
        for k in range(count)
    },
}


def from_zipdepth(path: Path, entries: State) -> State:
    """Return float32 entries of a file under the names of `ZipDepth`.

    Raises:
        CheckpointError: An entry is missing or unknown, or the picture is to be normalized
            otherwise than ours is.
    """
    published = _Published(path, entries)
    state: State = {}
    for name, (convolution, norm) in _NORMALIZED.items():
        state[f'{name}.weight'], state[f'{name}.bias'] = published.normalized(convolution, norm)
    for name, (convolution, norm) in _ADDED.items():
        state[f'{name}.weight'], _ = published.normalized(convolution, norm)
    for name, block in _BRANCHES.items():
        state[f'{name}.weight'], state[f'{name}.bias'] = published.merged(block)
    for name, convolution in _PLAIN.items():
        state[f'{name}.weight'] = published.take(f'{convolution}.weight')
        if f'{convolution}.bias' in entries:
            state[f'{name}.bias'] = published.take(f'{convolution}.bias')
    for name, other in (('up', 'low_to_high'), ('down', 'high_to_low')):
        weight = published.take(f'encoder.cross_scale.{other}.weight')
        state[f'exchange.{name}.weight'] = _EXCHANGED * weight
    published.require_normalization()
    published.require_all_taken()
    return {name: value.float() for name, value in state.items()}


class _Published:
    """Entries of a file, and which of them have been taken."""

    def __init__(self, path: Path, entries: State) -> None:
        self._path = path
        self._entries = entries
        self._left = {name for name in entries if not _TRAINING_ONLY.fullmatch(name)}

    def take(self, name: str) -> torch.Tensor:
        """Return an entry in double precision, in which sums do not lose anything."""
        if name not in self._entries:
            raise CheckpointError(f'{self._path} lacks {name} of ZipDepth', 'download it again')
        self._left.discard(name)
        return self._entries[name].double()

    def normalized(self, convolution: str, norm: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weight and bias of a convolution and the batch normalization that follows."""
        weight = self.take(f'{convolution}.weight')
        mean = self.take(f'{norm}.running_mean')
        if f'{convolution}.bias' in self._entries:
            mean = mean - self.take(f'{convolution}.bias')
        deviation = (self.take(f'{norm}.running_var') + _EPSILON).sqrt()
        gain = self.take(f'{norm}.weight') / deviation
        return weight * gain[:, None, None, None], self.take(f'{norm}.bias') - mean * gain

    def merged(self, block: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weight and bias of a block of branches, of 3x3, of 1x1, and of the input."""
        weight, bias = self.normalized(f'{block}.branch_3x3.0', f'{block}.branch_3x3.1')
        center, other_bias = self.normalized(f'{block}.branch_1x1.0', f'{block}.branch_1x1.1')
        weight[:, :, 1, 1] += center[:, :, 0, 0]
        if weight.shape[0] == weight.shape[1]:
            weight[:, :, 1, 1] += torch.eye(len(weight), dtype=weight.dtype)
        return weight, bias + other_bias

    def require_normalization(self) -> None:
        """Raise unless the file states ImageNet's mean and deviation of colors."""
        for name, ours in (('mean', _MEAN), ('std', _STD)):
            theirs = self.take(name).flatten()
            if not torch.allclose(theirs, torch.tensor(ours, dtype=theirs.dtype), atol=1e-4):
                found = ', '.join(f'{value:.4f}' for value in theirs.tolist())
                raise CheckpointError(
                    f'{self._path} normalizes colors by {name} {found}; known is {ours}'
                )

    def require_all_taken(self) -> None:
        """Raise if the file holds what no part of the network takes."""
        if self._left:
            some = ', '.join(sorted(self._left)[:3])
            raise CheckpointError(
                f'{self._path} has {len(self._left)} entries that ZipDepth does not know: {some}',
                'use zipdepth_base.pth; the NPU form of the network enlarges in another way',
            )
