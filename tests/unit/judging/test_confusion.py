"""Which class is taken for which, computed directly from the counts."""

from functools import partial
from itertools import product

import counted
import numpy as np
import pytest
import synthetic
from scipy import stats as scipy_stats

from bnbench.judging import tuning
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

MOONS = {"task": "moons", "seeds": 7}


def confusion(compared, study, counts=counted.drawn, **options):
    return compared(study, counted.frames(study, counts, **options))[0]["confusion"]


def shares(labels, seed, true, predicted):
    row = np.array(counted.drawn(labels, seed))[true]
    return row[predicted] / row.sum()


def differences(true, predicted, seeds):
    arms = [[shares({"norm": norm}, seed, true, predicted) for seed in seeds] for norm in ("none", "batch")]
    return np.array(arms[1]) - arms[0], *map(np.mean, arms)


def test_shares_differences_and_tests_are_those_of_the_counts(compared):
    table = confusion(compared, synthetic.plan(**MOONS))
    assert [*zip(table["class"], table["predicted"], strict=True)] == [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")]
    every = [differences(true, predicted, range(7))[0] for true, predicted in product((0, 1), repeat=2)]
    flips = np.array([*product((1, -1), repeat=7)])
    lengths = [np.sqrt((values**2).sum()) for values in every]
    largest = np.max([np.abs(flips @ values) / length for values, length in zip(every, lengths, strict=True)], axis=0)
    rows = table.to_dict("records")
    most = max(rows, key=lambda row: -row["p_adjusted"])
    for row, values in zip(rows, every, strict=True):
        _, base, treated = differences(int(row["class"]), int(row["predicted"]), range(7))
        assert (row["pairs"], row["family"]) == (7, 4)
        assert row["baseline_share"] == pytest.approx(base)
        assert row["treatment_share"] == pytest.approx(treated)
        assert row["effect"] == pytest.approx(values.mean())
        interval = scipy_stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert (row["low"], row["high"]) == pytest.approx((interval.low, interval.high))
        assert row["p"] == pytest.approx((np.abs(flips @ values) >= abs(values.sum()) - 1e-12).mean())
    # The least adjusted p is that of the largest statistic of all: no step has been taken before it.
    best = max(abs(values.sum()) / length for values, length in zip(every, lengths, strict=True))
    assert most["p_adjusted"] == pytest.approx((largest >= best - 1e-12).mean())


def test_more_is_better_on_the_diagonal_and_worse_off_it(compared):
    for rates, right in (((0.5, 0.1), "helps"), ((0.1, 0.5), "hurts"), ((0.3, 0.3), "undecided")):
        table = confusion(compared, synthetic.plan(**MOONS), partial(counted.drawn, rates=rates))
        assert set(table["verdict"]) == {right}
    assert len(table) == 4


def test_too_few_seeds_decide_nothing(compared):
    table = confusion(compared, synthetic.plan(task="moons", seeds=4), partial(counted.drawn, rates=(0.9, 0.1)))
    assert set(table["verdict"]) == {"undecided"}
    assert table["p_adjusted"].ge(0.125).all()


def test_pairs_are_those_of_which_both_arms_have_points_of_the_class(compared):
    def counts(labels, seed):
        if seed == 2 and labels["norm"] == "batch":
            return None  # it diverged
        return [[5, 5], [0, 0]] if seed == 4 else counted.drawn(labels, seed)

    diverged = synthetic.where("batch", [2], 10)
    table = confusion(compared, synthetic.plan(**MOONS), counts, diverged=diverged)
    assert table.set_index("class")["pairs"].to_dict() == {"0": 6, "1": 5}
    own = table[table["class"].eq("1") & table["predicted"].eq("0")].iloc[0]
    assert own["effect"] == pytest.approx(differences(1, 0, [0, 1, 3, 5, 6])[0].mean())


def test_pairs_of_classes_that_never_occur_have_no_rows(compared):
    table = confusion(compared, synthetic.plan(task="digits", seeds=6), partial(counted.drawn, classes=10))
    assert len(table) == 20
    assert [*table["class"].unique()] == [*map(str, range(10))]
    assert set(table["family"]) == {20}


def test_results_without_counts_and_tasks_of_numbers_have_no_rows(compared):
    for task in ("digits", "sine", "diabetes"):
        assert compared(synthetic.plan(task=task))[0]["confusion"].empty
    named = synthetic.plan(task=["digits", "moons"], report={"factor": "task", "baseline": "digits"})
    assert confusion(compared, named, lambda labels, seed: counted.drawn({"norm": "none"}, seed)).empty


def test_each_context_and_arm_has_its_rows_in_the_columns_of_the_schema(compared):
    study = synthetic.plan(**MOONS, norm=["none", "batch", "layer"], batch_size=["full", 25])
    table = confusion(compared, study)
    assert len(table) == 2 * 2 * 4
    assert table.groupby(["batch_size", "treatment"]).size().tolist() == [4] * 4
    assert set(table.columns) == {*schemas.of_report("confusion", "norm").names}


def test_with_tuning_each_seed_is_taken_at_the_values_that_are_chosen_for_it(compared):
    study = synthetic.plan(
        task="digits", seeds=9, optimizer={"name": "adam", "lr": [0.001, 0.01]}, tune={"validation": 0.2}
    )

    def counts(labels, seed):
        matrix = np.zeros((10, 10), int)
        matrix[0, :2] = (20 - seed, seed) if "0.01" in labels["optimizer"] else (10, 10)
        if labels["norm"] == "none":
            matrix[0, :2] = 20, 0
        return matrix.tolist()

    def validation(labels, seed):
        return 1.0 + (seed % 3) * ("0.01" in labels["optimizer"])

    table = confusion(compared, study, counts, validation=validation)
    losses = np.log([[validation({"optimizer": rate}, seed) for rate in ("0.001", "0.01")] for seed in range(9)])
    chosen = tuning.choices(losses)
    taken = [(seed if place else 10) / 20 for seed, place in zip(range(9), chosen, strict=True)]
    assert table["optimizer"].nunique() == 1
    assert table[["class", "predicted"]].agg("".join, axis=1).tolist() == ["00", "01"]
    assert table["treatment_share"].tolist() == pytest.approx([1 - np.mean(taken), np.mean(taken)])
    assert table["baseline_share"].tolist() == [1.0, 0.0]
