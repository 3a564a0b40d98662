"""Checks that the keys of a config fit together: levels, batches, tuning, what is compared, claims.

What comes in is a config whose keys are right one by one, what goes out is the same, with the levels that others call
by name in their place. Whatever is wrong ends in one `ConfigError`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from bnbench.catalogue import tasks
from bnbench.catalogue.networks import NETWORKS
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.registries import REGISTRIES
from bnbench.catalogue.task import Task
from bnbench.epochs import batch_bounds
from bnbench.errors import found, nearest
from bnbench.plan import candidates, claimed, duplicate_checks, network_checks, outcome_checks
from bnbench.plan.levels import called, level
from bnbench.plan.mistakes import ConfigError, Mistake, Path, at, every, line, refuse
from bnbench.plan.study import Study
from bnbench.streams import ALL, SOURCES
from bnbench.vocabulary import GAP, SEED_VARIES, SWING, VALIDATION

Entry = Callable[[str, Any, Path], Any]
"""From kind, level and place to the resolved level of an entry that is chosen by name."""


def complete(resolved: dict[str, Any], entry: Entry) -> None:
    """Check `resolved`, and put levels in the place of their names in `report` and `claims`.

    Raises:
        ConfigError: keys contradict each other.
    """

    def compare(report: dict[str, Any]) -> None:
        report["baseline"] = _baseline(resolved, entry)
        report["compare"] = _pairs(resolved, entry)

    alone = [
        *duplicate_checks.mistakes(resolved),
        *_tune(resolved),
        *_batches(resolved),
        *_sources(resolved),
        *_reference_points(resolved),
        *outcome_checks.mistakes(resolved),
        *network_checks.mistakes(resolved),
    ]
    try:
        compare(resolved["report"])
    except ConfigError as error:
        alone += error.mistakes
    refuse(alone)
    complete_claims(Study(resolved))


_NOT_OF_TEST_POINTS = ("train_loss", "eval_loss", VALIDATION, GAP, SWING)


def _tune(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    if not resolved["tune"]:
        return
    factor, outcome = resolved["report"]["factor"], resolved["report"]["outcome"]
    if outcome in _NOT_OF_TEST_POINTS:
        said = "an outcome of the test points, such as test_loss or test_accuracy"
        why = "rates are chosen on validation data and reported on test data"
        yield at(("report", "outcome"), f"found {outcome}, allowed with 'tune': {said}, since {why}")
    allowed = candidates.tunable(resolved)
    for index, name in enumerate(resolved["tune"]["parameters"]):
        if name not in allowed:
            said = f"found {found(name)}{nearest(name, allowed)}, allowed: one of {', '.join(allowed)}"
            yield at(("tune", "parameters", index), said)
            return
    tuned = candidates.tuned(resolved)
    arms = {candidates.whatever(tuned, factor, entry).label for entry in resolved[factor]}
    if len(arms) < 2 <= len(resolved[factor]):
        said = f"the levels of '{factor}' differ only in what is tuned, so they are one arm ('{arms.pop()}')"
        yield at(("tune",), f"{said}; allowed: at least two arms")
    of_levels = candidates.of_levels(resolved, tuned)
    if any(any(chosen.values()) for name, chosen in of_levels.items() if name != "optimizer"):
        return
    counts = Counter(candidates.whatever(tuned, "optimizer", entry).label for entry in resolved["optimizer"])
    for name in (name for name, count in counts.items() if count < 2):
        yield at(("tune",), f"found one rate of optimizer '{name}', allowed: at least two, as lr: [0.01, 0.1]")


def _batches(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    by_batch = [norm["name"] for norm in resolved["norm"] if NORMS[norm["name"]].batch_statistics]
    for task in resolved["task"]:
        chosen = tasks.of({"task": task, **candidates.held_out(resolved)})
        points, of_task = chosen.train_points(), f"training points of task '{task['name']}'"
        if isinstance(chosen, tasks.HeldOut) and not chosen.held_points():
            yield at(("tune",), f"found {points} {of_task}, allowed: at least 3, since at least one is held out")
            continue
        for index, size in enumerate(resolved["batch_size"]):
            path = ("batch_size", index)
            if size != "full" and size > points:
                yield at(path, f"found {size}, allowed: at most the {points} {of_task}, or full")
            elif by_batch and (points if size == "full" else size) < 2:
                yield at(
                    path,
                    f"found {size}{f' ({of_task}: {points})' * (size == 'full')}, "
                    f"allowed: at least 2 examples, since norm '{by_batch[0]}' normalizes by the batch",
                )


def _sources(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    """Sources of randomness that cannot vary alone, since in some setting every seed would be the same."""
    if resolved["report"]["factor"] == SEED_VARIES:
        said = f"found {SEED_VARIES}, allowed: another factor, since its levels are not arms but sources of variation"
        yield at(("report", "factor"), said)
    for index, source in enumerate(resolved[SEED_VARIES]):
        if reason := {"data": _same_data, "order": _same_order}.get(source, lambda _: "")(resolved):
            others = ", ".join(each for each in (ALL, *SOURCES) if each != source)
            yield at((SEED_VARIES, index), f"found {source}, allowed: {others}, since {reason}")


def _same_data(resolved: Mapping[str, Any]) -> str:
    """Why the data of some task are the same for every seed; empty where they are not."""
    same = [entry["name"] for entry, task in _tasks(resolved) if not task.drawn()]
    return f"task '{same[0]}' has the same data for every seed" if same else ""


def _same_order(resolved: Mapping[str, Any]) -> str:
    """Why the order of the examples has no effect in some setting; empty where it, or dropout, has one in all."""
    if all(build(NETWORKS, network).draws() for network in resolved["network"]):
        return ""
    for (_, task), size, norm in product(_tasks(resolved), resolved["batch_size"], resolved["norm"]):
        points = task.train_points()
        in_one_batch = size == "full" or len(batch_bounds(points, size)) == 2
        if in_one_batch and build(NORMS, norm).blocks(points) == 1:
            return f"the order of the examples has no effect at batch_size {size} with norm '{norm['name']}'"
    return ""


def _tasks(resolved: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Task]]:
    """The entries of the tasks, and each task without its held-out points."""
    held_out = candidates.held_out(resolved)
    return [(entry, tasks.of({"task": entry, **held_out})) for entry in resolved["task"]]


def _reference_points(resolved: Mapping[str, Any]) -> Iterator[Mistake]:
    labels = [level("norm", norm).label for norm in resolved["norm"]]
    allowed = dict.fromkeys([*labels, *NORMS])
    for index, point in enumerate(resolved["reference_points"]):
        norm = point["norm"]
        if norm not in allowed:
            said = f"found {found(norm)}{nearest(norm, allowed)}, allowed: one of {', '.join(allowed)}"
            yield at(("reference_points", index, "norm"), said)


def complete_claims(study: Study) -> None:
    """Complete the claims of a study, and refuse predictions that their tables cannot meet, and labels of no row.

    Raises:
        ConfigError: there are such claims.
    """
    claims = study.config["claims"]
    refuse(mistake for index, claim in enumerate(claims) for mistake in _claim(study, claim, ("claims", index)))
    for claim in claims:
        claim["setup"] = claim["setup"] or ("other" if claim["paper"] else "same")
        claim["where"] = {name: _text(study, value) for name, value in claim["where"].items()}


def _text(study: Study, value: Any) -> str:
    """The label that a claim means: a number is written as the labels of the study are."""
    if study.trained_here or isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    from bnbench.own_results.levels import label  # noqa: PLC0415 - pandas, which no other plan needs

    return label(float(value))


def _claim(study: Study, claim: Mapping[str, Any], path: Path) -> Iterator[Mistake]:
    table = claim["in"]
    allowed = _PREDICTIONS[table]
    if claim["predicts"] not in allowed:
        said = f"found {claim['predicts']}, allowed for '{table}': one of {', '.join(allowed)}"
        yield at((*path, "predicts"), said)
    if not study.trained_here and table not in _OF_RESULTS:
        yield at((*path, "in"), f"found {table}, allowed for your own results: one of {', '.join(_OF_RESULTS)}")
        return
    if table == "tuned" and not study.config["tune"]:
        yield at((*path, "in"), "found tuned, allowed only if the study has 'tune'")
    columns = claimed.columns(study, table)
    for name, value in claim["where"].items():
        where = (*path, "where", name)
        if name not in columns:
            said = f"unknown key {name!r}{nearest(name, columns)}; allowed: {', '.join(columns)}"
            yield Mistake(where, line((*path, "where"), said))
        elif _text(study, value) not in columns[name]:
            said = f"found {found(value)}{nearest(value, columns[name])}, allowed: one of {', '.join(columns[name])}"
            yield at(where, said)


_OF_RESULTS = ("contexts", "interactions", "outcomes")
"""Tables that claims may be about if nothing is trained here."""

_PREDICTIONS = {
    **dict.fromkeys(("contexts", "tuned"), ("helps", "hurts", "equivalent", "not_worse")),
    "interactions": ("falls", "rises"),
    **dict.fromkeys(("decomposition", "outcomes"), ("helps", "hurts")),
}
"""Table → what may be predicted of its rows."""


def check_claims(study: Study) -> None:
    """Refuse claims about rows that the study does not have.

    Raises:
        ConfigError: there are such claims.
    """
    refuse(
        at(("claims", index, "where"), said)
        for index, claim in enumerate(study.config["claims"])
        for said in _about_no_row(study, claim)
    )


def _about_no_row(study: Study, claim: Mapping[str, Any]) -> Iterator[str]:
    if claimed.meant(study, claim["where"], claimed.rows(study, claim["in"])):
        return
    said = ", ".join(f"{name}: {label}" for name, label in claim["where"].items()) or "nothing"
    where = {name: label for name, label in claim["where"].items() if name not in ("factor", "level")}
    if claimed.meant(study, where, claimed.folded(study)):
        why = "which other rows replace, since they have the same numbers; allowed: labels of those"
        yield f"found {said}, {why}"
    else:
        yield f"found {said}, which no row of '{claim['in']}' has; allowed: labels that occur together in one"


def _baseline(resolved: Mapping[str, Any], entry: Entry) -> Any:
    """The level that `report.baseline` calls."""
    factor = resolved["report"]["factor"]
    if len(resolved[factor]) < 2:
        label = level(factor, resolved[factor][0]).label
        said = f"found one level ('{label}'), allowed: at least two, since they are compared"
        raise ConfigError([at((factor,), said)])
    return _called(resolved, resolved["report"]["baseline"], ("report", "baseline"), entry)


def _pairs(resolved: Mapping[str, Any], entry: Entry) -> list[list[Any]]:
    """The levels of the named pairs, each pair of two levels that are compared nowhere else."""
    factor, baseline = resolved["report"]["factor"], resolved["report"]["baseline"]
    compared = [[baseline, entry] for entry in resolved[factor] if entry != baseline]

    def pair(numbered: tuple[int, Any]) -> list[Any]:
        path: Path = ("report", "compare", numbered[0])
        levels = every(lambda each: _called(resolved, each[1], (*path, each[0]), entry), enumerate(numbered[1]))
        names = " and ".join(f"'{level(factor, each).label}'" for each in levels)
        if levels[0] == levels[1]:
            raise ConfigError([at(path, f"found {names}, allowed: two different levels of '{factor}'")])
        if levels in compared or levels[::-1] in compared:
            raise ConfigError([at(path, f"found {names}, which are compared already; allowed: each pair once")])
        compared.append(levels)
        return levels

    return every(pair, enumerate(resolved["report"]["compare"]))


def _called(resolved: Mapping[str, Any], text: Any, path: Path, entry: Entry) -> Any:
    """The level of the compared factor that is called by its label, its entry, or its name where only one has it."""
    factor = resolved["report"]["factor"]
    levels = [level(factor, each) for each in resolved[factor]]
    if isinstance(text, Mapping) and factor in REGISTRIES:
        text = level(factor, entry(factor, text, path)).label
    meant = [each for each in levels if each.entry == text] or called(levels, str(text))
    if len(meant) != 1 and factor in (tuned := candidates.tuned(resolved)):
        # A name of candidates stands for the first of them, which is what others are compared with at single values.
        alike = {each.label: candidates.whatever(tuned, factor, each.entry) for each in levels}
        whatever = {each.label for each in called(alike.values(), str(text))}
        meant = [each for each in levels if {alike[each.label].label} == whatever][:1] or meant
    if len(meant) != 1:
        labels = [each.label for each in levels]
        said = f"found {found(text)}{nearest(text, labels)}, allowed: one of the levels of '{factor}': "
        raise ConfigError([at(path, said + ", ".join(labels))])
    return meant[0].entry
