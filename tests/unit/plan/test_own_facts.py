"""What a plan keeps of a table of one's own: all that a comparison needs, in little room."""

import json
import shlex
import string

import own_tables as tables
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_tables import grid, measured

from bnbench.plan import own_facts
from bnbench.plan.own_study import OwnStudy

COMMAND_LINE = 128 * 1024
"""Bytes that Linux takes as one argument, MAX_ARG_STRLEN."""


def facts(settings, seeds):
    """Facts of a table with a factor `norm` and a context `lr`: (norm, lr) → ranges of seeds."""
    levels = {name: [*dict.fromkeys(each[place] for each in settings)] for place, name in enumerate(("norm", "lr"))}
    return {
        "factors": [{"name": name, "levels": own} for name, own in levels.items()],
        "settings": [
            {"labels": {"norm": norm, "lr": lr}, "seeds": own} for (norm, lr), own in zip(settings, seeds, strict=True)
        ],
        "seed": {"column": "seed", "coded": [], "ranges": [[0, 9]]},
        "set_aside": [],
        "notes": [],
    }


FOUR = [("none", "1"), ("none", "2"), ("batch", "1"), ("batch", "2")]


def test_settings_name_their_levels_by_place_and_count_their_runs():
    packed = own_facts.packed(facts(FOUR, [[[0, 9]], [[0, 3], [7, 7]], [[2, 4]], [[5, 5]]]), [("none", "batch")])
    assert packed["settings"] == [[0, 0, 10], [0, 1, 5], [1, 0, 3], [1, 1, 1]]
    assert own_facts.labels(packed, [1, 0]) == {"norm": "batch", "lr": "1"}
    assert packed["seed"] == {"column": "seed", "count": 10}


@pytest.mark.parametrize(
    ("seeds", "comparisons", "most"),
    [
        ([[[0, 9]], [[0, 5]], [[5, 14]], [[0, 4]]], [("none", "batch")], (5, 10, 10)),
        ([[[0, 9]], [[0, 5]], [[5, 14]], [[0, 4]]], [("batch", "none")], (5, 10, 10)),
        ([[[0, 2]], [[0, 5]], [[0, 90]], [[0, 3]]], [("none", "batch")], (4, 6, 4)),
        ([[[0, 2]], [[0, 5]], [[0, 90]], [[0, 3]]], [("none", "layer")], (0, 0, 0)),
    ],
)
def test_the_most_pairs_and_runs_are_those_of_one_comparison_in_one_context(seeds, comparisons, most):
    packed = own_facts.packed(facts(FOUR, seeds), comparisons)["most"]
    assert (packed["pairs"], packed["baseline"], packed["treatment"]) == most


def test_of_long_lists_the_first_are_kept_and_the_others_counted():
    many = {**facts(FOUR, [[[0, 1]]] * 4), "set_aside": [[f"c{place}", "empty", ""] for place in range(100)]}
    packed = own_facts.packed(many, [("none", "batch")])
    assert (len(packed["set_aside"]), packed["set_aside_more"]) == (own_facts.NAMED, 100 - own_facts.NAMED)


def test_a_thousand_runs_in_each_of_forty_settings_fit_on_a_command_line():
    columns = measured(
        grid(norm=["none", "batch"], task=[f"a long name of task {place}" for place in range(20)], seed=range(1000)),
        "val_loss",
    )
    columns["seed"] = [seed * 7919 % 1_000_003 for seed in columns["seed"]]  # not one next to another
    study = tables.study(columns, factor="norm")
    assert [setting.runs for setting in study.settings] == [1000] * 40
    assert len(shlex.quote(study.to_json()).encode()) < COMMAND_LINE / 10


names = st.text(string.ascii_letters + string.digits + string.punctuation + "äßλ'\"|", min_size=1, max_size=12).map(
    lambda text: f"x{text.strip()}x"
)


@given(st.lists(names, min_size=2, max_size=4, unique=True), st.lists(names, min_size=1, max_size=3, unique=True))
def test_whatever_levels_are_called_the_rules_hand_on_the_same_study(arms, tasks):
    columns = measured(grid(arm=arms, task=tasks, seed=range(3)), "val_loss")
    study = tables.study(columns, factor="arm", baseline=arms[0], contexts=["task"])
    again = OwnStudy(json.loads(study.to_json()))
    assert again == study
    assert again.settings == study.settings
    assert {tuple(setting.labels.values()) for setting in again.settings} == {
        (arm, task) for arm in arms for task in tasks
    }
