"""The methods of a study in words: a paragraph to paste into a paper, and a BibTeX entry for the software."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from bnbench import __version__
from bnbench.catalogue.norms import NORMS
from bnbench.judging import sign_flips
from bnbench.plan.study import Study
from bnbench.streams import ALL
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import (
    captions,
    formats,
    networks,
    randomness,
    setup_line,
    setup_notes,
    templating,
    titles,
    variance,
)

BIBTEX = f"""@software{{bnbench,
  title   = {{bnbench: does batch normalization help or hurt here?}},
  author  = {{{{The bnbench authors}}}},
  year    = {{2026}},
  version = {{{__version__}}},
  license = {{MIT}}
}}"""

_REASONS = {
    "missing": "missing",
    "duplicated": "duplicated",
    "not asked for": "not asked for",
    "other weights": "started from different weights than their partners",
}
"""Why trials are left out, said after how many they are."""

_SOFTWARE = ("bnbench", "torch", "numpy", "python", "device_name")


def paragraph(study: Study, found: Mapping[str, pd.DataFrame], fixed: str) -> str:
    """What was done, with its numbers, in one line.

    Args:
        study: the study.
        found: the tables of the comparison.
        fixed: whether it was known to be fixed before training (`wording.preregistration`).
    """
    if not found["provenance"]["trials"].sum():
        return "Nothing has been trained yet."
    facts = {**_design(study), **tests(study, found), **_kept(found), "software": _software(found)}
    facts["fixed"] = fixed
    return templating.rendered(templating.source("wording", "methods.txt"), **facts)


def randomization(study: Study, seeds: int) -> str:
    """The flips that a test of this number of seeds goes through."""
    return (
        f"all 2^{seeds} flips"
        if seeds <= sign_flips.EXACT
        else f"{sign_flips.draws(study.report.alpha):,} random flips (Phipson & Smyth 2010)"
    )


def limits(contexts: pd.DataFrame) -> str:
    """What makes the intervals hold for all contexts together; empty where they are of one context alone."""
    used = {*contexts["limits"]}
    by_bonferroni = "Bonferroni's method, as the pairs are too few to flip for a quantile"
    if {"flips", "Bonferroni"} <= used:
        return "the same flips of residuals, and where pairs are too few to flip for a quantile by Bonferroni's method"
    return "the same flips of residuals" if "flips" in used else by_bonferroni if "Bonferroni" in used else ""


def _design(study: Study) -> dict[str, object]:
    factor = study.report.factor
    of_networks = ("network", "hidden", "activation")
    held = [name for name in captions.named_factors(study) if name not in (factor, *of_networks)]
    arms = _arms([titles.whole(study, arm) for arm in study.arms])
    return {
        **captions.facts(study),
        "fixed_by_seed": randomness.fixed(study),
        "same_data": randomness.same(study),
        "several": len(study.contexts()) > 1,
        "networks": networks.trained(study) + (f" {arms}" if factor != "network" else ""),
        "own_loss": networks.own_loss(study),
        "setup": " ".join(setup_notes.setup(study, past=True)),
        "untuned": setup_notes.rates(study, past=True),
        "all_shared": factor not in ("task", "batch_size")
        and all(study.shares_weights(context) for context, _ in study.contexts()),
        "pairs": formats.listed([f"{titles.arm(study, b)} to {titles.arm(study, a)}" for a, b in study.report.compare]),
        "held_out": formats.percent(study.config["tune"]["validation"]) if study.config["tune"] else "",
        "rows_alone": variance.rows_alone(study),
        "sources": study.varies_sources,
        "shares": ALL in study.levels[SEED_VARIES],
        "epochs": f"{study.config['epochs']:,}",
        "levels": "; ".join(_levels(study, name) for name in held),
    }


def _levels(study: Study, factor: str) -> str:
    """What was held fixed, in words: `y = sin(3x) with noise 0.1`, `full batch and batch 25`, `constant schedule`."""
    levels = study.levels[factor].values()
    if factor == "task":
        return formats.listed([setup_line.called(level.title, level.entry) for level in levels])
    if factor in ("batch_size", "optimizer"):
        return formats.listed([level.title for level in levels])
    if factor == "norm":
        return titles.with_levels([level.title for level in levels])
    if factor in ("init", "schedule"):
        return f"{formats.listed([level.label for level in levels])} {captions.noun(factor)}"
    return f"{captions.noun(factor)} {formats.listed([level.label for level in levels])}"


def _arms(named: Sequence[str]) -> str:
    """What networks were trained with: `with and without BN`, `without BN and with LN and ghost BN`."""
    first, *others = named
    if first == NORMS["none"].title and len(others) == 1:
        return f"with and without {others[0]}"
    return titles.with_levels(named)


def tests(study: Study, found: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """What was tested, of which family, by how many flips."""
    contexts = found["contexts"]
    return {
        "family": int(contexts["family"].max()),
        "corrected": contexts["corrected_low"].notna().any(),
        "randomization": randomization(study, found["pairs"]["seed"].nunique()),
        "limits": limits(contexts),
        "worst_rank": contexts["test"].eq("worst-rank").any(),
    }


def _kept(found: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Exclusions and divergences in numbers."""
    reasons = found["exclusions"]["reason"]
    diverged = reasons.eq("diverged")
    counts = reasons[~diverged].value_counts().sort_index()
    left_out = int(counts.sum())
    return {
        "diverged": formats.count(int(diverged.sum()), "trial"),
        "left_out": f"{left_out:,} {'was' if left_out == 1 else 'were'}" if left_out else "",
        "reasons": formats.listed([f"{count:,} {_REASONS[str(reason)]}" for reason, count in counts.items()])
        if left_out
        else "",
    }


def _software(found: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Versions and devices, from what the trials say of themselves; empty where there are no trials."""
    provenance = found["provenance"]

    def all_of(column: str) -> list[str]:
        return sorted(provenance[column].dropna().astype(str).unique())

    versions = {column: all_of(column) for column in _SOFTWARE}
    return {column: formats.listed(names) for column, names in versions.items()} if all(versions.values()) else {}
