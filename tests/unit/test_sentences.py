"""The words for verdicts: exactly, where they are read most."""

import math
import re

import pandas as pd
import pytest
import synthetic

from bnbench import sentences

pytestmark = pytest.mark.filterwarnings("error")

OPTIMIZERS = [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]
ONE = synthetic.plan()
FOUR = synthetic.plan(batch_size=["full", 25], optimizer=OPTIMIZERS)
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
    "ratio": 3.1,
    "ratio_low": 2.2,
    "ratio_high": 4.5,
    "level": 0.95,
    "p_holm": 0.0002,
    "verdict": "hurts",
    "within_margin": False,
    "narrow_low": 2.4,
    "narrow_high": 4.1,
    "seeds_needed": math.nan,
    "diverged_baseline": 0,
    "diverged_treatment": 0,
    "test": "mean",
}
LOWER = {"verdict": "helps", "ratio": 0.77, "ratio_low": 0.63, "ratio_high": 0.95}
EQUAL = {"verdict": "equivalent", "ratio": 1.0, "ratio_low": 0.96, "ratio_high": 1.04, "p_holm": 0.8}
EQUAL |= {"narrow_low": 0.971, "narrow_high": 1.0312}
OPEN = {
    "verdict": "undecided",
    "ratio": 1.1,
    "ratio_low": 0.8,
    "ratio_high": 1.5,
    "p_holm": 0.31,
    "seeds_needed": 105.0,
}
DIVERGED = {"test": "worst-rank", "diverged_treatment": 12, "finite_pairs": 8}
NONE = {"verdict": "no data", "pairs": 0, "finite_pairs": 0, "p_holm": math.nan, "ratio": math.nan}


def row(*changes):
    found = dict(ROW)
    for change in changes:
        found |= change
    return found


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            [],
            "BN hurts: the test loss with BN is 3.1 × higher (95 % interval 2.2 to 4.5) than with no BN (p = 0.0002).",
        ),
        (
            [LOWER],
            "BN helps: the test loss with BN is 23 % lower (95 % interval 5 % to 37 %) than with no BN (p = 0.0002).",
        ),
        (
            [{"ratio": 1.02, "ratio_low": 1.01, "ratio_high": 1.03, "within_margin": True}],
            "BN hurts: the test loss with BN is 2 % higher (95 % interval 1 % to 3 %) than with no BN, "
            "smaller than the margin of 1.05 (p = 0.0002).",
        ),
        (
            [EQUAL],
            "BN and no BN are equivalent: the 90 % interval of the ratio of their test losses, 0.971 to "
            "1.031, lies inside the margin of 1.05.",
        ),
        (
            [OPEN],
            "nothing is decided: the test loss with BN may be anything from 20 % lower to 50 % higher, "
            "compared with no BN (95 % interval; p = 0.31). Were the true difference the observed one, 105"
            " seeds would show it with 80 % power.",
        ),
        (
            [OPEN, {"ratio_low": 1.04, "p_holm": 0.06, "seeds_needed": math.inf}],
            "nothing is decided: the test loss with BN may be anything from 4 % higher to 50 % higher, "
            "compared with no BN (95 % interval; p = 0.06). The interval alone would rule out equal "
            "losses, the test does not. Were the true difference the observed one, more than a million "
            "seeds would show it with 80 % power.",
        ),
        (
            [OPEN, {"p_holm": 0.01, "seeds_needed": math.nan}],
            "nothing is decided: the test loss with BN may be anything from 20 % lower to 50 % higher, "
            "compared with no BN (95 % interval; p = 0.01). The test alone would rule out equal losses, "
            "the interval does not.",
        ),
        (
            [DIVERGED],
            "BN hurts, counting a diverged trial as the worst test loss (p = 0.0002): 12 of 20 trials "
            "diverged with BN and 0 of 20 with no BN. Among the 8 pairs that stayed finite, the test loss "
            "with BN is 3.1 × higher (95 % interval 2.2 to 4.5) than with no BN.",
        ),
        (
            [OPEN, DIVERGED],
            "nothing is decided, counting a diverged trial as the worst test loss (p = 0.31): 12 of 20 "
            "trials diverged with BN and 0 of 20 with no BN. Among the 8 pairs that stayed finite, the "
            "test loss with BN may be anything from 20 % lower to 50 % higher, compared with no BN (95 % "
            "interval).",
        ),
        (
            [DIVERGED, {"diverged_treatment": 19, "finite_pairs": 1}],
            "BN hurts, counting a diverged trial as the worst test loss (p = 0.0002): 19 of 20 trials "
            "diverged with BN and 0 of 20 with no BN.",
        ),
    ],
)
def test_a_context_reads_so(changes, sentence):
    start = "With Adam at full batch, over 20 seeds, "
    assert sentences.context(ONE, row(*changes)) == start + sentence
    assert sentences.context(FOUR, row(*changes)) == start + re.sub(r"\bp = ", "Holm-adjusted p = ", sentence)


def test_few_seeds_read_so():
    one = sentences.context(ONE, row(OPEN, {"pairs": 1, "ratio_low": math.nan, "ratio_high": math.nan}))
    assert one == "With Adam at full batch, over 1 seed, nothing is decided: one pair shows no spread."
    five = sentences.context(ONE, row(OPEN, {"pairs": 5, "ratio_low": 2.2, "p_holm": 0.0625}))
    assert "the test does not, and over so few seeds it never could." in five
    assert sentences.context(ONE, row(NONE)) == "With Adam at full batch there are no pairs of BN and no BN yet."


@pytest.mark.parametrize(
    ("study", "rows", "sentence"),
    [
        (
            ONE,
            [[]],
            "Over 20 seeds, BN made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with Adam at full batch.",
        ),
        (
            FOUR,
            [[], [LOWER], [EQUAL], [OPEN]],
            "Over 20 seeds, BN made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with "
            "Adam at full batch; BN made the test loss 23 % lower (5 % to 37 %) with SGD at "
            "full batch; BN and no BN were equivalent within the margin of 1.05 with Adam at "
            "batch 25; nothing is decided with SGD at batch 25.",
        ),
        (
            FOUR,
            [[], [{"pairs": 18}], [DIVERGED], [NONE]],
            "Over 18 to 20 seeds, BN made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with "
            "Adam at full batch and 3.1 × higher (2.2 to 4.5) with SGD at full batch; BN was "
            "worse, counting diverged trials as the worst, with Adam at batch 25 (12 of 20 trials"
            " diverged with BN and 0 of 20 with no BN); there are no pairs yet with SGD at batch "
            "25.",
        ),
        (FOUR, [[OPEN]] * 4, "Over 20 seeds, nothing is decided between BN and no BN in any of 4 contexts."),
        (ONE, [[NONE]], "There are no pairs to compare yet."),
        (
            EIGHT,
            [[], [{"ratio": 30.0}], [DIVERGED], [LOWER], [EQUAL], [OPEN], [OPEN], [NONE]],
            "Over 20 seeds, BN hurt in 3 of 8 contexts (test loss 3.1 × to 30 × higher; 1 by counting "
            "diverged trials as the worst); BN helped in 1 (test loss 23 % lower); BN and no BN were "
            "equivalent within the margin of 1.05 in 1; nothing is decided in 2; there are no pairs yet in"
            " 1.",
        ),
        (
            THREE_ARMS,
            [[], [LOWER, {"treatment": "batch momentum=0.01"}]],
            "Over 20 seeds, BN made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with "
            "Adam at full batch. Over 20 seeds, BN momentum=0.01 made the test loss 23 % lower (95 % "
            "interval 5 % to 37 %) with Adam at full batch.",
        ),
        (
            DEVICES,
            [[{"norm": "none", "baseline": "cpu", "treatment": "cuda"}]],
            "Over 20 seeds, cuda instead of cpu made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with "
            "Adam at full batch.",
        ),
        (
            DEVICES,
            [[EQUAL, {"norm": "none", "baseline": "cpu", "treatment": "cuda"}]],
            "Over 20 seeds, cuda and cpu were equivalent within the margin of 1.05 with Adam at full batch.",
        ),
    ],
)
def test_an_answer_reads_so(study, rows, sentence):
    contexts = [labels for labels, _ in study.contexts()] * len(rows)
    table = pd.DataFrame([row(labels, *changes) for labels, changes in zip(contexts, rows, strict=False)])
    assert sentences.answer(study, table) == sentence


@pytest.mark.parametrize(
    ("percentile", "value", "seeds", "place"),
    [
        (83.3, 4e-4, 30, "is at the 83rd percentile of 30 seeds,"),
        (11.2, 4e-4, 30, "is at the 11th percentile of 30 seeds,"),
        (100, 2e-2, 30, "lies above all of 30 seeds,"),
        (0, 1e-9, 1, "lies below all of 1 seed,"),
    ],
)
def test_a_reference_point_reads_so(percentile, value, seeds, place):
    numbers = {"percentile": percentile, "value": value, "seeds": seeds, "lowest": 1e-5, "highest": 1e-2}
    point = {**ROW, "norm": "batch", "epoch": 4000, "outcome": "train_loss", "source": "the question", **numbers}
    start, end = (
        f"The question's {value:.2e} at epoch 4000 with BN",
        "whose train losses there run from 1.00e-05 to 1.00e-02.",
    )
    assert sentences.reference(ONE, point) == f"{start} {place} {end}"
    assert sentences.reference(FOUR, point) == f"{start} (Adam at full batch) {place} {end}"


@pytest.mark.parametrize(
    ("ratio", "low", "high", "words"),
    [
        (1.04, 1.004, 1.08, "4 % higher (0.4 % to 8 %)"),
        (1.5, 1.1, 2.6, "50 % higher (10 % to 160 %)"),
        (1.996, 1.2, 3.0, "2.0 × higher (1.20 to 3.0)"),
        (0.25, 0.2, 0.5, "4.0 × lower (2.0 to 5.0)"),
        (1.1, 0.5, 12.4, "10 % higher (2.0 × lower to 12 × higher)"),
        (6312.0, 10.0, 1.23e8, "6,300 × higher (10 to 1.2e+08)"),
        (1.0, 1.0, 1.0, "equal (equal to equal)"),
        (1.0, 0.0, math.inf, "equal (∞ × lower to ∞ × higher)"),
        (9.0, math.nan, math.nan, "9.0 × higher"),
    ],
)
def test_a_change_is_in_per_cent_below_a_factor_of_two(ratio, low, high, words):
    assert sentences.change({"ratio": ratio, "ratio_low": low, "ratio_high": high}) == words


@pytest.mark.parametrize(
    ("p", "words"),
    [(5e-5, "p < 0.0001"), (0.00123, "p = 0.0012"), (0.0496, "p = 0.0496"), (0.3126, "p = 0.31"), (1.0, "p = 1")],
)
def test_a_p_value_is_not_rounded_across_an_error_rate(p, words):
    assert sentences.p_value(p) == words
