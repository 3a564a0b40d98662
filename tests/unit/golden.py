"""The losses that the trainer has always given.

Where they are meant to change, raise `NUMERICS` and write them anew: `PYTHONPATH=workflow python tests/unit/golden.py`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from specs import named, spec

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.trainer.chunk import train
from bnbench.vocabulary import OUTCOMES

LOSSES = Path(__file__).parent / "golden_losses.csv"
SEEDS = (0, 1, 5)
SETTINGS = {
    "sine, no BN, full batch, adam": spec(norm=named("norm", "none"), epochs=12, dtype="float64"),
    "sine, BN, batch 33, sgd, cosine": spec(
        batch_size=33,
        optimizer=named("optimizer", "sgd", lr=0.05),
        schedule=named("schedule", "cosine"),
        epochs=12,
        dtype="float64",
    ),
    "noisy mixture, cumulative BN, batch 25, nadam": spec(
        task=named("task", "mixture", noise=0.1, test_points=40),
        norm=named("norm", "batch", momentum=None),
        batch_size=25,
        optimizer=named("optimizer", "nadam"),
        epochs=12,
        dtype="float64",
    ),
    "diabetes, BN, batch 50, rmsprop, gelu": spec(
        task=named("task", "diabetes"),
        batch_size=50,
        activation="gelu",
        optimizer=named("optimizer", "rmsprop", lr=0.001),
        epochs=6,
        dtype="float64",
    ),
    "the question's, BN": spec(hidden=[256, 256], init="sequential", epochs=6),
    "the question's, no BN": spec(hidden=[256, 256], init="sequential", norm=named("norm", "none"), epochs=6),
}


def losses(setting):
    """All losses of a setting's seeds, one row per seed and epoch; NaN where an outcome is not measured."""
    task = build(TASKS, setting["task"])
    torch.set_num_threads(1)
    found = train(setting, SEEDS, [task.data(seed) for seed in SEEDS], torch.device("cpu")).losses
    epochs = setting["epochs"]
    keys = {"seed": np.repeat(SEEDS, epochs), "epoch": np.tile(np.arange(epochs), len(SEEDS))}
    return pd.DataFrame({**keys, **{outcome: found[outcome].T.ravel() for outcome in OUTCOMES}})


def main():
    parts = [losses(setting).assign(setting=name) for name, setting in SETTINGS.items()]
    pd.concat(parts).set_index("setting").to_csv(LOSSES)


if __name__ == "__main__":
    main()
