"""Killed, interrupted and crossing runs: the same command goes on, and ends in the bits of an undisturbed run."""

import base64
import contextlib
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from checkouts import KINDS, assert_same_bits, finished_chunks

LONG = {"batch_size": ["full"], "epochs": 4000, "evaluate_every": 1000}
"""Changes of the tiny study that make it 4 jobs of a second or more."""


@pytest.fixture(scope="module")
def rivals(new_checkout, wait_until):
    """A checkout in which a second run was tried while the first was at work; and how both ended."""
    checkout = new_checkout(**LONG)
    checkout.hold_training()
    first = checkout.start("--until", "compare")
    wait_until(checkout.holds)
    second = checkout.snakemake()
    planned, alive = checkout.planned(), first.poll() is None
    checkout.let_train()
    output, _ = first.communicate()
    assert alive
    assert planned["train"] == 4
    assert first.returncode == 0, output
    return checkout, second


@pytest.fixture
def undisturbed(rivals):
    """A checkout in which nothing hindered the run: a second one was refused."""
    return rivals[0]


@pytest.fixture
def long(new_checkout):
    return new_checkout(**LONG)


def kill(run):
    """Kill a run with all that it started, at once."""
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def saved_in_training(checkout):
    """Whether a job that trains has written a checkpoint, which it is told to do."""
    for process in checkout.training():
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGUSR1)
    return checkout.checkpoints()


def test_a_run_that_is_killed_again_and_again_goes_on_and_ends_in_the_same_bits(long, undisturbed, wait_until):
    moments = {
        "the first jobs begin": lambda: long.processes("train"),
        "the first jobs train": long.training,
        "they have checkpoints": lambda: saved_in_training(long),
        "a chunk is finished": lambda: finished_chunks(long),
        "all are being collected": lambda: long.processes("collect"),
    }
    for name, moment in moments.items():
        before = finished_chunks(long)
        run = long.start()
        wait_until(moment)
        kill(run)
        assert not long.processes("bnbench"), name
        assert before.items() <= finished_chunks(long).items(), f"{name}: a finished chunk was touched"
    finished = finished_chunks(long)
    long.run("--until", "compare")
    assert len(finished) == 4
    assert finished_chunks(long) == finished
    assert_same_bits(long, undisturbed)
    for table in ("contexts", "pairs", "curves", "modes", "fit", "exclusions"):
        assert long.contents(f"tables/{table}.csv") == undisturbed.contents(f"tables/{table}.csv")


def test_a_job_that_was_killed_between_its_tables_is_done_again_and_its_leftovers_are_never_read(
    finished, finished_once
):
    shutil.rmtree(finished.report)
    chunk = "sine-batch-full-*/seeds-0-1.parquet"
    losses, trials, predictions = (next((finished.results / kind).glob(chunk)) for kind in KINDS)
    trials.unlink()
    predictions.rename(predictions.with_name(f".{predictions.name}.k1ll3d"))
    (losses.parent / f".{losses.name}.k1ll3d").write_bytes(losses.read_bytes()[:500])
    notes = finished.folder / ".snakemake"
    (notes / "locks").mkdir(exist_ok=True)
    (notes / "locks" / "0.output.lock").write_text(f"{losses.relative_to(finished.folder)}\n")
    for path in (losses, trials, predictions):
        name = base64.urlsafe_b64encode(str(path.relative_to(finished.folder)).encode()).decode()
        note = notes / "incomplete" / Path(*(name[i : i + 254] for i in range(0, len(name), 254)))
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text("{}")
    whole = next((finished.results / "losses").glob("sine-none-full-*/seeds-0-1.parquet"))
    kept = finished.results / "checkpoints" / whole.parent.name / whole.stem
    kept.mkdir(parents=True)
    (kept / "progress").write_text("0.9000\n")
    before = finished_chunks(finished)
    assert finished.planned()["train"] == 1
    finished.run("--until", "collect")
    assert before.items() <= finished_chunks(finished).items()
    assert not (finished.results / "checkpoints").exists()
    assert_same_bits(finished, finished_once)


def test_a_second_run_is_refused_while_one_is_alive_and_leaves_it_alone(rivals):
    checkout, second = rivals
    assert second.returncode != 0
    (said,) = re.findall(r"Another run is at work in this folder \(process \d+, since .*", second.stderr)
    assert said.endswith("Do not use --unlock: finished results are kept anyway.")
    assert "Directory cannot be locked" not in second.stderr
    assert "Traceback" not in second.stderr
    assert len(finished_chunks(checkout)) == 4
    assert checkout.planned() == {"plot": 1, "report": 1}


@pytest.mark.parametrize(
    "interrupt",
    [lambda run: run.terminate(), lambda run: os.killpg(run.pid, signal.SIGINT)],
    ids=["terminated", "interrupted"],
)
def test_a_run_that_is_stopped_ends_and_the_next_one_goes_on(long, wait_until, interrupt):
    run = long.start()
    wait_until(long.training)  # Snakemake itself may miss a signal that comes while it starts its jobs
    interrupt(run)
    output, _ = run.communicate(timeout=240)
    assert run.returncode != 0
    # Snakemake's own loop may complain of the interruption, depending on the moment.
    assert "workflow/bnbench/" not in "".join(line for line in output.splitlines() if line.lstrip().startswith("File"))
    assert not long.processes("bnbench")
    assert not [name for name in long.results.rglob("*.parquet") if name.name.startswith(".")]
    assert long.planned()["train"] == 4 - len(finished_chunks(long))


def drawing(checkout):
    """The processes that draw, and the one that starts them."""
    found = []
    for process in checkout.processes():
        with contextlib.suppress(OSError):  # it has ended since
            if b"multiprocessing.forkserver" in Path(f"/proc/{process}/cmdline").read_bytes():
                found.append(process)
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_step_that_is_killed_takes_the_processes_that_draw_with_it_so_the_run_ends(finished, wait_until, number):
    shutil.rmtree(finished.folder / "reports" / "tiny" / "figures")
    run = finished.start()
    wait_until(lambda: len(drawing(finished)) > 2)
    for process in finished.processes("bnbench", "plot"):
        os.kill(process, number)
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "Error in rule plot" in output
    wait_until(lambda: not drawing(finished))
    assert finished.planned() == {"plot": 1, "report": 1}
