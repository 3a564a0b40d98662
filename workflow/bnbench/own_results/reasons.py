"""Why a column of a table is neither a role nor an outcome. Light to import: the words for each are elsewhere."""

from typing import Literal

Reason = Literal[
    "",
    "empty",
    "of the tracker",
    "the same everywhere",
    "a date",
    "an id",
    "mostly numbers",
    "many values",
    "incomplete",
    "measured",
    "changes on the way",
    "follows the arms",
    "follows another column",
    "differs within the pairs",
    "changes with the seed",
    "a spread, a count or a rank",
    "no known side",
    "too many",
    "not named",
]
"""Why a column is set aside; empty where it is not."""
