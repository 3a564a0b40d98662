"""Part: a chunk gives the same bits when it is trained again, and when it is stopped and resumed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from reporting import Options, Report
from trainings import Spec, engine, points, spec, trained

from bnbench.trainer.loop import train_networks
from bnbench.trainer.snapshot import State
from bnbench.trainer.stacked import StackedEngine

STOPPED = 17  # epochs before the pause
NORMS: tuple[Any, ...] = ("none", "batch", {"name": "ghost", "size": 11}, "population", "layer")
OPTIMIZERS: tuple[Any, ...] = ("adam", "sgd", "nadam", "rprop")
CASES: list[dict[str, Any]] = [
    *({"norm": norm, "optimizer": optimizer} for norm in NORMS for optimizer in OPTIMIZERS),
    *({"norm": norm, "optimizer": "adam", "schedule": ["cosine"]} for norm in ("none", "batch")),
    *({"norm": norm, "optimizer": "adam", "batch_size": ["full"]} for norm in ("none", "batch")),
    {"norm": {"name": "batch", "momentum": None}, "optimizer": "momentum", "activation": ["tanh"]},
]


def measure(options: Options, report: Report) -> None:
    """Train each case four times: twice as a job does, once as a whole and once with a pause."""
    hidden, seeds, epochs = ([16, 16], 3, 24) if options.small else ([64, 64], 16, 40)
    cases = CASES[::4] if options.small else CASES
    same = tried = 0
    for case in cases:
        if time.monotonic() > options.until:
            report.lines(f"The time was over after {tried} of {len(cases)} settings.", "")
            break
        tried += 1
        setting = spec(options.device, **{"hidden": hidden, "batch_size": [33], **case}, **_length(epochs))
        name = _named(case)
        report.doing(name)
        wrong = _differences(setting, range(seeds), options)
        same += not wrong
        for each in wrong:
            report.fail(f"{name}: {each}")
    report.figure(f"{same} of {tried} settings gave the same bits twice and after a resumption")
    report.lines(
        f"{same} of {tried} settings gave the same bits in a second training, and when it was stopped after epoch "
        f"{STOPPED} and resumed from that state: {seeds} seeds of {hidden[0]}–{hidden[1]} networks, {epochs} epochs, "
        f"float32; {', '.join(_named(case) for case in cases[:tried])}."
    )


def _length(epochs: int) -> dict[str, Any]:
    return {"epochs": epochs, "evaluate_every": 6}


def _named(case: dict[str, Any]) -> str:
    words = [value["name"] if isinstance(value, dict) else value for value in case.values()]
    return " ".join(str(word[0] if isinstance(word, list) else word) for word in words)


def _differences(setting: Spec, seeds: range, options: Options) -> list[str]:
    """What is not the same."""
    one, other = (trained(setting, seeds, options.torch) for _ in range(2))
    kept: list[State] = []

    def keep(done: int, state: Any) -> None:
        kept.extend([state()] if done == STOPPED else [])

    def networks() -> StackedEngine:
        return engine(setting, seeds, options.torch)

    whole = train_networks(networks(), setting, after_epoch=keep)
    if not kept:
        return [f"the loop gives no state after epoch {STOPPED}"]
    resumed = train_networks(networks(), setting, start=kept[0])
    pairs = {"the same chunk twice": (one, other), "a resumption": (whole, resumed)}
    found = []
    for name, (left, right) in pairs.items():
        values = {**{key: (left.losses[key], right.losses[key]) for key in left.losses}, "fit": (left.fit, right.fit)}
        unlike = [key for key, (a, b) in values.items() if not np.array_equal(a, b, equal_nan=True)]
        if unlike:
            a, b = values[unlike[0]]
            found.append(f"{name}: other bits in {', '.join(unlike)}, by up to {_apart(a, b):.1e} of the value")
    if len(points(setting, seeds)) != one.fit.shape[0] or not np.isfinite(one.losses["train_loss"]).all():
        found.append("losses are not finite")
    return found


def _apart(a: Any, b: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.nanmax(np.abs(a - b) / np.abs(a)))
