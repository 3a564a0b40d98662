"""Every arm against every other: by hand, by other means, and how often arms that are equal are told apart."""

import math
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bnbench.judging import finals, ranks, sign_flips

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
NORMS = ["none", "batch", "layer", "population"]
STUDY = synthetic.plan(norm=NORMS, batch_size=["full", 25])


def contrasts_of(study, costs):
    """The contrasts of arms whose costs are [contexts, arms, seeds]."""
    place = {arm: index for index, arm in enumerate(study.arms)}
    contexts = {tuple(context.items()): index for index, (context, _) in enumerate(study.contexts())}

    def drawn(labels):
        context = tuple((name, label) for name, label in labels.items() if name not in ("baseline", "treatment"))
        of_arms = costs[contexts[context]]
        return np.arange(costs.shape[2]), *(of_arms[place[labels[arm]]] for arm in ("baseline", "treatment"))

    return synthetic.contrasts(study, drawn)


def tables(costs, study=STUDY):
    return ranks.tables(study, contrasts_of(study, np.asarray(costs, float)))


def drawn(effects=(0, 0, 0, 0), seeds=8, noise=1.0, key=1):
    generator = np.random.default_rng(key)
    common = generator.normal(size=(2, 1, seeds))
    return np.array(effects)[None, :, None] + common + noise * generator.normal(size=(2, 4, seeds))


def test_mean_ranks_are_those_within_each_context_and_seed_and_ties_share_theirs():
    costs = np.array([[[1.0, 2.0], [3.0, 2.0], [2.0, NAN]]])
    # Of the first seed 1, 3, 2; of the second 1.5, 1.5, 3, since a trial that diverged is the worst.
    np.testing.assert_allclose(ranks.mean_ranks(costs), [1.25, 2.25, 2.5])
    costs = drawn()
    expected = np.mean([stats.rankdata(costs[c, :, s]) for c in range(2) for s in range(8)], axis=0)
    np.testing.assert_allclose(ranks.mean_ranks(costs), expected)


def test_mean_ranks_rank_the_same_arms_as_friedmans_test():
    costs = drawn((0, 1, 2, 3))[:1]
    statistic = stats.friedmanchisquare(*costs[0]).statistic
    mean = ranks.mean_ranks(costs)
    assert 12 * 8 / (4 * 5) * ((mean - 2.5) ** 2).sum() == pytest.approx(statistic)


def test_all_pairs_are_one_family_of_joint_flips_over_all_contexts():
    costs = drawn((0, 0.5, 1, 3))
    found = tables(costs)["all_pairs"]
    per_seed = costs.mean(0)
    values = np.stack([per_seed[b] - per_seed[a] for a, b in combinations(range(4), 2)], axis=1)
    arms = STUDY.arms
    pairs = list(zip(found["baseline"], found["treatment"], strict=True))
    assert pairs == [(arms[a], arms[b]) for a, b in combinations(range(4), 2)]
    np.testing.assert_allclose(found["effect"], np.exp(values.mean(0)))
    expected = sign_flips.max_t(values)
    np.testing.assert_allclose(found["p"], expected.alone, atol=1e-12)
    np.testing.assert_allclose(found["p_adjusted"], expected.adjusted, atol=1e-12)
    np.testing.assert_allclose(found[["low", "high"]].T, np.exp(sign_flips.simultaneous(values, 0.95)[:2]))
    assert (set(found["family"]), set(found["test"])) == ({6}, {"mean"})
    assert found["limits"].tolist() == sign_flips.simultaneous(values, 0.95).methods.tolist()
    outside = (found["low"] > 1) | (found["high"] < 1)
    agree = np.sign(np.log(found["effect"])) == np.sign(found["rank_difference"])
    assert found["told_apart"].tolist() == ((found["p_adjusted"] < 0.05) & outside & agree).tolist()
    places = ranks.mean_ranks(costs)
    np.testing.assert_allclose(found["rank_difference"], [places[b] - places[a] for a, b in combinations(range(4), 2)])


def test_arms_whose_ranks_and_means_point_different_ways_are_not_told_apart():
    noise = 1e-3 * np.random.default_rng(1).normal(size=(2, 4, 8))
    # The second arm is first in one context, and by far the last in the other.
    costs = np.array([[3.0, 0.0, 1.0, 2.0], [2.0, 30.0, 0.0, 1.0]])[:, :, None] + noise
    found = tables(costs)
    row = found["all_pairs"].iloc[0]
    assert (row["baseline"], row["treatment"]) == ("none", "batch")
    assert row["p_adjusted"] < 0.05
    assert row["low"] > 1
    assert row["rank_difference"] == -1
    assert not row["told_apart"]
    letters = found["ranks"].set_index("arm")["groups"]
    assert set(letters["none"].split()) & set(letters["batch"].split())


def test_known_effects_come_back_exactly_and_arms_are_placed_by_them():
    found = tables(drawn((0, math.log(2), math.log(2), -1), noise=1e-9))
    effects = found["all_pairs"].set_index(["baseline", "treatment"])["effect"]
    assert effects["none", "batch"] == pytest.approx(2, rel=1e-6)
    assert effects["batch", "population"] == pytest.approx(math.exp(-1) / 2, rel=1e-6)
    placed = found["ranks"]
    assert placed["arm"].tolist()[:2] == ["population", "none"]
    assert placed["mean_rank"].is_monotonic_increasing
    assert placed["mean_rank"].sum() == pytest.approx(10)
    letters = dict(zip(placed["arm"], placed["groups"], strict=True))
    assert letters["batch"] == letters["layer"]
    assert len(set(letters.values())) == 3


def test_of_arms_that_are_the_same_none_is_told_apart():
    costs = np.repeat(np.random.default_rng(1).normal(size=(2, 1, 8)), 4, axis=1)
    found = tables(costs)
    assert not found["all_pairs"]["told_apart"].any()
    assert found["ranks"][["mean_rank", "groups"]].to_numpy().tolist() == [[2.5, "a"]] * 4


@given(st.permutations(range(4)), st.permutations(range(8)), st.integers(0, 50))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_order_of_contexts_seeds_and_arms_changes_nothing_of_a_pair(arms, seeds, key):
    costs = drawn((0, 1, 2, 0), key=key)
    plain = tables(costs)["all_pairs"].set_index(["baseline", "treatment"])
    study = synthetic.plan(norm=[NORMS[arm] for arm in arms], batch_size=["full", 25], report={"baseline": "layer"})
    other = tables(costs[::-1][:, [NORMS.index(arm) for arm in study.arms]][:, :, seeds], study)["all_pairs"]
    for row in other.to_dict("records"):
        turned = (row["treatment"], row["baseline"]) in plain.index
        key = (row["treatment"], row["baseline"]) if turned else (row["baseline"], row["treatment"])
        assert row["p_adjusted"] == pytest.approx(plain.loc[key, "p_adjusted"], abs=1e-12)
        assert math.log(row["effect"]) == pytest.approx((-1 if turned else 1) * math.log(plain.loc[key, "effect"]))


def test_another_arm_does_not_decide_on_a_pair():
    costs = drawn((0, 0.7, 0, 0), key=3)
    moved = costs.copy()
    moved[:, 3] += 5
    alone = [
        tables(one)["all_pairs"].set_index(["baseline", "treatment"]).loc[("none", "batch"), "p"]
        for one in (costs, moved)
    ]
    assert alone[0] == alone[1]


def test_an_arm_that_diverges_is_judged_by_ranks_and_the_other_pairs_as_ever():
    costs = drawn((0, 2, 0, 0))
    whole = tables(costs)["all_pairs"].set_index(["baseline", "treatment"])
    costs[0, 3, :6] = NAN
    found = tables(costs)
    pairs = found["all_pairs"].set_index(["baseline", "treatment"])
    broken = ["population" in pair for pair in pairs.index]
    assert pairs["test"].tolist() == ["worst-rank" if one else "mean" for one in broken]
    assert pairs["finite_pairs"].tolist() == [2 if one else 8 for one in broken]
    assert set(pairs["limits"]) == {"Bonferroni"}
    assert pairs.loc[("none", "batch"), "p"] == whole.loc[("none", "batch"), "p"]
    assert pairs.loc[("none", "batch"), "effect"] == pytest.approx(whole.loc[("none", "batch"), "effect"])
    assert found["ranks"]["arm"].iloc[-1] in ("population", "batch")


def test_losses_below_the_resolution_are_judged_by_ranks_of_what_is_certain():
    costs = drawn((0, -3, 0, 0))
    contrasts = contrasts_of(STUDY, costs)
    known = np.zeros((2, 8), int)
    known[1] = finals.AT_MOST
    treated = [replace(one, censored=known) if one.labels["treatment"] == "batch" else one for one in contrasts]
    pairs = ranks.tables(STUDY, treated)["all_pairs"].set_index(["baseline", "treatment"])
    assert pairs["test"].tolist() == ["rank" if "batch" in pair else "mean" for pair in pairs.index]
    assert pairs.loc[("none", "batch"), "finite_pairs"] == 0
    assert pairs.loc[("none", "batch"), "told_apart"]
    # Had they only been known to be no lower than what stands there, nothing would be certain.
    known[1] = finals.AT_LEAST
    pairs = ranks.tables(STUDY, treated)["all_pairs"].set_index(["baseline", "treatment"])
    assert pairs.loc[("none", "batch"), "p_adjusted"] == 1.0
    assert not pairs.loc[("none", "batch"), "told_apart"]


def test_an_arm_that_always_diverges_is_told_apart_from_those_that_never_do():
    costs = drawn()
    costs[:, 3] = NAN
    found = tables(costs)
    last = found["ranks"].iloc[-1]
    assert (last["arm"], last["mean_rank"]) == ("population", 4.0)
    told = found["all_pairs"].set_index(["baseline", "treatment"])["told_apart"]
    assert [told[arm, "population"] for arm in NORMS[:3]] == [True] * 3


def test_seeds_that_an_arm_lacks_in_a_context_are_left_out():
    costs = drawn()

    def losses(labels):
        own = np.arange(8) if labels["treatment"] != "layer" or labels["batch_size"] == "full" else np.arange(2, 8)
        place, at = {arm: i for i, arm in enumerate(STUDY.arms)}, int(labels["batch_size"] == "25")
        return own, *(costs[at, place[labels[arm]]][own] for arm in ("baseline", "treatment"))

    found = ranks.tables(STUDY, synthetic.contrasts(STUDY, losses))
    expected = tables(costs[:, :, 2:])
    assert set(found["ranks"]["seeds"]) == {6}
    assert found["all_pairs"].equals(expected["all_pairs"])


@pytest.mark.parametrize("seeds", [0, 1])
def test_without_two_seeds_nothing_is_told_apart(seeds):
    found = tables(drawn(seeds=seeds))
    assert not found["all_pairs"]["told_apart"].any()
    assert found["all_pairs"]["low"].isna().all()
    assert found["ranks"]["mean_rank"].isna().all() == (seeds == 0)


def test_two_arms_are_left_to_the_verdicts():
    study = synthetic.plan(batch_size=["full", 25])
    found = tables(drawn()[:, :2], study)
    assert found["ranks"].empty
    assert found["all_pairs"].empty


def test_on_the_scale_of_differences_effects_are_differences():
    costs = drawn((0, 1, 2, 3))
    scored = tables(costs, synthetic.scored(STUDY))["all_pairs"]
    ratios = tables(costs)["all_pairs"]
    np.testing.assert_allclose(scored["effect"], -np.log(ratios["effect"]))
    np.testing.assert_allclose(scored[["low", "high"]], -np.log(ratios[["high", "low"]].to_numpy()))
    assert scored["told_apart"].equals(ratios["told_apart"])


@given(st.lists(st.booleans(), min_size=15, max_size=15), st.integers(1, 6))
@settings(max_examples=80, deadline=None, derandomize=True)
def test_groups_are_all_the_largest_sets_of_arms_of_which_no_two_are_told_apart(drawn, count):
    arms = [str(index) for index in range(count)]
    joined = {pair for pair, one in zip(combinations(arms, 2), drawn, strict=False) if one}
    subsets = [set(chosen) for size in range(1, count + 1) for chosen in combinations(arms, size)]
    alike = [subset for subset in subsets if {*combinations(sorted(subset), 2)} <= joined]
    largest = {frozenset(subset) for subset in alike if not any(subset < other for other in alike)}
    found = ranks.cliques(arms, joined)
    assert {frozenset(group) for group in found} == largest
    assert len(found) == len(set(found))
    together = {pair for group in found for pair in combinations(group, 2)}
    assert together == joined


@pytest.mark.parametrize("noise", ["normal", "skewed", "one arm apart"])
def test_arms_that_are_equal_are_told_apart_at_most_as_often_as_alpha_says(noise):
    generator, studies, false = np.random.default_rng(11), 600, 0
    equal = [("none", "batch"), ("none", "layer"), ("batch", "layer")]
    for _ in range(studies):
        draw = generator.exponential if noise == "skewed" else generator.normal
        costs = draw(size=(2, 4, 8)) + generator.normal(size=(2, 1, 8))
        costs[:, 3] += 9.0 * (noise == "one arm apart")
        told = tables(costs)["all_pairs"].set_index(["baseline", "treatment"])["told_apart"]
        false += told[equal].any() if noise == "one arm apart" else told.any()
    assert false / studies < 0.05 + 4 * math.sqrt(0.05 * 0.95 / studies)
    assert false > 0
