"""The classes that the golden losses guard: if one changes, a number changes that a test checks.

So the addresses of their results need no hash of the source. Every other class has one, see `sources`. A class may be
added here once tests/unit/golden.py trains with it; its results then have new addresses.
"""

from __future__ import annotations

GUARDED: dict[str, frozenset[str]] = {
    "bnbench.catalogue.task": frozenset({"Task"}),
    "bnbench.catalogue.tasks": frozenset({"Function", "Sine", "Mixture", "Adding", "Moons"}),
    "bnbench.catalogue.shared_tasks": frozenset({"HeldOnce", "Arrays", "OwnData"}),
    "bnbench.catalogue.split_tasks": frozenset({"Split", "Diabetes", "Digits", "Table"}),
    "bnbench.catalogue.norm": frozenset({"Norm", "Standardizing"}),
    "bnbench.catalogue.norms": frozenset({"Identity", "BatchNorm", "GhostBatchNorm", "FrozenBatchNorm", "OwnNorm"}),
    "bnbench.catalogue.example_norms": frozenset({"LayerNorm", "GroupNorm", "RMSNorm", "InstanceNorm"}),
    "bnbench.catalogue.population_norms": frozenset({"PopulationNorm", "PopulationGammaNorm"}),
    "bnbench.catalogue.optimizers": frozenset(
        {
            "Optimizer",
            "SGD",
            "Momentum",
            "Adam",
            "AdamW",
            "Adamax",
            "NAdam",
            "RAdam",
            "RMSprop",
            "Adagrad",
            "Adadelta",
            "ASGD",
            "Rprop",
            "LBFGS",
            "Adafactor",
            "Muon",
            "OwnOptimizer",
        }
    ),
    "bnbench.catalogue.schedules": frozenset({"Schedule", "Constant", "Cosine", "Step"}),
    "bnbench.catalogue.networks": frozenset({"Network", "Perceptron", "Convolutional", "Residual", "OwnNetwork"}),
    "bnbench.catalogue.own": frozenset({"OwnCode"}),
    "bnbench.catalogue.activations": frozenset({"Activation", "ReLU", "Tanh", "Sigmoid", "GELU", "SiLU", "Identity"}),
    "bnbench.catalogue.losses": frozenset(
        {"Loss", "SquaredLoss", "AbsoluteLoss", "HuberLoss", "CrossEntropy", "BinaryCrossEntropy", "OwnLoss"}
    ),
}
"""Module → names of its classes."""


def is_guarded(entry: type) -> bool:
    """Whether the golden losses guard this class."""
    return entry.__qualname__ in GUARDED.get(entry.__module__, ())
