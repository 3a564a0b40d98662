"""Data that the user's function returns: called, checked, and described for the planner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from bnbench.catalogue import rows, shared_tasks
from bnbench.catalogue.losses import Kind
from bnbench.catalogue.parameters import build
from bnbench.catalogue.rows import Inputs, Stored, Targets
from bnbench.catalogue.shared_tasks import Facts, Given, Made, OwnData
from bnbench.catalogue.tasks import TASKS
from bnbench.errors import UserError
from bnbench.streams import FIXED
from bnbench.trainer import draws, usercode
from bnbench.trainer.loaded import Loader, Raw

Parts = Sequence[Stored] | Sequence[Loader]
"""A training and a test part."""

_made: dict[tuple[Any, ...], Parts] = {}
"""The last data made, which serve all seeds if the function accepts none."""


def made(asked: Made) -> Stored | Loader:
    """One part of what the user's function returns for a seed.

    Raises:
        UserError: the function does not work, or gives other sizes than it was planned with.
    """
    task, seed = asked.task, asked.seed
    key = (task.path, task.sha256, task.build, repr(sorted(task.options.items())), task.target, task.classes, seed)
    if key not in _made:
        given = _called(task, seed)
        planned = task.facts.points, task.facts.test_points, task.facts.shape
        if (found := _sizes(task, given)) != planned:
            said = [f"{points} and {tested} examples of {[*shape]}" for points, tested, shape in (found, planned)]
            raise UserError(
                f"{_where(task)} gives {said[0]} for seed {seed}, and {said[1]} when it was planned, allowed: the same "
                "for every seed"
            )
        if isinstance(given, Given):
            _refuse_other_targets(task, shared_tasks.facts(given, task.classes), seed)
        _made.clear()
        _made[key] = _parts(task, given)
    return _made[key][asked.part]


def _refuse_other_targets(task: OwnData, found: Facts, seed: int) -> None:
    """Refuse arrays of a seed whose targets are not what the network was planned for."""
    if (found.kind, found.outputs) != (task.kind(), task.outputs()):
        raise UserError(
            f"{_where(task)} gives {found.outputs} {found.kind} for seed {seed}, and {task.outputs()} {task.kind()} "
            "when it was planned, allowed: the same for every seed"
        )


def facts(entry: Mapping[str, Any]) -> Facts:
    """What the planner must know about the data that the user's function returns.

    Raises:
        UserError: the function does not work, or does not give data.
    """
    task: OwnData = build(TASKS, entry)
    return _facts(task, _called(task, FIXED))


def _where(task: OwnData) -> str:
    return f"{task.path}: {task.build}"


def _called(task: OwnData, seed: int) -> Given | Sequence[Any]:
    """Arrays, or two data sets."""
    with draws.apart(seed, "data.make"):
        found = usercode.call(task, f"makes the data with {task.build}", seed=seed)
    wants_y, where = task.target == "y", _where(task)
    if not isinstance(found, tuple | list):
        raise UserError(f"{where} gives a {type(found).__name__}, allowed: {_ALLOWED}")
    found = [*found]
    if all(isinstance(each, Tensor | np.ndarray) for each in found):
        arrays = [_array(each, where) for each in found]
        if len(arrays) == 4:
            train_x, train_y, test_x, test_y = arrays
            y, names = ((train_y, test_y), ("train_y", "test_y")) if wants_y else ((), ())
            return Given((train_x, test_x), y, ("train_x", "test_x", *names), where)
        if len(arrays) == 2 and not wants_y:
            return Given((arrays[0], arrays[1]), (), ("train_x", "test_x"), where)
    elif len(found) == 2 and all(_is_dataset(each) for each in found):
        return found
    said = ", ".join(type(each).__name__ for each in found[:5])
    raise UserError(f"{where} gives {len(found)} values ({said}), allowed: {_ALLOWED}")


_ALLOWED = (
    "(train_x, train_y, test_x, test_y), tensors or arrays; with target inputs also (train_x, test_x); or (train, "
    "test), data sets with a length and examples by their places"
)


def _array(value: Any, where: str) -> np.ndarray[Any, Any]:
    if isinstance(value, np.ndarray):
        return value
    if value.dtype == torch.bfloat16 or value.layout != torch.strided:
        raise UserError(f"{where} gives a tensor of {value.dtype} in layout {value.layout}, allowed: those of NumPy")
    found: np.ndarray[Any, Any] = value.detach().cpu().numpy()
    return found


def _is_dataset(value: Any) -> bool:
    is_stream = isinstance(value, IterableDataset) or not hasattr(value, "__len__")
    return hasattr(value, "__getitem__") and not is_stream and not isinstance(value, Tensor | np.ndarray | str | bytes)


def _parts(task: OwnData, given: Given | Sequence[Any]) -> Parts:
    if isinstance(given, Given):
        return shared_tasks.stored(given, task.classes)
    classes = task.outputs() if task.kind() == "classes" else 0
    return [_loader(task, each, classes) for each in given]


def _loader(task: OwnData, dataset: Any, classes: int = 0) -> Loader:
    takes = task.target == "y"
    return Loader(dataset, _where(task), task.path, workers=task.workers, takes_targets=takes, classes=classes)


def _sizes(task: OwnData, given: Given | Sequence[Any]) -> tuple[int, int, tuple[int, ...]]:
    """Training examples, test examples, and the shape of one."""
    if isinstance(given, Given):
        return len(given.x[0]), len(given.x[1]), rows.inputs(given.x, given.called("x")).shape
    with usercode.told(task.path, "asks for the length of a data set"):
        points, tested = (len(each) for each in given)
    if points < 2 or tested < 1:
        raise UserError(f"{_where(task)} gives {points} and {tested} examples, allowed: at least 2 and 1")
    return points, tested, _looked_at(task, given).shape


def _looked_at(task: OwnData, given: Sequence[Any]) -> Inputs:
    """What the first examples of two data sets are."""
    x = tuple(_first(task, each)[0].numpy() for each in given)
    return rows.inputs(x, tuple(f"{_where(task)}: x of {part}" for part in ("train", "test")))


def _first(task: OwnData, dataset: Any) -> Raw:
    return _loader(task, dataset).load([0], FIXED, "data.look")


def _facts(task: OwnData, given: Given | Sequence[Any]) -> Facts:
    if isinstance(given, Given):
        return shared_tasks.facts(given, task.classes)
    points, tested, shape = _sizes(task, given)
    found = shared_tasks.reproduced(shape) if task.target == "inputs" else _targets(task, given)
    seen = (each.removeprefix(f"{_where(task)}: ") for each in _looked_at(task, given).notes)
    return Facts(points, tested, shape, found.kind, found.outputs, 0.0, (*seen, found.note))


def _targets(task: OwnData, given: Sequence[Any]) -> Targets:
    """What the targets of data sets are; classes are counted from 0, and all of both parts are looked at."""
    first = _first(task, given[0])[1]
    if first is None:
        raise TypeError("a loader without targets")
    whole = not first.dtype.is_floating_point and first.dtype != torch.bool
    is_number = first.numel() == 1 and first.dim() <= 2
    if task.classes is False or (task.classes == "auto" and not whole):
        kind: Kind = "flags" if first.dtype == torch.bool else "numbers"
        width = first.numel()
        return Targets(kind, width, (), f"y: {width} {kind if width > 1 else kind[:-1]} for each example")
    if not is_number:
        raise UserError(
            f"{_where(task)}: y of an example has the shape {[*first.shape[1:]]} of {first.dtype}, allowed: one class, "
            "or fractions or booleans of any number"
        )
    classes = 1 + max(_largest_class(task, each) for each in given)
    if classes < 2 or classes > rows.MOST_CLASSES:
        raise UserError(
            f"{_where(task)}: the largest class is {classes - 1}, allowed: from 1 to {rows.MOST_CLASSES - 1}"
        )
    return Targets("classes", classes, (), f"y: {classes} classes, since it is a whole number")


def _largest_class(task: OwnData, dataset: Any) -> int:
    """By its attribute `targets` where it has one, as those of torchvision do; else every example is loaded once.

    So it is where the data set makes something else of them.
    """
    changed = {name: getattr(dataset, name, None) for name in ("target_transform", "transforms", "transform")}
    # Data sets of torchvision with a `transform` alone have `transforms` too.
    changes = changed["target_transform"] is not None or (
        changed["transforms"] is not None and changed["transform"] is None
    )
    known = None if changes else getattr(dataset, "targets", None)
    if isinstance(known, Tensor | np.ndarray | list | tuple) and len(known) == len(dataset):
        values = np.asarray(known)
    else:
        loader = _loader(task, dataset)
        loaded = [loader.load([row], FIXED, "data.look")[1] for row in range(len(dataset))]
        values = torch.cat([each.flatten() for each in loaded if each is not None]).numpy()
    if values.dtype.kind not in "iu" or values.min() < 0:
        raise UserError(f"{_where(task)}: classes are {values.dtype} from {values.min()}, allowed: 0, 1, 2, …")
    return int(values.max())
