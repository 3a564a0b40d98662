"""A trial of the modular engine has the same bits beside whatever it is trained, and however often it is stopped."""

from pathlib import Path

import numpy as np
import odd_code
import pytest
import torch
from specs import RATES, named
from tiny import CPU, data_of, engine_of, images, module_of, sequences, theirs

from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan import cost
from bnbench.trainer import checkpoints
from bnbench.trainer.chunk import train
from bnbench.trainer.loop import train_networks

pytestmark = pytest.mark.usefixtures("tiny_images")

DROPPED = {"name": "cnn", "channels": [4, 6], "kernel": 3, "activation": None, "dropout": 0.3}
ODD = Path(odd_code.__file__)
PERCEPTRON = {"name": "mlp", "hidden": [9, 7], "activation": None, "dropout": 0.3}
SETTINGS = {
    "cnn with dropout": images(DROPPED),
    "resnet": images("resnet"),
    "perceptron with dropout": images(PERCEPTRON),
    "LSTM of a file": sequences(),
    "network of a file": images(theirs("network", "by_bias")),
    "complex numbers of a file": images(theirs("network", "Fourier"), optimizer=named("optimizer", "adam", lr=0.01)),
    "BatchNorm layers of a file": images(theirs("network", "with_batch_norm"), norm=named("norm", "group")),
    **{
        f"{build} of a file": images(theirs("network", build, ODD), optimizer=named("optimizer", "momentum", lr=0.05))
        for build in ("Buffers", "ByChance", "Parametrized", "Assigned")
    },
}
NORMS = {
    "none": named("norm", "none"),
    "cumulative": named("norm", "batch", momentum=None),
    "ghost": named("norm", "ghost", size=3),
    "frozen": named("norm", "frozen", share=0.4),
    "population, every 4": named("norm", "population", every=4),
    "statistics of the batch": named("norm", "batch", statistics="batch"),
}
OTHERS = {
    "lbfgs": named("optimizer", "lbfgs", lr=0.3, max_iter=4),
    "lbfgs with a line search": named("optimizer", "lbfgs", max_iter=4, line_search_fn="strong_wolfe"),
    "adafactor": named("optimizer", "adafactor"),
    "muon": named("optimizer", "muon", lr=0.01),
    "muon, momentum alone": named("optimizer", "muon", lr=0.01, weight_decay_on="weights", nesterov=False),
    "adam, clipped": named("optimizer", "adam", clip=0.5, weight_decay=0.1, weight_decay_on="weights"),
    "a file's": theirs("optimizer", "Signs", lr=0.01),
    "a file's that counts": theirs("optimizer", "Counting", ODD, lr=0.01),
    "a file's that asks twice": theirs("optimizer", "TwoLooks", lr=0.01, clip=1.0),
}
OPTIMIZER = {name: named("optimizer", name, **RATES[name]) for name in OPTIMIZERS if name in RATES} | OTHERS
types = pytest.mark.parametrize("dtype", ["float32", "float64"])


def rows(setting, seeds):
    """Everything that is measured of each seed, as one array of numbers."""
    found = train(setting, seeds, data_of(setting, seeds), CPU)
    losses = [np.concatenate([values[:, i] for values in found.losses.values()]) for i in range(len(seeds))]
    counted = np.empty((len(seeds), 0)) if found.classes is None else found.classes.reshape(len(seeds), -1)
    return {seed: np.concatenate([losses[i], found.fit[i], counted[i]]) for i, seed in enumerate(seeds)}


@types
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_a_trial_has_the_same_bits_in_every_chunk_and_with_one_or_two_threads(setting, dtype, monkeypatch):
    setting = setting | {"dtype": dtype}
    expected = rows(setting, range(5))
    assert len({values.tobytes() for values in expected.values()}) == 5
    threads = torch.get_num_threads()
    try:
        for number, at_once in ((1, 5), (2, 1), (2, 2)):
            torch.set_num_threads(number)
            monkeypatch.setattr(cost, "stack_size", lambda _, at_once=at_once: at_once)
            for chunk in (range(1), range(1, 5)):
                for seed, values in rows(setting, chunk).items():
                    np.testing.assert_array_equal(values, expected[seed])
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)


def test_large_convolutions_have_the_same_bits_with_one_or_two_threads():
    network = {"name": "cnn", "channels": [32, 64], "kernel": 5, "activation": None, "dropout": 0.0}
    task = named("task", "digits", test_fraction=0.8)
    setting = images(network, task=task, batch_size=128, epochs=1, dtype="float32")
    found = []
    threads = torch.get_num_threads()
    try:
        for number in (1, 2):
            torch.set_num_threads(number)
            found.append(rows(setting, range(3, 4))[3])
    finally:
        torch.set_num_threads(threads)
    np.testing.assert_array_equal(*found)


def assert_goes_on_from_every_epoch(setting, path, seeds=(3, 8)):
    """Both seeds end in the same bits from a checkpoint of every epoch as at one go."""

    def save(epochs, state):
        header = {"count": len(seeds), "epochs": epochs, "seconds": 0.0, "devices": []}
        checkpoints._write(path / f"{epochs}.npz", header, state())

    straight = train_networks(engine_of(setting, seeds), setting, after_epoch=save)
    assert np.isfinite(straight.losses["train_loss"]).all()
    for epoch in range(1, setting["epochs"] + 1):
        state = checkpoints._read(path / f"{epoch}.npz", {"count": len(seeds)}, setting["epochs"])
        further = train_networks(engine_of(setting, seeds), setting, start=state)
        for name, values in straight.losses.items():
            np.testing.assert_array_equal(further.losses[name], values, err_msg=f"{name}, after epoch {epoch}")
        np.testing.assert_array_equal(further.fit, straight.fit)
        np.testing.assert_equal(further.classes, straight.classes)
    alone = train_networks(engine_of(setting, seeds[1:]), setting, start=state.of([1]))
    np.testing.assert_array_equal(alone.fit[0], straight.fit[1])


@types
@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_every_network_goes_on_from_every_epoch(setting, dtype, tmp_path):
    assert_goes_on_from_every_epoch(setting | {"dtype": dtype}, tmp_path)


@types
@pytest.mark.parametrize("name", OPTIMIZER)
def test_every_optimizer_goes_on_from_every_epoch(name, dtype, tmp_path):
    assert_goes_on_from_every_epoch(images(DROPPED, optimizer=OPTIMIZER[name], dtype=dtype), tmp_path)


@types
@pytest.mark.parametrize("norm", NORMS)
def test_every_arm_goes_on_from_every_epoch(norm, dtype, tmp_path):
    setting = images("resnet", norm=NORMS[norm], dtype=dtype, epochs=5, evaluate_every=2)
    assert_goes_on_from_every_epoch(setting, tmp_path)


@pytest.mark.parametrize("changes", [{"accumulate": 2}, {"schedule": named("schedule", "cosine", warmup=2)}], ids=str)
def test_steps_of_several_batches_and_schedules_go_on_from_every_epoch(changes, tmp_path):
    setting = images(DROPPED, norm=NORMS["population, every 4"], epochs=5, **changes)
    assert_goes_on_from_every_epoch(setting, tmp_path)


def test_filters_that_lie_in_memory_in_another_order_go_on_from_every_epoch(tmp_path):
    for name in ("adam", "muon"):
        (tmp_path / name).mkdir()
        setting = images(theirs("network", "channels_last"), optimizer=OPTIMIZER[name])
        assert_goes_on_from_every_epoch(setting, tmp_path / name)


def test_complex_numbers_stay_complex_in_the_precision_that_is_asked_for():
    module = module_of(engine_of(SETTINGS["complex numbers of a file"], [3]))
    types = [module.filters.dtype, module.scale.dtype, module.head.weight.dtype]
    assert types == [torch.complex128, torch.float64, torch.float64]
    assert (module.filters.imag != 0).all()
