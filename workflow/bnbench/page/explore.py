"""What the interactive figures draw: the numbers of the report's tables, as one block of JSON in the page.

Effects come with their texts, those of the cells of the tables. Values over the epochs and seed by seed come as
numbers, each with as few digits as give the text of the whole number; scripts/explore_numbers.js writes them as
`wording.effects` does. A study that is too large for a page has fewer outcomes here, or none: see the caps.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd

from bnbench.judging.exploratory import PRIMARY
from bnbench.outcomes import Outcome
from bnbench.page import rows
from bnbench.plan.study import Study
from bnbench.wording import captions, contents, effects, formats, samples, templating, titles, words

POINTS = 30_000
"""Points of all curves together, at most."""

FEWEST, MOST = 24, 100
"""Points of a curve: with fewer for each, only the outcome that decides has curves, or none; more show nothing more."""

VALUES = 20_000
"""Values of single trials, at most: of a larger study those by the outcome that decides alone, or none."""

ROWS = 2_000
"""Effects, at most: of a larger study those on the outcome that decides alone."""

Record = dict[str, Any]
"""What becomes an object of JSON."""


def facts(study: Study, found: Mapping[str, pd.DataFrame]) -> Record:
    """What the page holds for its scripts.

    Args:
        study: the study.
        found: its tables, by name.

    Returns:
        `arms`, `contexts`, `comparisons` and `outcomes`, to whose places all else refers; `seeds`; `effects`, `curves`
        and `finals`, by outcome; `differences` and `changes`, the effect over the epochs and by seed; and `grids`, the
        epochs of curves.
    """
    return _Facts(study, found).whole()


def block(record: Record) -> str:
    """The text of an element `script` that holds the record; nothing in it can end the element."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def value_form(outcome: Outcome) -> str:
    """Which of the ways of `effects.value` a value is written in: `own`, `own%`, `e`, `%` or `g`."""
    if outcome.title:
        return "own%" if outcome.per_cent else "own"
    return "e" if outcome.is_ratio else "%" if outcome.per_cent else "g"


class _Facts:
    """The tables of a study on their way to JSON."""

    def __init__(self, study: Study, found: Mapping[str, pd.DataFrame]) -> None:
        self.study, self.found = study, found
        self.held = [factor for factor in study.factors if factor != study.report.factor]
        self.arms = {label: place for place, label in enumerate(study.arms)}
        self.comparisons = {pair: place for place, pair in enumerate(study.comparisons)}
        self.grids: dict[tuple[int, ...], int] = {}

    def whole(self) -> Record:
        """All of it."""
        study, decides = self.study, self.study.report.outcome
        effects_of, curves, finals = self._effects(), self._curves(), self._finals()
        names = [decides, *(name for name in effects_of if name != decides)]
        names += [name for name in curves if name not in names]
        within = study.outcome.cost_margin(study.report.margin)
        return {
            "arms": [{"label": label, "title": titles.arm(study, label)} for label in study.arms],
            "contexts": [{"name": name, "held": held} for name, held in self.contexts.values()],
            "comparisons": [self._comparison(*pair) for pair in study.comparisons],
            "paired": study.paired,
            "seeds": self.seeds,
            "epoch": words.of(study).epoch,
            "run": words.of(study).run,
            "log_epochs": study.trained_here,
            "level": formats.percent(1 - study.report.alpha),
            "base": captions.base(study),
            "margin": sorted(study.outcome.shown(cost) for cost in (-within, within)),
            "outcomes": {name: self._outcome(name) for name in names},
            "decides": decides,
            "effects": effects_of,
            "curves": curves,
            "differences": self._differences() if curves else [],
            "finals": finals,
            "changes": self._changes() if finals else [],
            "grids": [list(grid) for grid in self.grids],
        }

    @cached_property
    def contexts(self) -> dict[tuple[str, ...], tuple[str, Record]]:
        """Labels of what is held fixed → the name of the context, and its levels as attributes of the page say them."""
        varied = self.study.varied()
        return {
            self._labels(labels): (
                titles.context_name(self.study, labels),
                {templating.camel(templating.attribute(factor)): labels[factor] for factor in varied},
            )
            for labels, _ in self.study.contexts()
        }

    @cached_property
    def places(self) -> dict[tuple[str, ...], int]:
        """Labels of what is held fixed → the place of the context."""
        return {labels: place for place, labels in enumerate(self.contexts)}

    @cached_property
    def seeds(self) -> list[int]:
        """All seeds of the tables."""
        found = [self.found[name]["seed"] for name in ("pairs", "finals")]
        return sorted({int(seed) for column in found for seed in column.unique()})

    def _labels(self, row: Mapping[Any, Any]) -> tuple[str, ...]:
        return tuple(str(row[factor]) for factor in self.held)

    def _comparison(self, baseline: str, treatment: str) -> Record:
        row = {"baseline": baseline, "treatment": treatment}
        return {"title": titles.comparison(self.study, row), **{name: self.arms[arm] for name, arm in row.items()}}

    def _outcome(self, name: str) -> Record:
        """What is known about an outcome itself."""
        outcome = self.study.outcomes[name]
        return {
            "title": titles.outcome(self.study, name),
            "ratio": outcome.is_ratio,
            "lower": outcome.lower_is_better,
            "form": value_form(outcome),
            "units": 100 if outcome.per_cent else 1,
            "effect": effects.noun(outcome),
        }

    def _effects(self) -> dict[str, list[Record]]:
        """Outcome → a row for each contrast, with the texts of the tables' cells."""
        study, contexts, every = self.study, self.found["contexts"], self.found["outcomes"]
        cells = rows.contexts(study, contexts)
        found = {study.report.outcome: [*map(self._decided, contexts.to_dict("records"), cells)]}
        if len(every) > ROWS:
            return found
        for name in titles.in_order(study, set(every["outcome"])):
            table = every[(every["outcome"] == name) & (every["role"] != PRIMARY)]
            if len(table):
                found[name] = [self._explored(row) for row in table.to_dict("records")]
        return found

    def _of_contrast(self, row: Mapping[Any, Any], columns: Sequence[str]) -> Record:
        """Where a row belongs, and its numbers, with digits enough for a picture."""
        place = self.comparisons[row["baseline"], row["treatment"]]
        numbers = {name: _rounded(row[column]) for name, column in zip(_NUMBERS, columns, strict=False)}
        return {"context": self.places[self._labels(row)], "comparison": place, **numbers}

    def _decided(self, row: Mapping[Any, Any], cells: Mapping[str, Any]) -> Record:
        """The row of an effect that decides."""
        columns = ("effect", "effect_low", "effect_high", "baseline_value", "treatment_value", "own_low", "own_high")
        said = {name: _said(cells[cell]) for name, cell in _CELLS.items()}
        if cells["effect"] == rows.NOTHING and row["diverged_baseline"] + row["diverged_treatment"]:
            said["instead"] = f"by ranks; {_diverged(self.study, row)}"
        solid = row["verdict"] in ("helps", "hurts") and row["test"] == "mean"
        return {**self._of_contrast(row, columns), "verdict": row["verdict"], "solid": solid, "said": said}

    def _explored(self, row: Mapping[Any, Any]) -> Record:
        """The row of an effect that does not decide."""
        columns = ("effect", "low", "high", "baseline_value", "treatment_value")
        value = partial(effects.value, self.study.outcomes[row["outcome"]])
        arms = {arm: rows.number(row[f"{arm}_value"], value).text for arm in ("baseline", "treatment")}
        counted = f"{row['finite_pairs']} of {row['pairs']}" if row["finite_pairs"] < row["pairs"] else row["pairs"]
        said = {"effect": _said(rows.explored_effect(self.study, row)), "pairs": str(counted), **arms}
        return {**self._of_contrast(row, columns), "said": {**said, "p": rows.p(row["p_bh"]).text}}

    def _curves(self) -> dict[str, list[Record]]:
        """Outcome → a curve for each arm and context, as many outcomes as the cap allows."""
        table = self.found["curves"]
        if not self.study.has_course or table.empty:
            return {}
        factor, decides = self.study.report.factor, self.study.report.outcome
        lines = [*table.groupby(["outcome", *self.held, factor], sort=False)]
        own = [line for line in lines if line[0][0] == decides]
        shown = next((some for some in (lines, own) if some and POINTS // len(some) >= FEWEST), [])
        most = min(MOST, POINTS // max(1, len(shown)))
        found: dict[str, list[Record]] = {}
        for key, line in shown:
            text = partial(effects.value, self.study.outcomes[str(key[0])])
            numbers = self._course(line, ("loss", "low", "high"), text, most)
            counts = {"n": int(line["seeds"].iloc[0]), "diverged": int(line["diverged"].iloc[0])}
            first = {"context": self.places[tuple(map(str, key[1:-1]))], "arm": self.arms[str(key[-1])]}
            found.setdefault(str(key[0]), []).append({**first, **counts, **numbers})
        return {name: found[name] for name in titles.in_order(self.study, set(found))}

    def _differences(self) -> list[Record]:
        """The effect on the outcome that decides over the epochs, a line for each contrast."""
        found, table = [], self.found["differences"]
        most = min(MOST, POINTS // max(1, self.study.family))
        text = partial(effects.plain, self.study.outcome)
        for key, line in table.groupby([*self.held, "baseline", "treatment"], sort=False):
            labels, pair = tuple(map(str, key[:-2])), (str(key[-2]), str(key[-1]))
            if int(line["pairs"].iloc[0]):
                numbers = self._course(line, ("effect", "low", "high"), text, most)
                places = {"context": self.places[labels], "comparison": self.comparisons[pair]}
                found.append({**places, "n": int(line["pairs"].iloc[0]), **numbers})
        return found

    def _course(self, line: pd.DataFrame, columns: Sequence[str], text: Callable[[float], str], most: int) -> Record:
        """The epochs of a line, by the place of their grid, and its value and limits, at up to `most` points."""
        at = np.unique(np.linspace(0, len(line) - 1, min(most, len(line))).round().astype(int))
        grid = tuple(int(epoch) for epoch in line["epoch"].to_numpy()[at])
        numbers = {
            name: shortest(line[column].to_numpy(np.float64)[at], text)
            for name, column in zip(("value", "low", "high"), columns, strict=True)
        }
        return {"grid": self.grids.setdefault(grid, len(self.grids)), **numbers}

    def _finals(self) -> dict[str, list[Record]]:
        """Outcome → the values of the trials of each arm and context, by the places of their seeds.

        Of trials that are in a pair, by the outcome that decides and as far as the cap allows by the others.
        """
        study, factor = self.study, self.study.report.factor
        pairs = contents.drawn(study, "pairs", self.found["pairs"])
        of_arms = [
            pairs.loc[pairs[f"{arm}_floored"].notna(), [*self.held, arm, "seed", f"{arm}_value", f"{arm}_floored"]]
            for arm in ("baseline", "treatment")
        ]
        names = [*self.held, factor, "seed", "final", "floored"]
        own = pd.concat([part.set_axis(names, axis=1) for part in of_arms]).drop_duplicates(
            [*self.held, factor, "seed"]
        )
        every = self.found["finals"]
        if len(own) > VALUES:
            return {}
        decides = study.report.outcome
        found = {decides: self._by_seed(own, decides)}
        if len(every) + len(own) <= VALUES:
            kept = own[[*self.held, factor, "seed"]] if study.paired else every[[*self.held, factor, "seed"]]
            every = every.merge(kept.drop_duplicates(), on=[*self.held, factor, "seed"])
            found |= {str(name): self._by_seed(part, str(name)) for name, part in every.groupby("outcome", sort=False)}
        return found

    def _by_seed(self, table: pd.DataFrame, outcome: str) -> list[Record]:
        """The values of each arm and context; −1 in `seeds` is none, and those of `floored` cannot be told from 0."""
        text, place = partial(effects.value, self.study.outcomes[outcome]), {s: i for i, s in enumerate(self.seeds)}
        found = []
        for key, part in table.groupby([*self.held, self.study.report.factor], sort=False):
            seeds = [place[int(seed)] for seed in part["seed"]]
            low = part["floored"].to_numpy(bool) if "floored" in part else np.zeros(len(part), bool)
            record = {"context": self.places[tuple(map(str, key[:-1]))], "arm": self.arms[str(key[-1])]}
            values = shortest(part["final"].to_numpy(np.float64), text)
            floored = [seed for seed, is_low in zip(seeds, low.tolist(), strict=True) if is_low]
            found.append({**record, "seeds": seeds, "values": values, "floored": floored})
        return found

    def _changes(self) -> list[Record]:
        """The effect of each pair on the outcome that decides, of each contrast by the places of the seeds."""
        found, place = [], {seed: index for index, seed in enumerate(self.seeds)}
        text = partial(effects.plain, self.study.outcome)
        for key, part in self.found["pairs"].groupby([*self.held, "baseline", "treatment"], sort=False):
            known = part[part["effect"].notna()]
            values = shortest(known["effect"].to_numpy(np.float64), text)
            pair = self.comparisons[str(key[-2]), str(key[-1])]
            places = {"context": self.places[tuple(map(str, key[:-2]))], "comparison": pair}
            found.append({**places, "seeds": [place[int(seed)] for seed in known["seed"]], "values": values})
        return found


_NUMBERS = ("effect", "low", "high", "baseline", "treatment", "own_low", "own_high")
"""What the numbers of an effect are called."""

_CELLS = {
    "effect": "effect",
    "pairs": "pairs",
    "baseline": "baseline",
    "treatment": "treatment",
    "p": "p_adjusted",
    "verdict": "verdict",
}
"""What the texts of an effect are called, and the cells of the table of verdicts that have them."""


def _diverged(study: Study, row: Mapping[Any, Any]) -> str:
    """How many runs of a contrast diverged: `8 of 8 diverged`, of both arms `BN 8 of 8, no BN 2 of 8 diverged`."""
    base, treated = samples.runs(row)
    lost = {"treatment": (row["diverged_treatment"], treated), "baseline": (row["diverged_baseline"], base)}
    counts = {titles.arm(study, row[arm]): f"{count} of {runs}" for arm, (count, runs) in lost.items() if count}
    said = ", ".join(counts.values() if len(counts) == 1 else (f"{arm} {count}" for arm, count in counts.items()))
    return f"{said} diverged"


def _said(cell: rows.Cell) -> str:
    """A cell as it is read."""
    return f"{cell.text} {cell.note}".strip()


def shortest(values: Iterable[float], text: Callable[[float], str]) -> list[float | None]:
    """The numbers, each with the fewest digits, four at least, that leave its text as it is; None if not finite."""
    return [_shortest(float(value), text) for value in values]


def _shortest(value: float, text: Callable[[float], str]) -> float | None:
    if not math.isfinite(value):
        return None
    said = text(value)
    for digits in (4, 6, 9):
        short = float(f"{value:.{digits}g}")
        if text(short) == said:
            return short
    return value


def _rounded(value: float) -> float | None:
    """A number for the picture alone."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
