"""Random streams, keyed by (seed, role) and by nothing else.

A role is `data`, `validation`, `order`, `init.<layer>.<parameter>` or `forward.<epoch>`; never an arm, a chunk or a
device. So both arms of a pair start from the same weights, see the same examples in the same order and drop the same
units, whatever they are trained with or next to.

The roles belong to three sources of randomness, `SOURCES`. A trial's seed fixes all of them. Where a study asks how
much of the spread one source makes, that source alone follows the seed, and the others follow `FIXED` (Bouthillier et
al. 2021).
"""

import hashlib

import numpy as np

SOURCES = {
    "data": ("data", "validation"),
    "weights": ("init",),
    "order": ("order", "forward"),
}
"""Source → its roles, up to their first dot.

Noise or split of the data and what is held out; weights; batches, and what networks draw as they run, such as dropout.
"""

ALL = "all"
"""In place of a source: every source follows the seed."""

FIXED = 0
"""The seed of the sources that do not vary, the same in every study."""


def stream(seed: int, role: str) -> np.random.Generator:
    """The generator of one role of one trial: PCG64, seeded by the SHA-256 of `"<seed>/<role>"`."""
    digest = hashlib.sha256(f"{seed}/{role}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))


def seed_of(source: str, seed: int, varied: str) -> int:
    """The seed of one of `SOURCES` in the trial `seed`: the trial's own where `varied` is that source or `ALL`."""
    return seed if varied in (source, ALL) else FIXED
