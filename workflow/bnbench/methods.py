"""The methods of a study in words: a paragraph to paste into a paper, and a BibTeX entry for the software."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from bnbench import __version__, flips, templating, words
from bnbench.study import Study
from bnbench.tables import FACTORS

BIBTEX = f"""@software{{bnbench,
  title   = {{bnbench: does batch normalization help or hurt here?}},
  author  = {{{{The bnbench authors}}}},
  year    = {{2026}},
  version = {{{__version__}}},
  license = {{MIT}}
}}"""

_SOFTWARE = ("bnbench", "torch", "numpy", "python", "device_name")


def paragraph(study: Study, found: Mapping[str, pd.DataFrame]) -> str:
    """What was done, with its numbers, in one line; `found` are the tables of the comparison."""
    facts = {**_design(study), **_tests(found["contexts"]), **_kept(found), "software": _software(found)}
    return templating.rendered(templating.source("methods.txt"), **facts)


def randomization(seeds: int) -> str:
    """The flips that a test of so many seeds goes through."""
    return f"all 2^{seeds} flips" if seeds <= flips.EXACT else f"{flips.DRAWS:,} random flips (Phipson & Smyth 2010)"


def _design(study: Study) -> dict[str, object]:
    factor = study.report.factor
    held = [name for name in FACTORS if name != factor]
    return {
        **words.facts(study),
        "several": len(study.contexts()) > 1,
        "hidden": "–".join(str(width) for width in study.config["hidden"]),
        "activation": study.config["activation"],
        "arms": words.listed([words.arm(factor, arm) for arm in study.arms]),
        "pairs": words.listed([f"{words.arm(factor, b)} to {words.arm(factor, a)}" for a, b in study.report.compare]),
        "tuned": words.percent(study.config["tune"]["validation"]) if study.config["tune"] else "",
        "epochs": f"{study.config['epochs']:,}",
        "levels": "; ".join(f"{name.replace('_', ' ')} {words.listed(study.levels[name])}" for name in held),
    }


def _tests(contexts: pd.DataFrame) -> dict[str, object]:
    return {
        "family": int(contexts["family"].max()),
        "joint": contexts["adjustment"].eq("maxT").all(),
        "randomization": randomization(int(contexts["pairs"].max())),
        "bonferroni": contexts["limits"].eq("Bonferroni").all(),
        "worst_rank": contexts["test"].eq("worst-rank").any(),
    }


def _kept(found: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """Exclusions and divergences in numbers, and the A/A control."""
    reasons = found["exclusions"]["reason"].astype(str)
    diverged = reasons.str.startswith("diverged")
    control = found["control"].to_dict("records")[0]
    counts = reasons[~diverged].value_counts().sort_index()
    left_out = int(counts.sum())
    return {
        "diverged": words.count(int(diverged.sum()), "trial"),
        "left_out": f"{words.count(left_out, 'trial')} {'was' if left_out == 1 else 'were'}" if left_out else "",
        "reasons": words.listed([f"{count:,} {reason}" for reason, count in counts.items()]) if left_out else "",
        "control": control,
        "false_share": words.percent(control["share"]) if control["splits"] else "",
    }


def _software(found: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Versions and devices, from what the trials say of themselves; empty where there are no trials."""
    provenance = found["provenance"]

    def all_of(column: str) -> list[str]:
        return sorted({part for text in provenance[column].astype(str) for part in text.split("; ") if part})

    versions = {column: all_of(column) for column in _SOFTWARE}
    return {column: words.listed(names) for column, names in versions.items()} if all(versions.values()) else {}
