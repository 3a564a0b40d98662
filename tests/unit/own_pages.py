"""Pages of results of one's own, from made-up tables of every kind; in place of each figure stands a blank one."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any

import constructed
import numpy as np
import own_tables
import synthetic
import walking
from own_tables import grid

from bnbench import collect, compare, report
from bnbench.store import report_tables, schemas

Columns = Mapping[str, list[Any]]


@dataclass(frozen=True)
class Case:
    """A table, and what its user says of it."""

    columns: Columns | None
    said: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)


class Page(constructed.Page):
    """What was rendered."""

    @cached_property
    def blocks(self) -> list[walking.Block]:
        """The texts of the page, of the landing page and of verdicts.json."""
        return [*walking.blocks(self.html), *walking.landing(self.landing), *walking.stored(self.verdicts)]

    @cached_property
    def text(self) -> str:
        """All that a reader can see, but for the references and the names of columns, and what pictures say."""
        before, _, rest = self.html.partition('<h3 id="references">')
        shown = before + rest[rest.index('<h2 id="exclusions">') :]
        shown = re.sub(r"<(style|script)\b.*?</\1>|<dt>.*?</dt>", " ", shown, flags=re.DOTALL)
        said = " ".join(re.findall(r'alt="([^"]*)"', shown))
        return " ".join(f"{unescape(re.sub('<[^>]*>', ' ', shown))} {unescape(said)} {self.landing}".split())

    @cached_property
    def terms(self) -> dict[str, str]:
        """Term → what is said of it."""
        return {block.term: block.text for block in self.blocks if block.kind == "dd"}


def page(case: Case, folder: Path) -> Page:
    """Judge a table and render its page."""
    study = own_tables.study(case.columns, report=case.report, **case.said)
    long = None if case.columns is None else own_tables.long(case.columns)
    collect.run(study, Path(), folder / "data", long)
    compare.run(study, folder / "data", folder, splits=20)
    synthetic.leave_blank(study, folder)
    report.run(study, folder)
    html, landing = ((folder / name).read_text(encoding="utf-8") for name in ("index.html", "landing.rst"))
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    found = {name: report_tables.read(folder, name) for name in schemas.TABLES}
    return Page(study, found, verdicts, html, landing)


def noise(rows: int, key: int = 0) -> list[float]:
    """Standard normal numbers."""
    return [*np.random.default_rng(key).standard_normal(rows)]


def added(columns: Columns, name: str, value: Any, key: int = 0) -> dict[str, list[Any]]:
    """The columns and one more: of each row, what `value` makes of it and of a normal number of its own."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    drawn = noise(len(rows), key)
    return {**columns, name: [value(row, each) for row, each in zip(rows, drawn, strict=True)]}


def kept(columns: Columns, which: Any) -> dict[str, list[Any]]:
    """The rows of which `which` holds."""
    rows = [row for row in zip(*columns.values(), strict=True) if which(dict(zip(columns, row, strict=True)))]
    return {name: [row[place] for row in rows] for place, name in enumerate(columns)}


def _loss(row: Mapping[str, Any], drawn: float) -> float:
    worse = 0.4 if (row["norm"], row["lr"]) == ("batch", 0.1) else 0.0
    return math.exp(-0.2 * row["epoch"] + worse + 0.03 * drawn)


def _diverging(row: Mapping[str, Any], drawn: float) -> float:
    if row["clipping"] == "off" and row["seed"] < 2 and row["epoch"] > 2:
        return math.nan
    return math.exp(-0.2 * row["epoch"] + 0.1 * drawn - 0.3 * (row["clipping"] == "on"))


def _score(row: Mapping[str, Any], drawn: float) -> float:
    return 0.8 + 0.01 * row["seed"] + 0.02 * (row["dropout"] > 0) + 0.004 * drawn


def _there(row: Mapping[str, Any]) -> bool:
    """Without a run, the end of another, and a measurement in the middle of a third."""
    on = row["clipping"] == "on"
    return not (on and (row["seed"] == 7 or (row["seed"] == 5 and row["epoch"] > 3))) and (
        (row["seed"], row["epoch"]) != (6, 2)
    )


NORMS = Case(
    added(grid(norm=["none", "batch"], lr=[0.01, 0.1], seed=range(12), epoch=range(6)), "val_loss", _loss),
    {"outcome": "val_loss"},
)
DROPOUT = added(grid(dropout=[0.0, 0.5], seed=range(12)), "score", _score)
RATES = {"adam": 0.02, "adamw": 0.021, "lion": -0.03, "rmsprop": 0.0, "sgd": 0.0}
OPTIMIZERS = added(
    grid(optimizer=[*RATES], dataset=["cifar10", "stl10", "svhn"], seed=range(8)),
    "accuracy",
    lambda row, drawn: 0.8 + RATES[row["optimizer"]] + 0.005 * drawn,
)
DIVERGED = kept(added(grid(clipping=["off", "on"], seed=range(12), epoch=range(6)), "loss", _diverging), _there)
MANY = added(
    grid(augmentation=["plain", "mixup"], model=[*"abcdefghij"], width=[1, 2, 4, 8], seed=range(4)),
    "test_loss",
    lambda row, drawn: math.exp(0.1 * drawn),
)
RETURNS = added(
    grid(algo=["dqn", "double-dqn"], env_id=["Acrobot", "CartPole"], seed=range(8), global_step=range(0, 50001, 5000)),
    "episode_return",
    lambda row, drawn: (500 + 40 * (row["algo"] != "dqn")) * (1 - math.exp(-row["global_step"] / 9000)) + 10 * drawn,
)


def _with_zeros(row: Mapping[str, Any], drawn: float) -> float:
    if row["arm"] == "other" and row["seed"] < 3:
        return 0.0
    return math.exp((row["epoch"] < 2) - 0.5 * (row["arm"] == "other") + 0.05 * drawn)


ZEROS = added(grid(arm=["none", "other"], batch_size=[16, 32], seed=range(9), epoch=[1, 2]), "eval_loss", _with_zeros)

CASES = {
    "norms": NORMS,
    "dropout as numbers": Case(DROPOUT, {"factor": "dropout", "baseline": 0}),
    "five optimizers": Case(OPTIMIZERS, {"factor": "optimizer", "baseline": "sgd"}),
    "diverged, stopped and missing": Case(DIVERGED),
    "forty contexts": Case(MANY, {"factor": "augmentation", "baseline": "plain"}),
    "returns over steps": Case(RETURNS, {"factor": "algo", "baseline": "dqn"}),
    "losses of 0": Case(ZEROS, {"factor": "arm", "outcome": "eval_loss"}),
    "groups": Case(DROPOUT, {"factor": "dropout", "baseline": 0, "unpaired": True}),
    "groups of five": Case(OPTIMIZERS, {"factor": "optimizer", "baseline": "sgd", "unpaired": True}),
    "groups that diverged": Case(DIVERGED, {"unpaired": True}),
}
"""One for each thing that a text may stumble over."""
