"""What a verdict rests on, in words: pairs by seed, or two groups of runs that share nothing.

A row of groups has its own counts, `runs_baseline` and `runs_treatment`; in one of pairs they are null or absent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from bnbench.judging import sign_flips
from bnbench.plan.own_study import OwnSetting
from bnbench.plan.study import Study
from bnbench.wording import formats, titles, words
from bnbench.wording.titles import Row


def are_groups(row: Row) -> bool:
    """Whether a row is of two groups of runs."""
    return "runs_baseline" in row and not pd.isna(row["runs_baseline"])


def runs(row: Row) -> tuple[int, int]:
    """Runs of the baseline and of the treatment; of pairs, as many of both."""
    if are_groups(row):
        return int(row["runs_baseline"]), int(row["runs_treatment"])
    return int(row["pairs"]), int(row["pairs"])


def over(study: Study, row: Row) -> str:
    """What one comparison is over: `12 seeds`, `12 runs of each arm`, `12 runs of BN and 9 of no BN`."""
    baseline, treatment = runs(row)
    if are_groups(row) and baseline != treatment:
        treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
        return f"{formats.count(treatment, 'run')} of {treated} and {baseline:,} of {base}"
    return over_all([row])


def over_all(rows: Sequence[Row]) -> str:
    """What several comparisons are over: `10 to 12 seeds`; empty where there is no row."""
    counts = sorted({count for row in rows for count in runs(row)})
    if not counts:
        return ""
    noun, of_each = ("run", " of each arm") if are_groups(rows[0]) else ("seed", "")
    number = formats.count(counts[0], noun) if len(counts) == 1 else f"{counts[0]} to {counts[-1]} {noun}s"
    return f"{number}{of_each}"


def of_each(study: Study, fewest: int) -> str:
    """How many runs an arm has in a context, where they are not paired: `8 runs of each arm`, or that many at least."""
    sizes = {each.runs for each in study.settings if isinstance(each, OwnSetting)}
    return f"{formats.count(fewest, 'run')} of each arm{'' if sizes == {fewest} else ', or more'}"


def needed(row: Row, number: str) -> str:
    """A number of seeds that another study would need: `20 seeds`, `20 runs of each arm`."""
    return f"{number} runs of each arm" if are_groups(row) else f"{number} seeds"


def few(row: Row) -> str:
    """What there are too few of: `seeds`, `runs`."""
    return "runs" if are_groups(row) else "seeds"


def absent(study: Study, row: Row) -> str:
    """That there is nothing to compare: `there are no pairs of BN and no BN yet`."""
    treated, base = (titles.arm(study, row[name]) for name in ("treatment", "baseline"))
    if are_groups(row):
        return f"there are no runs of both {treated} and {base}"
    return f"there are no pairs of {treated} and {base}{yet(study)}"


def yet(study: Study) -> str:
    """That more is to come, where it is trained here."""
    return words.of(study).yet


def smallest_p(pairs: int) -> str:
    """Why so few seeds cannot decide: `with 5 seeds, the smallest possible p is 0.062`."""
    smallest = formats.p_number(sign_flips.smallest_p(pairs))
    return f"with {formats.count(pairs, 'seed')}, the smallest possible p is {smallest}"


def spreadless(row: Row) -> str:
    """Why a verdict is not possible where each arm, or one of them, has one run."""
    return "one run shows no spread" if are_groups(row) else "one pair shows no spread"


def all_diverged(row: Row) -> bool:
    """Whether no trial of either arm stayed finite."""
    baseline, treatment = runs(row)
    return bool(row["diverged_baseline"] == baseline and row["diverged_treatment"] == treatment)


def divergence(study: Study, row: Row) -> str:
    """How many trials of each arm diverged."""
    treated, base = (titles.with_arm(study, row[name]) for name in ("treatment", "baseline"))
    baseline, treatment = runs(row)
    return (
        f"{row['diverged_treatment']} of {formats.count(treatment, words.of(study).run)} diverged {treated} "
        f"and {row['diverged_baseline']} of {baseline} {base}"
    )


def counted(row: Row, some: int) -> str:
    """So many of a comparison's pairs: `3 of 12 pairs`; of runs, their number alone."""
    return formats.count(some, "run") if are_groups(row) else formats.share_of(some, int(row["pairs"]), "pair")


def measured(row: Row) -> str:
    """The pairs that were measured: `the 9 pairs that stayed finite`; empty where they are too few to say more."""
    how = "were measured" if row["floored"] else "stayed finite"
    if are_groups(row):
        return f"the runs that {how}" if row["finite_pairs"] > 1 and not math.isnan(row["effect_low"]) else ""
    left = row["finite_pairs"] - row["floored"]
    return f"the {left} pairs that {how}" if left > 1 else ""


def others(study: Study, row: Row) -> tuple[str, str]:
    """What was not measured, and what was, where they speak for different arms."""
    noun = "runs" if are_groups(row) else "pairs"
    return (
        (f"{noun} that were not measured" if row["test"] == "rank" else f"diverged {words.of(study).runs}"),
        f"these {noun}",
    )
