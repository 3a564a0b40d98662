"""One chunk's training, interrupted at random times and on a full disk: same bits, no leftovers, no half files."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from specs import assert_same_bits, named, spec

from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files

CHUNK = Chunk(Setting.from_spec(spec(hidden=[64, 64], batch_size=10, epochs=1500, evaluate_every=50)), 0, 8)
SMALL = Chunk(Setting.from_spec(spec(epochs=2000, evaluate_every=1, norm=named("norm", "none"))), 0, 4)
INTERRUPTIONS = 30
ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow")}

TRAIN = """
import json, sys
from pathlib import Path
from bnbench import train
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
print("begins", flush=True)
setting, count, results = Setting.from_spec(json.loads(sys.argv[1])), int(sys.argv[2]), Path(sys.argv[3])
train.run(Chunk(setting, 0, count), results, 1, every=0.1)
"""


def start(chunk, results):
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN, chunk.setting.to_json(), str(chunk.count), str(results)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def left(results):
    return sorted(path for path in results.rglob("*") if path.is_file())


def assert_whole(chunk, results, undisturbed):
    """The chunk's tables are the only files there, and equal those of undisturbed training."""
    assert left(results) == sorted(chunk_files.paths(chunk, results).values())
    assert_same_bits(chunk, results, undisturbed)


def bnbench_train(chunk, results):
    command = [sys.executable, "-m", "bnbench", "train", "--setting", chunk.setting.to_json(), "--results", results]
    command += ["--first", str(chunk.first), "--last", str(chunk.last)]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=ENVIRONMENT)


def test_thirty_interruptions_at_random_times_change_no_bit_and_leave_no_file(tmp_path):
    undisturbed, results = tmp_path / "undisturbed", tmp_path / "results"
    began = time.monotonic()
    assert start(CHUNK, undisturbed).communicate()[1] == ""
    longest = (time.monotonic() - began) / 4
    chance, ends, resumed = random.Random(5), [], 0
    while len(ends) < INTERRUPTIONS:
        process = start(CHUNK, results)
        assert process.stdout.readline() == "begins\n"
        try:
            _, said = process.communicate(timeout=chance.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
            _, said = process.communicate()
        assert "ignored" not in said
        assert "Traceback" not in said
        resumed += "goes on after epoch" in said
        if process.returncode:
            ends.append(process.returncode)
        else:  # done before the next interruption: again from the start
            assert_whole(CHUNK, results, undisturbed)
            shutil.rmtree(results)
    assert start(CHUNK, results).wait() == 0
    assert_whole(CHUNK, results, undisturbed)
    stopped_before_it_could_listen = {-signal.SIGTERM}
    assert {*ends} - stopped_before_it_could_listen == {-signal.SIGKILL, 128 + signal.SIGTERM}
    assert resumed > INTERRUPTIONS / 3


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


@pytest.mark.parametrize("free", [0, 60, 120], ids=lambda free: f"{free} KiB free")
def test_on_a_full_disk_a_chunk_fails_with_one_message_and_is_done_when_there_is_space(free, small_disk, tmp_path):
    results, filler = small_disk / "results", small_disk / "filler"
    results.mkdir()
    space = os.statvfs(small_disk)
    filler.write_bytes(bytes(space.f_bavail * space.f_frsize - free * 1024))
    failed = bnbench_train(SMALL, results)
    assert failed.returncode == 2
    (message,) = failed.stderr.splitlines()
    assert ": cannot be written (" in message
    assert "No space left on device" in message
    written = left(results)
    assert len(written) == (free == 120)
    filler.unlink()
    assert bnbench_train(SMALL, results).returncode == 0
    assert bnbench_train(SMALL, tmp_path / "undisturbed").returncode == 0
    assert_whole(SMALL, results, tmp_path / "undisturbed")
    assert set(written) <= set(left(results))
