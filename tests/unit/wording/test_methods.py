"""The paragraph for a paper: every number in it is the study's own, and nothing in it is said that was not done."""

import re

import numpy as np
import pytest
import synthetic
from synthetic import GRID

from bnbench import __version__
from bnbench.wording import formats, methods

pytestmark = pytest.mark.filterwarnings("error")

THREE_ARMS = {"norm": ["none", "batch", {"name": "batch", "momentum": 0.01}]}


def paragraph(compared, study, **options):
    return compared(study, **options)[1]["methods"]


def test_one_context_reads_so(compared):
    study = synthetic.plan(report={"target": 1.0})
    found, verdicts = compared(study, ratio=synthetic.arms(batch=3.0), noise=0.1)
    (control,) = found["control"].to_dict("records")
    share = formats.percent(control["share"])
    assert verdicts["methods"] == (
        "Fully connected networks (hidden layers 4, relu) with no BN and BN were trained for 40 epochs from 8 "
        "seeds in one context (task sine; initialization independent; schedule constant; batch size full; "
        "optimizer adam lr=0.001; device cpu). A seed "
        "fixed data, initial weights and the order of the examples, alike in all arms, so that trials were "
        "compared in pairs by seed (Bouthillier et al. 2021). The outcome, fixed before the run, was the "
        "geometric mean of the test loss over the last 5 % of the measured epochs; the estimand was the mean "
        "over seeds of its log ratio to no BN, reported as a ratio. Differences were tested against 0 by "
        "sign-flip randomization over all 2^8 flips. A comparison was called different at α = 0.05 where "
        "adjusted p and 95 % interval agreed, and equivalent where two one-sided t tests (Schuirmann 1987) "
        "placed the ratio within 1/1.05 to 1.05. All other outcomes are exploratory, adjusted for false "
        "discoveries (Benjamini & Hochberg 1995). No trial was left out of the pairs; 0 trials diverged. In "
        f"20 random splits of the baseline against itself, {share} gave a false difference. Computed with "
        "bnbench 0.1.0, PyTorch 2.13.0, NumPy 2.0.0 and Python 3.11.2 on a processor."
    )


def test_several_contexts_of_the_same_seeds_are_said_to_be_flipped_together(compared):
    said = paragraph(compared, synthetic.plan(**GRID), noise=0.3)
    assert "All 4 comparisons formed one family: p-values were adjusted by step-down maxT with one joint flip" in said
    assert "95 % intervals hold simultaneously" in said
    assert "in each of 4 contexts" in said
    assert "(Schuirmann 1987; Holm-adjusted)" in said
    assert "batch size full and 25; optimizer adam lr=0.001 and sgd lr=0.1" in said
    assert "Bonferroni" not in said


def test_contexts_of_other_seeds_are_said_to_be_adjusted_by_holm(compared):
    said = paragraph(
        compared,
        synthetic.plan(**GRID),
        noise=0.3,
        seeds=lambda labels: range(7) if labels["batch_size"] == "25" else None,
    )
    assert "as they had different seeds, p-values were adjusted by Holm (1979) and 95 % intervals by Bonferroni" in said
    assert "maxT" not in said
    assert "4 trials were left out of the pairs (4 missing)" in said


def test_intervals_that_are_bonferronis_are_said_to_be(compared):
    # A trial of one context diverged: it has other finite pairs, and no joint flip of residuals is possible.
    at = {("batch", "25", 3): 7}
    said = paragraph(
        compared,
        synthetic.plan(**GRID),
        noise=0.3,
        diverged=lambda labels, seed: at.get((labels["norm"], labels["batch_size"], seed)),
    )
    assert "step-down maxT" in said
    assert "Bonferroni" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "No trial was left out of the pairs; 0 trials diverged."),
        ({"seeds": lambda labels: range(7) if labels["norm"] == "batch" else None},
         "1 trial was left out of the pairs (1 missing); 0 trials diverged."),
        ({"diverged": synthetic.where("batch", [3], 7)}, "No trial was left out of the pairs; 1 trial diverged."),
        ({"seeds": lambda labels: [0, 1, 2, 3, 4, 5, 6, 6, 9]},
         "6 trials were left out of the pairs (2 duplicated, 2 missing and 2 not asked for); 0 trials diverged."),
        ({"weights_hash": synthetic.where("batch", [3, 4], "other", "same")},
         "2 trials were left out of the pairs (2 started from other weights than its pair); 0 trials diverged."),
    ],
    ids=["none", "missing", "diverged", "several reasons", "other weights"],
)  # fmt: skip
def test_exclusions_and_divergences_are_counted(compared, options, said):
    assert said in paragraph(compared, synthetic.plan(), noise=0.1, **options)


def test_worst_ranks_are_said_only_where_they_were_used(compared):
    study = synthetic.plan()
    assert "Lachin" not in paragraph(compared, study, noise=0.1)
    diverged = paragraph(compared, study, noise=0.1, diverged=synthetic.where("batch", [3], 7))
    assert "Contexts in which a trial diverged were tested on worst ranks (Lachin 1999)." in diverged


@pytest.mark.parametrize(("seeds", "said"), [(1, "all 2^1 flips"), (16, "all 2^16 flips"), (17, "19,999 random flips")])
def test_the_flips_are_those_that_were_gone_through(seeds, said):
    assert methods.randomization(seeds).startswith(said)
    assert ("Phipson" in methods.randomization(seeds)) == (seeds > 16)


def test_the_flips_are_those_of_the_pairs_that_there_are(compared):
    said = paragraph(compared, synthetic.plan(seeds=20), noise=0.1, seeds=lambda _: range(9))
    assert "over all 2^9 flips" in said


def test_the_control_is_not_spoken_of_where_there_are_too_few_seeds_for_it(compared):
    assert "random splits" not in paragraph(compared, synthetic.plan(seeds=3), noise=0.1)


def test_a_study_of_which_nothing_is_trained_has_a_paragraph_without_software(compared):
    said = paragraph(compared, synthetic.plan(**GRID), seeds=lambda labels: [])
    assert "64 trials were left out of the pairs (64 missing)" in said
    assert "Computed with" not in said


def test_all_versions_and_devices_are_named_once(compared):
    said = paragraph(
        compared,
        synthetic.plan(**GRID),
        torch=lambda labels, seed: f"2.{seed % 2}",
        device_name=lambda labels, seed: "one" if labels["batch_size"] == "25" else "another",
    )
    assert "PyTorch 2.0 and 2.1, NumPy 2.0.0 and Python 3.11.2 on another and one." in said


def test_three_arms_and_deep_networks_are_described(compared):
    said = paragraph(compared, synthetic.plan(**THREE_ARMS, hidden=[256, 128, 64], activation="tanh"), noise=0.1)
    assert "(hidden layers 256–128–64, tanh) with no BN, BN and BN momentum=0.01 were trained" in said
    assert "All 2 comparisons formed one family" in said


def test_other_factors_can_be_the_compared_one(compared):
    study = synthetic.plan(**GRID, report={"factor": "optimizer", "baseline": "adam", "outcome": "train_loss"})
    said = paragraph(compared, study, noise=0.1)
    assert "with Adam lr=0.001 and SGD lr=0.1 were trained" in said
    levels = "task sine; initialization independent; schedule constant; norm none and batch; batch size full and 25"
    assert f"({levels}; device cpu)" in said
    assert "the geometric mean of the train loss over" in said
    assert "log ratio to Adam lr=0.001" in said


def test_what_is_compared_is_not_described_as_common_to_all(compared):
    study = synthetic.plan(norm="none", hidden=[[4], [4, 4]], report={"factor": "hidden", "baseline": [4]})
    said = paragraph(compared, study, noise=0.1)
    assert "networks (relu) with 4 hidden units and 4–4 hidden units were trained" in said
    assert "order of the examples; all arms had the same data and order, so that trials were compared" in said


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
