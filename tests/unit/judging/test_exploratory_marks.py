"""Marks of the table of all outcomes: in every row the mark, the p and the effect speak of the same pairs.

Or the cell says that they do not.
"""

import itertools
import math

import in_memory
import numpy as np
import pandas as pd
import pytest
import synthetic

from bnbench.judging import exploratory, sign_flips, stats
from bnbench.outcomes import OUTCOMES as KNOWN
from bnbench.vocabulary import ACCURACY, LOSSES
from bnbench.wording import explored

pytestmark = pytest.mark.filterwarnings("error")

AS_PLANNED = synthetic.plan(seeds=10, report={"target": 1.0})


def generated(key):
    """Pairs of two arms that may differ in anything: losses, accuracies, how often they diverge, how soon they fall."""
    generator = np.random.default_rng(key)
    seeds = generator.choice([0, 1, 4, 7, 9, 9, 9, 10])
    arms, diverging = [], generator.choice([0.0, 0.0, 0.2, 0.5], 2)
    for chance in diverging:
        level, spread = generator.normal(0, generator.choice([0.1, 2.0])), generator.choice([0.05, 0.5])
        fall = np.linspace(generator.choice([0.0, 1.0, 4.0]), 0, 4)[:, None]
        logs = level + spread * generator.standard_normal((len(LOSSES), 1, seeds)) + fall
        measured = {name: np.exp(values) for name, values in zip(LOSSES, logs, strict=True)}
        accuracy = 1 / (1 + np.exp(generator.normal(level, spread, (4, seeds))))
        gone = (generator.random(seeds) < chance) & (np.arange(4)[:, None] >= generator.integers(0, 4))
        arms.append({name: np.where(gone, np.nan, values) for name, values in {**measured, ACCURACY: accuracy}.items()})
    return in_memory.pairs(AS_PLANNED, *arms)


def flipped(differences):
    """P of the mean of a few differences, over all flips, spelled out."""
    sums = [abs(np.dot(signs, differences)) for signs in itertools.product((1, -1), repeat=len(differences))]
    return np.mean(np.array(sums) >= sums[0] - 1e-9)


def speaks_of_its_pairs(row, pairs):
    """Check one row: what is shown is of the pairs that the row names, and a mark needs both ways to agree."""
    no_effect = KNOWN[row["outcome"]].no_effect
    shown = np.sign(row["effect"] - no_effect)
    if row["marked"]:
        assert row["role"] == "exploratory"
        assert row["p_bh"] < AS_PLANNED.report.alpha
        assert shown == row["direction"] != 0
        assert not (row["bound"] == "at least" and shown < 0)
        assert not (row["bound"] == "at most" and shown > 0)
    assert explored.effect(AS_PLANNED, row).endswith("†") == row["marked"]
    counted = f"{row['finite_pairs']} of {row['pairs']} pairs" in explored.note(AS_PLANNED, row)
    assert counted == (row["finite_pairs"] < row["pairs"])
    if row["outcome"] in ("epochs_to_target", "seconds"):
        assert row["finite_pairs"] == row["pairs"]
        return
    baseline, treated = pairs.final(row["outcome"], AS_PLANNED.report.window)
    finite = np.isfinite(treated - baseline)
    assert row["finite_pairs"] == finite.sum()
    if finite.any():
        mean = (treated - baseline)[finite].mean()
        assert row["effect"] == pytest.approx(math.exp(mean) if KNOWN[row["outcome"]].is_ratio else mean)
    if finite.all() and row["pairs"]:
        assert row["p"] == pytest.approx(flipped(treated - baseline))
        assert row["direction"] == np.sign((treated - baseline).sum())


def restricted(pairs):
    """Log epochs to the target of both arms, spelled out, and how many trials reach it."""
    times, reached = np.empty((2, len(pairs.seeds))), [0, 0]
    for arm, found in enumerate((pairs.baseline, pairs.treated)):
        for place, losses in enumerate(found.losses["test_loss"].T):
            there = [10.0 * (1 + at) for at, loss in enumerate(losses) if loss <= 1.0]
            success = bool(there) and math.isfinite(losses[-1])
            times[arm, place] = math.log(there[0] if success else 40.0)
            reached[arm] += success
    return times, reached


def test_in_every_row_the_mark_the_p_and_the_effect_speak_of_the_same_pairs():
    seen = {"marked": 0, "not marked for its direction": 0, "at least": 0, "at most": 0, "restricted": 0, "fewer": 0}
    for key in range(250):
        pairs = generated(key)
        table = exploratory.adjusted(AS_PLANNED, exploratory.outcomes(AS_PLANNED, pairs))
        for row in table.to_dict("records"):
            speaks_of_its_pairs(row, pairs)
            small = row["p_bh"] < AS_PLANNED.report.alpha
            seen["marked"] += row["marked"]
            seen["not marked for its direction"] += small and not row["marked"]
            seen["fewer"] += row["marked"] and row["finite_pairs"] < row["pairs"]
            if isinstance(row["bound"], str):
                seen[row["bound"]] += 1
        epochs = table.set_index("outcome").loc["epochs_to_target"]
        (baseline, treated), reached = restricted(pairs)
        assert [epochs["reached_baseline"], epochs["reached_treatment"]] == reached
        if not math.isnan(epochs["p"]):
            assert epochs["effect"] == pytest.approx(math.exp((treated - baseline).mean()))
            assert epochs["p"] == pytest.approx(flipped(treated - baseline))
        else:
            assert (treated == baseline).all()
            assert math.isnan(epochs["effect"])
    assert min(seen.values()) > 5, seen


def test_where_an_arm_diverges_more_and_is_better_when_it_does_not_nothing_is_marked():
    baseline = {"test_loss": np.full(10, 1.0), "train_loss": np.full(10, 1.0)}
    treated = {"test_loss": np.full(10, 0.5), "train_loss": np.where(np.arange(10) < 9, np.nan, 0.5)}
    table = exploratory.adjusted(
        AS_PLANNED, exploratory.outcomes(AS_PLANNED, in_memory.pairs(AS_PLANNED, baseline, treated))
    )
    row = table.set_index("outcome").loc["train_loss"]
    assert (row["effect"], row["direction"], row["finite_pairs"]) == (pytest.approx(0.5), 1, 1)
    assert row["p_bh"] < 0.05
    assert not row["marked"]


@pytest.mark.parametrize(
    ("seeds", "rows", "fewest"),
    [
        (5, 1, 0),  # 2/2^5 = .0625 is no p below .05, however many tests there are
        (5, 32, 0),
        (6, 1, 1),  # 2/2^6 = .03125
        (6, 2, 2),  # .03125 · 2/1 = .0625, but .03125 · 2/2 = .03125
        (6, 32, 21),  # .03125 · 32/20 = .05 is not below it
        (10, 25, 1),  # 2/2^10 · 25 = .0488
        (10, 26, 2),
        (20, 999, 1),  # 19,999 random flips: .00005 · 999 = .04995
        (20, 1000, 2),
    ],
)
def test_how_many_tests_must_be_as_small_as_they_can_be_before_any_is_marked(seeds, rows, fewest):
    smallest = sign_flips.smallest_p(seeds)
    table = pd.DataFrame({"role": "exploratory", "p": [smallest] * rows, "pairs": seeds})
    others = pd.DataFrame({"role": ["primary", "descriptive"], "p": [1e-9, np.nan], "pairs": seeds})
    assert exploratory.fewest_marked(pd.concat([table, others]), 0.05) == fewest
    assert exploratory.tested_rows(pd.concat([table, others])) == rows
    # As many as that are below alpha, and one fewer are not.
    for count in range(max(fewest - 1, 1), rows + 1):
        p_bh = stats.benjamini_hochberg([smallest] * count + [1.0] * (rows - count))
        assert (p_bh.min() < 0.05) == (count >= fewest > 0)


def test_the_smallest_p_is_that_of_seeds_which_all_agree():
    for seeds in (1, 5, 16, 17, 30):
        assert sign_flips.sign_flip(np.linspace(1, 2, seeds)) == sign_flips.smallest_p(seeds)
