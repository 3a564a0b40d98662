"""The random numbers that the user's code draws: those of torch, NumPy and Python."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from bnbench.streams import stream


def seed_everything(seed: int, role: str) -> None:
    """Set the random state of torch, NumPy and Python by a seed and a role, see `streams`."""
    for_torch, *others = _numbers(seed, role)
    seed_by(for_torch, *others)
    # Where CUDA is not in use, torch.manual_seed writes down the stack, which takes 160 µs.
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(for_torch)


def seed_by(for_torch: int, for_numpy: int, for_python: int) -> None:
    """Set the random state of each by a number of its own; equal ones would give torch and NumPy the same draws.

    That of GPUs stays as it is: what is drawn there belongs to the network.
    """
    torch.default_generator.manual_seed(for_torch)
    np.random.seed(for_numpy)  # noqa: NPY002 - what the user's code may use
    random.seed(for_python)


@contextmanager
def apart(seed: int, role: str) -> Iterator[None]:
    """Draw by a seed and a role within, and continue afterwards as if nothing had been drawn."""
    before = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002 - the same
    seed_by(*_numbers(seed, role))
    try:
        yield
    finally:
        torch.set_rng_state(before[0])
        np.random.set_state(before[1])  # noqa: NPY002 - the same
        random.setstate(before[2])


def _numbers(seed: int, role: str) -> tuple[int, int, int]:
    """What torch, NumPy and Python are seeded by."""
    state = stream(seed, role)
    return int(state.integers(2**63)), int(state.integers(2**32)), int(state.integers(2**63))
