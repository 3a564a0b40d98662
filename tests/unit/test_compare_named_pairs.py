"""Pairs that the config names are compared beside the baseline with each other arm, and change nothing of these."""

import math
import re
from functools import partial

import numpy as np
import pytest
import synthetic
from named_pairs import KNOWN, NAMED, PAIR, PLAIN, TUNED, by_rate
from prose import assert_states

from bnbench.judging import aa_control, sign_flips
from bnbench.wording import answers, titles

pytestmark = pytest.mark.filterwarnings("error")


def pairs_of(rows):
    return list(zip(rows["baseline"], rows["treatment"], strict=True))


def test_a_named_pair_has_a_row_in_each_context_with_its_own_baseline(compared):
    found, _ = compared(NAMED, **KNOWN)
    assert NAMED.comparisons == (("none", "batch"), ("none", "layer"), PAIR)
    for name in ("contexts", "outcomes", "pairs", "differences", "interactions"):
        assert list(dict.fromkeys(pairs_of(found[name]))) == [*NAMED.comparisons]
    assert pairs_of(found["contexts"]) == [*NAMED.comparisons] * 2
    assert found["contexts"]["verdict"].tolist() == ["hurts", "helps", "helps"] * 2


def test_the_ratio_of_a_named_pair_is_the_quotient_of_those_to_the_baseline(compared):
    found, _ = compared(NAMED, **KNOWN)
    for name, held in (("contexts", ["batch_size"]), ("interactions", ["factor"])):
        ratios = found[name].pivot_table(index=held, columns=["baseline", "treatment"], values="effect")
        np.testing.assert_allclose(ratios[PAIR], ratios["none", "layer"] / ratios["none", "batch"])
    losses = found["contexts"].set_index(["baseline", "treatment", "batch_size"]).sort_index()
    for size in ("full", "25"):
        assert losses.loc[(*PAIR, size), "baseline_value"] == losses.loc[("none", "batch", size), "treatment_value"]


def test_all_comparisons_are_one_family_by_joint_flips(compared):
    found, _ = compared(NAMED, **KNOWN)
    rows = found["contexts"]
    assert set(rows["family"]) == {6}
    assert set(rows["adjustment"]) == {"maxT"}
    per_seed = found["pairs"].assign(d=np.log(found["pairs"]["effect"]))
    names = ["batch_size", "baseline", "treatment"]
    values = np.stack([own["d"].to_numpy() for _, own in per_seed.groupby(names, sort=False)], axis=1)
    np.testing.assert_allclose(rows["p_max_t"], sign_flips.max_t(values).adjusted, rtol=0, atol=1e-12)
    low, high, _ = sign_flips.simultaneous(values, 0.95)
    np.testing.assert_allclose(rows[["effect_low", "effect_high"]], np.exp(np.stack([low, high], axis=1)))


def test_a_named_pair_changes_nothing_of_the_other_rows_but_the_size_of_their_family(tmp_path):
    frames = synthetic.frames(PLAIN, **KNOWN)
    (named, _), (plain, _) = (
        synthetic.compared(tmp_path / name, study, frames) for name, study in (("named", NAMED), ("plain", PLAIN))
    )
    kept = ["batch_size", "treatment", "effect", "own_low", "own_high", "p", "baseline_value", "hedges_dz"]
    others = named["contexts"][named["contexts"]["baseline"] == "none"].reset_index(drop=True)
    assert others[kept].equals(plain["contexts"][kept])
    assert (others["p_holm"] >= plain["contexts"]["p_holm"]).all()
    for name in ("curves", "modes", "fit", "control", "exclusions", "provenance"):
        assert named[name].equals(plain[name])


def test_the_a_a_control_is_of_the_studys_baseline_alone():
    def drawn(labels, key=0):
        of = {"none": 1, "batch": 2, "layer": 3}
        losses = [
            np.random.default_rng([of[labels[arm]], len(labels["batch_size"]), key * (of[labels[arm]] > 1)]).normal(
                size=8
            )
            for arm in ("baseline", "treatment")
        ]
        return range(8), *losses

    def control(study, drawn):
        return aa_control.table(study, synthetic.contrasts(study, drawn), synthetic.SPLITS)

    found = control(NAMED, drawn)
    assert found.equals(control(PLAIN, drawn))
    assert found.equals(control(NAMED, partial(drawn, key=1)))
    assert found.loc[0, "contexts"] == 2


def test_a_pair_is_called_by_labels_by_names_or_by_entries_and_any_number_of_them_is_compared():
    slow = {"name": "batch", "momentum": 0.5}
    norms = ["none", "batch", slow, "layer"]
    pairs = [["batch", slow], ["layer", "batch momentum=0.5"], [{"name": "layer"}, "batch"]]
    study = synthetic.plan(norm=norms, report={"compare": pairs})
    label = "batch momentum=0.5"
    assert study.report.compare == (("batch", label), ("layer", label), ("layer", "batch"))
    assert len(study.comparisons) == 6
    sizes = synthetic.plan(
        batch_size=["full", 25, 10], report={"factor": "batch_size", "baseline": "full", "compare": [[25, 10]]}
    )
    assert sizes.comparisons == (("full", "25"), ("full", "10"), ("25", "10"))


def test_what_is_compared_changes_no_address():
    assert [setting.address for setting in NAMED.settings] == [setting.address for setting in PLAIN.settings]


def test_sentences_say_against_what(compared, prose):
    found, verdicts = compared(NAMED, **KNOWN)
    rows = found["contexts"].to_dict("records")
    for row, said in zip(rows, verdicts["sentences"], strict=True):
        treated, base = titles.arm(NAMED, row["treatment"]), titles.with_arm(NAMED, row["baseline"])
        assert re.search(rf"{treated} {row['verdict']}: the test loss is .* (as|than) {base} \(", said)
    against = [titles.contrast_name(NAMED, row) for row in rows if row["baseline"] == "batch"]
    assert against == ["layer norm against BN, full batch", "layer norm against BN, batch 25"]
    assert titles.contrast_name(NAMED, rows[1]) == "layer norm, full batch"
    assert verdicts["headline"] in verdicts["sentence"]
    main = [said for said in verdicts["interactions"] if said.startswith("Over both contexts")]
    beside = [re.search(r" (?:as|than) (with(?:out)? .+?) \(", said)[1] for said in main]
    assert beside == ["without BN", "without BN", "with BN"]
    course = r"With full batch, from \d+ epochs on, the test loss with layer norm is \w+ than with BN\."
    assert any(re.fullmatch(course, said) for said in verdicts["trajectories"])
    assert "\n".join([verdicts["sentence"], *verdicts["sentences"], *main]) == prose


def test_a_pair_without_data_is_named_in_the_answer(compared):
    found, verdicts = compared(NAMED, **KNOWN, seeds=lambda labels: [] if labels["norm"] == "layer" else None)
    assert found["contexts"]["verdict"].tolist() == ["hurts", "no data", "no data"] * 2
    assert_states(verdicts["sentence"], ["BN hurts in 2 of 2", "Layer norm lacks data in 2 of 2"])
    assert_states(verdicts["sentence"], ["Layer norm lacks data compared with BN in 2 of 2 contexts."])
    assert "no pairs to compare" not in verdicts["sentence"]
    assert sum("no pairs of layer norm and no BN" in said for said in verdicts["sentences"]) == 2
    assert sum("no pairs of layer norm and BN" in said for said in verdicts["sentences"]) == 2


def test_the_answer_is_of_tuned_arms_and_that_at_equal_rates_stands_beside_it(compared):
    found, verdicts = compared(TUNED, ratio=by_rate, noise=0.05)
    best = answers.headline(TUNED, found["tuned"], "with tuned learning rates, ")
    equal = answers.headline(TUNED, found["contexts"], "at equal rates, ")
    assert best != equal
    assert verdicts["headline"] == best
    assert verdicts["sentence"].startswith(f"{best}.")
    assert verdicts["equal_rates"] == f"{equal}."
    named = found["tuned"].set_index(["baseline", "treatment"])
    assert named.loc[PAIR, "effect"] == pytest.approx(
        named.loc[("none", "layer"), "effect"] / named.loc[("none", "batch"), "effect"]
    )
    assert set(named["family"]) == {3}
    assert math.log(named.loc[PAIR, "effect"]) == pytest.approx(math.log(1.6), abs=0.1)
