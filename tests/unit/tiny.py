"""A task of tiny images, code of a user's, and the modular engine at work on both."""

from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from specs import named, spec

from bnbench.catalogue import own, parameters, tasks
from bnbench.catalogue.registries import ENTRIES
from bnbench.catalogue.task import Data, Task
from bnbench.catalogue.tasks import TASKS
from bnbench.streams import stream
from bnbench.trainer.loop import train_networks
from bnbench.trainer.modular import ModularEngine

CPU = torch.device("cpu")
SHAPE = (2, 6, 6)


@dataclass(frozen=True)
class Images(Task):
    """Noise around one of three patterns; 23 images to train on, so that the last of three batches is shorter."""

    def train_points(self):
        return 23

    def tested_points(self):
        return 9

    def inputs(self):
        return int(np.prod(SHAPE))

    def shape(self):
        return SHAPE

    def outputs(self):
        return 3

    def loss(self):
        return "cross_entropy"

    def data(self, seed):
        draws = stream(seed, "data")
        classes = draws.integers(0, 3, 32)
        patterns = draws.standard_normal((3, self.inputs()))
        x = patterns[classes] + draws.standard_normal((32, self.inputs()))
        y = np.eye(3)[classes]
        return Data(x[:23], y[:23], x[23:], y[23:])


added = patch.dict(TASKS, images=Images)
NETWORKS = {
    "cnn": {"name": "cnn", "channels": [4, 6], "kernel": 3, "activation": None, "dropout": 0.0},
    "resnet": {"name": "resnet", "depth": 8, "width": 4, "activation": None, "dropout": 0.0},
}


def images(network="cnn", **changes):
    """A setting of a small network for these images; the network is one of `NETWORKS`, or its entry."""
    small = {
        "task": {"name": "images"},
        "network": NETWORKS[network] if isinstance(network, str) else network,
        "batch_size": 8,
        "epochs": 3,
        "evaluate_every": 1,
        "dtype": "float64",
        "optimizer": named("optimizer", "sgd", lr=0.05),
    }
    return spec(**{**small, **changes})


def theirs(kind, build, path=Path(__file__).parent / "user_code.py", **options):
    """The resolved entry that calls a function of a user's, such as those of `user_code`."""
    chosen = ENTRIES[kind][own.NAME]
    entry = {"name": own.NAME, **parameters.defaults(chosen), "path": str(path), "build": build, **options}
    return entry | own.completed(chosen, entry, parameters.schema(chosen)["properties"])


def sequences(**changes):
    """A setting of a recurrent network for the adding problem."""
    task = named("task", "adding", length=6, points=23, test_points=9)
    return images(**{"task": task, "network": theirs("network", "Recurrent"), **changes})


def data_of(setting, seeds):
    return [tasks.of(setting).data(seed) for seed in seeds]


def engine_of(setting, seeds):
    return ModularEngine.of(setting, [*seeds], data_of(setting, seeds), CPU)


def module_of(engine, place=0):
    """The network of a seed."""
    return engine._trainees[place]._module


def trained(setting, seeds=(3,)):
    """What the loop measures, and the engine afterwards."""
    engine = engine_of(setting, seeds)
    return train_networks(engine, setting), engine
