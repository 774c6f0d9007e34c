"""Train `encoder: tiny` on the simulated world, resumable at any step.

python -m training.dataset          # render the views once
python -m training.train            # train, or go on where the last run stopped
python -m training.export           # write the weights into the package
"""

import argparse
import copy
import csv
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

from mono_depth_ros.core.network.depth_anything import PRESETS, DepthAnything

from .dataset import Views
from .loss import training_loss

Batch = tuple[torch.Tensor, torch.Tensor]
"""RGB (B, H, W, 3) uint8 and inverse depth (B, H, W) float32 [1/m]."""

_MEAN = torch.tensor([0.485, 0.456, 0.406])
_STD = torch.tensor([0.229, 0.224, 0.225])
_SMALL = ((98, 126), (98, 126), (84, 126), (98, 98))
_FULL = ((126, 168), (126, 168), (112, 154), (126, 126))
"""Sizes of the last steps; most is learned on small images, which cost half as much."""


@dataclass(frozen=True)
class Schedule:
    """Learning rate: linear warm-up, constant, linear decay to zero over the last steps."""

    steps: int
    decay: int
    warmup: int = 300
    peak: float = 1e-3

    def rate(self, step: int) -> float:
        """Return the learning rate at a step."""
        up = (step + 1) / self.warmup
        down = (self.steps - step) / self.decay
        return self.peak * max(0.0, min(1.0, up, down))

    def sizes(self, step: int) -> tuple[tuple[int, int], ...]:
        """Return the image sizes (height, width) to draw from at a step [px]."""
        return _FULL if step >= self.steps - self.decay * 3 // 2 else _SMALL

    def is_ending(self, step: int) -> bool:
        """Return whether the learning rate decays already."""
        return step >= self.steps - self.decay


def new_network() -> DepthAnything:
    """Return the network with weights to start from."""
    torch.manual_seed(0)
    network = DepthAnything(PRESETS['tiny'])
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
    nn.init.kaiming_normal_(network.pretrained.patch_embed.proj.weight, nonlinearity='linear')
    last = network.depth_head.scratch.output_conv2[2]
    nn.init.normal_(last.weight, std=0.05)
    nn.init.ones_(last.bias)  # the final ReLU starts open
    return network


def normalize(rgb: torch.Tensor) -> torch.Tensor:
    """Return (B, 3, H, W) ImageNet-normalized from (B, H, W, 3) uint8."""
    mean, std = _MEAN.to(rgb.device), _STD.to(rgb.device)
    return ((rgb / 255.0 - mean) / std).permute(0, 3, 1, 2)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether bfloat16 saves time, as it does on recent CPUs too (half of it on Zen 5)."""
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported()
    return device.type == 'cpu' and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class BatchReader:
    """Reads the batch of the next step while the network is at work on that of this one.

    Args:
        views: Where batches come from.
        size: Images in each.
        schedule: How they look at each step.
    """

    def __init__(self, views: Views, size: int, schedule: Schedule) -> None:
        self._views = views
        self._size = size
        self._schedule = schedule
        self._thread = ThreadPoolExecutor(1)
        self._coming: tuple[int, Future[Batch]] | None = None

    def batch(self, step: int) -> Batch:
        """Return the batch of a step; it depends on the step's number alone."""
        if self._coming is not None and self._coming[0] == step:
            batch = self._coming[1].result()
        else:
            batch = self._read(step)
        self._coming = step + 1, self._thread.submit(self._read, step + 1)
        return batch

    def _read(self, step: int) -> Batch:
        rng = np.random.default_rng((7, step))
        sizes = self._schedule.sizes(step)
        height, width = sizes[rng.integers(len(sizes))]
        gentle = self._schedule.is_ending(step)
        return self._views.batch(rng, self._size, height, width, gentle)


class Trainer:
    """A run in a folder: network, running average of it, optimizer, step.

    Args:
        run: The folder; a run that is in it goes on.
        device: Where to train.
        start: Weights that a new run starts from; None for random ones.
    """

    def __init__(self, run: Path, device: torch.device, start: Path | None = None) -> None:
        self.run = run
        self.device = device
        self.network = new_network().to(device)
        if start is not None:
            self.network.load_state_dict(load_file(start), strict=True)
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        decayed = [p for p in self.network.parameters() if p.ndim >= 2]
        others = [p for p in self.network.parameters() if p.ndim < 2]
        self.optimizer = torch.optim.AdamW(
            [{'params': decayed, 'weight_decay': 0.05}, {'params': others, 'weight_decay': 0.0}],
            betas=(0.9, 0.98),
        )
        self.step = 0
        self._resume()

    def _resume(self) -> None:
        path = self.run / 'state.pt'
        if path.exists():
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state['network'])
            self.average.load_state_dict(state['average'])
            self.optimizer.load_state_dict(state['optimizer'])
            self.step = state['step']
            print(f'resumed at step {self.step}')

    def save(self) -> None:
        """Write the state so that a crash while writing loses nothing."""
        self.run.mkdir(parents=True, exist_ok=True)
        partial = self.run / 'state.partial'
        torch.save(
            {
                'network': self.network.state_dict(),
                'average': self.average.state_dict(),
                'optimizer': self.optimizer.state_dict(),
                'step': self.step,
            },
            partial,
        )
        partial.rename(self.run / 'state.pt')

    def advance(self, reader: BatchReader, schedule: Schedule) -> float:
        """Take one step and return its loss."""
        rgb, truth = (x.to(self.device) for x in reader.batch(self.step))
        with torch.autocast(self.device.type, torch.bfloat16, has_fast_bfloat16(self.device)):
            prediction = self.network(normalize(rgb))
        loss = training_loss(prediction.float(), truth)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        for group in self.optimizer.param_groups:
            group['lr'] = schedule.rate(self.step)
        self.optimizer.step()
        self.step += 1
        keep = min(0.999, self.step / (self.step + 10))
        for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)
        return float(loss.detach())


def train(
    run: Path,
    reader: BatchReader,
    schedule: Schedule,
    save_every: int,
    start: Path | None,
) -> None:
    """Train to the end of the schedule, saving now and then, logging to `log.csv`."""
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    trainer = Trainer(run, device, start)
    run.mkdir(parents=True, exist_ok=True)
    losses: list[float] = []
    began = time.monotonic()
    with (run / 'log.csv').open('a', newline='') as file:
        log = csv.writer(file)
        while trainer.step < schedule.steps:
            losses.append(trainer.advance(reader, schedule))
            if trainer.step % 50 == 0:
                pace = len(losses) / (time.monotonic() - began)
                log.writerow((trainer.step, f'{np.mean(losses):.5f}', f'{pace:.3f}'))
                file.flush()
                print(f'{trainer.step} loss {np.mean(losses):.4f} {pace:.2f} steps/s', flush=True)
                losses, began = [], time.monotonic()
            if trainer.step % save_every == 0:
                trainer.save()
    trainer.save()


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='train encoder: tiny')
    parser.add_argument('--run', type=Path, default=Path('training/runs/tiny'))
    parser.add_argument('--views', type=Path, default=Path('training/runs/views'))
    parser.add_argument('--shards', type=int, default=144)
    parser.add_argument('--steps', type=int, default=26500)
    parser.add_argument('--decay', type=int, default=8000)
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--peak', type=float, default=7e-4)
    parser.add_argument('--save-every', type=int, default=250)
    parser.add_argument('--start', type=Path, help='weights to start a new run from')
    args = parser.parse_args()
    plan = Schedule(args.steps, args.decay, peak=args.peak)
    source = BatchReader(Views(args.views, args.shards), args.batch, plan)
    train(args.run, source, plan, args.save_every, args.start)
