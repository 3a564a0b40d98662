"""A study of several arms: the headline tells of BN alone where all take too many words, then each arm has its own."""

import pandas as pd
import pytest
import synthetic

from bnbench.wording import answers

THREE = synthetic.plan(norm=["none", "batch", "layer", "rms"], batch_size=["full", 25])
NAMED = synthetic.plan(
    norm=["none", "batch", "layer"], batch_size=["full", 25], report={"compare": [["batch", "layer"]]}
)
EFFECTS = {"hurts": 3.0, "helps": 0.4, "undecided": 1.1, "no data": float("nan")}


def table(study, **verdicts):
    """Verdict of each comparison, the same in all contexts; `layer__batch` is layer norm against BN."""
    rows = []
    for labels, _ in study.contexts():
        for baseline, treatment in study.comparisons:
            verdict = verdicts[treatment if baseline == "none" else f"{treatment}__{baseline}"]
            diverged = 8 * (verdict == "diverged")
            rows.append(
                {
                    **labels,
                    "baseline": baseline,
                    "treatment": treatment,
                    "verdict": "undecided" if diverged else verdict,
                    "effect": EFFECTS.get(verdict, float("nan")),
                    "test": "mean",
                    "pairs": 0 if verdict == "no data" else 8,
                    "diverged_baseline": diverged,
                    "diverged_treatment": diverged,
                    "baseline_runs": 8,
                    "treatment_runs": 8,
                }
            )
    return pd.DataFrame(rows)


def said(study, **verdicts):
    rows = table(study, **verdicts)
    found = [answers.headline(study, rows), *answers.others(study, rows)]
    assert all(len(sentence.split()) <= answers.WORDS for sentence in found)
    return found


def test_each_further_arm_has_a_sentence_of_its_own():
    assert said(THREE, batch="hurts", layer="helps", rms="undecided") == [
        "BN hurts in 2 of 2 contexts: test loss 3.0 times as high",
        "Layer norm helps in 2 of 2 contexts: test loss 2.5-fold lower.",
        "Nothing is decided between RMS norm and no BN in 2 of 2 contexts.",
    ]


def test_arms_that_fit_into_one_headline_need_no_further_sentence():
    short = synthetic.plan(norm=["none", "batch", "layer"])
    (headline,) = said(short, batch="hurts", layer="helps")
    assert headline == "BN hurts: test loss 3.0 times as high; layer norm helps: test loss 2.5-fold lower"


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ("no data", "RMS norm lacks data in 2 of 2 contexts."),
        (
            "diverged",
            "Every trial of RMS norm and of no BN diverged in 2 of 2 contexts: there is nothing to compare.",
        ),
    ],
)
def test_a_sentence_about_one_arm_claims_nothing_of_the_others(verdict, sentence):
    """That there are no pairs at all, or that all arms diverged, is said of the whole study alone."""
    found = said(THREE, batch="hurts", layer="helps", rms=verdict)
    assert found[-1] == sentence
    assert found[0].startswith("BN hurts")


def test_a_headline_of_bn_without_pairs_does_not_deny_those_of_other_arms():
    headline, *others = said(THREE, batch="no data", layer="helps", rms="hurts")
    assert headline == "BN lacks data in 2 of 2 contexts"
    assert [sentence.split(" in ")[0] for sentence in others] == ["Layer norm helps", "RMS norm hurts"]


@pytest.mark.parametrize(
    ("verdict", "headline"),
    [
        ("no data", "There are no pairs to compare yet"),
        ("diverged", "Every trial of all arms diverged: there is nothing to compare"),
        ("undecided", "Nothing is decided in any of 6 comparisons"),
    ],
)
def test_what_holds_of_all_arms_is_said_once(verdict, headline):
    assert said(THREE, batch=verdict, layer=verdict, rms=verdict) == [headline]


def test_a_pair_that_does_not_hold_the_baseline_names_both_of_its_arms():
    *_, pair = said(NAMED, batch="hurts", layer="helps", layer__batch="helps")
    assert pair == "Layer norm helps compared with BN in 2 of 2 contexts: test loss 2.5-fold lower."
