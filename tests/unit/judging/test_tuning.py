"""Tuned arms: other seeds' validation losses choose what a seed is judged at, and the verdicts keep their promises."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from bnbench.judging import sign_flips, stats, tuning, verdicts
from bnbench.judging.tuning import Arm, Finals, Pair
from bnbench.judging.verdicts import Contrast

pytestmark = pytest.mark.filterwarnings("error")

RATES = (0.001, 0.01, 0.1)
STUDY = synthetic.plan(optimizer=[{"name": "adam", "lr": [*RATES]}], batch_size=["full", 25], tune={})
ALPHA = STUDY.report.alpha
NAN = math.nan
several = settings(max_examples=60, deadline=None, derandomize=True)


def finals(validation, outcome, seeds=None):
    seeds = np.arange(len(validation)) if seeds is None else np.asarray(seeds)
    columns = {
        "torch": "2",
        "device_name": "a processor",
        "arithmetic": "AVX2",
        "weights_hash": [f"weights {seed}" for seed in seeds],
    }
    trials = pd.DataFrame(columns, index=seeds)
    arrays = (np.asarray(values, dtype=float) for values in (validation, outcome, outcome))
    return Finals(seeds, *arrays, np.zeros(len(seeds), np.int64), trials, 1e-17)


def arm(validation, outcome, seeds=None):
    """An arm of log losses [candidates, seeds] of validation and of test."""
    return Arm(
        {
            (("lr", 0.1 * (place + 1)),): finals(*losses, seeds)
            for place, losses in enumerate(zip(validation, outcome, strict=True))
        }
    )


def pair(validation, outcome, batch_size="full"):
    """Two arms of log losses [arms, candidates, seeds]; the arms may have different numbers of candidates."""
    both = [arm(*losses) for losses in zip(validation, outcome, strict=True)]
    labels = {**STUDY.contexts()[0][0], "batch_size": batch_size, "optimizer": "adam"}
    return Pair({**labels, "baseline": "none", "treatment": "batch"}, *both)


# How each seed's candidate is chosen.


def by_definition(validation):
    """The choices of validation losses [seeds, candidates], seed by seed."""
    seeds = len(validation)
    found = []
    for seed in range(seeds):
        following = [(seed + step) % seeds for step in range(1, max(1, (seeds - 1) // 2) + 1)]
        sums = [math.fsum(validation[other][place] for other in following) for place in range(len(validation[0]))]
        found.append(sums.index(min(sums)))
    return found


@pytest.mark.parametrize("seeds", [1, 2, 3, 4, 7, 8, 20])
def test_the_half_of_the_seeds_that_follow_a_seed_choose_for_it(seeds):
    validation = np.random.default_rng(seeds).normal(size=(seeds, 4))
    assert tuning.choices(validation).tolist() == by_definition(validation.tolist())


@pytest.mark.parametrize("seeds", [3, 4, 7, 8, 20])
def test_no_seed_chooses_for_itself_and_no_two_choose_for_each_other(seeds):
    chooses = np.zeros((seeds, seeds), bool)
    for other in range(seeds):
        # All seeds prefer the first candidate, but for one that rejects it: whoever it chooses for turns away.
        validation = np.tile([0.0, 1.0], (seeds, 1))
        validation[other, 0] = 1e5
        chooses[other] = tuning.choices(validation) == 1
    assert not chooses.diagonal().any()
    assert not (chooses & chooses.T).any()
    assert (chooses.sum(0) == (seeds - 1) // 2).all()


logs = st.floats(-9, 9) | st.just(NAN)


@given(st.data())
@several
def test_nothing_but_validation_losses_chooses(data):
    seeds = data.draw(st.integers(1, 5))
    losses = st.lists(logs, min_size=6 * seeds, max_size=6 * seeds).map(lambda xs: np.array(xs).reshape(2, 3, seeds))
    validation = data.draw(losses)
    one, other = (pair(validation, data.draw(losses)) for _ in range(2))
    for mine, yours in ((one.baseline, other.baseline), (one.treated, other.treated)):
        assert mine.chosen.tolist() == yours.chosen.tolist()


def test_a_candidate_at_which_a_trial_diverged_is_chosen_after_all_others_and_fewer_of_them_before_more():
    # Of 9 seeds, four follow each one; every third is lost at one candidate, and two of three at another.
    worse, lost = np.full(9, 50.0), np.arange(9) % 3
    one_gone, two_gone = np.where(lost == 0, NAN, -9), np.where(lost < 2, NAN, -9)
    assert tuning.choices(np.stack([one_gone, worse, two_gone], axis=1)).tolist() == [1] * 9
    assert tuning.choices(np.stack([two_gone, one_gone], axis=1)).tolist() == [1] * 9


def test_each_seed_is_judged_at_the_candidate_that_is_chosen_for_it():
    validation, outcome = np.random.default_rng(2).normal(size=(2, 3, 9))
    found = arm(validation, outcome)
    chosen = by_definition(validation.T.tolist())
    assert len({*chosen}) > 1
    np.testing.assert_array_equal(found.judged.outcome, [outcome[place, seed] for seed, place in enumerate(chosen)])
    assert found.judged.seeds.tolist() == [*range(9)]
    assert sum(found.counts.values()) == 9
    assert next(iter(found.counts.values())) == max(np.bincount(chosen))


def test_values_at_an_end_of_what_was_tried_are_named_and_0_is_none():
    def chosen(*tried, best):
        losses = np.array([[0.0 if place == best else 1.0] * 4 for place in range(len(tried))])
        return Arm({candidate: finals(own, own) for candidate, own in zip(tried, losses, strict=True)}).at_end

    rates = [(("lr", rate),) for rate in (0.1, 0.2, 0.3)]
    assert [chosen(*rates, best=place) for place in range(3)] == [(("lr", 0.1),), (), (("lr", 0.3),)]
    decays = [(("weight_decay", decay),) for decay in (0.0, 0.1)]
    assert [chosen(*decays, best=place) for place in range(2)] == [(), (("weight_decay", 0.1),)]


# What verdicts on tuned arms promise.


class Case:
    """Studies of one context: log test losses of two arms at their candidates, and validation losses like them."""

    def __init__(self, baseline, treated, seeds, noise=0.3, alike=0.0):
        self.means, self.seeds, self.noise, self.alike = (baseline, treated), seeds, noise, alike

    def drawn(self, generator):
        """Validation and test losses, of each arm [candidates, seeds]."""
        outcome = []
        for means in self.means:
            own, common = generator.normal(size=(len(means), self.seeds)), generator.normal(size=self.seeds)
            spread = math.sqrt(self.alike) * common + math.sqrt(1 - self.alike) * own
            outcome.append(np.array(means)[:, None] + spread)
        return [losses + self.noise * generator.normal(size=losses.shape) for losses in outcome], outcome


def studied(case, generator):
    """Log differences of one study as they are judged, [seeds], and the mean of their expectations."""
    seeds, arms = np.arange(case.seeds), []
    for validation, outcome, means in zip(*case.drawn(generator), case.means, strict=True):
        chosen = tuning.choices(validation.T)
        arms.append((outcome[chosen, seeds], np.array(means)[chosen]))
    return arms[1][0] - arms[0][0], float((arms[1][1] - arms[0][1]).mean())


def decision(values):
    """What is decided of a study with one context of these log differences, [seeds]."""
    nothing = np.zeros(len(values))
    contrast = Contrast({}, np.arange(len(values)), nothing, values, nothing, values, 0, ())
    return verdicts.decide(STUDY.report, [contrast], 499)[0]


def at_least(hits):
    """The lower limit of the share, by Clopper and Pearson, at three standard errors."""
    return proportion_confint(sum(hits), len(hits), alpha=0.0027, method="beta")[0]


@cache
def judged(case, studies=1500):
    """Of each study: whether the arms are called different, and whether the interval holds the truth."""
    generator, rows = np.random.default_rng(case.seeds), []
    for _ in range(studies):
        values, truth = studied(case, generator)
        found = decision(values)
        rows.append((found.verdict in ("helps", "hurts"), found.low <= truth <= found.high))
    return np.array(rows).T


STEEP, FLAT = (0.0, 3.0, 6.0, 9.0, 12.0), (4.0, 3.0, 2.0, 2.0, 0.0)
EQUAL = [
    *(Case(STEEP, FLAT, seeds) for seeds in (8, 20)),
    *(Case((0.0, *[9.0] * (k - 1)), (0.0,) * k, seeds) for k in (5, 10) for seeds in (8, 20)),
    Case((0.0,) * 10, (0.0,) * 10, 20),
]
NAMES = ["curves, 8", "curves, 20", "one of 5, 8", "one of 5, 20", "one of 10, 8", "one of 10, 20", "10 each"]


@pytest.mark.parametrize("case", EQUAL, ids=NAMES)
def test_arms_that_are_equal_at_what_is_chosen_are_told_apart_at_most_as_often_as_alpha_says(case):
    different, _ = judged(case)
    assert at_least(different) <= ALPHA


MIRRORED = [Case(tuple(0.5 * np.arange(5)), tuple(0.5 * np.arange(5)[::-1]), seeds, 1.0) for seeds in (8, 20)]


@pytest.mark.parametrize("case", [*EQUAL, *MIRRORED], ids=[*NAMES, "mirrored, 8", "mirrored, 20"])
def test_intervals_hold_the_difference_at_what_is_chosen_as_often_as_they_promise(case):
    _, holds = judged(case)
    assert at_least(~holds) <= ALPHA


def test_by_all_other_seeds_equal_arms_would_be_told_apart_far_more_often(monkeypatch):
    def by_all_others(validation):
        return (validation.sum(0) - validation).argmin(1)

    monkeypatch.setattr(tuning, "choices", by_all_others)
    different, _ = judged.__wrapped__(EQUAL[-1])
    assert at_least(different) > ALPHA


def test_arms_that_differ_by_the_margin_pass_for_equivalent_at_most_as_often_as_alpha_says():
    generator, edge = np.random.default_rng(4), math.log(STUDY.report.margin)
    case, passed = EQUAL[5], []
    for _ in range(500):
        values, _ = studied(case, generator)
        # Four standard errors make the margin.
        at_edge = values / math.sqrt(2) * edge * math.sqrt(case.seeds) / 4 + edge
        passed.append(stats.equivalence(at_edge, edge) < ALPHA)
    assert at_least(passed) <= ALPHA


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_where_validation_finds_the_best_power_is_that_of_rates_that_are_known(noise):
    generator, effect = np.random.default_rng(6), math.sqrt(2)
    case = Case(STEEP, tuple(effect + mean for mean in STEEP[::-1]), 13, noise)
    found = []
    for _ in range(200):
        validation, (baseline, treated) = case.drawn(generator)
        tuned = pair(validation, (baseline, treated)).contrast("norm").differences
        known = treated[-1] - baseline[0]
        found.append([sign_flips.sign_flip(each, 999) < ALPHA for each in (tuned, known)])
    tuned, known = np.mean(found, axis=0)
    assert known > 0.85
    assert tuned > known - 0.05


def test_contexts_of_the_same_seeds_are_judged_together_as_those_of_any_study():
    generator = np.random.default_rng(8)
    drawn = [pair(*generator.normal(size=(2, 2, 3, 9)), size) for size in ("full", "25")]
    together = np.stack([each.contrast("norm").differences for each in drawn], axis=1)
    found = verdicts.decide(STUDY.report, [each.contrast("norm") for each in drawn])
    expected = sign_flips.max_t(together)
    np.testing.assert_allclose([[one.p, one.p_max_t] for one in found], np.transpose(expected))


def test_scores_are_tuned_by_validation_losses_and_judged_by_their_difference(compared):
    rates = [{"name": "adam", "lr": [0.01, 0.1]}]
    report = {"outcome": "test_accuracy", "margin": 0.01}
    study = synthetic.plan(task="digits", optimizer=rates, tune={}, report=report)

    def accuracy(labels, seed):
        return {"none": 0.90, "batch": 0.93}[labels["norm"]] + (0.02 if "0.1" in labels["optimizer"] else 0)

    frames = synthetic.frames(study, ratio=lambda labels, seed: 0.5 if "0.1" in labels["optimizer"] else 1.0)
    for table in (frames["curves"], frames["trials"]):
        scores = [accuracy(row, row["seed"]) for row in table.to_dict("records")]
        table["test_accuracy"] = pd.Series(scores).where(table["test_loss"].notna())
    found, _ = compared(study, frames)
    (row,) = found["tuned"].to_dict("records")
    assert (row["chosen_baseline"], row["chosen_treatment"], row["verdict"]) == ("lr=0.1", "lr=0.1", "helps")
    assert (row["baseline_value"], row["treatment_value"], row["effect"]) == pytest.approx((0.92, 0.95, 0.03))
    rows = found["rates"]
    assert rows["baseline_value"].tolist() == pytest.approx([0.90, 0.92])
    assert rows["effect"].tolist() == pytest.approx([0.03, 0.03])
    assert rows["best_effect"].tolist() == pytest.approx([0.03, 0.03])
