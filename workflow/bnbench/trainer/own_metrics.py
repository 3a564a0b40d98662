"""The user's own metrics: called for one network at a time, by both engines, and their allowed values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bnbench.catalogue import metrics, tasks
from bnbench.catalogue.metrics import OwnMetric
from bnbench.errors import UserError
from bnbench.streams import seed_of, stream
from bnbench.trainer import draws, points, usercode
from bnbench.trainer.examples import EVALUATED
from bnbench.trainer.points import Points, Seen

_TRIED = 1000  # test points, at most, on which a metric is tried


class OwnMetrics:
    """The metrics of a setting.

    Raises:
        UserError: a file cannot be loaded, or has no such function.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._functions = [(each, _function(each)) for each in metrics.own(spec)]
        self._varied = spec["seed_varies"]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._functions)

    def of(self, seed: int, epochs: int, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """The value of each metric for one network after `epochs` epochs, a scalar in float64 by the metric's name.

        Each gets copies, so that it may change them; and draws random numbers by the seed and the epochs alone.

        Args:
            seed: of the network.
            epochs: that are done.
            output: of the network, [points, outputs].
            target: [points, outputs], in the units in which the network is trained.

        Raises:
            UserError: a metric raises an error, or gives no number.
        """
        found = {}
        for metric, function in self._functions:
            draws.seed_everything(seed_of("order", seed, self._varied), f"forward.metrics.{epochs}")
            with torch.inference_mode(mode=False), torch.no_grad():
                supplied = {"output": output.clone(), "target": target.clone()}
                with usercode.told(metric.path, f"measures {metric.build}"):
                    value = function(**{name: supplied[name] for name in metric.takes})
                found[metric.build] = output.new_tensor(_number(metric, value, len(output)), dtype=torch.float64)
        return found

    def of_each(self, seeds: Sequence[int], epochs: int, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """The same of several networks, [seeds, points, outputs] twice → [seeds] each."""
        found = [self.of(seed, epochs, output[place], target[place]) for place, seed in enumerate(seeds)]
        return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def check(spec: Mapping[str, Any], seed: int, data: Points) -> list[str]:
    """Refuse a setting one of whose metrics does not work on the test points, with outputs drawn at random.

    Returns:
        Notes on what may be intended: that a metric is NaN.

    Raises:
        UserError: what is wrong, with the user's file and line where it is the user's.
    """
    own = metrics.own(spec)
    if not own:
        return []
    told = []
    seen = Seen(tasks.of(spec).shape(), getattr(torch, spec["dtype"]), torch.device("cpu"), seed)
    _, target = points.opened(points.cut(data, _TRIED), seen)["test"].few(_TRIED, EVALUATED)
    output = torch.from_numpy(stream(seed, "forward.metrics").standard_normal(target.shape)).to(target.dtype)
    found = OwnMetrics(spec).of(seed, 0, output, target)
    for metric in own:
        value = found[metric.build].item()
        if value < 0 and metric.outcome().is_ratio:
            raise UserError(
                f"{_where(metric)}: the metric gives {value:.3g} for outputs drawn at random, allowed with scale: "
                "ratio: 0 or more, since arms are compared by its ratio"
            )
        if math.isnan(value):
            told.append(
                f"{_where(metric)}: the metric gives NaN for outputs drawn at random; a study cannot be judged by it "
                "where it is NaN over the window of a trial"
            )
    return told


def _function(metric: OwnMetric) -> Callable[..., Any]:
    """The user's function, with its options in the config."""
    return partial(usercode.load(metric.path, metric.build, metric.sha256), **usercode.options(metric))


def _number(metric: OwnMetric, value: Any, points: int) -> float:
    """The value of a metric, as a number."""
    is_array = isinstance(value, Tensor | np.ndarray | np.generic)
    number = value.item() if is_array and value.shape == () else value
    if isinstance(number, Real):
        return float(number)
    given = list(value.shape) if is_array and value.shape else f"a {type(number).__name__}"
    raise UserError(
        f"{_where(metric)}: the metric gives {given} for {points} points, allowed: one number, such as the mean of "
        "something over them"
    )


def _where(metric: OwnMetric) -> str:
    return f"{metric.path}: {metric.build}"
