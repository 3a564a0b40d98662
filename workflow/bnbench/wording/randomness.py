"""What a seed fixes in a study, in words."""

from __future__ import annotations

from bnbench.catalogue.task import DRAWN
from bnbench.plan.randomness import varying
from bnbench.plan.study import Study
from bnbench.wording import formats, networks

_WORDS = {
    "data": "the data",
    "noise": "the noise of the training targets",
    "split": "the split into training and test data",
    "validation": "the choice of the validation points",
}
"""What of its points a task may draw."""


def fixed(study: Study) -> str:
    """All that differs between the seeds: `the noise of the training targets and the initial weights`."""
    found = varying(study)
    parts = []
    for name in DRAWN:
        labels = [label for label, drawn in found.drawn.items() if name in drawn]
        if labels:
            parts.append(_WORDS[name] + (f" (with {_tasks(study, labels)})" if len(labels) < len(found.drawn) else ""))
    parts += ["the initial weights", *networks.draws(study)]
    if found.order == "some":
        return f"{', '.join(parts)} and, where the batch is not full, the order of the examples"
    return formats.listed([*parts, *(["the order of the examples"] if found.order == "all" else [])])


def same(study: Study) -> str:
    """Which data all seeds share; empty where each seed draws something of them."""
    drawn = varying(study).drawn
    labels = [label for label in drawn if not drawn[label]]
    if not labels:
        return ""
    of = f" of {_tasks(study, labels)}" if len(labels) < len(drawn) else ""
    return f"the data{of} are the same for all seeds"


def _tasks(study: Study, labels: list[str]) -> str:
    titles = formats.listed([study.level("task", label).title for label in labels])
    return f"the task{'s' if len(labels) > 1 else ''} {titles}"
