"""Where a difference comes from: a part is a cause only where its p and its interval say so."""

import pandas as pd
import pytest
import synthetic

from bnbench.vocabulary import COMPONENTS
from bnbench.wording import why

ONE, FOUR = synthetic.plan(), synthetic.plan(**synthetic.GRID)
CLEAR, CHANCE = (0.9, 1.1, 0.001), (0.1, 9.0, 0.6)
"""Limits as multiples of an effect, and p."""

EFFECTS = {"weights": 24.0, "stale averages": 3.2, "total": 76.0, "batch noise": 1.5}


def decomposition(study, places=1, pairs=8, **limits):
    rows = []
    for labels, _ in study.contexts()[:places]:
        for component in COMPONENTS:
            low, high, p = limits.get(component.replace(" ", "_"), CLEAR)
            effect = EFFECTS[component]
            numbers = {"effect": effect, "low": low * effect, "high": high * effect, "p_adjusted": p, "pairs": pairs}
            numbers["family"] = 1
            rows.append({**labels, "baseline": "none", "treatment": "batch", "component": component, **numbers})
    return pd.DataFrame(rows)


def test_both_parts_are_factors_of_the_whole():
    assert why.sentences(ONE, decomposition(ONE)) == [
        "With Adam at full batch, the test loss with BN is 76 times as high as without BN: a factor of 24 is in the "
        "weights and a factor of 3.2 comes from stale running averages."
    ]


@pytest.mark.parametrize(
    ("limits", "named", "open_part"),
    [
        ({"weights": CHANCE}, "stale running averages", "How much is due to the weights is undecided."),
        ({"stale_averages": CHANCE}, "in the weights", "How much is due to stale running averages is undecided."),
        # Either alone decides nothing: a p without its interval, or an interval without its p.
        ({"weights": (0.01, 9.0, 0.001)}, "stale running averages", "How much is due to the weights is undecided."),
        ({"weights": (0.9, 1.1, 0.6)}, "stale running averages", "How much is due to the weights is undecided."),
    ],
)
def test_a_part_that_may_be_chance_is_no_cause(limits, named, open_part):
    (said,) = why.sentences(ONE, decomposition(ONE, **limits))
    assert said.count("a factor of") == 1
    assert named in said
    assert said.endswith(open_part)


def test_a_total_that_may_be_chance_has_no_size():
    (said,) = why.sentences(ONE, decomposition(ONE, total=CHANCE))
    assert "76" not in said
    assert "whether the test losses with BN and without BN differ at all is undecided" in said


def test_too_few_pairs_say_nothing_of_causes():
    (said,) = why.sentences(ONE, decomposition(ONE, pairs=1))
    assert said == "With Adam at full batch, too few pairs stay finite with BN to say where a difference comes from."


def test_the_summary_counts_the_contexts_in_which_a_part_is_a_cause():
    table = decomposition(FOUR, places=4)
    stale = table["component"].eq("stale averages") & table["batch_size"].eq("full")
    table.loc[stale, "p_adjusted"] = 0.6
    assert why.summary(FOUR, table) == (
        "Most of the difference is in the weights in all 4 contexts: training with BN led to worse networks, even when "
        "they are tested with exact statistics. Stale running averages contribute a factor of 3.2 in 2 of 4 contexts."
    )
    assert why.summary(ONE, decomposition(ONE, weights=CHANCE)).startswith(
        "It is not shown that most of the difference is in the weights."
    )
    assert why.summary(ONE, decomposition(ONE, stale_averages=CHANCE)).endswith(
        "What stale running averages add is undecided."
    )
    assert why.summary(ONE, decomposition(ONE, total=CHANCE)) == (
        "There is no decided difference of the test losses to explain."
    )
    few = why.summary(ONE, decomposition(ONE, pairs=5, total=(0.9, 1.1, 0.0625)))
    assert "no decided difference of the test losses to explain: with 5 seeds, the smallest possible p is 0.062" in few
    assert why.summary(ONE, table[:0]) == ""


def modes(training, evaluation):
    labels, _ = ONE.contexts()[0]
    rows = [("train_loss", *training), ("eval_loss", *evaluation)]
    columns = ("outcome", "loss", "low", "high")
    return pd.DataFrame([{**labels, "norm": "batch", **dict(zip(columns, row, strict=True))} for row in rows])


def test_modes_differ_where_their_intervals_do_not_overlap():
    apart = modes((1e-3, 0.9e-3, 1.1e-3), (2.2e-3, 2e-3, 2.4e-3))
    assert why.modes(ONE, apart) == [
        "With Adam at full batch, on the training points, the loss with BN is 1.00e-03 in training mode and 2.20e-03 "
        "in evaluation mode: there it is 2.2 times as high."
    ]
    assert why.modes(ONE, modes((1e-3, 0.9e-3, 2.1e-3), (2.2e-3, 2e-3, 2.4e-3))) == []
    assert why.modes(ONE, apart[:0]) == []
