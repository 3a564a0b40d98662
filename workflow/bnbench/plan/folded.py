"""Settings of a study with exactly the same numbers, so that one of them is trained and judged for all.

Different entries may ask for the same: a batch of all training points is the full batch, and ghost batch normalization
whose virtual batches are as large as the batch is batch normalization. A further row
with the same numbers would add nothing and cost the others power, since all rows of a study are one family. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from bnbench.catalogue import networks, norms, own, tasks
from bnbench.plan.settings import Setting, canonical, canonical_json
from bnbench.vocabulary import FACTORS

Called = Callable[[str, str], str]
"""From factor and label to the label of the level whatever its tuned parameters."""

_Item = TypeVar("_Item", bound=Hashable)
_ORDERED_BY_OWN = ("network", "norm", "loss")
"""Keys whose entry, if it is the user's own code, may make something of the order of the examples."""


def normalized(spec: Mapping[str, Any], points: int) -> dict[str, Any]:
    """The setting's spec with its batch size and its norm in canonical form.

    `full` takes the examples as they lie and a batch of as many in a random order, so the gradients of these two differ
    by rounding; where a network draws random numbers, such as dropout masks, the order says which example gets which,
    and they stay apart. A batch of all points but one takes all of them too, but test batches of its size would differ.
    The last batch of an epoch may have an example more than the others: even so it is one virtual batch.

    Args:
        spec: the setting's.
        points: training points of its task.
    """
    network = networks.of(spec)
    ordered = network.draws() or any(spec.get(key, {}).get("name") == own.NAME for key in _ORDERED_BY_OWN)
    examples = points if spec["batch_size"] == "full" else spec["batch_size"]
    batch_size = "full" if examples >= points and not ordered else spec["batch_size"]
    # What a network of the user's hands to a norm need not be a batch of examples.
    norm = norms.plain(spec["norm"], examples) if network.places_norms else spec["norm"]
    return {**spec, "batch_size": batch_size, "norm": norm}


def folded(grid: Sequence[Setting], factor: str, baseline: str, whatever: Called) -> dict[str, Setting]:
    """Address of each setting that another one stands for → that one, in the order of the grid.

    Left out is what would be compared twice. An arm is, if another arm of its context has the same numbers:
    the baseline stands for it, or else the first one. A context is, where each of its arms has the numbers that the
    same arm has in an earlier context. Two settings that are alike in one arm alone are compared with different ones,
    so both stay. An arm or context that is tuned stays with all its candidates, unless another has the same ones.

    Args:
        grid: all settings.
        factor: whose levels are compared.
        baseline: label of the arm that always stays.
        whatever: what a tuned level is called whatever its tuned parameters.
    """
    said = _said(grid)
    if not said:
        return {}
    contexts: dict[tuple[str, ...], dict[str, Setting]] = {}
    for setting in grid:
        labels = tuple(setting.labels[name] for name in FACTORS if name != factor)
        contexts.setdefault(labels, {})[setting.labels[factor]] = setting
    held = [name for name in FACTORS if name != factor]
    twins = _repeated(
        (
            tuple(whatever(*each) for each in zip(held, labels, strict=True)),
            labels,
            frozenset((arm, said[setting.address]) for arm, setting in arms.items()),
        )
        for labels, arms in contexts.items()
    )
    found: dict[str, Setting] = {}
    for labels, arms in contexts.items():
        there = contexts[twins.get(labels, labels)]
        alike = _repeated(
            (whatever(factor, arm), arm, said[there[arm].address])
            for arm in sorted(there, key=lambda label: label != baseline)
        )
        stand_ins = {arm: there[alike.get(arm, arm)] for arm in arms}
        found |= {own.address: stand_ins[arm] for arm, own in arms.items() if stand_ins[arm] is not own}
    return found


def stand_ins(
    grid: Sequence[Setting], folds: Mapping[str, Setting], factor: str
) -> dict[tuple[str, ...], dict[str, str]]:
    """Labels of a context → arm that is not trained there → the arm that stands for it.

    Args:
        grid: all settings.
        folds: what `folded` gives.
        factor: whose levels are compared.
    """
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for setting in grid if folds else ():
        other = folds.get(setting.address, setting)
        context, its = (tuple(each.labels[name] for name in FACTORS if name != factor) for each in (setting, other))
        if other is not setting and context == its:
            found.setdefault(context, {})[setting.labels[factor]] = other.labels[factor]
    return found


def _said(grid: Sequence[Setting]) -> dict[str, str]:
    """Address → the spec in one way, as text; nothing where all settings are said in that way already."""
    of_tasks = {setting.labels["task"]: setting.spec for setting in grid}
    points = {label: tasks.of(spec).train_points() for label, spec in of_tasks.items()}
    specs = {setting.address: normalized(setting.spec, points[setting.labels["task"]]) for setting in grid}
    if all(specs[setting.address] == setting.spec for setting in grid):
        return {}
    return {address: canonical_json(canonical(spec)) for address, spec in specs.items()}


def _repeated(items: Iterable[tuple[Hashable, _Item, Hashable]]) -> dict[_Item, _Item]:
    """Items that come again → those that stand for them; each is (group, item, what it holds).

    Within a group, the first that holds the same; and of a whole group that holds the same as an earlier one, the
    items of that one.
    """
    groups: dict[Hashable, dict[_Item, Hashable]] = {}
    for group, item, content in items:
        groups.setdefault(group, {})[item] = content
    known: dict[frozenset[Hashable], dict[Hashable, _Item]] = {}
    found: dict[_Item, _Item] = {}
    for own_items in groups.values():
        first: dict[Hashable, _Item] = {}
        for item, content in own_items.items():
            first.setdefault(content, item)
        first = known.setdefault(frozenset(first), first)
        found |= {item: first[content] for item, content in own_items.items() if first[content] != item}
    return found
