"""The study's answer: a headline of at most twenty words, made of verdicts alone, and the same as a short text.

A headline names what it can: the arms, in how many contexts each verdict is, and how large the effects are. Where that
takes too many words, it counts, and at the last it counts without a name. So it is short for every study.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from bnbench.catalogue.norms import NORMS
from bnbench.plan.study import Study
from bnbench.wording import effects, formats, samples, sentences, titles, words
from bnbench.wording.titles import Row

WORDS = 20
"""Of a headline, at most; signs by themselves count too."""

_VERDICTS = ("hurts", "helps", "equivalent", "undecided", "diverged", "no data")
"""In the order in which a headline says them; of two arms that both diverged throughout there is nothing to decide."""

_OF_ONE = {
    "hurts": "hurts",
    "helps": "helps",
    "equivalent": "is equivalent",
    "undecided": "is undecided",
    "diverged": "diverged throughout",
    "no data": "lacks data",
}
"""Verdict → the words for a treatment that has it in some of its contexts."""

_COUNTED = {
    "hurts": ("hurts", "hurt"),
    "helps": ("helps", "help"),
    "equivalent": ("is equivalent", "are equivalent"),
    "undecided": ("is undecided", "are undecided"),
    "diverged": ("diverged throughout", "diverged throughout"),
    "no data": ("lacks data", "lack data"),
}
"""Verdict → the words for one comparison with it, and for several, where comparisons are counted."""

_RANKED = ("worst-rank", "rank")
"""Tests by which a verdict is reached without an effect."""


class _Group(NamedTuple):
    """The rows of one treatment and one baseline."""

    treated: str
    base: str
    judged: Mapping[str, Sequence[Row]]
    """Verdict → the rows that have it."""

    @property
    def contexts(self) -> int:
        """How many rows there are."""
        return sum(map(len, self.judged.values()))

    @property
    def against(self) -> str:
        """What the treatment is compared with, where that must be said: `compared with SGD`."""
        return "" if self.base == NORMS["none"].title else f" compared with {self.base}"


def headline(study: Study, rows: pd.DataFrame, start: str = "") -> str:
    """The verdicts in at most `WORDS` words.

    Args:
        study: the study.
        rows: the table of verdicts.
        start: what the headline begins with, where there are words enough: `with tuned rates, `.
    """
    groups = _groups(study, rows)
    main = _main(study, groups)
    for told in _candidates(study, [groups[main]] if main is not None else groups, whole=main is None):
        for said in (f"{start}{told}", told):
            if len(said.split()) <= WORDS:
                return formats.beginning(said)
    raise AssertionError("the last candidate is short")  # pragma: no cover


def others(study: Study, rows: pd.DataFrame) -> list[str]:
    """A sentence for each further arm, of at most `WORDS` words, where the headline tells of BN alone."""
    groups = _groups(study, rows)
    main = _main(study, groups)
    if main is None:
        return []
    rest = [group for place, group in enumerate(groups) if place != main]
    found = []
    for group in rest:
        short = (said for said in _candidates(study, [group], whole=False) if len(said.split()) <= WORDS)
        found.append(f"{formats.beginning(next(short))}.")
    return found


def _main(study: Study, groups: Sequence[_Group]) -> int | None:
    """Which group the headline tells alone: BN against no BN, where all arms take too many words; None without one."""
    everywhere = {verdict for group in groups for verdict, rows in group.judged.items() if rows}
    called = [(group.base, group.treated) for group in groups]
    wanted = (NORMS["none"].title, NORMS["batch"].title)
    if len(groups) < 2 or wanted not in called or everywhere in ({"no data"}, {"diverged"}, {"undecided"}):
        return None
    whole = "; ".join(_with_sizes(study, group) for group in groups)
    return None if len(whole.split()) <= WORDS else called.index(wanted)


def answer(study: Study, rows: pd.DataFrame, head: str, more: Sequence[str] = (), start: str = "") -> str:
    """The headline as a text for a terminal; of a single comparison, its sentence; then what changes its reading.

    Args:
        study: the study.
        rows: the table of verdicts.
        head: the headline.
        more: sentences that follow it, empty ones among them.
        start: what the sentence of a single comparison begins with: `With tuned rates: `.
    """
    first = f"{head}."
    if len(rows) == 1 and rows["verdict"].iloc[0] != "no data":
        said = sentences.context(study, rows.to_dict("records")[0])
        first = f"{start}{said[:1].lower()}{said[1:]}" if start and said.startswith("With") else f"{start}{said}"
    return " ".join(filter(None, [first, *more]))


def _groups(study: Study, rows: pd.DataFrame) -> list[_Group]:
    found = []
    for (baseline, treatment), group in rows.groupby(["baseline", "treatment"], sort=False):
        judged: dict[str, list[Row]] = {verdict: [] for verdict in _VERDICTS}
        for row in group.to_dict("records"):
            judged[_said_of(row)].append(row)
        treated, base = titles.arm(study, str(treatment)), titles.arm(study, str(baseline))
        found.append(_Group(treated, base, judged))
    return found


def _said_of(row: Row) -> str:
    """The verdict; but where every trial diverged, that is said in its place."""
    return "diverged" if row["pairs"] and samples.all_diverged(row) else str(row["verdict"])


def _candidates(study: Study, groups: Sequence[_Group], *, whole: bool) -> Iterator[str]:
    """What the headline may be, from what says most to what is shortest; of a part of the groups, about no other."""
    everywhere = {verdict for group in groups for verdict, rows in group.judged.items() if rows}
    if everywhere == {"no data"} and whole:
        yield f"there are no {'pairs' if study.paired else 'runs'} to compare{samples.yet(study)}"
    if everywhere == {"diverged"}:
        yield from _diverged(study, groups, whole=whole)
    if everywhere == {"undecided"} and len(groups) > 1:
        yield f"nothing is decided in any of {_comparisons(groups)}"
    for say in (_with_sizes, _in_short):
        yield "; ".join(say(study, group) for group in groups)
    if len({(group.base, group.contexts) for group in groups}) == 1:
        of = f" of {groups[0].contexts} contexts" if groups[0].contexts > 1 else ""
        yield "; ".join(map(_briefly, groups)) + of + groups[0].against
    bases = {group.base for group in groups}
    alike = f" with {bases.pop()}" if len(bases) == 1 else ""
    yield f"of {_comparisons(groups)}{alike}, {_tally(groups)}"
    yield f"of {_comparisons(groups)}, {_tally(groups)}"


def _diverged(study: Study, groups: Sequence[_Group], *, whole: bool) -> Iterator[str]:
    """That no trial stayed finite, so that there is nothing to judge."""
    run = words.of(study).run
    if len(groups) == 1:
        where = _where(groups[0].contexts, groups[0].contexts)
        yield f"every {run} of {groups[0].treated} and of {groups[0].base} diverged{where}: there is nothing to compare"
    if whole:
        yield f"every {run} of all arms diverged: there is nothing to compare"


def _with_sizes(study: Study, group: _Group) -> str:
    """`BN hurts in 4 of 4 contexts: test loss 10 to 520 times as high`; sizes where all decided ones have one side."""
    sides = [verdict for verdict in ("hurts", "helps") if group.judged[verdict]]
    if len(sides) != 1:
        return _in_short(study, group)
    rows = group.judged[sides[0]]
    sized = [row["effect"] for row in rows if row["test"] not in _RANKED]
    size = [f"{_outcome(study)} {effects.span(study.outcome, sized)}"] if sized else []
    by_ranks = len(rows) - len(sized)
    size += [f"{by_ranks} by ranks" if sized else "by ranks"] if by_ranks else []
    if len(rows) == group.contexts:
        return f"{_in_short(study, group)}{':' if sized else ','} {', '.join(size)}"
    decided = f"{group.treated} {sides[0]}{group.against}{_where(len(rows), group.contexts)} ({', '.join(size)})"
    rest = [f"{_OF_ONE[verdict]} in {len(group.judged[verdict])}" for verdict in _others(group, sides)]
    return f"{decided}{' and ' if len(rest) == 1 else ', '}{formats.listed(rest)}"


def _outcome(study: Study) -> str:
    """What decides, and its mode where networks with BN have two: `training-mode train loss`."""
    name = study.outcome.name
    mode = "training-mode " if name == "train_loss" and study.trained_here and study.keeps_statistics else ""
    return f"{mode}{titles.outcome(study, name)}"


def _in_short(study: Study, group: _Group) -> str:
    """`BN hurts in 2, helps in 1 and is undecided in 1 of 4 contexts`."""
    found = [verdict for verdict in _VERDICTS if group.judged[verdict]]
    if len(found) == 1:
        where = _where(group.contexts, group.contexts)
        return _ALIKE.get(found[0], _alike)(study, group, found[0], where)
    said = [f"{_OF_ONE[verdict]} in {len(group.judged[verdict])}" for verdict in found]
    return f"{group.treated} {formats.listed(said)} of {group.contexts} contexts{group.against}"


def _briefly(group: _Group) -> str:
    """`BN hurts in 2 and is undecided in 1`, of contexts that are counted once for several arms."""
    found = [verdict for verdict in _VERDICTS if group.judged[verdict]]
    counts = [f" in {len(group.judged[verdict])}" if group.contexts > 1 else "" for verdict in found]
    said = [f"{_OF_ONE[verdict]}{count}" for verdict, count in zip(found, counts, strict=True)]
    return f"{group.treated} {formats.listed(said)}"


def _alike(_: Study, group: _Group, verdict: str, where: str) -> str:
    """A verdict that all contexts have."""
    return f"{group.treated} {_OF_ONE[verdict]}{group.against}{where}"


def _equivalent(study: Study, group: _Group, _: str, where: str) -> str:
    margin = effects.margin(study.outcome, study.report.margin)
    return f"{group.treated} and {group.base} are equivalent{where}, within the margin of {margin}"


def _undecided(_: Study, group: _Group, __: str, where: str) -> str:
    return f"nothing is decided between {group.treated} and {group.base}{where}"


_ALIKE: Mapping[str, Callable[[Study, _Group, str, str], str]] = {"equivalent": _equivalent, "undecided": _undecided}


def _others(group: _Group, sides: Sequence[str]) -> list[str]:
    return [verdict for verdict in _VERDICTS if group.judged[verdict] and verdict not in sides]


def _where(some: int, contexts: int) -> str:
    """In how many contexts; nothing of the only one."""
    return f" in {some:,} of {contexts:,} contexts" if contexts > 1 else ""


def _comparisons(groups: Sequence[_Group]) -> str:
    return formats.count(sum(group.contexts for group in groups), "comparison")


def _tally(groups: Sequence[_Group]) -> str:
    """`12 hurt, 3 help and 49 undecided`."""
    counts = {verdict: sum(len(group.judged[verdict]) for group in groups) for verdict in _VERDICTS}
    return formats.listed([f"{count:,} {_COUNTED[verdict][count > 1]}" for verdict, count in counts.items() if count])
