"""How the keys of a config must be to each other: levels, batches, tuning, what is compared, claims.

What comes in is a config whose keys are right one by one, what goes out is the same, with the levels that others call
by name in their place. Whatever is wrong ends in one `UserError`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bnbench.catalogue import tasks
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.registries import REGISTRIES
from bnbench.errors import UserError, found, nearest
from bnbench.plan import claimed
from bnbench.plan.levels import Level, called, level, without_rate, without_unaddressed
from bnbench.plan.settings import canonical_json
from bnbench.plan.study import Study
from bnbench.vocabulary import DOUBLING, FACTORS, MAIN_EFFECT

Entry = Callable[[str, Any, str], Any]
"""From kind, level and place to the resolved level of an entry that is chosen by name."""


def complete(resolved: dict[str, Any], entry: Entry) -> None:
    """Check `resolved`, and put levels in the place of their names in `report` and `claims`.

    Raises:
        UserError: keys do not go together.
    """
    _check_levels(resolved)
    _check_tune(resolved)
    _check_batches(resolved)
    _check_reference_points(resolved)
    resolved["report"]["baseline"] = _baseline(resolved, entry)
    resolved["report"]["compare"] = _pairs(resolved, entry)
    _check_claims(resolved)


def _check_levels(resolved: Mapping[str, Any]) -> None:
    for factor in FACTORS:
        seen: set[str] = set()
        for index, entry in enumerate(resolved[factor]):
            text = canonical_json(without_unaddressed(factor, entry))
            if text in seen:
                raise UserError(
                    f"{factor}[{index}]: the level '{level(factor, entry).label}' stands twice; "
                    "levels that come to the same numbers are one"
                )
            seen.add(text)


def _check_tune(resolved: Mapping[str, Any]) -> None:
    if not resolved["tune"]:
        return
    factor, outcome = resolved["report"]["factor"], resolved["report"]["outcome"]
    if factor == "optimizer":
        raise UserError("tune: found with report.factor optimizer, allowed: where another factor is compared")
    if outcome not in ("test_loss", "test_loss_precise"):
        raise UserError(
            f"report.outcome: found {outcome}, allowed with 'tune': test_loss or test_loss_precise, since rates are "
            "chosen on validation data and reported on test data"
        )
    rates: dict[str, int] = {}
    for entry in resolved["optimizer"]:
        name = without_rate(entry).label
        rates[name] = rates.get(name, 0) + 1
    for name, count in rates.items():
        if count < 2:
            raise UserError(f"tune: found one rate of optimizer '{name}', allowed: at least two, as lr: [0.01, 0.1]")


def _check_batches(resolved: Mapping[str, Any]) -> None:
    by_batch = [norm["name"] for norm in resolved["norm"] if NORMS[norm["name"]].batch_statistics]
    for task in resolved["task"]:
        held_out = {"validation": resolved["tune"]["validation"]} if resolved["tune"] else {}
        chosen = tasks.of({"task": task, **held_out})
        points, of_task = chosen.train_points(), f"training points of task '{task['name']}'"
        if isinstance(chosen, tasks.HeldOut) and not chosen.held_points():
            raise UserError(f"tune: found {points} {of_task}, allowed: at least 3, since one at the least is held out")
        for index, size in enumerate(resolved["batch_size"]):
            if size != "full" and size > points:
                raise UserError(f"batch_size[{index}]: found {size}, allowed: at most the {points} {of_task}, or full")
            if by_batch and (points if size == "full" else size) < 2:
                raise UserError(
                    f"batch_size[{index}]: found {size}{f' ({of_task}: {points})' * (size == 'full')}, "
                    f"allowed: at least 2 examples, since norm '{by_batch[0]}' normalizes by the batch"
                )


def _check_reference_points(resolved: Mapping[str, Any]) -> None:
    labels = [level("norm", norm).label for norm in resolved["norm"]]
    for index, point in enumerate(resolved["reference_points"]):
        allowed = dict.fromkeys([*labels, *NORMS])
        if point["norm"] not in allowed:
            raise UserError(
                f"reference_points[{index}].norm: found {found(point['norm'])}{nearest(point['norm'], allowed)}, "
                f"allowed: one of {', '.join(allowed)}"
            )


def _check_claims(resolved: Mapping[str, Any]) -> None:
    """Refuse a prediction that its table cannot meet, and labels that no row has."""
    factor, several = resolved["report"]["factor"], resolved["tune"]
    levels = {name: [level(name, entry) for entry in resolved[name]] for name in FACTORS}
    known = {name: _words(levels[name]) for name in FACTORS if name != factor}
    for index, claim in enumerate(resolved["claims"]):
        where = f"claims[{index}]"
        allowed = ("falls", "rises") if claim["in"] == "interactions" else ("helps", "hurts", "equivalent", "not_worse")
        if claim["predicts"] not in allowed:
            raise UserError(
                f"{where}.predicts: found {claim['predicts']}, allowed of '{claim['in']}': one of {', '.join(allowed)}"
            )
        if claim["in"] == "tuned" and not several:
            raise UserError(f"{where}.in: found tuned, allowed: where the study has 'tune'")
        arms = {name: _words(levels[factor]) for name in ("baseline", "treatment")}
        columns = {**arms, **known}
        if claim["in"] == "tuned":
            columns["optimizer"] = _words([without_rate(entry) for entry in resolved["optimizer"]])
        if claim["in"] == "interactions":
            others = [word for own in known.values() for word in own]
            columns = {**arms, "factor": [*known, MAIN_EFFECT], "level": [*others, DOUBLING]}
        for name, value in claim["where"].items():
            if name not in columns:
                raise UserError(
                    f"{where}.where: unknown key {name!r}{nearest(name, columns)}; allowed: {', '.join(columns)}"
                )
            allowed_here = columns[name]
            if str(value) not in allowed_here:
                raise UserError(
                    f"{where}.where.{name}: found {found(value)}{nearest(value, allowed_here)}, "
                    f"allowed: one of {', '.join(allowed_here)}"
                )
        claim["where"] = {name: str(value) for name, value in claim["where"].items()}


def _words(levels: Iterable[Level]) -> list[str]:
    """What claims may call levels by: their labels and their names."""
    return list(dict.fromkeys(text for each in levels for text in (each.label, each.name)))


def check_claims(study: Study) -> None:
    """Refuse a claim about rows that the study does not have.

    Raises:
        UserError: there is such a claim.
    """
    for index, claim in enumerate(study.config["claims"]):
        if not claimed.meant(study, claim["where"], claimed.rows(study, claim["in"])):
            said = ", ".join(f"{name}: {label}" for name, label in claim["where"].items()) or "nothing"
            raise UserError(
                f"claims[{index}].where: found {said}, which no row of '{claim['in']}' has; "
                f"allowed: labels that stand together in one"
            )


def _baseline(resolved: Mapping[str, Any], entry: Entry) -> Any:
    """The level that `report.baseline` calls."""
    factor = resolved["report"]["factor"]
    if len(resolved[factor]) < 2:
        label = level(factor, resolved[factor][0]).label
        raise UserError(f"{factor}: found one level ('{label}'), allowed: at least two, since they are compared")
    return _called(resolved, resolved["report"]["baseline"], "report.baseline", entry)


def _pairs(resolved: Mapping[str, Any], entry: Entry) -> list[list[Any]]:
    """The levels of the named pairs, each pair of two levels that are compared nowhere else."""
    factor, baseline = resolved["report"]["factor"], resolved["report"]["baseline"]
    compared = [[baseline, entry] for entry in resolved[factor] if entry != baseline]
    for index, pair in enumerate(resolved["report"]["compare"]):
        where = f"report.compare[{index}]"
        levels = [_called(resolved, text, f"{where}[{place}]", entry) for place, text in enumerate(pair)]
        names = " and ".join(f"'{level(factor, each).label}'" for each in levels)
        if levels[0] == levels[1]:
            raise UserError(f"{where}: found {names}, allowed: two different levels of '{factor}'")
        if levels in compared or levels[::-1] in compared:
            raise UserError(f"{where}: found {names}, which are compared already; allowed: each pair once")
        compared.append(levels)
    return compared[len(resolved[factor]) - 1 :]


def _called(resolved: Mapping[str, Any], text: Any, where: str, entry: Entry) -> Any:
    """The level of the compared factor that is called by its label, its entry, or its name where only one has it."""
    factor = resolved["report"]["factor"]
    levels = [level(factor, each) for each in resolved[factor]]
    if isinstance(text, Mapping) and factor in REGISTRIES:
        text = level(factor, entry(factor, text, where)).label
    meant = [each for each in levels if each.entry == text] or called(levels, str(text))
    if len(meant) != 1:
        labels = [each.label for each in levels]
        raise UserError(
            f"{where}: found {found(text)}{nearest(text, labels)}, "
            f"allowed: one of the levels of '{factor}': {', '.join(labels)}"
        )
    return meant[0].entry
