"""Checks that what is minimized, measured and judged fits the tasks.

What comes in is a config whose keys are right one by one; what comes out is what contradicts, and why. The margin,
where it is left out, becomes that of the outcome.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from bnbench.catalogue import metrics, tasks
from bnbench.catalogue.losses import LOSSES
from bnbench.epochs import evaluated_epochs
from bnbench.errors import found, nearest
from bnbench.outcomes import OUTCOMES
from bnbench.plan.mistakes import Mistake, at
from bnbench.vocabulary import ACCURACY, AUC, BEST, EPOCHS_TO_TARGET, ERROR, MAE, R2, SCHEMA, SECONDS, SWING, VALIDATION

NEVER_DECIDING = (VALIDATION, EPOCHS_TO_TARGET, SECONDS)
"""Outcomes by which no study is judged."""

_SCORES = {ACCURACY: ACCURACY, ERROR: ACCURACY, AUC: AUC, R2: R2, MAE: MAE}
"""Outcomes that not every task has → the score that it must have."""

_SHARES = (ACCURACY, ERROR, AUC, R2)
"""Outcomes of which a difference of 1 is all that there is to tell apart, so that a margin as large is a ratio's."""

OTHER_COLUMNS = (
    *("setting", "seed", "epoch", "diverged_at", "seconds", "threads", "device_name", "python", "torch", "numpy"),
    *("bnbench", "commit", "image", "arithmetic", "numerics", "weights_hash", "target_variance", "target_scale"),
)
"""Columns of the tables of losses and trials that are neither factors nor measured."""


def mistakes(resolved: dict[str, Any]) -> Iterator[Mistake]:
    """What does not fit, in a resolved config, which gets its margin."""
    return chain.from_iterable(check(resolved) for check in (_outcome, _loss, _metrics, _validation))


def _outcome(resolved: dict[str, Any]) -> Iterator[Mistake]:
    """Give the margin its default, which is that of the outcome."""
    report = resolved["report"]
    allowed = {name: each for name, each in metrics.outcomes(resolved).items() if name not in NEVER_DECIDING}
    name, path = report["outcome"], ("report", "outcome")
    if name not in allowed:
        yield at(path, f"found {found(name)}{nearest(name, allowed)}, allowed: one of {', '.join(allowed)}")
        return
    outcome = allowed[name]
    if report["margin"] is None:
        report["margin"] = outcome.margin
    if report["margin"] is None:
        yield at(("report", "margin"), f"found null, allowed with {name}: a difference in the target's own units")
    elif outcome.is_ratio and report["margin"] <= 1:
        said = f"found {report['margin']:g}, allowed for {name}: a number above 1, since losses have a ratio"
        yield at(("report", "margin"), said)
    elif name in _SHARES and report["margin"] >= 1:
        said = f"found {report['margin']:g}, allowed for {name}: a number below 1, since it is a difference: 0.01 is "
        yield at(("report", "margin"), f"{said}{'one percentage point' if outcome.per_cent else 'one hundredth'}")
    if name == BEST and not (resolved["tune"] or resolved["validation"]):
        yield at(path, f"found {name}, allowed only with held-out training points, such as validation: 0.2")
    if name == SWING and len(evaluated_epochs(resolved["epochs"], resolved["evaluate_every"])) < 2:
        yield at(path, f"found {name}, allowed only if at least two epochs are measured, see evaluate_every")
    for index, task in enumerate(resolved["task"]):
        has = tasks.of({"task": task}).scores()
        if name in _SCORES and _SCORES[name] not in has:
            known = ", ".join(each for each in _SCORES if _SCORES[each] in has)
            yield at(("task", index), f"found '{task['name']}' with report.outcome {name}, allowed for it: {known}")


def _loss(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """A loss that does not fit the targets of some task."""
    entry = resolved["loss"]
    for task in resolved["task"] if entry["name"] in LOSSES else ():
        kind = tasks.of({"task": task}).kind()
        if kind not in LOSSES[entry["name"]].allowed:
            fitting = ", ".join(name for name, loss in LOSSES.items() if kind in loss.allowed)
            said = f"found {entry['name']} with task '{task['name']}', whose targets are {kind}, allowed: {fitting}"
            yield at(("loss",), said)


def _metrics(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Metrics whose names are taken."""
    taken = {*SCHEMA["properties"], *OUTCOMES, *OTHER_COLUMNS}
    for index, entry in enumerate(resolved["metrics"]):
        if entry["build"] in taken:
            said = f"found '{entry['build']}', which is the name of something else in the tables"
            yield at(("metrics", index, "build"), f"{said}; allowed: another name of the function")
        taken.add(entry["build"])
        if entry["margin"] is not None and entry["margin"] <= (1 if entry["scale"] == "ratio" else 0):
            least = "above 1, since it is a ratio" if entry["scale"] == "ratio" else "above 0"
            yield at(("metrics", index, "margin"), f"found {entry['margin']:g}, allowed: a number {least}")


def _validation(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Two competing shares of held-out training points."""
    if resolved["tune"] and resolved["validation"]:
        said = f"found {resolved['validation']:g} beside 'tune', which holds out its own share, allowed: null"
        yield at(("validation",), said)
