"""The paragraph for a paper: every number in it is the study's own, and nothing in it is said that was not done."""

import re

import numpy as np
import pytest
import synthetic
from prose import assert_states, cases
from synthetic import GRID

from bnbench import __version__
from bnbench.wording import methods

pytestmark = pytest.mark.filterwarnings("error")

THREE_ARMS = {"norm": ["none", "batch", {"name": "batch", "momentum": 0.01}]}


def paragraph(compared, study, **options):
    return compared(study, **options)[1]["methods"]


def test_one_context(compared, prose):
    study = synthetic.plan(report={"target": 1.0})
    verdicts = compared(study, ratio=synthetic.arms(batch=3.0), noise=0.1)[1]
    said = verdicts["methods"]
    network = [
        "hidden layers 4, relu",
        "with and without BN",
        "40 epochs",
        "8 seeds",
        "y = sin(3x)",
        "Adam",
        "cpu",
    ]
    outcome = ["test loss", "last 5 %", "no BN", "all 2^8 flips", "α = 0.05", "95 %", "1/1.05 to 1.05"]
    trials = ["0 trials diverged"]
    software = ["bnbench 0.1.0", "PyTorch 2.13.0", "NumPy 2.0.0", "Python 3.11.2", "a processor"]
    assert_states(said, [*network, *outcome, *trials, *software])
    assert said == prose


def test_several_contexts_are_said_to_be_flipped_together(compared, prose):
    said = paragraph(compared, synthetic.plan(**GRID, seeds=9), noise=0.3)
    assert_states(said, ["4 contexts", "full batch and batch 25", "Adam", "SGD"])
    assert_states(said, ["All 4 comparisons", "maxT", "joint flip", "95 %", "simultaneously", "same flips", "Holm"])
    assert "Bonferroni" not in said
    assert said == prose


def test_contexts_of_other_seeds_are_said_to_be_flipped_together_too(compared, prose):
    said = paragraph(
        compared,
        synthetic.plan(**GRID, seeds=20),
        noise=0.3,
        seeds=lambda labels: range(19) if labels["batch_size"] == "25" else None,
    )
    assert_states(said, ["All 4 comparisons", "maxT", "joint flip", "same flips", "Of the trials, 4 were", "4 missing"])
    assert_states(said, ["19,999 random flips"])
    assert "Bonferroni" not in said
    assert said == prose


@pytest.mark.parametrize(
    ("seeds", "kept", "said", "unsaid"),
    [
        (8, 8, ["simultaneously", "Bonferroni", "too few"], "same flips"),
        (10, 8, ["simultaneously", "same flips", "too few", "Bonferroni"], "Student"),
        (9, 0, ["same flips"], "Bonferroni"),
        (1, 1, ["maxT"], "simultaneously"),
    ],
    ids=["few", "some few", "flips", "no intervals"],
)
def test_intervals_are_said_to_be_what_they_are(compared, seeds, kept, said, unsaid):
    found = paragraph(
        compared,
        synthetic.plan(**GRID, seeds=seeds),
        noise=0.3,
        seeds=lambda labels: range(kept) if labels["optimizer"].startswith("sgd") else None,
    )
    assert_states(found, said)
    assert unsaid not in found


@cases(
    none=({}, ["No trial", "0 trials diverged"]),
    missing=(
        {"seeds": lambda labels: range(7) if labels["norm"] == "batch" else None},
        ["Of the trials, 1 was", "1 missing", "0 trials diverged"],
    ),
    diverged=({"diverged": synthetic.where("batch", [3], 7)}, ["No trial", "1 trial diverged"]),
    several_reasons=(
        {"seeds": lambda labels: [0, 1, 2, 3, 4, 5, 6, 6, 9]},
        ["Of the trials, 6 were", "2 duplicated", "2 missing", "2 not asked for", "0 trials diverged"],
    ),
    other_weights=(
        {"weights_hash": synthetic.where("batch", [3, 4], "other", "same")},
        ["Of the trials, 2 were", "2 started from different weights", "0 trials diverged"],
    ),
)
def test_exclusions_and_divergences_are_counted(compared, case, prose):
    options, facts = case
    said = paragraph(compared, synthetic.plan(), noise=0.1, **options)
    (excluded,) = re.findall(r"[^.]*left out of the pairs[^.]*\.", said)
    assert_states(excluded, facts)
    assert excluded.strip() == prose


def test_worst_ranks_are_said_only_where_they_were_used(compared):
    study = synthetic.plan()
    assert "Lachin" not in paragraph(compared, study, noise=0.1)
    diverged = paragraph(compared, study, noise=0.1, diverged=synthetic.where("batch", [3], 7))
    assert_states(diverged, ["diverged", "worst ranks (Lachin 1999)"])


@pytest.mark.parametrize(("seeds", "said"), [(1, "all 2^1 flips"), (16, "all 2^16 flips"), (17, "19,999 random flips")])
def test_the_flips_are_those_that_were_gone_through(seeds, said):
    study = synthetic.plan()
    assert methods.randomization(study, seeds).startswith(said)
    assert ("Phipson" in methods.randomization(study, seeds)) == (seeds > 16)


def test_a_small_alpha_has_more_flips_and_they_are_said():
    study = synthetic.plan(report={"alpha": 1e-4})
    assert methods.randomization(study, 30).startswith("199,999 random flips")


def test_the_flips_are_those_of_the_pairs_that_there_are(compared):
    said = paragraph(compared, synthetic.plan(seeds=20), noise=0.1, seeds=lambda _: range(9))
    assert "over all 2^9 flips" in said


def test_a_check_of_the_code_is_no_part_of_the_methods(compared):
    # The baseline against itself is exact by construction, and says nothing of the study.
    said = paragraph(compared, synthetic.plan(), noise=0.1)
    assert not re.search(r"random splits|against itself|false difference", said)


def test_of_a_study_of_which_nothing_is_trained_no_paragraph_says_what_was_done(compared):
    said = paragraph(compared, synthetic.plan(**GRID), seeds=lambda labels: [])
    assert said == "Nothing has been trained yet."


def test_all_versions_and_devices_are_named_once(compared):
    said = paragraph(
        compared,
        synthetic.plan(**GRID),
        torch=lambda labels, seed: f"2.{seed % 2}",
        device_name=lambda labels, seed: "one" if labels["batch_size"] == "25" else "another",
    )
    assert_states(said, ["PyTorch 2.0 and 2.1", "NumPy 2.0.0", "Python 3.11.2", "another and one"])


def test_three_arms_and_deep_networks_are_described(compared, prose):
    said = paragraph(compared, synthetic.plan(**THREE_ARMS, hidden=[256, 128, 64], activation="tanh"), noise=0.1)
    assert_states(said, ["256–128–64, tanh", "without BN, with BN and with BN momentum=0.01", "Both comparisons"])
    assert said == prose


def test_other_factors_can_be_the_compared_one(compared, prose):
    study = synthetic.plan(**GRID, report={"factor": "optimizer", "baseline": "adam", "outcome": "train_loss"})
    said = paragraph(compared, study, noise=0.1)
    assert_states(
        said, ["Adam lr=0.001 and SGD lr=0.1", "without BN and with BN", "full batch and batch 25", "device cpu"]
    )
    assert_states(said, ["train loss", "log ratio to Adam lr=0.001"])
    assert said == prose


def test_what_is_compared_is_not_described_as_common_to_all(compared):
    study = synthetic.plan(norm="none", hidden=[[4], [4, 4]], report={"factor": "hidden", "baseline": [4]})
    said = paragraph(compared, study, noise=0.1)
    assert "networks (relu) with 4 hidden units and 4–4 hidden units were trained" in said
    assert "fixed the initial weights; all arms of a seed saw the same examples; the data are the same" in said
    assert "the same in all arms" not in said


def test_batches_of_other_sizes_are_not_called_the_same(compared):
    study = synthetic.plan(batch_size=["full", 25], report={"factor": "batch_size", "baseline": "full"})
    said = paragraph(compared, study, noise=0.1)
    assert "all arms of a seed started from the same weights and saw the same examples; the data are the same" in said
    assert "the same in all arms" not in said


def test_no_paragraph_has_a_hole(compared):
    hostile = synthetic.plan(**THREE_ARMS, batch_size=["full", 25], seeds=3)
    for options in (
        {"seeds": lambda labels: [] if labels["norm"] == "batch" else None},
        {"diverged": lambda labels, seed: 0},
        {"seeds": lambda labels: [0]},
    ):
        said = paragraph(compared, hostile, **options)
        assert not re.search(r"\bnan\b|None|  | [.,;)]|\(\)|\{|undefined", said)
        assert np.char.count(said, ".") > 5


def test_the_software_is_cited_by_its_version():
    assert f"version = {{{__version__}}}" in methods.BIBTEX
    assert methods.BIBTEX.count("{") == methods.BIBTEX.count("}")
