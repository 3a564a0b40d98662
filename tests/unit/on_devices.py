"""What is trained on a CPU and on a GPU and compared: complete by the registries, so a new entry is in it."""

from specs import RATES, named, spec

from bnbench.catalogue import own
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import engines

ALL_OPTIMIZERS = [name for name in OPTIMIZERS if name != own.NAME]
ELEMENTWISE = [name for name in ALL_OPTIMIZERS if OPTIMIZERS[name].elementwise]

_NEEDED = {"step": {"every": 2}}  # parameters without a default
_SMALL = {"lbfgs": {"lr": 0.2, "max_iter": 3, "history_size": 5}, "adafactor": {"lr": 0.02}, "muon": {"lr": 0.01}}
SCHEDULES_SET = {
    **{name: named("schedule", name, **_NEEDED.get(name, {})) for name in SCHEDULES},
    "warm-up": named("schedule", "constant", warmup=3),
}


def optimizer(name, **options):
    """A resolved entry whose rate trains these small networks."""
    return named("optimizer", name, **{**RATES.get(name, {}), **_SMALL.get(name, {}), **options})


OPTIONS = {
    "momentum, dampened": optimizer("momentum", dampening=0.3),
    "momentum, nesterov": optimizer("momentum", nesterov=True, weight_decay=0.01),
    "adam, amsgrad": optimizer("adam", amsgrad=True, weight_decay=0.01),
    "adam, short averages": optimizer("adam", betas=(0.5, 0.99)),
    "adamax, decay": optimizer("adamax", weight_decay=0.01),
    "nadam, decoupled": optimizer("nadam", weight_decay=0.1, decoupled_weight_decay=True),
    "nadam, no momentum": optimizer("nadam", betas=(0.0, 0.99)),
    "radam, decoupled": optimizer("radam", weight_decay=0.1, decoupled_weight_decay=True),
    "rmsprop, centered": optimizer("rmsprop", centered=True, momentum=0.5, weight_decay=0.01),
    "adagrad, decay": optimizer("adagrad", lr_decay=0.1, initial_accumulator_value=0.1),
    "asgd, averaging": optimizer("asgd", t0=5.0, lambd=0.01, weight_decay=0.01),
}

_ARMS = {
    **{name: named("norm", name) for name in NORMS if name != own.NAME},
    "batch, cumulative": named("norm", "batch", momentum=None),
    "batch, not affine": named("norm", "batch", affine=False),
    "ghost, of 8": named("norm", "ghost", size=8),
    "population, every 3": named("norm", "population", every=3),
    "population_gamma, every 3": named("norm", "population_gamma", every=3),
    "frozen, early": named("norm", "frozen", share=0.4),
}
_FROM_FILES = ("table", "arrays", own.NAME)  # the user's
_TASKS = {
    **{name: named("task", name) for name in TASKS if name not in _FROM_FILES},
    "digits": named("task", "digits", test_fraction=0.9),
}


def _stacked(changes):
    small = {"task": named("task", "sine", points=100, test_points=30), "dtype": "float64", "epochs": 20}
    return spec(**{**small, **changes})


def _of(kind, entries, **others):
    return {f"{kind} {name}": {kind: entry, **others} for name, entry in entries.items()}


_CHANGES = {
    **{
        f"{name}, {algorithm}, {size}": {**changes, "optimizer": optimizer(algorithm), "batch_size": size}
        for name, changes in _of("norm", _ARMS).items()
        for algorithm in ("adam", "sgd")
        for size in ("full", 33)
    },
    **{
        f"{name}, {schedule}": {**changes, "schedule": entry}
        for name, changes in _of("optimizer", {each: optimizer(each) for each in ELEMENTWISE}, batch_size=33).items()
        for schedule, entry in SCHEDULES_SET.items()
    },
    **_of("optimizer", OPTIONS, batch_size=33, schedule=SCHEDULES_SET["cosine"]),
    **_of("activation", {name: name for name in ACTIVATIONS}, batch_size=33),
    **_of("task", _TASKS, batch_size=33, epochs=5),
    **{
        f"odd widths, {arm}, {size}": {"hidden": [257, 63], "norm": _ARMS[arm], "batch_size": size, "epochs": 5}
        for arm in ("none", "batch", "population")
        for size in ("full", 33)
    },
}
STACKED = {
    name: setting for name, changes in _CHANGES.items() if engines.engine(setting := _stacked(changes)) == "stacked"
}
"""Settings of the stacked engine, by what is peculiar to them."""

_NETWORK = named("network", "cnn", channels=(8,))
MODULAR = {
    f"{name}, {schedule}": spec(
        task=_TASKS["digits"],
        network=_NETWORK,
        optimizer=entry,
        schedule=SCHEDULES_SET[schedule],
        dtype="float64",
        batch_size=64,
        epochs=5,
        evaluate_every=5,
    )
    for name, entry in {
        **{name: optimizer(name) for name in ALL_OPTIMIZERS},
        "momentum, dampened": OPTIONS["momentum, dampened"],
        "nadam, clipped": optimizer("nadam", clip=0.5),
        "adamw, decay of weights": optimizer("adamw", weight_decay_on="weights"),
    }.items()
    for schedule in ("constant", "cosine")
}
"""Settings of the modular engine, by optimizer and schedule."""
