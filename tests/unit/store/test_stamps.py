"""Marks change their names with what their tables are made of, and with nothing else."""

import pytest
from synthetic import plan

from bnbench.store import stamps


@pytest.mark.parametrize("changes", [{"report": {"margin": 1.2}}, {"threads": 2}])
def test_how_trials_are_compared_is_not_in_the_mark_of_what_is_collected(changes):
    assert stamps.collected(plan(**changes)).name == stamps.collected(plan()).name
    assert stamps.compared(plan(**changes)).name != stamps.compared(plan()).name


@pytest.mark.parametrize("changes", [{"seeds": 9}, {"epochs": 50}, {"norm": ["batch", "none"]}])
def test_which_trials_there_are_is_in_both_marks(changes):
    for mark in (stamps.collected, stamps.compared):
        assert mark(plan(**changes)).name != mark(plan()).name


def test_the_version_of_the_arithmetic_is_in_both_marks(monkeypatch):
    before = [mark(plan()).name for mark in (stamps.collected, stamps.compared)]
    monkeypatch.setattr(stamps, "NUMERICS", stamps.NUMERICS + 1)
    assert not set(before) & {mark(plan()).name for mark in (stamps.collected, stamps.compared)}


def test_a_step_takes_its_own_marks_away_whatever_study_they_are_of(tmp_path):
    kept = stamps.compared(plan())
    for mark in (stamps.collected(plan()), stamps.collected(plan(seeds=9)), kept):
        mark.leave(tmp_path)
    stamps.collected(plan(seeds=5)).remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
