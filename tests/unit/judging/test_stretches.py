"""Stretches of epochs on one side of no effect, and whether the effect drifts: no direction without its band."""

import numpy as np
import pandas as pd
import pytest
import synthetic

from bnbench.judging import stretches

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan(seeds=10)


def course(*bands, pairs=10):
    """The table of differences of one contrast: (low, effect, high) at epochs 9, 19, …"""
    rows = [
        {"epoch": 10 * n + 9, "low": low, "effect": effect, "high": high} for n, (low, effect, high) in enumerate(bands)
    ]
    held = STUDY.contexts()[0][0]
    return pd.DataFrame([{**held, "baseline": "none", "treatment": "batch", "pairs": pairs, **row} for row in rows])


BELOW, OPEN, ABOVE = (0.2, 0.4, 0.6), (0.8, 1.1, 1.3), (1.2, 2.0, 3.0)


def found(*bands, **more):
    table = stretches.table(STUDY, course(*bands, **more))
    return [(row.side, row.first_epoch, row.last_epoch, row.measurements) for row in table.itertuples()]


def test_a_stretch_never_reaches_over_an_epoch_at_which_the_band_includes_no_effect():
    assert found(BELOW, BELOW, OPEN, BELOW, ABOVE, ABOVE) == [
        ("below", 9, 19, 2),
        ("below", 39, 39, 1),
        ("above", 49, 59, 2),
    ]
    assert found(OPEN, OPEN) == []


def test_sides_may_follow_each_other_without_a_gap():
    assert found(ABOVE, BELOW) == [("above", 9, 9, 1), ("below", 19, 19, 1)]


def test_too_few_pairs_to_decide_have_no_stretches():
    assert found(BELOW, ABOVE, pairs=5) == []


def test_the_effect_of_a_stretch_is_that_of_its_largest_epoch():
    (row,) = stretches.table(STUDY, course(BELOW, (0.05, 0.1, 0.2), BELOW)).to_dict("records")
    assert (row["peak_epoch"], row["effect"], row["low"], row["high"]) == (19, 0.1, 0.05, 0.2)
    assert row["course_share"] == 1


def test_a_moment_on_the_other_side_makes_no_budget():
    long = [ABOVE] * 20
    runs = stretches.runs(stretches.table(STUDY, course(BELOW, *long)).to_dict("records"))
    assert [[row["side"] for row in run] for run in runs] == [["above"]]
    both = stretches.runs(stretches.table(STUDY, course(*[BELOW] * 8, OPEN, *[BELOW] * 2, *long)).to_dict("records"))
    assert [[row["side"] for row in run] for run in both] == [["below", "below"], ["above"]]


def test_losses_that_fall_in_step_do_not_move_their_effect_and_one_that_falls_faster_does(tmp_path):
    study = synthetic.plan(epochs=200, seeds=10)

    def drifting(by):
        def changed(frames):
            curves = frames["curves"]
            late = curves["epoch"] / curves["epoch"].max()
            wobble = 1e-3 * np.sin(7.0 * curves["seed"] + curves["epoch"])
            factor = np.where(curves["norm"] == "batch", np.exp(by * late + wobble), 1.0)
            for outcome in synthetic.OUTCOMES:
                curves[outcome] = curves[outcome] * factor
            return frames

        return changed

    for by, trend in ((0.0, "unclear"), (1.0, "rises"), (-1.0, "falls")):
        folder = tmp_path / trend
        data = synthetic.write(drifting(by)(synthetic.frames(study, noise=0.05)), folder / "data")
        synthetic.compare.run(study, data, folder, 5)
        (row,) = synthetic.report_tables.read(folder, "drift").to_dict("records")
        assert (row["trend"], row["pairs"], row["measurements"]) == (trend, 10, 5)
        if by:
            assert row["change"] == pytest.approx(np.exp(by * 40 / 199), rel=1e-2)
