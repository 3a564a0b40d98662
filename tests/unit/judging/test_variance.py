"""The variance by source: shares against their definition, how often their intervals hold, and what may be missing."""

import math

import numpy as np
import pytest
import synthetic

from bnbench.judging import variance
from bnbench.streams import ALL, SOURCES

pytestmark = pytest.mark.filterwarnings("error")

LEVELS = [ALL, *SOURCES]
NOISY = {"task": "diabetes", "batch_size": [25], "seed_varies": LEVELS}
OF_SOURCE = {"data": 0.8, "weights": 0.5, "order": 0.2}
"""Deviation of the log loss that each source makes by itself."""


def ratio(labels, seed):
    """A log loss that is a sum of what each source gives; a source that does not vary is that of seed 0."""
    varied = labels["seed_varies"]
    drawn = [seed if varied in (ALL, source) else 0 for source in SOURCES]
    parts = [
        OF_SOURCE[name] * np.random.default_rng([i, of]).normal()
        for i, (name, of) in enumerate(zip(SOURCES, drawn, strict=True))
    ]
    return math.exp(sum(parts) * (2 if labels["norm"] == "batch" else 1))


def compared(tmp_path, study, **options):
    found, said = synthetic.compared(tmp_path, study, **{"ratio": ratio, "shared": 0.0, **options})
    return found["variance"], said


def test_each_share_is_a_ratio_of_variances_over_the_seeds_of_each_arm(tmp_path):
    study = synthetic.plan(**NOISY, seeds=60)
    table, said = compared(tmp_path, study)
    assert len(table) == 8
    assert len(said["variance"]) == 2
    assert table["common_seeds"].eq(60).all()
    for norm, scale in (("none", 1), ("batch", 2)):
        rows = table[table["norm"] == norm].set_index("seed_varies")
        logs = {
            level: np.log([ratio({"norm": norm, "seed_varies": level}, seed) for seed in study.seeds])
            for level in LEVELS
        }
        for level, values in logs.items():
            assert rows.loc[level, "deviation"] == pytest.approx(values.std(ddof=1))
            assert rows.loc[level, "variance_share"] == pytest.approx(values.var(ddof=1) / logs[ALL].var(ddof=1))
        for source, deviation in OF_SOURCE.items():
            truth = deviation**2 / sum(each**2 for each in OF_SOURCE.values())
            assert rows.loc[source, "variance_share_low"] < truth < rows.loc[source, "variance_share_high"]
            assert rows.loc[source, "deviation"] == pytest.approx(scale * deviation, rel=0.3)
        assert rows.loc[ALL, "variance_share"] == 1
        assert math.isnan(rows.loc[ALL, "variance_share_low"])


@pytest.mark.parametrize("factor", ["norm", "batch_size"])
def test_every_arm_of_every_context_has_its_rows_whatever_is_compared(tmp_path, factor):
    options = {"report": {"factor": factor, "baseline": 25 if factor == "batch_size" else "none"}}
    study = synthetic.plan(**{**NOISY, "batch_size": [25, 50]}, **options)
    table, said = compared(tmp_path, study)
    assert len(table) == 2 * 2 * 4 == len(study.settings)
    assert len(said["variance"]) == 4
    assert not table.duplicated(["norm", "batch_size", "seed_varies"]).any()


def test_without_several_levels_there_is_no_such_table(tmp_path):
    table, said = compared(tmp_path, synthetic.plan(task="diabetes", seed_varies="weights", batch_size=[25]))
    assert table.empty
    assert said["variance"] == []


def test_where_all_are_not_varied_together_there_are_deviations_and_no_shares(tmp_path):
    table, _ = compared(tmp_path, synthetic.plan(**{**NOISY, "seed_varies": ["weights", "order"]}))
    assert table["deviation"].gt(0).all()
    assert table["variance_share"].isna().all()


def test_seeds_that_diverged_or_are_missing_at_one_level_count_at_none(tmp_path):
    study = synthetic.plan(**NOISY, seeds=12)

    def diverged(labels, seed):
        return 3 if (labels["seed_varies"], labels["norm"], seed) == ("data", "none", 5) else None

    def seeds(labels):
        return range(2, 12) if (labels["seed_varies"], labels["norm"]) == ("order", "batch") else None

    table, _ = compared(tmp_path, study, diverged=diverged, seeds=seeds)
    assert table.groupby("norm", sort=False)["common_seeds"].unique().map(list).tolist() == [[11], [10]]
    kept = np.log([ratio({"norm": "none", "seed_varies": "weights"}, seed) for seed in range(12) if seed != 5])
    found = table[table["norm"].eq("none") & table["seed_varies"].eq("weights")]
    assert found["deviation"].item() == pytest.approx(kept.std(ddof=1))


@pytest.mark.parametrize("there", [0, 1, 2])
def test_with_too_few_trials_there_are_rows_and_no_numbers_that_they_do_not_give(tmp_path, there):
    study = synthetic.plan(**NOISY)
    frames = {name: rows[rows["seed"] < there] for name, rows in synthetic.frames(study, ratio=ratio).items()}
    found, said = synthetic.compared(tmp_path, study, frames)
    table = found["variance"]
    assert table["common_seeds"].eq(there).all()
    assert len(table) == 8
    assert table["deviation"].notna().all() == (there > 1)
    assert table["variance_share_low"].isna().all()
    assert all("too few seeds" in sentence for sentence in said["variance"])


def test_a_source_that_changes_nothing_has_a_share_of_zero_without_limits():
    total = np.random.default_rng(0).normal(size=10)
    found = variance.share(total, np.full(10, 0.1), 0.95)
    assert found.mean == pytest.approx(0, abs=1e-30)
    assert math.isnan(found.low)
    assert all(map(math.isnan, variance.share(np.full(10, 0.1), total, 0.95)))


def test_the_jackknife_is_that_of_leaving_out_each_seed_in_turn():
    generator = np.random.default_rng(1)
    total, alone = generator.normal(size=(2, 12))
    logs = [math.log(np.delete(alone, i).var(ddof=1) / np.delete(total, i).var(ddof=1)) for i in range(12)]
    error = math.sqrt(11 / 12 * sum((each - np.mean(logs)) ** 2 for each in logs))
    found = variance.share(total, alone, 0.95)
    assert found.mean == pytest.approx(alone.var() / total.var())
    assert math.log(found.high / found.mean) == pytest.approx(2.200985 * error, rel=1e-6)
    assert math.log(found.mean / found.low) == pytest.approx(2.200985 * error, rel=1e-6)
    assert variance.share(3 * total + 1, 3 * alone - 2, 0.95) == pytest.approx(tuple(found))


@pytest.mark.parametrize("seeds", [10, 20, 50])
@pytest.mark.parametrize(("law", "least"), [("normal", 0.92), ("t5", 0.89)])
def test_the_interval_of_a_share_holds_about_as_often_as_it_says(law, least, seeds):
    generator = np.random.default_rng(seeds)
    draw = generator.standard_normal if law == "normal" else lambda size: generator.standard_t(5, size)
    held = 0
    for _ in range(1500):
        alone, rest = draw((2, seeds))
        found = variance.share(alone + 2 * rest, alone, 0.95)
        held += found.low <= 0.2 <= found.high
    assert least <= held / 1500 <= 0.98
