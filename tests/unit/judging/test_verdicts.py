"""The rules of the verdicts: every branch and boundary, and what must not change them whatever the numbers are."""

import math

import in_memory
import numpy as np
import pytest
import synthetic
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnbench.judging import sign_flips, stats, verdicts
from bnbench.judging.stats import Interval
from bnbench.judging.verdicts import Contrast

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
OPTIONS = synthetic.plan().report
ALPHA, MARGIN = OPTIONS.alpha, math.log(OPTIONS.margin)
LOWER, HIGHER, ACROSS = Interval(0.5, 0.4, 0.6), Interval(2.0, 1.5, 3.0), Interval(1.1, 0.8, 1.5)
NONE = Interval(NAN, NAN, NAN)
OPPOSITE = {"helps": "hurts", "hurts": "helps"}

# Log losses of pairs in thousandths, so that ties and equal differences come up.
log_losses = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
pairs = st.lists(st.tuples(log_losses, log_losses), min_size=1, max_size=9).map(lambda rows: np.array(rows).T)
diverging = st.lists(st.tuples(*[st.one_of(log_losses, st.just(NAN))] * 2), min_size=1, max_size=9).map(
    lambda rows: np.array(rows).T
)
# [contexts, arms, seeds]
families = st.tuples(st.integers(1, 4), st.integers(1, 9)).flatmap(
    lambda shape: st.lists(
        st.lists(st.tuples(log_losses, log_losses), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(lambda rows: np.swapaxes(np.array(rows), 1, 2))
)
several = settings(max_examples=100, deadline=None, derandomize=True)


def contrast(baseline, treatment, seeds=None):
    seeds = np.arange(len(baseline)) if seeds is None else np.array(seeds)
    return Contrast({}, seeds, baseline, treatment, baseline, treatment, 0, "")


def equivalence(differences):
    """Of seeds that could decide something."""
    return stats.equivalence(differences, MARGIN) if len(differences) > 5 else NAN


def logs(ratio):
    """An interval of ratios as one of log differences."""
    with np.errstate(divide="ignore"):
        return Interval(*np.log(ratio).tolist())


def decided(family):
    """The decisions on arrays of log losses, [contexts, arms, seeds]."""
    return verdicts.decide(OPTIONS, [contrast(*arms) for arms in family])


def judged(baseline, treatment):
    """The verdict on one context that is all there is, and its ratio."""
    (decision,) = decided([(baseline, treatment)])
    differences = (treatment - baseline)[~np.isnan(treatment - baseline)]
    mean = differences.mean() if len(differences) else NAN
    return decision.verdict, Interval(*np.exp([mean, decision.low, decision.high]).tolist())


@pytest.mark.parametrize(
    ("p", "ratio", "p_equivalence", "verdict"),
    [
        (0.01, LOWER, 0.9, "helps"),
        (0.01, HIGHER, 0.9, "hurts"),
        (0.01, ACROSS, 0.9, "undecided"),
        (0.05, HIGHER, 0.9, "undecided"),
        (0.05, LOWER, 0.9, "undecided"),
        (0.9, ACROSS, 0.01, "equivalent"),
        (0.9, ACROSS, 0.06, "undecided"),
        (0.01, ACROSS, 0.01, "equivalent"),
        (0.01, Interval(1.02, 1.01, 1.03), 0.01, "hurts"),
        (0.01, Interval(0.98, 0.97, 0.99), 0.01, "helps"),
        (0.2, Interval(1.02, 1.01, 1.03), 0.01, "equivalent"),
        (0.01, Interval(2.0, 1.0, 3.0), 0.9, "undecided"),
        (0.01, Interval(0.5, 0.3, 1.0), 0.9, "undecided"),
        (0.9, ACROSS, 0.05, "undecided"),
        (1.0, Interval(3.0, NAN, NAN), NAN, "undecided"),
        (NAN, NONE, NAN, "undecided"),
        (0.01, Interval(1.0, 0.0, math.inf), 0.9, "undecided"),
    ],
)
def test_a_verdict_follows_its_rule_and_a_limit_on_the_line_decides_nothing(p, ratio, p_equivalence, verdict):
    assert stats.verdict(p, logs(ratio), p_equivalence, ALPHA) == verdict


@pytest.mark.parametrize(
    ("p", "ranks", "ratio", "verdict"),
    [
        (0.01, [1, 2, -3, 4], ACROSS, "hurts"),
        (0.01, [-1, -2, 3, -4], ACROSS, "helps"),
        (0.01, [1, 2, 3], HIGHER, "hurts"),
        (0.01, [1, 2, 3], LOWER, "undecided"),
        (0.01, [-1, -2, -3], LOWER, "helps"),
        (0.01, [-1, -2, -3], HIGHER, "undecided"),
        (0.05, [1, 2, 3], HIGHER, "undecided"),
        (1.0, [0, 0], Interval(1.0, 0.98, 1.02), "undecided"),
        (0.01, [1, 2, 3], NONE, "hurts"),
    ],
)
def test_where_trials_diverge_ranks_decide_unless_the_finite_pairs_clearly_contradict(p, ranks, ratio, verdict):
    assert stats.verdict_of_ranks(p, np.array(ranks, dtype=float), logs(ratio), ALPHA) == verdict


@given(st.one_of(pairs, diverging))
@several
def test_exchanging_the_arms_exchanges_helps_and_hurts_and_nothing_else(arms):
    verdict, _ = judged(*arms)
    assert judged(*arms[::-1])[0] == OPPOSITE.get(verdict, verdict)


@given(st.one_of(pairs, diverging), st.floats(1e-3, 1e3))
@several
def test_the_unit_of_the_loss_changes_nothing(arms, unit):
    scaled = np.log(unit * np.exp(arms))
    verdict, ratio = judged(*arms)
    # Ties of the worst ranks are exact ties of numbers, which a change of unit may round apart.
    assume(not np.isnan(arms).any() or len(set(np.abs(arms[1] - arms[0]).round(9))) == arms.shape[1])
    assert judged(*scaled) == (verdict, pytest.approx(ratio, rel=1e-6, nan_ok=True))


@given(st.one_of(pairs, diverging), st.randoms(use_true_random=False))
@several
def test_the_order_of_the_seeds_changes_nothing(arms, random):
    order = random.sample(range(arms.shape[1]), arms.shape[1])
    verdict, ratio = judged(*arms)
    assert judged(*arms[:, order]) == (verdict, pytest.approx(ratio, nan_ok=True))


@given(pairs)
@several
def test_whoever_is_called_better_has_an_interval_on_one_side_of_1(arms):
    verdict, ratio = judged(*arms)
    assert verdict not in ("helps", "hurts") or not ratio.low <= 1 <= ratio.high
    assert {"helps": ratio.mean < 1, "hurts": ratio.mean > 1}.get(verdict, True)


@given(diverging)
@several
def test_nothing_is_equivalent_where_trials_diverge(arms):
    assert judged(*arms)[0] != "equivalent" or not np.isnan(arms).any()


@given(st.integers(1, 5), st.floats(1.5, 1e6))
@several
def test_five_seeds_never_decide_that_one_arm_is_better(seeds, ratio):
    assert judged(np.zeros(seeds), np.full(seeds, math.log(ratio)))[0] == "undecided"


@given(families)
@several
def test_a_context_alone_is_judged_by_students_interval_its_own_flips_and_two_one_sided_tests(family):
    (decision,) = decided(family[:1])
    differences = family[0, 1] - family[0, 0]
    assert decision.p == decision.p_max_t == decision.p_holm == sign_flips.sign_flip(differences)
    assert (decision.low, decision.high) == pytest.approx(
        stats.t_interval(differences, 1 - ALPHA)[1:], abs=1e-12, nan_ok=True
    )
    assert decision.p_equivalence == pytest.approx(equivalence(differences), nan_ok=True)


@given(families)
@several
def test_other_contexts_only_make_a_context_harder_to_decide(family):
    for arms, decision in zip(family, decided(family), strict=True):
        (alone,) = decided([arms])
        assert decision.p == alone.p
        assert decision.p_max_t >= alone.p_max_t
        assert alone.p <= decision.p_holm <= min(1, len(family) * alone.p)
        assert not decision.p_equivalence < alone.p_equivalence
        assert not decision.low > alone.low + 1e-12
        assert not decision.high < alone.high - 1e-12
        assert decision.verdict in (alone.verdict, "undecided", "equivalent")


@given(families, st.randoms(use_true_random=False))
@several
def test_the_order_of_the_contexts_changes_nothing(family, random):
    order = random.sample(range(len(family)), len(family))
    found = decided(family)
    for index, decision in zip(order, decided(family[order]), strict=True):
        for one, other in zip(decision, found[index], strict=True):
            assert one == other or one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)


def noisy(effect, seeds, context=0):
    """Log losses of both arms, [arms, seeds]."""
    return np.random.default_rng([seeds, context]).normal([[0], [effect]], 0.1, (2, seeds))


def test_all_contexts_are_adjusted_by_max_t_whatever_seeds_are_missing():
    family = [contrast(*noisy(effect, 10, context)) for context, effect in enumerate((0.05, 0.1, 0.3))]
    same = verdicts.decide(OPTIONS, family)
    values = np.stack([one.differences for one in family], axis=1)
    assert [decision.p_max_t for decision in same] == sign_flips.max_t(values).adjusted.tolist()
    assert np.transpose([(decision.low, decision.high) for decision in same]) == pytest.approx(
        np.array(sign_flips.simultaneous(values, 1 - ALPHA)[:2])
    )

    other = verdicts.decide(OPTIONS, [*family[:2], contrast(*noisy(0.3, 10, 2), seeds=range(5, 15))])
    gaps = np.full((15, 3), NAN)
    gaps[:10, :2], gaps[5:, 2] = values[:, :2], values[:, 2]
    assert [decision.p_max_t for decision in other] == sign_flips.max_t(gaps).adjusted.tolist()
    assert [decision.p for decision in other] == [decision.p for decision in same]
    assert [decision.p_holm for decision in other] == stats.holm([one.p for one in same]).tolist()
    low, high, methods = sign_flips.simultaneous(gaps, 1 - ALPHA)
    assert [(*decision[5:7], decision.limits) for decision in other] == [*zip(low, high, methods, strict=True)]
    assert set(methods) == {"flips"}


def test_one_missing_trial_does_not_cost_a_study_of_a_thousand_contexts_its_verdicts():
    # By Holm, 20 seeds could decide none of 1,001 contexts: 1,001 times the smallest p of 19,999 flips is .05.
    family = [contrast(*noisy(0.3, 20, context)) for context in range(1001)]
    family[7] = contrast(*noisy(0.3, 20, 7)[:, 1:], seeds=range(1, 20))
    decisions = verdicts.decide(OPTIONS, family)
    assert min(decision.p_holm for decision in decisions) > ALPHA
    assert {decision.limits for decision in decisions} == {"flips"}
    assert np.mean([decision.verdict == "hurts" for decision in decisions]) > 0.95
    assert decisions[7].verdict == "hurts"


def test_what_gives_the_limits_is_named():
    def limits(*sizes):
        family = [contrast(*noisy(0.3, size, context)) for context, size in enumerate(sizes)]
        return [decision.limits for decision in verdicts.decide(OPTIONS, family)]

    assert limits(20) == ["Student"]
    assert limits(20, 0, 1) == ["Student", "", ""]
    assert limits(8, 8) == ["Bonferroni"] * 2
    assert limits(9, 9) == ["flips"] * 2
    assert limits(20, 8, 19) == ["flips", "Bonferroni", "flips"]
    assert limits(0) == [""]


def test_a_context_without_pairs_has_no_data_and_burdens_no_other():
    some, none = contrast(*noisy(0.3, 8)), contrast(*np.empty((2, 0)))
    nothing, decision = verdicts.decide(OPTIONS, [none, some])
    assert nothing.verdict == "no data"
    assert np.isnan([nothing.p, nothing.p_max_t, nothing.p_equivalence, nothing.low, nothing.high]).all()
    assert decision == verdicts.decide(OPTIONS, [some])[0]
    assert [one.verdict for one in verdicts.decide(OPTIONS, [none, none])] == ["no data"] * 2
    assert verdicts.decide(OPTIONS, []) == []


def test_equivalence_of_a_family_is_adjusted_by_holm_and_diverged_contexts_do_not_count():
    whole = [contrast(*noisy(0, 12, context) * 0.3) for context in range(3)]
    losses = noisy(0, 12, 3)
    losses[1, 4] = NAN
    decisions = verdicts.decide(OPTIONS, [*whole, contrast(*losses)])
    alone = [equivalence(one.differences) for one in whole]
    assert [decision.p_equivalence for decision in decisions[:3]] == pytest.approx(stats.holm(alone))
    assert math.isnan(decisions[3].p_equivalence)


def test_a_diverged_trial_is_tested_by_ranks_and_shown_by_the_finite_pairs():
    losses = noisy(0.3, 10)
    losses[1, 2] = NAN
    first, other = verdicts.decide(OPTIONS, [contrast(*losses), contrast(*noisy(0.3, 10, 1))])
    values = np.stack([in_memory.worst_ranks(*losses), np.subtract(*noisy(0.3, 10, 1)[::-1])], axis=1)
    assert [first.p_max_t, other.p_max_t] == sign_flips.max_t(values).adjusted.tolist()
    finite = np.delete(losses[1] - losses[0], 2)
    # The diverged pair is a gap of the flips that give the limits.
    shown = np.stack([np.insert(finite, 2, NAN), np.subtract(*noisy(0.3, 10, 1)[::-1])], axis=1)
    low, high, _ = sign_flips.simultaneous(shown, 1 - ALPHA)
    assert [(first.low, first.high), (other.low, other.high)] == [*zip(low, high, strict=True)]
    assert [first.limits, other.limits] == ["flips"] * 2
    assert (first.verdict, other.verdict) == ("hurts", "hurts")


@pytest.mark.parametrize("losses", [[[NAN] * 6, [NAN] * 6], [[0.0] * 6, [NAN] * 6]])
def test_arms_that_never_are_finite_together_have_no_ratio_but_may_be_judged_by_ranks(losses):
    (decision,) = verdicts.decide(OPTIONS, [contrast(*np.array(losses))])
    assert np.isnan([decision.low, decision.high, decision.p_equivalence]).all()
    assert decision.verdict == ("undecided" if math.isnan(losses[0][0]) else "hurts")
