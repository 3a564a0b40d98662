"""Checks the config of a study of your own results, reads the table that it names, and completes it.

What comes in is a config with the key `results`, what goes out is the resolved config that `own_study.OwnStudy` plans
from, with all that the table shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from bnbench.columns import COLUMNS
from bnbench.errors import UserError, found, nearest
from bnbench.own_results import files, reading
from bnbench.own_results.levels import label
from bnbench.own_results.roles import Wanted
from bnbench.own_results.table import Long
from bnbench.plan import own_facts
from bnbench.plan.mistakes import Mistake, at, refuse
from bnbench.vocabulary import BEST, EPOCHS_TO_TARGET, ERROR, FACTORS, GAP, SECONDS, SWING

KEYS = ("study", "results", "report", "claims", "threads")
"""Keys of a config that mean something for results that are trained already."""

_NAMED_IN_RESULTS = ("factor", "baseline", "outcome")

_TAKEN = frozenset(COLUMNS) - frozenset(FACTORS)
"""What the report has columns for, so that a factor of this name is called otherwise there."""

_MADE = frozenset(
    (
        *(GAP, ERROR, BEST, SWING, EPOCHS_TO_TARGET, SECONDS, "seed", "epoch", "setting", "diverged_at", "threads"),
        *("device_name", "python", "torch", "numpy", "bnbench", "commit", "image", "arithmetic", "numerics"),
        *("weights_hash", "target_variance", "target_scale"),
    )
)
"""The same of outcomes: what is made of others, what distinguishes runs, and other facts about a trial."""

Resolve = Callable[[str], Any]
"""From a key to its value by the schema, with all defaults."""


def resolved(config: Mapping[str, Any], resolve: Resolve, long: Long | None = None) -> dict[str, Any]:
    """The config, completed from the table.

    Args:
        config: as it is written.
        resolve: checks a key and completes it.
        long: the table, where it is not to be read from the path.

    Raises:
        ConfigError: a key is wrong, has no meaning here, or names no column of the table.
        UserError: the table cannot be read or compared.
    """
    refuse(list(_strangers(config)))
    values = {key: resolve(key) for key in KEYS}
    entry, report = values["results"], values["report"]
    digest = own_facts.FRAME if long else files.digest(entry["path"], entry["pattern"])
    facts = _reading(entry, digest, long).facts
    report |= {
        "factor": facts["factors"][0]["name"],
        "baseline": facts["baseline"],
        "outcome": facts["outcomes"][0]["name"],
        "compare": [[label(one), label(other)] for one, other in report["compare"]],
    }
    decides = facts["outcomes"][0]
    report["margin"] = decides["margin"] if report["margin"] is None else report["margin"]
    refuse(list(_wrong(report, decides, facts["factors"][0]["levels"])))
    baseline, *others = _arms(facts)
    comparisons = [*((baseline, other) for other in others), *map(tuple, report["compare"])]
    values["results"] = {**entry, "sha256": digest, "found": own_facts.packed(facts, comparisons)}
    return {**values, "tune": None, "reference_points": []}


def options(entry: Mapping[str, Any]) -> reading.Options:
    """What the key `results` says of the table's columns."""
    contexts = entry["contexts"]
    wanted = Wanted(
        entry["factor"],
        entry["outcome"],
        entry["seed"],
        entry["epoch"],
        None if contexts is None else tuple(contexts),
        entry["unpaired"],
    )
    more = {name: entry[name] for name in ("baseline", "better", "scale", "duplicates", "empty")}
    return reading.Options(wanted, **more, taken=_TAKEN, made=_MADE)


def read(entry: Mapping[str, Any], long: Long | None = None) -> reading.Read:
    """The table of a resolved entry once more.

    Raises:
        UserError: it cannot be read, or is not the one that the study was planned with.
    """
    digest = own_facts.FRAME if long else files.digest(entry["path"], entry["pattern"])
    if digest != entry["sha256"]:
        raise UserError(f"{entry['path']}: changed since the study was planned; run the workflow again")
    found = _reading(entry, digest, long)
    _from_files.cache_clear()
    return found


def _reading(entry: Mapping[str, Any], digest: str, long: Long | None) -> reading.Read:
    if long:
        return reading.of(long, options(entry))
    return _from_files(entry["path"], entry["pattern"], digest, options(entry))


@lru_cache(maxsize=1)
def _from_files(path: str, pattern: str | None, digest: str, options: reading.Options) -> reading.Read:  # noqa: ARG001 - files that changed are others
    """The table in these files; kept from the planning of a study until it is collected."""
    return reading.of(files.read(path, pattern), options)


def _arms(facts: Mapping[str, Any]) -> list[str]:
    """Labels of the compared factor, the baseline first."""
    return [facts["baseline"], *(text for text in facts["factors"][0]["levels"] if text != facts["baseline"])]


def _strangers(config: Mapping[str, Any]) -> Iterator[Mistake]:
    """Keys that mean nothing where nothing is trained."""
    for key in (key for key in config if key not in KEYS):
        said = f"found {found(config[key])}{nearest(key, KEYS)}, allowed with 'results': {', '.join(KEYS)}"
        yield at((key,), said)
    written = config.get("report")
    report: Mapping[str, Any] = written if isinstance(written, Mapping) else {}
    for key in _NAMED_IN_RESULTS:
        if key in report:
            yield at(
                ("report", key), f"found {found(report[key])}, allowed: the same key of 'results', beside its path"
            )


def _wrong(report: Mapping[str, Any], decides: Mapping[str, Any], levels: list[str]) -> Iterator[Mistake]:
    """Options of the report that do not fit the table."""
    margin = report["margin"]
    if decides["scale"] == "ratio" and margin <= 1:
        yield at(("report", "margin"), f"found {margin:g}, allowed: more than 1, since ratios are compared")
    if decides["per_cent"] and margin >= 1:
        said = "less than 1, since differences of shares are compared: 0.02 is two percentage points"
        yield at(("report", "margin"), f"found {margin:g}, allowed: {said}")
    for index, pair in enumerate(report["compare"]):
        for text in pair:
            if text not in levels:
                hint = nearest(text, levels)
                yield at(("report", "compare", index), f"found '{text}'{hint}, allowed: two of {', '.join(levels)}")
