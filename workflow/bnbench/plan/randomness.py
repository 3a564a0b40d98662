"""What differs between the seeds of a study. Pure.

A trial draws its initial weights (`init.…`). It draws points as its task says (`data`, `validation`), and an
order of the examples (`order`), which has an effect only where an epoch has several batches. The test points are put
into batches for statistics of their own (`forward.blocks`), and networks, norms and metrics may draw as they run
(`forward`). Nothing else is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bnbench.catalogue import tasks
from bnbench.epochs import batch_bounds
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.streams import ALL
from bnbench.vocabulary import SEED_VARIES


@dataclass(frozen=True)
class Varying:
    """What differs between the seeds of a study, besides the initial weights."""

    drawn: dict[str, tuple[str, ...]]
    """Label of a task → what a seed draws of its points, in the words of `catalogue.task.DRAWN`."""
    order: Literal["all", "some", "none"]
    """Of which settings the order of the examples has an effect."""


def varying(study: Study) -> Varying:
    """What the seeds of `study` differ in."""
    # Nothing but these factors makes a difference here.
    found = {tuple(each.labels[name] for name in ("task", "batch_size", SEED_VARIES)): each for each in study.settings}
    drawn: dict[str, tuple[str, ...]] = {}
    for (task, *_), setting in found.items():
        drawn[task] = drawn.get(task, ()) or _drawn(setting)
    ordered = {_is_ordered(setting) for setting in found.values()}
    return Varying(drawn, "some" if len(ordered) > 1 else "all" if True in ordered else "none")


def _drawn(setting: Setting) -> tuple[str, ...]:
    return tasks.of(setting.spec).drawn() if setting.spec[SEED_VARIES] in (ALL, "data") else ()


def _is_ordered(setting: Setting) -> bool:
    """Whether an epoch has several batches, whose order differs between the seeds."""
    size = setting.spec["batch_size"]
    if setting.spec[SEED_VARIES] not in (ALL, "order"):
        return False
    return size != "full" and len(batch_bounds(tasks.of(setting.spec).train_points(), size)) > 2
