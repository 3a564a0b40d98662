"""All that a config may call by name and give parameters: one registry for each key whose entries are such."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bnbench.catalogue.losses import CHOICES, LOSSES
from bnbench.catalogue.metrics import METRICS
from bnbench.catalogue.networks import NETWORKS
from bnbench.catalogue.norm import Norm
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.catalogue.parameters import Registry, build, refuse_unfinished
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.catalogue.task import Task
from bnbench.catalogue.tasks import TASKS
from bnbench.errors import UserError, nearest

REGISTRIES: dict[str, Registry] = {
    "task": TASKS,
    "network": NETWORKS,
    "norm": NORMS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": CHOICES,
}
"""Key of the config → name of an entry → its class."""

ENTRIES: dict[str, Registry] = {**REGISTRIES, "metric": METRICS}
"""The same of all entries, also of those in a list that are no levels, by what one is called."""


def check(kind: str, entry: Mapping[str, Any]) -> None:
    """Refuse a resolved entry whose class cannot do what is asked of it.

    Raises:
        UserError: the class lacks something.
        ValueError: the class refuses its parameters.
    """
    made = build(ENTRIES[kind], entry)
    if isinstance(made, Norm) and made.buffers() and type(made).evaluate is Norm.evaluate:
        raise UserError(
            f"class {type(made).__name__} keeps {', '.join(made.buffers())} in buffers() and has no evaluate(); "
            "allowed: a norm that keeps statistics and says in evaluate() how it uses them"
        )
    if isinstance(made, Task):
        if made.loss() not in LOSSES:
            raise UserError(
                f"class {type(made).__name__} names as its loss() '{made.loss()}'{nearest(made.loss(), LOSSES)}, "
                f"allowed: one of {', '.join(LOSSES)}"
            )
        refuse_unfinished(LOSSES[made.loss()])
