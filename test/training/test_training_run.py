"""Batches, candidates and the resumable run, on shards of a few synthetic views."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

from mono_depth_ros.core.network.compact_depth import CompactDepth
from mono_depth_ros.core.network.estimator import TorchEstimator
from training.batch_norms import fused
from training.candidates import CANDIDATES, compact_network, pretrained_network, shipped_network
from training.export import export_weights
from training.pretrained import PACKAGE, pretrained_file
from training.train import TrainingPlan, TrainingRun, parameter_groups, train
from training.view_batches import ViewBatches, augmented, canonical
from training.world.view_shards import ShardReader, StoredView, shard_stem, write_shard

SMALL = replace(CANDIDATES['from_scratch'], early=((32, 64),), late=((64, 64),))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return two shards of three views of slanted planes 1 to 4 m away."""
    for index in range(2):
        views = []
        for row in range(3):
            rgb = np.random.default_rng(row).integers(0, 255, (48, 64, 3)).astype(np.uint8)
            inverse = np.linspace(0.25, 1.0, 48, dtype=np.float32)[:, None].repeat(64, 1)
            jpeg = cv2.imencode('.jpg', rgb)[1].ravel()
            views.append(StoredView(jpeg, inverse, 50.0 + row, row, 'plane'))
        write_shard(shard_stem(tmp_path, index), views)
    return tmp_path


def test_canonical_inverse_depth_is_that_of_the_resized_image() -> None:
    inverse = np.full((48, 64), 0.5, np.float32)
    assert canonical(inverse, 60.0)[0, 0] == pytest.approx(60 / 48 * 0.5)
    assert canonical(inverse[::2, ::2], 30.0)[0, 0] == pytest.approx(60 / 48 * 0.5)


def test_a_part_of_a_view_has_the_larger_canonical_inverse_depth(folder: Path) -> None:
    shard = ShardReader(shard_stem(folder, 0))
    for seed in range(5):
        views, _ = augmented(np.random.default_rng(seed), shard, 0, (24, 32))
        for rgb, truth in views:
            assert rgb.shape == (24, 32, 3)
            assert truth.dtype == np.float32
            whole = canonical(shard.read(0)[1], 50.0)
            assert whole.max() * 0.5 < truth.max() < whole.max() / (0.6 * 0.95) + 0.05


def test_the_second_picture_lies_in_the_first_where_it_is_said_to(tmp_path: Path) -> None:
    """By a plane that slopes both ways: its depth tells the place of a pixel."""
    v, u = np.mgrid[:48, :64].astype(np.float32)
    jpeg = cv2.imencode('.jpg', np.zeros((48, 64, 3), np.uint8))[1].ravel()
    view = StoredView(jpeg, 0.25 + v / 96 + u / 256, 50.0, 0, 'plane')
    write_shard(shard_stem(tmp_path, 0), [view])
    shard = ShardReader(shard_stem(tmp_path, 0))
    for seed in range(20):
        ((_, first), (_, second)), inside = augmented(
            np.random.default_rng(seed), shard, 0, (48, 64)
        )
        left, top, width, height = inside
        rows = (top + height * (v + 0.5) / 48) * 48 - 0.5
        columns = (left + width * (u + 0.5) / 64) * 64 - 0.5
        expected = cv2.remap(
            first, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        # A part that is smaller by a factor makes canonical what is larger by it.
        np.testing.assert_allclose((second * height)[2:-2, 2:-2], expected[2:-2, 2:-2], atol=0.03)


def test_the_first_shard_is_kept_for_validation(folder: Path) -> None:
    views = ViewBatches(folder)
    assert (len(views), len(views.validation)) == (3, 1)
    rgb, truth, inside = views.batch(np.random.default_rng(0), 4, (32, 64))
    assert rgb.shape == (4, 3, 32, 64)
    assert truth.shape == (4, 32, 64)
    assert inside.shape == (2, 4)
    assert 0 <= float(rgb.min()) <= float(rgb.max()) <= 1
    view = StoredView(cv2.imencode('.jpg', np.zeros((48, 64, 3), np.uint8))[1].ravel(),
                      np.ones((48, 64), np.float32), 50.0, 0, 'k')  # fmt: skip
    write_shard(shard_stem(folder, 2), [view])
    views.refresh()
    assert len(views) == 4


def test_without_shards_the_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r'training\.render'):
        ViewBatches(tmp_path)


@pytest.mark.parametrize('name', CANDIDATES)
def test_candidates_predict_values_above_zero_at_the_size_of_the_image(name: str) -> None:
    if name == 'compact':
        pytest.importorskip(PACKAGE, reason='it holds the first weights of the encoder')
    torch.manual_seed(0)
    network = CANDIDATES[name].build()
    estimator = TorchEstimator(network, torch.device('cpu'))
    rgb = torch.randint(0, 255, (90, 131, 3), dtype=torch.uint8)
    output = estimator.predict([rgb], (90, 131), [None])[0].values
    assert output.shape == (90, 131)
    assert output.isfinite().all()
    assert output.min() >= 0
    assert sum(p.numel() for p in network.parameters()) < 4_000_000


def test_the_encoder_begins_with_the_published_weights() -> None:
    pytest.importorskip(PACKAGE, reason='it holds the first weights of the encoder')
    published = torch.load(pretrained_file(), weights_only=True)
    own = pretrained_network().encoder.state_dict()
    assert torch.equal(own['stem.0.weight'], published['_conv_stem.weight'])
    for part, theirs in (('widen.1', '_bn0'), ('filter.0', '_depthwise_conv')):
        found = own[f'blocks.7.{part}.weight']
        assert torch.equal(found, published[f'_blocks.7.{theirs}.weight'])


def test_the_fused_network_computes_the_same() -> None:
    torch.manual_seed(0)
    trained = compact_network()
    trained.train()(torch.randn(4, 3, 64, 96))  # statistics other than those it begins with
    image = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected = trained.eval()(image)
        found = fused(trained)(image)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    assert not any('running' in name for name in fused(trained).state_dict())


def test_an_encoder_that_knows_something_learns_slower() -> None:
    groups = parameter_groups(compact_network(), CANDIDATES['compact'])
    paces = {pace: sum(p.numel() for p in g['params']) for g in groups if (pace := g['pace'])}
    assert set(paces) == {0.3, 1.0}
    assert {g['weight_decay'] for g in groups} == {0.0, 0.05}


def test_a_run_ends_at_its_budget_and_goes_on_where_it_stopped(folder: Path) -> None:
    views, run_folder = ViewBatches(folder), folder / 'run'
    first = TrainingRun(run_folder, SMALL, TrainingPlan(seconds=0.01, batch=2))
    train(first, views, save_every=1)
    assert first.step == 1
    again = TrainingRun(run_folder, SMALL, TrainingPlan(seconds=first.spent + 0.01, batch=2))
    assert (again.step, again.spent) == (1, first.spent)
    for name, value in again.network.state_dict().items():
        assert torch.equal(value, first.network.state_dict()[name])
    train(again, views, save_every=1)
    assert again.step == 2
    rows = (run_folder / 'log.csv').read_text().splitlines()
    assert [row.split(',')[0] for row in rows] == ['1', '2']
    assert all(np.isfinite([float(cell) for cell in row.split(',')]).all() for row in rows)


def test_the_loss_of_one_batch_falls(folder: Path) -> None:
    views = ViewBatches(folder)
    run = TrainingRun(folder / 'run', SMALL, TrainingPlan(seconds=1e9, batch=4))
    fixed = views.batch(np.random.default_rng(0), 4, (32, 64))
    views.batch = lambda *_: fixed  # type: ignore[method-assign]
    losses = [run.advance(views) for _ in range(25)]
    assert np.mean(losses[-3:]) < 0.9 * losses[0]


def test_sizes_grow_late_in_the_budget(folder: Path) -> None:
    run = TrainingRun(folder / 'run', SMALL, TrainingPlan(seconds=100.0))
    assert run.size(np.random.default_rng(0)) == (32, 64)
    run.spent = 70.0
    assert run.size(np.random.default_rng(0)) == (64, 64)


def test_a_run_of_tiny_begins_where_the_shipped_weights_are(folder: Path) -> None:
    plan, views = TrainingPlan(seconds=100.0, batch=2), ViewBatches(folder)
    small = replace(CANDIDATES['tiny'], early=((64, 96),), late=((64, 96),))
    run = TrainingRun(folder / 'run', small, plan)
    image = torch.rand(1, 3, 64, 96)
    shipped = shipped_network().eval()
    with torch.no_grad():
        torch.testing.assert_close(run.network.train()(image), shipped(image))
    assert np.isfinite(run.advance(views))
    run.save()
    export_weights(folder / 'run', 'tiny', folder / 'out.safetensors')
    exported = CompactDepth()
    exported.load_state_dict(
        {k: v.float() for k, v in load_file(folder / 'out.safetensors').items()}
    )
    with torch.no_grad():
        torch.testing.assert_close(exported(image), run.average(image), rtol=1e-2, atol=1e-3)


def test_relative_rates_are_shares_of_what_a_parameter_is() -> None:
    network = shipped_network()
    groups = parameter_groups(network, CANDIDATES['tiny'])
    pace = {id(p): group['pace'] for group in groups for p in group['params']}
    for name, factor in (('head.weight', 1.0), ('encoder.stem.weight', 0.3)):
        parameter = network.get_parameter(name)
        size = float(parameter.detach().square().mean().sqrt())
        assert pace[id(parameter)] == pytest.approx(factor * size)
    assert min(pace.values()) == pytest.approx(0.3 * 0.02)
    assert {group['weight_decay'] for group in groups} == {0.0}


def test_gradients_in_bfloat16_point_where_those_in_float_do() -> None:
    torch.manual_seed(0)
    mixed, plain = shipped_network(), CompactDepth()
    plain.load_state_dict(mixed.state_dict())
    image = torch.rand(2, 3, 64, 96)
    with torch.autocast('cpu', torch.bfloat16):
        found = mixed(image)
    assert found.dtype == torch.float32
    expected = plain(image)
    torch.testing.assert_close(found, expected, rtol=0.1, atol=0.02)
    weight = torch.rand_like(expected)
    (found * weight).sum().backward()
    (expected * weight).sum().backward()
    ours, theirs = ([p.grad for p in network.parameters()] for network in (mixed, plain))
    assert all(gradient.dtype == torch.float32 for gradient in ours)
    alike = [
        F.cosine_similarity(a.flatten(), b.flatten(), 0) for a, b in zip(ours, theirs, strict=True)
    ]
    assert min(alike) > 0.7
    assert float(torch.stack(alike).median()) > 0.95
