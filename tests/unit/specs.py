"""Settings for the tests of the trainer, and what the training of a chunk has left."""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from bnbench.catalogue.registries import REGISTRIES
from bnbench.plan import config
from bnbench.plan.settings import NUMERICS
from bnbench.store import chunk_files

RATES = {
    "sgd": {"lr": 0.05},
    "momentum": {"lr": 0.02},
    "adam": {"lr": 0.01},
    "adamw": {"lr": 0.01, "weight_decay": 0.1},
    "rmsprop": {"lr": 0.003},
    "nadam": {"lr": 0.01},
    "radam": {"lr": 0.01},
    "adamax": {"lr": 0.01},
    "adagrad": {"lr": 0.05},
    "adadelta": {"lr": 1.0},
    "asgd": {"lr": 0.05},
    "rprop": {"lr": 0.001},
}

OWN = {
    "network": "my_net",
    "norm": "MyNorm",
    "optimizer": "MyOptimizer",
    "loss": "my_loss",
    "metric": "my_score",
    "task": "arrays",
}
"""Key of the config → what a file of a user's calls what it may name."""


def written_own(kind, **parameters):
    """An entry of the config that calls the user's code."""
    rate = {"lr": 0.1} if kind == "optimizer" else {}
    path = Path(__file__).parent / "own" / {"metric": "scores.py", "task": "data.py"}.get(kind, "nets.py")
    return {"name": "module", "path": str(path), "build": OWN[kind], **rate, **parameters}


def with_own(kind, entry):
    """The keys of a config that has the entry, which a study can be made of."""
    return {"metric": {"metrics": [entry]}, "norm": {"norm": ["none", entry]}}.get(kind, {kind: entry})


def own(kind, **parameters):
    """The same, resolved."""
    keys = with_own(kind, written_own(kind, **parameters))
    (found,) = (config.resolve({"study": "own", **keys}, "specs")[key] for key in keys)
    return found[-1] if isinstance(found, list) else found


def named(kind, name, **parameters):
    """A resolved entry: its name and all of its parameters, defaults included."""
    return json.loads(json.dumps({"name": name, **asdict(REGISTRIES[kind][name](**parameters))}))


def spec(**changes):
    """The canonical spec of a small network, changed by keywords."""
    base = {
        "task": named("task", "sine", points=100, test_points=30),
        "hidden": [8, 6],
        "activation": "relu",
        "norm": named("norm", "batch"),
        "batch_size": "full",
        "optimizer": named("optimizer", "adam"),
        "schedule": named("schedule", "constant"),
        "epochs": 10,
        "evaluate_every": 5,
        "dtype": "float32",
        "init": "independent",
        "device": "cpu",
        "seed_varies": "all",
        "numerics": NUMERICS,
    }
    return {**base, **changes}


def assert_same_bits(chunk, one, other):
    """The tables of a chunk in two folders are equal, but for the time that it took."""
    theirs = chunk_files.paths(chunk, other)
    for kind, path in chunk_files.paths(chunk, one).items():
        found = (pd.read_parquet(where).drop(columns="seconds", errors="ignore") for where in (path, theirs[kind]))
        pd.testing.assert_frame_equal(*found, check_exact=True)
