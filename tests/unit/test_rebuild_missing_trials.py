"""Stores in which trials are missing or of no use: the page is there and names the gap, seed by seed.

Through the command line, from results as the trainer writes them to the page.
"""

import pandas as pd
import pytest
import synthetic
from stores import PLAN, TWO, paths, stored

from bnbench.store import report_tables
from bnbench.vocabulary import LOSSES
from bnbench.wording import formats

pytestmark = pytest.mark.filterwarnings("error")


def named(tmp_path, study):
    """(arm, batch size, seed, reason, epoch of divergence) of every trial that is left out or diverged."""
    table = report_tables.read(tmp_path / "reports" / study.name, "exclusions")
    rows = table[["norm", "batch_size", "seed", "reason", "epoch"]].itertuples(index=False, name=None)
    return {row[:-1] if pd.isna(row[-1]) else row for row in rows}


def assert_gap(rebuilt, tmp_path, study, gap, *said):
    """The page is there, names every trial of `gap` with its reason, and says all of `said`."""
    status, output, page = rebuilt(study)
    assert (status, output.err) == (0, "")
    assert named(tmp_path, study) == gap
    several = len(study.levels["batch_size"]) > 1
    for norm, batch_size, seed, *why in gap:
        assert " ".join(map(str, [norm, *([batch_size] if several else []), seed, *why])) in page
    for words in said:
        assert words in page or words in output.out


def missing(norms=("none", "batch"), sizes=("full",), seeds=range(8), reason="missing"):
    return {
        (norm, size, seed, *([reason] if isinstance(reason, str) else reason))
        for norm in norms
        for size in sizes
        for seed in seeds
    }


def test_a_whole_store_has_no_gap_and_more_seeds_than_asked_for_are_none_of_it(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    stored(tmp_path, synthetic.plan(**{**PLAN, "seeds": 16}))
    assert_gap(rebuilt, tmp_path, study, set(), "every trial that was asked for is in a pair", "collected 16 trials")


@pytest.mark.parametrize("kinds", [["trials", "losses", "predictions"], ["predictions"], ["losses"]])
def test_a_missing_chunk_or_part_of_one_is_named_seed_by_seed(rebuilt, tmp_path, kinds):
    study = synthetic.plan(**PLAN)
    found = paths(stored(tmp_path, study), study)
    for kind in kinds:
        found[kind].unlink()
    gap = missing(["batch"], seeds=range(4, 8))
    assert_gap(rebuilt, tmp_path, study, gap, "over 4 seeds", "4 of 16 trials are not trained yet", "(4 missing)")


def test_a_missing_arm_and_a_missing_context_are_named(rebuilt, tmp_path):
    study = synthetic.plan(**TWO)
    have = {("none", "full"), ("none", "25"), ("batch", "25")}
    stored(tmp_path, study, seeds=lambda labels: None if (labels["norm"], labels["batch_size"]) in have else [])
    assert_gap(rebuilt, tmp_path, study, missing(["batch"]), "BN hurts in 1 of 2 contexts", "lacks data in 1")


def test_a_missing_context_leaves_the_other_one_decided(rebuilt, tmp_path):
    study = synthetic.plan(**TWO)
    stored(tmp_path, study, seeds=lambda labels: None if labels["batch_size"] == "full" else [])
    assert_gap(rebuilt, tmp_path, study, missing(sizes=["25"]), "there are no pairs of BN and no BN yet", "BN hurts")


@pytest.mark.parametrize("folder", ["absent", "empty", "of other chunks"])
def test_a_store_without_a_trial_of_the_study_says_that_there_are_no_pairs(rebuilt, tmp_path, folder):
    study = synthetic.plan(**PLAN)
    if folder == "empty":
        (tmp_path / "results" / "losses").mkdir(parents=True)
    if folder == "of other chunks":
        stored(tmp_path, synthetic.plan(**{**PLAN, "seeds_per_job": {"cpu": 8}}))
    said = ("There are no pairs to compare yet.", "16 of 16 trials are not trained yet")
    assert_gap(rebuilt, tmp_path, study, missing(), *said)


def test_an_arm_that_is_not_finite_is_named_with_the_epoch(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    stored(tmp_path, study, diverged=synthetic.where("batch", range(8), 0))
    gap = missing(["batch"], reason=("diverged", 0))
    assert_gap(
        rebuilt,
        tmp_path,
        study,
        gap,
        "8 of 8 trials diverged with BN",
        "counting a diverged trial as the worst test loss",
    )


def test_one_finite_pair_of_a_context_is_shown_as_what_it_is(rebuilt, tmp_path):
    study = synthetic.plan(**TWO)
    at = lambda labels, seed: 7 if seed and labels["batch_size"] == "25" and labels["norm"] == "batch" else None  # noqa: E731
    stored(tmp_path, study, diverged=at)
    gap = missing(["batch"], ["25"], range(1, 8), ("diverged", 7))
    assert_gap(rebuilt, tmp_path, study, gap, "7 of 8 trials diverged with BN", "1 of 8")


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        (1, "one pair shows no spread"),
        (2, "nothing is decided"),
        (5, "with 5 seeds, the smallest possible p is 0.0625"),
    ],
)
def test_few_seeds_decide_nothing_and_say_so(rebuilt, tmp_path, seeds, said):
    study = synthetic.plan(**{**PLAN, "seeds": seeds})
    stored(tmp_path, study, noise=0.02)
    planned = f"40 epochs, {formats.count(seeds, 'seed')} "
    assert_gap(rebuilt, tmp_path, study, set(), said, planned, "Nothing is decided between BN and no BN")


def test_of_losses_that_are_all_0_nothing_is_decided_and_it_is_said_why(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    frames = synthetic.frames(study)
    for frame in frames.values():
        losses = [name for name in (*LOSSES, "y", "y_fit") if name in frame]
        frame[losses] = frame[losses].where(frame[losses].isna(), 0.0)
    stored(tmp_path, study, found=frames)
    said = ("nothing is decided, by ranks", "All 8 pairs have a loss below 5.7e-17, which float32 cannot tell from 0")
    assert_gap(rebuilt, tmp_path, study, set(), *said)
