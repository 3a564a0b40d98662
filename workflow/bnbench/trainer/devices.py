"""The device that a job trains on: a CPU, or a GPU that no other job of this machine has, or a share of one.

Snakemake counts GPUs, or shares of them, but does not say which one is whose, so every job locks its own: the kernel
gives the locks back when the job ends, however it ends. On a cluster a job sees only the GPUs that it was given.
"""

import contextlib
import fcntl
import itertools
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch

from bnbench.errors import UserError, first_line
from bnbench.store import provenance
from bnbench.trainer import missing_gpu

STAND_IN = "BNBENCH_TEST_CUDA_ON_CPU"
"""An environment variable for tests: set to 1, settings on CUDA train on the CPU, and say so in their tables."""

_held: dict[str, list[int]] = {}  # names of GPUs → the locks on them, kept until the process ends


class Device(NamedTuple):
    """Where to train."""

    torch: torch.device
    name: str
    """Model of the processor or the GPU."""


def acquire(kind: str, address: str, shares: int = 1) -> Device:
    """The device for a setting on `kind`, cpu or cuda; waits while all GPUs are in use.

    Up to `shares` jobs share a GPU. A process that asks again gets the GPU that it has.

    Raises:
        UserError: there is no GPU, or none that works, and one is asked for.
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
            f"{address}: the setting asks for device 'cuda', but torch {torch.__version__} finds no CUDA device here; "
            f"run it where there is one, or remove 'cuda' from 'device' in the config\n{missing_gpu.evidence()}"
        )
    try:
        index = claim([_name(place) for place in range(torch.cuda.device_count())], shares)
        torch.cuda.set_device(index)
        return Device(torch.device("cuda", index), torch.cuda.get_device_name(index))
    except RuntimeError as error:  # torch raises it for whatever CUDA refuses, such as a GPU that another process keeps
        raise UserError(f"{address}: CUDA does not start: {first_line(error)}\n{missing_gpu.evidence()}") from error


def _name(place: int) -> str:
    """A name of a GPU, or of a slice of one (MIG), that no other on this machine has.

    CUDA's driver gives each slice a uuid of its own, says its documentation (cuDeviceGetUuid_v2). Where a slice is
    named by CUDA_VISIBLE_DEVICES, as SLURM does, that name is taken too, lest two slices wait for each other.
    """
    uuid = str(torch.cuda.get_device_properties(place).uuid)
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    slices = [each.strip() for each in visible[place : place + 1] if each.strip().startswith("MIG-")]
    return "-".join([uuid, *slices])


def claim(names: Sequence[str], shares: int = 1, pause: float = 1.0) -> int:
    """Place among `names` of the GPU that this process has from now on; waits until one is free.

    It is the one with the fewest jobs; each GPU takes up to `shares`. A job that wants a GPU for itself (shares 1) and
    jobs that share one never have the same GPU at once. Where jobs name different numbers of shares, a GPU takes as
    many jobs as the largest number says.
    """
    for place, name in enumerate(names):
        if name in _held:
            return place
    told = False
    while (taken := _take(names, shares)) is None:
        if not told:
            wanted = f"one of {len(names)} GPUs" if shares == 1 else f"a share of {len(names)} GPUs, {shares} jobs each"
            print(f"waiting for {wanted}: other jobs have them", file=sys.stderr, flush=True)
            told = True
        time.sleep(pause)
    return taken


def _take(names: Sequence[str], shares: int) -> int | None:
    """Lock the GPU with the most free shares, or the first of several, and give its place; None if all are taken."""
    with _alone():
        offers = [_offer(name, shares) for name in names]
        best = max(range(len(names)), key=lambda place: len(offers[place]))
        found = bool(offers[best])
        if found:
            _held[names[best]], offers[best] = offers[best][:2], offers[best][2:]
        for handle in itertools.chain(*offers):
            os.close(handle)
    return best if found else None


def _offer(name: str, shares: int) -> list[int]:
    """A lock on a GPU and one on each of its free shares; none where it is taken.

    Jobs that share a GPU hold a shared lock on it, which keeps out jobs that want it for themselves.
    """
    stem = f"bnbench-gpu-{re.sub(r'[^A-Za-z0-9-]', '_', name)}"
    whole = _lock(f"{stem}.lock", fcntl.LOCK_EX if shares == 1 else fcntl.LOCK_SH)
    if whole is None:
        return []
    each = [_lock(f"{stem}.{share}.lock", fcntl.LOCK_EX) for share in range(shares)]
    free = [handle for handle in each if handle is not None]
    if free:
        return [whole, *free]
    os.close(whole)
    return []


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep other jobs of this machine from choosing a GPU meanwhile."""
    handle = _opened("bnbench-gpus.lock")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(name: str, kind: int) -> int | None:
    """A lock on a file, until its handle is closed or the process ends; None where another has it."""
    handle = _opened(name)
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _opened(name: str) -> int:
    """A file for locks, which any user's job may have made."""
    path = Path(tempfile.gettempdir()) / name
    while True:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY)
        with contextlib.suppress(FileExistsError):  # made by another meanwhile
            handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o644)
            with contextlib.suppress(OSError):
                os.fchmod(handle, 0o644)  # for other users to lock, whatever the umask
            return handle


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


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether `error` says so, or came while one was handled that did, as happens where a CUDA graph is captured.

    CUDA's and Triton's own, beside torch's allocator, have no class of their own.
    """
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError) or (
            isinstance(error, RuntimeError) and "out of memory" in str(error)
        ):
            return True
        error = error.__context__
    return False
