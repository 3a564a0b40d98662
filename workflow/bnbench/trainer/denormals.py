"""Denormals, numbers too small for the full precision of their type, count as 0 while a CPU trains.

In float32 these are the numbers below 1.2e-38. The gradients of a dead unit are 0, and their averages in Adam and
momentum shrink in every step (0.9^t) until they are denormal. There they stay, since 0.9 times the smallest number
rounds to itself, and CPUs compute with such numbers many times more slowly: late epochs without BN took up to four
times as long as early ones.

No result may change its last bit, so denormals count as 0 only where they all come from decay. An average that has
decayed so far moves no weight any more. Elsewhere denormals may matter: Rprop goes by signs, which do not fade with
their numbers, and where an exponential makes denormals (classes, sigmoids), they break ties in the rounding of sums.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from bnbench.catalogue import metrics, own, sources

_WITHOUT_EXPONENTIALS = {"activation": {"relu", "tanh", "identity"}, "loss": {"squared", "absolute", "huber"}}
_BY_SIGNS = "rprop"


def come_of_decay(spec: Mapping[str, Any]) -> bool:
    """Whether all denormals of a setting come from decay; not where the user's own code may make others."""
    names = sources.names(spec)
    return (
        all(names.get(kind) in harmless for kind, harmless in _WITHOUT_EXPONENTIALS.items())
        and names["optimizer"] != _BY_SIGNS
        and own.NAME not in names.values()
        and not metrics.own(spec)
    )


@contextlib.contextmanager
def flushed(*, wanted: bool = True) -> Iterator[None]:
    """Let denormals count as 0, if wanted, in this thread and in those that are started meanwhile.

    A thread inherits this from the one that starts it, and torch starts its threads at the first work for several. So a
    process that must give the same bits with any number of threads enters this before. Processors that cannot do it
    keep denormals.
    """
    torch.set_flush_denormal(wanted)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
