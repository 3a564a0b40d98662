"""The sentences, as people read them, in `__snapshots__`; beside them the facts that each must state, however worded.

That none says more than its verdict, whatever the numbers, is tested in `test_no_sentence_says_more.py`.
"""

import math

import pandas as pd
import pytest
import synthetic
import walking
from prose import assert_states, cases

from bnbench.wording import answers, formats, sentences

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
    "hurts": ([], ["BN hurts", "3.1 times as high as without BN", "95 %", "2.2", "4.5", "0.0002"]),
    "helps": ([LOWER], ["BN helps", "23 %", "lower than without BN", "95 %", "5 %", "37 %", "0.0002"]),
    "hurts_by_less_than_the_margin": (
        [{"effect": 1.02, "effect_low": 1.01, "effect_high": 1.03, "within_margin": True}],
        ["2 %", "higher", "1 %", "3 %", "1.05"],
    ),
    "equivalent": ([EQUAL], ["equivalent", "1.05", "0.003", "1.000", "90 %", "0.971", "1.031"]),
    "undecided": (
        [OPEN],
        ["20 % lower", "50 % higher than without BN", "95 %"],
    ),
    "undecided_by_the_test": (
        [OPEN, {"effect_low": 1.04, "p_adjusted": 0.06, "seeds_needed": math.inf, "seeds_needed_high": math.inf}],
        ["test loss with BN", "1.04 to 1.50 times that without BN", "interval", "test"],
    ),
    "undecided_by_the_interval": (
        [OPEN, {"p_adjusted": 0.01, "seeds_needed": math.nan}],
        ["20 % lower", "50 % higher", "test", "interval"],
    ),
    "diverged": (
        [DIVERGED],
        ["worst", "0.0002", "12 of 20", "with BN", "0 of 20", "without BN", "8 pairs", "3.1 times as high"],
    ),
    "undecided_though_it_diverged": ([OPEN, DIVERGED], ["0.31", "12 of 20", "0 of 20", "8 pairs", "20 % lower"]),
    "diverged_and_better_where_it_did_not": (
        [OPEN, DIVERGED, {"p_adjusted": 0.01, "effect_low": 0.4, "effect_high": 0.8}],
        ["0.01", "12 of 20", "8 pairs", "0.40 to 0.80 times that without BN", "different arms"],
    ),
    "diverged_but_for_one_pair": ([DIVERGED, {"diverged_treatment": 19, "finite_pairs": 1}], ["19 of 20", "0 of 20"]),
    "losses_of_0": (
        [FLOORED],
        ["ranks", "12 of 20 pairs", "1.4e-16", "float32", "at least 93 times as high", "8 pairs", "3.1 times as high"],
    ),
    "losses_of_0_in_both_arms": (
        [FLOORED, {"bound": "restricted", "floored": 20}],
        ["All 20 pairs", "ratio is 93 (95 % interval", "40 to 200,000)"],
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
        assert all(formats.length(part) <= sentences.LONGEST for part in walking.sentences(said)), said
    assert "simultaneous" not in alone
    assert "adjusted" not in alone
    assert "adjusted p" in one_of_four
    assert alone == prose
    assert one_of_four == prose


def test_a_context_of_which_every_trial_diverged_says_that_and_not_that_nothing_is_decided(prose):
    changes = {"diverged_baseline": 20, "diverged_treatment": 20, "finite_pairs": 0}
    said = sentences.context(ONE, row(OPEN, DIVERGED, changes))
    assert said == prose
    table = pd.DataFrame([row(OPEN, DIVERGED, changes)])
    assert answers.headline(ONE, table) == "Every trial of BN and of no BN diverged: there is nothing to compare"
    assert answers.answer(ONE, table, "") == said


@pytest.mark.parametrize(
    ("limits", "together"), [("flips", True), ("Bonferroni", True), ("Student", False), (math.nan, False)]
)
def test_an_interval_is_called_simultaneous_only_where_it_is(limits, together):
    said = sentences.context(FOUR, row({"family": 4, "limits": limits}))
    assert ("simultaneous 95 % interval" in said) == together


@cases(
    one=({"pairs": 1, "effect_low": math.nan, "effect_high": math.nan}, "1 seed, nothing is decided"),
    five=({"pairs": 5, "effect_low": 2.2, "p_adjusted": 0.0625}, "with 5 seeds, the smallest possible p is 0.062"),
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


# The study, what differs from `ROW` context by context, and the headline.
@cases(
    hurt=(ONE, [[]], "BN hurts: test loss 3.1 times as high"),
    one_context_of_each_verdict=(
        FOUR,
        [[], [LOWER], [EQUAL], [OPEN]],
        "BN hurts in 1, helps in 1, is equivalent in 1 and is undecided in 1 of 4 contexts",
    ),
    hurt_in_all=(
        FOUR,
        [[], [{"effect": 520.0}], [{"effect": 10.0}], []],
        "BN hurts in 4 of 4 contexts: test loss 3.1 to 520 times as high",
    ),
    two_alike_one_diverged_one_without_pairs=(
        FOUR,
        [[], [{"pairs": 18}], [DIVERGED], [NONE]],
        "BN hurts in 3 and lacks data in 1 of 4 contexts",
    ),
    all_four_undecided=(FOUR, [[OPEN]] * 4, "Nothing is decided between BN and no BN in 4 of 4 contexts"),
    no_pairs=(ONE, [[NONE]], "There are no pairs to compare yet"),
    undecided=(ONE, [[OPEN]], "Nothing is decided between BN and no BN"),
    two_equivalent_one_undecided_one_without_pairs=(
        FOUR,
        [[NONE], [OPEN], [EQUAL], [EQUAL]],
        "BN is equivalent in 2, is undecided in 1 and lacks data in 1 of 4 contexts",
    ),
    equivalent=(ONE, [[EQUAL]], "BN and no BN are equivalent, within the margin of 1.05"),
    by_ranks_alone=(ONE, [[DIVERGED]], "BN hurts, by ranks"),
    helped_in_some=(
        FOUR,
        [[LOWER], [OPEN], [OPEN], [OPEN]],
        "BN helps in 1 of 4 contexts (test loss 23 % lower) and is undecided in 3",
    ),
    eight_contexts_are_counted=(
        EIGHT,
        [[], [{"effect": 30.0}], [DIVERGED], [LOWER], [EQUAL], [OPEN], [OPEN], [NONE]],
        "Of 8 comparisons with no BN, 3 hurt, 1 helps, 1 is equivalent, 2 are undecided and 1 lacks data",
    ),
    three_arms=(
        THREE_ARMS,
        [[], [LOWER, SLOW]],
        "BN hurts: test loss 3.1 times as high; BN momentum=0.01 helps: test loss 23 % lower",
    ),
    three_arms_of_which_one_has_no_pairs=(
        THREE_ARMS,
        [[], [NONE, SLOW]],
        "BN hurts: test loss 3.1 times as high; BN momentum=0.01 lacks data",
    ),
    another_factor_hurt=(DEVICES, [[ON_CUDA]], "Cuda hurts compared with cpu: test loss 3.1 times as high"),
    another_factor_equivalent=(DEVICES, [[EQUAL, ON_CUDA]], "Cuda and cpu are equivalent, within the margin of 1.05"),
)  # fmt: skip
def test_a_headline(case, prose):
    study, rows, headline = case
    contexts = [labels for labels, _ in study.contexts()] * len(rows)
    table = pd.DataFrame([row(labels, *changes) for labels, changes in zip(contexts, rows, strict=False)])
    assert answers.headline(study, table) == headline
    assert answers.answer(study, table, headline, ["More.", ""]) == prose


def test_the_answer_of_one_comparison_is_its_sentence_with_the_interval():
    table = pd.DataFrame([row()])
    assert answers.answer(ONE, table, "BN hurts") == sentences.context(ONE, row())


def test_what_is_adjusted_and_how_is_said_for_all_sentences_together(prose):
    rows = [row({"family": 4, "limits": "flips"}, changes) for changes in ({}, LOWER, EQUAL, OPEN)]
    said = sentences.adjustment(rows)
    assert_states(said, ["all 4 comparisons at once", "adjusted for 4 comparisons by maxT", "equivalence", "Holm"])
    assert said == prose
    assert sentences.adjustment([row()]) == ""
    assert sentences.adjustment([row(NONE, {"family": 4})]) == ""


def test_the_seeds_that_undecided_contexts_would_need(prose):
    several = [row(), row(OPEN), row(OPEN, {"seeds_needed": 340.0})]
    said = sentences.needed(FOUR, several)
    assert_states(said, ["1.05", "80 %", "105 to 340 seeds"])
    assert said == prose
    assert sentences.needed(ONE, [row(OPEN, {"seeds_needed": math.inf, "seeds_needed_low": math.nan})]).endswith(
        "would take more than a million seeds."
    )
    assert sentences.needed(ONE, [row()]) == ""
