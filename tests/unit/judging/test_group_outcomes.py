"""The outcomes of independent groups that do not decide: which rows there are, and each number of them."""

import math

import in_memory
import numpy as np
import pytest
import synthetic
from scipy import stats as scipy_stats

from bnbench.judging import exploratory, group_outcomes, groups, permutations
from bnbench.judging.groups import Arms
from bnbench.store import schemas

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan()
ALPHA = STUDY.report.alpha


def arms(baseline, treated, study=STUDY):
    """Two arms of these losses, as those of `in_memory.pairs`."""
    (context, settings), *_ = study.contexts()
    labels = study.arms[:2]
    found = [
        in_memory.trials(settings[label], measured if isinstance(measured, dict) else {"test_loss": measured}, 1.0)
        for label, measured in zip(labels, (baseline, treated), strict=True)
    ]
    return Arms(context, labels, *found)


def losses(seed=1, sizes=(9, 7), ratio=1.5):
    generator = np.random.default_rng(seed)
    return np.exp(generator.normal(size=sizes[0])), ratio * np.exp(generator.normal(size=sizes[1]))


def rows_of(both, study=STUDY):
    table = exploratory.adjusted(study, group_outcomes.outcomes(study, both))
    return table, {row["outcome"]: row for row in table.to_dict("records")}


def test_every_outcome_has_welch_s_interval_and_the_permutations_p():
    baseline, treated = losses()
    table, rows = rows_of(arms(baseline, treated))
    row = rows["test_loss"]
    logs = np.log(baseline), np.log(treated)
    expected = scipy_stats.ttest_ind(*logs[::-1], equal_var=False).confidence_interval(1 - ALPHA)
    assert (row["low"], row["high"]) == pytest.approx(np.exp(expected))
    assert row["effect"] == pytest.approx(math.exp(logs[1].mean() - logs[0].mean()))
    assert row["p"] == permutations.studentized([logs])[0]
    assert (row["pairs"], row["finite_pairs"], row["runs_baseline"], row["runs_treatment"]) == (7, 7, 9, 7)
    assert row["direction"] == 1
    tested = table["role"].eq("exploratory") & table["p"].notna()
    assert table.loc[tested, "p_bh"].notna().all()
    assert table["role"].eq("primary").sum() == 1
    assert [*table["outcome"]][-1] == "epochs_to_target"
    assert "seconds" not in rows


def test_the_columns_are_those_of_pairs():
    table, _ = rows_of(arms(*losses()))
    assert {*table.columns} == {*schemas.of_report("outcomes", STUDY.report.factor).names}


def test_a_diverged_run_is_the_worst_in_the_test_and_not_in_the_effect():
    baseline, treated = losses()
    with_one = np.append(treated, np.nan)
    _, rows = rows_of(arms(baseline, with_one))
    row = rows["test_loss"]
    contrast = groups.groups(STUDY.report, arms(baseline, with_one))
    assert row["p"] == permutations.studentized([contrast.scores])[0]
    assert row["effect"] == pytest.approx(np.exp(np.log(treated).mean() - np.log(baseline).mean()))
    assert (row["finite_pairs"], row["runs_treatment"]) == (7, 8)


def test_a_target_is_the_upper_quartile_of_all_runs_twice_and_times_are_compared():
    baseline, treated = losses(sizes=(6, 8))
    both = arms(baseline, treated)
    wanted = group_outcomes.target(STUDY, both)
    assert wanted == pytest.approx(2 * np.exp(np.quantile(np.log([*baseline, *treated]), 0.75)))
    exchanged = arms(np.append(baseline, treated[3:]), treated[:3])
    assert group_outcomes.target(STUDY, exchanged) == pytest.approx(wanted)
    soon, late = np.array([100, 1, 1, 1])[:, None], np.array([100, 100, 100, 1])[:, None]
    early, last = np.full((4, 6), 0.5), np.full((4, 8), 0.5)
    early[:, 0], last[:, 0] = 0.6, 0.4
    early[2, 1], last[1:, 1] = 0.1, 1e-4
    _, rows = rows_of(arms(soon * early, late * last))
    row = rows["epochs_to_target"]
    assert 1 < row["low"] < row["effect"] < row["high"]
    assert (row["reached_baseline"], row["reached_treatment"]) == (6, 8)
    assert row["p"] < ALPHA


def test_where_no_run_reaches_the_target_or_all_have_it_at_once_nothing_is_known_of_the_time():
    for losses_of_all in (np.full(5, np.nan), np.full(5, 0.1)):
        _, rows = rows_of(arms(losses_of_all, np.append(losses_of_all, losses_of_all[0])))
        assert math.isnan(rows["epochs_to_target"]["p"])
        assert math.isnan(rows["epochs_to_target"]["effect"])


def test_the_fewest_rows_that_can_be_marked_follow_from_the_runs_of_both_arms():
    few, _ = rows_of(arms(*losses(sizes=(3, 3))))
    assert exploratory.fewest_marked(few, ALPHA) == 0
    more, _ = rows_of(arms(*losses(sizes=(5, 4))))
    assert exploratory.fewest_marked(more, ALPHA) > 0


@pytest.mark.parametrize("sizes", [(0, 4), (1, 4), (4, 1)])
def test_too_few_runs_have_rows_without_a_p(sizes):
    table, _ = rows_of(arms(*losses(sizes=sizes)))
    assert table["p"].isna().all()
    assert not table["marked"].any()
    assert table["low"].isna().all()


def test_the_contrast_that_decides_is_made_of_the_same_runs():
    baseline, treated = losses()
    contrast = groups.groups(STUDY.report, arms(baseline, treated))
    assert contrast.runs == (9, 7)
    assert contrast.seeds is not None
    np.testing.assert_array_equal(contrast.seeds[0], np.arange(9))
    np.testing.assert_allclose(contrast.treated, np.log(treated))
    assert contrast.test == "mean"
    assert not contrast.mixed
