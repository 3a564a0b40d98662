"""Pair the trials by seed, contrast the arms context by context, and judge.

What comes in are the collected tables of a study, what goes out are its tables as CSV and `verdicts.json`, which holds
every number that a figure or a sentence of the report shows. One context is in memory at a time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bnbench import marks, readings, sentences, stats, summaries, tables
from bnbench.readings import Readings
from bnbench.stats import Array
from bnbench.study import ReportOptions, Study
from bnbench.tables import FACTORS

POWER = 0.8
"""Power at which the seeds that an undecided context needs are counted."""


@dataclass(frozen=True)
class Contrast:
    """A treatment against the baseline in one context: the pairs, as arrays over the seeds that both arms have."""

    context: Mapping[str, str]
    treatment: str
    seeds: NDArray[np.int64]
    baseline: Array
    """Mean log loss of the baseline over the window, [pairs]; NaN where the trial diverged. So in the next three."""
    treated: Array
    baseline_last: Array
    treated_last: Array
    floored: int
    """Losses of the pairs that were raised to `stats.FLOOR`, of both arms."""
    mixed: str

    @property
    def finite(self) -> NDArray[np.bool_]:
        """Pairs of which neither trial diverged."""
        return ~np.isnan(self.treated - self.baseline)

    @property
    def differences(self) -> Array:
        """Log differences, treatment − baseline, of the finite pairs."""
        return (self.treated - self.baseline)[self.finite]

    @property
    def diverged(self) -> tuple[int, int]:
        """Diverged trials among the pairs: of the baseline, of the treatment."""
        return int(np.isnan(self.baseline).sum()), int(np.isnan(self.treated).sum())

    @property
    def discordant(self) -> tuple[int, int]:
        """Pairs of which the baseline alone diverged, or the treatment alone."""
        both = int((np.isnan(self.baseline) & np.isnan(self.treated)).sum())
        return self.diverged[0] - both, self.diverged[1] - both


def run(study: Study, data: Path, out: Path) -> None:
    """Write `tables/*.csv` and `verdicts.json` of `study` into `out`, from the collected tables in `data`.

    Raises:
        UserError: a collected table is absent or corrupt, or a file cannot be written.
    """
    mark = marks.compared(study)
    mark.remove(data)
    options = study.report
    contrasts: list[Contrast] = []
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in summaries.TABLES}
    excluded: list[dict[str, Any]] = []
    for context, settings in study.contexts():
        arms = {label: readings.read(study, data, settings[label]) for label in study.arms}
        for label in study.arms[1:]:
            contrast, dropped = _contrast(study, context, arms[options.baseline], arms[label])
            contrasts.append(contrast)
            excluded += dropped
        excluded += [row for arm in arms.values() for row in _left_out(arm)]
        for name, table in summaries.of_context(study, data, arms).items():
            parts[name].append(table)
    rows = _judged(study, contrasts)
    found = {name: summaries.joined(part) for name, part in parts.items()}
    found |= {
        "contexts": rows,
        "pairs": summaries.joined([_pairs(study, contrast) for contrast in contrasts]),
        "exclusions": pd.DataFrame(excluded, columns=[*FACTORS, "seed", "reason"]).drop_duplicates(),
    }
    for name, table in found.items():
        tables.write_text(out / "tables" / f"{name}.csv", table.to_csv(index=False))
    verdicts = {
        "study": study.name,
        "sentence": sentences.answer(study, rows),
        "sentences": [sentences.context(study, row) for row in rows.to_dict("records")],
        "reference": found["reference"]["sentence"].tolist(),
        "factor": options.factor,
        "arms": list(study.arms),
        "options": asdict(options),
        "seeds": len(study.seeds),
        "tables": {name: _columns(table) for name, table in sorted(found.items())},
    }
    tables.write_text(out / "verdicts.json", json.dumps(verdicts, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    mark.leave(data)


def _contrast(
    study: Study, context: Mapping[str, str], baseline: Readings, treatment: Readings
) -> tuple[Contrast, list[dict[str, Any]]]:
    """The pairs of two arms, and the rows of the trials that are left out of them."""
    options = study.report
    common = np.intersect1d(baseline.seeds, treatment.seeds)
    unequal = _other_weights(study, baseline, treatment, common)
    labels = treatment.setting.labels
    dropped = [{**labels, "seed": seed, "reason": "starts from other weights than its pair"} for seed in unequal]
    seeds = np.setdiff1d(common, unequal)

    def final(arm: Readings, share: float) -> Array:
        return np.asarray(arm.final(options.outcome, share).loc[seeds], np.float64)

    contrast = Contrast(
        context,
        labels[options.factor],
        seeds,
        final(baseline, options.window),
        final(treatment, options.window),
        final(baseline, 0.0),
        final(treatment, 0.0),
        sum(int(arm.floored(options.outcome, options.window).loc[seeds].sum()) for arm in (baseline, treatment)),
        _mixed(options.factor, baseline.trials.loc[seeds], treatment.trials.loc[seeds]),
    )
    return contrast, dropped


def _judged(study: Study, contrasts: list[Contrast]) -> pd.DataFrame:
    """One row per contrast: everything that is said of it. The p-values are adjusted over all rows together."""
    options = study.report
    p_values = np.array([_p_value(contrast) for contrast in contrasts])
    adjusted = stats.holm(p_values)
    tests = int((~np.isnan(p_values)).sum())
    rows = [
        _row(options, contrast, float(p), float(p_adjusted), tests)
        for contrast, p, p_adjusted in zip(contrasts, p_values, adjusted, strict=True)
    ]
    return pd.DataFrame(rows)


def _p_value(contrast: Contrast) -> float:
    """Of the paired differences; of the worst ranks where any trial diverged, since a mean has no place for those."""
    if any(contrast.diverged):
        return stats.sign_flip(stats.worst_ranks(contrast.baseline, contrast.treated))
    return stats.sign_flip(contrast.differences)


def _row(options: ReportOptions, contrast: Contrast, p: float, adjusted: float, tests: int) -> dict[str, Any]:
    differences = contrast.differences
    finite, by_mean = contrast.finite, not any(contrast.diverged)
    level = 1 - options.alpha
    ratio, narrow = (stats.geometric_interval(differences, share) for share in (level, level - options.alpha))
    last_differences = contrast.treated_last - contrast.baseline_last
    last = stats.geometric_interval(last_differences[np.isfinite(last_differences)], level)
    wins = stats.win_rate(np.sign(stats.worst_ranks(contrast.baseline, contrast.treated)), level)
    verdict = _verdict(options, contrast, adjusted, ratio, narrow)
    wanting = verdict == "undecided" and by_mean
    return {
        **contrast.context,
        "baseline": options.baseline,
        "treatment": contrast.treatment,
        "outcome": options.outcome,
        "pairs": len(contrast.seeds),
        "finite_pairs": len(differences),
        "baseline_loss": _geometric_mean(contrast.baseline[finite]),
        "treatment_loss": _geometric_mean(contrast.treated[finite]),
        "ratio": ratio.mean,
        "ratio_low": ratio.low,
        "ratio_high": ratio.high,
        "level": level,
        "p": p,
        "p_holm": adjusted,
        "verdict": verdict,
        "within_margin": bool(1 / options.margin < narrow.low and narrow.high < options.margin),
        "narrow_low": narrow.low,
        "narrow_high": narrow.high,
        "seeds_needed": stats.seeds_needed(differences, options.alpha / tests, POWER) if wanting else np.nan,
        "hedges_dz": stats.hedges_dz(differences),
        "win_rate": wins.mean,
        "win_low": wins.low,
        "win_high": wins.high,
        "correlation": stats.correlation(contrast.baseline[finite], contrast.treated[finite]),
        "variance_ratio": stats.variance_ratio(contrast.baseline[finite], contrast.treated[finite]),
        "ratio_last": last.mean,
        "ratio_last_low": last.low,
        "ratio_last_high": last.high,
        "diverged_baseline": contrast.diverged[0],
        "diverged_treatment": contrast.diverged[1],
        "p_mcnemar": np.nan if by_mean else stats.mcnemar_exact(*contrast.discordant),
        "test": "mean" if by_mean else "worst-rank",
        "floored": contrast.floored,
        "mixed": contrast.mixed,
    }


def _verdict(
    options: ReportOptions, contrast: Contrast, adjusted: float, ratio: stats.Interval, narrow: stats.Interval
) -> stats.Verdict:
    if not len(contrast.seeds):
        return "no data"
    if any(contrast.diverged):
        ranks = stats.worst_ranks(contrast.baseline, contrast.treated)
        return stats.worst_rank_verdict(adjusted, ranks, ratio, options.alpha)
    return stats.verdict(adjusted, ratio, narrow, options.margin, options.alpha)


def _geometric_mean(log_losses: Array) -> float:
    return float(np.exp(log_losses.mean())) if len(log_losses) else np.nan


def _pairs(study: Study, contrast: Contrast) -> pd.DataFrame:
    """One row per pair: the losses of both arms, over the window and at the last epoch."""
    table = pd.DataFrame(
        {
            "seed": contrast.seeds,
            "baseline_loss": np.exp(contrast.baseline),
            "treatment_loss": np.exp(contrast.treated),
            "ratio": np.exp(contrast.treated - contrast.baseline),
            "baseline_last": np.exp(contrast.baseline_last),
            "treatment_last": np.exp(contrast.treated_last),
        }
    )
    same = {**contrast.context, "baseline": study.report.baseline, "treatment": contrast.treatment}
    return table.assign(**same)[[*same, *table.columns]]


def _columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """A table as JSON has it: names of the columns, and rows with every digit; null for what is not finite."""
    rows = table.itertuples(index=False, name=None)
    return {
        "columns": list(table.columns),
        "data": [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in rows],
    }


def _left_out(arm: Readings) -> list[dict[str, Any]]:
    """Rows of the trials of one arm that are not compared, or that diverged."""
    labels = arm.setting.labels
    rows = [{**labels, "seed": seed, "reason": reason} for seed, reason in arm.left_out.items()]
    diverged = arm.trials["diverged_at"].dropna()
    return rows + [{**labels, "seed": seed, "reason": f"diverged at epoch {int(at)}"} for seed, at in diverged.items()]


def _other_weights(study: Study, baseline: Readings, treatment: Readings, seeds: NDArray[np.int64]) -> list[int]:
    """Seeds whose two trials started from different weights, though the arms share them by construction."""
    if study.report.factor == "task" or study.config["init"] != "independent":
        return []
    hashes = [arm.trials["weights_hash"].reindex(seeds).to_numpy() for arm in (baseline, treatment)]
    return [int(seed) for seed in seeds[hashes[0] != hashes[1]]]


def _mixed(factor: str, *arms: pd.DataFrame) -> str:
    """Which versions of torch and which devices the pairs of a context mix; empty where they do not.

    Where devices are compared, the arms differ by design: then it is devices within an arm.
    """
    found = []
    for column, name in (("torch", "torch"), ("device_name", "device")):
        values = [set(arm[column]) for arm in arms]
        together = values if factor == name else [set.union(*values)]
        found += [f"{name} {' and '.join(sorted(mixed))}" for mixed in together if len(mixed) > 1]
    return "; ".join(found)
