"""The numbers of the tables that have a row per context, arm or pair, see `recomputed`."""

import math
from functools import cache

import numpy as np
from recomputed import (
    Within,
    better,
    between,
    limits,
    monte_carlo,
    nan,
    shown,
    sign_flips,
    student,
)
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

LOSSES = ("train_loss", "eval_loss", "test_loss", "test_loss_precise")
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(600)


def contexts(study, contrasts):
    """The rows of `contexts`, and what of `tuned` is alike."""
    options, outcome = study.report, study.report.outcome
    alpha, level, family = options.alpha, 1 - options.alpha, sum(bool(c.seeds) for c in contrasts)
    alone, adjusted = sign_flips([c.tested for c in contrasts])
    union = len(set().union(*(c.seeds for c in contrasts))) if contrasts else 0
    margin = options.margin if outcome in ("test_accuracy", "generalization_gap") else math.log(options.margin)
    equivalence = holm([tost(c, margin, alpha) for c in contrasts])
    together = limits([c.differences for c in contrasts], level)
    rows = []
    for i, c in enumerate(contrasts):
        d, (low, high, method) = c.differences, together[i]
        mean, *own = student(d, level)
        narrow = student(d, 1 - 2 * alpha)[1:]
        robust = hodges_lehmann(np.asarray(d, float), level)
        wins = float((c.ranks < 0).sum() + (c.ranks == 0).sum() / 2)
        last = student((c.last[1] - c.last[0])[c.measured], level)
        arms = [c.costs[k][c.measured].to_numpy() for k in (0, 1)]
        verdict = judged(c, adjusted[i], (low, high), equivalence[i], alpha)
        row = {
            **c.labels,
            "outcome": outcome,
            "pairs": len(c.seeds),
            "finite_pairs": len(c.finite),
            "family": family,
            "confidence": level,
            "baseline_value": shown(outcome, arms[0].mean()) if len(d) else nan,
            "treatment_value": shown(outcome, arms[1].mean()) if len(d) else nan,
            "effect": shown(outcome, mean),
            **ends("effect", outcome, low, high),
            **ends("own", outcome, *own),
            **ends("narrow", outcome, *narrow),
            "limits": method,
            "test": c.test,
            "verdict": verdict,
            "p": monte_carlo(alone[i], len(c.seeds)),
            "p_max_t": monte_carlo(adjusted[i], union),
            "p_adjusted": monte_carlo(adjusted[i], union),
            "p_equivalence": equivalence[i],
            "within_margin": bool(equivalence[i] < alpha),
            "hl_effect": shown(outcome, robust[0]),
            **ends("hl", outcome, *robust[1:]),
            "p_wilcoxon": stats.wilcoxon(d).pvalue if len(d) and d.any() else 1.0 if len(d) else nan,
            "win_rate": wins / len(c.seeds) if c.seeds else nan,
            **dict(zip(("win_low", "win_high"), wilson(wins, len(c.seeds), alpha), strict=True)),
            "effect_last": shown(outcome, last[0]),
            **ends("effect_last", outcome, *last[1:]),
            "diverged_baseline": c.diverged[0],
            "diverged_treatment": c.diverged[1],
            "p_mcnemar": discordant(c),
            "floored": len(c.finite) - len(c.measured),
            **described(*arms, better(outcome)),
            **raised(c, outcome, level),
            **needed(c, verdict, margin, alpha / family if family else nan),
        }
        if family and union <= 16:  # else the p that Holm takes are those of random flips
            row["p_holm"] = holm(alone)[i]
        rows.append(row | corrected(study, c, level))
    return rows


def ends(name, outcome, low, high):
    """Both limits of an effect, from those of costs."""
    if isinstance(low, Within):
        every = [[shown(outcome, end) for end in limit] for limit in (low, high)]
        pair = sorted(Within(min(e), max(e)) for e in every)
    else:
        pair = between(outcome, low, high)
    return {f"{name}_low": pair[0], f"{name}_high": pair[1]}


def holm(p):
    """The smallest of m times m, the next times m − 1, and so on, and never less than the one before."""
    found, least, p = [nan] * len(p), 0.0, [float(each) for each in p]
    tested = sorted((i for i, each in enumerate(p) if not math.isnan(each)), key=lambda i: p[i])
    for step, i in enumerate(tested):
        least = found[i] = max(least, min(1.0, (len(tested) - step) * p[i]))
    return found


def tost(c, margin, alpha):
    d = np.asarray(c.differences, float)
    if c.test != "mean" or not 2.0 ** (1 - len(d)) < alpha:
        return nan
    if np.ptp(d) <= 1e-13 * max(1.0, np.abs(np.concatenate([x.to_numpy() for x in c.costs])).max()):
        return 0.5 ** len(d) if abs(d.mean()) < margin else 1.0
    above = stats.ttest_1samp(d, -margin, alternative="greater").pvalue
    return max(above, stats.ttest_1samp(d, margin, alternative="less").pvalue)


def judged(c, adjusted, interval, equivalence, alpha):
    """The rule of docs/statistics.md."""
    if not c.seeds:
        return "no data"
    low, high = ((x.low + x.high) / 2 if isinstance(x, Within) else x for x in interval)
    if c.test != "mean":
        direction = c.tested.sum()
        if adjusted < alpha and direction < 0 and not low > 0:
            return "helps"
        return "hurts" if adjusted < alpha and direction > 0 and not high < 0 else "undecided"
    if adjusted < alpha and (high < 0 or low > 0):
        return "helps" if high < 0 else "hurts"
    return "equivalent" if equivalence < alpha else "undecided"


def hodges_lehmann(d, level):
    n = len(d)
    if not n:
        return nan, nan, nan
    walsh = sorted((d[i] + d[j]) / 2 for i in range(n) for j in range(i, n))
    ways = np.ones(1)
    for rank in range(1, n + 1):
        ways = np.convolve(ways, [1, *[0] * (rank - 1), 1]) / 2
    outside = [k for k in range(len(ways)) if ways[: k + 1].sum() <= (1 - level) / 2 * (1 + 1e-12)]
    if not outside:
        return float(np.median(walsh)), nan, nan
    return float(np.median(walsh)), walsh[outside[-1]], walsh[-1 - outside[-1]]


def wilson(count, total, alpha):
    return proportion_confint(count, total, alpha, method="wilson") if total else (nan, nan)


def discordant(c):
    if not any(c.diverged):
        return nan
    none, bn = (costs.isna() for costs in c.costs)
    table = [[0, int((none & ~bn).sum())], [int((~none & bn).sum()), 0]]
    return mcnemar(table, exact=True).pvalue if np.sum(table) else 1.0


def described(baseline, treated, sign):
    """d_z, spread, correlation and the ratio of variances, on the scale of the outcome."""
    d, n = treated - baseline, len(baseline)
    flat = [np.ptp(x) <= 1e-12 * max(np.abs(x).max(), 1e-300) if n else True for x in (baseline, treated, d)]
    found = dict.fromkeys(("hedges_dz", "spread_ratio", "p_spread", "correlation", "variance_ratio"), nan)
    if n > 2 and not flat[2]:
        correction = math.gamma((n - 1) / 2) / (math.sqrt((n - 1) / 2) * math.gamma((n - 2) / 2))
        found["hedges_dz"] = sign * d.mean() / d.std(ddof=1) * correction
    if n > 2 and not flat[0]:
        found["spread_ratio"] = treated.std(ddof=1) / baseline.std(ddof=1)
        if not flat[2]:
            found["p_spread"] = stats.pearsonr(baseline + treated, d).pvalue
        if not flat[1]:
            found["correlation"] = stats.pearsonr(baseline, treated).statistic
    if n > 1 and not (flat[0] and flat[1]):
        found["variance_ratio"] = d.var(ddof=1) / (baseline.var(ddof=1) + treated.var(ddof=1))
    return found


def raised(c, outcome, level):
    """The effect over all finite pairs, with losses below the resolution raised to it."""
    few = [seed for seed in c.finite if seed not in c.measured]
    if not few:
        return dict.fromkeys(("raised_effect", "raised_low", "raised_high", "bound"), None)
    mean, *both = student((c.costs[1] - c.costs[0])[c.finite], level)
    (none, bn) = ([bounds[seed] for seed in few] for bounds in c.bounds)
    least = any(low == -math.inf for low, _ in none) or any(high == math.inf for _, high in bn)
    most = any(low == -math.inf for low, _ in bn) or any(high == math.inf for _, high in none)
    bound = "restricted" if least and most else "at least" if least else "at most"
    return {"raised_effect": shown(outcome, mean), **ends("raised", outcome, *both), "bound": bound}


def corrected(study, c, level):
    """The interval of Nadeau & Bengio, of real data that each seed splits anew."""
    task = c.arms[0].setting.spec["task"]
    rows = {"diabetes": 442, "digits": 1797}.get(task["name"])
    outcome = study.report.outcome
    if rows is None or outcome not in ("test_loss", "test_loss_precise", "test_accuracy") or len(c.differences) < 2:
        return {"corrected_low": nan, "corrected_high": nan}
    test = c.arms[0].setting.spec["task"]["test_fraction"] * rows
    ratio = round(test) / (rows - round(test))
    d, n = np.asarray(c.differences, float), len(c.differences)
    half = stats.t.isf((1 - level) / 2, n - 1) * math.sqrt((1 / n + ratio) * d.var(ddof=1))
    return ends("corrected", outcome, d.mean() - half, d.mean() + half)


def needed(c, verdict, margin, alpha):
    """Seeds for either answer at the observed spread, and at both ends of its 95 % interval."""
    names = [f"{name}{end}" for name in ("seeds_needed", "seeds_equivalent") for end in ("", "_low", "_high")]
    n, spread = len(c.differences), c.differences.std(ddof=1) if len(c.differences) > 1 else 0.0
    if verdict != "undecided" or c.test != "mean" or not spread > 0:
        return dict.fromkeys(names, nan)
    freedom = n - 1
    of_spread = [1.0, *(math.sqrt(freedom / stats.chi2.isf(tail, freedom)) for tail in (0.025, 0.975))]
    effects = [margin / (spread * factor) for factor in of_spread]
    found = [fewest(power_of_t, effect, alpha) for effect in effects]
    alike = [fewest(power_of_equivalence, effect, alpha) for effect in effects]
    room = [Within(seeds * 0.99 - 1, seeds * 1.01 + 1) if math.isfinite(seeds) else seeds for seeds in alike]
    return dict(zip(names, [*found, *room], strict=True))


@cache
def _spreads(freedom):
    """Nodes and weights over the distribution of the spread that is seen."""
    u = (_NODES + 1) / 2
    return np.sqrt(stats.chi2.ppf(u, freedom) / freedom), _WEIGHTS / 2


def power_of_t(effect, n, alpha):
    seen, weights = _spreads(n - 1)
    critical, shift = stats.t.isf(alpha / 2, n - 1) * seen, effect * math.sqrt(n)
    return float(weights @ (stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift)))


def power_of_equivalence(margin, n, alpha):
    seen, weights = _spreads(n - 1)
    inside = 2 * stats.norm.cdf(margin * math.sqrt(n) - stats.t.isf(alpha, n - 1) * seen) - 1
    return float(weights @ np.maximum(inside, 0))


def fewest(power, effect, alpha):
    least = 2
    while 2.0 ** (1 - least) >= alpha:
        least += 1
    most = least
    while power(effect, most, alpha) < 0.8:
        if most > 1_000_000:
            return math.inf
        least, most = most + 1, 2 * most
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if power(effect, middle, alpha) >= 0.8 else (middle + 1, most)
    return float(least) if least <= 1_000_000 else math.inf


def pairs(study, contrasts):
    """The rows of `pairs`."""
    outcome = study.report.outcome
    return [
        {
            **c.labels,
            "seed": seed,
            "baseline_value": shown(outcome, c.costs[0][seed]),
            "treatment_value": shown(outcome, c.costs[1][seed]),
            "effect": shown(outcome, c.costs[1][seed] - c.costs[0][seed]) if seed in c.measured else nan,
            "baseline_last": shown(outcome, c.last[0][seed]),
            "treatment_last": shown(outcome, c.last[1][seed]),
            "baseline_floored": not math.isnan(c.costs[0][seed]) and c.bounds[0][seed][0] != c.bounds[0][seed][1],
            "treatment_floored": not math.isnan(c.costs[1][seed]) and c.bounds[1][seed][0] != c.bounds[1][seed][1],
        }
        for c in contrasts
        for seed in c.seeds
    ]
