"""The columns of a long table: which values they have, and in which rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bnbench.errors import UserError, nearest
from bnbench.own_results.table import Long

Codes = NDArray[np.int64]

_KEPT = 1000
"""Values of a column whose codes are kept: those of a measurement would fill the memory."""


class Columns:
    """The columns of a long table by their names."""

    def __init__(self, long: Long) -> None:
        self.long, self.table = long, long.table
        self.names: list[str] = long.table.column_names
        more = len({part.file for part in long.parts}) - 1
        first = long.parts[0].file
        self.source: str = f"{first} and {more} more {'file' if more == 1 else 'files'}" if more else first
        """The table's name in messages."""
        self._codes: dict[str, tuple[Codes, list[Any]]] = {}
        self._counts: dict[str, int] = {}

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.table.num_rows)

    def is_number(self, name: str) -> bool:
        """Whether all cells with a value are numbers."""
        return bool(pa.types.is_floating(self.table.schema.field(name).type))

    def codes(self, name: str) -> tuple[Codes, list[Any]]:
        """Codes of the cells, [rows], −1 where there is no value; and the values that they stand for.

        The values are in order, unless there are too many to be levels.
        """
        if name in self._codes:
            return self._codes[name]
        column = self.table[name]
        if self.is_number(name):
            codes, values = pd.factorize(column.to_numpy())
            levels = values.tolist()
        else:
            encoded = column.combine_chunks().dictionary_encode()
            codes, levels = pc.fill_null(encoded.indices, -1).to_numpy(), encoded.dictionary.to_pylist()
        self._counts[name] = len(levels)
        if len(levels) > _KEPT:
            return codes.astype(np.int64), levels
        order = sorted(range(len(levels)), key=levels.__getitem__)
        places = np.full(len(levels) + 1, -1, np.int64)
        places[order] = np.arange(len(levels))
        self._codes[name] = places[codes], [levels[place] for place in order]
        return self._codes[name]

    def count(self, name: str) -> int:
        """How many different values a column has."""
        if name not in self._counts:
            self.codes(name)
        return self._counts[name]

    def levels(self, name: str) -> list[Any]:
        """The different values of a column, in order."""
        return self.codes(name)[1]

    def has_gaps(self, name: str) -> bool:
        """Whether a cell has no value, or NaN."""
        return bool((self.codes(name)[0] < 0).any())

    def wanted(self, option: str, name: str) -> str:
        """The name, if there is such a column.

        Raises:
            UserError: there is none.
        """
        if name in self.names:
            return name
        by_last_part = {re.split(r"[./]", each)[-1]: each for each in reversed(self.names)}
        hint = f" (did you mean '{by_last_part[name]}'?)" if name in by_last_part else nearest(name, self.names)
        raise UserError(
            f"{self.source}: {option}: found no column '{name}'{hint}, allowed: one of {listed(self.names)}"
        )


def joined(parts: Iterable[Codes], rows: int) -> Codes:
    """A code for each combination, [rows], from 0 on."""
    codes = np.zeros(rows, np.int64)
    for part in parts:
        low = int(part.min(initial=0))
        width = int(part.max(initial=0)) - low + 1
        codes = pd.factorize(codes * width + (part - low))[0].astype(np.int64)
    return codes


def different(codes: Codes) -> int:
    """How many codes there are, of those that `joined` gives."""
    return int(codes.max(initial=-1)) + 1


def listed(names: Iterable[str]) -> str:
    """Names in a message, not too many for a reader."""
    every = [_short(name) for name in names]
    more = f" and {len(every) - 30} more" if len(every) > 30 else ""
    return f"{', '.join(every[:30])}{more}"


def _short(name: str) -> str:
    """A name in one line, cut to a usual length."""
    name = " ".join(name.split())
    return name if len(name) <= 60 else f"{name[:59]}…"
