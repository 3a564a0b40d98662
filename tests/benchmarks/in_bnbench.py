"""The training as the package does it: all seeds of a chunk side by side."""

from collections.abc import Callable

import numpy as np
import torch
from cases import Case

from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.trainer.denormals import flushed
from bnbench.trainer.initialization import stacked
from bnbench.trainer.loop import train_networks
from bnbench.trainer.network import Network
from bnbench.trainer.stacked import Points, StackedEngine


def training(case: Case, norm: Norm | None = None) -> Callable[[], np.ndarray]:
    """Train for the case's epochs at every call; gives the train-mode losses, [epochs, seeds]."""
    norm = norm or NORMS[case.norm]()
    network = Network(stacked(case.weights()), norm, "relu", torch.float32, torch.device("cpu"))
    spec = {
        "task": {"name": "sine"},
        "epochs": case.epochs,
        "evaluate_every": case.epochs,
        "batch_size": case.batch_size,
        "optimizer": {"name": "adam"},
        "schedule": {"name": "constant"},
        "seed_varies": "all",
    }
    points = Points(*map(torch.from_numpy, case.points()))
    seeds = list(range(case.seeds))

    def train() -> np.ndarray:
        with flushed():  # as a job does
            return train_networks(StackedEngine(network, spec, seeds, points), spec).losses["train_loss"]

    return train
