"""Rows become cells in one order, with the mean of several, whatever the order of the rows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench.own_results import cells as rows_to_cells

value = st.sampled_from([None, math.nan, 0.0, -1.5, 0.1, 0.2, 0.3, 1e300, 7.0])
row = st.tuples(st.integers(0, 2), st.integers(-1, 2), st.integers(0, 3), value)
tables = st.lists(row, min_size=1, max_size=40)


def made(rows, geometric=()):
    setting, seed, epoch = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    known = np.array([row[3] is not None for row in rows])
    values = np.array([math.nan if row[3] is None else row[3] for row in rows])
    return rows_to_cells.cells(setting, seed, epoch, {"loss": (values, known)}, geometric)


def by_key(rows):
    """The slow way: setting, seed and epoch → its values."""
    found = {}
    for *key, measured in rows:
        found.setdefault(tuple(key), []).append(measured)
    return {key: [each for each in found[key] if each is not None] for key in sorted(found)}


def mean_of(values, *, geometric):
    if not values:
        return math.nan
    if geometric and len(values) > 1 and all(each > 0 for each in values):
        return math.exp(math.fsum(map(math.log, values)) / len(values))
    return math.fsum(values) / len(values)


@given(tables, st.booleans())
def test_cells_are_the_means_of_their_rows(rows, geometric):
    found, expected = made(rows, ["loss"] if geometric else []), by_key(rows)
    assert [*zip(found.setting, found.seed, found.epoch, strict=True)] == [*expected]
    assert found.there["loss"].tolist() == [bool(own) for own in expected.values()]
    assert found.several["loss"].tolist() == [len(own) > 1 for own in expected.values()]
    means = [mean_of(own, geometric=geometric) for own in expected.values()]
    np.testing.assert_allclose(found.values["loss"], means, rtol=1e-12)
    first = [min(i for i, row in enumerate(rows) if row[:3] == key) for key in expected]
    assert found.row.tolist() == first


@given(tables.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), st.booleans())
def test_the_order_of_rows_changes_no_bit(both, geometric):
    one, other = (made(rows, ["loss"] if geometric else []) for rows in both)
    for name in ("setting", "seed", "epoch"):
        assert (getattr(one, name) == getattr(other, name)).all()
    for values in ("values", "there", "several"):
        assert getattr(one, values)["loss"].tobytes() == getattr(other, values)["loss"].tobytes()


@given(tables)
def test_a_single_value_is_kept_to_the_bit(rows):
    found = made(rows, ["loss"])
    for at, own in enumerate(by_key(rows).values()):
        if len(own) == 1:
            assert found.values["loss"][at].tobytes() == np.float64(own[0]).tobytes()


@given(tables)
def test_runs_begin_where_setting_or_seed_change_and_end_at_their_last_value(rows):
    found, expected = made(rows), by_key(rows)
    runs = [*dict.fromkeys(key[:2] for key in expected)]
    assert [(found.setting[at], found.seed[at]) for at in found.starts] == runs
    assert [runs[run] for run in found.run] == [key[:2] for key in expected]
    for run, last, final in zip(runs, found.last("loss"), found.final("loss"), strict=True):
        own = [(place, values) for place, (key, values) in enumerate(expected.items()) if key[:2] == run and values]
        assert last == (own[-1][0] if own else -1)
        np.testing.assert_allclose(final, mean_of(own[-1][1], geometric=False) if own else math.nan)


def test_one_diverged_value_among_several_makes_their_mean_diverge():
    found = made([(0, 0, 0, 1.0), (0, 0, 0, math.nan)], ["loss"])
    assert math.isnan(found.values["loss"][0])
    assert found.there["loss"].all()


@pytest.mark.parametrize(("values", "mean"), [((0.0, 2.0), 1.0), ((-2.0, 4.0), 1.0), ((2.0, 8.0), 4.0)])
def test_a_mean_of_losses_is_geometric_where_all_are_above_0(values, mean):
    assert made([(0, 0, 0, each) for each in values], ["loss"]).values["loss"][0] == pytest.approx(mean)
