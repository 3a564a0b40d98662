"""One source of randomness varied alone: what two seeds then share, and that a trial is the same in every chunk."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from specs import named, spec

from bnbench import streams, train
from bnbench.catalogue import split_tasks, tasks
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.trainer import draws, initialization, orders, stacked

NOISY = named("task", "sine", points=40, test_points=10, noise=0.5)
COLUMNS = ["train_loss", "eval_loss", "test_loss", "test_loss_precise"]


def small(**changes):
    return spec(**{"task": NOISY, "hidden": [5], "batch_size": 15, "epochs": 4, "evaluate_every": 2, **changes})


def trained(setting, first, count, folder):
    """The losses of every epoch by seed, and the trials, of one chunk that nothing was there of."""
    chunk = Chunk(Setting.from_spec(setting), first, count)
    train.run(chunk, folder, threads=1)
    losses, trials = (pd.read_parquet(next((folder / kind).rglob("*.parquet"))) for kind in ("losses", "trials"))
    return {seed: rows[COLUMNS].to_numpy() for seed, rows in losses.groupby("seed")}, trials.set_index("seed")


@pytest.fixture
def seen(monkeypatch):
    """What the networks are trained on, [seeds, inputs + outputs, examples] in the order of each epoch in turn."""
    epochs = []

    class Watched(stacked._Examples):
        def shuffle(self):
            super().shuffle()
            epochs.append(self._ordered.clone())

    monkeypatch.setattr(stacked, "_Examples", Watched)
    return epochs


@pytest.mark.parametrize("init", ["independent", "sequential"])
@pytest.mark.parametrize("task", [NOISY, named("task", "diabetes", test_fraction=0.9)], ids=["noise", "split"])
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 10**6), min_size=2, max_size=2), st.sampled_from([*streams.SOURCES]))
def test_two_seeds_differ_in_the_source_that_varies_and_in_no_other(tmp_path_factory, seen, task, init, pair, source):
    one, other = sorted(pair)
    setting = small(seed_varies=source, task=task, init=init, validation=0.2)
    firsts, hashes = [], []
    for seed in (one, other):
        seen.clear()
        _, trials = trained(setting, seed, 1, tmp_path_factory.mktemp("chunk"))
        hashes.append(trials["weights_hash"][seed])
        firsts.append(torch.stack([epoch[0] for epoch in seen]))
    ordered = [np.sort(epochs.numpy(), axis=2) for epochs in firsts]
    assert (hashes[0] != hashes[1]) == (source == "weights")
    assert np.array_equal(*ordered) == (source != "data")
    assert torch.equal(*firsts) == (source == "weights")


def test_every_role_belongs_to_one_source_and_follows_its_seed(monkeypatch, tmp_path):
    drawn = []

    def watched(seed, role):
        drawn.append((seed, role))
        return streams.stream(seed, role)

    for module in (split_tasks, tasks, orders, initialization, draws):
        monkeypatch.setattr(module, "stream", watched)
    for varied in (streams.ALL, *streams.SOURCES):
        drawn.clear()
        setting = small(seed_varies=varied, validation=0.2)
        for dropout in (0.0, 0.3):
            network = {"name": "mlp", "hidden": None, "activation": None, "dropout": dropout}
            trained(setting | {"network": network}, 7, 2, tmp_path / varied / str(dropout))
        roles = {role.split(".")[0] for _, role in drawn}
        assert roles == {role for those in streams.SOURCES.values() for role in those}
        for seed, role in drawn:
            (source,) = (name for name, those in streams.SOURCES.items() if role.split(".")[0] in those)
            assert seed in ((7, 8) if varied in (streams.ALL, source) else (streams.FIXED,))


@pytest.mark.parametrize("norm", ["none", "batch", "ghost"])
@pytest.mark.parametrize("source", streams.SOURCES)
def test_a_trial_has_the_same_bits_in_every_chunk_whatever_varies(source, norm, tmp_path):
    setting = small(seed_varies=source, norm=named("norm", norm))
    together, _ = trained(setting, 0, 6, tmp_path / "together")
    for first, count in ((0, 1), (1, 2), (3, 3)):
        apart, _ = trained(setting, first, count, tmp_path / str(first))
        for seed, losses in apart.items():
            np.testing.assert_array_equal(losses, together[seed])
    assert len({losses.tobytes() for losses in together.values()}) == 6


@pytest.mark.parametrize("source", streams.SOURCES)
def test_the_first_seed_is_the_same_trial_whatever_varies(source, tmp_path):
    everything, trials = trained(small(), 0, 3, tmp_path / "all")
    alone, of_source = trained(small(seed_varies=source), 0, 3, tmp_path / "alone")
    np.testing.assert_array_equal(alone[streams.FIXED], everything[streams.FIXED])
    assert not np.array_equal(alone[1], everything[1])
    same_weights = (of_source["weights_hash"] == trials["weights_hash"]).tolist()
    assert same_weights == [True, source == "weights", source == "weights"]


def test_arms_share_all_streams_whatever_varies(tmp_path, seen):
    for source in streams.SOURCES:
        found = []
        for norm in ("none", "batch"):
            seen.clear()
            setting = small(seed_varies=source, norm=named("norm", norm))
            _, trials = trained(setting, 3, 2, tmp_path / source / norm)
            found.append((trials["weights_hash"].tolist(), torch.stack(seen)))
        assert found[0][0] == found[1][0]
        assert torch.equal(found[0][1], found[1][1])
