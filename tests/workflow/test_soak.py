"""One chunk's training, interrupted at random times and on a full disk: same bits, no leftovers, no half files."""

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from specs import assert_same_bits, named, spec

import planned
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files

CHUNK = Chunk(Setting.from_spec(spec(hidden=[64, 64], batch_size=10, epochs=1500, evaluate_every=50)), 0, 8)
SMALL = Chunk(Setting.from_spec(spec(epochs=2000, evaluate_every=1, norm=named("norm", "none"))), 0, 4)
INTERRUPTIONS = 30
ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow")}

SERVER = """
import json, os, sys, traceback
from pathlib import Path
from bnbench import train
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
for line in sys.stdin:
    asked = json.loads(line)
    if not (child := os.fork()):
        os.dup2(os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
        status = 0
        try:
            chunk = Chunk(Setting.from_spec(asked["spec"]), 0, asked["count"])
            train.run(chunk, Path(asked["results"]), 1, every=0.1)
        except SystemExit as stop:
            status = stop.code
        except BaseException:
            traceback.print_exc()
            status = 1
        os._exit(status)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Trains each chunk that it is asked for in a process of its own, none of which has to import torch."""


class Trainers:
    """Processes that train, one after the other."""

    def __init__(self, server, log):
        self._server, self._log, self._process = server, log, 0

    def start(self, chunk, results):
        """Begin to train a chunk."""
        asked = {"spec": json.loads(chunk.setting.to_json()), "count": chunk.count}
        self._server.stdin.write(json.dumps({**asked, "results": str(results), "log": str(self._log)}) + "\n")
        self._server.stdin.flush()
        self._process = int(self._server.stdout.readline())

    def ends_within(self, seconds):
        """Whether it ends by itself in this time."""
        return bool(select.select([self._server.stdout], [], [], seconds)[0])

    def send(self, number):
        os.kill(self._process, number)

    def ended(self):
        """Wait for its end: the exit status, and what it said."""
        return int(self._server.stdout.readline()), self._log.read_text()

    def trained(self, chunk, results):
        """Train a chunk undisturbed; the exit status, and what was said."""
        self.start(chunk, results)
        return self.ended()


@pytest.fixture
def trainers(tmp_path):
    command = [sys.executable, "-u", "-c", SERVER]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=ENVIRONMENT, **pipes) as server:
        yield Trainers(server, tmp_path / "log")
        server.stdin.close()


def left(results):
    return sorted(path for path in results.rglob("*") if path.is_file())


def assert_whole(chunk, results, undisturbed):
    """The chunk's tables are the only files there, and equal those of undisturbed training."""
    assert left(results) == sorted(chunk_files.paths(chunk, results).values())
    assert_same_bits(chunk, results, undisturbed)


def bnbench_train(chunk, results):
    with tempfile.TemporaryDirectory() as folder:  # the disk of the results may be full
        setting = planned.arguments(chunk.setting, Path(folder))
        command = [sys.executable, "-m", "bnbench", "train", *setting, "--results", results]
        command += ["--first", str(chunk.first), "--last", str(chunk.last)]
        return subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)


def test_thirty_interruptions_at_random_times_change_no_bit_and_leave_no_file(trainers, tmp_path):
    undisturbed, results = tmp_path / "undisturbed", tmp_path / "results"
    began = time.monotonic()
    assert trainers.trained(CHUNK, undisturbed) == (0, "")
    longest = (time.monotonic() - began) / 4
    chance, ends, resumed = random.Random(5), [], 0
    while len(ends) < INTERRUPTIONS:
        trainers.start(CHUNK, results)
        if not trainers.ends_within(chance.uniform(0, longest)):
            trainers.send(chance.choice([signal.SIGKILL, signal.SIGTERM]))
        status, said = trainers.ended()
        assert "ignored" not in said
        assert "Traceback" not in said
        resumed += "continues after epoch" in said
        if status:
            ends.append(status)
        else:  # done before the next interruption: again from the start
            assert_whole(CHUNK, results, undisturbed)
            shutil.rmtree(results)
    assert trainers.trained(CHUNK, results)[0] == 0
    assert_whole(CHUNK, results, undisturbed)
    stopped_before_it_could_listen = {-signal.SIGTERM}
    assert {*ends} - stopped_before_it_could_listen == {-signal.SIGKILL, 128 + signal.SIGTERM}
    assert resumed > INTERRUPTIONS / 3


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of `SMALL`, trained undisturbed."""
    results = tmp_path_factory.mktemp("undisturbed")
    assert bnbench_train(SMALL, results).returncode == 0
    return results


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a small file system")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.parametrize("share", [0, 0.45, 1], ids=["no space", "space for half of a table", "space for one table"])
def test_on_a_full_disk_a_chunk_fails_with_one_message_and_is_done_when_there_is_space(share, small_disk, undisturbed):
    results, filler = small_disk / "results", small_disk / "filler"
    results.mkdir()
    space = os.statvfs(small_disk)
    (table,) = undisturbed.glob("losses/*/*.parquet")  # the first that is written, and the largest
    pages = int(share * (table.stat().st_size // space.f_frsize + 2))
    filler.write_bytes(bytes((space.f_bavail - pages) * space.f_frsize))
    failed = bnbench_train(SMALL, results)
    assert failed.returncode == 2
    (message,) = failed.stderr.splitlines()
    assert " cannot be written (" in message
    assert "No space left on device" in message
    written = left(results)
    assert len(written) == (share == 1)
    filler.unlink()
    assert bnbench_train(SMALL, results).returncode == 0
    assert_whole(SMALL, results, undisturbed)
    assert set(written) <= set(left(results))
