"""A state that lacks anything, or has it otherwise than the networks at hand would, is never gone on from.

Each fault is made in a state of every kind, one array at a time, so it does not matter that a checkpoint's hash would
find it before.
"""

import numpy as np
import pytest
import torch
from specs import RATES, named, spec
from tiny import theirs

from bnbench.catalogue import tasks
from bnbench.streams import seed_of
from bnbench.trainer import packing, stacks
from bnbench.trainer.loop import misfit, train_networks

SEEDS = [4, 5]

STACKED = {
    **{name: spec(optimizer=named("optimizer", name, **rate), batch_size=25) for name, rate in RATES.items()},
    "amsgrad": spec(optimizer=named("optimizer", "adam", amsgrad=True)),
    "float64, with points to choose by": spec(
        dtype="float64", task=named("task", "digits"), validation=0.3, batch_size=500
    ),
    "no norm": spec(norm=named("norm", "none")),
    "metrics of the user's": spec(metrics=[theirs("metric", "drawn_size")], batch_size=25),
}
MODULAR = {
    **{
        name: spec(optimizer=named("optimizer", name, **rate), batch_size=25, accumulate=2)
        for name, rate in RATES.items()
    },
    "residual network": spec(
        task=named("task", "digits", test_fraction=0.97), network=named("network", "resnet", width=2), batch_size=25
    ),
    "dampened": spec(optimizer=named("optimizer", "sgd", momentum=0.9, dampening=0.1), batch_size=25, accumulate=2),
    "muon": spec(optimizer=named("optimizer", "muon"), batch_size=50),
    "adafactor": spec(optimizer=named("optimizer", "adafactor"), batch_size=50),
    "decay of matrices alone": spec(
        optimizer=named("optimizer", "adamw", weight_decay_on="weights"), batch_size=50, accumulate=2
    ),
}
UNKNOWN = {
    "lbfgs": spec(optimizer=named("optimizer", "lbfgs", max_iter=3), batch_size=50),
    "code of a user's": spec(
        task=named("task", "adding", length=4, points=50, test_points=10),
        network=theirs("network", "Recurrent"),
        optimizer=theirs("optimizer", "Signs", lr=0.01),
        batch_size=25,
    ),
}
"""What they keep in their optimizers nobody can know."""

FAULTS = {
    "dropped": lambda name, values: {},
    "renamed": lambda name, values: {f"{name}_": values},
    "cut": lambda name, values: {name: values[..., :-1] if values.ndim else values.reshape(1)},
    "of one more axis": lambda name, values: {name: values[None]},
    "of another type": lambda name, values: {name: values.astype(np.float16)},
}


def engine_of(setting):
    data = [tasks.of(setting).data(seed_of("data", seed, setting["seed_varies"])) for seed in SEEDS]
    return stacks._engine(setting, SEEDS, data, torch.device("cpu"))


def state_of(setting, after=5):
    found = []
    train_networks(
        engine_of(setting), setting, None, lambda done, state: found.append(state()) if done == after else None
    )
    return found[0]


@pytest.mark.parametrize("setting", (STACKED | MODULAR | UNKNOWN).values(), ids=STACKED | MODULAR | UNKNOWN)
@pytest.mark.parametrize("after", [1, 5, 10])
def test_what_an_engine_keeps_itself_fits(setting, after):
    assert misfit(engine_of(setting), setting, state_of(setting, after)) == ""


@pytest.mark.parametrize("setting", STACKED.values(), ids=STACKED)
def test_any_array_of_a_stack_with_a_fault_is_found(setting):
    state, engine = state_of(setting), engine_of(setting)
    before = engine.snapshot()
    for part in ("stacked", "shared"):
        arrays = getattr(state, part)
        for name, values in arrays.items():
            others = {other: kept for other, kept in arrays.items() if other != name}
            for fault, change in FAULTS.items():
                said = misfit(engine, setting, state._replace(**{part: others | change(name, values)}))
                assert name in said, (fault, name)
    after = engine.snapshot()
    assert all(np.array_equal(values, after.stacked[name]) for name, values in before.stacked.items())


def leaves(tree, path=()):
    """The paths of all tensors of nested states."""
    if isinstance(tree, torch.Tensor):
        yield path
    elif isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(value, (*path, key))


def with_fault(tree, path, change):
    """The same nested states with one tensor changed; those of one network are not the next one's."""
    if len(path) > 1:
        key, rest = path[0], path[1:]
        if isinstance(tree, list):
            return [with_fault(each, rest, change) if place == key else each for place, each in enumerate(tree)]
        return {name: with_fault(each, rest, change) if name == key else each for name, each in tree.items()}
    name = path[0]
    others = {other: kept for other, kept in tree.items() if other != name}
    return others | {key: torch.from_numpy(each) for key, each in change(name, tree[name].numpy()).items()}


@pytest.mark.parametrize("setting", MODULAR.values(), ids=MODULAR)
def test_any_array_of_a_network_that_trains_alone_with_a_fault_is_found(setting):
    state, engine = state_of(setting), engine_of(setting)
    first, second = state.stacked["state"]
    tree = packing.unpacked(second, torch.device("cpu"))
    for path in leaves(tree):
        for fault, change in FAULTS.items():
            content = packing.packed(with_fault(tree, path, change))
            rows = packing.stacked([first, content])
            assert misfit(engine, setting, state._replace(stacked=state.stacked | {"state": rows})), (fault, path)


@pytest.mark.parametrize("setting", UNKNOWN.values(), ids=UNKNOWN)
def test_any_weight_of_the_users_networks_with_a_fault_is_found(setting):
    state, engine = state_of(setting), engine_of(setting)
    first, second = state.stacked["state"]
    tree = packing.unpacked(second, torch.device("cpu"))
    weights = {name for name, _ in engine._trainees[0]._module.named_parameters()}
    for path in leaves(tree):
        if path[0] == "network" and path[1] in weights:
            for fault, change in FAULTS.items():
                rows = packing.stacked([first, packing.packed(with_fault(tree, path, change))])
                assert misfit(engine, setting, state._replace(stacked=state.stacked | {"state": rows})), (fault, path)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda row: row[:20],
        np.zeros_like,
        lambda row: np.concatenate([row[:8], row[:8], row[16:]]),
        lambda row: packing.packed({"network": {}}),
        lambda row: packing.packed([1, 2]),
        lambda row: packing.packed({"network": 1, "buffers": 2, "optimizers": 3}),
    ],
    ids=["cut", "zeros", "another text", "no buffers", "a list", "numbers"],
)
def test_bytes_that_hold_no_state_are_found(spoil):
    setting = MODULAR["muon"]
    state = state_of(setting)
    first, second = state.stacked["state"]
    rows = packing.stacked([first, spoil(second)])
    assert misfit(engine_of(setting), setting, state._replace(stacked=state.stacked | {"state": rows}))


@pytest.mark.parametrize("setting", [STACKED["adam"], MODULAR["adam"]], ids=["stacked", "modular"])
def test_a_state_of_other_seeds_is_found(setting):
    state = state_of(setting)
    assert misfit(engine_of(setting), setting, state.of([0]))
    assert misfit(engine_of(setting), setting, state.of([0, 1, 1]))


def test_a_state_of_the_other_engine_is_found():
    one, other = STACKED["adam"], MODULAR["adam"]
    assert misfit(engine_of(one), one, state_of(other))
    assert misfit(engine_of(other), other, state_of(one))
