"""Random streams, keyed by (seed, role) and by nothing else.

A role is `data`, `order` or `init.<layer>.<parameter>`; never an arm, a chunk or a device. So both arms of a pair start
from the same linear weights and see the same examples in the same order, whatever they are trained with or next to.
"""

import hashlib

import numpy as np


def stream(seed: int, role: str) -> np.random.Generator:
    """The generator of one role of one trial: PCG64, seeded by the SHA-256 of `"<seed>/<role>"`."""
    digest = hashlib.sha256(f"{seed}/{role}".encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
