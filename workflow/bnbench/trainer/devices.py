"""The device that a job trains on: a CPU, or a GPU that no other job of this machine has.

Snakemake counts GPUs but does not say which one is whose, so every job locks its own: the kernel gives the lock back
when the job ends, however it ends. On a cluster a job sees only the GPUs that it was given.
"""

import contextlib
import fcntl
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from bnbench.errors import UserError
from bnbench.store import provenance

STAND_IN = "BNBENCH_TEST_CUDA_ON_CPU"
"""An environment variable for tests: set to 1, settings on CUDA train on the CPU, and say so in their tables."""

_held: list[int] = []  # locks, kept until the process ends


class Device(NamedTuple):
    """Where to train."""

    torch: torch.device
    name: str
    """Model of the processor or the GPU."""


def acquire(kind: str, address: str) -> Device:
    """The device for a setting on `kind`, cpu or cuda; waits while all GPUs are taken.

    Raises:
        UserError: there is no GPU, and one is asked for.
    """
    if kind == "cpu":
        return Device(torch.device("cpu"), provenance.processor())
    if os.environ.get(STAND_IN) == "1":
        print(f"{address}: trains on the CPU instead of CUDA, as {STAND_IN} asks", file=sys.stderr)
        return Device(torch.device("cpu"), f"{provenance.processor()} standing in for a GPU")
    # cuBLAS repeats its bits only with a workspace of fixed size.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if not torch.cuda.is_available():
        raise UserError(
            f"{address}: the setting asks for device 'cuda', but torch {torch.__version__} finds no CUDA device "
            "here; run it where there is one, or take 'cuda' out of 'device' in the config"
        )
    places = range(torch.cuda.device_count())
    index = claim([str(torch.cuda.get_device_properties(place).uuid) for place in places])
    torch.cuda.set_device(index)
    return Device(torch.device("cuda", index), torch.cuda.get_device_name(index))


def claim(names: Sequence[str], pause: float = 1.0) -> int:
    """Place of the first of the GPUs called `names` that no process on this machine has; waits until one is free."""
    told = False
    while True:
        for place, name in enumerate(names):
            if _lock(Path(tempfile.gettempdir()) / f"bnbench-gpu-{re.sub(r'[^A-Za-z0-9-]', '_', name)}.lock"):
                return place
        if not told:
            print(f"waiting for one of {len(names)} GPUs: other jobs have them", file=sys.stderr, flush=True)
            told = True
        time.sleep(pause)


def _lock(path: Path) -> bool:
    """Lock a file, whoever made it, until the process ends."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        handle = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
        with contextlib.suppress(OSError):
            os.fchmod(handle, 0o644)  # for other users to lock, whatever the umask
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    _held.append(handle)
    return True


@contextlib.contextmanager
def plain(device: torch.device) -> Iterator[None]:
    """Kernels whose bits are always the same: on a CPU those of one thread, since several add in another order.

    On a GPU torch's deterministic ones, where there are some. For one thread of a CPU there is nothing to choose, and
    torch would import its compiler for two seconds.
    """
    if device.type == "cpu":
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
