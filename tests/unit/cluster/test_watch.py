"""Whatever SLURM says of a job, or does not say, the job ends or the user hears what it waits for."""

import pytest

from bnbench.cluster import commands, watch
from bnbench.cluster.jobs import Said
from bnbench.cluster.profile import Found
from bnbench.cluster.watch import End, Job


class Slurm:
    """What SLURM would say."""

    def __init__(self):
        self.queued, self.recorded, self.cancelled, self.answers = {}, {}, [], True

    def queue(self, cluster=""):
        if not self.answers:
            raise commands.NoAnswer("SLURM does not answer (squeue: no route). Its controller may be down; try again")
        return self.queued

    def accounted(self, numbers, cluster=""):
        return {number: said for number, said in self.recorded.items() if number in numbers}

    def cancel(self, number, cluster=""):
        self.queue()
        self.cancelled.append(number)


@pytest.fixture
def slurm(monkeypatch):
    found = Slurm()
    for name in ("queue", "accounted", "cancel"):
        monkeypatch.setattr(watch.slurm, name, getattr(found, name))
    return found


@pytest.fixture
def lines():
    return []


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def look(slurm, lines, now, tmp_path):
    """A function that lets a watch look at jobs, of which the first one has a table in this folder."""
    watched = watch.Watch(lambda rule, name: Found(None, "profile, line 7"), lines.append, lambda: now[0])

    def of(*numbers):
        return watched.look([Job(number, f"setting {number}", "train", (tmp_path / number,)) for number in numbers])

    return of


def test_a_job_that_slurm_has_forgotten_has_ended_well_if_its_tables_are_there(look, lines, tmp_path):
    (tmp_path / "1").touch()
    assert look("1") == {"1": End(well=True)}
    assert lines == ["SLURM no longer knows job 1 (setting 1); all its tables are there, so it ended well"]


def test_a_job_that_slurm_has_forgotten_without_its_tables_is_tried_again_after_a_second_look(look, slurm):
    assert look("1") == {}
    assert look("1") == {
        "1": End(well=False, said="SLURM no longer knows job 1 (setting 1), and its tables are missing", again=True)
    }


def test_a_job_that_was_missing_once_is_still_followed(look, slurm):
    for _ in range(3):
        slurm.queued = {}
        assert look("1") == {}
        slurm.queued = {"1": Said("RUNNING")}
        assert look("1") == {}


def test_the_accounting_tells_the_end_of_a_job_that_the_queue_has_forgotten(look, slurm):
    slurm.recorded = {"1": Said("CANCELLED")}
    end = look("1")["1"]
    assert (end.well, end.again) == (False, True)
    assert end.said.startswith("SLURM ended job 1 (setting 1) as CANCELLED: somebody cancelled it")


def test_the_queue_is_believed_before_the_accounting(look, slurm):
    slurm.queued, slurm.recorded = {"1": Said("PENDING", "BeginTime")}, {"1": Said("PREEMPTED")}
    assert look("1") == {}


@pytest.mark.parametrize("state", ["PREEMPTED", "NODE_FAIL", "TIMEOUT", "OUT_OF_MEMORY", "CANCELLED", "FAILED"])
def test_a_job_that_ended_in_another_way_is_tried_again(look, slurm, state):
    slurm.queued = {"1": Said(state), "2": Said("RUNNING"), "3": Said("COMPLETED")}
    ends = look("1", "2", "3")
    assert {*ends} == {"1", "3"}
    assert ends["3"].well
    assert (ends["1"].well, ends["1"].again) == (False, True)
    assert f"SLURM ended job 1 (setting 1) as {state}" in ends["1"].said


def test_a_job_that_can_never_start_is_told_then_cancelled_and_not_tried_again(look, slurm, lines):
    slurm.queued = {"1": Said("PENDING", "PartitionTimeLimit")}
    assert look("1") == {}
    assert lines == ["job 1 (setting 1) waits: PartitionTimeLimit; request less time in profile, line 7 (runtime)"]
    end = look("1")["1"]
    assert slurm.cancelled == ["1"]
    assert (end.well, end.again) == (False, False)
    assert end.said == (
        "SLURM would never start job 1 (setting 1): PartitionTimeLimit; request less time in profile, line 7 (runtime)"
        ". It was cancelled"
    )
    assert len(lines) == 1


def test_a_reason_that_goes_away_is_forgiven(look, slurm):
    for _ in range(3):
        for reason in ("PartitionTimeLimit", "Priority"):
            slurm.queued = {"1": Said("PENDING", reason)}
            assert look("1") == {}
    assert not slurm.cancelled


def test_what_a_job_waits_for_is_told_once_and_many_jobs_in_one_line(look, slurm, lines, now):
    slurm.queued = {number: Said("PENDING", "ReqNodeNotAvail, UnavailableNodes:a") for number in "123"}
    for _ in range(5):
        now[0] += 1000
        assert look("1", "2", "3") == {}
    assert lines == [
        "job 1 (setting 1) and 2 more wait: ReqNodeNotAvail, UnavailableNodes:a; wait until the partition and its "
        "nodes are up, or name another partition in profile, line 7 (slurm_partition)"
    ]


def test_a_job_that_waits_for_its_turn_is_told_once_in_a_run_and_late(look, slurm, lines, now):
    slurm.queued = {number: Said("PENDING", "Priority") for number in "12"}
    look("1", "2")
    now[0] += 599
    look("1", "2")
    assert not lines
    for _ in range(5):
        now[0] += 600
        look("1", "2")
    slurm.queued["3"] = Said("PENDING", "Priority")
    look("3")
    now[0] += 601
    look("3")
    assert lines == ["job 1 (setting 1) and 1 more wait, for ten minutes so far: Priority"]


def test_while_slurm_does_not_answer_nothing_ends_and_that_is_told_once(look, slurm, lines):
    slurm.answers = False
    for _ in range(5):
        assert look("1") == {}
    slurm.answers, slurm.queued = True, {"1": Said("RUNNING")}
    for _ in range(2):
        assert look("1") == {}
    assert lines == [
        "SLURM does not answer (squeue: no route); this run waits until SLURM answers",
        "SLURM answers again",
    ]


def test_a_job_that_cannot_be_cancelled_now_is_cancelled_later(look, slurm, monkeypatch):
    slurm.queued = {"1": Said("PENDING", "InvalidQOS")}
    look("1")
    cancel = slurm.cancel

    def refuse(*_):
        raise commands.NoAnswer("SLURM does not answer")

    monkeypatch.setattr(watch.slurm, "cancel", refuse)
    assert look("1") == {}
    monkeypatch.setattr(watch.slurm, "cancel", cancel)
    assert not look("1")["1"].again
