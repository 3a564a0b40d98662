"""Calibration by simulation: how often the judgement of a whole family errs where the truth is known.

Losses are drawn as arrays and judged by `verdicts.decide`. Seeds are fixed; every rate must lie within four standard
errors of what is promised. The larger run, over more shapes of data, is `tests/benchmarks/calibration.py`.
"""

import math
from dataclasses import replace
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import synthetic
from statsmodels.stats.power import TTestPower

from bnbench.judging import aa_control, verdicts
from bnbench.judging.verdicts import Contrast

STUDY = synthetic.plan()
ALPHA, LEVEL = STUDY.report.alpha, 1 - STUDY.report.alpha
EDGE = math.log(STUDY.report.margin)
DRAWS = 999
LABELS = {**STUDY.contexts()[0][0], "baseline": "none", "treatment": "batch"}


class Case(NamedTuple):
    """Studies of `seeds` pairs in `contexts` contexts that share `together` of the variance of their differences."""

    seeds: int
    contexts: int
    together: float = 0.0
    data: str = "normal"
    spreads: tuple[float, float] = (1.0, 1.0)
    """Of the first context and of the last, and of every other seed to the one before."""

    def differences(self, generator):
        """Log differences without an effect, [contexts, seeds], of spread 1 unless `spreads` says otherwise."""
        common, own = generator.normal(size=self.seeds), generator.normal(size=(self.contexts, self.seeds))
        values = math.sqrt(self.together) * common + math.sqrt(1 - self.together) * own
        if self.data == "t3":
            values /= np.sqrt(generator.chisquare(3, values.shape) / 3)
        first, last = self.spreads
        unequal = np.where(np.arange(self.seeds) % 2, last / first, 1.0)
        return np.geomspace(first, last, self.contexts)[:, None] * unequal * values


SYMMETRIC = {
    "one context": Case(10, 1),
    "6 seeds": Case(6, 4),
    "10 seeds": Case(10, 5),
    "20 seeds": Case(20, 3),
    "correlated contexts": Case(10, 5, together=0.8),
    "6 seeds, correlated contexts": Case(6, 4, together=0.8),
    "3 degrees of freedom": Case(10, 5, data="t3"),
    "unequal spreads": Case(10, 5, together=0.5, spreads=(1.0, 3.0)),
}


def contrasts(generator, differences, seeds=None):
    """The pairs of every context, whose losses are log-normal in the baseline."""
    found = []
    for index, values in enumerate(differences):
        baseline = generator.normal(size=len(values))
        losses = np.array([baseline, baseline + values])
        own = np.arange(len(values)) if seeds is None else seeds[index]
        found.append(Contrast({**LABELS, "batch_size": str(len(found))}, own, *losses, *losses, 0, ()))
    return found


def decided(generator, differences, **options):
    return verdicts.decide(STUDY.report, contrasts(generator, differences, **options), DRAWS)


def decides(decisions):
    return np.array([decision.verdict in ("helps", "hurts") for decision in decisions])


@cache
def without_effect(name, studies=1200):
    """By study: whether any context is said to help or to hurt, and whether all limits hold the truth together."""
    generator, rows = np.random.default_rng(1), []
    for _ in range(studies):
        decisions = decided(generator, SYMMETRIC[name].differences(generator))
        rows.append((decides(decisions).any(), all(one.low < 0 < one.high for one in decisions)))
    return np.array(rows).T


def assert_rate(hits, promised, *, at_most=False, at_least=False):
    error = math.sqrt(promised * (1 - promised) / len(hits))
    assert at_least or np.mean(hits) < promised + 4 * error
    assert at_most or np.mean(hits) > promised - 4 * error


@pytest.mark.parametrize("name", SYMMETRIC)
def test_a_study_calls_an_effect_that_is_not_there_at_most_as_often_as_alpha_says(name):
    alarms, _ = without_effect(name)
    assert_rate(alarms, ALPHA, at_most=True)


@pytest.mark.parametrize("name", ["one context", "10 seeds", "correlated contexts"])
def test_but_a_study_does_err_as_often_as_it_may(name):
    alarms, _ = without_effect(name)
    assert_rate(alarms, 0.9 * ALPHA)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_the_limits_hold_the_truth_in_all_contexts_together_as_often_as_they_say(name):
    _, covered = without_effect(name)
    assert_rate(covered, 0.945, at_least=True)


@pytest.mark.parametrize("together", [0.0, 0.8])
def test_large_effects_beside_them_do_not_make_contexts_without_one_err(together):
    generator, alarms = np.random.default_rng(2), []
    effects = np.array([0, 0, 0, 8, -8])
    for _ in range(600):
        decisions = decided(generator, Case(10, 5, together).differences(generator) + effects[:, None])
        alarms.append(decides(decisions)[effects == 0].any())
    assert_rate(alarms, ALPHA, at_most=True)


@pytest.mark.parametrize("together", [0.0, 0.8])
@pytest.mark.parametrize("seeds", [6, 12, 20])
def test_where_trials_are_missing_a_study_errs_at_most_and_its_limits_hold_as_often_as_alpha_says(seeds, together):
    generator, alarms, covered = np.random.default_rng(3), [], []
    for _ in range(600):
        values = Case(seeds, 4, together).differences(generator)
        kept = [np.flatnonzero(generator.random(seeds) > gone) for gone in (0.0, 0.05, 0.1, 0.2)]
        values = [row[own] for row, own in zip(values, kept, strict=True)]
        decisions = decided(generator, values, seeds=kept)
        alarms.append(decides(decisions).any())
        covered.append(all(not (one.low > 0 or one.high < 0) for one in decisions))
    assert_rate(alarms, ALPHA, at_most=True)
    assert_rate(covered, 0.945, at_least=True)


def test_ranks_of_diverging_trials_err_at_most_as_often_as_alpha_says():
    generator, alarms = np.random.default_rng(4), []
    for _ in range(600):
        losses = generator.normal(size=(3, 2, 8))
        losses[generator.random(losses.shape) < 0.2] = np.nan
        family = [Contrast(LABELS, np.arange(8), *arms, *arms, 0, "") for arms in losses]
        alarms.append(decides(verdicts.decide(STUDY.report, family, DRAWS)).any())
    assert_rate(alarms, ALPHA, at_most=True)


@pytest.mark.parametrize("seeds", [6, 20])
def test_a_difference_as_large_as_the_margin_passes_for_smaller_as_often_as_alpha_says(seeds):
    generator = np.random.default_rng(seeds)
    drawn = generator.normal(0, EDGE, (1000, seeds))
    for effect in (EDGE, -EDGE):
        passed = [decided(generator, values[None] + effect)[0].p_equivalence < ALPHA for values in drawn]
        assert_rate(passed, ALPHA)


@pytest.mark.parametrize(
    "case",
    [Case(10, 6), Case(10, 6, together=0.8), Case(10, 6, data="t3")],
    ids=["uncorrelated contexts", "correlated contexts", "3 degrees of freedom"],
)
def test_no_difference_of_a_family_that_is_as_large_as_the_margin_passes_for_smaller_more_often_than_alpha(case):
    generator, passed, equal = np.random.default_rng(6), [], []
    # Two contexts are equal indeed.
    effects = EDGE * np.array([1, -1, 1, -1, 0, 0])
    for _ in range(600):
        decisions = decided(generator, 0.4 * EDGE * case.differences(generator) + effects[:, None])
        below = np.array([decision.p_equivalence < ALPHA for decision in decisions])
        passed.append(below[effects != 0].any())
        equal.append(below[effects == 0].all())
    assert_rate(passed, ALPHA, at_most=True)
    assert np.mean(equal) > 0.5


def test_effects_are_found_as_often_as_the_power_of_the_t_test_says():
    # A verdict needs both the p of the flips and Student's interval, which nearly always agree.
    generator, seeds, effect, studies = np.random.default_rng(7), 20, 0.8, 1000
    promised = TTestPower().power(effect, seeds, ALPHA)
    verdicts = [decided(generator, generator.normal(effect, 1, (1, seeds)))[0].verdict for _ in range(studies)]
    found = np.mean([verdict == "hurts" for verdict in verdicts])
    assert abs(found - promised) < 0.03 + 4 * math.sqrt(promised * (1 - promised) / studies)
    assert verdicts.count("helps") <= 1


def test_effects_that_are_large_are_found_and_have_the_right_sign():
    generator = np.random.default_rng(8)
    effects = np.array([6, -6, 6, -6])
    decisions = decided(generator, Case(20, 4).differences(generator) + effects[:, None])
    assert [decision.verdict for decision in decisions] == ["hurts", "helps", "hurts", "helps"]


@pytest.mark.parametrize(("seeds", "contexts"), [(20, 1), (20, 4), (40, 2)])
def test_the_a_a_control_of_pure_noise_is_at_alpha(seeds, contexts):
    generator, shares = np.random.default_rng(9), []
    for _ in range(50):
        noise = Case(seeds, contexts, together=0.3).differences(generator)
        (row,) = aa_control.table(STUDY, contrasts(generator, noise), 15).to_dict("records")
        assert (row["splits"], row["pairs"], row["contexts"]) == (15, seeds // 2, contexts)
        shares.append(row["share"])
    assert abs(np.mean(shares) - 0.9 * ALPHA) < 4 * np.std(shares) / math.sqrt(len(shares))


def test_the_a_a_control_sees_nothing_of_the_treatment():
    generator = np.random.default_rng(10)
    family = contrasts(generator, Case(20, 2).differences(generator))
    other = [replace(contrast, treated=generator.normal(9, 5, 20)) for contrast in family]
    assert aa_control.table(STUDY, other, 20).equals(aa_control.table(STUDY, family, 20))
