"""What was taken for what in a table of one's own, and how its runs were paired: the facts that each line states."""

import math
import re
from typing import get_args

import own_pages
import own_tables as tables
import pytest
from own_pages import CASES, RETURNS
from own_tables import grid, measured

from bnbench.own_results.reasons import Reason
from bnbench.wording import effects, own_captions, own_pairs, own_results, titles, words

RUNS = measured(grid(arm=["none", "new"], lr=[0.1, 0.2], seed=range(6), epoch=range(3)), "val_loss", "speed", "acc")
RUNS["note"] = ["the same"] * len(RUNS["seed"])


def reading(columns, **said):
    """The lines of a table by their role."""
    lines = own_results.reading(tables.study(columns, **said))
    return dict(line.split(": ", 1) for line in lines)


def test_each_role_has_a_line():
    said = reading(RUNS, outcome="val_loss")
    assert said["Table"] == "a frame in Python, 72 rows from 24 runs."
    assert said["Compared"] == "'arm', new against none, the baseline."
    assert said["Contexts"].startswith("'lr' (0.1, 0.2); ")
    assert said["Beside it"] == "'acc' (higher is better); it decides nothing."
    assert said["Seeds"] == "'seed', 6 seeds."
    assert said["Epochs"].startswith("'epoch', 0 to 2; ")
    assert "'note' (the same in all rows)" in said["Set aside"]
    assert "'speed' (its name does not say whether a lower or a higher value is better)" in said["Set aside"]


def test_what_is_guessed_from_the_name_of_the_outcome_is_told_as_a_guess():
    guessed, given = reading(RUNS, outcome="val_loss")["Outcome"], reading(RUNS, outcome="val_loss", better="lower")
    assert guessed == "'val_loss'; lower is better, as its name says; runs are compared by ratios, as losses are."
    assert given["Outcome"] == "'val_loss'; lower is better; runs are compared by ratios, as losses are."
    asked = reading(RUNS, outcome="speed", better="higher", scale="difference")["Outcome"]
    assert asked == "'speed'; higher is better; runs are compared by differences."


def test_a_margin_that_is_made_of_the_data_says_so():
    said = reading(RETURNS, factor="algo", baseline="dqn")["Margin"]
    least = "about 5 % of what the baseline comes to in the context where that is least"
    assert re.fullmatch(rf"\d+, which is {least}; set yours with --margin\.", said)
    assert reading(RUNS, outcome="val_loss")["Margin"] == "1.05, unless you set yours with --margin."
    assert reading(RUNS, outcome="val_loss", report={"margin": 1.2})["Margin"] == "1.2, as asked."


def test_without_further_columns_there_are_no_contexts():
    columns = CASES["dropout as numbers"].columns
    assert reading(columns, **CASES["dropout as numbers"].said)["Contexts"].startswith("none; ")


def test_odd_runs_have_a_line_each():
    said = reading(CASES["diverged, stopped and missing"].columns)
    assert said["Diverged"] == "2 runs ended with a value that is not finite, and count as the worst."
    assert said["Stopped early"] == "1 run stopped before the last epoch (clipping=on, seed 5)."
    assert said["Gaps"].startswith("2 runs lack epochs that others have (")


def rows(*ratios, correlation=0.5, pairs=8):
    """Rows of comparisons whose differences in pairs have these variances, against those of groups."""
    arms = {"baseline": "none", "treatment": "new", "runs_baseline": pairs, "runs_treatment": pairs}
    return [{**arms, "pairs": pairs, "correlation": correlation, "variance_ratio": ratio} for ratio in ratios]


PAIRED, GROUPS = tables.study(RUNS, outcome="val_loss"), tables.study(RUNS, outcome="val_loss", unpaired=True)


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ((0.49,), "their correlation is 0.50, and pairing reduces the standard error by about 30 %."),
        ((1.21,), "their correlation is 0.50, and pairing increases the standard error by about 10 %."),
        ((0.49, 0.36), "their correlation is 0.50, and pairing reduces the standard errors by about 30 % to 40 %."),
        (
            (0.49, 1.21),
            "pairing reduces the standard error in 1 of 2 comparisons by about 30 % and increases the "
            "standard error in 1 of 2 comparisons by about 10 %.",
        ),
        ((math.nan,), "their correlation is 0.50."),
        ((1.0,), "their correlation is 0.50."),
    ],
)
def test_what_pairing_buys_is_told_by_the_width_of_intervals(ratios, said):
    assert own_pairs.pairing(PAIRED, rows(*ratios)).endswith(said)


def test_pairs_without_a_spread_have_no_correlation():
    said = own_pairs.pairing(PAIRED, rows(math.nan, correlation=math.nan))
    assert said == "Pairs: runs of the same 'seed', 8 pairs; how they correlate is not known."


def test_groups_say_how_many_runs_there_are_and_what_pairs_would_have_bought():
    (row,) = rows(0.49)
    said = own_pairs.pairing(GROUPS, [{**row, "runs_treatment": 5}])
    assert said.startswith("Pairs: none; the arms are compared as two groups, 5 runs of new and 8 runs of none. ")
    assert said.endswith("would have reduced the standard error by about 30 %.")
    assert own_pairs.pairing(GROUPS, rows(math.nan)).endswith("two groups, 8 runs of each arm.")


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("epoch", ("epoch", "epochs")),
        ("global_step", ("global step", "global steps")),
        ("steps", ("step", "steps")),
        ("train/total_timesteps", ("total timestep", "total timesteps")),
        ("iter", ("iteration", "iterations")),
        ("_step", ("step", "steps")),
    ],
)
def test_what_counts_the_course_of_a_run_goes_by_the_name_of_its_column(column, said):
    columns = {**RUNS, column: RUNS["epoch"]}
    if column != "epoch":
        del columns["epoch"]
    found = words.of(tables.study(columns, outcome="val_loss", epoch=column))
    assert (found.run, found.epoch, found.epochs) == ("run", *said)


def test_levels_that_are_numbers_or_flags_go_by_their_column_and_others_by_themselves():
    said = CASES["dropout as numbers"].said
    numbers = tables.study(CASES["dropout as numbers"].columns, **said)
    assert [titles.arm(numbers, arm) for arm in numbers.arms] == ["dropout=0", "dropout=0.5"]
    assert (titles.heading(numbers), titles.context_name(numbers, {})) == ("dropout=0.5 against 0", "")
    flags = tables.study(CASES["diverged, stopped and missing"].columns)
    assert titles.heading(flags) == "clipping=on against off"
    assert titles.heading(PAIRED) == "new against none"
    assert titles.context_name(PAIRED, {"lr": "0.1"}) == "lr=0.1"
    norms = tables.study(CASES["norms"].columns, outcome="val_loss")
    assert titles.heading(norms) == "BN against no BN"


def test_outcomes_keep_the_word_of_the_user_whatever_it_means_elsewhere():
    columns = {**RUNS, "eval_loss": RUNS["val_loss"], "seconds": RUNS["speed"]}
    study = tables.study(columns, outcome="eval_loss")
    assert titles.outcome(study, "eval_loss") == "eval loss"
    assert titles.outcome(study, "your seconds") == "seconds"
    assert titles.outcome(study, "epochs_to_target") == "epochs to the target value"
    assert titles.axis(study) == "eval loss"


@pytest.mark.parametrize(
    ("value", "said"), [(0.08529, "0.0853"), (-1.2, "−1.2"), (12345.6, "12,346"), (473.4, "473"), (0, "0")]
)
def test_values_are_written_as_people_write_them(value, said):
    study = tables.study(RETURNS, factor="algo", baseline="dqn")
    assert effects.value(study.outcome, value) == said


def test_a_window_is_told_where_runs_have_a_course():
    assert own_captions.window(PAIRED) == "over the last 5 % of a run's measurements"
    last = tables.study(RUNS, outcome="val_loss", report={"window": 0.0})
    assert own_captions.window(last) == "at a run's last measurement"
    assert own_captions.window(tables.study(CASES["dropout as numbers"].columns, factor="dropout", baseline=0)) == ""


def test_captions_count_the_seeds_that_both_arms_have():
    study = tables.study(CASES["diverged, stopped and missing"].columns)
    assert len(study.seeds) == 12
    assert own_captions.seeds(study) == "11 seeds"
    assert own_captions.summary(study) == "23 runs (2 levels of clipping, 12 seeds)"
    assert own_captions.seeds(GROUPS) == "the runs of each arm"


def test_each_case_has_a_methods_paragraph_with_its_counts(tmp_path):
    page = own_pages.page(CASES["diverged, stopped and missing"], tmp_path)
    said = page.verdicts["methods"]
    assert said.startswith("The values of 23 runs were read from a frame in Python. ")
    assert "The levels of the column clipping were compared: clipping=on against off." in said
    assert "1 run is missing, and its partner is left out of the pairs. 2 runs diverged." in said
    assert (
        "It is not known whether the outcome, the comparisons, the margin and the number of runs were chosen " in said
    )


def test_every_reason_for_setting_a_column_aside_has_words():
    assert {*own_results.REASONS} == {*get_args(Reason)} - {""}


def test_runs_that_are_numbered_by_another_column_than_a_seed_would_have_made_no_pairs():
    columns = {"run" if name == "seed" else name: values for name, values in RUNS.items()}
    groups = tables.study(columns, outcome="val_loss", unpaired=True, seed="run")
    assert own_pairs.pairing(groups, rows(0.49)).endswith("two groups, 8 runs of each arm.")


def test_where_a_run_stopped_figures_over_the_epochs_say_what_they_show():
    stopped = tables.study(CASES["diverged, stopped and missing"].columns)
    assert own_captions.facts(stopped)["carried"] == "Where a run has no measurement, its last one is carried on."
    assert own_captions.facts(PAIRED)["carried"] == own_captions.facts(PAIRED)["followed"] == ""
    assert own_captions.end_of_course(stopped, 7) == "at epoch 7"
    assert own_captions.end_of_course(PAIRED, 7) == "at the last measurement"
