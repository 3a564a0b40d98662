"""Fused kernels train as torch's own operations do; here by Triton's interpreter, on a GPU by the GPU."""

import atexit
import gc
import inspect
import os
import weakref
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch

if torch.cuda.is_available():
    pytest.skip("where there is a GPU, test_stacked_on_cuda.py runs the kernels themselves", allow_module_level=True)
pytest.importorskip("triton")

from specs import named, spec

from bnbench.catalogue import tasks
from bnbench.catalogue.losses import SquaredLoss
from bnbench.catalogue.norms import BatchNorm, Identity
from bnbench.catalogue.optimizers import SGD, Adam, AdamW, Momentum
from bnbench.plan import engines
from bnbench.trainer import fused, fused_kernels, objectives, triton_builds
from bnbench.trainer.chunk import train
from bnbench.trainer.devices import is_out_of_memory
from bnbench.trainer.fused import FusedEpoch
from bnbench.trainer.fused_updates import Updates
from bnbench.trainer.initialization import initial_weights, stacked
from bnbench.trainer.loop import train_networks
from bnbench.trainer.network import Network
from bnbench.trainer.optimizers import set_rate
from bnbench.trainer.stacked import StackedEngine
from bnbench.trainer.tiles import ACTIVATIONS

pytestmark = pytest.mark.filterwarnings("ignore:(divide by zero|invalid value) encountered")
CPU = torch.device("cpu")
ARMS = {
    "none": Identity(),
    "batch": BatchNorm(),
    "without γ and β": BatchNorm(affine=False, momentum=0.3, eps=1e-3),
    "without eps": BatchNorm(eps=0.0),
}
SHAPES = {  # inputs, hidden widths, sizes of the batches
    "one input": (1, (20, 33), (10, 10)),
    "one hidden layer": (1, (16,), (25, 7)),
    "three inputs": (3, (24,), (9, 9)),
    "smallest and largest batch": (1, (20,), (128, 2)),
    "several blocks": (2, (16, 70, 8), (33, 20)),
}
OPTIMIZERS = {
    "sgd": SGD(lr=0.1),
    "sgd with decay": SGD(lr=0.1, weight_decay=0.1),
    "nesterov": Momentum(lr=0.05, nesterov=True, weight_decay=0.01),
    "adam": Adam(lr=0.01),
    "amsgrad": Adam(lr=0.01, betas=(0.8, 0.99), amsgrad=True, weight_decay=0.1, eps=1e-4),
    "adamw": AdamW(lr=0.02),
}


def network(arm, inputs, hidden, activation="relu", seeds=2):
    draws = [initial_weights([inputs, *hidden, 1], arm, "independent", seed) for seed in range(seeds)]
    made = Network(stacked(draws), arm, activation, torch.float64, CPU)
    for name, values in made.parameters.items():
        if name.startswith("norm"):
            values.add_(torch.linspace(-0.5, 0.5, values.shape[2], dtype=torch.float64))
    return made


def batches(inputs, sizes, seeds=2):
    generator = torch.Generator().manual_seed(1)
    rows = torch.randn(seeds, inputs + 1, sum(sizes) + 5, generator=generator, dtype=torch.float64)
    parts = rows[:, :, : sum(sizes)].split(list(sizes), dim=2)
    return [(part[:, :inputs].transpose(1, 2), part[:, inputs:].transpose(1, 2)) for part in parts]


def torchs(entry, of):
    parameter = torch.nn.Parameter(of.flat)
    parameter.grad = of.flat_gradient
    return getattr(torch.optim, entry.torch_class)([parameter], **entry.arguments())


def plain_epoch(of, data, optimizer):
    losses = []
    for x, y in data:
        loss, gradient = objectives.differentiate(SquaredLoss(), of.forward(x), y)
        of.backward(gradient.mul_(1 / y.shape[1]))
        with torch.no_grad():
            inspect.unwrap(type(optimizer).step)(optimizer)
        losses.append(loss.mean((1, 2)))
    return torch.stack(losses).mean(0)


def assert_equal_epochs(arm, shape, entry, activation="relu", epochs=3):
    inputs, hidden, sizes = SHAPES[shape]
    data = batches(inputs, sizes)
    one, other = network(arm, inputs, hidden, activation), network(arm, inputs, hidden, activation)
    optimizer, container = torchs(entry, one), torchs(entry, other)
    epoch = FusedEpoch(other, Updates(entry, container, other, fused_kernels), data, fused_kernels)
    with torch.inference_mode():
        for number in range(epochs):
            set_rate(optimizer, entry.lr / (number + 1))
            set_rate(container, entry.lr / (number + 1))
            torch.testing.assert_close(epoch(number), plain_epoch(one, data, optimizer), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(other.flat, one.flat, rtol=1e-9, atol=1e-9)
    for kept, expected in zip(other.buffers, one.buffers, strict=True):
        torch.testing.assert_close(kept, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("arm", ARMS)
def test_epochs_equal_those_of_the_plain_network_in_double_precision(arm, shape):
    assert_equal_epochs(ARMS[arm], shape, SGD(lr=0.1))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_updates_equal_torchs_under_a_rate_that_changes(optimizer):
    assert_equal_epochs(ARMS["batch"], "three inputs", OPTIMIZERS[optimizer], epochs=5)


def test_the_identity_has_no_kink():
    assert_equal_epochs(ARMS["none"], "one input", SGD(lr=0.1), activation="identity")


def test_a_loss_that_is_not_finite_stays_so():
    data = [(x, y * float("inf")) for x, y in batches(1, (10,))]
    made = network(ARMS["batch"], 1, (16,))
    entry = Adam(lr=0.01)
    epoch = FusedEpoch(made, Updates(entry, torchs(entry, made), made, fused_kernels), data, fused_kernels)
    with torch.inference_mode(), np.errstate(all="ignore"):
        epoch(0)
        assert not epoch(1).isfinite().any()


@pytest.fixture
def interpreted(monkeypatch):
    """Settings on CUDA train by the kernels, interpreted."""
    monkeypatch.setattr(fused, "kernels_for", lambda *_: fused_kernels)


def small(**changes):
    task = named("task", "sine", points=24, test_points=10)
    sizes = {"task": task, "hidden": [20, 16], "batch_size": 10, "epochs": 3, "evaluate_every": 1}
    arm = {"norm": named("norm", "batch"), "optimizer": named("optimizer", "adam", lr=0.01)}
    return spec(**{"device": "cuda", **sizes, **arm, **changes})


def trained(setting, seeds=range(3)):
    return train(setting, seeds, [tasks.of(setting).data(seed) for seed in seeds], CPU)


@pytest.mark.usefixtures("interpreted")
def test_a_chunk_trains_as_by_torchs_operations(monkeypatch):
    setting = small()
    assert engines.fused(setting)
    found = trained(setting)
    monkeypatch.setattr(fused, "kernels_for", lambda *_: None)
    expected = trained(setting)
    assert found.hashes == expected.hashes
    for name, values in expected.losses.items():
        np.testing.assert_allclose(found.losses[name], values, rtol=2e-4, err_msg=name)


@pytest.mark.usefixtures("interpreted")
def test_training_goes_on_from_a_checkpoint_with_the_same_bits():
    setting, seeds = small(schedule=named("schedule", "cosine")), [0, 1]
    data, kept = [tasks.of(setting).data(seed) for seed in seeds], []

    def after_epoch(done, state):
        kept.extend([state()] if done == 1 else [])

    whole = train_networks(StackedEngine.of(setting, seeds, data, CPU), setting, after_epoch=after_epoch)
    resumed = train_networks(StackedEngine.of(setting, seeds, data, CPU), setting, start=kept[0])
    for name, values in whole.losses.items():
        np.testing.assert_array_equal(resumed.losses[name], values)


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_stack_gives_its_memory_back_at_once(device):
    setting = {**small(), "device": device}
    gc.collect()
    gc.disable()
    try:
        engine = StackedEngine.of(setting, [0, 1], [tasks.of(setting).data(seed) for seed in range(2)], CPU)
        engine.train_epoch(0, 1.0)
        engine.evaluate(1)
        weights = weakref.ref(engine._network.flat)
        del engine
        assert weights() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("first", ["by the kernels", "by torch"])
def test_a_checkpoint_can_be_taken_up_by_the_other_way_of_training(first, optimizer, monkeypatch):
    setting, seeds, kept = small(optimizer=named("optimizer", optimizer, lr=0.01)), [0, 1], []
    data = [tasks.of(setting).data(seed) for seed in seeds]
    ways = [lambda *_: fused_kernels, lambda *_: None]
    ways = ways if first == "by the kernels" else ways[::-1]

    def after_epoch(done, state):
        kept.extend([state()] if done == 1 else [])

    monkeypatch.setattr(fused, "kernels_for", ways[0])
    whole = train_networks(StackedEngine.of(setting, seeds, data, CPU), setting, after_epoch=after_epoch)
    monkeypatch.setattr(fused, "kernels_for", ways[1])
    resumed = train_networks(StackedEngine.of(setting, seeds, data, CPU), setting, start=kept[0])
    for name, values in whole.losses.items():
        np.testing.assert_allclose(resumed.losses[name], values, rtol=2e-4, err_msg=name)


def test_a_batch_that_is_larger_than_a_block_is_refused():
    made, entry = network(ARMS["none"], 1, (16,)), SGD(lr=0.1)
    updates = Updates(entry, torchs(entry, made), made, fused_kernels)
    with pytest.raises(ValueError, match="a batch of 130 examples, and blocks of 128 rows"):
        FusedEpoch(made, updates, batches(1, (130,)), fused_kernels)


def test_no_setting_that_is_planned_for_the_kernels_has_a_batch_larger_than_a_block():
    assert ACTIVATIONS.rows >= engines._FUSED_BATCH


def of_a_gpu(made):
    """A network whose weights seem to lie on a GPU."""
    flat = Mock(wraps=made.flat, device=torch.device("cuda", 0), dtype=made.flat.dtype)
    flat.new_zeros = lambda *shape: torch.zeros(shape, dtype=made.flat.dtype)
    return SimpleNamespace(flat=flat, widths=made.widths, parameters=made.parameters, norm=made.norm, activation="relu")


@pytest.fixture
def gpu(monkeypatch):
    """What the choice of the kernels asks of torch's CUDA; sample networks live on the CPU."""
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: None)
    real = Network.__init__
    monkeypatch.setattr(Network, "__init__", lambda self, *given: real(self, *given[:-1], CPU))
    fused._say.cache_clear()
    yield
    fused._say.cache_clear()


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("arm", ARMS)
def test_where_the_kernels_run_they_are_chosen(arm):
    made = of_a_gpu(network(ARMS[arm], 2, (20, 16)))
    assert fused.kernels_for(made, Adam(lr=0.1), batches(2, (10, 4))) is fused_kernels


@pytest.mark.usefixtures("gpu")
def test_what_keeps_any_kernel_from_being_built_is_told_once(monkeypatch, capsys):
    monkeypatch.setattr(fused_kernels, "backward", {})  # such as one that wants more memory than the GPU shares
    made = of_a_gpu(network(ARMS["batch"], 1, (20, 16)))
    for _ in range(2):
        assert fused.kernels_for(made, SGD(lr=0.1), batches(1, (10,))) is None
    assert capsys.readouterr().err.count("training with torch's own kernels, since Triton's cannot be built here") == 1


@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("said", ["Triton Error [CUDA]: out of memory", "CUDA error: out of memory"])
def test_too_little_memory_for_the_kernels_halves_the_stack(said, monkeypatch):
    def out_of_memory(*_):
        raise RuntimeError(said)

    monkeypatch.setattr(fused, "_try", out_of_memory)
    made = of_a_gpu(network(ARMS["batch"], 1, (20, 16)))
    with pytest.raises(RuntimeError, match="out of memory") as raised:
        fused.kernels_for(made, SGD(lr=0.1), batches(1, (10,)))
    assert is_out_of_memory(raised.value)


@pytest.fixture
def own_folders(monkeypatch):
    """The folders that Triton is given, which are gone after the test."""
    monkeypatch.setenv("TRITON_CACHE_DIR", "")
    monkeypatch.delenv("TRITON_CACHE_DIR")
    made = []
    monkeypatch.setattr(atexit, "register", lambda work, folder, **_: made.append(Path(folder)))
    yield made
    for folder in made:
        folder.rmdir()


def test_what_is_built_has_a_place_where_the_home_folder_cannot_be_written(monkeypatch, own_folders):
    monkeypatch.setattr(os, "access", lambda *_: False)
    triton_builds.prepare()
    triton_builds.prepare()
    assert [str(folder) for folder in own_folders] == [os.environ["TRITON_CACHE_DIR"]]
    assert own_folders[0].is_dir()


@pytest.mark.usefixtures("gpu")
def test_a_cache_that_fails_is_left_for_a_folder_of_the_job(monkeypatch, own_folders):
    real, errors = fused._try, [OSError("disk quota exceeded")]

    def failing_once(*given):
        if errors:
            raise errors.pop()
        real(*given)

    monkeypatch.setattr(fused, "_try", failing_once)
    made = of_a_gpu(network(ARMS["batch"], 1, (20, 16)))
    assert fused.kernels_for(made, SGD(lr=0.1), batches(1, (10,))) is fused_kernels
    assert len(own_folders) == 1


def test_the_reason_is_the_last_line_of_a_message():
    assert (
        triton_builds.reason(ValueError("at 35:41:\n    x = y\n    ^\nno such thing\n")) == "ValueError: no such thing"
    )
    assert triton_builds.reason(KeyError()) == "KeyError"


def test_a_cpu_trains_without_the_kernels():
    made = network(ARMS["none"], 1, (16,))
    assert fused.kernels_for(made, SGD(lr=0.1), batches(1, (10,))) is None
