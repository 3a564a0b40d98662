"""Sentences on the sources of randomness: what an interval is for, and what each source makes of the spread."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from bnbench.catalogue import tasks as catalogue_tasks
from bnbench.plan.study import Study
from bnbench.streams import ALL, SOURCES
from bnbench.vocabulary import SEED_VARIES
from bnbench.wording import formats, networks, titles
from bnbench.wording.titles import Row

_NAMES = {"data": "the data", "weights": "the initial weights", "order": "the order of the examples"}


def rows_alone(study: Study) -> str:
    """For which rows the intervals and verdicts hold, where seeds are splits of one data set; else empty."""
    if not study.resampled:
        return ""
    tasks = formats.listed([study.level("task", label).title for label in study.resampled])
    varying = {label for label in study.levels[SEED_VARIES] if label in (ALL, "data")}
    if not varying:
        return (
            f"The training and test rows of {tasks} are the same for every seed. "
            "So intervals and verdicts describe this split alone."
        )
    speak = "this data set, not new data, and more seeds do not change that"
    if varying == {*study.levels[SEED_VARIES]}:
        where, of = "", f"So intervals and verdicts describe {speak}."
    else:
        where = ", where the data vary"
        of = f"Intervals and verdicts there describe {speak}; elsewhere they describe one split alone."
    return f"All seeds split the same {_rows(study)} of {tasks}{where}. {of}"


def _rows(study: Study) -> str:
    """`442 rows` where one data set of a known size is split; else `rows`."""
    entries = [study.level("task", label).entry for label in study.resampled]
    about = catalogue_tasks.of({"task": entries[0]}).about() if len(entries) == 1 else None
    return formats.count(about.rows, "row") if about else "rows"


def levels(study: Study) -> str:
    """What varies from seed to seed, level by level: `all sources varied and the weights alone varied`."""
    return formats.listed([level.title for level in study.levels.get(SEED_VARIES, {}).values()])


def sentences(study: Study, table: pd.DataFrame) -> list[str]:
    """For each arm in each context, the variance with one source alone varied; `table` is that of `variance`."""
    held = [name for name in study.factors if name != SEED_VARIES]
    return [_sentence(study, group.to_dict("records")) for _, group in table.groupby(held, sort=False)]


def _sentence(study: Study, rows: Sequence[Row]) -> str:
    first, names = rows[0], _names(study)
    loss = titles.outcome(study, first["outcome"])
    quantity = f"log {loss}" if study.outcomes[first["outcome"]].is_ratio else loss
    arm = formats.beginning(titles.with_arm(study, first[study.report.factor]))
    context = titles.context_name(study, first, without=SEED_VARIES)
    where = f"{arm} ({context}; {formats.count(first['common_seeds'], 'seed')})"
    if first["common_seeds"] < 3:
        return f"{where}, there are too few seeds to break the variance of the {quantity} down."
    by_source = {row[SEED_VARIES]: row for row in rows}
    alone = [by_source[source] for source in SOURCES if source in by_source]
    if ALL not in by_source:
        said = [f"{row['deviation']:.2g} where {names[row[SEED_VARIES]]} alone {_vary(row)}" for row in alone]
        return f"{where}, the standard deviation of the {quantity} is {formats.listed(said)}."
    if math.isnan(alone[0]["variance_share"]):
        return f"{where}, the {quantity} is the same for every seed."
    level = f"{formats.percent(1 - study.report.alpha)} interval "
    first_share, *more = [_share(row, level if row is alone[0] else "") for row in alone]
    where_alone = [f"where {names[row[SEED_VARIES]]} alone {_vary(row)}" for row in alone]
    said = [f"{first_share} of that with all sources varied {where_alone[0]}"]
    said += [f"{share} {where_it}" for share, where_it in zip(more, where_alone[1:], strict=True)]
    return f"{where}, the variance of the {quantity} is {formats.listed(said)}."


def _names(study: Study) -> dict[str, str]:
    """What each source is called. What networks draw in training comes with the order of the examples."""
    drawn = networks.draws(study)
    return {**_NAMES, "order": f"{_NAMES['order']} (with {formats.listed(drawn)})"} if drawn else _NAMES


def _vary(row: Row) -> str:
    return "varies" if row[SEED_VARIES] == "order" else "vary"


def _share(row: Row, level: str) -> str:
    """`34 % (95 % interval 15 % to 77 %)`."""
    share, low, high = (row[f"variance_share{end}"] for end in ("", "_low", "_high"))
    limits = "" if math.isnan(low) else f" ({level}{formats.whole_percent(low)} to {formats.whole_percent(high)})"
    return f"{formats.whole_percent(share)}{limits}"
