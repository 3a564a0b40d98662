"""The methods of a comparison of results of your own, in words: a paragraph for a paper, and what the page says.

How the runs were made is unknown; the paragraph says how their table was read and judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bnbench import __version__
from bnbench.judging import sign_flips
from bnbench.plan.own_study import OwnStudy
from bnbench.wording import captions, formats, methods, own_pairs, own_results, templating, titles

FIXED = (
    "It is not known whether the outcome, the comparisons, the margin and the number of runs were chosen before the "
    "runs were seen."
)
"""Nobody recorded a plan."""

FOUND = (
    "It is not known whether the outcome, the comparisons and the number of runs were chosen before the runs were "
    "seen. The margin follows from the runs of the baseline, so the level of the equivalence tests is not exact."
)
"""The same where the margin comes from the table."""

BIBTEX = f"""@software{{bnbench,
  title   = {{bnbench}},
  author  = {{{{The bnbench authors}}}},
  year    = {{2026}},
  version = {{{__version__}}},
  license = {{MIT}}
}}"""

_NOT_GIVEN = ("sha256", "found")
"""What is in the resolved config beside what a user may write."""

_DEFAULTS: tuple[Any, ...] = (None, False, [], "refuse")
"""Values that need not be written."""


def paragraph(study: OwnStudy, found: Mapping[str, pd.DataFrame]) -> str:
    """What was done, with its numbers, in one line; `found` are the tables of the comparison."""
    facts: dict[str, Any] = {
        **captions.facts(study),
        **methods.tests(study, found),
        "randomization": randomization(study, found),
        "counted_runs": formats.count(study.found["runs"], "run"),
        "table": own_results.named(study),
        "digest": own_results.digest(study),
        "factor": study.found["factors"][0]["column"],
        "arms": titles.heading(study),
        "columns": formats.listed([each["column"] for each in study.found["factors"][1:]]),
        "design": _design(study, found["contexts"]),
        "estimand": estimand(study),
        "fixed": fixed(study),
        "paired": study.paired,
        "others": len(set(found["outcomes"]["outcome"])) > 1,
        "kept": excluded(found["exclusions"]) or _whole(study),
        "version": __version__,
    }
    return templating.rendered(templating.source("wording", "own_methods.txt"), **facts)


def fixed(study: OwnStudy) -> str:
    """Whether the comparison is known to have been fixed beforehand."""
    derived = study.found["margin_share"] and study.report.margin == study.outcome.margin
    return FOUND if derived else FIXED


def randomization(study: OwnStudy, found: Mapping[str, pd.DataFrame]) -> str:
    """The flips, or the permutations, that a test goes through."""
    if study.paired:
        return methods.randomization(study, found["pairs"]["seed"].nunique())
    return f"all permutations, or where they are many to {sign_flips.draws(study.report.alpha):,} random ones,"


def estimand(study: OwnStudy) -> str:
    """What is estimated: `the mean over seeds of the log ratio of the val loss with BN to that with no BN`."""
    outcome, base = titles.outcome(study, study.report.outcome), captions.base(study)
    of = f"log ratio of the {outcome} to that" if study.outcome.is_ratio else f"difference of the {outcome} from that"
    if study.paired:
        return f"the mean over seeds of the {of} with {base}"
    mean = "mean log " if study.outcome.is_ratio else "mean "
    return f"the difference of the {mean}{outcome} of an arm from that of {base}"


def excluded(exclusions: pd.DataFrame) -> str:
    """How many runs are missing or diverged, in sentences; empty where none is."""
    diverged, missing = int(exclusions["reason"].eq("diverged").sum()), partners(exclusions)
    ended = f"{formats.count(diverged, 'run')} diverged." if diverged else ""
    return " ".join(filter(None, [missing, ended]))


def partners(exclusions: pd.DataFrame) -> str:
    """That runs are left out since their partners are missing; empty where all arms have the same seeds."""
    missing = int(exclusions["reason"].eq("missing").sum())
    if not missing:
        return ""
    if missing == 1:
        return "Not every arm has every seed: 1 run is missing, and its partner is left out of the pairs."
    return f"Not every arm has every seed: {missing:,} runs are missing, and their partners are left out of the pairs."


def config(study: OwnStudy) -> dict[str, Any]:
    """What a user would write to have the same as a study."""
    results = {
        name: value for name, value in study.results.items() if name not in _NOT_GIVEN and value not in _DEFAULTS
    }
    compared, *held = study.found["factors"]
    results |= {
        "factor": compared["column"],
        "baseline": study.found["baseline"],
        "outcome": study.found["outcomes"][0]["column"],
        "contexts": [each["column"] for each in held],
    }
    results |= {name: study.found[name]["column"] for name in ("seed", "epoch") if study.found[name]["column"]}
    given = {name: value for name, value in study.config["report"].items() if name in ("margin", "window", "alpha")}
    return {"study": study.name, "results": results, "report": given}


def _whole(study: OwnStudy) -> str:
    return f"No run {'was left out of the pairs' if study.paired else 'was left out'} or diverged."


def _design(study: OwnStudy, contexts: pd.DataFrame) -> str:
    """How the arms were compared, with the numbers of pairs and their correlation."""
    said = own_pairs.pairing(study, contexts.to_dict("records")).removeprefix("Pairs: ")
    if study.paired:
        return f"Runs were compared in pairs by seed (Bouthillier et al. 2021): {said}"
    return said.replace("none; the arms are", "The arms were", 1)
