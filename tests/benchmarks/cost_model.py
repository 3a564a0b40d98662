"""The cost model of a CPU against measured times: the settings that its prices were fitted to, and others.

Every setting trains on one core as a job does, stacks and all, for as many epochs as take about a second; the estimate
is of the same epochs. `--fit` prints the prices that fit the measured times best (non-negative least squares of the
relative errors), to be put into workflow/bnbench/plan/prices.py by hand. Run by `make bench`, or by hand:
`python tests/benchmarks/cost_model.py`.
"""

import argparse
import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from common import keep, machine, one_core, table
from scipy.optimize import nnls

from bnbench.catalogue.parameters import build
from bnbench.catalogue.registries import REGISTRIES
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import cost, prices
from bnbench.plan.settings import NUMERICS
from bnbench.trainer.chunk import keep_freed_memory, train

Spec = dict[str, Any]


def entry(kind: str, name: str, **parameters: Any) -> dict[str, Any]:
    """A resolved entry of the config."""
    return json.loads(json.dumps({"name": name, **asdict(REGISTRIES[kind][name](**parameters))}))


def setting(
    hidden: tuple[int, ...] = (256, 256),
    norm: str | dict[str, Any] = "batch",
    batch_size: int | str = 25,
    optimizer: str = "adam",
    task: dict[str, Any] | None = None,
    **changes: Any,
) -> Spec:
    return {
        "task": entry("task", **(task or {"name": "sine"})),
        "hidden": [*hidden],
        "norm": entry("norm", **({"name": norm} if isinstance(norm, str) else norm)),
        "batch_size": batch_size,
        "optimizer": entry("optimizer", optimizer),
        "schedule": entry("schedule", "constant"),
        "activation": "relu",
        "epochs": 2000,
        "evaluate_every": 20,
        "dtype": "float32",
        "init": "independent",
        "device": "cpu",
        "seed_varies": "all",
        "numerics": NUMERICS,
        **changes,
    }


BOTH = ("none", "batch")
FITTED: list[tuple[Spec, int]] = [
    *(
        (setting((256, 256), norm, batch), seeds)
        for norm in BOTH
        for batch, seeds in (("full", 20), (25, 20), (10, 10))
    ),
    *((setting((64, 64), norm, batch), 100) for norm in BOTH for batch in ("full", 25, 10)),
    *((setting((16, 16), norm, batch), 500) for norm in BOTH for batch in ("full", 25, 4)),
    *((setting((8, 8), norm, batch), 1000) for norm in BOTH for batch in ("full", 25)),
    *((setting((20, 20), norm, batch), 300) for norm in BOTH for batch in ("full", 10)),
    *((setting((40, 40), norm, 25), 100) for norm in BOTH),
    *((setting((512, 512), norm, batch), 4) for norm in BOTH for batch in ("full", 25)),
    *((setting((1024,), norm, "full"), 4) for norm in BOTH),
    *((setting((100, 100, 100, 100), norm, 25), 20) for norm in BOTH),
    *((setting((32,), norm, 25), 200) for norm in BOTH),
    *((setting((64, 64), norm, 25), 2) for norm in BOTH),
    *(
        (setting((256, 256), "none", 25, optimizer), 10)
        for optimizer in ("sgd", "momentum", "rmsprop", "radam", "rprop")
    ),
    *((setting((32, 32), "none", 10, optimizer), 100) for optimizer in ("sgd", "nadam", "adadelta", "asgd")),
    *(
        (setting((128, 128), "batch", "full", "sgd", activation=name), 20)
        for name in ("tanh", "gelu", "sigmoid", "silu")
    ),
    *((setting((128, 128), norm, 50, dtype="float64"), 20) for norm in BOTH),
    *((setting((64, 64), norm, "full", "sgd", evaluate_every=1), 50) for norm in BOTH),
    *((setting((128, 128), norm, 100, task={"name": "sine", "points": 3000}), 4) for norm in BOTH),
    *((setting((64, 64), norm, 32, task={"name": "diabetes"}), 20) for norm in BOTH),
]
CHECKED: dict[str, tuple[Spec, int]] = {
    "the default study's, full batch": (setting(norm="none", batch_size="full", optimizer="sgd"), 20),
    "the default study's, batches of 25": (setting(), 20),
    "the question's, one seed": (setting(batch_size="full"), 1),
    "small batches": (setting((128, 128), "batch", 8), 12),
    "2,000 tiny networks": (setting((8, 8), "none", 10), 2000),
    "a wide layer": (setting((768,), "batch", 50, "momentum"), 6),
    "five narrow layers": (setting((48,) * 5, "batch", 20, "adamw"), 30),
    "unfused optimizer, tanh": (setting((96, 96), "none", 16, "adamax", activation="tanh"), 16),
    "diabetes, float64": (setting((128, 64), "batch", 64, task={"name": "diabetes"}, dtype="float64"), 10),
    "ghost batches of 10": (setting((64, 64), {"name": "ghost", "size": 10}, "full", "sgd"), 20),
    "layer norm": (setting((64, 64), "layer", 25), 20),
    "population norm": (setting((64, 64), "population", 10, "sgd"), 20),
    "population norm with gamma decay": (setting((64, 64), "population_gamma", 25, "sgd"), 20),
    "frozen BN": (setting((128, 128), "frozen", 25), 20),
    "classes": (setting((64, 64), "batch", 64, task={"name": "digits"}), 20),
    "evaluated after every epoch": (setting((200, 100), "batch", "full", "rmsprop", evaluate_every=1), 10),
}


def measured(spec: Spec, seeds: int, rounds: int) -> tuple[float, float]:
    """Seconds an epoch of all seeds as estimated, and as measured: the median of some rounds of about a second."""
    task = build(TASKS, spec["task"])
    data = [task.data(seed) for seed in range(seeds)]

    def seconds(epochs: int) -> float:
        trained = train({**spec, "epochs": epochs}, range(seeds), data, torch.device("cpu"))
        return trained.seconds / epochs

    period = spec["evaluate_every"]
    epochs = max(1, round(1 / seconds(period) / period)) * period
    estimate = cost.seconds({**spec, "epochs": epochs}, seeds) / epochs if prices.CPU else math.nan
    return estimate, float(np.median([seconds(epochs) for _ in range(rounds)]))


def fit(rounds: int) -> None:
    """Print the prices that fit the measured times best."""
    rows = [cost.amounts({**spec, "epochs": 10**6}, seeds) for spec, seeds in FITTED]
    times = np.array([measured(spec, seeds, rounds)[1] for spec, seeds in FITTED])
    relative = np.array([list(row.values()) for row in rows]) / times[:, None]
    scale = relative.max(axis=0)
    found = nnls(relative / scale, np.ones(len(times)))[0] / scale
    for name, price in zip(rows[0], found, strict=True):
        print(f'    "{name}": {price:.2g},')
    for (spec, seeds), ratio in zip(FITTED, relative @ found, strict=True):
        labels = [spec[key]["name"] for key in ("task", "norm", "optimizer")]
        print(f"{ratio:5.2f}", spec["hidden"], spec["batch_size"], seeds, *labels, spec["activation"], spec["dtype"])


def report(rounds: int) -> None:
    """Write how far the estimates are off."""
    rows = []
    for name, (spec, seeds) in CHECKED.items():
        estimate, time = measured(spec, seeds, rounds)
        rows.append([name, seeds, f"{estimate * 1e3:.2f}", f"{time * 1e3:.2f}", f"{estimate / time:.2f}"])
    off = [max(float(row[-1]), 1 / float(row[-1])) for row in rows]
    lines = [
        "# The cost model against the clock",
        "",
        machine("torch", "numpy"),
        f"One core; ms an epoch of all seeds, medians of {rounds} rounds of about a second. None of these "
        "settings is one that the prices were fitted to.",
        "",
        *table(["setting", "seeds", "estimated, ms", "measured, ms", "estimated / measured"], rows),
        "",
        f"Promised is a factor of 1.5 either way: the largest is {max(off):.2f}, "
        f"{sum(value <= 1.5 for value in off)} of {len(off)} keep to it.",
    ]
    keep("cost-model", lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--fit", action="store_true", help="print prices fitted anew, and write nothing")
    options = parser.parse_args()
    one_core()
    torch.set_num_threads(1)
    keep_freed_memory()
    fit(options.rounds) if options.fit else report(options.rounds)


if __name__ == "__main__":
    main()
