"""The plan: a resolved config becomes settings and chunks.

Pure: no torch, no files, no clock. What comes in is a config that `config.resolve` has checked and completed; what
goes out is the same on a laptop, a head node and a compute node, so that every job finds the same addresses.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from pathlib import Path
from typing import Any

from bnbench import cost, tasks
from bnbench.norms import NORMS
from bnbench.optimizers import OPTIMIZERS, SCHEDULES
from bnbench.parameters import Registry, schema
from bnbench.tables import FACTORS, SCHEMAS
from bnbench.tasks import TASKS

NUMERICS = 2
"""Version of the training code's arithmetic, part of every address. Raise it when the golden losses change."""

MAIN_EFFECT, DOUBLING = "main effect", "doubling"
"""In the table of interactions, what stands for the factor over all contexts, and for the levels of the batch size."""

POWER = 0.8
"""Power at which an effect counts as likely to be seen, and seeds as enough to see it."""

REGISTRIES: dict[str, Registry] = {"task": TASKS, "norm": NORMS, "optimizer": OPTIMIZERS, "schedule": SCHEDULES}
"""Keys of the config whose entries are chosen by name."""

COMMON = ("hidden", "activation", "epochs", "evaluate_every", "init", "dtype", "schedule")
"""Keys besides the factors that change numbers."""


@dataclass(frozen=True)
class Setting:
    """One combination of factor levels, with everything else that changes the numbers."""

    spec: Mapping[str, Any]
    """Canonical and JSON-able: the resolved entry of every factor, the common keys and `numerics`."""
    labels: Mapping[str, str]
    """Factor → label of its level."""
    address: str
    """Folder of the results: a readable slug and 8 hex digits of the SHA-256 of what changes the numbers."""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Setting:
        """The setting that `spec` describes."""
        labels = {factor: level_label(factor, spec[factor]) for factor in FACTORS}
        numbers = {factor: without_names(factor, spec[factor]) for factor in FACTORS}
        digest = hashlib.sha256(canonical_json({**spec, **numbers}).encode()).hexdigest()[:8]
        parts = {factor: level_label(factor, level) for factor, level in numbers.items()}
        if parts["batch_size"] != "full":
            parts["batch_size"] = "b" + parts["batch_size"]
        slug = "-".join(re.sub(r"[^a-z0-9.]+", "_", part.lower().replace("=", "")) for part in parts.values())
        return cls(spec, labels, f"{slug[:120]}-{digest}")

    def to_json(self) -> str:
        """`spec`, as the rules hand it to a job."""
        return canonical_json(self.spec)


@dataclass(frozen=True)
class Chunk:
    """A run of consecutive seeds of one setting, trained together in one job."""

    setting: Setting
    first: int
    count: int

    @property
    def last(self) -> int:
        """The last seed."""
        return self.first + self.count - 1

    @classmethod
    def of_stem(cls, setting: Setting, stem: str) -> Chunk | None:
        """The chunk whose files are called `stem`; None where no chunk's are."""
        match = re.fullmatch(r"seeds-(\d+)-(\d+)", stem)
        if match is None or int(match[1]) > int(match[2]):
            return None
        return cls(setting, int(match[1]), int(match[2]) - int(match[1]) + 1)

    @property
    def seeds(self) -> range:
        """All of them."""
        return range(self.first, self.first + self.count)

    @property
    def stem(self) -> str:
        """Name of the chunk's files, without ending."""
        return f"seeds-{self.first}-{self.last}"

    def paths(self, results: Path) -> dict[str, Path]:
        """Where the chunk's tables lie under the folder `results`, by kind."""
        return {kind: results / kind / self.setting.address / f"{self.stem}.parquet" for kind in SCHEMAS}


@dataclass(frozen=True)
class ReportOptions:
    """How the trials are compared; no part of any address."""

    factor: str
    baseline: str
    """A label of `factor`."""
    compare: tuple[tuple[str, str], ...]
    """Further pairs of labels of it that are compared, the one that takes the baseline's part first."""
    outcome: str
    window: float
    margin: float
    alpha: float
    target: float | None
    """A loss, the first epoch at which is compared; None: twice the larger final loss of the arms."""


@dataclass(frozen=True)
class Study:
    """A grid of settings × seeds, and how to report it."""

    config: Mapping[str, Any]
    """The resolved config, JSON-able; `Study(json.loads(study.to_json())) == study`."""

    @property
    def name(self) -> str:
        """Names the folder under `reports/`."""
        return str(self.config["study"])

    @property
    def seeds(self) -> range:
        """All seeds."""
        first, count = self.config["seeds"]["first"], self.config["seeds"]["count"]
        return range(first, first + count)

    @property
    def report(self) -> ReportOptions:
        """How to compare."""
        options = dict(self.config["report"])

        def label(level: Any) -> str:
            return level_label(options["factor"], level)

        pairs = tuple((label(one), label(other)) for one, other in options["compare"])
        return ReportOptions(**{**options, "baseline": label(options["baseline"]), "compare": pairs})

    @property
    def reference_points(self) -> tuple[Mapping[str, Any], ...]:
        """Losses printed elsewhere."""
        return tuple(self.config["reference_points"])

    @cached_property
    def levels(self) -> dict[str, tuple[str, ...]]:
        """Factor → labels, in the config's order."""
        return {factor: tuple(level_label(factor, level) for level in self.config[factor]) for factor in FACTORS}

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """All combinations of factor levels."""
        common = {key: self.config[key] for key in COMMON} | {"numerics": NUMERICS} | self._held_out
        grid = product(*(self.config[factor] for factor in FACTORS))
        return tuple(Setting.from_spec({**dict(zip(FACTORS, levels, strict=True)), **common}) for levels in grid)

    @property
    def arms(self) -> tuple[str, ...]:
        """Labels of the compared factor, the baseline first."""
        baseline = self.report.baseline
        return (baseline, *(label for label in self.levels[self.report.factor] if label != baseline))

    @property
    def comparisons(self) -> tuple[tuple[str, str], ...]:
        """What is compared in each context, as (baseline, treatment): the baseline with all others, and named pairs."""
        baseline, *others = self.arms
        return (*((baseline, other) for other in others), *self.report.compare)

    def contexts(self) -> list[tuple[dict[str, str], dict[str, Setting]]]:
        """Each context as (labels of the factors held fixed, setting by arm)."""
        factor = self.report.factor
        found: dict[tuple[tuple[str, str], ...], dict[str, Setting]] = {}
        for setting in self.settings:
            context = tuple((name, label) for name, label in setting.labels.items() if name != factor)
            found.setdefault(context, {})[setting.labels[factor]] = setting
        return [(dict(context), arms) for context, arms in found.items()]

    def claimed_rows(self, table: str) -> list[dict[str, str]]:
        """Labels of all rows of the table `contexts`, `tuned` or `interactions`, where there are trials enough."""
        compared = [dict(zip(("baseline", "treatment"), arms, strict=True)) for arms in self.comparisons]
        if table == "interactions":
            several = {f: labels for f, labels in self.levels.items() if f != self.report.factor and len(labels) > 1}
            named = [(MAIN_EFFECT, "")] if several else []
            for factor, labels in several.items():
                levels = (DOUBLING,) if factor == "batch_size" else labels[1:]
                named += [(factor, level) for level in levels]
            return [{**arms, "factor": factor, "level": level} for arms in compared for factor, level in named]
        contexts: list[dict[str, str]] = [labels for labels, _ in self.contexts()]
        if table == "tuned":
            contexts = [labels for labels, _ in self.tuned_contexts()]
        return [{**labels, **arms} for labels in contexts for arms in compared]

    @staticmethod
    def meant(where: Mapping[str, str], rows: Sequence[Mapping[Any, Any]]) -> list[Mapping[Any, Any]]:
        """The rows whose labels are those of `where`, or begin with these names where no row has such a label."""
        chosen = list(rows)
        for name, wanted in where.items():
            whole = any(str(row[name]) == wanted for row in rows)
            chosen = [
                row for row in chosen if wanted == (str(row[name]) if whole else str(row[name]).partition(" ")[0])
            ]
        return chosen

    def rates(self, optimizer: str) -> list[float]:
        """The learning rates of the optimizer that `tuned_contexts` calls by this label."""
        without = [{key: value for key, value in level.items() if key != "lr"} for level in self.config["optimizer"]]
        labels = [level_label("optimizer", level) for level in without]
        levels = zip(self.config["optimizer"], labels, strict=True)
        return [float(level["lr"]) for level, label in levels if label == optimizer]

    def tuned_contexts(self) -> list[tuple[dict[str, str], dict[str, dict[float, str]]]]:
        """Contexts of a study that tunes, whatever the rate: (labels, addresses by arm and rate); else none."""
        found: dict[tuple[tuple[str, str], ...], dict[str, dict[float, str]]] = {}
        for labels, arms in self.contexts() if self.config["tune"] else ():
            for arm, setting in arms.items():
                optimizer = dict(setting.spec["optimizer"])
                rate = optimizer.pop("lr")
                context = tuple({**labels, "optimizer": level_label("optimizer", optimizer)}.items())
                found.setdefault(context, {}).setdefault(arm, {})[rate] = setting.address
        return [(dict(context), arms) for context, arms in found.items()]

    @property
    def shares_weights(self) -> bool:
        """Whether all arms of a seed start from the same weights."""
        return self.report.factor != "task" and self.config["init"] == "independent"

    @property
    def _held_out(self) -> dict[str, float]:
        """The share of the training points that is held out for validation, as settings have it; nothing if none is."""
        return {"validation": self.config["tune"]["validation"]} if self.config["tune"] else {}

    def examples(self, labels: Mapping[str, str]) -> int:
        """Examples in a full batch of a context: the batch size, or all training points of its task."""
        if labels["batch_size"] != "full":
            return int(labels["batch_size"])
        task = self.config["task"][self.levels["task"].index(labels["task"]) if "task" in labels else 0]
        return tasks.of({"task": task, **self._held_out}).train_points()

    def chunks(self) -> list[Chunk]:
        """All jobs, setting by setting. Chunks start at multiples of their size: more seeds train only new chunks."""
        return [chunk for setting in self.settings for chunk in self._chunks(setting)]

    def summary(self) -> str:
        """The plan in one line."""
        factors = ["norm", "batch_size", "optimizer", "device"] + ["task"] * (len(self.config["task"]) > 1)
        parts = [_count(len(self.config[factor]), factor.replace("_", " ")) for factor in factors]
        trials = len(self.settings) * len(self.seeds)
        product = " × ".join([*parts, _count(len(self.seeds), "seed")])
        return f"{product} = {_count(trials, 'trial')} in {_count(len(self.chunks()), 'job')}"

    def to_json(self) -> str:
        """The resolved config, as the rules hand it to the steps."""
        return canonical_json(self.config)

    def _chunks(self, setting: Setting) -> Iterator[Chunk]:
        asked = self.config["seeds_per_job"]
        size = asked if asked == "auto" else asked[setting.spec["device"]]
        size = cost.seeds_per_job(setting.spec) if size == "auto" else size
        stop = self.seeds.stop
        for start in range(self.seeds.start // size * size, stop, size):
            first = max(start, self.seeds.start)
            yield Chunk(setting, first, min(start + size, stop) - first)


def level_label(factor: str, level: Any) -> str:
    """How a level is called: a name with the parameters that differ from their defaults; optimizers with their rate."""
    if factor not in REGISTRIES:
        return str(level)
    shown = [
        f"{key}={_short(level[key])}"
        for key, rule in _parameters(factor, level["name"]).items()
        if key in level and (key == "lr" or level[key] != rule.get("default"))
    ]
    return " ".join([level["name"], *shown])


def without_names(factor: str, level: Any) -> Any:
    """`level` without what changes no number, such as the name of a data file whose bytes are told by their hash."""
    unaddressed = getattr(REGISTRIES[factor][level["name"]], "unaddressed", ()) if factor in REGISTRIES else ()
    return {key: value for key, value in level.items() if key not in unaddressed} if unaddressed else level


def canonical_json(value: Any) -> str:
    """One text for equal values: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@cache
def _parameters(factor: str, name: str) -> dict[str, Any]:
    """The parameters that a user may set of a named entry, in the declared order, with their rules."""
    properties: dict[str, Any] = schema(REGISTRIES[factor][name])["properties"]
    return properties


def _short(value: Any) -> str:
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
