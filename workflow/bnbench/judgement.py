"""Results of your own, judged: from a table of runs to the page of a study, from the command line or from Python."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import unicodedata
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bnbench import collect
from bnbench.errors import UserError
from bnbench.own_results import flags
from bnbench.plan import config
from bnbench.plan.own_study import OwnStudy
from bnbench.store import tables
from bnbench.vocabulary import RESERVED
from bnbench.wording import deciding, own_results

if TYPE_CHECKING:
    import pandas as pd

    from bnbench.own_results.table import Long

_SHOWN = ("baseline", "treatment", "verdict", "effect", "effect_low", "effect_high", "p_adjusted", "pairs")
"""Columns of the verdicts that a notebook shows, after those of the context."""


def study_of(
    path: str,
    pattern: str | None,
    results: Mapping[str, Any],
    report: Mapping[str, Any],
    name: str | None,
    long: Long | None = None,
) -> OwnStudy:
    """The study of a table of runs.

    Args:
        path: of the table, or of a folder of runs.
        pattern: which of its files hold runs; None takes what a reader finds.
        results: further keys of `results`, see docs/config.md; those that are None are left to be found.
        report: keys of `report`, in the same way.
        name: of the study; None calls it after the path.
        long: the table itself, in place of the path.

    Raises:
        UserError: the table cannot be read or compared.
    """
    given = {key: value for key, value in {"pattern": pattern, **results}.items() if value is not None}
    written = {
        "study": name or named(path),
        "results": {"path": path, **given},
        "report": {key: value for key, value in report.items() if value is not None},
    }
    try:
        study = config.load(written, flags.COMMAND_LINE, long)
    except UserError as error:
        raise UserError(flags.as_flags(str(error))) from error
    assert isinstance(study, OwnStudy)  # noqa: S101 - since it has results
    return study


def named(path: str) -> str:
    """What a study is called after the path of its table: `runs` of `out/Runs.csv`."""
    # Not `Path.resolve`, which fails where a link leads to itself.
    resolved = unicodedata.normalize("NFKD", Path(os.path.realpath(path)).name).encode("ascii", "ignore").decode()
    stem = re.sub(r"(\.(csv|tsv|parquet|pq|jsonl|ndjson|json|gz))+$", "", resolved)
    name = re.sub(r"[^a-z0-9_-]+", "-", stem.lower())[:80].strip("-_") or "results"
    return f"{name}-results" if name in RESERVED else name


def reading(study: OwnStudy, long: Long | None = None) -> list[str]:
    """How the columns were read, how the pairs were made, and a warning if there are too few runs: a line each.

    Raises:
        UserError: the table cannot be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        collect.run(study, Path(), Path(folder), long)
        return _told(study, Path(folder))


def _told(study: OwnStudy, data: Path) -> list[str]:
    """The same, from the collected tables."""
    from bnbench import compare  # noqa: PLC0415 - SciPy, which nothing else here needs

    lines = [*own_results.reading(study), own_results.pairing(study, compare.sides(study, data))]
    return [*lines, *filter(None, [deciding.warning(study)])]


def judged(
    study: OwnStudy,
    out: Path,
    long: Long | None = None,
    say: Callable[[list[str]], object] = lambda _: None,
    processes: int = 2,
) -> str:
    """Write the report of `study` into the folder `out`, and return the sentence of its answer.

    Args:
        study: the study.
        out: its folder.
        long: the table, if it was passed in Python.
        say: gets the `reading`, as soon as it is known.
        processes: that draw the figures.

    Raises:
        UserError: the table cannot be read, or a file cannot be written.
    """
    from bnbench import compare, plot, report  # noqa: PLC0415 - SciPy and Matplotlib

    if processes > 1:
        plot.prepare()
    collect.run(study, Path(), out / "data", long)
    say(_told(study, out / "data"))
    compare.run(study, out / "data", out)
    plot.run(study, out, processes=processes)
    report.run(study, out)
    return str(tables.read_json(out / "verdicts.json")["sentence"])


@dataclass
class Report:
    """The report of a comparison: its answer, its tables and its page."""

    study: OwnStudy
    folder: Path
    """Where the page, the tables and the figures lie."""
    sentence: str
    """The answer."""
    reading: list[str]
    """How the columns were read."""

    @property
    def verdicts(self) -> pd.DataFrame:
        """A row per context and treatment: the verdict with its numbers; docs/columns.md says what each is."""
        return self.table("contexts")

    def table(self, name: str) -> pd.DataFrame:
        """A table of the report by its name, such as `contexts`, `outcomes` or `pairs`.

        Raises:
            UserError: there is no such table.
        """
        from bnbench.store import loading  # noqa: PLC0415

        return loading.load(self.folder, name, Path())

    def to_html(self, path: str | Path) -> Path:
        """Write the page, which needs no other file, to `path`.

        Raises:
            UserError: it cannot be written.
        """
        try:
            return Path(shutil.copyfile(self.folder / "index.html", path))
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror})") from error

    def __repr__(self) -> str:
        return "\n".join([self.sentence, "", self._shown().to_string(index=False)])

    def _repr_html_(self) -> str:
        forest = (self.folder / "figures" / "forest.svg").read_text(encoding="utf-8")
        picture = forest[forest.index("<svg") :]
        return f"<p><b>{escape(self.sentence)}</b></p>{picture}{self._shown().to_html(index=False)}"

    def _shown(self) -> pd.DataFrame:
        held = self.study.varied()
        return self.verdicts[[*held, *_SHOWN]]


def judge(
    runs: pd.DataFrame | str | Path,
    results: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    pattern: str | None,
    name: str | None,
    reports: str | Path | None,
) -> Report:
    """Judge a frame, a file or a folder; see `bnbench.judge`.

    Raises:
        UserError: it cannot be read or compared.
    """
    long = None
    if not isinstance(runs, str | Path):
        from bnbench.own_results.frames import from_frame  # noqa: PLC0415 - pandas

        long = from_frame(runs)
    path = "." if long else str(runs)
    study = study_of(path, pattern, results, options, name or ("results" if long else None), long)
    kept = reports is not None
    above = Path(reports) if reports is not None else Path(tempfile.mkdtemp(prefix="bnbench-"))
    said: list[str] = []
    try:
        sentence = judged(study, above / study.name, long, said.extend, processes=1)
    except BaseException:
        if not kept:
            shutil.rmtree(above, ignore_errors=True)
        raise
    report = Report(study, above / study.name, sentence, said)
    if kept:
        from bnbench.page import index_page  # noqa: PLC0415

        said += filter(None, [index_page.renew(above)])
    else:
        weakref.finalize(report, shutil.rmtree, above, ignore_errors=True)
    return report
