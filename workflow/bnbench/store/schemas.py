"""The tables: which columns each of them has. The columns themselves are in `columns`.

The writers' check, the readers' types, the page's glossary and docs/columns.md come from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from bnbench.columns import COLUMNS, of_factor, of_metric
from bnbench.vocabulary import (
    FACTORS,
    FIRST_FACTORS,
    LOSSES,
    MEASURED,
    OF_SETTING,
    TARGET_SCALE,
    TARGET_VARIANCE,
)


def _table(description: str, *names: str) -> pa.Schema:
    return pa.schema([COLUMNS[name] for name in names], metadata={"description": description})


_KEYS = (*FACTORS, *OF_SETTING, "setting", "seed")
_CONTRAST = (*FACTORS, "baseline", "treatment")
_SOFTWARE = ("python", "torch", "numpy", "bnbench", "commit", "image", "arithmetic", "numerics")
_INTERVAL = ("effect", "low", "high")
_RUNS = ("runs_baseline", "runs_treatment")
_EDGES = ("edge_effect", "edge_equivalence", "edge_not_worse")
_COUNTS = ("contexts", "contexts_helped", "contexts_hurt", "contexts_equivalent", "contexts_undecided")
_VERDICT = (
    *("outcome", "pairs", "finite_pairs", *_RUNS, "baseline_value", "treatment_value"),
    *("effect", "effect_low", "effect_high"),
    *("confidence", "family", "verdict", "test", "p", "p_max_t", "p_holm", "p_adjusted", "adjustment", "limits"),
    *("p_equivalence", "within_margin", *_EDGES, "own_low", "own_high", "narrow_low", "narrow_high"),
    *("corrected_low", "corrected_high"),
    *("hl_effect", "hl_low", "hl_high", "p_wilcoxon", "hedges_dz", "hedges_g", "win_rate", "win_low", "win_high"),
    *(
        "spread_ratio",
        "p_spread",
        "correlation",
        "variance_ratio",
        "effect_last",
        "effect_last_low",
        "effect_last_high",
    ),
    *("diverged_baseline", "diverged_treatment", "p_mcnemar", "p_fisher", "mixed", "examples"),
    *("resolution", "floored", "raised_effect", "raised_low", "raised_high", "bound"),
    *("seeds_needed", "seeds_needed_low", "seeds_needed_high"),
    *("seeds_equivalent", "seeds_equivalent_low", "seeds_equivalent_high"),
)
_FIT = ("x", "y", "seeds", "fit_low", "fit", "fit_high", "error_low", "error", "error_high")
_REFERENCE = (
    "epoch",
    "outcome",
    "value",
    "seeds",
    "percentile",
    "lowest",
    "median",
    "highest",
    "printed_by",
    "sentence",
)
_CLAIM = (
    "words",
    "source",
    "paper",
    "here",
    "setup",
    "to",
    "predicts",
    "conclusion",
    "where",
    "rows",
    "supporting",
    "contradicting",
    "close",
    "pairs",
    "measured",
)

SCHEMAS: dict[str, pa.Schema] = {
    "losses": _table("a row per trial and epoch", *_KEYS, "epoch", *MEASURED),
    "trials": _table(
        "a row per trial, with its final losses",
        *(*_KEYS, *MEASURED, "diverged_at", "seconds", "threads", "device_name", *_SOFTWARE, "weights_hash"),
        *(TARGET_VARIANCE, TARGET_SCALE),
    ),
    "predictions": _table(
        "the fitted function of every trial, for tasks of one input; for up to 50 classes, which class is predicted "
        "for which at the test points, a row for each pair that occurs in a trial that did not diverge",
        *(*_KEYS, "x", "y", "y_fit", "points"),
    ),
}
"""The tables under `results/`."""

COLLECTED = {"losses": "curves", "trials": "trials", "predictions": "predictions"}
"""Table under `results/` → the table of all its rows of a study."""

TABLES: dict[str, pa.Schema] = {
    "contexts": _table("the verdict on each context, with its numbers", *_CONTRAST, *_VERDICT),
    "outcomes": _table(
        "every outcome of each context; those that do not decide have exploratory p-values",
        *(*_CONTRAST, "outcome", "role", "pairs", "finite_pairs", *_RUNS, "baseline_value", "treatment_value"),
        *(*_INTERVAL, "bound", "p", "p_bh", "direction", "marked", "edge_effect"),
        *("reached_baseline", "reached_treatment", "at_once_baseline", "at_once_treatment"),
        *("jobs_baseline", "jobs_treatment"),
    ),
    "interactions": _table(
        "the main effect, and how the effect depends on the other factors",
        *("baseline", "treatment", "factor", "level", "against", "pairs", "diverged", *_INTERVAL, "p", "p_adjusted"),
        *("adjustment", "family", "edge_effect", *_COUNTS, "prediction_low", "prediction_high", "sentence"),
    ),
    "aggregate": _table(
        "all contexts together, as a description that decides nothing, if there are three or more",
        *("baseline", "treatment", *_COUNTS, "pairs", "iqm", "low", "high"),
        *("improvement", "improvement_low", "improvement_high", "effect_lowest", "effect_highest"),
        *("tau", "i_squared", "sentence"),
    ),
    "profile": _table(
        "the share of the pairs that reach each effect, over all contexts together",
        *("baseline", "treatment", "threshold", "reached", "low", "high"),
    ),
    "ranks": _table(
        "the mean rank of every arm, if there are three or more", "arm", "contexts", "seeds", "mean_rank", "groups"
    ),
    "all_pairs": _table(
        "every arm compared with every other, over all contexts together, as one family apart from the verdicts",
        *("baseline", "treatment", "contexts", "pairs", "finite_pairs", *_INTERVAL),
        *("test", "p", "p_adjusted", "adjustment", "limits", "family", "rank_difference", "told_apart"),
    ),
    "pairs": _table(
        "the final outcome of both arms, seed by seed",
        *(*_CONTRAST, "seed", "baseline_value", "treatment_value", "effect", "baseline_last", "treatment_last"),
        *("baseline_floored", "treatment_floored"),
    ),
    "finals": _table(
        "the final values of all trials, for each outcome that does not decide; empty if there are too many",
        *(*FACTORS, "outcome", "seed", "final"),
    ),
    "curves": _table(
        "every outcome over the epochs, with its band",
        *(*FACTORS, "outcome", "epoch", "seeds", "diverged", "loss", "low", "high"),
    ),
    "differences": _table(
        "the effect over the epochs, with a band that holds for all contexts and epochs together",
        *(*_CONTRAST, "epoch", "pairs", *_INTERVAL, "limits", "decided_from"),
    ),
    "stretches": _table(
        "from which epoch to which the band of the effect lies on one side of no effect",
        *(*_CONTRAST, "side", "first_epoch", "last_epoch", "measurements", "course_share"),
        *("peak_epoch", *_INTERVAL),
    ),
    "drift": _table(
        "whether the effect on the outcome that decides still changes at the end of the training",
        *(*_CONTRAST, "outcome", "pairs", "first_epoch", "last_epoch", "measurements"),
        *("change", "change_low", "change_high", "trend"),
    ),
    "decomposition": _table(
        "where a difference comes from, for comparisons in which an arm keeps running statistics",
        *(*_CONTRAST, "component", "pairs", *_INTERVAL, "p", "p_adjusted", "adjustment", "family", "edge_effect"),
    ),
    "confusion": _table(
        "which class each arm predicts for which, and how the shares of the test points differ; of a study that "
        "tunes, with each arm at the values that are tuned for it",
        *(*_CONTRAST, "class", "predicted", "pairs", "baseline_share", "treatment_share", *_INTERVAL),
        *("p", "p_adjusted", "adjustment", "family", "verdict"),
    ),
    "modes": _table(
        "the final losses in each mode, for arms that keep running statistics",
        *(*FACTORS, "outcome", "seeds", "loss", "low", "high"),
    ),
    "variance": _table(
        "how much of the spread over the seeds each source of randomness causes, if the study varies each alone",
        *(*FACTORS, "outcome", "common_seeds", "deviation", "variance_share"),
        *("variance_share_low", "variance_share_high"),
    ),
    "fit": _table("the fitted functions and their errors, with their bands", *FACTORS, *_FIT),
    "reference": _table("where losses that were printed elsewhere rank among the seeds", *FACTORS, *_REFERENCE),
    "control": _table(
        "the baseline against itself", "splits", "pairs", "contexts", "share", "low", "high", "contexts_share"
    ),
    "claims": _table("the study's claims, and the verdict on each", *_CLAIM),
    "tuned": _table(
        "the verdict on each context with each arm at its tuned values",
        *(*_CONTRAST, *_VERDICT),
        *(f"{of}_{arm}" for of in ("chosen", "agreeing", "at_end") for arm in ("baseline", "treatment")),
    ),
    "rates": _table(
        "both arms at each of the tuned values, and for how many seeds each is chosen",
        *(*_CONTRAST, "parameter", "rate", "beside", *_INTERVAL, "best_effect"),
        *(f"{arm}_{of}" for arm in ("baseline", "treatment") for of in ("validation", "value", "diverged", "chosen")),
    ),
    "absolute": _table(
        "the test loss on an absolute scale: unexplained variance, root mean square error, accuracy",
        *(*_CONTRAST, "outcome", "pairs", "finite_pairs", "standardized"),
        *(f"{arm}_{of}" for of in ("left", "error", "accuracy") for arm in ("baseline", "treatment")),
    ),
    "convergence": _table(
        "whether the outcome that decides still changes at the end of the training",
        *(*FACTORS, "outcome", "seeds", "first_epoch", "last_epoch", "measurements"),
        *("change", "change_low", "change_high", "trend"),
    ),
    "exclusions": _table(
        "trials that were left out of the pairs or that diverged", *FACTORS, "seed", "reason", "epoch"
    ),
    "provenance": _table(
        "where the numbers of each setting come from: a row for each kind of software and machine",
        *(*FACTORS, "setting", "trials", "diverged", "seconds", *_SOFTWARE, "device_name", "threads"),
    ),
}
"""The tables of a report. The first `FACTORS` of those with a `treatment` lack the compared one."""

ADDED: dict[str, Any] = {
    **{factor: None for factor in FACTORS if factor not in FIRST_FACTORS},
    **dict.fromkeys(OF_SETTING),
    "image": "host",
    "arithmetic": None,
    **dict.fromkeys(MEASURED[len(LOSSES) :]),
    TARGET_VARIANCE: None,
    TARGET_SCALE: None,
    "points": None,
}
"""Columns that result files of earlier versions lack, with the values of their trials; labels are made again."""


def stored(kind: str, own_metrics: Sequence[str] = ()) -> pa.Schema:
    """The columns of a table under `results/`, those of the user's own metrics last."""
    schema = SCHEMAS[kind]
    for name in own_metrics if kind != "predictions" else ():
        schema = schema.append(of_metric(name))
    return schema


def of_report(name: str, factor: str, factors: Sequence[str] = FACTORS) -> pa.Schema:
    """The columns of a table of a report in which the levels of `factor`, one of `factors`, are compared."""
    schema = TABLES[name]
    if not {*FACTORS} <= {*schema.names}:
        return schema
    held = [each for each in factors if each != factor or "treatment" not in schema.names]
    others = [field for field in schema if field.name not in FACTORS]
    return pa.schema([*map(of_factor, held), *others], metadata=schema.metadata)


def description(described: pa.Schema | pa.Field) -> str:
    """What a table or a column holds."""
    return str(described.metadata[b"description"].decode())


def unit(field: pa.Field) -> str:
    """The unit of a column; empty where it has none."""
    return str(field.metadata[b"unit"].decode())
