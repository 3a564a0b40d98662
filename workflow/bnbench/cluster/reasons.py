"""Why a job waits, and whether that ends by itself.

SLURM has about two hundred reasons. One that no pattern here matches is ordinary: the job waits for its turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """What a reason means for us."""

    advice: str = ""
    """What to do; nothing where jobs wait like that on any busy cluster."""
    resource: str = ""
    """The entry of the profile that the advice is about."""
    hopeless: bool = False
    """Whether the job waits for ever, unless somebody changes it or the cluster."""


_MAX = r"(QOS|Assoc)Max"
_OF_ONE = r"Per(Job|Node)(Limit)?"
"""Limits on the request of a single job. The others count what is in use, and let a job start when less is."""

_KNOWN: Sequence[tuple[str, Reason]] = (
    (
        rf"PartitionTimeLimit|{_MAX}(Wall|\w*Minutes)\w*{_OF_ONE}",
        Reason("request less time", "runtime", hopeless=True),
    ),
    (rf"MaxMemPerLimit|{_MAX}Mem\w*{_OF_ONE}", Reason("request less memory", "mem_mb", hopeless=True)),
    (rf"{_MAX}GRES{_OF_ONE}|QOSMinGRES", Reason("request other GPUs", "gpu", hopeless=True)),
    (
        rf"{_MAX}\w+{_OF_ONE}|QOSMin\w+",
        Reason("name a QOS that allows such jobs, or request what it allows,", "qos", hopeless=True),
    ),
    (
        r"PartitionNodeLimit",
        Reason("name a partition that allows jobs on one node", "slurm_partition", hopeless=True),
    ),
    (
        r"BadConstraints|PartitionConfig",
        Reason("no node has what it requests: request something else", "constraint", hopeless=True),
    ),
    (r"InvalidAccount|AccountNotAllowed", Reason("name another account", "slurm_account", hopeless=True)),
    (r"InvalidQOS|QOSNotAllowed", Reason("name another QOS", "qos", hopeless=True)),
    (
        r"DependencyNeverSatisfied|DeadLine|ReservationDeleted",
        Reason("remove the option that causes this", "slurm_extra", hopeless=True),
    ),
    (
        r"PartitionDown|PartitionInactive|NodeDown|FrontEndDown|ReqNodeNotAvail",
        Reason("wait until the partition and its nodes are up, or name another partition", "slurm_partition"),
    ),
    (
        r"JobHeld(Admin|User)|JobHoldMaxRequeue|RequeueExitHold|launch failed requeued held|\w*held\w*",
        Reason("`scontrol release` lets it start, `scancel` ends it"),
    ),
    (
        r"(QOS|Assoc)(Grp|Max)\w+|(QOS|Association)(Job|Resource|Time)Limit|Max\w+PerAccount|QOSUsageThreshold",
        Reason("it can start when less of this limit is in use; or name another QOS", "qos"),
    ),
)


def meant(text: str) -> Reason:
    """What a reason in SLURM's words means, such as `ReqNodeNotAvail, UnavailableNodes:cpu01`."""
    word = text.partition(",")[0].strip().replace("_", " ")
    return next((reason for pattern, reason in _KNOWN if re.fullmatch(pattern, word)), Reason())
