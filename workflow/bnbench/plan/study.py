"""The study: a resolved config as a grid of settings × seeds, and how to report it.

Pure: no torch, no files, no clock. What comes in is a config that `config.resolve` has checked and completed; what
goes out is the same on a laptop, a head node and a compute node, so that every job finds the same addresses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

from bnbench.catalogue import metrics, sources, tasks
from bnbench.outcomes import Outcome
from bnbench.plan import candidates, folded
from bnbench.plan.candidates import Candidate
from bnbench.plan.levels import Level, level, together
from bnbench.plan.settings import KEYS, NUMERICS, Setting, canonical_json
from bnbench.streams import ALL
from bnbench.vocabulary import FACTORS, GAP, MAE, SEED_VARIES

_WEIGHTS = ("task", "network", "hidden", "init")
"""Factors that change the initial weights."""


@dataclass(frozen=True)
class ReportOptions:
    """How the trials are compared; not part of any address."""

    factor: str
    baseline: str
    """A label of `factor`."""
    compare: tuple[tuple[str, str], ...]
    """Further pairs to compare, as (label used as baseline, label used as treatment), that occur in any context."""
    outcome: str
    window: float
    margin: float
    alpha: float
    target: float | None
    """The arms are compared by how soon they reach this value of the outcome; None takes twice the larger final loss of
    each pair, and nothing where the outcome is no loss."""
    judged: Outcome
    """What `outcome` names."""


def compares_times(outcome: Outcome, target: float | None) -> bool:
    """Whether arms are compared by how soon they reach a target: a loss, or a score that the config gives.

    A score does not fall from a start that is high, so none is made of its final values; nor does a gap.
    """
    given = target is not None and outcome.name != GAP
    is_loss = outcome.is_ratio and outcome.lower_is_better
    return not outcome.of_trial and (is_loss or given)


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
    def factors(self) -> tuple[str, ...]:
        """The factors whose levels name a setting, in the order of the tables' columns."""
        return FACTORS

    @property
    def trained_here(self) -> bool:
        """Whether the trials are trained here, and not the results of others."""
        return True

    @property
    def has_course(self) -> bool:
        """Whether trials were measured at several epochs."""
        return True

    @property
    def paired(self) -> bool:
        """Whether the trials of two arms that have the same seed are compared with each other."""
        return True

    @property
    def seeds(self) -> range:
        """All seeds."""
        first, count = self.config["seeds"]["first"], self.config["seeds"]["count"]
        return range(first, first + count)

    @cached_property
    def report(self) -> ReportOptions:
        """How to compare."""
        options = dict(self.config["report"])

        def label(entry: Any) -> str:
            return level(options["factor"], entry).label

        pairs = ((label(one), label(other)) for one, other in options["compare"])
        there = [settings.keys() for _, settings in self.contexts()] if options["compare"] else []
        kept = tuple(pair for pair in pairs if any({*pair} <= arms for arms in there))
        called = {"baseline": label(options["baseline"]), "compare": kept}
        return ReportOptions(**{**options, **called, "judged": self.outcomes[options["outcome"]]})

    @property
    def outcome(self) -> Outcome:
        """What the trials are judged by."""
        return self.report.judged

    @cached_property
    def outcomes(self) -> dict[str, Outcome]:
        """Name → outcome, of all that the trials can be judged by."""
        found = metrics.outcomes(self.config)
        units = {tasks.of({"task": task}).unit_of_errors() for task in self.config["task"]}
        return {**found, MAE: replace(found[MAE], unit=units.pop() if len(units) == 1 else "")}

    @property
    def has_target(self) -> bool:
        """Whether arms are compared by how soon they reach a target."""
        return compares_times(self.outcome, self.report.target)

    @property
    def reference_points(self) -> tuple[Mapping[str, Any], ...]:
        """Losses printed elsewhere."""
        return tuple(self.config["reference_points"])

    @cached_property
    def planned_levels(self) -> dict[str, dict[str, Level]]:
        """Factor → label → level, in the config's order, including those that others stand for everywhere."""
        found = {factor: together(factor, self.config[factor]) for factor in FACTORS}
        return {factor: {each.label: each for each in levels} for factor, levels in found.items()}

    @cached_property
    def levels(self) -> dict[str, dict[str, Level]]:
        """Factor → label → level that any setting has, in the config's order."""
        if not self.folds:
            return self.planned_levels
        there = {pair for setting in self.settings for pair in setting.labels.items()}
        every = self.planned_levels.items()
        return {name: {label: own[label] for label in own if (name, label) in there} for name, own in every}

    @cached_property
    def tuned(self) -> dict[str, list[str]]:
        """Factor → its parameters that are tuned; empty where the study does not tune."""
        return candidates.tuned(self.config)

    @cached_property
    def tuned_levels(self) -> dict[str, dict[str, Level]]:
        """The same factors → label → level whatever the tuned parameters, as `tuned_contexts` calls them."""
        found = {
            name: [candidates.whatever(self.tuned, name, entry) for entry in self.config[name]] for name in self.tuned
        }
        return {factor: {each.label: each for each in levels} for factor, levels in found.items()}

    def level(self, factor: str, label: str) -> Level:
        """The level of this label, also of one that is tuned."""
        levels = self.planned_levels[factor]
        return levels[label] if label in levels else self.tuned_levels.get(factor, levels)[label]

    def varied(self) -> list[str]:
        """Factors of several levels that are held fixed while the arms are compared."""
        return [factor for factor in self.factors if factor != self.report.factor and len(self.levels[factor]) > 1]

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """What is trained: all combinations of levels, except those that others stand for."""
        return tuple(setting for setting in self.grid if setting.address not in self.folds)

    @cached_property
    def folds(self) -> dict[str, Setting]:
        """Address of a setting that is not trained → the one that stands for it, since it has the same numbers."""
        options = self.config["report"]
        baseline = level(options["factor"], options["baseline"]).label
        return folded.folded(self.grid, options["factor"], baseline, self._whatever)

    @cached_property
    def grid(self) -> tuple[Setting, ...]:
        """All combinations of levels."""
        common = {key: self.config[key] for key in KEYS if key not in FACTORS} | {"numerics": NUMERICS}
        grid = product(*(self.config[factor] for factor in FACTORS))
        specs = ({**dict(zip(FACTORS, entries, strict=True)), **common, **self._held_out} for entries in grid)
        return tuple(Setting.from_spec({**spec, **self._sources(spec)}) for spec in specs)

    @cached_property
    def keeps_statistics(self) -> bool:
        """Whether any setting keeps running statistics.

        If none does, the report leaves out stale averages, batch noise and precise statistics.
        """
        return any(setting.keeps_statistics for setting in self.settings)

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

    def compared(self, arms: Container[str]) -> tuple[tuple[str, str], ...]:
        """The `comparisons` of a context, given the arms that it has."""
        return tuple(pair for pair in self.comparisons if pair[0] in arms and pair[1] in arms)

    @cached_property
    def family(self) -> int:
        """Comparisons in all contexts: those that are judged together."""
        return sum(len(self.compared(arms)) for _, arms in self.contexts())

    @cached_property
    def most_contexts(self) -> int:
        """Contexts of the comparison that occurs in most of them."""
        counted = Counter(pair for _, arms in self.contexts() for pair in self.compared(arms))
        return max(counted.values(), default=0)

    def contexts(self) -> list[tuple[dict[str, str], dict[str, Setting]]]:
        """Each context as (labels of the factors held fixed, setting by arm); of several equal arms it has one."""
        factor = self.config["report"]["factor"]
        found: dict[tuple[tuple[str, str], ...], dict[str, Setting]] = {}
        for setting in self.settings:
            context = tuple((name, label) for name, label in setting.labels.items() if name != factor)
            found.setdefault(context, {})[setting.labels[factor]] = setting
        return [(dict(context), arms) for context, arms in found.items()]

    @cached_property
    def tuned_names(self) -> tuple[str, ...]:
        """The parameters of which any level has several values to choose from."""
        of_levels = candidates.of_levels(self.config, self.tuned).values()
        return tuple(dict.fromkeys(name for own in of_levels for candidate in own.values() for name, _ in candidate))

    @property
    def tuned_arms(self) -> tuple[str, ...]:
        """Labels of the arms whatever their tuned parameters, the baseline first."""
        return tuple(dict.fromkeys(self._whatever(self.report.factor, label) for label in self.arms))

    @property
    def tuned_comparisons(self) -> tuple[tuple[str, str], ...]:
        """What is compared where each arm is tuned: that of `comparisons`, each pair of different arms once."""
        factor = self.report.factor
        pairs = ((self._whatever(factor, one), self._whatever(factor, other)) for one, other in self.comparisons)
        return tuple(dict.fromkeys(pair for pair in pairs if len({*pair}) == 2))

    def tuned_compared(self, arms: Container[str]) -> tuple[tuple[str, str], ...]:
        """The `tuned_comparisons` of a context, given the arms that it has."""
        return tuple(pair for pair in self.tuned_comparisons if pair[0] in arms and pair[1] in arms)

    def tuned_contexts(self) -> list[tuple[dict[str, str], dict[str, dict[Candidate, str]]]]:
        """Contexts whatever the tuned parameters, as (labels, addresses by arm and candidate); none without `tune`."""
        found: dict[tuple[tuple[str, str], ...], dict[str, dict[Candidate, str]]] = {}
        of_levels = candidates.of_levels(self.config, self.tuned)
        for setting in self.settings if self.tuned else ():
            labels = {factor: self._whatever(factor, label) for factor, label in setting.labels.items()}
            chosen = [of_levels[factor][setting.labels[factor]] for factor in self.tuned]
            arm = labels.pop(self.report.factor)
            arms = found.setdefault(tuple(labels.items()), {}).setdefault(arm, {})
            arms[tuple(part for each in chosen for part in each)] = setting.address
        return [(dict(context), arms) for context, arms in found.items()]

    @cached_property
    def _at_candidates(self) -> dict[tuple[str, ...], Mapping[str, str]]:
        """What `tuned_contexts` calls a setting (context, arm, text of the candidate) → its labels."""
        labels = {setting.address: setting.labels for setting in self.settings}
        return {
            (*context.values(), arm, candidates.text(candidate)): labels[address]
            for context, arms in self.tuned_contexts()
            for arm, tried in arms.items()
            for candidate, address in tried.items()
        }

    def at_chosen(self, row: Mapping[Any, Any], arm: str) -> Mapping[str, str]:
        """Labels of the setting of most seeds of an arm, `baseline` or `treatment`, in a row of `tuned`."""
        context = [row[name] for name in FACTORS if name != self.report.factor]
        chosen = row[f"chosen_{arm}"]
        return self._at_candidates[(*context, row[arm], chosen if isinstance(chosen, str) else "")]

    def _whatever(self, factor: str, label: str) -> str:
        """The label of a level whatever its tuned parameters."""
        return candidates.whatever(self.tuned, factor, self.planned_levels[factor][label].entry).label

    def shares_weights(self, context: Mapping[str, str]) -> bool:
        """Whether all arms of a seed start from the same weights in a context, which is given by its labels."""
        if self.report.factor in _WEIGHTS:
            return False
        return bool(self.levels["init"][context["init"]].entry == "independent")

    def _sources(self, spec: Mapping[str, Any]) -> dict[str, sources.Sources]:
        """The hashes of the unguarded classes that a setting uses, as settings have them; nothing if none is."""
        planned: sources.Sources = self.config.get("sources", {})
        called = sources.names(spec) if planned else {}
        used = {kind: {name: planned[kind][name]} for kind, name in called.items() if name in planned.get(kind, {})}
        return {"sources": used} if used else {}

    @property
    def _held_out(self) -> dict[str, float]:
        """The share of the training points that is held out for validation, as settings have it; nothing if none is."""
        return candidates.held_out(self.config)

    def examples(self, labels: Mapping[str, str]) -> float:
        """Examples in a full batch of a context: the batch size, or all training points of its task."""
        batch_size = self.levels["batch_size"][labels["batch_size"]].entry
        if batch_size != "full":
            return int(batch_size)
        task = self.levels["task"][labels["task"]].entry if "task" in labels else self.config["task"][0]
        return tasks.of({"task": task, **self._held_out}).train_points()

    def doubles(self, factor: str) -> bool:
        """Whether the levels of a factor are batch sizes, over whose doublings an effect has a slope."""
        return factor == "batch_size"

    @property
    def varies_sources(self) -> bool:
        """Whether the study can separate the contributions of the sources of randomness to the spread."""
        return len(self.levels[SEED_VARIES]) > 1

    @property
    def resampled(self) -> list[str]:
        """Labels of the tasks of which each seed draws another random split of the same rows."""
        return [label for label, each in self.levels["task"].items() if tasks.of({"task": each.entry}).resamples()]

    def test_per_train(self, labels: Mapping[str, str]) -> float | None:
        """Test points for each of the other points, where the seeds of a context draw splits of the same rows.

        None where they do not, where the split is the same for every seed, and where tasks are compared.
        """
        if labels.get("task") not in self.resampled or labels[SEED_VARIES] not in (ALL, "data"):
            return None
        task = tasks.of({"task": self.levels["task"][labels["task"]].entry})
        return task.tested_points() / task.train_points()

    def to_json(self) -> str:
        """The resolved config, as the rules hand it to the steps."""
        return canonical_json(self.config)
