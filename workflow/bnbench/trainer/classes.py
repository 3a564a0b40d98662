"""Which classes the networks predict for the test points: counts of each true and predicted class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from bnbench.catalogue import tasks
from bnbench.catalogue.task import Task

Counts = NDArray[np.int64]
"""[seeds, classes, classes]: how many test points of the row's class were classified as the column's."""


def counts(task: Task, output: Tensor, target: Tensor) -> Counts:
    """How many test points of each class the networks classify as each.

    A class is predicted as `scores` does it for the accuracy, so the counts on the diagonal give the same share.

    Args:
        task: says what its targets are; they must have classes that are counted, see `tasks.counted_classes`.
        output: of the networks, [seeds, points, outputs].
        target: [seeds, points, outputs].
    """
    classes = tasks.counted_classes(task)
    if task.kind() == "classes":
        predicted, true = output.argmax(2), target.argmax(2)
    else:  # one flag
        predicted, true = (output[:, :, 0] > 0).long(), (target[:, :, 0] > 0.5).long()
    cells = (true * classes + predicted).cpu().numpy()
    found = [np.bincount(of_seed, minlength=classes**2) for of_seed in cells]
    return np.stack(found).reshape(-1, classes, classes).astype(np.int64)
