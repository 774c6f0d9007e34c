"""Train a candidate on the furnished world, for so many hours of computing; resumable.

python -m training.train --candidate tiny --hours 8

Progress is processor time over the budget, so that candidates are compared at equal cost, whatever
else the machine does. The run's folder gets `state.pt` and `log.csv`.
"""

import argparse
import copy
import csv
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from mono_depth_ros.core.evaluation.depth_evaluation import evaluate_best_fit
from mono_depth_ros.core.network.estimator import TorchEstimator
from mono_depth_ros.core.network.families import Network

from .candidates import CANDIDATES, Candidate, Size
from .exam import exam_view
from .loss import training_loss, unsteadiness
from .view_batches import ViewBatches

_REFRESH_STEPS = 200
_KEEP = 0.997
_LEAST_SIZE = 0.02
"""Of a parameter, for relative rates: biases begin near zero."""


@dataclass(frozen=True)
class TrainingPlan:
    """How a run goes.

    Attributes:
        seconds: Budget of processor time [s].
        batch: Images a step, two of each view.
        gradient: Weight of the multi-scale gradient loss; at 0.5 it cost more than it gave.
        edge: Weight of the edge loss.
        steady: Weight of what differs between two pictures of the same.
        average: Whether the running average is what is judged.
    """

    seconds: float
    batch: int = 16
    gradient: float = 0.0
    edge: float = 0.1
    steady: float = 0.5
    average: bool = True

    def rate(self, peak: float, progress: float, step: int) -> float:
        """Return the learning rate: warm-up of 200 steps, then a half cosine to zero."""
        return peak * min(1.0, (step + 1) / 200) * 0.5 * (1 + math.cos(math.pi * min(1, progress)))


class TrainingRun:
    """A run in a folder: network, running average of it, optimizer, step, time spent.

    Args:
        folder: Of the run; one that is in it goes on.
        candidate: What is trained.
        plan: How.
    """

    def __init__(self, folder: Path, candidate: Candidate, plan: TrainingPlan) -> None:
        self.folder, self.candidate, self.plan = folder, candidate, plan
        self.device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        self._is_mixed = candidate.is_mixed and has_fast_bfloat16(self.device)
        torch.manual_seed(0)
        self.network = candidate.build().to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        groups = parameter_groups(self.network, candidate)
        self.optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        self.step, self.spent = 0, 0.0
        self._resume()

    def _resume(self) -> None:
        path = self.folder / 'state.pt'
        if path.exists():
            state = torch.load(path, map_location=self.device, weights_only=True)
            self.network.load_state_dict(state['network'])
            self.average.load_state_dict(state['average'])
            self.optimizer.load_state_dict(state['optimizer'])
            self.step, self.spent = state['step'], state['spent']
            print(f'resumed at step {self.step}, {self.spent / 3600:.2f} h', flush=True)

    def save(self) -> None:
        """Write the state so that a crash while writing loses nothing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / 'state.partial'
        state = {
            'network': self.network.state_dict(),
            'average': self.average.state_dict(),
            'optimizer': self.optimizer.state_dict(),
            'step': self.step,
            'spent': self.spent,
        }
        torch.save(state, partial)
        partial.rename(self.folder / 'state.pt')

    def size(self, rng: np.random.Generator) -> Size:
        """Return the size of the images of the next step."""
        is_late = self.spent >= self.candidate.late_from * self.plan.seconds
        sizes = self.candidate.late if is_late else self.candidate.early
        return sizes[int(rng.integers(len(sizes)))]

    def advance(self, views: ViewBatches) -> float:
        """Take one step and return its loss."""
        began = time.process_time()
        rng = np.random.default_rng((11, self.step))
        batch = views.batch(rng, self.plan.batch, self.size(rng))
        image = normalized(batch.rgb.to(self.device), self.network)
        truth, inside = batch.truth.to(self.device), batch.inside.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._is_mixed):
            prediction = self.network(image).float()
        loss = training_loss(prediction, truth, self.plan.gradient, self.plan.edge)
        loss = loss + self.plan.steady * unsteadiness(prediction, truth, inside)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        progress = self.spent / self.plan.seconds
        for group in self.optimizer.param_groups:
            peak = group['pace'] * self.candidate.rate
            group['lr'] = self.plan.rate(peak, progress, self.step)
        self.optimizer.step()
        self.step += 1
        self._follow()
        self.spent += time.process_time() - began
        return float(loss.detach())

    def _follow(self) -> None:
        """Move the running average, statistics of normalization included."""
        keep = min(_KEEP, self.step / (self.step + 10)) if self.plan.average else 0.0
        own = self.network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(own[name], 1 - keep)
            else:
                mean.copy_(own[name])

    def validate(self, views: ViewBatches, every: int = 5) -> tuple[float, float]:
        """Return AbsRel after the best fit, and in meters with the focal length known."""
        estimator = TorchEstimator(self.average, self.device)
        fitted, metric = [], []
        for shard in views.validation:
            for row in range(0, len(shard), every):
                view = exam_view(shard, row)
                rgb = view.rgb.to(self.device)
                size = rgb.shape[0], rgb.shape[1]
                output = estimator.predict([rgb], size, [None])[0].values.cpu()
                fitted.append(evaluate_best_fit(output, view.depth).metrics.abs_rel)
                depth = view.focal_px / (min(view.depth.shape) * output.clamp(min=1e-3))
                known = view.depth.isfinite()
                metric.append(float(((depth - view.depth).abs() / view.depth)[known].mean()))
        return float(np.mean(fitted)), float(np.mean(metric))


def parameter_groups(network: nn.Module, candidate: Candidate) -> list[dict[str, Any]]:
    """Return the parameters with their decay, and their pace: a factor on the learning rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        decay = 0.05 if parameter.ndim >= 2 and not candidate.is_relative else 0.0
        pace = candidate.encoder_pace if name.startswith('encoder.') else 1.0
        if candidate.is_relative:
            pace *= max(float(parameter.detach().square().mean().sqrt()), _LEAST_SIZE)
        groups.setdefault((decay, pace), []).append(parameter)
    return [{'params': p, 'weight_decay': d, 'pace': pace} for (d, pace), p in groups.items()]


def has_fast_bfloat16(device: torch.device) -> bool:
    """Return whether bfloat16 is worth it: where a processor only emulates it, it is not."""
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return 'avx512_bf16' in processor_flags()


def processor_flags() -> list[str]:
    """Return what the processor says it has; nothing where the system does not tell."""
    try:
        text = Path('/proc/cpuinfo').read_text()
    except OSError:
        return []
    flags = (line for line in text.splitlines() if line.startswith('flags'))
    return next(flags, '').split()


def normalized(rgb: torch.Tensor, network: Network) -> torch.Tensor:
    """Return images (B, 3, H, W) in 0..1 as the network takes them."""
    colors = network.sampling.mean, network.sampling.std
    mean, std = (rgb.new_tensor(color)[:, None, None] for color in colors)
    return (rgb - mean) / std


def train(run: TrainingRun, views: ViewBatches, save_every: int) -> None:
    """Train to the end of the budget, saving now and then, logging to `log.csv`."""
    run.folder.mkdir(parents=True, exist_ok=True)
    losses: list[float] = []
    with (run.folder / 'log.csv').open('a', newline='') as file:
        log = csv.writer(file)
        while run.spent < run.plan.seconds:
            losses.append(run.advance(views))
            if run.step % _REFRESH_STEPS == 0:
                views.refresh()
            if run.step % save_every == 0 or run.spent >= run.plan.seconds:
                run.save()
                scores = run.validate(views)
                row = (run.step, round(run.spent), len(views), float(np.mean(losses)), *scores)
                log.writerow([f'{cell:.5f}' if isinstance(cell, float) else cell for cell in row])
                file.flush()
                print(time.strftime('%H:%M:%S'), *row, flush=True)
                losses = []


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--candidate', choices=tuple(CANDIDATES), default='tiny')
    parser.add_argument('--run', type=Path, default=None, help='folder of the run')
    parser.add_argument('--views', type=Path, default=Path('training/runs/world'))
    parser.add_argument('--hours', type=float, default=8.0, help='of processor time')
    parser.add_argument('--batch', type=int, default=16)
    parser.add_argument('--gradient', type=float, default=0.0)
    parser.add_argument('--edge', type=float, default=0.1)
    parser.add_argument('--steady', type=float, default=0.5)
    parser.add_argument('--no-average', action='store_true')
    parser.add_argument('--save-every', type=int, default=200)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--nice', type=int, default=19)
    args = parser.parse_args()
    if args.batch < 2 or args.batch % 2:
        parser.error(f'--batch is {args.batch}; it must be even, since pictures come in pairs')
    os.nice(args.nice)
    torch.set_num_threads(args.threads)
    weights = args.gradient, args.edge, args.steady
    steps = TrainingPlan(3600 * args.hours, args.batch, *weights, not args.no_average)
    where = args.run or Path('training/runs') / args.candidate
    run, views = TrainingRun(where, CANDIDATES[args.candidate], steps), ViewBatches(args.views)
    train(run, views, args.save_every)
