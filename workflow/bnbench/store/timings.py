"""How long finished trials took, compared with the estimates of the cost model: this corrects its estimates.

Times are those of one card, or processor: of the one that trained last, which is likely to train what is missing.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bnbench.errors import UserError
from bnbench.plan import cost, engines
from bnbench.plan.settings import NUMERICS, Setting
from bnbench.store import probes, tables

_FILES = 3  # of a setting, that are looked into
_ENOUGH = 2.0  # seconds of training that tell a pace; of less, warming up and chance are the greater part
_ALIKE = ("hidden", "network", "norm", "batch_size", "optimizer", "task", "dtype", "activation")
"""Keys of a setting that its time depends on most, beside its engine."""


class Timed(NamedTuple):
    """A setting whose trials were timed."""

    address: str
    card: str
    """Model of the GPU or processor; empty if the table does not say."""
    at: float
    """When its last trials were stored."""
    pace: float
    """Median of measured over estimated seconds of its trials."""
    kind: tuple[str, ...]


class Paces:
    """Known times of one kind of device.

    Args:
        timed: each setting once for every card.
    """

    def __init__(self, timed: list[Timed]) -> None:
        self.card = max(timed, key=lambda each: each.at).card if timed else ""
        """Whose times these are."""
        self._own = {each.address: each.pace for each in timed if each.card == self.card}
        self._of_kind: dict[tuple[str, ...], list[float]] = {}
        for each in timed:
            if each.card == self.card:
                self._of_kind.setdefault(each.kind, []).append(each.pace)
        self._nearest: dict[tuple[str, ...], float] = {}

    def known(self) -> bool:
        """Whether anything was timed."""
        return bool(self._own)

    def own(self, address: str) -> float:
        """Measured over estimated seconds of a setting; NaN where it was not timed."""
        return self._own.get(address, math.nan)

    def nearest(self, spec: Mapping[str, Any]) -> float:
        """The same of the timed settings that have most in common with this one, their median; NaN where none is."""
        kind = _kind(spec)
        if kind not in self._nearest:
            near: dict[int, list[float]] = {}
            for other, found in self._of_kind.items():
                near.setdefault(sum(map(operator.ne, kind, other)), []).extend(found)
            self._nearest[kind] = statistics.median(near[min(near)]) if near else math.nan
        return self._nearest[kind]


def paces(device: str, results: Path, addresses: Iterable[str] | None = None) -> Paces:
    """The times on `device`, cpu or cuda, in the tables of trials in `results`; for these settings, or for all."""
    trials, found = results / "trials", list[Timed]()
    folders = trials.glob("*/") if addresses is None else (trials / address for address in addresses)
    for folder in sorted(folders):
        try:
            found += _of_setting(folder, device, results)
        except (UserError, KeyError, TypeError, ValueError):
            continue  # of another version, or of a data file that is gone: an estimate does without it
    return Paces(found)


def first_files(folder: Path, columns: list[str]) -> Iterator[tuple[Path, dict[str, Any], list[tuple[Any, ...]]]]:
    """Path, footer and rows of the first tables in `folder` that can be read and have the columns.

    `collect` will complain of the others.
    """
    found = 0
    for path in sorted(folder.glob("*.parquet")):
        try:
            footer, table = tables.footer(path), tables.read_parquet(path, columns=columns)
        except UserError:
            continue
        if {*columns} <= {*table.column_names}:
            yield path, footer, list(zip(*(table[name].to_pylist() for name in columns), strict=True))
            if (found := found + 1) == _FILES:
                return


def _of_setting(folder: Path, device: str, results: Path) -> Iterator[Timed]:
    """A setting's trials, card by card."""
    ratios: dict[str, list[float]] = {}
    at: dict[str, float] = {}
    setting: Setting | None = None
    for path, footer, rows in first_files(folder, ["seconds", "threads", "device_name"]):
        setting = setting or Setting.from_spec(footer["setting"])
        if (setting.spec["device"], setting.spec["numerics"]) != (device, NUMERICS):  # other code has other times
            return
        # Those of a file have trained together.
        probe = probes.read(setting.address, results)
        estimate = cost.seconds(setting.spec, len(rows), probe) / max(1, len(rows))
        measured = [(seconds or 0) * ((threads or 0) if device == "cpu" else 1) for seconds, threads, _ in rows]
        # Half a second's training on one seed must not multiply the hours of a thousand seeds by what its start took.
        trust = min(1.0, sum(each for each in measured if each < math.inf) / _ENOUGH)
        for each, (_, _, card) in zip(measured, rows, strict=True):
            if 0 < each < math.inf and estimate > 0:
                ratios.setdefault(card or "", []).append((each / estimate) ** trust)
                at[card or ""] = path.stat().st_mtime
    if setting is not None:
        kind = _kind(setting.spec)
        for card, found in ratios.items():
            yield Timed(folder.name, card, at[card], statistics.median(found), kind)


def _kind(spec: Mapping[str, Any]) -> tuple[str, ...]:
    """What settings are compared by: how they are trained, and the names or values of some keys."""
    values = (spec.get(key) for key in _ALIKE)
    named = (str(value["name"] if isinstance(value, Mapping) and "name" in value else value) for value in values)
    return (engines.engine(spec), str(engines.fused(spec)), *named)
