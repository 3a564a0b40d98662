"""What differs between the seeds of a study. Pure.

A trial draws its initial weights always (`init.…`). It draws points as its task says (`data`, `validation`), and an
order of the examples (`order`), which has an effect only where an epoch has several batches. Nothing else is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bnbench.catalogue import tasks
from bnbench.epochs import batch_bounds
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study


@dataclass(frozen=True)
class Varying:
    """What the seeds of a study differ in, beside the initial weights."""

    drawn: dict[str, tuple[str, ...]]
    """Label of a task → what of its points a seed draws, in the words of `catalogue.tasks.DRAWN`."""
    order: Literal["all", "some", "none"]
    """Of which settings the order of the examples has an effect."""


def varying(study: Study) -> Varying:
    """What the seeds of `study` differ in."""
    # Nothing but the task and the batch size makes a difference here.
    found = {(each.labels["task"], each.labels["batch_size"]): each for each in study.settings}
    drawn = {task: tasks.of(setting.spec).drawn() for (task, _), setting in found.items()}
    ordered = {_is_ordered(setting) for setting in found.values()}
    return Varying(drawn, "some" if len(ordered) > 1 else "all" if True in ordered else "none")


def _is_ordered(setting: Setting) -> bool:
    """Whether an epoch has several batches."""
    size = setting.spec["batch_size"]
    return size != "full" and len(batch_bounds(tasks.of(setting.spec).train_points(), size)) > 2
