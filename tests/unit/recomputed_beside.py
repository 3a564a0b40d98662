"""The numbers of the tables beside the verdicts: outcomes, the absolute scale, convergence; see `recomputed`."""

import math

import numpy as np
from recomputed import (
    SCORES,
    Within,
    better,
    between,
    contrast,
    monte_carlo,
    nan,
    rounded,
    shown,
    sign_flips,
    student,
    window,
)
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

LOSSES = ("train_loss", "eval_loss", "test_loss", "test_loss_precise")


def outcomes(study, c, reported):
    """The rows of `outcomes` of one contrast."""
    keeps = any(label.startswith(("batch", "ghost")) for label in c.labels.values())
    names = [*LOSSES[:3], *(["test_loss_precise"] if keeps else [])]
    names += [*(["best_test_loss"] if study.config["tune"] else []), "generalization_gap", "swing"]
    names += ["test_accuracy"] if "test_accuracy" in c.arms[0].curves else []
    rows, level = [], 1 - study.report.alpha
    for name in names:
        own = contrast(c.labels, *c.arms, name, study.report.window)
        values = [own.costs[k][own.measured].mean() if own.measured else nan for k in (0, 1)]
        mean, *both = student(own.differences, level)
        (p,), _ = sign_flips([own.tested])
        rows.append(
            {
                **c.labels,
                "outcome": name,
                "role": "primary" if name == study.report.outcome else "exploratory",
                "pairs": len(own.seeds),
                "finite_pairs": len(own.measured),
                "baseline_value": shown(name, values[0]),
                "treatment_value": shown(name, values[1]),
                "effect": shown(name, mean),
                "p": monte_carlo(p, len(own.seeds)),
                "direction": sign(better(name) * own.tested),
                "bound": None,
                **dict(zip(("low", "high"), between(name, *both), strict=True)),
            }
        )
    rows += [epochs(study, c, level)] if study.report.outcome not in SCORES else []
    rows.append(seconds(c, level))
    return [row | {"marked": marked(row, reported, study.report.alpha)} for row in rows]


def sign(values):
    """Of the sum; any where values differ from 0 by rounding alone."""
    return Within(-1, 1) if rounded(values) else int(np.sign(values.sum()))


def marked(row, reported, alpha):
    """By the p-values of the report, which are checked elsewhere."""
    if row["role"] != "exploratory":
        return False
    (found,) = [r for r in reported if all(r[name] == row[name] for name in ("outcome", *row) if name in _KEYS)]
    nothing = 0.0 if row["outcome"] in SCORES else 1.0
    if isinstance(row["direction"], Within):
        return False
    agrees = row["direction"] != 0 and np.sign(row["effect"] - nothing) == row["direction"]
    open_side = {"at least": -1, "at most": 1}.get(row["bound"])
    return bool(found["p_bh"] < alpha and agrees and row["direction"] != open_side)


_KEYS = ("task", "batch_size", "optimizer", "baseline", "treatment", "outcome")


def adjusted(table):
    """P by Benjamini & Hochberg, from the p-values of the report."""
    p = table["p"].where(table["role"] == "exploratory").dropna().sort_values(ascending=False)
    ranks = np.arange(len(p), 0, -1)
    return (p * len(p) / ranks).cummin().clip(upper=1).reindex(table.index)


def epochs(study, c, level):
    """Epochs to the target: restricted to the last measured epoch."""
    name, share = study.report.outcome, study.report.window
    ended = [arm.final(name, share)[c.seeds] for arm in c.arms]
    larger = [
        max(x for x in pair if not math.isnan(x)) for pair in zip(*ended, strict=True) if not all(map(math.isnan, pair))
    ]
    target = study.report.target or (2 * math.exp(np.mean(larger)) if larger else nan)
    logs, never, at_once = [], [], []
    for arm in c.arms:
        values = arm.curves[name][c.seeds]
        reached = [values.index[(values[s] <= target).to_numpy()] for s in c.seeds]
        gone = [not len(r) or math.isnan(values[s].iloc[-1]) for r, s in zip(reached, c.seeds, strict=True)]
        first = [values.index[-1] if no else r[0] for no, r in zip(gone, reached, strict=True)]
        logs.append(np.log(np.array(first, float) + 1))
        never.append(np.array(gone, bool))
        at_once.append(np.array([not no and f == values.index[0] for no, f in zip(gone, first, strict=True)], bool))
    d = logs[1] - logs[0]
    known = bool(len(d)) and bool((d != 0).any() or any((~(n | a)).any() for n, a in zip(never, at_once, strict=True)))
    least, most = (never[1] | at_once[0]).any(), (never[0] | at_once[1]).any()
    bound = "restricted" if least and most else "at least" if least else "at most" if most else None
    mean, low, high = student(d, level) if known else (nan, nan, nan)
    if known and np.ptp(d) < 1e-12:
        low = high = nan
    return {
        **c.labels,
        "outcome": "epochs_to_target",
        "role": "exploratory",
        "pairs": len(d),
        "finite_pairs": len(d),
        "baseline_value": math.exp(logs[0].mean()) if len(d) else nan,
        "treatment_value": math.exp(logs[1].mean()) if len(d) else nan,
        "effect": math.exp(mean),
        "low": nan if bound == "at most" else math.exp(low),
        "high": nan if bound == "at least" else math.exp(high),
        "bound": bound,
        "p": monte_carlo(sign_flips([d])[0][0], len(d)) if known else nan,
        "direction": sign(d) if known else 0,
        **{f"reached_{arm}": int((~n).sum()) for arm, n in zip(("baseline", "treatment"), never, strict=True)},
        **{f"at_once_{arm}": int(a.sum()) for arm, a in zip(("baseline", "treatment"), at_once, strict=True)},
    }


def seconds(c, level):
    """Training time, job by job."""
    jobs = []
    for arm in c.arms:
        times = [arm.rows["seconds"][s] for s in c.seeds]
        jobs.append(np.log([t for i, t in enumerate(times) if (i == 0 or t != times[i - 1]) and t > 0]))
    baseline, treated = jobs
    mean = treated.mean() - baseline.mean() if len(baseline) and len(treated) else nan
    low = high = nan
    if min(map(len, jobs)) > 1:
        means = CompareMeans(DescrStatsW(treated), DescrStatsW(baseline))
        low, high = means.tconfint_diff(1 - level, usevar="unequal")
    return {
        **c.labels,
        "outcome": "seconds",
        "role": "descriptive",
        "effect": math.exp(mean),
        "low": math.exp(low),
        "high": math.exp(high),
        "baseline_value": math.exp(baseline.mean()) if len(baseline) else nan,
        "treatment_value": math.exp(treated.mean()) if len(treated) else nan,
        "p": nan,
        "jobs_baseline": len(baseline),
        "jobs_treatment": len(treated),
    }


def absolute(study, c):
    """The row of `absolute` of one contrast."""
    decides, share = study.report.outcome, study.report.window
    name = decides if decides in ("test_loss", "test_loss_precise") else "test_loss"
    ended = [arm.final(name, share)[c.seeds] for arm in c.arms]
    finite = [s for s in c.seeds if not any(math.isnan(e[s]) for e in ended)]
    row = {**c.labels, "outcome": name, "pairs": len(c.seeds), "finite_pairs": len(finite)}
    for which, arm, values in zip(("baseline", "treatment"), c.arms, ended, strict=True):
        variance = arm.rows["target_variance"].astype(float)[finite]
        scale = arm.rows["target_scale"].astype(float)[finite].fillna(1.0)
        losses = values[finite].mask(arm.below(name, share)[finite])  # such a loss is no number
        row[f"{which}_left"] = math.exp((losses - np.log(variance)).mean(skipna=False)) if finite else nan
        squares = (losses + 2 * np.log(scale)).where(variance.notna())
        row[f"{which}_error"] = math.exp(squares.mean(skipna=False) / 2) if finite else nan
        row[f"{which}_accuracy"] = (
            float(arm.final("test_accuracy", share)[finite].mean()) if finite and "test_accuracy" in arm.curves else nan
        )
    return row


def convergence(study, arm):
    """The row of `convergence` of one setting."""
    outcome, share = study.report.outcome, study.report.window
    table = arm.scaled(outcome)
    measured = len(table) or len(
        range(study.config["evaluate_every"], study.config["epochs"] + 1, study.config["evaluate_every"])
    )
    of_window = window(measured, share)
    stretch = max(of_window, min(measured, 5))
    part = table.iloc[-stretch:].dropna(axis=1)
    if stretch < 5 or (stretch > measured / 2 and stretch > of_window):
        part = part[[]]  # too few measurements for a trend, or too many for the end of the training
    span = part.index[-1] - part.index[0] if len(part) else nan
    changes = [round(np.polyfit(part.index, part[seed], 1)[0] * span, 13) for seed in part]
    mean, low, high = student(changes, 1 - study.report.alpha / len(study.settings))
    score = outcome in SCORES
    ratio = [x if score else math.exp(x) for x in (mean, low, high)]
    trend = "no data" if math.isnan(low) else "falls" if high < 0 else "rises" if low > 0 else "unclear"
    return {
        **arm.setting.labels,
        "seeds": len(changes),
        "measurements": stretch,
        **dict(zip(("change", "change_low", "change_high"), ratio, strict=True)),
        "trend": trend,
    }
