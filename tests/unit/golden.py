"""The losses that the trainer has always given.

Where they are meant to change, raise `NUMERICS` and write them anew: `PYTHONPATH=workflow python tests/unit/golden.py`.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from specs import RATES, named, spec
from tiny import theirs

from bnbench.catalogue import norms
from bnbench.catalogue.activations import ACTIVATIONS, Activation
from bnbench.catalogue.datafiles import inspect_table
from bnbench.catalogue.losses import LOSSES as LOSS_CLASSES
from bnbench.catalogue.losses import Loss
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS, Sine
from bnbench.plan import config, described
from bnbench.trainer import own_data
from bnbench.trainer.chunk import train
from bnbench.vocabulary import LOSSES

FILE = Path(__file__).parent / "golden_losses.csv"
SEEDS = (0, 1, 5)
TABLE = str(Path(__file__).parent / "golden_table.csv")


@dataclass(frozen=True)
class OwnNorm(Norm):
    """Root mean square over the units, as somebody may add it: a forward pass and nothing else."""

    def parameters(self):
        return {"gamma": 1.0}

    def forward(self, x, parameters, buffers):
        return x * (x.square().mean(2, keepdim=True) + 1e-5).rsqrt() * parameters["gamma"], None


class OwnActivation(Activation):
    """Another one whose derivative is autograd's."""

    function = "mish"


class OwnLoss(Loss):
    """A loss whose derivatives are autograd's, and which is not convex."""

    def forward(self, output, target):
        return ((output - target).square() + 1).log()


@dataclass(frozen=True)
class OwnTask(Sine):
    """The task that asks for it."""

    def loss(self):
        return "own"


OWN = (
    (NORMS, OwnNorm),
    (ACTIVATIONS, OwnActivation),
    (LOSS_CLASSES, OwnLoss),
    (TASKS, OwnTask),
)
"""What the built-in entries leave unused of their base classes and of the trainer."""


def held_once(**entry):
    """The resolved entry of a task whose rows are held once; the user's functions are asked in this process."""
    with patch.object(described, "_asked", lambda asked: own_data.facts(asked).to_json()):
        return config.resolve({"study": "golden", "task": entry}, "golden")["task"][0]


def small(**changes):
    """A setting of double precision."""
    return spec(**{"epochs": 4, "evaluate_every": 2, "dtype": "float64", "batch_size": 25, **changes})


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
    "digits, ghost BN, full batch, adamw, tanh": small(
        task=named("task", "digits"),
        norm=named("norm", "ghost", size=90),
        batch_size="full",
        optimizer=named("optimizer", "adamw", **RATES["adamw"]),
        activation="tanh",
    ),
    "digits, gamma decay through the layers, batch 300, radam, identity": small(
        task=named("task", "digits"),
        norm=named("norm", "population_gamma"),
        batch_size=300,
        optimizer=named("optimizer", "radam", **RATES["radam"]),
        activation="identity",
    ),
    "table, layer norm, batch 5, momentum, step, sigmoid": small(
        task=named("task", "table", path=TABLE, target="price", **inspect_table(TABLE, "price", "refuse")),
        norm=named("norm", "layer"),
        batch_size=5,
        optimizer=named("optimizer", "momentum", **RATES["momentum"]),
        schedule=named("schedule", "step", every=2),
        activation="sigmoid",
    ),
    "sine of more points than a block, population norm, adamax, silu": small(
        task=named("task", "sine", points=5000, test_points=30),
        batch_size=2500,
        norm=named("norm", "population", every=3),
        optimizer=named("optimizer", "adamax", **RATES["adamax"]),
        activation="silu",
    ),
    "sine, gamma decay of units, adagrad": small(
        norm=named("norm", "population_gamma", curvature="unit"),
        optimizer=named("optimizer", "adagrad", **RATES["adagrad"]),
    ),
    "mixture, gamma decay through the layers, asgd, tanh": small(
        task=named("task", "mixture", points=60, test_points=30),
        norm=named("norm", "population_gamma"),
        optimizer=named("optimizer", "asgd", **RATES["asgd"]),
        activation="tanh",
    ),
    "sine, frozen BN, adadelta": small(
        norm=named("norm", "frozen"), optimizer=named("optimizer", "adadelta", **RATES["adadelta"])
    ),
    "sine, BN, rprop, tanh": small(optimizer=named("optimizer", "rprop", **RATES["rprop"]), activation="tanh"),
    "classes that somebody adds": small(
        task={**named("task", "sine"), "name": "own"}, norm={"name": "own"}, activation="own"
    ),
    "sine, group norm, sgd": small(norm=named("norm", "group"), optimizer=named("optimizer", "sgd", **RATES["sgd"])),
    "mixture, RMS norm, momentum, tanh": small(
        task=named("task", "mixture", points=60, test_points=30),
        norm=named("norm", "rms"),
        optimizer=named("optimizer", "momentum", **RATES["momentum"]),
        activation="tanh",
    ),
    "digits, CNN, instance norm, batch 60, adafactor": small(
        task=named("task", "digits", test_fraction=0.9),
        network=named("network", "cnn", channels=[4, 6]),
        norm=named("norm", "instance"),
        batch_size=60,
        optimizer=named("optimizer", "adafactor"),
    ),
    # Muon computes in bfloat16, of which other processors give other last digits: in the losses, the fifth.
    "digits, ResNet, BN after the activation, batch 60, muon": small(
        dtype="float32",
        task=named("task", "digits", test_fraction=0.9),
        network=named("network", "resnet", width=4),
        norm=named("norm", "batch", placement="after", on=["hidden", "input"]),
        batch_size=60,
        optimizer=named("optimizer", "muon"),
    ),
    # Masks are those that torch draws on x86.
    "adding, perceptron with dropout, cumulative BN, two batches of 20 a step": small(
        task=named("task", "adding", length=6, points=100, test_points=50),
        network=named("network", "mlp", dropout=0.2),
        norm=named("norm", "batch", momentum=None),
        batch_size=20,
        accumulate=2,
        optimizer=named("optimizer", "adam", lr=0.01, clip=1.0, weight_decay=0.1, weight_decay_on="weights"),
        schedule=named("schedule", "constant", warmup=2),
    ),
    "adding, perceptron, BN by the batch, lbfgs": small(
        task=named("task", "adding", length=6, points=100, test_points=50),
        norm=named("norm", "batch", statistics="batch"),
        batch_size=50,
        optimizer=named("optimizer", "lbfgs", lr=0.1, max_iter=3),
    ),
    "adding, code of a user's": small(
        task=named("task", "adding", length=6, points=100, test_points=50),
        network=theirs("network", "Recurrent", dropout=0.0),
        loss=theirs("loss", "absolute", power=1.5),
        optimizer=theirs("optimizer", "Signs", lr=0.01),
    ),
    "sine, BN, absolute loss, sgd": small(loss={"name": "absolute"}, optimizer=named("optimizer", "sgd", lr=0.05)),
    "sine, no BN, huber loss, adam": small(
        norm=named("norm", "none"), loss=named("loss", "huber", delta=0.2), optimizer=named("optimizer", "adam")
    ),
    "diabetes, ghost BN, huber loss, two batches of 20 a step": small(
        task=named("task", "diabetes"),
        norm=named("norm", "ghost", size=8),
        loss=named("loss", "huber"),
        batch_size=20,
        accumulate=2,
    ),
    "digits, BN, smoothed cross-entropy, batch 300": small(
        task=named("task", "digits"),
        loss=named("loss", "cross_entropy", label_smoothing=0.1),
        batch_size=300,
    ),
    "digits, layer norm, binary loss, batch 300": small(
        task=named("task", "digits"), norm=named("norm", "layer"), loss=named("loss", "binary"), batch_size=300
    ),
    "moons, BN, batch 50, adam": small(
        task=named("task", "moons", points=150, test_points=80), batch_size=50, optimizer=named("optimizer", "adam")
    ),
    "digits, autoencoder, BN, batch 300, adam": small(
        task=named("task", "digits", target="inputs"),
        hidden=[16, 4, 16],
        batch_size=300,
        optimizer=named("optimizer", "adam", lr=0.01),
    ),
    "arrays of a file, perceptron, BN, batch 20, momentum": small(
        task=held_once(name="arrays", path=str(FILE.with_name("golden_arrays.npz"))),
        batch_size=20,
        optimizer=named("optimizer", "momentum", **RATES["momentum"]),
    ),
    # What examples draw is drawn by torch as on x86.
    "data of a user's, CNN, BN, batch 16, adam": small(
        task=held_once(name="module", path=str(FILE.parent / "own" / "data.py"), build="images"),
        network=named("network", "cnn", channels=[4]),
        batch_size=16,
        optimizer=named("optimizer", "adam", lr=0.01),
    ),
}

UNTRAINED = {norms.OwnNorm}
"""Guarded classes without which these networks do: their arithmetic is the user's."""


@contextmanager
def added():
    """The registries with the classes above."""
    with ExitStack() as stack:
        for registry, entry in OWN:
            stack.enter_context(patch.dict(registry, own=entry))
        yield


def losses(setting):
    """All losses of a setting's seeds, one row per seed and epoch; NaN where an outcome is not measured."""
    torch.set_num_threads(1)
    with added():
        task = build(TASKS, setting["task"])
        found = train(setting, SEEDS, [task.data(seed) for seed in SEEDS], torch.device("cpu")).losses
    epochs = setting["epochs"]
    keys = {"seed": np.repeat(SEEDS, epochs), "epoch": np.tile(np.arange(epochs), len(SEEDS))}
    return pd.DataFrame({**keys, **{outcome: found[outcome].T.ravel() for outcome in LOSSES}})


def main():
    parts = [losses(setting).assign(setting=name) for name, setting in SETTINGS.items()]
    pd.concat(parts).set_index("setting").to_csv(FILE)


if __name__ == "__main__":
    main()
