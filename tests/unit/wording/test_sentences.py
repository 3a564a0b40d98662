"""The sentences, as people read them, in `__snapshots__`; beside them the facts that each must state, however worded.

That none says more than its verdict, whatever the numbers, is tested in `test_no_sentence_says_more.py`.
"""

import math

import pandas as pd
import pytest
import synthetic
from prose import assert_states, cases

from bnbench.wording import answers, sentences

pytestmark = pytest.mark.filterwarnings("error")

OPTIMIZERS = [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]
ONE, FOUR = synthetic.plan(), synthetic.plan(batch_size=["full", 25], optimizer=OPTIMIZERS)
EIGHT = synthetic.plan(batch_size=["full", 10, 25, 50], optimizer=OPTIMIZERS)
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
DEVICES = synthetic.plan(norm=["none"], device=["cpu", "cuda"], report={"factor": "device", "baseline": "cpu"})

ROW = {
    **ONE.contexts()[0][0],
    "baseline": "none",
    "treatment": "batch",
    "outcome": "test_loss",
    "pairs": 20,
    "finite_pairs": 20,
    "effect": 3.1,
    "effect_low": 2.2,
    "effect_high": 4.5,
    "confidence": 0.95,
    "limits": "Student",
    "family": 1,
    "p_adjusted": 0.0002,
    "adjustment": "maxT",
    "p_equivalence": 0.9,
    "floored": 0,
    "verdict": "hurts",
    "within_margin": False,
    "narrow_low": 2.4,
    "narrow_high": 4.1,
    **{f"{name}{end}": math.nan for name in ("seeds_needed", "seeds_equivalent") for end in ("", "_low", "_high")},
    "resolution": 1.4e-16,
    "raised_effect": math.nan,
    "raised_low": math.nan,
    "raised_high": math.nan,
    "bound": None,
    "diverged_baseline": 0,
    "diverged_treatment": 0,
    "test": "mean",
}
LOWER = {"verdict": "helps", "effect": 0.77, "effect_low": 0.63, "effect_high": 0.95}
EQUAL = {"verdict": "equivalent", "effect": 1.0, "effect_low": 0.96, "effect_high": 1.04, "p_adjusted": 0.8}
EQUAL |= {"narrow_low": 0.971, "narrow_high": 1.0312, "p_equivalence": 0.003, "within_margin": True}
OPEN = {
    "verdict": "undecided",
    "effect": 1.1,
    "effect_low": 0.8,
    "effect_high": 1.5,
    "p_adjusted": 0.31,
    "seeds_needed": 105.0,
    "seeds_needed_low": 61.0,
    "seeds_needed_high": 223.0,
    "seeds_equivalent": 117.0,
    "seeds_equivalent_low": 68.0,
    "seeds_equivalent_high": 249.0,
}
FLOORED = {"test": "rank", "floored": 12, "raised_effect": 93.0, "raised_low": 40.0, "raised_high": 2e5}
FLOORED |= {"bound": "at least"}
DIVERGED = {"test": "worst-rank", "diverged_treatment": 12, "finite_pairs": 8}
NONE = {"verdict": "no data", "pairs": 0, "finite_pairs": 0, "p_adjusted": math.nan, "effect": math.nan}


def row(*changes):
    found = dict(ROW)
    for change in changes:
        found |= change
    return found


# What differs from `ROW`, and the facts.
CONTEXTS = {
    "hurts": ([], ["BN", "3.1 ×", "higher", "95 %", "2.2", "4.5", "no BN", "0.0002"]),
    "helps": ([LOWER], ["BN", "23 %", "lower", "95 %", "5 %", "37 %", "no BN", "0.0002"]),
    "hurts_by_less_than_the_margin": (
        [{"effect": 1.02, "effect_low": 1.01, "effect_high": 1.03, "within_margin": True}],
        ["2 %", "higher", "1 %", "3 %", "1.05"],
    ),
    "equivalent": ([EQUAL], ["equivalent", "1.000", "90 %", "0.971", "1.031", "1.05", "0.003"]),
    "undecided": (
        [OPEN],
        ["20 % lower", "50 % higher", "95 %", "0.31", "1.05", "80 %", "105 seeds (61 to 223)", "117 seeds (68 to 249)"],
    ),
    "undecided_by_the_test": (
        [OPEN, {"effect_low": 1.04, "p_adjusted": 0.06, "seeds_needed": math.inf, "seeds_needed_high": math.inf}],
        ["ratio of the test losses, BN to no BN,", "1.04 to 1.50", "0.06", "interval", "test", "a million seeds"],
    ),
    "undecided_by_the_interval": (
        [OPEN, {"p_adjusted": 0.01, "seeds_needed": math.nan}],
        ["20 % lower", "50 % higher", "0.01", "test", "interval"],
    ),
    "diverged": ([DIVERGED], ["worst", "12 of 20", "with BN", "0 of 20", "no BN", "8 pairs", "3.1 ×", "higher"]),
    "undecided_though_it_diverged": ([OPEN, DIVERGED], ["0.31", "12 of 20", "0 of 20", "8 pairs", "20 % lower"]),
    "diverged_and_better_where_it_did_not": (
        [OPEN, DIVERGED, {"p_adjusted": 0.01, "effect_low": 0.4, "effect_high": 0.8}],
        ["0.01", "12 of 20", "8 pairs", "BN to no BN", "0.40 to 0.80", "different arms"],
    ),
    "diverged_but_for_one_pair": ([DIVERGED, {"diverged_treatment": 19, "finite_pairs": 1}], ["19 of 20", "0 of 20"]),
    "losses_of_0": (
        [FLOORED],
        ["ranks", "12 of 20 pairs", "1.4e-16", "float32", "at least 93 × higher", "8 pairs", "3.1 × higher"],
    ),
    "losses_of_0_in_both_arms": (
        [FLOORED, {"bound": "restricted", "floored": 20}],
        ["all 20 pairs", "ratio is 93 (95 % interval", "40 to 200,000)"],
    ),
    "losses_of_0_that_decide_nothing": (
        [
            FLOORED,
            OPEN,
            {"floored": 19, "bound": "at most", "raised_effect": 0.12, "raised_low": 0.0085, "raised_high": 1.8},
        ],
        ["nothing is decided", "ranks", "19 of 20 pairs", "ratio is 0.12 (95 % interval", "0.0085 to 1.80)"],
    ),
    "a_loss_of_0_among_those_that_diverged": ([DIVERGED, {"floored": 1}], ["12 of 20", "1 of 20 pairs has", "7 pairs"]),
}


@cases(**CONTEXTS)
def test_a_context(case, prose):
    changes, facts = case
    alone = sentences.context(ONE, row(*changes))
    one_of_four = sentences.context(FOUR, row({"family": 4, "limits": "flips"}, *changes))
    for said in (alone, one_of_four):
        assert_states(said, ["Adam", "full batch", "20 seeds", *facts])
    assert "simultaneous" not in alone
    assert "adjusted" not in alone
    method = "Holm" if "equivalent" in alone else "maxT"
    assert_states(one_of_four, [f"adjusted for 4 comparisons by {method}"])
    assert alone == prose
    assert one_of_four == prose


def test_a_context_of_which_every_trial_diverged_says_that_and_not_that_nothing_is_decided(prose):
    changes = {"diverged_baseline": 20, "diverged_treatment": 20, "finite_pairs": 0}
    said = sentences.context(ONE, row(OPEN, DIVERGED, changes))
    assert said == prose
    table = pd.DataFrame([row(OPEN, DIVERGED, changes)])
    assert answers.answer(ONE, table) == prose


@pytest.mark.parametrize(
    ("limits", "together"), [("flips", True), ("Bonferroni", True), ("Student", False), (math.nan, False)]
)
def test_an_interval_is_called_simultaneous_only_where_it_is(limits, together):
    said = sentences.context(FOUR, row({"family": 4, "limits": limits}))
    assert ("simultaneous 95 % interval" in said) == together


@cases(
    one=({"pairs": 1, "effect_low": math.nan, "effect_high": math.nan}, "1 seed, nothing is decided"),
    five=({"pairs": 5, "effect_low": 2.2, "p_adjusted": 0.0625}, "with so few seeds it never could"),
    none=(NONE, "no pairs of BN and no BN"),
)
def test_a_context_of_few_seeds(case, prose):
    changes, fact = case
    said = sentences.context(ONE, row(OPEN, changes))
    assert fact in said
    assert said == prose


SMALL = {"effect": 1.02, "effect_low": 1.01, "effect_high": 1.03, "within_margin": True}
SLOW = {"treatment": "batch momentum=0.01"}
ON_CUDA = {"norm": "none", "baseline": "cpu", "treatment": "cuda"}
HELPED_BY_DIVERGENCE = [DIVERGED, LOWER, {"diverged_baseline": 3, "diverged_treatment": 0}]


# The study, what differs from `ROW` context by context, and the facts.
@cases(
    hurt=(ONE, [[]], ["20 seeds", "BN", "3.1 × higher", "95 %", "2.2 to 4.5", "Adam at full batch"]),
    one_context_of_each_verdict=(
        FOUR,
        [[], [LOWER], [EQUAL], [OPEN]],
        ["higher", "Adam at full batch", "23 % lower", "SGD at full batch", "equivalent", "1.05", "Adam at batch 25",
         "nothing is decided", "SGD at batch 25"],
    ),
    two_alike_one_diverged_one_without_pairs=(
        FOUR,
        [[], [{"pairs": 18}], [DIVERGED], [NONE]],
        ["18 to 20 seeds", "Adam at full batch", "SGD at full batch", "worse", "Adam at batch 25", "12 of 20",
         "no pairs yet", "SGD at batch 25"],
    ),
    all_four_undecided=(FOUR, [[OPEN]] * 4, ["nothing is decided", "BN and no BN", "4 contexts"]),
    no_pairs=(ONE, [[NONE]], ["no pairs"]),
    undecided=(ONE, [[OPEN]], ["nothing is decided", "BN and no BN", "Adam at full batch"]),
    hurt_by_less_than_the_margin=(ONE, [[SMALL]], ["2 % higher", "1 % to 3 %", "margin of 1.05"]),
    two_equivalent_one_undecided_one_without_pairs=(
        FOUR,
        [[NONE], [OPEN], [EQUAL], [EQUAL]],
        ["equivalent", "Adam at batch 25", "SGD at batch 25", "nothing is decided", "SGD at full batch",
         "no pairs yet", "Adam at full batch"],
    ),
    diverged_both_ways=(
        FOUR,
        [[DIVERGED], HELPED_BY_DIVERGENCE, [LOWER], [OPEN]],
        ["worse", "Adam at full batch", "12 of 20", "lower", "Adam at batch 25", "better", "SGD at full batch",
         "3 of 20", "nothing is decided", "SGD at batch 25"],
    ),
    eight_contexts_are_counted=(
        EIGHT,
        [[], [{"effect": 30.0}], [DIVERGED], [LOWER], [EQUAL], [OPEN], [OPEN], [NONE]],
        ["hurt in 3 of 8", "3.1 × to 30 × higher", "1 by counting", "helped in 1", "23 % lower", "equivalent", "in 1",
         "nothing is decided in 2", "no pairs yet in 1"],
    ),
    three_arms=(
        THREE_ARMS,
        [[], [LOWER, SLOW]],
        ["BN made", "3.1 × higher", "BN momentum=0.01 made", "23 % lower"],
    ),
    three_arms_of_which_one_has_no_pairs=(
        THREE_ARMS,
        [[], [NONE, SLOW]],
        ["BN made", "3.1 × higher", "no pairs of BN momentum=0.01 and no BN"],
    ),
    another_factor_hurt=(DEVICES, [[ON_CUDA]], ["cuda instead of cpu", "3.1 × higher"]),
    another_factor_equivalent=(DEVICES, [[EQUAL, ON_CUDA]], ["cuda and cpu", "equivalent", "1.05"]),
    undecided_contexts_are_counted_without_those_that_have_no_pairs=(
        FOUR,
        [[OPEN], [OPEN], [OPEN], [NONE]],
        ["nothing is decided", "in 3 of 4 contexts", "no pairs yet", "SGD at batch 25"],
    ),
)  # fmt: skip
def test_an_answer(case, prose):
    study, rows, facts = case
    contexts = [labels for labels, _ in study.contexts()] * len(rows)
    table = pd.DataFrame([row(labels, *changes) for labels, changes in zip(contexts, rows, strict=False)])
    said = answers.answer(study, table)
    assert_states(said, facts)
    assert said == prose
