"""The numbers of the tables that take contexts, arms, epochs or rates together, see `recomputed`."""

import itertools
import math

import numpy as np
import pandas as pd
from recomputed import (
    Contrast,
    Within,
    better,
    bounds,
    limits,
    monte_carlo,
    nan,
    shown,
    sign_flips,
)
from recomputed_rows import ends
from scipy import stats

VERDICTS = {"contexts_helped": "helps", "contexts_hurt": "hurts", "contexts_equivalent": "equivalent"}


def shared(contrasts):
    """Differences of costs of the seeds that all contexts have measured: a column per context."""
    return by_seed(contrasts).to_numpy()


def by_seed(contrasts):
    return pd.concat([c.differences for c in contrasts], axis=1, join="inner")


def by_arms(contrasts):
    found = {}
    for c in contrasts:
        found.setdefault((c.labels["baseline"], c.labels["treatment"]), []).append(c)
    return found


def counts(contrasts, verdicts):
    own = [verdicts[id(c)] for c in contrasts]
    found = {name: own.count(verdict) for name, verdict in VERDICTS.items()}
    return {"contexts": len(own), **found, "contexts_undecided": len(own) - sum(found.values())}


def interactions(study, contrasts, verdicts):
    """The rows of `interactions`."""
    level, rows, columns = 1 - study.report.alpha, [], []
    for baseline, treatment in study.comparisons:
        own = by_arms(contrasts).get((baseline, treatment), [])
        if len(own) < 2:
            continue
        values = shared(own)
        labels = pd.DataFrame([c.labels for c in own])
        found = [("main effect", "", values.mean(1) if len(values) else np.empty(0))]
        for factor in study.varied():
            if factor == "batch_size":
                several = labels["batch_size"].nunique() > 1
                found += [(factor, "doubling", doublings(study, labels, values))] if several else []
                continue
            first, *others = [level for level in study.levels[factor] if level in set(labels[factor])]
            found += [(factor, other, change(labels, values, factor, first, other)) for other in others]
        new = prediction(values, level)
        for factor, name, column in found:
            row = {"baseline": baseline, "treatment": treatment, "factor": factor, "pairs": len(values)}
            row["effect"] = shown(study.report.outcome, column.mean() if len(column) else nan)
            row["level"] = name or None
            row["diverged"] = sum(sum(c.diverged) for c in own)
            row["new"] = (counts(own, verdicts), new) if factor == "main effect" else None
            rows.append(row)
            columns.append(pd.Series(column, by_seed(own).index) if len(column) else column)
    alone, adjusted = sign_flips(columns)
    together = limits(columns, level)
    family = sum(bool(len(column)) for column in columns)
    found = []
    for row, column, p, jointly, (low, high, _) in zip(rows, columns, alone, adjusted, together, strict=True):
        new = row.pop("new")
        own = ends("effect", study.report.outcome, low, high)
        judged = {"low": own["effect_low"], "high": own["effect_high"], "family": family}
        judged |= {"p": monte_carlo(p, len(column)), "p_adjusted": monte_carlo(jointly, len(column))}
        found.append({**row, **judged, **(of_all(study.report.outcome, *new, low, high) if new else {})})
    return found


def of_all(outcome, counted, predicted, low, high):
    """What a main effect has beside; its prediction interval is at least as wide as that of the mean."""
    lows, highs = (x if isinstance(x, Within) else Within(x, x) for x in (low, high))
    if math.isnan(predicted[0]):
        return counted
    least = Within(min(predicted[0], lows.low), min(predicted[0], lows.high))
    most = Within(max(predicted[1], highs.low), max(predicted[1], highs.high))
    return {**counted, **ends("prediction", outcome, least, most)}


def change(labels, values, factor, first, other):
    """What each seed's value changes by from one level to another, over the contexts that differ in nothing else."""
    held = [name for name in labels if name != factor]
    cells = [dict(zip(rows[factor], rows.index, strict=True)) for _, rows in labels.groupby(held)]
    found = [values[:, cell[other]] - values[:, cell[first]] for cell in cells if {first, other} <= {*cell}]
    return np.mean(found, axis=0)


def doublings(study, labels, values):
    """Each seed's slope over log2 of the batch, within each combination of the other factors, as their mean."""
    logs = np.array([math.log2(study.examples(row)) for row in labels.to_dict("records")])
    others = [name for name in labels if name != "batch_size"]
    cells = [cell for cell in labels.groupby(others).indices.values() if len(cell) > 1]
    return (
        np.mean([np.polyfit(logs[cell], values[:, cell].T, 1)[0] for cell in cells], axis=0)
        if len(values)
        else np.empty(0)
    )


def spread(values):
    """τ² and the variance of the contexts' means, from the two-way analysis of variance without replication."""
    seeds, contexts = values.shape
    total = ((values - values.mean()) ** 2).sum()
    of_contexts = seeds * ((values.mean(0) - values.mean()) ** 2).sum()
    of_seeds = contexts * ((values.mean(1) - values.mean()) ** 2).sum()
    error = (total - of_contexts - of_seeds) / ((seeds - 1) * (contexts - 1))
    between = of_contexts / (contexts - 1)
    return max(0.0, (between - error) / seeds), between / seeds


def prediction(values, level):
    seeds, contexts = values.shape
    if contexts < 3 or seeds < 2:
        return nan, nan
    tau2, _ = spread(values)
    error2 = values.mean(1).var(ddof=1) / seeds + tau2 / contexts
    half = stats.t.isf((1 - level) / 2, contexts - 2) * math.sqrt(tau2 + error2)
    return values.mean() - half, values.mean() + half


def runs(contrasts):
    """Differences of costs over the seeds of all contexts, ±∞ where a trial diverged, and whether all are in order."""
    seeds = sorted(set.intersection(*(set(c.seeds) for c in contrasts)))
    found, ordered = [], True
    for c in contrasts:
        ranks = c.ranks
        for seed in seeds:
            costs = [cost[seed] for cost in c.costs]
            measured = seed in c.measured
            gone = [math.isnan(cost) for cost in costs]
            value = costs[1] - costs[0]
            if any(gone):
                value = 0.0 if all(gone) else math.inf if gone[1] else -math.inf
            elif not measured and np.sign(ranks[seed]) != np.sign(value):
                value = 0.0
            ordered &= not (all(gone) or (not measured and not any(gone)) or limited(c, seed))
            found.append(value)
    return np.array(found), len(seeds), ordered


def limited(c, seed):
    return any(low != high for low, high in (b[seed] for b in c.bounds))


def aggregate(study, contrasts, verdicts):
    """The rows of `aggregate` but for what the bootstrap gives."""
    rows, outcome = [], study.report.outcome
    for baseline, treatment in study.comparisons:
        own = by_arms(contrasts).get((baseline, treatment), [])
        if len(own) < 3:
            continue
        values, seeds, ordered = runs(own)
        cut = len(values) // 4
        middle = np.sort(values)[cut : len(values) - cut]
        means = [shown(outcome, c.differences.mean()) for c in own if len(c.differences)]
        row = {"baseline": baseline, "treatment": treatment, "pairs": seeds, **counts(own, verdicts)}
        row["iqm"] = shown(outcome, middle.mean()) if ordered and seeds else nan
        row["improvement"] = ((values < 0) + (values == 0) / 2).mean() if seeds else nan
        row["effect_lowest"], row["effect_highest"] = (min(means), max(means)) if means else (nan, nan)
        row["tau"] = row["i_squared"] = nan
        both = shared(own)
        if len(both) > 1:
            tau2, of_means = spread(both)
            row["tau"], row["i_squared"] = math.sqrt(tau2), tau2 / of_means if of_means > 1e-25 else 0.0
        rows.append(row)
    return rows


def ranks(study, arms):
    """The rows of `ranks` and of `all_pairs`."""
    if len(study.arms) < 3:
        return [], []
    options = study.report
    every = []
    for context, settings in study.contexts():
        # Of the kinds here, only ghost is left out anywhere: where it is batch.
        own = [arms[settings.get(label, settings["batch"]).address] for label in study.arms]
        seeds = sorted(set.intersection(*(set(arm.seeds) for arm in own)))
        costs = [better(options.outcome) * arm.final(options.outcome, options.window)[seeds] for arm in own]
        last = [costs_of * 0 for costs_of in costs]
        known = [bounds(arm, of, options.outcome, options.window) for arm, of in zip(own, costs, strict=True)]
        every.append((context, costs, last, known))
    seeds = sorted(set.intersection(*(set(costs[0].index) for _, costs, *_ in every)))
    blocks = [[c[s] if not math.isnan(c[s]) else math.inf for c in costs] for _, costs, *_ in every for s in seeds]
    mean_ranks = pd.DataFrame(blocks).rank(axis=1).mean().tolist()
    rows, tested, differences, tests = [], [], [], []
    for one, other in itertools.combinations(range(len(study.arms)), 2):
        own = [
            Contrast({}, (), (costs[one][seeds], costs[other][seeds]), (), [known[one], known[other]])
            for _, costs, _, known in every
        ]
        test = (
            "worst-rank"
            if any(sum(c.diverged) for c in own)
            else "mean"
            if all(c.test == "mean" for c in own)
            else "rank"
        )
        both = pd.concat([c.differences for c in own], axis=1, join="inner").mean(axis=1)
        differences.append(both)
        tests.append(test)
        tested.append(both if test == "mean" else pd.concat([c.ranks for c in own], axis=1).mean(axis=1))
        rows.append((one, other))
    alone, adjusted = sign_flips(tested)
    together = limits(differences, 1 - options.alpha)
    found = []
    for i, (one, other) in enumerate(rows):
        low, high, method = together[i]
        apart = mean_ranks[other] - mean_ranks[one]
        direction, side = np.sign(tested[i].sum()), int(low > 0) - int(high < 0)
        agree = direction == np.sign(apart) != 0
        agree &= side == direction if tests[i] == "mean" else side != -direction
        limits_of = ends("effect", options.outcome, low, high)
        found.append(
            {
                "baseline": study.arms[one],
                "treatment": study.arms[other],
                "pairs": len(seeds),
                "finite_pairs": len(differences[i]),
                "effect": shown(options.outcome, differences[i].mean()),
                "low": limits_of["effect_low"],
                "high": limits_of["effect_high"],
                "limits": method,
                "test": tests[i],
                "p": monte_carlo(alone[i], len(seeds)),
                "p_adjusted": monte_carlo(adjusted[i], len(seeds)),
                "family": len(rows),
                "rank_difference": apart,
                "told_apart": bool(adjusted[i] < options.alpha and agree),
            }
        )
    places = dict(zip(study.arms, mean_ranks, strict=True))
    ordered = sorted(study.arms, key=lambda arm: (places[arm], study.arms.index(arm)))
    return [{"arm": arm, "seeds": len(seeds), "mean_rank": places[arm]} for arm in ordered], found
