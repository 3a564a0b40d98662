"""Which column is what: seed, epoch, the compared factor, contexts, outcomes, and those that are set aside."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bnbench.errors import UserError, nearest

SEEDS = ("seed", "random_seed", "rng_seed", "seed_id", "random_state", "seed_everything", "trial_seed")
EPOCHS = (
    *("epoch", "epochs", "step", "global_step", "_step", "steps", "iteration", "iter", "iterations"),
    *("timestep", "timesteps", "total_timesteps", "env_step", "env_steps", "generation", "round"),
)
RUNS = ("run", "run_id", "run_name", "name", "id", "_run", "experiment_id", "trial_id", "run_uuid")
BASELINES = ("none", "baseline", "control", "vanilla", "default", "off", "no", "false", "0", "identity", "reference")
"""Names of columns, and of levels, in the order in which they are looked for."""

_DATES = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$")
_NEVER = (
    *("_timestamp", "timestamp", "wall_time", "walltime", "created", "date", "datetime", "started", "finished"),
    *("state", "status", "notes", "tags", "user", "username", "host", "hostname", "git_commit", "commit", "_runtime"),
)
"""Columns that a tracker writes of every run, and that are neither a factor nor an outcome."""

MOST = 20
"""Levels of a column that is taken for a factor, at most."""

_MOST_NUMBERS = 12  # the same of a column of numbers


@dataclass(frozen=True)
class Wanted:
    """What the user says of the columns; None is left to be found."""

    factor: str | None = None
    outcome: str | None = None
    seed: str | None = None
    epoch: str | None = None
    contexts: Sequence[str] | None = None
    unpaired: bool = False


@dataclass
class Roles:
    """Which column is what, by its name in the file."""

    factor: str
    outcome: str
    seed: str | None
    epoch: str | None
    run: str | None
    contexts: list[str]
    others: list[str]
    """Further columns of numbers, which may be outcomes."""
    set_aside: list[tuple[str, str, str]] = field(default_factory=list)
    """Column, a word for the reason, and a detail."""


class Columns:
    """The columns of a long table, each looked at once."""

    def __init__(self, table: pa.Table, source: str) -> None:
        self.table, self.source = table, source
        self.names: list[str] = table.column_names
        self._codes: dict[str, tuple[Any, list[Any]]] = {}

    def is_number(self, name: str) -> bool:
        """Whether all cells with a value are numbers."""
        return bool(pa.types.is_floating(self.table.schema.field(name).type))

    def codes(self, name: str) -> tuple[Any, list[Any]]:
        """Codes of the cells, −1 where there is none, and the values that they stand for."""
        if name not in self._codes:
            codes, values = pd.factorize(self.table[name].to_pandas())
            self._codes[name] = codes, list(values)
        return self._codes[name]

    def levels(self, name: str) -> list[Any]:
        """The different values of a column."""
        return self.codes(name)[1]

    def wanted(self, option: str, name: str) -> str:
        """The name, if there is such a column."""
        if name in self.names:
            return name
        hint = nearest(name, self.names)
        raise UserError(
            f"{self.source}: {option}: found no column '{name}'{hint}, allowed: one of {listed(self.names)}"
        )


def found(columns: Columns, wanted: Wanted, known: Sequence[str] = ()) -> Roles:
    """What each column is.

    Args:
        columns: of the table.
        wanted: what the user says.
        known: columns that a reader knows to be factors.

    Raises:
        UserError: a column that is named is not there, or a role cannot be found and must be named.
    """
    free = [*columns.names]

    def named(option: str, name: str) -> str:
        free.remove(columns.wanted(option, name))
        return name

    factor = named("--factor", wanted.factor) if wanted.factor is not None else ""
    outcome = named("--outcome", wanted.outcome) if wanted.outcome is not None else ""
    contexts = [named("--context", name) for name in dict.fromkeys(wanted.contexts or ()) if name != factor]
    if wanted.seed in (factor, outcome, *contexts) or wanted.epoch in (factor, outcome, *contexts):
        twice = wanted.seed if wanted.seed in (factor, outcome, *contexts) else wanted.epoch
        raise UserError(f"{columns.source}: found the column '{twice}' named twice, allowed: one role a column")
    seed = named("--seed", wanted.seed) if wanted.seed is not None else _one_of(SEEDS, free)
    epoch = named("--epoch", wanted.epoch) if wanted.epoch is not None else _one_of(EPOCHS, free, columns.is_number)
    run = _one_of(RUNS, free)
    free = [name for name in free if name not in (seed, epoch, run)]
    roles = Roles(factor, outcome, seed, epoch, run, contexts, [])
    if seed is None and not wanted.unpaired:
        raise UserError(
            f"{columns.source}: no column says which seed a run has, allowed: --seed with one of "
            f"{listed(columns.names)}; or --unpaired, if the arms shared no seeds"
        )
    free = [name for name in free if not _set_aside(columns, roles, name)]
    roles.factor = roles.factor or _factor(columns, free)
    texts_first = sorted(
        (name for name in free if name != roles.factor), key=lambda name: (columns.is_number(name), name)
    )
    for name in texts_first:
        asked = wanted.contexts is not None
        reason = "not named" if asked else _no_context(columns, roles, name, known=name in known)
        if not reason:
            roles.contexts.append(name)
        elif columns.is_number(name) and name not in known:
            roles.others.append(name)
        else:
            roles.set_aside.append((name, reason, ""))
    if not roles.outcome:
        roles.outcome = _outcome(columns, roles.others)
        roles.others.remove(roles.outcome)
    roles.set_aside.sort()
    return roles


def _one_of(words: Iterable[str], names: Sequence[str], fits: Any = lambda _: True) -> str | None:
    """The column that goes by the first of these words, alone or after a dot or a slash."""
    able = sorted(filter(fits, names), key=lambda name: (len(name), name), reverse=True)
    by_word = {word(name): name for name in able}
    return next((by_word[word] for word in words if word in by_word), None)


def word(name: str) -> str:
    """The last part of a column's name, as it is looked for: `seed` of `config/Seed`."""
    return re.split(r"[./]", name)[-1].strip().lower().replace("-", "_").replace(" ", "_")


def _set_aside(columns: Columns, roles: Roles, name: str) -> bool:
    """Whether a column is of no use, which is then told."""
    levels = columns.levels(name)
    if not levels:
        roles.set_aside.append((name, "empty", ""))
    elif word(name) in _NEVER:
        roles.set_aside.append((name, "of the tracker", ""))
    elif len(levels) == 1 and (columns.codes(name)[0] >= 0).all():
        roles.set_aside.append((name, "the same everywhere", _text(levels[0])))
    elif not columns.is_number(name) and all(_DATES.match(str(level)) for level in levels[:100]):
        roles.set_aside.append((name, "a date", _text(levels[0])))
    else:
        return False
    return True


def _factor(columns: Columns, free: Sequence[str]) -> str:
    """The only column of text with few levels."""
    able = [name for name in free if not columns.is_number(name) and 2 <= len(columns.levels(name)) <= MOST]
    if len(able) == 1:
        return able[0]
    offered = able or [name for name in free if 2 <= len(columns.levels(name)) <= MOST] or free
    raise UserError(f"{columns.source}: which column is compared? allowed: --factor with one of {listed(offered)}")


def _outcome(columns: Columns, able: Sequence[str]) -> str:
    """The only column of numbers."""
    if len(able) == 1:
        return able[0]
    if not able:
        raise UserError(f"{columns.source}: found no column of numbers that could be an outcome, allowed: one at least")
    raise UserError(f"{columns.source}: which outcome decides? allowed: --outcome with one of {listed(able)}")


def _no_context(columns: Columns, roles: Roles, name: str, *, known: bool) -> str:
    """Why a column is no factor that is held fixed; empty where it is one."""
    codes, levels = columns.codes(name)
    if len(levels) < 2:
        return "incomplete"
    if len(levels) > (_MOST_NUMBERS if columns.is_number(name) else MOST) and not known:
        return "an id" if not columns.is_number(name) else "many values"
    arms, _ = columns.codes(roles.factor)
    pairs = np.unique(np.stack([codes, arms]), axis=1)
    of_level = np.bincount(pairs[0][pairs[0] >= 0], minlength=len(levels))
    if len(np.unique(pairs[1])) == pairs.shape[1] or (of_level == 1).all():
        return "follows the arms"
    if (codes < 0).any():
        return "incomplete"
    return "" if known or not columns.is_number(name) else _numbers(columns, roles, name, of_level)


def _numbers(columns: Columns, roles: Roles, name: str, of_level: Any) -> str:
    """Why a column of few numbers is no factor; empty where it is one.

    A factor has each of its values in several arms and runs, from the first epoch on; a rate under a schedule changes
    on the way, and of measurements few are equal.
    """
    if (of_level < 2).any():
        return "measured"
    codes, levels = columns.codes(name)
    if roles.epoch is None:
        return "" if np.bincount(codes, minlength=len(levels)).min() >= 2 * 2 else "measured"
    held = [each for each in roles.contexts if not columns.is_number(each)]  # whatever other numbers are taken for
    keys = [columns.codes(each)[0] for each in (roles.factor, roles.seed, *held) if each]
    frame = pd.DataFrame({str(place): key for place, key in enumerate([*keys, codes])})
    frame["epoch"] = columns.table[roles.epoch].to_pandas()
    first = frame.groupby([*frame.columns[:-1]], sort=False)["epoch"].min()
    return "" if bool((first == first.min()).all()) else "changes on the way"


def listed(names: Iterable[str]) -> str:
    """Names in a message, not more than a reader can take in."""
    every = [*names]
    more = f" and {len(every) - 30} more" if len(every) > 30 else ""
    return f"{', '.join(every[:30])}{more}"


def _text(value: Any) -> str:
    text = label(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def label(value: Any) -> str:
    """A level of a factor as text: 0.5, 100000, batch."""
    if isinstance(value, float | np.floating):
        number = float(value)
        if number.is_integer() and abs(number) < 1e15:
            return str(int(number))
        return f"{number:g}" if float(f"{number:g}") == number else repr(number)
    return str(value).strip()


def in_order(labels: Mapping[str, Any] | Iterable[str]) -> list[str]:
    """Labels as people expect them: numbers by size, texts by the alphabet, and numbers within them by size."""

    def key(text: str) -> tuple[int, float, list[tuple[int, float, str]]]:
        try:
            return (0, float(text), [])
        except ValueError:
            parts = re.split(r"(\d+)", text)
            return (1, 0.0, [(0, float(part), "") if part.isdigit() else (1, 0.0, part) for part in parts])

    return sorted(labels, key=lambda text: (key(text), text))
