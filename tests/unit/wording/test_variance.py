"""Sentences on the sources of randomness: what they must state, however worded, and when they say nothing."""

import math

import pandas as pd
import pytest
import synthetic
from prose import assert_states

from bnbench.wording import variance

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
SOURCES = ["all", "data", "weights", "order"]


def study(**changes):
    return synthetic.plan(**{"task": "diabetes", "batch_size": [25], "seed_varies": SOURCES, **changes})


def table(planned, numbers, seeds=20):
    """The table of the study's first arm; `numbers` are (deviation, share, low, high) by level."""
    labels = planned.settings[0].labels
    names = ("deviation", "variance_share", "variance_share_low", "variance_share_high")
    rows = [
        {
            **labels,
            "seed_varies": level,
            "outcome": "test_loss",
            "common_seeds": seeds,
            **dict(zip(names, of, strict=True)),
        }
        for level, of in numbers.items()
    ]
    return pd.DataFrame(rows)


NUMBERS = {
    "all": (0.2, 1.0, NAN, NAN),
    "data": (0.22, 1.213, 0.8, 1.84),
    "weights": (0.1, 0.254, 0.11, 0.55),
    "order": (0.01, 0.0025, 0.00123, 0.0051),
}


def test_each_source_has_its_variance_as_a_share_of_that_when_all_vary():
    planned = study()
    (said,) = variance.sentences(planned, table(planned, NUMBERS))
    assert said == (
        "Without BN (Adam at batch 25; 20 seeds), the variance of the log test loss is 121 % (95 % interval 80 % to "
        "184 %) of that with all sources varied where the data alone vary, 25 % (11 % to 55 %) where the initial "
        "weights alone vary and 0.25 % (0.12 % to 0.51 %) where the order of the examples alone varies."
    )


def test_dropout_masks_are_a_part_of_the_order():
    planned = study(network={"name": "mlp", "dropout": 0.5})
    (said,) = variance.sentences(planned, table(planned, NUMBERS))
    assert said.endswith("where the order of the examples (with the dropout masks) alone varies.")


def test_the_context_is_named_without_the_source():
    planned = study(batch_size=[25, 50])
    (said,) = variance.sentences(planned, table(planned, NUMBERS))
    assert_states(said, ["Without BN (batch 25; 20 seeds)"])


def test_a_source_that_changes_nothing_has_no_interval():
    planned = study(seed_varies=["all", "weights"])
    (said,) = variance.sentences(planned, table(planned, {"all": NUMBERS["all"], "weights": (0.0, 0.0, NAN, NAN)}))
    assert said.endswith("is 0 % of that with all sources varied where the initial weights alone vary.")


def test_without_all_sources_varied_there_are_deviations_alone():
    planned = study(seed_varies=["weights", "order"])
    numbers = {"weights": (0.1234, NAN, NAN, NAN), "order": (0.05, NAN, NAN, NAN)}
    (said,) = variance.sentences(planned, table(planned, numbers))
    assert_states(
        said, ["standard deviation of the log test loss", "0.12 where the initial weights", "0.05 where the order"]
    )
    assert "%" not in said


@pytest.mark.parametrize("seeds", [0, 1, 2])
def test_too_few_seeds_are_said_to_be_too_few(seeds):
    planned = study()
    (said,) = variance.sentences(planned, table(planned, dict.fromkeys(SOURCES, (NAN,) * 4), seeds))
    assert_states(said, ["too few seeds"])
    assert "%" not in said


def test_a_loss_without_spread_is_said_to_have_none():
    planned = study()
    (said,) = variance.sentences(planned, table(planned, dict.fromkeys(SOURCES, (0.0, NAN, NAN, NAN))))
    assert_states(said, ["the same for every seed"])


@pytest.mark.parametrize("task", ["sine", {"name": "sine", "noise": 0.3}, "mixture"])
def test_of_functions_every_seed_is_a_new_data_set(task):
    assert variance.rows_alone(synthetic.plan(task=task)) == ""


def test_of_splits_it_is_said_for_which_rows_the_intervals_are():
    said = variance.rows_alone(synthetic.plan(task=["sine", "diabetes", "digits"]))
    assert said.startswith("All seeds split the same ")
    assert_states(said, ["rows of diabetes and digits", "this data set, not new data", "more seeds do not change that"])
    assert "elsewhere" not in said


def test_where_the_data_do_not_vary_the_intervals_are_for_one_split():
    said = variance.rows_alone(study(seed_varies=["weights", "order"]))
    assert_states(said, ["the same for every seed", "this split alone"])
    assert "draws another" not in said
    assert_states(variance.rows_alone(study()), ["where the data vary", "elsewhere they describe one split alone"])
