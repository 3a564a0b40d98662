"""Synthetic stores of many kinds, for the audit of all numbers: what may befall trials, by name.

A kind is a study and its collected tables. Losses vary by trial, by outcome and by epoch, so that no two numbers of a
report agree by chance and every window gives another value.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import synthetic

from bnbench.plan.study import Study
from bnbench.vocabulary import MEASURED, VALIDATION

Frames = Mapping[str, pd.DataFrame]
Edit = Callable[[pd.DataFrame], pd.DataFrame]
"""Of the curves, a row per trial and epoch."""

ADAM, SGD = {"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}
GRID = {"batch_size": ["full", 25], "optimizer": [ADAM, SGD]}
WIDE = {"batch_size": ["full", 25, 10], "optimizer": [ADAM, SGD]}
RATES = {"optimizer": [{"name": "adam", "lr": [0.001, 0.003, 0.01]}], "tune": {"validation": 0.2}}
THREE = {"norm": ["none", "batch", "layer"]}
GHOST = {"name": "ghost", "size": 10}
ROOM = {"batch_size": [5, 10, 25, "full"], "optimizer": [ADAM, SGD]}
SINES = [{"name": "sine", "points": 20}, {"name": "sine", "points": 100}]
DIGITS = {"task": [{"name": "digits"}]}


class Kind(NamedTuple):
    """A store."""

    study: Study
    found: Frames


def shaken(curves: pd.DataFrame) -> pd.DataFrame:
    """Every loss with noise of its own trial and of its own epoch."""
    trials = curves.groupby(["setting", "seed"], sort=True).ngroup().to_numpy()
    generator = np.random.default_rng(1)
    for name in [name for name in (*MEASURED[:4], VALIDATION) if name in curves]:
        of_trials = 0.3 * generator.standard_normal(trials.max() + 1 if len(trials) else 0)
        curves[name] *= np.exp(of_trials[trials] + 0.1 * generator.standard_normal(len(curves)))
    return curves


def scored(curves: pd.DataFrame, better: float = 0.02) -> pd.DataFrame:
    """With accuracies, of which BN's are higher; of 360 points, so that some tie."""
    generator = np.random.default_rng(2)
    mean = 0.9 + better * (curves["norm"] == "batch") + 0.02 * generator.standard_normal(100)[curves["seed"]]
    exact = mean + 0.01 * generator.standard_normal(len(curves))
    found = np.where(curves["test_loss"].notna(), (exact * 360).round() / 360, np.nan)
    return curves.assign(test_accuracy=np.clip(found, 0, 1))


def zero(columns: list[str], where: Callable[[pd.DataFrame], Any]) -> Edit:
    """These losses are exactly 0 in some rows, where they were measured and finite."""

    def edit(curves: pd.DataFrame) -> pd.DataFrame:
        for name in columns:
            curves[name] = curves[name].mask(where(curves) & curves[name].notna(), 0.0)
        return curves

    return edit


def made(
    changes: Mapping[str, Any], *edits: Edit, outcome: str | None = None, report: Any = None, **options: Any
) -> Kind:
    """A study of these changes, with noise, and the edits of its curves one after the other."""
    report = {"window": 0.15, **(report or {}), **({"outcome": outcome} if outcome else {})}
    study = synthetic.plan(**{"evaluate_every": 2, **changes, "report": report})
    frames = synthetic.frames(
        study, **{"noise": 0.2, "seconds": _seconds, "ratio": synthetic.arms(batch=1.3, layer=0.8), **options}
    )
    curves = shaken(frames["curves"].copy())
    for edit in edits:
        curves = edit(curves)
    return Kind(study, {**frames, "curves": curves})


def without(*pairs: tuple[str, int], every: int = 12) -> Callable[[Mapping[str, str]], list[int]]:
    """The seeds 0 to `every` − 1 of a setting, without these of (a label of the setting, seed)."""
    return lambda labels: [
        seed for seed in range(every) if not any(label in labels.values() and seed == gone for label, gone in pairs)
    ]


def _seconds(labels: Mapping[str, str], seed: int) -> float:
    """Those of jobs of four seeds."""
    return round(1.0 + 0.3 * (labels["norm"] == "batch") + 0.1 * (seed // 4 % 3), 3)


def _of(norm: str, *seeds: int) -> Callable[[pd.DataFrame], Any]:
    return lambda curves: (curves["norm"] == norm) & (curves["seed"].isin(seeds) if seeds else True)


def _last(rows: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame], Any]:
    return lambda curves: rows(curves) & (curves["epoch"] == 39)


def _tied(curves: pd.DataFrame) -> pd.DataFrame:
    """Both arms of the seeds 0 and 1 have the same losses, those of 2 and 3 the same ratio."""
    keys = ["seed", "epoch"]
    none = curves[curves["norm"] == "none"].set_index(keys)
    bn = curves["norm"] == "batch"
    same = none.loc[pd.MultiIndex.from_frame(curves.loc[bn, keys])]
    factors = np.select([curves.loc[bn, "seed"] < 2, curves.loc[bn, "seed"] < 4], [1.0, 2.0], np.nan)
    for name in MEASURED[:4]:
        own = curves.loc[bn, name].to_numpy()
        curves.loc[bn, name] = np.where(np.isnan(factors), own, factors * same[name].to_numpy())
    return curves


def _equal(factor: float) -> Edit:
    """BN has `factor` times the loss of no BN in every seed and epoch."""

    def edit(curves: pd.DataFrame) -> pd.DataFrame:
        for name in MEASURED[:4]:
            none = curves.loc[curves["norm"] == "none", name].to_numpy()
            curves.loc[curves["norm"] == "batch", name] = factor * none
        return curves

    return edit


def _common(labels: Mapping[str, str], seed: int) -> float:
    """A ratio that a seed has in all contexts."""
    return float(np.exp(0.4 * np.random.default_rng(seed).normal() + 0.4)) if labels["norm"] == "batch" else 1.0


def _opposed(labels: Mapping[str, str], seed: int) -> float:
    """BN is lower in three contexts of four, and much higher in one."""
    high = labels["batch_size"] == "25" and labels["optimizer"].startswith("sgd")
    return 1.0 if labels["norm"] == "none" else 30.0 if high else 0.5


def _rarely_much(labels: Mapping[str, str], seed: int) -> float:
    """Layer norm is much lower at full batch, and higher at the other two."""
    return 1.0 if labels["norm"] == "none" else 1e-4 if labels["batch_size"] == "full" else 4.0


_HALF = synthetic.where("batch", (1, 4, 6), 20)
_BOTH = lambda labels, seed: 20 if seed in ((1, 4) if labels["norm"] == "batch" else (4, 5)) else None  # noqa: E731

KINDS: dict[str, Callable[[], Kind]] = {
    "plain": lambda: made({}),
    "1 seed": lambda: made({"seeds": 1, **GRID}),
    "2 seeds": lambda: made({"seeds": 2, **GRID}),
    "2 seeds without spread": lambda: made({"seeds": 2}, _equal(1.0)),
    "5 seeds": lambda: made({"seeds": 5}, ratio=synthetic.arms(batch=8.0)),
    "6 seeds alone": lambda: made({"seeds": 6}, ratio=synthetic.arms(batch=8.0)),
    "6 seeds of four contexts": lambda: made({"seeds": 6, **GRID}, ratio=synthetic.arms(batch=8.0)),
    "20 seeds": lambda: made({"seeds": 20}),
    "17 seeds of two contexts": lambda: made({"seeds": 17, "batch_size": ["full", 25]}),
    "correlated contexts": lambda: made({"seeds": 10, **GRID}, ratio=_common),
    "opposed contexts": lambda: made({"seeds": 10, **GRID}, ratio=_opposed),
    "3 × 2 contexts": lambda: made({"seeds": 9, **WIDE}),
    "missing trials": lambda: made(
        {"seeds": 12, **GRID}, seeds=without(("25", 3), ("batch", 5), ("sgd lr=0.1", 0), ("sgd lr=0.1", 7))
    ),
    "missing trials of many seeds": lambda: made(
        {"seeds": 18, "batch_size": ["full", 25]}, seeds=without(("25", 3), ("batch", 5), every=18)
    ),
    "a context without trials": lambda: made(
        {"seeds": 8, **GRID}, seeds=lambda labels: [] if labels["batch_size"] == "25" else None
    ),
    "duplicated seeds": lambda: made({"seeds": 8}, seeds=lambda _: [0, 1, 2, 3, 3, 4, 5, 6, 7, 9]),
    "other weights": lambda: made(
        {"seeds": 10}, weights_hash=lambda labels, seed: f"{seed} {labels['norm'] if seed == 2 else ''}"
    ),
    "some diverged": lambda: made({"seeds": 10, "batch_size": ["full", 25]}, diverged=_HALF),
    "some diverged of both arms": lambda: made({"seeds": 10}, diverged=_BOTH),
    "one arm diverged": lambda: made({"seeds": 9}, diverged=synthetic.where("batch", range(9), 5)),
    "both arms diverged": lambda: made({"seeds": 8, "batch_size": ["full", 25]}, diverged=lambda *_: 7),
    "a zero": lambda: made({"seeds": 20}, zero(["test_loss"], _of("batch", 4))),
    "a zero in part of the window": lambda: made(
        {"seeds": 10, "batch_size": ["full", 25]}, zero(["test_loss"], _last(_of("none", 4))), report={"window": 0.3}
    ),
    "zeros of an arm": lambda: made({"seeds": 10}, zero(["test_loss"], _of("none"))),
    "zeros of both arms": lambda: made(
        {"seeds": 10}, zero(["test_loss"], _of("none")), zero(["test_loss"], _of("batch"))
    ),
    "zeros and divergence": lambda: made({"seeds": 10}, zero(["test_loss"], _of("none", 2, 3)), diverged=_HALF),
    "zeros of a gap": lambda: made(
        {"seeds": 10},
        zero(["eval_loss"], _of("none", 1, 2, 3, 4)),
        zero(["eval_loss"], _of("batch", 4, 5)),
        zero(["test_loss"], _of("batch", 7)),
        outcome="generalization_gap",
    ),
    "ties": lambda: made({"seeds": 9}, _tied),
    "equal arms": lambda: made({"seeds": 8, "batch_size": ["full", 25]}, _equal(1.0)),
    "a constant ratio": lambda: made({"seeds": 8, "batch_size": ["full", 25]}, _equal(1.01)),
    "equivalent": lambda: made({"seeds": 10, **GRID}, ratio=1.0, noise=0.0, report={"margin": 2.5, "window": 0.5}),
    "accuracies": lambda: made({"seeds": 10, **DIGITS}, scored, report={"outcome": "test_accuracy", "margin": 0.01}),
    "accuracies of four contexts": lambda: made(
        {"seeds": 10, **DIGITS, **GRID}, scored, report={"outcome": "test_accuracy", "margin": 0.01}, diverged=_HALF
    ),
    "a gap": lambda: made({"seeds": 10, **GRID}, outcome="generalization_gap"),
    "a train loss": lambda: made({"seeds": 10}, outcome="train_loss", report={"window": 0.2}),
    "three arms": lambda: made(
        {"seeds": 9, **THREE, "batch_size": ["full", 25]}, report={"compare": [["batch", "layer"]]}
    ),
    "an arm that is another one in some contexts": lambda: made(
        {"seeds": 9, "norm": ["none", "batch", GHOST, "layer"], **ROOM}, report={"compare": [["batch", "layer"]]}
    ),
    "an arm that is another one, by the task": lambda: made(
        {"seeds": 9, "norm": ["none", "batch", {**GHOST, "size": 15}], "task": SINES, "batch_size": [10, 20, "full"]},
        diverged=_HALF,
    ),
    "tuned arms of which one is another": lambda: made(
        {"seeds": 9, **RATES, "norm": ["none", "batch", GHOST], "batch_size": [5, 25]}, ratio=_by_rate
    ),
    "three arms, diverged": lambda: made({"seeds": 9, **THREE}, diverged=_HALF),
    "ranks against means": lambda: made({"seeds": 9, **THREE, "batch_size": ["full", 25, 10]}, ratio=_rarely_much),
    "diverged after the target": lambda: made(
        {"seeds": 10}, report={"target": 0.05}, diverged=synthetic.where("batch", (1, 4, 6), 38)
    ),
    "three arms of accuracies": lambda: made(
        {"seeds": 9, **THREE, **DIGITS}, scored, report={"outcome": "test_accuracy", "margin": 0.01}
    ),
    "tuned": lambda: made({"seeds": 9, **RATES, "batch_size": ["full", 25]}, ratio=_by_rate),
    "tuned, diverged and missing": lambda: made(
        {"seeds": 9, **RATES}, ratio=_by_rate, diverged=_HALF, seeds=without(("batch", 2), every=9)
    ),
    "tuned with zeros": lambda: made({"seeds": 9, **RATES}, zero(["test_loss"], _of("batch", 2, 3)), ratio=_by_rate),
    "many tasks": lambda: made(
        {"seeds": 8, "task": [{"name": "sine"}, {"name": "mixture"}, {"name": "diabetes"}, {"name": "digits"}]}
    ),
    "splits of real data": lambda: made({"seeds": 10, "task": [{"name": "diabetes"}]}, target_scale=77.0),
    "the last epoch": lambda: made({"seeds": 8}, report={"window": 0}),
    "all epochs": lambda: made({"seeds": 8}, report={"window": 1}),
    "alpha of 1 %": lambda: made({"seeds": 13, "batch_size": ["full", 25]}, report={"alpha": 0.01}),
    "alpha of 10 %": lambda: made({"seeds": 8, "batch_size": ["full", 25]}, report={"alpha": 0.1}),
}


def _by_rate(labels: Mapping[str, str], seed: int) -> float:
    """BN is best at the highest rate, no BN at the lowest, each by little."""
    place = ["0.001", "0.003", "0.01"].index(labels["optimizer"].rpartition("=")[2])
    steps = 2 - place if labels["norm"] == "batch" else place
    return float(np.exp(0.2 * steps + 0.2 * np.random.default_rng([seed, place]).normal()))
