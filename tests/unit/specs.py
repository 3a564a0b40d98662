"""Settings for the tests of the trainer: the canonical spec of a small network, changed by keywords."""

import json
from dataclasses import asdict

from bnbench.study import NUMERICS, REGISTRIES


def named(kind, name, **parameters):
    """A resolved entry: its name and all of its parameters, defaults included."""
    return json.loads(json.dumps({"name": name, **asdict(REGISTRIES[kind][name](**parameters))}))


def spec(**changes):
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
        "numerics": NUMERICS,
    }
    return {**base, **changes}
