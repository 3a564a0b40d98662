"""The numbers of a report from its collected tables, by other code than the judge's: plain NumPy, SciPy, statsmodels.

Written from docs/statistics.md and the descriptions of the columns. Flips are gone through by brute force.
"""

import itertools
import math
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

RANDOM = 19_999  # flips of the judge over more than 16 seeds, where ours are all
SCORES = ("test_accuracy", "generalization_gap", "swing")  # and what else is compared by differences
nan = math.nan


class Within(NamedTuple):
    """A number that is only known to lie between two."""

    low: float
    high: float


@dataclass
class Arm:
    """The usable trials of one setting."""

    setting: object
    seeds: list
    rows: pd.DataFrame
    curves: dict = field(default_factory=dict)
    """Outcome → a table of [epoch, seed]."""

    def final(self, outcome, share):
        """By seed, on the scale on which the outcome is compared; NaN of a trial that diverged."""
        share = 0 if outcome in ("swing", "best_test_loss") else share  # of which a trial has one value
        return self.scaled(outcome).iloc[-window(len(self.curves[outcome]), share) :].mean(skipna=False)

    def scaled(self, outcome):
        values = self.curves[outcome]
        return values if outcome in SCORES else np.log(values.clip(lower=self.setting.resolution(outcome)))

    def below(self, outcome, share):
        """By seed, whether a loss in the window cannot be told from 0."""
        share = 0 if outcome == "best_test_loss" else share
        last = self.curves[outcome].iloc[-window(len(self.curves[outcome]), share) :]
        return (last < self.setting.resolution(outcome)).any()


@dataclass
class Contrast:
    """Two arms in a context; costs by seed, of which lower ones are better, and their bounds."""

    labels: dict
    arms: tuple
    costs: tuple
    last: tuple
    bounds: list
    """Of both arms, by seed: (low, high), both infinite of a diverged trial."""

    @property
    def seeds(self):
        return list(self.costs[0].index)

    @property
    def diverged(self):
        return [int(costs.isna().sum()) for costs in self.costs]

    @property
    def finite(self):
        return [seed for seed in self.seeds if not any(math.isnan(costs[seed]) for costs in self.costs)]

    @property
    def measured(self):
        return [seed for seed in self.finite if all(b[seed][0] == b[seed][1] for b in self.bounds)]

    @property
    def differences(self):
        return (self.costs[1] - self.costs[0])[self.measured]

    @property
    def test(self):
        if any(self.diverged):
            return "worst-rank"
        return "mean" if self.measured == self.seeds else "rank"

    @property
    def tested(self):
        return self.differences if self.test == "mean" else self.ranks

    @property
    def ranks(self):
        """Signed ranks of the smallest difference that is certain."""
        certain = {}
        for seed in self.seeds:
            (low, high), (least, most) = (b[seed] for b in self.bounds)
            if low == least == math.inf:
                certain[seed] = 0.0
            elif math.inf in (least, low):
                certain[seed] = math.inf if least == math.inf else -math.inf
            else:
                certain[seed] = max(least - high, 0.0) + min(most - low, 0.0)
        certain = pd.Series(certain, dtype=float)
        return certain.abs().rank() * np.sign(certain)


def window(measured, share):
    return max(1, math.ceil(round(share * measured, 6)))


def better(outcome):
    """1 where lower is better, else −1."""
    return -1 if outcome == "test_accuracy" else 1


def shown(outcome, cost):
    """From a difference of costs, or a mean cost, to what a table has."""
    with np.errstate(over="ignore"):
        return better(outcome) * cost if outcome in SCORES else np.exp(cost)


def between(outcome, low, high):
    return sorted((shown(outcome, low), shown(outcome, high))) if not math.isnan(low) else (nan, nan)


def arms(study, frames):
    """Address → the usable trials of each setting."""
    found = {}
    trials, curves = (dict(iter(frames[name].groupby("setting"))) for name in ("trials", "curves"))
    for setting in study.settings:
        rows = trials.get(setting.address, frames["trials"].iloc[:0])
        counts = rows["seed"].value_counts()
        seeds = sorted(int(seed) for seed, count in counts.items() if count == 1 and seed in study.seeds)
        arm = Arm(setting, seeds, rows[rows["seed"].isin(seeds)].set_index("seed").sort_index())
        own = curves.get(setting.address, frames["curves"].iloc[:0])
        own = own[own["seed"].isin(seeds)]
        every, epochs = study.config["evaluate_every"], study.config["epochs"]
        measured = [e for e in range(epochs) if (e + 1) % every == 0 or e == epochs - 1]
        outcomes = ["train_loss", "eval_loss", "test_loss", "test_loss_precise"]
        outcomes += ["validation_loss"] if study.config["tune"] else []
        outcomes += ["test_accuracy"] if "test_accuracy" in own and own["test_accuracy"].notna().any() else []
        for name in outcomes:
            table = own.pivot(index="epoch", columns="seed", values=name).replace([np.inf, -np.inf], nan)
            arm.curves[name] = table.loc[table.index if name == "train_loss" else measured] if seeds else table
        logs = [np.log(arm.curves[name].clip(lower=setting.resolution(name))) for name in ("test_loss", "eval_loss")]
        arm.curves["generalization_gap"] = logs[0] - logs[1]
        arm.curves["swing"] = logs[0].diff().pow(2).tail(max(1, window(len(logs[0]), study.report.window) - 1))
        arm.curves["swing"] = arm.curves["swing"].mean(skipna=False).pow(0.5).to_frame().T
        if study.config["tune"]:
            best = arm.curves["validation_loss"].to_numpy(), arm.curves["test_loss"].to_numpy()
            gone = np.isnan(best[0] + best[1]).any(0)
            at = np.where(np.isnan(best[0]), np.inf, best[0]).argmin(0) if len(best[0]) else []
            arm.curves["best_test_loss"] = pd.DataFrame(
                [np.where(gone, nan, np.take_along_axis(best[1], np.array(at)[None], 0)[0])] if seeds else [],
                columns=arm.curves["test_loss"].columns,
            )
        found[setting.address] = arm
    return found


def contrast(labels, baseline, treated, outcome, share):
    """The pairs of two arms."""
    seeds = [s for s in baseline.seeds if s in treated.seeds]
    same = [baseline.rows["weights_hash"][s] == treated.rows["weights_hash"][s] for s in seeds]
    seeds = [s for s, equal in zip(seeds, same, strict=True) if equal]
    sign = better(outcome)
    costs = tuple(sign * arm.final(outcome, share)[seeds] for arm in (baseline, treated))
    last = tuple(sign * arm.final(outcome, 0)[seeds] for arm in (baseline, treated))
    every = [bounds(arm, costs_of, outcome, share) for arm, costs_of in zip((baseline, treated), costs, strict=True)]
    return Contrast(labels, (baseline, treated), costs, last, every)


def bounds(arm, costs, outcome, share):
    """By seed, between what its cost is known to lie."""
    small = {name: arm.below(name, share) for name in (_parts(outcome) if len(costs) else ())}
    found = {}
    for seed, cost in costs.items():
        low = high = math.inf if math.isnan(cost) else cost
        if not math.isnan(cost) and _parts(outcome):
            low = -math.inf if small[_parts(outcome)[0]][seed] else low
            high = math.inf if len(small) > 1 and small["eval_loss"][seed] else high
        found[seed] = (low, high)
    return found


def _parts(outcome):
    return {"generalization_gap": ("test_loss", "eval_loss"), "test_accuracy": (), "swing": ()}.get(outcome, (outcome,))


@cache
def flips(seeds):
    """All signs, [flips, seeds]; half of them, which stand for all, of more than 10 seeds."""
    if seeds <= 10:
        return np.array([*itertools.product([1.0, -1.0], repeat=seeds)])
    numbers = np.arange(2 ** (seeds - 1), dtype=np.int64)
    return 1.0 - 2.0 * ((numbers[:, None] >> np.arange(seeds)) & 1)


def table_of(columns):
    """Columns of values by seed → [seeds of any, tests], NaN where a seed is not there."""
    return pd.concat([pd.Series(c, dtype=float) for c in columns], axis=1).sort_index().to_numpy()


def rounded(values):
    """Whether values that are not 0 differ from it by rounding alone, so that their signs say nothing."""
    return len(values) > 0 and 0 < np.abs(values).max() < 1e-12


def monte_carlo(p, seeds):
    """A p as random flips give it."""
    if isinstance(p, Within):
        return p
    if seeds <= 16 or math.isnan(p):
        return p
    room = 5 * math.sqrt(p * (1 - p) / RANDOM) + 2 / RANDOM
    return Within(p - room, p + room)


def sign_flips(columns):
    """P of each column alone, and by step-down maxT."""
    found = [], []
    for column in columns:
        values = np.asarray(column, float)
        if not len(values):
            found[0].append(nan)
            continue
        if rounded(values):
            found[0].append(Within(0.0, 1.0))
            continue
        sums = np.abs(flips(len(values)) @ values)
        found[0].append((sums >= abs(values.sum()) * (1 - 1e-9) - 1e-14).mean())
    tests = [i for i, column in enumerate(columns) if len(column)]
    adjusted = np.full(len(columns), nan)
    if any(isinstance(p, Within) for p in found[0]):
        return found[0], [Within(0.0, 1.0)] * len(columns)
    if tests:
        values = np.nan_to_num(table_of([columns[i] for i in tests]))
        length = np.sqrt((values**2).sum(0))
        values = values / np.where(length > 0, length, 1)
        under = np.abs(flips(len(values)) @ values)
        observed = np.abs(values.sum(0))
        order = sorted(range(len(tests)), key=lambda i: -observed[i])
        p = 0.0
        for step, i in enumerate(order):
            p = max(p, (under[:, order[step:]].max(1) >= observed[i] - 1e-9).mean())
            adjusted[tests[i]] = max(p, found[0][tests[i]])
    return found[0], adjusted


def limits(columns, level):
    """Limits of the means that hold together, and what gives them: (low, high, method) a column."""
    some = [i for i, column in enumerate(columns) if len(column) > 1]
    if not (found := [(nan, nan, None)] * len(columns)) or not some:
        return found
    alpha, own = 1 - level, [np.asarray(columns[i], float) for i in some]
    counts = np.array([len(column) for column in own])
    errors = np.array([c.std(ddof=1) / math.sqrt(len(c)) if np.ptp(c) > 1e-13 * np.abs(c).max() else 0 for c in own])
    critical = [Within(q, q) for q in stats.t.isf(alpha / 2 / len(some), counts - 1)]
    union = len(set().union(*(set(pd.Series(columns[i]).index) for i in some)))
    flipped = np.full(len(some), len(some) > 1)
    distinct = 2.0 ** (counts - 1) if union <= 16 else np.minimum(2.0 ** (counts - 1), RANDOM + 1)
    while flipped.any() and (few := flipped & (distinct * alpha * flipped.mean() < 10)).any():
        flipped &= ~few
    if flipped.sum() == 1:
        flipped[:] = False
    if flipped.any():
        kept = [pd.Series(columns[i]) - np.mean(columns[i]) for i, yes in zip(some, flipped, strict=True) if yes]
        kept = [k if e > 0 else 0 * k for k, e in zip(kept, errors[flipped], strict=True)]
        largest = np.sort(largest_t(table_of(kept), counts[flipped]))
        jointly = quantile(largest, 1 - alpha * flipped.mean(), random=union > 16)
        for place in np.flatnonzero(flipped):
            least = stats.t.isf(alpha / 2, counts[place] - 1)
            critical[place] = Within(max(jointly.low, least), max(jointly.high, least))
    for place, i in enumerate(some):
        mean, halves = own[place].mean(), [q * errors[place] for q in critical[place]]
        method = "Student" if len(some) == 1 else "flips" if flipped[place] else "Bonferroni"
        exact = halves[0] == halves[1]
        low = mean - halves[0] if exact else Within(mean - halves[1], mean - halves[0])
        high = mean + halves[0] if exact else Within(mean + halves[0], mean + halves[1])
        found[i] = (low, high, method)
    return found


def largest_t(residuals, counts):
    """The largest |t| of all columns under every flip; |t| of a column without spread is 0."""
    values = np.nan_to_num(residuals)
    squares = (values**2).sum(0)
    sums = flips(len(values)) @ values
    rest = squares - sums**2 / counts  # (n − 1) times the variance of the flipped values
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(sums / counts) / np.sqrt(np.maximum(rest, 0) / (counts - 1) / counts)
    return np.where(squares > 0, t, 0.0).max(1)


def quantile(ordered, level, *, random):
    """The smallest value that so large a share does not exceed, with the error of random flips."""
    n = len(ordered)
    room = 5 * math.sqrt(level * (1 - level) / RANDOM) if random else 0.0
    at = [min(n - 1, max(0, math.ceil(round((level + side) * n, 6)) - 1)) for side in (-room, room)]
    return Within(float(ordered[at[0]]), float(ordered[at[1]]))


def student(values, level):
    values = np.asarray(values, float)
    if len(values) < 2:
        return (values[0] if len(values) else nan), nan, nan
    return (values.mean(), *DescrStatsW(values).tconfint_mean(1 - level))
