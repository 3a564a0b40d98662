"""The role of each column: seed, epoch, the compared factor, contexts, outcomes, and those that are set aside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bnbench.errors import UserError
from bnbench.own_results import contexts, numbers, scales, seeds, spoilt
from bnbench.own_results.columns import Codes, Columns, listed
from bnbench.own_results.contexts import Design
from bnbench.own_results.levels import label
from bnbench.own_results.names import ARMS, EPOCHS, FOLDS, MEASURES, RUNS, SEEDS, VALUES, is_moment, is_noted, word
from bnbench.own_results.reasons import Reason

MOST_ARMS = 20
"""A column with more levels is not read as the compared one."""

MOST_NAMED = 50
"""The same if the user names it: each is compared with the baseline, in a table and a picture."""

MOST_CONTEXTS = 1000
"""Levels of a column that the user names as a context, at most."""


@dataclass(frozen=True)
class Wanted:
    """What the user says about the columns; None if it is to be found out."""

    factor: str | None = None
    outcome: str | None = None
    seed: str | None = None
    epoch: str | None = None
    contexts: Sequence[str] | None = None
    unpaired: bool = False

    def named(self) -> Iterator[tuple[str, str]]:
        """Flag and column of everything that is named."""
        for flag in ("factor", "outcome", "seed", "epoch"):
            if (name := getattr(self, flag)) is not None:
                yield f"--{flag}", name
        for name in self.contexts or ():
            yield "--context", name


@dataclass
class Roles:
    """The role of each column, by its name in the file."""

    factor: str
    outcome: str
    seed: str | None
    """The column that pairs or distinguishes runs; None if each row is a run."""
    epoch: str | None
    contexts: list[str]
    others: dict[str, Reason]
    """Further columns of numbers, which may be outcomes, in the order of their names → why they are not contexts."""
    set_aside: list[tuple[str, Reason, str]] = field(default_factory=list)
    """Column, a word for the reason, and a detail; in the order of their names."""


def found(columns: Columns, wanted: Wanted, known: Collection[str] = ()) -> Roles:
    """The role of each column.

    Args:
        columns: of the table.
        wanted: what the user says.
        known: columns that a reader knows to be factors.

    Raises:
        UserError: a column that is named is not there or cannot be what it is named as, or a role cannot be found.
    """
    _check_names(columns, wanted)
    _refuse_long_form(columns, wanted)
    named = {name for _, name in wanted.named()}
    useless = {name: reason for name in columns.names if name not in named and (reason := _useless(columns, name))}
    free = [name for name in columns.names if name not in named and name not in useless]
    odd = {name: cell for name in free if (cell := spoilt.numbers(columns, name))}
    seed = _seed(columns, wanted, free)
    if seed in odd:
        raise UserError(f"{columns.source}, column {seed}: found {odd[seed]}, allowed: numbers, as in the other rows")
    epoch = wanted.epoch or _epoch(columns, free) or _one_of(EPOCHS, [*odd])
    free = [name for name in free if name not in (seed, epoch)]
    factor = wanted.factor or _factor(columns, free)
    free = [name for name in free if name != factor]
    held, reasons, epoch = _held(columns, wanted, Roles(factor, "", seed, epoch, [], {}), free, known)
    measured = [name for name in columns.names if name in reasons and columns.is_number(name) and name not in known]
    odd = {name: cell for name, cell in odd.items() if name in reasons}
    outcome = wanted.outcome or _outcome(columns, measured, odd)
    aside: list[tuple[str, Reason, str]] = [(name, *each) for name, each in useless.items()]
    reasons |= dict.fromkeys(odd, "mostly numbers")
    aside += [(name, reason, odd.get(name, "")) for name, reason in reasons.items() if name not in measured]
    others = {name: reasons[name] for name in sorted(measured) if name != outcome}
    return Roles(factor, outcome, seed, epoch, held, others, sorted(aside))


def _check_names(columns: Columns, wanted: Wanted) -> None:
    """Refuse names of no column, and columns that are named twice."""
    flags: dict[str, str] = {}
    for flag, name in wanted.named():
        columns.wanted(flag, name)
        if name in flags:
            twice = flag if flags[name] == flag else f"{flags[name]} and {flag}"
            raise UserError(f"{columns.source}: found the column '{name}' twice ({twice}), allowed: one role each")
        flags[name] = flag
    for flag, most in (("--factor", MOST_NAMED), ("--context", MOST_CONTEXTS)):
        for name in (name for name, its in flags.items() if its == flag):
            _check_levels(columns, flag, name, most)


def _check_levels(columns: Columns, flag: str, name: str, most: int) -> None:
    """Refuse a column that is not a factor."""
    if _moments(columns, name):
        first = columns.levels(name)[0]
        raise UserError(f"{columns.source}: {flag}: found dates or times in '{name}' ({first}), allowed: a factor")
    if (count := columns.count(name)) > most:
        raise UserError(
            f"{columns.source}: {flag}: found {count:,} levels of '{name}', allowed: {most:,} at most; is it an id, or "
            "something that was measured?"
        )


def _moments(columns: Columns, name: str) -> bool:
    """Whether all cells of a column are dates, times or durations."""
    if columns.is_number(name) or not columns.count(name):
        return False
    return all(is_moment(text) for text in columns.levels(name))


def _refuse_long_form(columns: Columns, wanted: Wanted) -> None:
    """Refuse a table that has a row for each metric."""
    named = {name for flag, name in wanted.named() if flag != "--outcome"}
    able = [name for name in columns.names if name not in named]
    metric = _one_of(MEASURES, able, lambda name: not columns.is_number(name) and columns.count(name) > 1)
    value = _one_of(VALUES, able, columns.is_number)
    if metric and value and wanted.outcome in (None, value):
        raise UserError(
            f"{columns.source}: found a row for each metric ('{metric}': {listed(columns.levels(metric)[:5])}), "
            f"allowed: a column for each; pivot the table, as pandas' pivot_table(columns='{metric}', "
            f"values='{value}') does"
        )


def _useless(columns: Columns, name: str) -> tuple[Reason, str] | None:
    """Why a column is useless, regardless of the others: a word for the reason, and a detail."""
    if not columns.count(name):
        return "empty", ""
    if is_noted(name):
        return "of the tracker", ""
    if columns.count(name) == 1 and not columns.has_gaps(name):
        return "the same everywhere", _short(label(columns.levels(name)[0]))
    if _moments(columns, name):
        return "a date", _short(min(columns.levels(name)))
    return None


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


def _one_of(words: Iterable[str], names: Sequence[str], fits: Callable[[str], bool] = lambda _: True) -> str | None:
    """The column named by the first of these words, alone or after a dot or a slash."""
    able = sorted(filter(fits, names), key=lambda name: (len(name), name), reverse=True)
    by_word = {word(name): name for name in able}
    return next((by_word[each] for each in words if each in by_word), None)


def _seed(columns: Columns, wanted: Wanted, free: Sequence[str]) -> str | None:
    """The column that pairs runs; for unpaired runs, the column that distinguishes them."""
    if wanted.seed is not None:
        return wanted.seed
    if called := _one_of(SEEDS, free):
        return called
    ending = [name for name in free if seeds.is_seed(name)]
    if len(ending) == 1:
        return ending[0]
    if wanted.unpaired:
        return _one_of(RUNS, free)
    if fold := _one_of(FOLDS, free):
        return fold
    constant = _one_of(SEEDS, columns.names, lambda name: columns.count(name) < 2)
    if constant:
        if columns.is_number(constant):
            numbers.whole(columns, constant, "seed")  # of seeds that are too large, several may look like one
        value = label((columns.levels(constant) or ["nothing"])[0])
        raise UserError(
            f"{columns.source}, column {constant}: found one seed, {value}, in all rows, allowed: at least two; with "
            "fewer than six nothing can be decided at α = 0.05"
        )
    epoch = wanted.epoch or _epoch(columns, free)
    taken = {epoch, wanted.factor, wanted.outcome, *(wanted.contexts or ())}
    able = [name for name in free if name not in taken and word(name) not in EPOCHS]
    offered = ending or [name for name in able if not scales.named(name).says_something]
    with_one_of = f"with one of {listed(offered)}" if offered else "and a column that says it, which this table lacks"
    raise UserError(
        f"{columns.source}: which column is the seed, by which runs are paired? allowed: --seed {with_one_of}; or "
        "--unpaired, if the arms share no seeds"
    )


def _epoch(columns: Columns, free: Sequence[str]) -> str | None:
    """What counts epochs or steps: a column of whole numbers, if there is one."""
    return _one_of(EPOCHS, free, lambda name: numbers.is_whole(columns, name)) or _one_of(
        EPOCHS, free, columns.is_number
    )


def _factor(columns: Columns, free: Sequence[str]) -> str:
    """The only column of text with few levels, or the only one of several with the name of an arm."""

    def fits(name: str) -> bool:
        return 2 <= columns.count(name) <= MOST_ARMS

    able = [
        name
        for name in free
        if fits(name) and not columns.is_number(name) and columns.count(name) <= max(columns.rows // 2, 2)
    ]
    called = [name for name in able if word(name) in ARMS]
    for only in (able, called, [name for name in able if word(name) not in RUNS]):
        if len(only) == 1:
            return only[0]
    offered = able or [name for name in free if fits(name) and not scales.named(name).says_something]
    constant = [name for name in columns.names if columns.count(name) == 1 and word(name) in ARMS]
    if not offered and constant:
        level = label(columns.levels(constant[0])[0])
        raise UserError(f"{columns.source}, column {constant[0]}: found one level, {level}, allowed: two, to compare")
    named = listed(offered or free)
    raise UserError(f"{columns.source}: which column is compared? allowed: --factor with one of {named}")


def _held(
    columns: Columns, wanted: Wanted, said: Roles, free: Sequence[str], known: Collection[str]
) -> tuple[list[str], dict[str, Reason], str | None]:
    """The contexts, why each of the other columns is none, and the epoch, unless each row is a run."""
    identity: Codes | None = columns.codes(said.seed)[0] if said.seed else None
    paired = not wanted.unpaired
    design = Design(columns, said.factor, identity, said.epoch, paired, known)
    named = sorted(wanted.contexts or ())
    if said.epoch and not wanted.epoch and not contexts.has_course(design, [*named, *free]):
        free = [*free, said.epoch]
        design = Design(columns, said.factor, identity, None, paired, known)
    if wanted.contexts is not None:
        return named, dict.fromkeys(free, "not named"), design.epoch
    held, reasons = contexts.held(design, free)
    return held, reasons, design.epoch


def _outcome(columns: Columns, able: Sequence[str], odd: Mapping[str, str]) -> str:
    """The only column of numbers that was measured, or the only one whose name says which side is better.

    One of the `odd` columns may be the outcome that is meant, and is no number because of a cell.
    """
    for name, cell in odd.items():
        if scales.named(name).better or not able:
            raise UserError(
                f"{columns.source}, column {name}: found {cell}, allowed: numbers, as an outcome; or --outcome with "
                "another column"
            )
    sided = [name for name in able if scales.named(name).better]
    likely = [name for name in able if not numbers.is_index(columns, name)]
    for only in (able, sided, likely):
        if len(only) == 1:
            return only[0]
    if not able:
        for name in columns.names:
            if scales.named(name).better and columns.is_number(name) and columns.count(name) == 1:
                value = f"{columns.levels(name)[0]:g}"
                raise UserError(
                    f"{columns.source}, column {name}: found {value} in every row, allowed: one that varies"
                )
        raise UserError(f"{columns.source}: found no column of numbers that could be an outcome, allowed: at least one")
    offered = listed(sided or likely or able)
    raise UserError(f"{columns.source}: which outcome decides? allowed: --outcome with one of {offered}")
