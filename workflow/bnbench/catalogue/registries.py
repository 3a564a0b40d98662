"""All that a config may call by name: one registry for each key whose entries are chosen that way."""

from __future__ import annotations

from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS, SCHEDULES
from bnbench.catalogue.parameters import Registry
from bnbench.catalogue.tasks import TASKS

REGISTRIES: dict[str, Registry] = {"task": TASKS, "norm": NORMS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
"""Key of the config → name of an entry → its class."""
