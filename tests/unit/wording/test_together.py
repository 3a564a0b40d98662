"""The sentences on all contexts together: main effects and interactions, aggregates, and ranks.

As people read them in `__snapshots__`; here stand the facts that each must state, however worded.
"""

import math
from itertools import combinations

import pandas as pd
import pytest
import synthetic
from prose import assert_states, cases

from bnbench.wording import together

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
FOUR = synthetic.plan(**synthetic.GRID)
SLOW = "batch momentum=0.01"
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}], batch_size=["full", 25])

EFFECT = {
    "baseline": "none",
    "treatment": "batch",
    "factor": "main effect",
    "level": "",
    "against": "",
    "pairs": 8,
    "diverged": 0,
    "effect": 3.1,
    "low": 2.2,
    "high": 4.5,
    "p_adjusted": 0.0078,
    "adjustment": "maxT",
    "family": 3,
    "contexts": 4,
    "contexts_helped": 0,
    "contexts_hurt": 3,
    "contexts_equivalent": 0,
    "contexts_undecided": 1,
    "prediction_low": 0.5,
    "prediction_high": 19.0,
}
DOUBLING = {"factor": "batch_size", "level": "doubling"}
SGD = {"factor": "optimizer", "level": "sgd lr=0.1", "against": "adam lr=0.001"}


@cases(
    over_all_contexts=(
        {},
        [
            *("4 contexts", "BN", "3.1 times as high as without BN", "simultaneous 95 %", "2.2 to 4.5", "8 seeds"),
            *("0.0078", "3 effects by maxT", "hurts in 3", "nothing is decided in 1"),
            *("2.0-fold lower to 19 times as high as without BN", "95 % prediction interval"),
        ],
    ),
    whose_contexts_disagree=(
        {"contexts_helped": 3, "contexts_hurt": 1, "contexts_undecided": 0},
        ["The contexts disagree", "BN helps in 3", "BN hurts in 1"],
    ),
    over_two_contexts=(
        {"contexts": 2, "contexts_hurt": 1, "prediction_low": NAN, "prediction_high": NAN},
        ["both contexts", "BN hurts in 1"],
    ),
    that_may_be_none=(
        {"effect": 1.1, "low": 0.8, "p_adjusted": 0.31},
        ["nothing is decided", "20 % lower to 4.5 times as high", "simultaneous", "0.31"],
    ),
    whose_test_alone_decides=(
        {"low": 0.9},
        ["nothing is decided", "10 % lower to 4.5 times as high", "The test rules out", "the interval does not"],
    ),
    whose_interval_alone_decides=(
        {"p_adjusted": 0.06, "pairs": 6},
        ["nothing is decided", "2.2 to 4.5 times that without BN", "6 seeds that were measured in every context"],
    ),
    of_seeds_that_stayed_finite=({"pairs": 6, "diverged": 3}, ["6 seeds", "3 trials diverged", "of the others alone"]),
    with_a_doubling_of_the_batch=(DOUBLING, ["doubling of the batch", "BN to no BN", "3.1", "95 %", "2.2 to 4.5"]),
    with_a_doubling_that_may_change_nothing=(
        {**DOUBLING, "low": 0.8, "p_adjusted": 0.31},
        ["not decided whether the effect depends on the batch size", "may be multiplied by anything from 0.80 to 4.5"],
    ),
    with_a_level_that_may_change_nothing=(
        {**SGD, "low": 0.8, "p_adjusted": 0.31},
        [
            "not decided whether the effect depends on the optimizer",
            "may be that with Adam times anything from 0.80 to 4.5",
        ],
    ),
    with_a_level=(
        {**SGD, "effect": 0.5, "low": 0.25, "high": 0.75},
        ["SGD", "BN to no BN", "Adam", "0.50", "0.25 to 0.75"],
    ),
    that_is_nearly_0=({**SGD, "effect": 1.2e-4, "low": 1e-4, "high": 1.5e-4}, ["0.00012", "0.0001 to 0.00015"]),
)
def test_an_interaction(case, prose):
    changes, facts = case
    said = together.interaction(FOUR, {**EFFECT, **changes})
    assert_states(said, facts)
    assert said == prose


@pytest.mark.parametrize(
    "changes",
    [
        {"pairs": 0, "effect": NAN, "low": NAN, "high": NAN, "p_adjusted": NAN},
        {"pairs": 1, "low": NAN, "high": NAN, "p_adjusted": 1.0},
        {**SGD, "pairs": 1, "low": NAN, "high": NAN, "p_adjusted": 1.0},
    ],
)
def test_an_interaction_of_fewer_than_two_seeds_says_nothing(changes):
    assert together.interaction(FOUR, {**EFFECT, **changes}) == ""


def test_an_interaction_names_its_arm_its_baseline_and_its_level(prose):
    said = together.interaction(THREE_ARMS, {**EFFECT, **DOUBLING, "treatment": SLOW})
    assert "BN momentum=0.01 to no BN" in said
    study = synthetic.plan(**synthetic.GRID, report={"factor": "optimizer", "baseline": "adam", "alpha": 0.01})
    arms = {"baseline": "adam lr=0.001", "treatment": "sgd lr=0.1"}
    said = together.interaction(study, {**EFFECT, **arms, "factor": "norm", "level": "batch", "against": "none"})
    assert_states(said, ["With BN", "SGD lr=0.1 to Adam lr=0.001", "that without BN times 3.1", "99 %"])
    assert said == prose


@cases(
    over_all_contexts=(
        {},
        ["2.1 percentage points higher than without BN", "simultaneous 95 % interval 1", "to 3.2 percentage points"],
    ),
    that_is_lower=(
        {"effect": -0.02, "low": -0.03, "high": -0.01},
        [
            "2.0 percentage points lower",
            "to 3.0 percentage points",
            "4.0 percentage points lower to 12 percentage points higher",
        ],
    ),
    that_may_be_none=(
        {"low": -0.03, "p_adjusted": 0.31},
        ["nothing is decided", "3.0 percentage points lower to 3.2 percentage points higher"],
    ),
    with_a_doubling_of_the_batch=(DOUBLING, ["BN minus no BN", "changes by +2.1", "+1.0 to +3.2"]),
    with_a_level_that_may_change_nothing=(
        {**SGD, "low": -0.03, "p_adjusted": 0.31},
        ["not decided", "may be that with Adam plus anything from −3.0 to +3.2"],
    ),
)
def test_an_interaction_on_the_scale_of_differences(case, prose):
    changes, facts = case
    limits = {"effect": 0.021, "low": 0.01, "high": 0.032, "prediction_low": -0.04, "prediction_high": 0.12}
    study = synthetic.scored(FOUR)
    said = together.interaction(study, {**EFFECT, **limits, **changes})
    assert_states(said, facts)
    assert "×" not in said
    assert said == prose


AGGREGATE = {
    **{name: EFFECT[name] for name in ("baseline", "treatment", "contexts", "pairs")},
    "contexts_helped": 3,
    "contexts_hurt": 1,
    "contexts_equivalent": 0,
    "contexts_undecided": 0,
    "iqm": 0.52,
    "low": 0.41,
    "high": 0.66,
    "improvement": 0.74,
    "improvement_low": 0.6,
    "improvement_high": 0.8,
    "effect_lowest": 0.31,
    "effect_highest": 12.0,
    "tau": math.log(4.0),
    "i_squared": 0.968,
}


@cases(
    whose_contexts_disagree=(
        {},
        [
            *("description", "4 contexts", "8 seeds", "BN to no BN", "0.52", "95 % bootstrap", "0.41 to 0.66"),
            *("better", "74 %", "60 % to 80 %", "0.31 to 12", "factor of 4.0", "97 %"),
            *("disagree", "helps in 3", "hurts in 1"),
        ],
    ),
    whose_contexts_agree=(
        {"contexts_hurt": 0, "contexts_undecided": 1, "tau": 0.0, "i_squared": 0.0, "effect_highest": 0.9},
        ["0.31 to 0.90", "no further apart than chance"],
    ),
    of_some_of_the_seeds=({"pairs": 6}, ["the 6 seeds that all of them have"]),
    where_all_pairs_agree=(
        {"improvement": 0.0, "improvement_low": NAN, "improvement_high": NAN},
        ["BN is better in 0 % of the pairs and no BN in 100 %."],
    ),
    where_pairs_diverged_in_both_arms=(
        {"iqm": NAN, "low": NAN, "high": NAN, "tau": NAN, "i_squared": NAN},
        ["8 seeds, BN is better in 74 %", "no BN in 26 %", "0.31 to 12."],
    ),
    where_no_pair_is_finite=(
        {**dict.fromkeys(("iqm", "low", "high", "tau", "i_squared", "effect_lowest", "effect_highest"), NAN)},
        ["in 74 % of the pairs (60 % to 80 %) and no BN in 26 %."],
    ),
)
def test_an_aggregate(case, prose):
    changes, facts = case
    said = together.aggregate(FOUR, {**AGGREGATE, **changes})
    assert_states(said, facts)
    assert ("disagree" in said) == bool({**AGGREGATE, **changes}["contexts_hurt"])
    assert "nan" not in said
    assert said == prose


def test_an_aggregate_on_the_scale_of_differences(prose):
    numbers = {"iqm": -0.01, "low": -0.02, "high": 0.005, "effect_lowest": -0.04, "effect_highest": 0.02, "tau": 0.03}
    said = together.aggregate(synthetic.scored(FOUR), {**AGGREGATE, **numbers})
    assert_states(
        said,
        ["test accuracy, BN minus no BN,", "−1", "−2.0 to +0.50", "−4.0 to +2.0", "lie 3.0 percentage points from"],
    )
    assert said == prose


@pytest.mark.parametrize("pairs", [0, 1])
def test_an_aggregate_of_fewer_than_two_seeds_says_nothing(pairs):
    assert together.aggregate(FOUR, {**AGGREGATE, "pairs": pairs}) == ""


PAIRS = pd.DataFrame(
    [
        {"baseline": one, "treatment": other, "effect": 2.0, "p_adjusted": 0.01, "rank_difference": 0.7}
        for one, other in combinations(THREE_ARMS.arms, 2)
    ]
).assign(told_apart=True)


@cases(
    of_two_that_are_not_told_apart=(
        ["a", "b", "b"],
        ["1.20 for no BN", "1.90 for BN", "BN and BN", "cannot be distinguished"],
    ),
    that_overlap=(["a", "a b", "b"], ["No BN and BN; BN and BN momentum", "cannot be distinguished"]),
    of_all_that_are_told_apart=(["a", "b", "c"], ["All arms differ"]),
    of_none_that_is_told_apart=(["a", "a", "a"], ["No two of them can be distinguished"]),
)
def test_the_ranks(case, prose):
    groups, facts = case
    table = pd.DataFrame({"arm": THREE_ARMS.arms, "contexts": 2, "seeds": 8, "mean_rank": [1.2, 1.9, 2.9]})
    said = together.ranks(THREE_ARMS, table.assign(groups=groups), PAIRS)
    assert_states(said, ["2 contexts and 8 seeds", "1 is best", *facts])
    assert said == prose


def test_without_seeds_there_are_no_ranks():
    table = pd.DataFrame({"arm": THREE_ARMS.arms, "contexts": 2, "seeds": 0, "mean_rank": NAN, "groups": "a"})
    assert together.ranks(THREE_ARMS, table, PAIRS) == ""


@pytest.mark.parametrize(
    ("changes", "contrary"),
    [
        ({}, False),
        ({"effect": 0.5}, True),
        ({"effect": 0.5, "p_adjusted": 0.06}, False),
        ({"rank_difference": -0.7}, True),
        ({"rank_difference": -0.7, "effect": 0.5}, False),
    ],
)
def test_ranks_that_contradict_the_means_are_named(changes, contrary):
    table = pd.DataFrame({"arm": THREE_ARMS.arms, "contexts": 2, "seeds": 8, "mean_rank": [1.2, 1.9, 2.9]})
    pairs = PAIRS.assign(told_apart=[False, True, True])
    pairs.loc[0, [*changes]] = [*changes.values()]
    said = together.ranks(THREE_ARMS, table.assign(groups=["a", "a", "b"]), pairs)
    assert (
        "Of BN against no BN, nothing is decided, because ranks and means point to different arms." in said
    ) == contrary
