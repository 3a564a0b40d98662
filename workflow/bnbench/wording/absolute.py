"""The test losses on an absolute scale, in words: what an arm leaves of the target's variance, its error, its accuracy.

A number is written with as many digits as tell the arms of its row apart, and an R² with as many as tell it from 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import pandas as pd

from bnbench.plan.study import Study
from bnbench.vocabulary import R2
from bnbench.wording import captions, data, formats, titles
from bnbench.wording.titles import Row

_MOST_DIGITS = 6
_NEXT_TO_NOTHING = 1e-9  # if 1 − R² is below this, its nines are not written out
_SMALLEST_PLAIN = 1e-6  # below, a number is written with an exponent

COLUMNS = {
    "left": "Unexplained variance",
    "r2": "R²",
    "error": "RMS error",
    "accuracy": "Accuracy",
}
"""What each number of an arm is called over a column, in order."""


def cells(row: Row) -> dict[str, tuple[str, str]]:
    """Name of a number, see `COLUMNS` → that of the baseline and that of the treatment, as text; empty if unknown."""
    said = {name: _both(row, name, form) for name, form in _FORMS.items()}
    return {**said, "r2": _both(row, "left", _r2)}


def context(study: Study, row: Row) -> str:
    """What both arms come to in one context, beside the sentence of its verdict; empty where nothing is known."""
    base, treated = titles.arm(study, row["baseline"]), titles.arm(study, row["treatment"])
    shown = cells(row)
    if all(shown["left"]):
        first, second = shown["left"]
        more = [f"R² {' and '.join(shown['r2'])}"] if study.report.outcome != R2 else []
        if row["standardized"]:
            units = data.units(study)
            units = f"in {units}" if units == data.OWN_UNITS else units
            more.append(f"root mean square errors {' and '.join(shown['error'])} {units}")
        said = f"{base} leaves {first} of the target's variance unexplained, {treated} {second}"
        said += f" ({'; '.join(more)})" if more else ""
    elif all(shown["accuracy"]):
        first, second = shown["accuracy"]
        said = f"{base} classifies {first} of the test points correctly, {treated} {second}"
    else:
        return ""
    by = _by(study, row) if all(shown["left"]) else ""
    return f"In absolute terms{by}{_over(row)}: {said}."


def answer(study: Study, rows: pd.DataFrame) -> str:
    """What the arms come to over all contexts; of a single comparison, its sentence. Empty where nothing is known."""
    if len(rows) == 1:
        return context(study, rows.to_dict("records")[0])
    known = rows.dropna(subset=["baseline_left", "treatment_left"])
    of, verb, what = "left", "leaves", "of the target's variance unexplained"
    if known.empty:
        known = rows.dropna(subset=["baseline_accuracy", "treatment_accuracy"])
        of, verb, what = "accuracy", "classifies", "of the test points correctly"
    if known.empty:
        return ""
    (base, first), *others = _spans(study, known, of).items()
    said = formats.listed([f"{base} {verb} {first} {what}", *(f"{arm} {span}" for arm, span in others)])
    contexts, total = _contexts(known), _contexts(rows)
    over = f", over {contexts}{f' of {total}' if contexts < total else ''} contexts" if total > 1 else ""
    by = _by(study, known.to_dict("records")[0]) if of == "left" else ""
    return f"In absolute terms{by}{over}: {said}."


def _spans(study: Study, rows: pd.DataFrame, of: str) -> dict[str, str]:
    """What each arm is called → the range of its numbers over the contexts."""
    found = {}
    for label in dict.fromkeys([*study.arms, *study.tuned_arms]):
        own = [rows.loc[rows[arm] == label, f"{arm}_{of}"].tolist() for arm in ("baseline", "treatment")]
        if values := [value for part in own for value in part]:
            found[titles.arm(study, label)] = _span(values, _FORMS[of])
    return found


def note(study: Study, rows: pd.DataFrame) -> str:
    """What the numbers of the table are, said above it; empty of a table without rows."""
    if rows.empty:
        return ""
    squared, classified = (rows[f"baseline_{of}"].notna().any() for of in ("left", "accuracy"))
    said = []
    if squared:
        loss = titles.outcome(study, rows["outcome"].iloc[0])
        trained = "; the losses are those of standardized targets" if rows["standardized"].any() else ""
        said += [
            f"Unexplained variance: the {loss} divided by the variance of the targets at the test points.",
            "100 % is what the mean of these targets would leave unexplained"
            + ("." if study.report.outcome == R2 else ", and R² is 1 − the unexplained variance."),
            f"The root mean square (RMS) error is in {data.units(study)}{trained}.",
        ]
    if classified:
        said.append("Accuracy: the share of the test points that is classified correctly.")
    kind = "geometric means" if squared else "means"
    kind += ", accuracies plain ones" if squared and classified else ""
    window = captions.window(study, rows["outcome"].iloc[0])
    said.append(f"All are {kind}, {window} and over the pairs that stay finite in both arms.")
    return " ".join(said)


def _contexts(rows: pd.DataFrame) -> int:
    """How many contexts the rows are of, whatever is compared in each."""
    return len(rows) // max(1, len(rows[["baseline", "treatment"]].drop_duplicates()))


def _by(study: Study, row: Row) -> str:
    """By which loss, where it is not the one that decides."""
    classified = math.isfinite(row["baseline_accuracy"]) and not math.isfinite(row["baseline_left"])
    told = row["outcome"] == study.report.outcome or classified
    return "" if told else f", by the {titles.outcome(study, row['outcome'])}"


def _over(row: Row) -> str:
    """Over which pairs, where it is not all of them."""
    finite = row["finite_pairs"]
    return "" if finite == row["pairs"] else f", over the {formats.count(finite, 'pair')} that stayed finite"


def _both(row: Row, name: str, form: Callable[[float, int], str]) -> tuple[str, str]:
    """A number of both arms; empty for both where one is unknown."""
    values = [row[f"{arm}_{name}"] for arm in ("baseline", "treatment")]
    if not all(math.isfinite(value) for value in values):
        return "", ""
    first, second = _apart(values, form)
    return first, second


def _span(values: Sequence[float], form: Callable[[float, int], str]) -> str:
    """The range of several numbers, or the one number that they round to."""
    ends = [form(end, 2) for end in (min(values), max(values))]
    return " to ".join(dict.fromkeys(ends))


def _apart(values: Sequence[float], form: Callable[[float, int], str]) -> list[str]:
    """The numbers with two digits each, or with as many more as it takes to see that they differ."""
    digits = 2
    while digits < _MOST_DIGITS and len({form(value, digits) for value in values}) < len(set(values)):
        digits += 1
    return [form(value, digits) for value in values]


def _plain(value: float, digits: int) -> str:
    """So many digits, without an exponent unless the number is tiny: 0.000036, 53, 1,300."""
    rounded = Decimal(f"{value:#.{digits}g}")
    return f"{rounded:,f}" if not value or abs(value) >= _SMALLEST_PLAIN else f"{value:.{digits}g}"


def _percent(share: float, digits: int) -> str:
    return f"{_plain(100 * share, digits)} %"


def _r2(left: float, digits: int) -> str:
    """1 − the unexplained part: 0.99996, 0.978, −0.3."""
    if left < _NEXT_TO_NOTHING:
        return f"1 − {left:.{digits}g}"
    return f"{1 - Decimal(f'{left:#.{digits}g}'):,f}".replace("-", "−")


def _accuracy(share: float, digits: int) -> str:
    """A share that is not 100 % is not said to be."""
    digits += 1
    while digits < 2 * _MOST_DIGITS and (share < 1) != (float(f"{share:.{digits}g}") < 1):
        digits += 1
    return _percent(share, digits)


_FORMS: Mapping[str, Callable[[float, int], str]] = {"left": _percent, "error": _plain, "accuracy": _accuracy}
