"""The updates that a CUDA graph can hold, run on a CPU: the same numbers, and nothing that a graph could not do."""

import inspect
import sys

import numpy as np
import pytest
import torch
from on_devices import ELEMENTWISE, OPTIONS, SCHEDULES_SET, optimizer
from specs import named, spec
from tiny import engine_of as modular_engine
from tiny import images
from torch.utils._python_dispatch import TorchDispatchMode

from bnbench.catalogue import tasks
from bnbench.catalogue.optimizers import OPTIMIZERS, SGD
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.trainer import captured
from bnbench.trainer.captured import COUNTERS
from bnbench.trainer.loop import train_networks
from bnbench.trainer.optimizers import Optimizers, set_rate
from bnbench.trainer.stacked import StackedEngine

CPU = torch.device("cpu")
DTYPES = (torch.float32, torch.float64)
STEPS = 80
FORM_OF_CPU = captured.form
CHOICES = {**{name: optimizer(name) for name in ELEMENTWISE}, **OPTIONS}
CHANGING = [name for name, entry in SCHEDULES_SET.items() if not build(SCHEDULES, entry).is_constant()]


def torch_class(name):
    return getattr(torch.optim, OPTIMIZERS[name].torch_class)


def form_of(choice, schedule, dtype, made=captured.on_gpu):
    """How an optimizer is made, by default as on a GPU, but that its rate lies on the CPU."""
    constant = build(SCHEDULES, SCHEDULES_SET[schedule]).is_constant()
    return made(build(OPTIMIZERS, CHOICES[choice]), dtype, CPU, constant_rate=constant)


@pytest.fixture(autouse=True)
def on_any_device(monkeypatch):
    """Let torch's capturable updates run on a CPU, which computes the same but cannot capture."""
    modules = {each.__module__ for name in ELEMENTWISE for each in torch_class(name).__mro__}
    for module in (sys.modules[name] for name in modules if name.startswith("torch.optim.")):
        if hasattr(module, "_get_capturable_supported_devices"):
            monkeypatch.setattr(module, "_get_capturable_supported_devices", lambda **_: ["cpu"])


@pytest.fixture
def as_on_gpu(monkeypatch):
    """Have the engines make their optimizers as on a GPU; nothing is captured."""

    def form(entry, dtype, device, **how):
        return captured.on_gpu(entry, dtype, device, **how)._replace(captures=False)

    return lambda: monkeypatch.setattr(captured, "form", form)


class Descent:
    """An optimizer at work on a quadratic function of 50 numbers."""

    def __init__(self, choice, schedule, dtype, made=captured.on_gpu):
        draws = torch.Generator().manual_seed(3)
        self.parameter, self._target, roots = (
            torch.randn(*shape, generator=draws, dtype=torch.float64).to(dtype) for shape in [(50,), (50,), (50, 50)]
        )
        self._curvature = roots @ roots.T / 50
        self.parameter = torch.nn.Parameter(self.parameter)
        form = form_of(choice, schedule, dtype, made)
        self.optimizer = form.torch_class([self.parameter], **form.arguments)
        self._schedule, self._rate = build(SCHEDULES, SCHEDULES_SET[schedule]), CHOICES[choice]["lr"]

    def run(self, steps):
        for step in steps:
            set_rate(self.optimizer, self._rate * self._schedule.warmed(step, STEPS))
            self.parameter.grad = (self._curvature @ self.parameter - self._target).detach()
            with torch.no_grad():
                inspect.unwrap(type(self.optimizer).step)(self.optimizer)
        return self.parameter.detach().numpy()

    @property
    def kept(self):
        return self.optimizer.state[self.parameter]


@pytest.mark.parametrize("schedule", SCHEDULES_SET)
@pytest.mark.parametrize("choice", CHOICES)
def test_an_update_as_on_a_gpu_equals_the_cpus_in_float64(choice, schedule):
    expected = Descent(choice, schedule, torch.float64, FORM_OF_CPU).run(range(STEPS))
    found = Descent(choice, schedule, torch.float64).run(range(STEPS))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
@pytest.mark.parametrize("choice", CHOICES)
def test_an_update_as_on_a_gpu_equals_the_cpus_in_float32_but_for_its_rounding(choice, schedule):
    expected = Descent(choice, schedule, torch.float32, FORM_OF_CPU).run(range(STEPS))
    found = Descent(choice, schedule, torch.float32).run(range(STEPS))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6 * np.abs(expected).max())


class NothingOnTheHost(TorchDispatchMode):
    """Fails where the value of a tensor is asked for, which no graph can give."""

    def __torch_dispatch__(self, function, types, arguments=(), named_arguments=None):
        assert function is not torch.ops.aten._local_scalar_dense.default, "the host reads a number"
        return function(*arguments, **(named_arguments or {}))


FORMS = [(name, schedule, dtype) for name in CHOICES for schedule in SCHEDULES_SET for dtype in DTYPES]
PLAIN = [which for which in FORMS if (made := form_of(*which)).captures and "fused" not in made.arguments]


@pytest.mark.parametrize(("choice", "schedule", "dtype"), PLAIN)
def test_what_is_captured_reads_no_number_on_the_host(choice, schedule, dtype):
    descent = Descent(choice, schedule, dtype)
    descent.run(range(1))
    descent.parameter.grad = torch.ones_like(descent.parameter)
    with torch.no_grad(), NothingOnTheHost():
        inspect.unwrap(type(descent.optimizer).step)(descent.optimizer)


def test_all_that_torch_can_capture_is_captured():
    without_graph = {(name, dtype) for name, _, dtype in FORMS if not form_of(name, "cosine", dtype).captures}
    plain_sgd = {name for name, entry in CHOICES.items() if issubclass(OPTIMIZERS[entry["name"]], SGD)}
    adagrad = {name for name, entry in CHOICES.items() if entry["name"] == "adagrad"}
    assert without_graph == {(name, torch.float64) for name in plain_sgd} | {(n, d) for n in adagrad for d in DTYPES}
    assert {name for name in CHOICES if not form_of(name, "constant", torch.float64).captures} == adagrad


@pytest.mark.parametrize("schedule", CHANGING)
@pytest.mark.parametrize("choice", CHOICES)
def test_a_rate_that_double_weights_read_is_a_double(choice, schedule):
    form = form_of(choice, schedule, torch.float64)
    rate = form.arguments["lr"]
    assert (rate.dtype, rate.shape) == (torch.float64, ()) if form.captures else isinstance(rate, float)


@pytest.mark.parametrize("schedule", CHANGING)
@pytest.mark.parametrize("choice", CHOICES)
def test_a_rate_is_a_single_float_in_kernels_of_single_weights_alone(choice, schedule):
    form = form_of(choice, schedule, torch.float32)
    if form.captures:
        assert form.arguments["lr"].dtype == (torch.float32 if form.arguments.get("fused") else torch.float64)
    else:
        assert isinstance(form.arguments["lr"], float)


@pytest.mark.parametrize("choice", CHOICES)
def test_at_a_constant_rate_it_is_a_number(choice):
    for dtype in DTYPES:
        assert form_of(choice, "constant", dtype).arguments["lr"] == CHOICES[choice]["lr"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["adamax", "nadam", "radam", "asgd"])
def test_what_corrects_a_bias_is_counted_in_doubles(name, dtype):
    descent = Descent(name, "constant", dtype)
    descent.run(range(3))
    counters = {each: descent.kept[each] for each in COUNTERS if each in descent.kept}
    assert counters["step"].item() == 3
    assert {each.dtype for each in counters.values()} == {torch.float64}
    assert {each.dtype for key, each in descent.kept.items() if key not in counters} == {dtype}


@pytest.mark.parametrize("name", ["rmsprop", "adadelta"])
def test_updates_of_lists_count_in_single_floats_since_torch_groups_nothing_else_with_single_weights(name):
    descent = Descent(name, "cosine", torch.float32)
    descent.run(range(3))
    assert descent.kept["step"].dtype == torch.float32


def test_adam_of_double_weights_counts_in_doubles_under_a_schedule():
    descent = Descent("adam", "cosine", torch.float64)
    descent.run(range(3))
    assert descent.kept["step"].dtype == torch.float64


@pytest.mark.parametrize("choice", CHOICES)
def test_on_a_cpu_optimizers_are_torchs_own(choice):
    own = build(OPTIMIZERS, CHOICES[choice])
    for schedule in SCHEDULES_SET:
        form = form_of(choice, schedule, torch.float64, FORM_OF_CPU)
        assert form.arguments == own.arguments() | ({"fused": True} if own.fused else {})
        assert not form.captures
        assert "_init_group" not in vars(form.torch_class)


# The engines


def stacked(setting):
    return StackedEngine.of(setting, [3, 4], [tasks.of(setting).data(seed) for seed in (3, 4)], CPU)


def modular(setting):
    return modular_engine(setting, [3, 4])


def small(choice, schedule, dtype="float64", **changes):
    changed = {"optimizer": CHOICES[choice], "schedule": SCHEDULES_SET[schedule], "dtype": dtype, "epochs": 6}
    return spec(**{**changed, "batch_size": 33, "evaluate_every": 2, **changes})


def resumed(engine, setting, change=lambda state: state):
    kept = []

    def after_epoch(done, state):
        kept.extend([state()] if done == 3 else [])

    whole = train_networks(engine(setting), setting, after_epoch=after_epoch)
    return whole, train_networks(engine(setting), setting, start=change(kept[0]))


def assert_same(one, other):
    for name, values in one.losses.items():
        np.testing.assert_array_equal(values, other.losses[name])


def with_single_counters(state):
    """The state as it was kept when counters were single floats."""
    assert all(values.dtype == np.float64 for values in state.shared.values())
    return state._replace(shared={name: values.astype(np.float32) for name, values in state.shared.items()})


@pytest.mark.parametrize("schedule", ["warm-up", "cosine"])
@pytest.mark.parametrize("choice", ELEMENTWISE)
def test_stacks_updated_as_on_a_gpu_equal_the_cpus_and_go_on_with_the_same_bits(choice, schedule, as_on_gpu):
    setting = small(choice, schedule)
    expected = train_networks(stacked(setting), setting)
    as_on_gpu()
    whole, after_pause = resumed(stacked, setting)
    assert_same(whole, after_pause)
    for name, values in expected.losses.items():
        np.testing.assert_allclose(whole.losses[name], values, rtol=1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["adamax", "nadam", "radam", "asgd"])
def test_a_checkpoint_keeps_doubles_and_one_of_single_counters_is_taken_up(name, dtype, as_on_gpu):
    as_on_gpu()
    assert_same(*resumed(stacked, small(name, "cosine", dtype), with_single_counters))


GROUPS = {
    **{name: optimizer(name) for name in ELEMENTWISE},
    "dampened": OPTIONS["momentum, dampened"],
    "clipped": named("optimizer", "nadam", lr=0.01, clip=0.5),
    "decay of weights": named("optimizer", "adamw", lr=0.01, weight_decay=0.2, weight_decay_on="weights"),
    "clipped, decay of weights": named(
        "optimizer", "radam", lr=0.01, weight_decay=0.2, weight_decay_on="weights", clip=0.5
    ),
}


@pytest.mark.usefixtures("tiny_images")
@pytest.mark.parametrize("choice", GROUPS)
def test_networks_updated_as_on_a_gpu_equal_the_cpus_and_go_on_with_the_same_bits(choice, as_on_gpu):
    setting = images(optimizer=GROUPS[choice], schedule=SCHEDULES_SET["cosine"], epochs=6)
    expected = train_networks(modular(setting), setting)
    as_on_gpu()
    whole, after_pause = resumed(modular, setting)
    assert_same(whole, after_pause)
    for name, values in expected.losses.items():
        np.testing.assert_allclose(whole.losses[name], values, rtol=1e-9)


def test_a_kept_rate_of_single_precision_does_not_come_back(as_on_gpu):
    as_on_gpu()
    made = Optimizers(build(OPTIMIZERS, optimizer("radam")), torch.nn.Linear(3, 2).double())
    kept = made.state()
    (own,) = kept[0]["groups"]
    own["lr"] = own["lr"].float()
    made.take_up(kept)
    made.set_rate(0.3)
    assert made.state()[0]["groups"][0]["lr"].item() == optimizer("radam")["lr"] * 0.3
