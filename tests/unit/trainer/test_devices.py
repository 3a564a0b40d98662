"""A job trains where it is asked to, alone on its GPU or with as many as the profile says; a stand-in is named."""

import fcntl
import os
import re
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from bnbench.errors import UserError
from bnbench.store import provenance
from bnbench.trainer import devices
from checkouts import PROJECT

CLAIM = """
import signal, sys
from bnbench.trainer import devices
print(devices.claim(sys.argv[1:], pause=0.05), flush=True)
signal.pause()
"""


@pytest.fixture
def claimant(tmp_path):
    """A function that starts a process which claims one of the GPUs a and b, and keeps it."""
    processes = []

    def start():
        environment = {"PYTHONPATH": "workflow", "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-c", CLAIM, "GPU-a", "GPU b/2"]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_no_two_jobs_have_one_gpu_and_the_next_one_waits_until_one_is_free(claimant):
    first, second = claimant(), claimant()
    assert sorted(process.stdout.readline() for process in (first, second)) == [b"0\n", b"1\n"]
    third = claimant()
    assert third.stderr.readline() == b"waiting for one of 2 GPUs: other jobs have them\n"
    time.sleep(0.3)
    assert third.poll() is None
    second.kill()
    assert third.stdout.readline() in (b"0\n", b"1\n")
    fourth = claimant()
    assert fourth.stderr.readline().startswith(b"waiting")


def test_a_gpu_is_free_again_after_a_kill(claimant):
    for _ in range(3):
        job = claimant()
        assert job.stdout.readline() == b"0\n"
        job.kill()
        job.wait()


@pytest.fixture(autouse=True)
def _own_locks(tmp_path, monkeypatch):
    """Locks that no other process of the tests waits for, given back in the end."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(devices, "_held", {})
    yield
    leave(devices._held)


def leave(held):
    """Give the locks back, as the kernel does when a job ends."""
    for handles in held.values():
        for handle in handles:
            os.close(handle)


@pytest.fixture
def job(monkeypatch):
    """A function that claims one of the GPUs a and b as one more job would; gives its place, and how the job ends.

    None where the job waits. Two handles of one file exclude each other like those of two processes.
    """

    def claimed(shares=1, names=("a", "b")):
        monkeypatch.setattr(devices, "_held", {})

        def waits(_):
            raise TimeoutError

        monkeypatch.setattr(devices.time, "sleep", waits)
        try:
            place = devices.claim(names, shares)
        except TimeoutError:
            return None
        held = devices._held
        ended.append(held)
        return place, lambda: leave({name: held.pop(name) for name in [*held]})

    ended = []
    yield claimed
    for held in ended:
        leave(held)
    devices._held.clear()


def test_jobs_that_share_gpus_spread_over_them_and_the_next_one_waits_and_says_so(job, capsys):
    places = [job(shares=2)[0] for _ in range(4)]
    assert places == [0, 1, 0, 1]
    assert not capsys.readouterr().err
    assert job(shares=2) is None
    assert capsys.readouterr().err == "waiting for a share of 2 GPUs, 2 jobs each: other jobs have them\n"


def test_a_job_goes_where_the_fewest_jobs_are_and_not_where_the_first_share_is_free(job):
    (_, end_first), (_, end_on_b), (place, _) = job(shares=3), job(shares=3), job(shares=3)
    assert place == 0
    end_first()
    end_on_b()
    assert job(shares=3)[0] == 1


def test_a_job_that_wants_a_gpu_for_itself_and_jobs_that_share_it_keep_apart(job):
    _, end = job()
    assert [job(shares=2)[0] for _ in range(2)] == [1, 1]
    assert job(shares=2) is None
    assert job() is None
    end()
    assert job()[0] == 0


def test_jobs_with_unlike_shares_are_as_many_as_the_larger_number_says(job):
    assert [job(shares=shares, names=["a"])[0] for shares in (2, 3, 3)] == [0, 0, 0]
    assert job(shares=3, names=["a"]) is None
    assert job(shares=2, names=["a"]) is None


def test_a_job_of_an_older_version_which_locks_the_gpu_alone_is_respected(job, tmp_path):
    with (tmp_path / "bnbench-gpu-a.lock").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        assert job(shares=4)[0] == 1
        assert job(shares=4, names=["a"]) is None


def test_everybody_may_lock_the_files_whatever_the_umask(job, tmp_path):
    before = os.umask(0o077)
    try:
        job(shares=2)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.lock")} == {0o644}


@pytest.mark.parametrize("shares", [1, 2])
def test_a_process_that_claims_again_gets_the_gpu_that_it_holds(shares, monkeypatch):
    monkeypatch.setattr(devices.time, "sleep", lambda _: pytest.fail("it waits for itself"))
    assert devices.claim(["a"], shares) == 0
    assert devices.claim(["a"], shares) == 0
    assert devices.claim(["b", "a"], shares) == 1


@pytest.fixture
def gpus(monkeypatch):
    """Two GPUs, as torch shows them; gives the places that were chosen."""
    chosen = []
    stubs = {
        "is_available": lambda: True,
        "device_count": lambda: 2,
        "get_device_properties": lambda place: SimpleNamespace(uuid=f"uuid-{place}"),
        "set_device": chosen.append,
        "get_device_name": lambda place: f"GPU number {place}",
    }
    monkeypatch.delenv(devices.STAND_IN, raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for name, stub in stubs.items():
        monkeypatch.setattr(torch.cuda, name, stub)
    return chosen


def test_a_process_that_asks_for_a_gpu_twice_gets_the_one_it_holds(gpus, tmp_path):
    with (tmp_path / "bnbench-gpu-uuid-0.lock").open("w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        first = devices.acquire("cuda", "x")
    assert first == (torch.device("cuda", 1), "GPU number 1")
    assert devices.acquire("cuda", "y") == first
    assert gpus == [1, 1]


def test_a_slice_of_a_gpu_is_locked_by_its_own_name(gpus, monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    for name in ("MIG-c7f1", "MIG-GPU-63fe/1/0"):
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", name)
        monkeypatch.setattr(devices, "_held", {})  # another job's process; the locks of the first live on
        devices.acquire("cuda", "x")
    locks = {path.name for path in tmp_path.glob("*.lock")}
    assert {"bnbench-gpu-uuid-0-MIG-c7f1.lock", "bnbench-gpu-uuid-0-MIG-GPU-63fe_1_0.lock"} <= locks


@pytest.mark.usefixtures("gpus")
def test_a_gpu_that_cuda_cannot_start_on_is_told_of_in_one_message(monkeypatch):
    def refuses(_):
        raise RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable\nCompile with ...")

    monkeypatch.setattr(torch.cuda, "set_device", refuses)
    with pytest.raises(UserError, match=r"^x: CUDA does not start: CUDA error: .* are busy or unavailable\n[^\n]"):
        devices.acquire("cuda", "x")


def test_the_cpu_needs_no_claim():
    assert devices.acquire("cpu", "x") == (torch.device("cpu"), provenance.processor())


def test_an_absent_gpu_is_told_of(monkeypatch):
    monkeypatch.delenv(devices.STAND_IN, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"^some-setting: the setting asks for device 'cuda', but torch .* finds no"):
        devices.acquire("cuda", "some-setting")


def test_no_test_is_left_out_where_there_is_a_gpu():
    files = [*(PROJECT / "tests").rglob("*.py")]
    assert Path(__file__) in files
    marks = re.compile(r"skipif\(\s*torch\.cuda\.is_available\(\)")
    assert [str(path) for path in files if marks.search(path.read_text())] == []


def test_the_stand_in_of_tests_says_what_it_is(monkeypatch, capsys):
    monkeypatch.setenv(devices.STAND_IN, "1")
    device = devices.acquire("cuda", "some-setting")
    assert device == (torch.device("cpu"), f"{provenance.processor()} standing in for a GPU")
    assert (
        "some-setting: trains on the CPU instead of CUDA, as BNBENCH_TEST_CUDA_ON_CPU asks" in capsys.readouterr().err
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_gpu_is_claimed_and_named():
    device = devices.acquire("cuda", "x")
    assert device.torch.type == "cuda"
    assert device.name == torch.cuda.get_device_name(device.torch)
