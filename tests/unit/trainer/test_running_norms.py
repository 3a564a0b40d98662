"""The arms that keep statistics, as modules: against PyTorch's BatchNorm, and how precise statistics are measured."""

from itertools import pairwise

import pytest
import torch
from configs import refusal
from norm_passes import SHAPES, affinities, assert_passes_like, assert_same, module, normal, passed, ranks, spread
from torch import nn

from bnbench.trainer.running_norms import PooledMoments, moments

TORCHS = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}


def torchs(rank, **options):
    """PyTorch's own layer, with the same γ and β."""
    reference = TORCHS[rank](6, **options, dtype=torch.float64)
    spread(reference)
    return reference


@ranks
@affinities
@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_batch_norm_is_torchs(rank, affine, momentum):
    options = {"affine": affine, "momentum": momentum, "eps": 1e-3}
    assert_passes_like(module("batch", **options), torchs(rank, **options), rank)


@ranks
def test_batch_norm_without_running_statistics_is_torchs(rank):
    made = module("batch", statistics="batch")
    assert_passes_like(made, torchs(rank, track_running_stats=False), rank)
    assert not made.keeps


@ranks
@pytest.mark.parametrize("momentum", [0.2, None])
def test_ghost_norm_is_torchs_batch_norm_of_each_part(rank, momentum):
    made, reference = module("ghost", size=2, momentum=momentum), torchs(rank, momentum=momentum)
    x, dy = normal(*SHAPES[rank]), normal(*SHAPES[rank], seed=2)
    found = passed(made, x, dy)
    bounds = [*range(0, len(x) - 1, 2), len(x)]  # the last example joins the part before it
    parts = [passed(reference, x[start:stop], dy[start:stop]) for start, stop in pairwise(bounds)]
    expected = {name: torch.cat([part[name] for part in parts]) for name in ("y", "x")}
    assert_same(found, {**expected, **{name: sum(part[name] for part in parts) for name in ("weight", "bias")}})
    assert_same(dict(made.named_buffers()), dict(reference.named_buffers()))
    assert made.num_batches_tracked == len(parts) == len(x) // 2


@ranks
def test_frozen_norm_is_batch_norm_and_then_an_affine_function_of_its_input(rank):
    made, reference = module("frozen", share=0.5), torchs(rank)
    x, dy = normal(*SHAPES[rank]), normal(*SHAPES[rank], seed=2)
    for progress in (0.0, 0.49):
        made.begin(progress)
        assert_same(passed(made, x, dy), passed(reference, x, dy))
    assert made.keeps
    made.begin(0.5)
    assert not made.keeps
    before = {name: values.clone() for name, values in made.named_buffers()}
    assert_same(passed(made, 3 * x, dy), passed(reference.eval(), 3 * x, dy))
    assert_same(dict(made.named_buffers()), before)


@ranks
def test_population_norm_trains_with_the_statistics_that_it_is_given(rank):
    made, reference = module("population", every=3), torchs(rank).eval()
    assert made.every == 3
    x, dy = normal(*SHAPES[rank]), normal(*SHAPES[rank], seed=2)
    mean, variance = moments(normal(*SHAPES[rank], seed=3))
    made.take(mean, variance)
    reference.running_mean.copy_(mean)
    reference.running_var.copy_(variance)
    assert_same(passed(made, x, dy), passed(reference, x, dy))


@ranks
@pytest.mark.parametrize("name", ["batch", "ghost", "frozen", "population"])
@pytest.mark.parametrize("training", [True, False])
def test_a_module_that_measures_keeps_the_exact_statistics_of_what_it_sees_and_normalizes_by_them(name, rank, training):
    made, x = module(name), normal(*SHAPES[rank])
    made.train(training)
    assert made.keeps
    made.measuring = True
    y = made(x)
    values = x.transpose(0, 1).flatten(1)
    assert_same({"mean": made.running_mean}, {"mean": values.mean(1)})
    assert_same({"variance": made.running_var}, {"variance": values.var(1, unbiased=False)})
    made.measuring = False
    assert_same({"y": made.eval()(x)}, {"y": y})


@ranks
def test_moments_of_blocks_are_those_of_the_whole_also_far_from_zero(rank):
    # At a mean of 10⁴ deviations, the difference of mean squares would keep no digit of float32.
    x = normal(*SHAPES[rank]) + 1e4
    pooled = PooledMoments()
    for block in x.float().split([2, 1, len(x) - 3]):
        pooled.add(block)
    exact = x.float().double()
    mean, variance = moments(exact)
    for found, expected, digits in zip(pooled.moments(), (mean, variance), (1e-6, 1e-3), strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=digits, atol=0)
    values = exact.transpose(0, 1).flatten(1)
    assert_same({"mean": mean, "variance": variance}, {"mean": values.mean(1), "variance": values.var(1, correction=0)})


def test_moments_of_nothing_are_refused():
    with pytest.raises(ValueError, match="no block"):
        PooledMoments().moments()


@pytest.mark.parametrize("shape", [(1, 6), (1, 6, 1)])
def test_a_batch_of_one_value_a_channel_has_no_statistics(shape):
    assert "found one value in a channel" in refusal(module("batch"), normal(*shape))
    assert torch.isfinite(module("batch").eval()(normal(*shape))).all()
