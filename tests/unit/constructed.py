"""Studies of every kind that a page can be about, with tables that were never trained, and their pages without figures.

Each case holds one thing that a text may stumble over; `page` compares the study and renders its page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import synthetic
from synthetic import arms, where

from bnbench import compare, report
from bnbench.plan.preregistration import plan_of
from bnbench.plan.study import Study
from bnbench.store import files, preregistration, report_tables, schemas, tables
from bnbench.wording import contents, titles

Frames = dict[str, pd.DataFrame]

BATCHES = ["full", 25]
OPTIMIZERS = synthetic.GRID["optimizer"]
MANY = {"batch_size": ["full", 5, 10, 25, 50], "optimizer": [*OPTIMIZERS, {"name": "sgd", "lr": 0.01}]}
"""Fifteen contexts."""


@dataclass(frozen=True)
class Case:
    """A study, and what befell its trials."""

    study: Study
    options: Mapping[str, Any] = field(default_factory=dict)
    """Of `synthetic.frames`."""
    changed: Callable[[Frames], Frames] = lambda frames: frames
    """What is done to these frames."""
    recorded: bool = False
    """Whether the plan was recorded before training."""


@dataclass(frozen=True)
class Page:
    """What was rendered."""

    study: Study
    found: Mapping[str, pd.DataFrame]
    """The tables of the comparison, by name."""
    verdicts: Mapping[str, Any]
    """What verdicts.json holds."""
    html: str
    landing: str

    @cached_property
    def rows(self) -> dict[str, list[dict[Any, Any]]]:
        """The rows of the tables, by name."""
        return {name: table.to_dict("records") for name, table in self.found.items() if name not in ("curves", "fit")}

    @cached_property
    def judged(self) -> list[dict[Any, Any]]:
        """All verdicts, on the arms as they are and as they are tuned, each with the name of its context."""
        rows = [*self.rows["contexts"], *self.rows["tuned"]]
        return [{**row, "name": titles.context_name(self.study, row)} for row in rows]


def page(case: Case, folder: Path) -> Page:
    """Compare a study and render its page; in place of each figure stands a blank one."""
    data = synthetic.write(case.changed(synthetic.frames(case.study, **case.options)), folder / "data")
    if case.recorded:
        record = {"trained": len(case.study.seeds), "records": [{"trained": 0, "plan": plan_of(case.study)}]}
        of_settings = {setting.address: record for setting in case.study.settings}
        files.write_text(data / preregistration.COLLECTED, json.dumps(of_settings))
    compare.run(case.study, data, folder, synthetic.SPLITS)
    for name in contents.figures(case.study):
        files.write_text(folder / "figures" / f"{name}.svg", "<svg><defs></defs></svg>")
    report.run(case.study, folder)
    return Page(
        case.study,
        {name: report_tables.read(folder, name) for name in schemas.TABLES},
        tables.read_json(folder / "verdicts.json"),
        *((folder / name).read_text(encoding="utf-8") for name in ("index.html", "landing.rst")),
    )


def _mixed(labels: Mapping[str, str], seed: int) -> float:
    """BN hurts in one context, helps in one, makes no difference in one and hardly any in the last."""
    context = (labels["batch_size"], labels["optimizer"][:3])
    wobble = float(np.random.default_rng([seed, *str(context).encode()]).normal())
    of = {("full", "ada"): 3.0, ("25", "ada"): 0.4, ("full", "sgd"): 1.0, ("25", "sgd"): 1.1 * np.exp(0.3 * wobble)}
    return of[context] if labels["norm"] == "batch" else 1.0


def _zero(*norms: str) -> Callable[[Frames], Frames]:
    """The losses of these arms are exactly 0 from the second measurement on."""

    def changed(frames: Frames) -> Frames:
        curves = frames["curves"]
        late = curves["norm"].isin(norms) & (curves["epoch"] > 10)
        for outcome in ("train_loss", "eval_loss", "test_loss", "test_loss_precise"):
            curves.loc[late & curves[outcome].notna(), outcome] = 0.0
        return frames

    return changed


def _accuracies(apart: float) -> Callable[[Frames], Frames]:
    """An accuracy wherever a test loss was measured; that of BN differs by `apart`."""

    def changed(frames: Frames) -> Frames:
        curves = frames["curves"]
        bn, late = curves["norm"] == "batch", curves["epoch"] / curves["epoch"].max()
        # At full batch BN makes no difference, so that both signs of a verdict stand on one page.
        bn &= curves["batch_size"] != "full"
        accuracy = 0.6 + 0.2 * late + 0.003 * (curves["seed"] % 5) + bn * (apart + 0.001 * (curves["seed"] % 3))
        curves["test_accuracy"] = accuracy.where(curves["test_loss"].notna())
        return frames

    return changed


def _gaps(frames: Frames) -> Frames:
    """The train loss in evaluation mode of BN varies by itself, and with it the gap."""
    curves = frames["curves"]
    bn = curves["norm"] == "batch"
    factor = np.where(curves["batch_size"] == "25", 0.5, 1.0) * np.exp(0.05 * np.sin(7.0 * curves["seed"]))
    curves["eval_loss"] = curves["eval_loss"] * np.where(bn, factor, 1.0)
    return frames


def _leaning(labels: Mapping[str, str], seed: int) -> float:
    """BN is worse on all seeds but one, on which it is somewhat better."""
    return (0.8 if seed == 0 else 2.5) if labels["norm"] == "batch" else 1.0


def _turning(frames: Frames) -> Frames:
    """BN has the lower losses early and the higher ones late, and still loses ground at the end."""
    curves = frames["curves"]
    bn, late = curves["norm"] == "batch", curves["epoch"] / curves["epoch"].max()
    factor = np.where(bn, np.exp(4 * (late - 0.5)), 1.0)
    for outcome in synthetic.OUTCOMES:
        curves[outcome] = curves[outcome] * factor
    return frames


def _modes(frames: Frames) -> Frames:
    """BN has the higher loss in training mode, and the lower ones in evaluation mode and on the test points."""
    curves = frames["curves"]
    curves["train_loss"] = curves["train_loss"] * np.where(curves["norm"] == "batch", 8.0, 1.0)
    return frames


PRINTED = [{"norm": "batch", "epoch": 39, "value": value, "source": "the question"} for value in (1e-9, 2e-3, 9.0)]
"""Losses that lie below all seeds, among them and above."""

SPLITS = {"task": "diabetes", "batch_size": BATCHES}
TUNABLE = [{"name": "adam", "lr": [0.001, 0.01]}]

CASES = {
    "mixed verdicts": Case(
        synthetic.plan(**synthetic.GRID, seeds=10, reference_points=PRINTED),
        {"ratio": _mixed, "noise": 0.02},
        recorded=True,
    ),
    "six seeds undecided": Case(
        synthetic.plan(batch_size=BATCHES, seeds=6), {"ratio": _leaning, "noise": 0.05, "shared": 0.1}
    ),
    "losses of 0 in one arm": Case(synthetic.plan(batch_size=BATCHES), {"noise": 0.2}, changed=_zero("batch")),
    "losses of 0 in both arms": Case(
        synthetic.plan(batch_size=BATCHES), {"noise": 0.2}, changed=_zero("none", "batch")
    ),
    "all diverged": Case(synthetic.plan(batch_size=BATCHES), {"diverged": lambda labels, seed: 12}),
    "one context diverged": Case(
        synthetic.plan(**synthetic.GRID),
        {"noise": 0.2, "diverged": lambda labels, seed: 12 if labels["batch_size"] == "25" else None},
    ),
    "worst ranks decide": Case(
        synthetic.plan(batch_size=BATCHES, seeds=12),
        {"noise": 0.1, "ratio": arms(batch=2.0), "diverged": where("batch", range(9), 12)},
    ),
    "worst ranks do not decide": Case(
        synthetic.plan(batch_size=BATCHES), {"noise": 0.3, "diverged": where("batch", [1], 12)}
    ),
    "missing trials": Case(
        synthetic.plan(**synthetic.GRID, seeds=12),
        {
            "noise": 0.05,
            "ratio": arms(batch=1.5),
            "seeds": lambda labels: range(3) if labels["batch_size"] == "25" else range(11),
        },
    ),
    "an arm is missing": Case(
        synthetic.plan(batch_size=BATCHES, norm=["none", "batch", "layer"]),
        {"noise": 0.2, "seeds": lambda labels: [] if labels["norm"] == "layer" else None},
    ),
    "one seed": Case(synthetic.plan(batch_size=BATCHES, seeds=1), {"ratio": arms(batch=3.0)}),
    "nothing trained": Case(synthetic.plan(batch_size=BATCHES), {"seeds": lambda labels: []}),
    "tuned": Case(
        synthetic.plan(
            batch_size=BATCHES, optimizer=TUNABLE, tune={"validation": 0.25}, norm=["none", "batch", "layer"]
        ),
        {
            "noise": 0.05,
            "ratio": lambda labels, seed: (
                {"none": 1.0, "batch": 2.0, "layer": 0.98}[labels["norm"]]
                * (3.0 if (labels["optimizer"] == "adam lr=0.01") != (labels["norm"] == "batch") else 1.0)
            ),
        },
    ),
    "accuracies": Case(
        synthetic.scored(synthetic.plan(task="digits", batch_size=BATCHES)), {"noise": 0.2}, changed=_accuracies(0.03)
    ),
    "accuracies of BN lower": Case(
        synthetic.scored(synthetic.plan(task="digits", **synthetic.GRID, seeds=9)),
        {"noise": 0.2, "diverged": where("batch", [2], 12)},
        changed=_accuracies(-0.05),
    ),
    "gaps": Case(
        synthetic.scored(synthetic.plan(batch_size=BATCHES, seeds=10), "generalization_gap"),
        {"noise": 0.05},
        changed=_gaps,
    ),
    "named pairs in many contexts": Case(
        synthetic.plan(**MANY, norm=["none", "batch", "layer"], seeds=9, report={"compare": [["batch", "layer"]]}),
        {"noise": 0.1, "ratio": arms(batch=3.0, layer=0.9)},
    ),
    "no effect": Case(synthetic.plan(**MANY, seeds=14), {"noise": 0.3}),
    "splits of real data": Case(
        synthetic.plan(**SPLITS, seeds=10), {"noise": 0.1, "ratio": arms(batch=1.4), "target_scale": 77.0}
    ),
    "batch sizes compared": Case(
        synthetic.plan(
            batch_size=["full", 10, 25], norm=["batch", "none"], report={"factor": "batch_size", "baseline": "full"}
        ),
        {"noise": 0.05, "ratio": lambda labels, seed: {"full": 1.0, "10": 1.02, "25": 2.0}[labels["batch_size"]]},
    ),
    "optimizers compared": Case(
        synthetic.plan(
            norm=["none"], optimizer=OPTIMIZERS, report={"factor": "optimizer", "baseline": "adam"}, seeds=10
        ),
        {"noise": 0.02, "ratio": lambda labels, seed: 0.5 if labels["optimizer"].startswith("sgd") else 1.0},
    ),
    "the better arm changes on the way": Case(
        synthetic.plan(**synthetic.GRID, epochs=200, seeds=10), {"noise": 0.05}, changed=_turning
    ),
    "a run that is too short": Case(
        synthetic.plan(epochs=200, seeds=10), {"noise": 0.05, "ratio": arms(batch=0.1)}, changed=_turning
    ),
    "training mode says the opposite": Case(
        synthetic.plan(batch_size=BATCHES, seeds=12, report={"outcome": "train_loss"}),
        {"noise": 0.05, "ratio": arms(batch=0.5)},
        changed=_modes,
    ),
    "sources of variance": Case(
        synthetic.plan(task={"name": "sine", "noise": 0.1}, batch_size=[25], seed_varies=["all", "data", "weights"]),
        {"noise": 0.1, "ratio": arms(batch=1.5)},
    ),
}
"""What is particular of a study → the study and its tables."""
