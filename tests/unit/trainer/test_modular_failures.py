"""Networks that are trained one at a time diverge, and run out of memory, as stacked ones do."""

import numpy as np
import pytest
import torch
from specs import named
from tiny import CPU, data_of, images, sequences, theirs

from bnbench.errors import UserError
from bnbench.plan import cost
from bnbench.trainer.chunk import train
from bnbench.trainer.modular import ModularEngine, Trainee

pytestmark = pytest.mark.usefixtures("tiny_images")
SEEDS = range(3, 7)


def trained(setting, seeds=SEEDS):
    return train(setting, seeds, data_of(setting, seeds), CPU)


@pytest.fixture
def at_once(monkeypatch):
    """Have one engine train so many seeds, as on a GPU."""
    return lambda count: monkeypatch.setattr(cost, "stack_size", lambda _: count)


def rows(found, place):
    return np.concatenate([*(values[:, place] for values in found.losses.values()), found.fit[place]])


BLOWN_UP = {
    "sgd": named("optimizer", "sgd", lr=1e30),
    "sgd, clipped": named("optimizer", "sgd", lr=1e30, clip=1.0),
    "adam": named("optimizer", "adam", lr=1e30),
    "lbfgs": named("optimizer", "lbfgs", lr=1e30, max_iter=4),
    "adafactor": named("optimizer", "adafactor", lr=1e30),
    "muon": named("optimizer", "muon", lr=1e30),
    "a file's": theirs("optimizer", "Signs", lr=1e30),
}


@pytest.mark.parametrize("norm", ["none", "batch", "population"])
@pytest.mark.parametrize("optimizer", BLOWN_UP)
def test_training_that_blows_up_is_marked_and_never_fails(optimizer, norm):
    setting = images("resnet", norm=named("norm", norm), optimizer=BLOWN_UP[optimizer], dtype="float32", epochs=4)
    found = trained(setting, SEEDS[:1])
    first = found.diverged_at[0]
    if norm == "none" and optimizer != "adafactor":  # whose rate has a limit
        assert first is not None
    for values in found.losses.values():
        assert np.isfinite(values[:first]).all()
        assert first is None or np.isnan(values[first:]).all()


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_lbfgs_goes_through_epochs_of_losses_that_are_no_numbers(search, tmp_path):
    file = tmp_path / "loss.py"
    file.write_text("def lost(output, target):\n    return (output - target).square().sum(1) * float('nan')\n")
    entry = named("optimizer", "lbfgs", max_iter=4, line_search_fn=search)
    found = trained(images(optimizer=entry, loss=theirs("loss", "lost", file)))
    assert found.diverged_at == [0] * len(SEEDS)


def test_a_diverging_seed_leaves_its_neighbours_bits_alone(at_once, tmp_path):
    file = tmp_path / "nets.py"
    file.write_text(
        "import torch\n"
        "def net(norm, inputs, outputs):\n"
        "    first, last = torch.nn.Linear(72, 4), torch.nn.Linear(4, outputs)\n"
        "    if first.weight[0, 0] > 0:\n"
        "        torch.nn.init.constant_(last.weight, float('inf'))\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), first, norm(4), last)\n"
    )
    setting = images(theirs("network", "net", file))
    at_once(4)
    together = trained(setting)
    diverged = [epoch is not None for epoch in together.diverged_at]
    assert True in diverged
    assert False in diverged
    for place, seed in enumerate(SEEDS):
        alone = trained(setting, range(seed, seed + 1))
        np.testing.assert_array_equal(rows(together, place), rows(alone, 0))


@pytest.mark.parametrize("setting", [images("resnet"), sequences()], ids=["resnet", "LSTM of a file"])
@pytest.mark.parametrize("epoch", [0, 2])
def test_networks_that_do_not_fit_into_memory_are_halved_until_they_do(setting, epoch, at_once, monkeypatch, capsys):
    expected = trained(setting)
    train_epoch = ModularEngine.train_epoch

    def too_small(self, now, factor):
        if now == epoch and len(self.hashes) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return train_epoch(self, now, factor)

    monkeypatch.setattr(ModularEngine, "train_epoch", too_small)
    at_once(4)
    found = trained(setting)
    said = capsys.readouterr().err
    assert "out of memory with 4 seeds side by side; training 2 and 2 one after the other" in said
    for place in range(len(SEEDS)):
        np.testing.assert_array_equal(rows(found, place), rows(expected, place))


def test_a_network_that_does_not_fit_by_itself_is_told_of(monkeypatch):
    train_epoch = Trainee._train_epoch

    def too_small(self, *arguments):
        if len(self._train) == 2:  # the dry run
            return train_epoch(self, *arguments)
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Trainee, "_train_epoch", too_small)
    with pytest.raises(UserError, match="not even one network fits into memory: CUDA out of memory"):
        trained(sequences())
