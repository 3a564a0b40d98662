"""`bnbench run`, which `make report` starts: what is said while a study runs, and how a run ends."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

import pytest

from checkouts import PROJECT

LONG = {"batch_size": ["full"], "epochs": 200_000, "evaluate_every": 100_000}
"""Changes of the tiny study that make it 4 jobs of a minute or more."""
COMMAND = [sys.executable, "-m", "bnbench", "run", "--configfile", "tiny.yaml", "--cores", "2"]


def start(checkout, *arguments, **streams):
    """Start a run in a checkout, with all its output in one stream."""
    environment = {**checkout._environment(), "PYTHONPATH": str(checkout.folder / "workflow")}
    return subprocess.Popen([*COMMAND, *arguments], cwd=checkout.folder, env=environment, **streams)


def in_terminal(checkout, until=None, seconds=120):
    """Run in a terminal; all that it shows, with the seconds at which it did, and the exit status."""
    ours, theirs = pty.openpty()
    process = start(checkout, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    began, shown = time.monotonic(), []
    while time.monotonic() < began + seconds:
        if select.select([ours], [], [], 0.5)[0]:
            try:
                text = os.read(ours, 10_000).decode()
            except OSError:  # it has ended
                break
            shown.append((time.monotonic() - began, text))
        if until is not None and until():
            process.send_signal(signal.SIGINT)
            until = None
    os.close(ours)
    return shown, process.wait(timeout=60)


@pytest.fixture(scope="module")
def logged(new_checkout):
    """A checkout in which the tiny study was run into a log, and how that ended."""
    checkout = new_checkout()
    return checkout, checkout.bnbench("run", "--configfile", "tiny.yaml", "--cores", "2")


def test_a_log_gets_the_plan_then_how_far_it_is_then_warnings_path_and_answer(logged):
    checkout, run = logged
    assert run.returncode == 0, run.stderr
    lines = [line for line in run.stderr.splitlines() if not line.startswith("note: ")]
    assert lines[0] == "tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials in 8 jobs, 8 to run"
    assert lines[1].startswith("warning: 4 seeds can never show a difference")
    assert re.fullmatch(r"about .* on 2 cores \(training .*, starts of Snakemake and 8 jobs .*, report .*\)", lines[2])
    assert re.fullmatch(r"training 0 %, about .* left", lines[3])
    stages = [line.partition(",")[0] for line in lines[4:] if not line.startswith("training")]
    known = ["collecting the trials", "judging", "drawing the figures", "rendering the page"]
    assert stages == [stage for stage in known if stage in stages]  # a step of half a second may pass between two looks
    assert len(stages) >= 2
    said = run.stdout.splitlines()
    assert said[0] == lines[1]
    assert said[-2] == "reports/tiny/index.html"
    assert (checkout.report / "index.html").exists()
    assert "Snakemake version" not in run.stderr + run.stdout


def test_snakemakes_words_are_kept_in_a_file_and_no_progress_is_left(logged):
    checkout, _ = logged
    text = (checkout.folder / "logs" / "tiny" / "snakemake.log").read_text()
    assert text.count(": trained seeds") == 8
    assert not (checkout.results / "checkpoints").exists()


def test_a_finished_study_is_said_to_be_there(logged):
    checkout, _ = logged
    again = checkout.bnbench("run", "--configfile", "tiny.yaml", "--cores", "2")
    assert again.returncode == 0
    assert ": everything is there" in again.stderr
    assert "training" not in again.stderr
    assert again.stdout.splitlines()[-2] == "reports/tiny/index.html"


def test_snakemakes_own_output_is_to_be_had(logged):
    checkout, _ = logged
    loud = checkout.bnbench("run", "--configfile", "tiny.yaml", "--cores", "2", "--verbose")
    assert loud.returncode == 0
    assert "Snakemake version" in loud.stderr
    assert loud.stdout.splitlines()[-2] == "reports/tiny/index.html"


def test_v_is_handed_on_by_make():
    said = subprocess.run(["make", "-n", "report", "V=1"], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert "bnbench run --configfile config.yaml --cores all --verbose" in " ".join(said.stdout.split())


def test_a_terminal_shows_one_line_from_the_start_and_ctrl_c_ends_all_with_130(new_checkout):
    checkout = new_checkout(**LONG)
    written = []

    def has_progress():
        written[:] = (checkout.results / "checkpoints").glob("*/*/progress")
        return len(written) == 2

    shown, status = in_terminal(checkout, until=has_progress)
    assert status == 130
    assert not checkout.processes("bnbench")
    assert not checkout.processes("snakemake")
    text = "".join(part for _, part in shown)
    renewed = re.findall(r"\r\x1b\[K(training \d+ %, [^\r]* left)", text)
    assert len(set(renewed)) > 1
    assert "\ntraining" not in text
    first = next(seconds for seconds, part in shown if "training 0 %" in part)
    assert first < 30  # some three seconds on an idle machine
    assert text.rstrip().endswith("Stopped. To continue, give the same command again: finished results are kept.")
    assert len(checkout.checkpoints()) == 2


def test_who_ends_the_command_ends_all_that_it_started(new_checkout, wait_until):
    checkout = new_checkout(**LONG)
    with start(checkout, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        wait_until(checkout.training)
        run.terminate()
        run.communicate(timeout=120)
    assert run.returncode == 143
    assert not checkout.processes("bnbench")


def test_no_more_jobs_begin_when_the_command_is_killed(new_checkout, wait_until):
    checkout = new_checkout(**LONG | {"epochs": 4000})
    checkout.hold_training()
    with start(checkout, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        wait_until(checkout.holds)
        run.kill()
    checkout.let_train()
    wait_until(lambda: not checkout.processes("snakemake") and not checkout.processes("bnbench"))
    assert len(checkout.chunks()) <= 2  # of four


FAILING = {
    "a job": (
        "workflow/bnbench/trainer/loop.py",
        "        self.epochs = epoch + 1\n",
        "        self.epochs = epoch + 1\n        raise ValueError('three is enough')\n",
        [
            "ValueError: three is enough",
            "Training remains for 8 jobs:",
            "; its log: logs/train/",
            "give the same command",
        ],
    ),
    "a step": (
        "workflow/bnbench/compare.py",
        "from pathlib import Path\n",
        "from pathlib import Path\nraise ValueError('no judge')\n",
        ["ValueError: no judge", "To continue, give the same command again"],
    ),
}


@pytest.mark.parametrize(("file", "old", "new", "told"), FAILING.values(), ids=FAILING)
def test_what_fails_is_shown_whole_with_how_to_go_on(new_checkout, file, old, new, told):
    checkout = new_checkout()
    checkout.edit(file, old, new)
    run = checkout.bnbench("run", "--configfile", "tiny.yaml", "--cores", "2")
    assert run.returncode != 0
    for words in [*told, "logs/tiny/snakemake.log"]:
        assert words in run.stderr
    assert ": trained seeds" not in run.stderr
    assert run.stdout == ""


def test_a_mistake_in_the_config_is_all_that_is_said(checkout):
    run = checkout.bnbench("run", "--configfile", "tiny.yaml", "--config", "epohcs=3")
    assert run.returncode == 2
    assert "epohcs" in run.stderr
    assert "training" not in run.stderr
    assert not (checkout.folder / "logs").exists()
