"""A job trains where it is asked to, alone on its GPU, and a stand-in is asked for and named."""

import subprocess
import sys
import time

import pytest
import torch

from bnbench.errors import UserError
from bnbench.store import provenance
from bnbench.trainer import devices

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


def test_the_cpu_needs_no_claim():
    assert devices.acquire("cpu", "x") == (torch.device("cpu"), provenance.processor())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_an_absent_gpu_is_told_of(monkeypatch):
    monkeypatch.delenv(devices.STAND_IN, raising=False)
    with pytest.raises(UserError, match=r"^some-setting: the setting asks for device 'cuda', but torch .* finds no"):
        devices.acquire("cuda", "some-setting")


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
