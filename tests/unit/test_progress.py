"""How far a run is: the packing of jobs, the share of the work, what is left, and the line that says it."""

import io
import os
import pty
from types import SimpleNamespace

import pytest
import synthetic

from bnbench import running, watching, work
from bnbench.lines import Line
from bnbench.plan import wall_time
from bnbench.plan.chunks import all_chunks
from bnbench.plan.wall_time import STARTING, Load
from bnbench.store import chunk_files, progress
from bnbench.trainer.progress import Progress
from bnbench.wording import clock


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


# --- by the clock ---


@pytest.mark.parametrize(
    ("jobs", "lanes", "end"),
    [([], 2, 0), ([5], 4, 5), ([1, 1, 1, 1], 2, 2), ([3, 1, 1, 1], 2, 3), ([1, 1, 1, 3], 2, 4), ([2, 2, 2], 1, 6)],
)
def test_jobs_go_in_their_order_to_the_lane_that_is_free_first(jobs, lanes, end):
    assert wall_time.packed(jobs, lanes) == end


def test_a_job_takes_as_many_cores_as_it_has_threads():
    jobs = [Load(100.0)] * 8
    assert wall_time.wall_time(jobs, 8, 1, 0).training == 100
    assert wall_time.wall_time(jobs, 8, 4, 0).training == 400
    assert wall_time.wall_time(jobs, 2, 4, 0).training == 800  # Snakemake scales such a job down


def test_many_short_jobs_are_starts_most_of_all():
    found = wall_time.wall_time([Load(0.01)] * 100, 2, 1, 10.0)
    assert found.training == pytest.approx(0.5)
    assert found.starts == pytest.approx(50 * STARTING + wall_time.PLANNING, rel=0.02)
    assert found.total == pytest.approx(found.training + found.starts + 10)


def test_more_cores_than_snakemake_can_feed_change_nothing():
    few, many = (wall_time.wall_time([Load(0.0)] * 1000, cores, 1, 0).total for cores in (64, 1024))
    assert few == pytest.approx(many)


def test_a_gpu_trains_one_job_after_the_other():
    assert wall_time.wall_time([Load(60.0, on_gpu=True)] * 4, 16, 1, 0).training == 240


ROUNDED = {
    0.4: "0.4 s",
    8.2: "8 s",
    23: "25 s",
    57: "55 s",
    59: "1 min",
    95: "1.5 min",
    390: "6.5 min",
    2500: "42 min",
    3580: "1 h",
    6100: "1 h 40 min",
    43000: "12 h",
    9e5: "10 days",
}


@pytest.mark.parametrize(("seconds", "said"), ROUNDED.items())
def test_a_duration_is_rounded_as_people_do(seconds, said):
    assert clock.rounded(seconds) == said


def test_a_busy_machine_is_told_of():
    assert clock.busy(0.4, 2) == ""
    assert clock.busy(4.0, 2).endswith("(4.0 processes for 2 cores), so it may take up to 3.0 times as long")


# --- the progress of a job ---


@pytest.fixture
def job(tmp_path, monkeypatch):
    """A job of six seeds and 100 epochs, its clock, and what it says."""
    time, said = Clock(), []
    monkeypatch.setattr("bnbench.trainer.progress.time", SimpleNamespace(monotonic=time))
    path = tmp_path / "checkpoints" / "progress"
    return Progress(path, [0, 1, 2, 7, 8, 9], 100, said.append, clock.epoch), time, path, said


def train(job, stacks, seconds):
    """Train stacks, one after the other, with so many seconds for an epoch."""
    progress, time, *_ = job
    for seeds in stacks:
        for done in range(1, 101):
            time.now += seconds
            progress.after_epoch(seeds, done)


def test_a_short_job_writes_and_says_nothing(job):
    train(job, [range(3), range(7, 10)], 0.005)
    assert job[3] == []
    assert not job[2].exists()


def test_a_long_job_says_a_line_a_minute_and_writes_how_far_it_is(job):
    train(job, [range(3)], 1.0)
    *_, path, said = job
    assert progress.read(path) == pytest.approx(0.5, abs=0.01)
    assert said == ["epoch 11 of 100, 5 %, about 3 min left", "epoch 71 of 100, 35 %, about 2 min left"]
    train(job, [range(7, 10)], 1.0)
    assert progress.read(path) == pytest.approx(1.0, abs=0.01)
    assert [line.split(",")[1] for line in said] == [" 5 %", " 35 %", " 65 %", " 95 %"]


def test_a_job_that_goes_on_knows_what_was_done_before(job):
    reported, time, _, said = job
    for done in range(81, 101):
        time.now += 1.0
        reported.after_epoch(range(7, 10), done)
    assert said == ["epoch 91 of 100, 95 %, about 9 s left"]


def test_a_day_of_training_says_no_more_than_a_hundred_lines(job):
    train(job, [range(3), range(7, 10)], 400.0)
    assert 50 < len(job[3]) <= 100


def test_training_goes_on_where_its_progress_cannot_be_written(job, tmp_path):
    (tmp_path / "checkpoints").write_text("no folder")
    train(job, [range(3)], 1.0)
    assert len(job[3]) == 2
    assert progress.read(job[2]) == 0


@pytest.mark.parametrize(("text", "share"), [("", 0), ("0.25\n", 0.25), ("nan?", 0), ("7", 1), ("-1", 0)])
def test_a_spoilt_file_is_no_progress(tmp_path, text, share):
    (tmp_path / "progress").write_text(text)
    assert progress.read(tmp_path / "progress") == share


# --- the progress of a run ---


@pytest.fixture
def watched(tmp_path):
    """A study of eight jobs of 10 s each on two lanes, its clock, and a function that finishes a chunk."""
    study, time = synthetic.plan(seeds=40), Clock()
    jobs = [work.Job(chunk, chunk.count) for chunk in all_chunks(study, lambda spec: 10)]
    watch = watching.Watch([work.Timed(job, Load(10.0)) for job in jobs], tmp_path, 2, time)

    def finish(job):
        for path in chunk_files.paths(job.chunk, tmp_path).values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    assert len(jobs) == 8
    return watch, time, jobs, finish


def test_finished_jobs_count_by_their_cost_and_time_is_left_as_estimated_at_first(watched):
    watch, time, jobs, finish = watched
    assert watch.share() == 0
    assert watch.seconds_left() == pytest.approx(4 * (10 + STARTING))
    time.now += 10 + STARTING
    for job in jobs[:2]:
        finish(job)
    watch.look()
    assert watch.share() == pytest.approx(2 / 8)
    assert watch.seconds_left() == pytest.approx(3 * (10 + STARTING))


def test_what_is_left_follows_the_pace_that_is_measured(watched):
    watch, time, jobs, finish = watched
    for job in jobs[:6]:
        finish(job)
    time.now += 1000  # in place of 35
    watch.look()
    assert watch.seconds_left() == pytest.approx((10 + STARTING) * (1000 + 15) / (3 * (10 + STARTING) + 15))


def test_jobs_at_work_count_by_their_epochs_but_not_by_those_of_an_earlier_run(tmp_path):
    study, time = synthetic.plan(seeds=10), Clock()
    jobs = [work.Job(chunk, chunk.count) for chunk in all_chunks(study, lambda spec: 10)]
    old, new = (progress.path(job.chunk, tmp_path) for job in jobs)
    progress.write(old, 0.9)
    watch = watching.Watch([work.Timed(job, Load(100.0)) for job in jobs], tmp_path, 2, time)
    progress.write(new, 0.5)
    watch.look()
    assert watch.share() == pytest.approx((50 + STARTING) / (200 + 2 * STARTING))


def test_looking_takes_little_of_the_time(watched, monkeypatch):
    watch, time, *_ = watched
    looks = []

    def slow(chunk, results):
        looks.append(time.now)
        time.now += 0.1
        return False

    monkeypatch.setattr(watching.chunk_files, "is_there", slow)
    for _ in range(1000):
        watch.look()
        time.now += 0.1
    assert len(looks) * 0.1 < 0.05 * (time.now - 100)


# --- the line ---


def test_a_pipe_gets_a_line_a_minute_and_what_is_new_at_once():
    stream, time = io.StringIO(), Clock()
    line = Line(stream, time)
    for second in range(150):
        line.renew(f"training {second} %", new=second == 0)
        time.now += 1
    line.note("warning: odd")
    line.renew("judging", new=True)
    line.clear()
    assert stream.getvalue().splitlines() == [
        "training 0 %",
        "training 60 %",
        "training 120 %",
        "warning: odd",
        "judging",
    ]


def test_a_terminal_has_its_line_renewed_in_place_and_notes_above_it():
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        line = Line(stream)
        line.renew("training 1 %")
        line.renew("training 1 %")
        line.renew("training 2 %")
        line.note("warning: odd")
        line.renew("x" * 500)
        line.clear()
        said = ""
        while not said.endswith("...\r\x1b[K"):
            said += os.read(ours, 10_000).decode(errors="ignore")
    os.close(ours)
    head, tail = said.split("x", 1)
    assert head == "\r\x1b[Ktraining 1 %\r\x1b[Ktraining 2 %\r\x1b[Kwarning: odd\r\n\r\x1b[Ktraining 2 %\r\x1b[K"
    assert tail.endswith("x...\r\x1b[K")
    assert tail.count("x") < 200


@pytest.fixture
def terminal(monkeypatch):
    """Make standard error a terminal; the end from which to read what it shows."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream:
        monkeypatch.setattr(running, "sys", SimpleNamespace(stderr=stream))
        yield ours
    os.close(ours)


STEPS = {"collect": "three tables", "compare": "judged", "plot": "figures", "report": "a page"}


def test_a_terminal_shows_which_step_of_a_rebuild_is_at_work_and_no_line_is_left(terminal):
    said = running.here(synthetic.plan(), {name: (lambda said=said: said) for name, said in STEPS.items()})
    assert said == [*STEPS.values()]
    shown = os.read(terminal, 10_000).decode().split("\r\x1b[K")
    stages = ["", "collecting the trials", "judging", "drawing the figures", "rendering the page", ""]
    assert [line.partition(",")[0] for line in shown] == stages
    assert all(line.endswith(" left") for line in shown[1:-1])


def test_a_step_that_fails_leaves_no_line_either(terminal):
    with pytest.raises(ZeroDivisionError):
        running.here(synthetic.plan(), {"compare": lambda: str(1 / 0)})
    assert os.read(terminal, 10_000).decode().endswith("\r\x1b[K")


def test_a_log_of_a_rebuild_gets_no_progress(capsys):
    assert running.here(synthetic.plan(), {name: lambda: "done" for name in STEPS}) == ["done"] * 4
    assert capsys.readouterr().err == ""


# --- what is passed on ---


@pytest.mark.parametrize(
    ("line", "routine"),
    [
        ("sine-none-1a: trained seeds 0 to 1 for 40 epochs in 0.1 s (1 ms per network and epoch); 0 diverged", True),
        ("sine-none-1a: seeds 0 to 1 are trained already", True),
        ("sine-none-1a: seeds 0 to 1", True),
        ("sine-none-1a: continues after epoch 4 of seeds 0 to 1", True),
        ("sine-none-1a: training 20 seeds for 2,000 epochs", True),
        ("sine-none-1a: epoch 740 of 2,000, 37 %, about 2 min left", True),
        ("tiny: collected 48 trials from 24 chunks", True),
        ("tiny: collected 47 trials from 24 chunks; 1 of 48 trials are not trained yet", True),
        ("nets.py:8: in forward: ValueError: nine is enough", False),
        ("sine-none-1a: not even one network fits into memory", False),
        ("Training remains for 3 jobs:", False),
        ("  sine-none-1a, seeds 0 to 1; its log: logs/train/sine-none-1a/seeds-0-1.log", False),
    ],
)
def test_what_jobs_say_that_are_well_is_no_message(line, routine):
    assert bool(running._ROUTINE.search(line)) == routine


def test_a_pace_of_half_a_second_is_hardly_trusted(tmp_path):
    study = synthetic.plan(seeds=1)
    one = synthetic.stored(study, tmp_path, seconds=0.1)
    many = synthetic.plan(seeds=1000)
    jobs = [*work.jobs(many, one)]
    arithmetic = sum(work.cost.seconds(job.setting.spec, job.trials) for job in jobs)
    assert sum(work.estimate(jobs, one).seconds) < 1.5 * arithmetic
