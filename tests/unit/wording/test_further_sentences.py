"""The sentences beside the verdicts: interactions, the control, trajectories, reference points and cost, exactly."""

import math

import pandas as pd
import pytest
import synthetic

from bnbench.wording import sentences

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
ONE, FOUR = synthetic.plan(), synthetic.plan(**synthetic.GRID)
SLOW = "batch momentum=0.01"
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}], batch_size=["full", 25])

EFFECT = {
    "baseline": "none",
    "treatment": "batch",
    "factor": "main effect",
    "level": "",
    "against": "",
    "pairs": 8,
    "ratio": 3.1,
    "low": 2.2,
    "high": 4.5,
    "p_holm": 0.0078,
}
DOUBLING = {"factor": "batch_size", "level": "doubling"}
SGD = {"factor": "optimizer", "level": "sgd lr=0.1", "against": "adam lr=0.001"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "Over all contexts together, the test loss with BN is 3.1 × higher (95 % interval 2.2 to 4.5) than with no "
            "BN (8 seeds, p = 0.0078).",
        ),
        (
            {"ratio": 1.1, "low": 0.8, "p_holm": 0.31},
            "Over all contexts together, the test loss with BN is 10 % higher (95 % interval 20 % lower to 4.5 × "
            "higher) than with no BN (8 seeds, p = 0.31).",
        ),
        (
            DOUBLING,
            "With every doubling of the batch, the ratio of the test losses, BN to no BN, is multiplied by 3.1 (95 % "
            "interval 2.2 to 4.5) (8 seeds, p = 0.0078).",
        ),
        (
            {**SGD, "ratio": 0.5, "low": 0.25, "high": 0.75},
            "With SGD, the ratio of the test losses, BN to no BN, is that with Adam times 0.50 (95 % interval 0.25 to "
            "0.75) (8 seeds, p = 0.0078).",
        ),
        ({"pairs": 0, "ratio": NAN, "low": NAN, "high": NAN, "p_holm": NAN}, ""),
        ({"pairs": 1, "low": NAN, "high": NAN, "p_holm": 1.0}, ""),
        ({**SGD, "pairs": 1, "low": NAN, "high": NAN, "p_holm": 1.0}, ""),
    ],
)
def test_an_interaction_reads_so(changes, sentence):
    assert sentences.interaction(FOUR, {**EFFECT, **changes}) == sentence


def test_an_interaction_names_its_arm_its_baseline_and_its_level():
    said = sentences.interaction(THREE_ARMS, {**EFFECT, **DOUBLING, "treatment": SLOW})
    assert "BN momentum=0.01 to no BN, is multiplied by" in said
    study = synthetic.plan(**synthetic.GRID, report={"factor": "optimizer", "baseline": "adam", "alpha": 0.01})
    row = {
        **EFFECT,
        "baseline": "adam lr=0.001",
        "treatment": "sgd lr=0.1",
        "factor": "norm",
        "level": "batch",
        "against": "none",
    }
    assert sentences.interaction(study, row) == (
        "With BN, the ratio of the test losses, SGD lr=0.1 to Adam lr=0.001, is that with no BN times 3.1 (99 % "
        "interval 2.2 to 4.5) (8 seeds, p = 0.0078)."
    )


def test_a_small_factor_does_not_read_as_none():
    said = sentences.interaction(FOUR, {**EFFECT, **SGD, "ratio": 1.2e-4, "low": 1e-4, "high": 1.5e-4})
    assert "times 0.00 (" not in said


CONTROL = {"splits": 1000, "pairs": 10, "contexts": 4, "share": 0.042, "low": 0.031, "high": 0.0562}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "A/A control: no BN was compared with itself on two halves of its seeds, 10 pairs each; in 4.2 % of 1,000 "
            "random splits (3.1 % to 5.62 %) a difference was declared in any context, where there is none; at most "
            "5 % is promised.",
        ),
        (
            {"pairs": 4, "share": 0.0, "low": 0.0, "high": 0.00383},
            "A/A control: no BN was compared with itself on two halves of its seeds, 4 pairs each; in 0 % of 1,000 "
            "random splits (0 % to 0.383 %) a difference was declared in any context, where there is none; over so few "
            "pairs none ever can be.",
        ),
        (
            {"splits": 0, "pairs": 1, "share": NAN, "low": NAN, "high": NAN},
            "There are too few seeds to compare no BN with itself.",
        ),
    ],
)
def test_the_control_reads_so(changes, sentence):
    assert sentences.control(FOUR, {**CONTROL, **changes}) == sentence


@pytest.mark.parametrize(("pairs", "ever"), [(5, False), (6, True)])
def test_the_control_says_never_exactly_where_no_verdict_ever_could_be(pairs, ever):
    assert ("none ever can be" in sentences.control(ONE, {**CONTROL, "pairs": pairs})) == (not ever)


LAST = {**ONE.contexts()[0][0], "baseline": "none", "treatment": "batch", "ratio": 3.0, "pairs": 8}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"decided_from": 19.0},
            "With Adam at full batch, from epoch 19 on, the test loss with BN is higher than with no BN.",
        ),
        (
            {"decided_from": 0.0, "ratio": 0.2},
            "With Adam at full batch, from epoch 0 on, the test loss with BN is lower than with no BN.",
        ),
        ({"decided_from": NAN}, "With Adam at full batch the band holds equal losses at the last epoch."),
        (
            {"decided_from": 19.0, "pairs": 5},
            "With Adam at full batch no epoch is decided: 5 pairs can never decide.",
        ),
        (
            {"decided_from": NAN, "pairs": 1},
            "With Adam at full batch no epoch is decided: 1 pair can never decide.",
        ),
    ],
)
def test_a_trajectory_reads_so(changes, sentence):
    assert sentences.decided(ONE, {**LAST, **changes}) == sentence


def test_a_trajectory_of_one_of_three_arms_says_of_which():
    labels = {**THREE_ARMS.contexts()[0][0], "baseline": "none", "ratio": 1.0, "pairs": 8}
    rows = [{**labels, "treatment": arm, "decided_from": NAN} for arm in THREE_ARMS.arms[1:]]
    first, second = (sentences.decided(THREE_ARMS, row) for row in rows)
    assert first != second


def test_one_pair_has_no_band_that_could_hold_anything(compared):
    _, verdicts = compared(synthetic.plan(seeds=1), ratio=synthetic.arms(batch=9.0))
    assert not any("the band holds equal losses" in sentence for sentence in verdicts["trajectories"])


REFERENCE = {
    **ONE.contexts()[0][0],
    "norm": "batch",
    "epoch": 4000,
    "outcome": "train_loss",
    "printed_by": "the question",
    "value": 4e-4,
}


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
    point = {**REFERENCE, **numbers}
    start, end = (
        f"The question's {value:.2e} at epoch 4000 with BN",
        "whose train losses there run from 1.00e-05 to 1.00e-02.",
    )
    assert sentences.reference(ONE, point) == f"{start} {place} {end}"
    assert sentences.reference(FOUR, point) == f"{start} (Adam at full batch) {place} {end}"


def test_a_reference_point_where_nothing_was_measured_says_so():
    gone = {"percentile": NAN, "seeds": 0, "lowest": NAN, "median": NAN, "highest": NAN, "outcome": "test_loss"}
    assert sentences.reference(ONE, {**REFERENCE, **gone}) == (
        "The question's 4.00e-04 at epoch 4000 with BN has nothing beside it: no test loss was measured there."
    )


@pytest.mark.parametrize(
    ("of_arm", "sentence"),
    [
        (
            [(30.0, 8), (90.5, 8)],
            "Training and evaluating took 2 min 0 s: 30 s for 8 trials with no BN and 1 min 30 s for 8 trials with BN.",
        ),
        (
            [(7200.0, 1), (0.0, 0)],
            "Training and evaluating took 2 h 0 min: 2 h 0 min for 1 trial with no BN and 0 s for 0 trials with BN.",
        ),
    ],
    ids=["both arms", "one arm"],
)
def test_the_cost_reads_so(of_arm, sentence):
    assert sentences.cost(ONE, costs(of_arm)) == sentence


def costs(of_arm):
    rows = [
        {"norm": arm, "seconds": seconds, "trials": trials}
        for arm, (seconds, trials) in zip(ONE.arms, of_arm, strict=True)
    ]
    return pd.DataFrame(rows)


def test_without_trials_there_is_no_cost():
    assert sentences.cost(ONE, costs([(0.0, 0), (0.0, 0)])) == "Nothing was trained yet."
    assert sentences.cost(ONE, pd.DataFrame(columns=["norm", "seconds", "trials"])) == "Nothing was trained yet."
