"""The numbers of the course over the epochs and of tuned arms, see `recomputed`."""

import math

import numpy as np
import pandas as pd
from recomputed import Contrast, Within, better, bounds, limits, nan, shown, student
from recomputed_rows import ends


def differences(study, contrasts, verdicts, table):
    """The rows of `differences`, at the epochs that the report shows."""
    outcome, level = study.report.outcome, 1 - study.report.alpha
    columns, held = [], []
    for c in contrasts:
        b, t = (better(outcome) * arm.scaled(outcome)[c.seeds] for arm in c.arms)
        seeds = [s for s in c.seeds if not (b[s].isna().any() or t[s].isna().any())]
        epochs = sorted(table["epoch"].unique())
        columns += [(t - b)[seeds].loc[e] if seeds else pd.Series(dtype=float) for e in epochs]
        held.append((c, seeds, epochs))
    together, rows, place = limits(columns, level), [], 0
    for c, seeds, epochs in held:
        own, place = together[place : place + len(epochs)], place + len(epochs)
        means = [column.mean() for column in columns[place - len(epochs) : place]]
        sides = [int(middle(low) > 0) - int(middle(high) < 0) for low, high, _ in own]
        wanted = {"helps": -1, "hurts": 1}.get(verdicts[id(c)])
        since = len(epochs)
        while wanted and since and sides[since - 1] == wanted:
            since -= 1
        decides = since < len(epochs) and 2.0 ** (1 - len(seeds)) < study.report.alpha
        for epoch, mean, (low, high, method) in zip(epochs, means, own, strict=True):
            limits_of = ends("effect", outcome, low, high)
            row = {**c.labels, "epoch": epoch, "pairs": len(seeds), "effect": shown(outcome, mean), "limits": method}
            row |= {"low": limits_of["effect_low"], "high": limits_of["effect_high"]}
            rows.append(row | {"decided_from": epochs[since] if decides else nan})
    return rows


def middle(limit):
    return (limit.low + limit.high) / 2 if isinstance(limit, Within) else limit


def tuned(study, arms):
    """Each arm at the values that the half of the seeds that follow choose: contrasts, and what was chosen."""
    options = study.report
    found = []
    for context, settings in study.tuned_contexts():
        every = [arms[address] for of_arm in settings.values() for address in of_arm.values()]
        seeds = sorted(set.intersection(*(set(arm.seeds) for arm in every)))
        chosen = {}
        for label, candidates in settings.items():
            own = [arms[address] for address in candidates.values()]
            losses = [arm.final("validation_loss", options.window)[seeds].fillna(1e6).tolist() for arm in own]
            half = max(1, (len(seeds) - 1) // 2)
            follow = [[(i + k) % len(seeds) for k in range(1, half + 1)] for i in range(len(seeds))]
            means = [[np.mean([of[j] for j in others]) for of in losses] for others in follow]
            chosen[label] = ([int(np.argmin(of_seed)) for of_seed in means], own, [*candidates])
        there = [pair for pair in study.tuned_comparisons if {*pair} <= {*settings}]
        for baseline, treatment in there:
            costs, last, known = [], [], []
            for label in (baseline, treatment):
                places, own, _ = chosen[label]
                ended = [arm.final(options.outcome, options.window) for arm in own]
                costs.append(pd.Series({s: ended[p][s] for s, p in zip(seeds, places, strict=True)}))
                at_end = [arm.final(options.outcome, 0) for arm in own]
                last.append(pd.Series({s: at_end[p][s] for s, p in zip(seeds, places, strict=True)}))
                every_bound = [
                    bounds(arm, of[seeds], options.outcome, options.window) for arm, of in zip(own, ended, strict=True)
                ]
                known.append({s: every_bound[p][s] for s, p in zip(seeds, places, strict=True)})
            labels = {**context, "baseline": baseline, "treatment": treatment}
            representative = tuple(chosen[label][1][0] for label in (baseline, treatment))
            found.append((Contrast(labels, representative, tuple(costs), tuple(last), known), chosen))
    return found


def agreeing(found):
    """How many seeds get the value that most get."""
    c, chosen = found
    numbers = {}
    for arm in ("baseline", "treatment"):
        places, *_ = chosen[c.labels[arm]]
        numbers[f"agreeing_{arm}"] = max((places.count(p) for p in set(places)), default=0)
    return numbers


def rates(study, found):
    """The rows of `rates`."""
    outcome, share, rows = study.report.outcome, study.report.window, []
    for c, chosen in found:
        seeds = c.seeds
        for place, candidate in enumerate(chosen[c.labels["baseline"]][2]):
            row = {**c.labels, "rate": candidate[0][1]}
            logs = []
            for arm in ("baseline", "treatment"):
                places, own, _ = chosen[c.labels[arm]]
                logs.append(own[place].final(outcome, share)[seeds])
                row[f"{arm}_value"] = math.exp(logs[-1].mean())
                row[f"{arm}_validation"] = math.exp(own[place].final("validation_loss", share)[seeds].mean())
                row[f"{arm}_diverged"] = int(logs[-1].isna().sum())
                row[f"{arm}_chosen"] = places.count(place)
            ratio = student((logs[1] - logs[0]).dropna(), 1 - study.report.alpha)
            row |= dict(zip(("effect", "low", "high"), map(math.exp, ratio), strict=True))
            row["best_effect"] = math.exp(c.differences.mean())
            rows.append(row)
    return rows
