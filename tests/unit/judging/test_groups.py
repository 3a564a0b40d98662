"""Verdicts on independent groups of runs: every branch, what must not change them, and how often they err."""

import math
from dataclasses import replace

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestIndPower
from statsmodels.stats.weightstats import ttost_ind

from bnbench.judging import finals, group_rows, groups, permutations, two_samples
from bnbench.judging.groups import Groups
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
STUDY = synthetic.plan(**synthetic.GRID)
OPTIONS = STUDY.report
ALPHA, MARGIN = OPTIONS.alpha, math.log(OPTIONS.margin)
OPPOSITE = {"helps": "hurts", "hurts": "helps"}
LABELS = [{**context, "baseline": "none", "treatment": "batch"} for context, _ in STUDY.contexts()]

costs = st.integers(-4000, 4000).map(lambda thousandths: thousandths / 1000)
arm = st.lists(st.one_of(costs, costs, costs, st.just(NAN)), max_size=7).map(lambda values: np.array(values, float))
families = st.lists(st.tuples(arm, arm), min_size=1, max_size=4)
several = settings(max_examples=60, deadline=None, derandomize=True)


def contrast(baseline, treated, place=0, **options):
    arms = [np.asarray(costs, float) for costs in (baseline, treated)]
    return Groups(LABELS[place], *arms, *arms, **options)


def family(effects=(0.9, 0.02, -0.5, 0.0), sizes=(8, 6), spread=0.3, seed=7):
    generator = np.random.default_rng(seed)
    return [
        contrast(generator.normal(0, spread, sizes[0]), generator.normal(effect, spread, sizes[1]), place)
        for place, effect in enumerate(effects)
    ]


def table(contrasts, study=STUDY):
    return group_rows.table(study, contrasts, groups.decide(study.report, contrasts))


def row_of(contrast, study=STUDY):
    (row,) = table([contrast], study).to_dict("records")
    return row


def verdicts_of(arms):
    decisions = groups.decide(OPTIONS, [contrast(*pair, place) for place, pair in enumerate(arms)])
    return [decision.verdict for decision in decisions]


def test_a_family_is_adjusted_by_holm_and_its_limits_are_bonferronis():
    contrasts = family()
    rows = table(contrasts)
    p_values = [float(permutations.studentized([contrast.values])[0]) for contrast in contrasts]
    assert rows["p"].tolist() == p_values
    np.testing.assert_allclose(rows["p_holm"], multipletests(p_values, method="holm")[1])
    assert rows["p_adjusted"].equals(rows["p_holm"])
    assert rows["p_max_t"].isna().all()
    assert set(rows["adjustment"]) == {"Holm"}
    assert set(rows["limits"]) == {"Bonferroni"}
    assert set(rows["family"]) == {4}
    for row, each in zip(rows.to_dict("records"), contrasts, strict=True):
        test = scipy_stats.ttest_ind(each.treated, each.baseline, equal_var=False)
        for names, level in (
            (("effect_low", "effect_high"), 1 - ALPHA / 4),
            (("own_low", "own_high"), 1 - ALPHA),
            (("narrow_low", "narrow_high"), 1 - 2 * ALPHA),
        ):
            expected = np.exp(test.confidence_interval(level))
            np.testing.assert_allclose([row[name] for name in names], expected)
        assert row["effect"] == pytest.approx(math.exp(each.treated.mean() - each.baseline.mean()))


def test_one_context_has_welch_s_interval_and_two_one_sided_tests_of_its_own():
    (each,) = family((0.0,), sizes=(30, 25), spread=0.05, seed=8)
    row = row_of(each)
    p, _, _ = ttost_ind(each.treated, each.baseline, -MARGIN, MARGIN, usevar="unequal")
    assert row["p_equivalence"] == pytest.approx(p)
    assert (row["limits"], row["family"], row["p_adjusted"]) == ("Student", 1, row["p"])
    assert (row["effect_low"], row["effect_high"]) == (row["own_low"], row["own_high"])
    assert row["verdict"] == "equivalent"
    assert row["within_margin"]


def test_equivalence_is_adjusted_by_holm():
    contrasts = family((0.0, 0.01, 0.02), sizes=(30, 40), spread=0.05)
    alone = [two_samples.equivalence(*each.values, MARGIN) for each in contrasts]
    np.testing.assert_allclose(table(contrasts)["p_equivalence"], multipletests(alone, method="holm")[1])


@pytest.mark.parametrize(
    ("baseline", "treated", "verdict"),
    [
        ([1, 2, 3, 2.5], [11, 12, 13, 12.2], "hurts"),
        ([11, 12, 13, 12.2], [1, 2, 3, 2.5], "helps"),
        ([1, 2, 3], [11, 12, 13], "undecided"),
        ([0.1] * 4, [0.1] * 4, "equivalent"),
        ([0.1] * 3, [0.1] * 3, "undecided"),
        ([0.1] * 4, [0.9] * 4, "hurts"),
        ([1], [2, 3, 4, 5, 6], "undecided"),
        ([], [2, 3, 4], "no data"),
        ([1, 2], [], "no data"),
        ([1, 2, 3, 4], [NAN] * 4, "hurts"),
        ([NAN] * 4, [1, 2, 3, 4], "helps"),
        ([NAN] * 4, [NAN] * 4, "undecided"),
        # The treatment diverges more, and is better where it does not: nothing is decided.
        ([5, 5.1, 5.2, 5.3, 5.4, 5.5], [1, 1.1, 1.2, *[NAN] * 9], "undecided"),
    ],
)
def test_a_verdict_follows_from_the_runs(baseline, treated, verdict):
    assert verdicts_of([(baseline, treated)]) == [verdict]


def test_nothing_is_judged_where_there_is_nothing():
    assert groups.decide(OPTIONS, []) == []


def test_a_context_without_runs_enough_is_not_in_the_family():
    contrasts = [*family((0.9, -0.9)), contrast([1.0], [2.0, 3.0], 2), contrast([], [], 3)]
    rows = table(contrasts)
    assert set(rows["family"]) == {2}
    assert rows["verdict"].tolist() == ["hurts", "helps", "undecided", "no data"]
    assert rows["p_adjusted"].isna().tolist() == [False, False, True, True]
    assert rows["limits"].tolist() == ["Bonferroni", "Bonferroni", "", ""]
    assert rows[["runs_baseline", "runs_treatment"]].to_numpy().tolist() == [[8, 6], [8, 6], [1, 2], [0, 0]]
    assert rows["pairs"].tolist() == [6, 6, 1, 0]


@given(families)
@several
def test_exchanging_the_arms_exchanges_helps_and_hurts_and_nothing_else(arms):
    expected = [OPPOSITE.get(verdict, verdict) for verdict in verdicts_of(arms)]
    assert verdicts_of([pair[::-1] for pair in arms]) == expected


@given(families, st.randoms(use_true_random=False))
@several
def test_the_order_of_runs_and_of_contexts_changes_no_decision(arms, random):
    contrasts = [contrast(*pair, place) for place, pair in enumerate(arms)]
    found = groups.decide(OPTIONS, contrasts)
    shuffled = [contrast(*(random.sample(list(costs), len(costs)) for costs in pair)) for pair in arms]
    for mine, other in zip(found, groups.decide(OPTIONS, shuffled[::-1])[::-1], strict=True):
        assert mine.verdict == other.verdict
        np.testing.assert_allclose(mine[1:7], other[1:7])
        assert mine.p == other.p or math.isnan(mine.p)


@given(families, st.sampled_from([-7.0, 0.25, 100.0]))
@several
def test_a_factor_on_all_losses_changes_no_decision(arms, shift):
    found = groups.decide(OPTIONS, [contrast(*pair) for pair in arms])
    moved = groups.decide(OPTIONS, [contrast(*(costs + shift for costs in pair)) for pair in arms])
    for mine, other in zip(found, moved, strict=True):
        np.testing.assert_allclose(mine[1:4], other[1:4])
        np.testing.assert_allclose(mine[5:7], other[5:7], atol=1e-9)


@given(families)
@several
def test_every_row_can_be_told_and_no_direction_is_without_evidence(arms):
    contrasts = [contrast(*pair, place) for place, pair in enumerate(arms)]
    rows = table(contrasts)
    assert {*rows.columns} == {*schemas.of_report("contexts", OPTIONS.factor).names}
    for row in rows.to_dict("records"):
        if row["verdict"] in ("helps", "hurts"):
            assert row["p_adjusted"] < ALPHA
            assert not math.isnan(row["edge_effect"])
        if row["test"] == "mean" and row["verdict"] == "helps":
            assert row["effect_high"] < 1


def test_diverged_runs_are_the_worst_by_the_permutation_of_their_ranks():
    baseline, treated = np.array([0.1, 0.5, NAN, 0.3, 0.2]), np.array([0.8, NAN, NAN, 0.9, 0.7, 0.6])
    row = row_of(contrast(baseline, treated))
    ranks = scipy_stats.rankdata(np.nan_to_num(np.concatenate([baseline, treated]), nan=9.0))
    expected = permutations.studentized([(ranks[:5], ranks[5:])])[0]
    assert row["test"] == "worst-rank"
    assert row["p"] == expected
    assert (row["diverged_baseline"], row["diverged_treatment"], row["finite_pairs"]) == (1, 2, 4)
    assert row["p_fisher"] == scipy_stats.fisher_exact([[1, 4], [2, 4]]).pvalue
    assert math.isnan(row["p_mcnemar"])
    assert math.isnan(row["p_equivalence"])
    assert row["effect"] == pytest.approx(math.exp(0.75 - 0.275))


def test_losses_below_the_resolution_are_judged_by_ranks_and_told_as_a_bound():
    baseline, treated = np.array([-5.0, -4.0, -4.5, -4.2]), np.array([-20.0, -20.0, -9.0, -20.0])
    known = np.array([finals.AT_MOST, finals.AT_MOST, 0, finals.AT_MOST])
    row = row_of(contrast(baseline, treated, censored=(0, known), resolution=math.exp(-20)))
    assert (row["test"], row["floored"], row["bound"]) == ("rank", 3, "at most")
    assert row["verdict"] == "helps"
    assert row["p"] == permutations.smallest_p(4, 4)
    assert row["raised_effect"] == pytest.approx(math.exp(treated.mean() - baseline.mean()))
    assert row["effect"] == pytest.approx(math.exp(-9 - baseline.mean()))
    assert math.isnan(row["effect_low"])


def test_scores_are_told_on_their_own_scale():
    study = synthetic.scored(STUDY)
    generator = np.random.default_rng(3)
    baseline, treated = generator.normal(0.8, 0.02, 12), generator.normal(0.9, 0.02, 9)
    row = row_of(contrast(-baseline, -treated), study)
    low, high = scipy_stats.ttest_ind(treated, baseline, equal_var=False).confidence_interval(1 - ALPHA)
    assert (row["effect"], row["own_low"], row["own_high"]) == pytest.approx(
        (treated.mean() - baseline.mean(), low, high)
    )
    assert row["verdict"] == "helps"
    assert row["hedges_g"] > 0
    assert row["win_rate"] > 0.9
    assert row["baseline_value"] == pytest.approx(baseline.mean())


def test_what_pairing_would_have_bought_is_told_of_the_seeds_that_both_arms_have():
    generator = np.random.default_rng(4)
    common = generator.normal(size=12)
    baseline, treated = common + 0.1 * generator.normal(size=12), common + 0.1 * generator.normal(size=12)
    seeds = np.arange(12), np.arange(2, 14)
    row = row_of(contrast(baseline, np.roll(treated, -2), seeds=seeds))
    shared = baseline[2:], treated[2:]
    assert row["correlation"] == pytest.approx(np.corrcoef(*shared)[0, 1])
    expected = (shared[1] - shared[0]).var(ddof=1) / (shared[0].var(ddof=1) + shared[1].var(ddof=1))
    assert row["variance_ratio"] == pytest.approx(expected)
    assert row["variance_ratio"] < 0.1
    without = row_of(contrast(baseline, np.roll(treated, -2)))
    assert math.isnan(without["variance_ratio"])
    assert {name for name, value in row.items() if value != without[name]} >= {"correlation", "variance_ratio"}
    assert without["p"] == row["p"]


def test_the_runs_of_each_arm_that_it_would_take_are_those_of_the_power_of_the_t_test():
    (each,) = family((0.1,), sizes=(10, 10))
    row = row_of(each)
    assert row["verdict"] == "undecided"
    spread = math.sqrt((each.baseline.var(ddof=1) + each.treated.var(ddof=1)) / 2)
    runs = TTestIndPower().solve_power(MARGIN / spread, alpha=ALPHA, power=0.8)
    assert row["seeds_needed"] == math.ceil(runs)
    assert row["seeds_needed_low"] < row["seeds_needed"] < row["seeds_needed_high"]
    assert row["seeds_equivalent_low"] < row["seeds_equivalent"] < row["seeds_equivalent_high"]
    assert math.isnan(row_of(replace(each, treated=each.treated + 9))["seeds_needed"])


def test_edges_tell_how_close_a_verdict_is():
    far, near, short = family((3.0, 0.37, 0.0), sizes=(10, 10))
    for each in (far, near, short):
        row = row_of(each)
        assert (row["edge_effect"] > 0) == (row["verdict"] in ("helps", "hurts"))
        assert (row["edge_not_worse"] > 0) == (row["effect_high"] < OPTIONS.margin)
    assert row_of(far)["edge_effect"] > row_of(near)["edge_effect"] > row_of(short)["edge_effect"]
    assert math.isnan(row_of(contrast([1, 2], [3, 4]))["edge_effect"])


def test_every_run_is_told_with_its_arm_alone():
    each = contrast([0.0, NAN], [1.0, 2.0, 3.0], seeds=(np.array([3, 5]), np.array([5, 8, 9])))
    rows = group_rows.runs(STUDY, each)
    assert rows["seed"].tolist() == [3, 5, 5, 8, 9]
    np.testing.assert_allclose(rows["baseline_value"], [1.0, NAN, NAN, NAN, NAN])
    np.testing.assert_allclose(rows["treatment_value"], [NAN, NAN, *np.exp([1.0, 2.0, 3.0])])
    assert rows["effect"].isna().all()
    assert [*rows.columns] == schemas.of_report("pairs", OPTIONS.factor).names
    assert group_rows.runs(STUDY, replace(each, seeds=None))["seed"].tolist() == [0, 1, 0, 1, 2]


def simulated(sizes, spreads, effect=0.0, contexts=3, studies=300, diverging=0.0):
    """Decisions on families without an effect, or with this one in all contexts."""
    generator = np.random.default_rng(21)
    for _ in range(studies):
        arms = [
            [
                generator.normal(shift, spread, size)
                for size, spread, shift in zip(sizes, spreads, (0, effect), strict=True)
            ]
            for _ in range(contexts)
        ]
        for values in (values for pair in arms for values in pair):
            values[generator.random(len(values)) < diverging] = NAN
        yield groups.decide(OPTIONS, [contrast(*pair) for pair in arms], 499)


SHAPES = [((6, 6), (1.0, 1.0)), ((5, 15), (1.0, 1.0)), ((20, 8), (1.0, 2.0)), ((10, 30), (0.5, 2.0))]


@pytest.mark.parametrize(("sizes", "spreads"), SHAPES)
def test_a_family_errs_at_most_and_its_limits_hold_as_often_as_they_say(sizes, spreads):
    found = [*simulated(sizes, spreads)]
    alarms = sum(any(one.verdict in ("helps", "hurts") for one in decisions) for decisions in found)
    covered = sum(all(one.low < 0 < one.high for one in decisions) for decisions in found)
    assert scipy_stats.binom.sf(alarms - 1, len(found), ALPHA) > 1e-3
    assert scipy_stats.binom.cdf(covered, len(found), 0.945) > 1e-3


@pytest.mark.parametrize(("sizes", "spreads"), SHAPES)
def test_ranks_of_diverging_runs_err_at_most_as_often_as_alpha_says(sizes, spreads):
    found = [*simulated(sizes, spreads, diverging=0.2)]
    alarms = sum(any(one.verdict in ("helps", "hurts") for one in decisions) for decisions in found)
    assert scipy_stats.binom.sf(alarms - 1, len(found), ALPHA) > 1e-3


def test_a_difference_as_large_as_the_margin_passes_for_smaller_as_often_as_alpha_says():
    spreads = (MARGIN / 2, MARGIN)
    found = [*simulated((12, 20), spreads, effect=MARGIN, contexts=1, studies=600)]
    passed = sum(decisions[0].p_equivalence < ALPHA for decisions in found)
    assert scipy_stats.binom.sf(passed - 1, len(found), ALPHA) > 1e-3
    assert scipy_stats.binom.cdf(passed, len(found), 0.9 * ALPHA) > 1e-3


def test_effects_are_found_as_often_as_the_power_of_the_t_test_says():
    found = [*simulated((15, 15), (1.0, 1.0), effect=1.0, contexts=1)]
    hits = sum(decisions[0].verdict == "hurts" for decisions in found)
    assert scipy_stats.binomtest(hits, len(found), TTestIndPower().power(1.0, 15, ALPHA)).pvalue > 1e-3
