"""The A/A control of independent groups: how often it errs, and what it looks at."""

from dataclasses import replace

import numpy as np
import pytest
import synthetic

from bnbench.judging import group_control
from bnbench.judging.groups import Groups

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(**synthetic.GRID)


def family(generator, runs, contexts=3):
    labels = [{**context, "baseline": "none", "treatment": "batch"} for context, _ in STUDY.contexts()]
    found = []
    for place in range(contexts):
        arms = generator.normal(size=runs), generator.normal(9, 5, size=runs)
        found.append(Groups(labels[place], *arms, *arms))
    return found


def test_the_control_of_pure_noise_is_at_alpha():
    generator, shares = np.random.default_rng(1), []
    for _ in range(40):
        (row,) = group_control.table(STUDY, family(generator, 15), 15).to_dict("records")
        assert (row["splits"], row["pairs"], row["contexts"]) == (15, 7, 3)
        shares.append(row["share"])
    assert abs(np.mean(shares) - 0.9 * STUDY.report.alpha) < 4 * np.std(shares) / np.sqrt(len(shares))


def test_it_sees_nothing_of_the_treatment_and_takes_each_context_once():
    generator = np.random.default_rng(2)
    contrasts = family(generator, 10)
    other = [replace(contrast, treated=generator.normal(size=4)) for contrast in contrasts]
    expected = group_control.table(STUDY, contrasts, 20)
    assert group_control.table(STUDY, other, 20).equals(expected)
    third = [replace(contrast, labels={**contrast.labels, "treatment": "layer"}) for contrast in contrasts]
    assert group_control.table(STUDY, [*contrasts, *third], 20).equals(expected)
    reverse = [replace(one, labels={**one.labels, "baseline": "batch", "treatment": "layer"}) for one in contrasts]
    assert group_control.table(STUDY, [*contrasts, *reverse], 20).equals(expected)


def test_runs_that_cannot_be_halved_are_not_split():
    generator = np.random.default_rng(3)
    (row,) = group_control.table(STUDY, family(generator, 3), 20).to_dict("records")
    assert (row["splits"], row["contexts"], row["pairs"]) == (0, 0, 0)
    assert np.isnan(row["share"])
    mixed = [*family(generator, 3), *family(generator, 8, contexts=4)[3:]]
    (row,) = group_control.table(STUDY, mixed, 20).to_dict("records")
    assert (row["contexts"], row["pairs"]) == (1, 4)


def test_diverged_runs_are_split_as_any_other():
    contrasts = family(np.random.default_rng(4), 12)
    for contrast in contrasts:
        contrast.baseline[:5] = np.nan
    (row,) = group_control.table(STUDY, contrasts, 30).to_dict("records")
    assert row["share"] < 0.3
