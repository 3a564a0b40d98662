"""Scores: the quality of a network's outputs at the test points, besides their loss."""

from collections.abc import Callable

import torch
from torch import Tensor

from bnbench.catalogue.losses import Kind
from bnbench.catalogue.task import Task
from bnbench.vocabulary import ACCURACY, AUC, MAE, R2


def of(task: Task, output: Tensor, target: Tensor) -> dict[str, Tensor]:
    """The scores of a task by their names in the tables.

    Args:
        task: says which scores there are, and what its targets are.
        output: of the networks, [seeds, points, outputs].
        target: [seeds, points, outputs].

    Returns:
        A number for each seed, [seeds]. Of absolute errors, in the units in which the network is trained.
    """
    return {name: _SCORES[name](output, target, task.kind()) for name in task.scores()}


def _accuracy(output: Tensor, target: Tensor, kind: Kind) -> Tensor:
    """Share of examples whose largest output is that of the right class; of flags, share of flags that are right."""
    right = output.argmax(2) == target.argmax(2) if kind == "classes" else (output > 0) == (target > 0.5)
    return right.to(output.dtype).flatten(1).mean(1)


def _r2(output: Tensor, target: Tensor, kind: Kind) -> Tensor:  # noqa: ARG001
    """1 − squared errors over squared distances from the mean target, each summed over points and outputs."""
    spread = (target - target.mean(1, keepdim=True)).square().sum((1, 2))
    return 1 - (output - target).square().sum((1, 2)) / spread


def _mae(output: Tensor, target: Tensor, kind: Kind) -> Tensor:  # noqa: ARG001
    """Mean absolute error over points and outputs."""
    return (output - target).abs().mean((1, 2))


def _auc(output: Tensor, target: Tensor, kind: Kind) -> Tensor:  # noqa: ARG001
    """Area under the ROC curve of the second of two classes (Mann & Whitney 1947), ties counting half.

    NaN where all test points are of one class.
    """
    scores = (output[:, :, 1] - output[:, :, 0]).contiguous()
    positive = (target[:, :, 1] > 0.5).to(torch.float64)
    ordered = scores.sort(1).values
    below, up_to = (torch.searchsorted(ordered, scores, right=right) for right in (False, True))
    ranks = (below + up_to + 1).to(torch.float64) / 2
    positives, points = positive.sum(1), positive.shape[1]
    pairs = positives * (points - positives)
    area = ((ranks * positive).sum(1) - positives * (positives + 1) / 2) / pairs
    return torch.where(scores.isfinite().all(1), area, torch.nan)


_SCORES: dict[str, Callable[[Tensor, Tensor, Kind], Tensor]] = {
    ACCURACY: _accuracy,
    AUC: _auc,
    R2: _r2,
    MAE: _mae,
}
