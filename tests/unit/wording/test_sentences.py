"""The words for verdicts: exactly, where they are read most."""

import math
import re

import pandas as pd
import pytest
import synthetic

from bnbench.wording import sentences

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
    "confidence": 0.95,
    "family": 1,
    "p_adjusted": 0.0002,
    "adjustment": "maxT",
    "p_equivalence": 0.9,
    "floored": 0,
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
EQUAL = {"verdict": "equivalent", "ratio": 1.0, "ratio_low": 0.96, "ratio_high": 1.04, "p_adjusted": 0.8}
EQUAL |= {"narrow_low": 0.971, "narrow_high": 1.0312, "p_equivalence": 0.003, "within_margin": True}
OPEN = {
    "verdict": "undecided",
    "ratio": 1.1,
    "ratio_low": 0.8,
    "ratio_high": 1.5,
    "p_adjusted": 0.31,
    "seeds_needed": 105.0,
}
DIVERGED = {"test": "worst-rank", "diverged_treatment": 12, "finite_pairs": 8}
NONE = {"verdict": "no data", "pairs": 0, "finite_pairs": 0, "p_adjusted": math.nan, "ratio": math.nan}


def row(*changes):
    found = dict(ROW)
    for change in changes:
        found |= change
    return found


def of_four(sentence):
    """The sentence on one context, as it reads where it is one of four."""
    method = "Holm" if "equivalent" in sentence else "maxT"
    sentence = sentence.replace("95 % interval", "simultaneous 95 % interval")
    return re.sub(r"\b(p = [\d.]*\d)", rf"\1, adjusted for 4 comparisons by {method}", sentence)


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
            "BN and no BN are equivalent: the ratio of their test losses, 1.000 (90 % interval 0.971 to 1.031), lies "
            "inside the margin of 1.05 (p = 0.003).",
        ),
        (
            [OPEN],
            "nothing is decided: the test loss with BN may be anything from 20 % lower to 50 % higher, compared "
            "with no BN (95 % interval; p = 0.31). At this spread, 105 seeds would show a ratio as small as 1.05 "
            "with 80 % power.",
        ),
        (
            [OPEN, {"ratio_low": 1.04, "p_adjusted": 0.06, "seeds_needed": math.inf}],
            "nothing is decided: the test loss with BN may be anything from 4 % higher to 50 % higher, compared "
            "with no BN (95 % interval; p = 0.06). The interval alone would rule out equal losses, the test does "
            "not. At this spread, more than a million seeds would show a ratio as small as 1.05 with 80 % power.",
        ),
        (
            [OPEN, {"p_adjusted": 0.01, "seeds_needed": math.nan}],
            "nothing is decided: the test loss with BN may be anything from 20 % lower to 50 % higher, compared "
            "with no BN (95 % interval; p = 0.01). The test alone would rule out equal losses, the interval does not.",
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
            [OPEN, DIVERGED, {"p_adjusted": 0.01, "ratio_low": 0.4, "ratio_high": 0.8}],
            "nothing is decided, counting a diverged trial as the worst test loss (p = 0.01): 12 of 20 trials diverged "
            "with BN and 0 of 20 with no BN. Among the 8 pairs that stayed finite, the test loss with BN may be "
            "anything from 2.5 × lower to 20 % lower, compared with no BN (95 % interval). The diverged trials and "
            "these pairs speak for different arms.",
        ),
        (
            [DIVERGED, {"diverged_treatment": 19, "finite_pairs": 1}],
            "BN hurts, counting a diverged trial as the worst test loss (p = 0.0002): 19 of 20 trials "
            "diverged with BN and 0 of 20 with no BN.",
        ),
        (
            [{"floored": 1200}],
            "BN hurts: the test loss with BN is 3.1 × higher (95 % interval 2.2 to 4.5) than with no BN (p = 0.0002). "
            "Losses of 0 to the last digit (1,200 of them) were raised to the smallest number.",
        ),
    ],
)
def test_a_context_reads_so(changes, sentence):
    start = "With Adam at full batch, over 20 seeds, "
    assert sentences.context(ONE, row(*changes)) == start + sentence
    assert sentences.context(FOUR, row({"family": 4}, *changes)) == start + of_four(sentence)


def test_few_seeds_read_so():
    one = sentences.context(ONE, row(OPEN, {"pairs": 1, "ratio_low": math.nan, "ratio_high": math.nan}))
    assert one == "With Adam at full batch, over 1 seed, nothing is decided: one pair shows no spread."
    five = sentences.context(ONE, row(OPEN, {"pairs": 5, "ratio_low": 2.2, "p_adjusted": 0.0625}))
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
        (ONE, [[OPEN]], "Over 20 seeds, nothing is decided between BN and no BN with Adam at full batch."),
        (
            ONE,
            [[{"ratio": 1.02, "ratio_low": 1.01, "ratio_high": 1.03, "within_margin": True}]],
            "Over 20 seeds, BN made the test loss 2 % higher (95 % interval 1 % to 3 %) with Adam at full batch, "
            "smaller than the margin of 1.05.",
        ),
        (
            FOUR,
            [[NONE], [OPEN], [EQUAL], [EQUAL]],
            "Over 20 seeds, BN and no BN were equivalent within the margin of 1.05 with Adam at batch 25 and with "
            "SGD at batch 25; nothing is decided with SGD at full batch; there are no pairs yet with Adam at full "
            "batch.",
        ),
        (
            FOUR,
            [[DIVERGED], [DIVERGED, LOWER, {"diverged_baseline": 3, "diverged_treatment": 0}], [LOWER], [OPEN]],
            "Over 20 seeds, BN was worse, counting diverged trials as the worst, with Adam at full batch (12 of 20 "
            "trials diverged with BN and 0 of 20 with no BN); BN made the test loss 23 % lower (95 % interval 5 % to "
            "37 %) with Adam at batch 25; BN was better, counting diverged trials as the worst, with SGD at full batch "
            "(0 of 20 trials diverged with BN and 3 of 20 with no BN); nothing is decided with SGD at batch 25.",
        ),
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


def test_an_answer_of_three_arms_leaves_none_of_them_out():
    labels = THREE_ARMS.contexts()[0][0]
    slow = {"treatment": "batch momentum=0.01"}
    said = sentences.answer(THREE_ARMS, pd.DataFrame([row(labels), row(labels, NONE, slow)]))
    assert said == (
        "Over 20 seeds, BN made the test loss 3.1 × higher (95 % interval 2.2 to 4.5) with Adam at full batch. "
        "There are no pairs of BN momentum=0.01 and no BN yet."
    )


def test_an_answer_with_undecided_contexts_alone_does_not_count_those_without_pairs():
    contexts = [labels for labels, _ in FOUR.contexts()]
    rows = [row(labels, OPEN) for labels in contexts[:3]] + [row(contexts[3], NONE)]
    assert sentences.answer(FOUR, pd.DataFrame(rows)) == (
        "Over 20 seeds, nothing is decided between BN and no BN in any of 3 contexts; there are no pairs yet with "
        "SGD at batch 25."
    )
