"""Seconds: the seeds of a job share one time, and count once."""

import math

import in_memory
import numpy as np
import pytest
import synthetic
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from bnbench.judging import exploratory, training_time

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(seeds=20)
LOSSES = {"test_loss": np.geomspace(0.1, 1, 20)}


def table_of(baseline, treated, losses=(LOSSES, LOSSES)):
    return exploratory.outcomes(STUDY, in_memory.pairs(STUDY, *losses, (np.array(baseline), np.array(treated))))


def row_of(baseline, treated):
    return table_of(baseline, treated).set_index("outcome").loc["seconds"]


def test_twenty_seeds_of_one_job_are_one_measurement():
    row = row_of([1.0] * 20, [3.0] * 20)
    assert (row["effect"], row["jobs_baseline"], row["jobs_treatment"]) == (pytest.approx(3), 1, 1)
    assert np.isnan(row[["low", "high", "p"]].astype(float)).all()
    assert row["role"] == "descriptive"
    assert row["direction"] == 0


def test_jobs_are_compared_as_unpaired_samples_of_their_own_times():
    baseline, treated = [1.0] * 10 + [1.1] * 5 + [1.3] * 5, [3.0] * 12 + [2.8] * 8
    row = row_of(baseline, treated)
    assert (row["jobs_baseline"], row["jobs_treatment"]) == (3, 2)
    assert row["baseline_value"] == pytest.approx((1.0 * 1.1 * 1.3) ** (1 / 3))
    assert row["treatment_value"] == pytest.approx((3.0 * 2.8) ** 0.5)
    assert row["effect"] == pytest.approx(row["treatment_value"] / row["baseline_value"])
    of_jobs = CompareMeans(DescrStatsW(np.log([3.0, 2.8])), DescrStatsW(np.log([1.0, 1.1, 1.3])))
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.exp(of_jobs.tconfint_diff(0.05, usevar="unequal"))))
    assert math.isnan(row["p"])


def test_one_job_of_an_arm_leaves_no_interval():
    row = row_of([1.0] * 10 + [1.1] * 10, [3.0] * 20)
    assert math.isfinite(row["effect"])
    assert np.isnan(row[["low", "high"]].astype(float)).all()


def test_jobs_of_any_size_are_found_and_a_seed_that_is_left_out_ends_none():
    pairs = in_memory.pairs(STUDY, LOSSES, LOSSES, (np.repeat([1.0, 0.5, 1.0, 0.7], [3, 8, 8, 1]), 1.0))
    assert training_time.jobs(pairs.baseline).tolist() == [1.0, 0.5, 1.0, 0.7]
    assert training_time.jobs(pairs.treated).tolist() == [1.0]
    without = pairs.baseline.of(np.array([0, 2, 3, 4, 9, 10, 18, 19]))
    assert training_time.jobs(without).tolist() == [1.0, 0.5, 1.0, 0.7]


def test_times_that_differ_in_the_last_bit_are_of_two_jobs():
    pairs = in_memory.pairs(STUDY, LOSSES, LOSSES, (np.repeat([1.0, np.nextafter(1, 2)], 10), 1.0))
    assert len(training_time.jobs(pairs.baseline)) == 2


def test_a_clock_that_did_not_move_is_no_measurement():
    row = row_of([0.0] * 10 + [2.0] * 10, [0.0] * 20)
    assert (row["jobs_baseline"], row["jobs_treatment"]) == (1, 0)
    assert math.isnan(row["effect"])


def test_seconds_are_no_part_of_the_family_whatever_they_are():
    treated = {"test_loss": LOSSES["test_loss"] * np.geomspace(0.9, 1.2, 20)}
    tables = [
        exploratory.adjusted(STUDY, table_of(*seconds, losses=(LOSSES, treated))).set_index("outcome")
        for seconds in (([1.0] * 20, [1.0] * 20), ([1.0] * 20, np.geomspace(3, 4, 20)))
    ]
    assert tables[0].loc["train_loss", "p_bh"] < 1
    assert tables[0]["p_bh"].equals(tables[1]["p_bh"])
    assert math.isnan(tables[1].loc["seconds", "p_bh"])
    assert not tables[1].loc["seconds", "marked"]
