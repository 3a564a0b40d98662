"""The line above the answer: what was compared, on what, and how often, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from bnbench.catalogue import own, tasks
from bnbench.catalogue.norms import NORMS
from bnbench.plan import candidates
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.streams import ALL
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import captions, formats, own_captions, own_results, titles

_NAMED = 3
"""Levels of a factor that the line names; more are counted."""

_TASKS = {
    "mixture": "a mixture of sines with a step",
    "digits": "handwritten digits",
    "diabetes": "the diabetes data",
    "moons": "two half moons",
    "adding": "the adding problem",
}
"""Name of a task → what it is called where its parameters do not matter."""

_NETWORKS = {"mlp": "perceptron", "cnn": "convolutional network", "resnet": "residual network"}

_COUNTED = {True: "all sources varied", False: "sources varied alone"}
"""How seeds vary the sources of chance where they do not vary them both together and alone."""

_SAID_ALREADY = ("task", "network", "hidden", "batch_size", "optimizer")
_UNSAID = ("activation", "init", "schedule", "accumulate", "device", "seed_varies")
"""Factors that the line leaves out where they have one level."""


def line(study: Study) -> str:
    """What a reader has to know before the answer.

    Such as `Batch normalization (BN) against none: 1–256–256–1 perceptron on y = sin(3x), 100 points, Adam and SGD,
    2,000 epochs, 20 seeds`; of runs that were trained elsewhere, what their table says.
    """
    parts = _of_runs(study) if isinstance(study, OwnStudy) else _of_trials(study)
    return f"{_compared(study)}: {', '.join(filter(None, parts))}"


def _compared(study: Study) -> str:
    """`Batch normalization (BN) against none`, `SGD against Adam`."""
    if isinstance(study, OwnStudy):
        return titles.heading(study)
    if study.report.factor != "norm":
        return formats.beginning(titles.heading(study))
    base, *treatments = ([titles.arm(study, arm) for arm in study.arms] + [""])[: len(study.arms)]
    named = [_spelled(title) for title in treatments]
    if len(named) > _NAMED:
        named = [named[0], f"{len(named) - 1} other norms"]
    against = "none" if base == NORMS["none"].title and treatments[:1] == [NORMS["batch"].title] else _spelled(base)
    return formats.beginning(f"{formats.listed(named)} against {against}" if named else _spelled(base))


def _spelled(title: str) -> str:
    return f"batch normalization ({title})" if title == NORMS["batch"].title else title


def _of_trials(study: Study) -> list[str]:
    """The parts of the line for a study that trains."""
    held = candidates.held_out(study.config)
    known = [tasks.of({"task": level.entry, **held}) for level in study.levels["task"].values()]
    counts = sorted({task.train_points() for task in known})
    points = "point" if all(task.is_curve() for task in known) else "training example"
    size = formats.count(counts[0], points) if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,} {points}s"
    others = [
        _levels(study, factor)
        for factor in study.factors
        if factor not in (*_SAID_ALREADY, study.report.factor)
        and not (factor in _UNSAID and len(study.levels[factor]) == 1)
        and not (factor == "norm" and len(study.levels[factor]) == 1)
    ]
    tuned = [f"tuned {titles.tuned(study)}"] if study.config["tune"] else []
    return [
        f"{_network(study, known)} on {_task(study)}",
        size,
        *_steps(study),
        *others,
        *tuned,
        formats.count(study.config["epochs"], "epoch"),
        formats.count(len(study.seeds), "seed"),
    ]


def _of_runs(study: OwnStudy) -> list[str]:
    """The parts of the line for runs of which no more is known than their table says."""
    outcome, window = titles.outcome(study, study.report.outcome), own_captions.window(study)
    judged = f"judged by {outcome}{f' {window}' if window else ''}"
    return [f"{captions.summary(study)} in {own_results.named(study)}", judged]


def _steps(study: Study) -> list[str]:
    """Optimizers and batch sizes: `Adam and SGD`, `full batch and batch 25`."""
    return [_levels(study, factor) for factor in ("optimizer", "batch_size") if factor != study.report.factor]


def _levels(study: Study, factor: str) -> str:
    """The levels of a factor by their names, or how many they are; without what is tuned."""
    labels = study.levels[factor]
    if factor == SEED_VARIES:
        return "sources varied together and alone" if ALL in labels and len(labels) > 1 else _COUNTED[ALL in labels]
    named = (
        level.short_title if study.config["tune"] else titles.context_level(study, factor, label)
        for label, level in labels.items()
    )
    levels = list(dict.fromkeys(named))
    if len(levels) > _NAMED:
        return formats.count(len(levels), captions.noun(factor))
    return titles.with_levels(levels) if NORMS["none"].title in levels else formats.listed(levels)


def _task(study: Study) -> str:
    """What is learned: `y = sin(3x) with noise 0.1`, `houses.csv`, `2 tasks`."""
    entries = [level.entry for level in study.levels["task"].values()]
    if len(entries) > _NAMED:
        return formats.count(len(entries), "task")
    several = len({entry["name"] for entry in entries}) < len(entries)
    return formats.listed(
        [level.title if several else called(level.title, level.entry) for level in study.levels["task"].values()]
    )


def called(title: str, entry: Mapping[str, Any]) -> str:
    """A task in words."""
    if entry["name"] == "sine":
        noise = f" with noise {entry['noise']:g}" if entry["noise"] else ""
        return f"y = sin({entry['frequency']:g}x){noise}"
    if entry.get("path"):
        name = PurePath(entry["path"]).name
        return f"{entry['build']} of {name}" if entry.get("build") else name
    return _TASKS.get(entry["name"], title)


def _network(study: Study, known: Sequence[Any]) -> str:
    """What is trained: `1–256–256–1 perceptron`, `residual network`, `my_net of nets.py`, `3 networks`."""
    entries = [level.entry for level in study.levels["network"].values()]
    if study.report.factor == "network" or len(entries) > 1:
        return formats.count(len(entries), "network")
    (entry,) = entries
    if entry["name"] == own.NAME:
        return f"{entry['build']} of {PurePath(entry['path']).name}"
    if entry["name"] != "mlp":
        return _NETWORKS[entry["name"]]
    hidden = [[*entry["hidden"]]] if entry["hidden"] else [label.split("-") for label in study.levels["hidden"]]
    sizes = {(task.inputs(), task.outputs()) for task in known}
    if len(hidden) > 1 or study.report.factor == "hidden":
        return f"perceptrons of {formats.count(len(hidden), 'size')}"
    if len(sizes) > 1:
        return f"perceptron with hidden layers {'–'.join(map(str, hidden[0]))}"
    ((inputs, outputs),) = sizes
    return f"{'–'.join(map(str, [inputs, *hidden[0], outputs]))} perceptron"
