"""Cases that went wrong once, or easily would, each with its right answer: from a store to numbers and sentences."""

import itertools
import math

import numpy as np
import pytest
import synthetic
from audited import ADAM, DIGITS, GRID, KINDS, SGD, made, scored, zero

from bnbench.errors import UserError
from bnbench.judging import verdicts
from bnbench.vocabulary import MEASURED
from bnbench.wording import effects, explored

ACCURACY = {"outcome": "test_accuracy", "margin": 0.01}


@pytest.fixture
def judged(tmp_path):
    """Compare a kind of store; returns its tables by name, and `verdicts.json`."""
    return lambda kind: synthetic.compared(tmp_path, kind.study, kind.found, splits=0)


def context(tables, **labels):
    table = tables["contexts"]
    for name, label in labels.items():
        table = table[table[name] == label]
    (row,) = table.to_dict("records")
    return row


def times(factor):
    """BN has `factor` times the losses of no BN, by seed, but for a little."""

    def edit(curves):
        little = 1 + 1e-4 * np.random.default_rng(3).standard_normal(len(curves))
        for name in MEASURED[:4]:
            none = curves.loc[curves["norm"] == "none", name].to_numpy()
            curves.loc[curves["norm"] == "batch", name] = factor * none
            curves[name] *= little
        return curves

    return edit


def signs_that_flip(values):
    signs = np.array([*itertools.product([1, -1], repeat=len(values))])
    return float((np.abs(signs @ values) >= abs(values.sum()) - 1e-12).mean())


def test_gaps_on_losses_of_zero_are_no_ratio_of_1e16(judged):
    # The cross-entropy of digits reaches exactly 0 on every third seed, late in the training.
    late = zero(["eval_loss"], lambda curves: (curves["seed"] % 3 == 0) & (curves["epoch"] > 30))
    tables, said = judged(made({"seeds": 20, **DIGITS}, late, outcome="generalization_gap"))
    row = context(tables)
    assert (row["verdict"], row["test"], row["floored"], row["pairs"]) == ("undecided", "rank", 7, 20)
    assert row["resolution"] == pytest.approx(2**-23 / 1437)  # one example at the smallest logarithm, the others at 0
    assert max(abs(row[name]) for name in row if name.startswith(("effect", "own", "raised", "hl"))) < 5
    assert "nothing is decided" in said["sentence"].lower()


def test_a_zero_among_twenty_pairs_does_not_blow_up_an_interval(judged):
    tables, _ = judged(KINDS["a zero"]())
    row = context(tables)
    assert (row["floored"], row["finite_pairs"], row["test"]) == (1, 20, "rank")
    for name in ("effect", "own", "effect_last", "hl"):
        assert 0.5 < row[f"{name}_low"] < row[f"{name}_high"] < 3, name
    # The pair that is 0 with BN counts for BN, as it certainly does.
    pairs = tables["pairs"]
    wins = (pairs["treatment_value"] < pairs["baseline_value"]).sum()
    assert row["win_rate"] == wins / 20
    assert math.isnan(pairs.loc[4, "effect"])


def test_where_the_baseline_is_always_zero_bn_hurts_by_ranks_at_least_so_much(judged):
    tables, said = judged(KINDS["zeros of an arm"]())
    row = context(tables)
    assert (row["verdict"], row["test"], row["p"], row["bound"]) == ("hurts", "rank", 2 / 2**10, "at least")
    assert math.isnan(row["effect"])
    assert math.isnan(row["effect_last"])
    (sentence,) = said["sentences"]
    assert "BN hurts, by ranks (p = 0.002)" in sentence
    assert "is at least" in sentence
    assert "times as high" not in said["headline"]


def test_tuned_arms_with_losses_of_zero_say_below_which_they_are(judged):
    tables, said = judged(KINDS["tuned with zeros"]())
    (row,) = tables["tuned"].to_dict("records")
    # The squared error of one of the test points at the precision of float32.
    assert row["resolution"] == context(tables, optimizer="adam lr=0.001")["resolution"]
    assert "below 5.7e-17, which float32 cannot tell from 0" in said["tuned"][0]


def test_a_negative_loss_is_refused_with_one_message(judged):
    def negative(curves):
        wrong = (
            (curves["norm"] == "batch") & (curves["seed"] == 2) & (curves["epoch"] > 30) & curves["eval_loss"].notna()
        )
        return curves.assign(eval_loss=curves["eval_loss"].mask(wrong, -0.5))

    with pytest.raises(UserError, match=r"eval_loss is -0\.5 in one of its rows, allowed: 0 or more") as error:
        judged(made({"seeds": 6}, negative))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("factor", [1.0, 1.01])
def test_equal_pairs_show_no_spread_however_their_logarithms_are_rounded(judged, factor):
    def same(curves):
        for name in MEASURED[:4]:
            none = curves.loc[curves["norm"] == "none", name].to_numpy()
            curves.loc[curves["norm"] == "batch", name] = factor * none
        return curves

    tables, _ = judged(made({"seeds": 8}, same))
    assert context(tables)["p_equivalence"] == 0.5**8
    tables, said = judged(made({"seeds": 2}, same))
    assert context(tables)["verdict"] == "undecided"
    assert math.isnan(context(tables)["p_equivalence"])
    if factor == 1:
        assert "nothing is decided: all pairs have the same ratio, and show no spread" in said["sentences"][0]
    assert "from equal to equal" not in said["sentences"][0]


def test_an_arm_that_five_of_twenty_seeds_get_there_with_is_not_marked_as_faster(judged):
    def reaching(curves):
        bn, epoch = curves["norm"] == "batch", curves["epoch"]
        there = np.where(bn, (curves["seed"] < 5) & (epoch >= 3), epoch >= 35)
        for name in MEASURED[:4]:
            curves[name] = np.where(curves[name].notna(), np.where(there, 1e-3, 1.0), np.nan)
        return curves

    kind = made({"seeds": 20}, reaching, report={"target": 0.01})
    tables, _ = judged(kind)
    (row,) = tables["outcomes"].query("outcome == 'epochs_to_target'").to_dict("records")
    assert (row["reached_baseline"], row["reached_treatment"]) == (20, 5)
    # 5 seeds at 4 epochs, 15 at the 40 that were measured, against 36: a bound from below.
    assert row["effect"] == pytest.approx(math.exp((5 * math.log(4 / 36) + 15 * math.log(40 / 36)) / 20))
    assert (row["direction"], row["bound"]) == (-1, "at least")
    assert not row["marked"]
    assert explored.effect(kind.study, row) == "at least 0.62"
    assert "20 and 5 of 20 reach it" in explored.note(kind.study, row)


def test_one_missing_trial_among_twenty_thousand_leaves_a_study_decided():
    generator = np.random.default_rng(0)
    family = []
    for place in range(1001):
        seeds = np.arange(1 if place == 7 else 0, 20)
        baseline, treated = generator.normal([[0.0], [0.3]], 0.1, (2, len(seeds)))
        labels = {"baseline": "none", "treatment": "batch"}
        family.append(verdicts.Contrast(labels, seeds, baseline, treated, baseline, treated, 0, ()))
    decisions = verdicts.decide(synthetic.plan().report, family)
    assert {decision.verdict for decision in (decisions[7], decisions[8])} == {"hurts"}
    assert np.mean([decision.verdict == "hurts" for decision in decisions]) > 0.95


def test_six_seeds_that_decide_nothing_have_no_direction_over_the_epochs(judged):
    # One seed of six differs the other way, so that p = .0938 by 6 of the 64 flips.
    ratio = lambda labels, seed: 1.0 if labels["norm"] == "none" else 1 / 1.05 if seed == 3 else 1.2  # noqa: E731
    tables, said = judged(made({"seeds": 6}, ratio=ratio, noise=0.0, shared=0.0))
    differences = np.log(tables["pairs"]["effect"].to_numpy())
    assert context(tables)["p"] == pytest.approx(signs_that_flip(differences))
    assert context(tables)["p"] > 0.05
    assert tables["differences"]["decided_from"].isna().all()
    assert not any(word in said["trajectories"][0] for word in ("lower", "higher"))


def test_a_mean_over_contexts_that_disagree_has_a_direction_only_where_it_is_decided(judged):
    tables, said = judged(KINDS["opposed contexts"]())
    main = tables["interactions"].iloc[0]
    assert main[["contexts_helped", "contexts_hurt", "contexts_undecided"]].tolist() == [3, 1, 0]
    decided = main["p_adjusted"] < 0.05 and not main["low"] <= 1 <= main["high"]
    assert decided
    assert "The contexts disagree: by their own verdicts, BN helps in 3 and BN hurts in 1." in said["interactions"][0]

    # The same with more noise: three of four are lower, and nothing is decided of the mean.
    def opposed(labels, seed):
        up = labels["batch_size"] == "25" and labels["optimizer"].startswith("sgd")
        return 1.0 if labels["norm"] == "none" else 9.0 if up else 0.5

    tables, said = judged(made({"seeds": 8, **GRID}, ratio=opposed, noise=0.6))
    main = tables["interactions"].iloc[0]
    assert main["low"] <= 1 <= main["high"]
    assert "Over all 4 contexts together, nothing is decided" in said["interactions"][0]
    counted = main[["contexts_helped", "contexts_hurt", "contexts_equivalent", "contexts_undecided"]]
    assert counted.sum() == 4
    assert all(f"in {count}" in said["interactions"][0] for count in counted if count)


@pytest.mark.parametrize(
    ("changes", "limits", "called"),
    [
        ({}, "Student", "(95 % interval"),
        ({"optimizer": [ADAM, SGD]}, "Bonferroni", "(simultaneous 95 % interval"),
    ],
)
def test_six_seeds_have_the_limits_that_they_are_said_to_have(judged, changes, limits, called):
    tables, said = judged(made({"seeds": 6, **changes}))
    assert set(tables["contexts"]["limits"]) == {limits}
    assert all(called in sentence for sentence in said["sentences"])


def test_where_every_trial_diverged_the_headline_says_so(judged):
    _, said = judged(KINDS["both arms diverged"]())
    assert said["headline"] == "Every trial of BN and of no BN diverged in 2 of 2 contexts: there is nothing to compare"


def test_a_ratio_close_to_1_that_is_decided_is_not_shown_as_1(judged):
    kind = made({"seeds": 10}, times(1.004), report={"margin": 1.001})
    tables, said = judged(kind)
    row = context(tables)
    assert row["verdict"] == "hurts"
    assert effects.plain(kind.study.outcome, row["effect"]) == "1.004"
    assert "0.4 % higher" in said["sentence"]


def test_seeds_needed_come_with_a_range(judged):
    tables, said = judged(made({"seeds": 6}, ratio=1.0))
    row = context(tables)
    assert 6 < row["seeds_needed_low"] < row["seeds_needed"] < row["seeds_needed_high"]
    numbers = [f"{row[f'seeds_needed{end}']:,.0f}" for end in ("", "_low", "_high")]
    assert "{} seeds ({} to {})".format(*numbers) in said["needed"]


def test_accuracies_that_are_higher_are_higher_in_every_number_and_sentence(judged):
    tables, said = judged(made({"seeds": 12, **DIGITS}, lambda curves: scored(curves, better=0.05), report=ACCURACY))
    row = context(tables)
    assert row["verdict"] == "helps"
    for name in ("effect", "own", "narrow", "corrected", "hl", "effect_last"):
        assert 0 < row[f"{name}_low"] < row[f"{name}_high"] < 0.1, name
    assert row["corrected_low"] < row["own_low"] < row["effect"] < row["own_high"] < row["corrected_high"]
    assert row["hedges_dz"] > 0
    assert row["win_rate"] > 0.9
    assert "percentage points higher" in said["sentence"]
    assert "the test accuracy with BN is higher than without BN" in said["trajectories"][0]
    assert all("lower" not in sentence for sentence in [*said["sentences"], *said["trajectories"]])


def test_what_holds_over_seeds_that_stayed_finite_alone_is_said_to(judged):
    _, said = judged(KINDS["accuracies of four contexts"]())  # of which 3 of 10 trials with BN diverge
    assert all("12 trials diverged, whose seeds are left out" in sentence for sentence in said["interactions"])


@pytest.mark.parametrize("better", [-0.05, 0.0])
def test_accuracies_that_are_lower_or_alike_are_said_to_be(judged, better):
    tables, said = judged(made({"seeds": 12, **DIGITS}, lambda curves: scored(curves, better), report=ACCURACY))
    row = context(tables)
    assert (row["verdict"] == "hurts") == (better < 0)
    assert row["corrected_low"] < row["effect"] < row["corrected_high"]
    assert ("the test accuracy with BN is lower than without BN" in said["trajectories"][0]) == (better < 0)


def test_a_small_alpha_has_its_many_flips_in_every_table(judged):
    # One flip of 200,000: of the 19,999 that do for an alpha of 5 %, the smallest p is ten times as large.
    report = {"alpha": 1e-4}
    tables, _ = judged(made({"seeds": 24, "optimizer": [ADAM, SGD]}, ratio=synthetic.arms(batch=9.0), report=report))
    primary = tables["outcomes"].query("role == 'primary'")
    assert tables["contexts"]["p"].tolist() == primary["p"].tolist() == [1 / 200_000] * 2
    assert tables["interactions"]["p"][0] == 1 / 200_000
