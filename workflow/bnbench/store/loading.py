"""The tables of a study as a user asks for them, from Python or a notebook: by the study's name and the table's."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bnbench.errors import UserError, found, nearest
from bnbench.store import report_tables, schemas, tables
from bnbench.store.schemas import COLLECTED


def load(study: str | Path, what: str, reports: Path) -> pd.DataFrame:
    """Read a table; its texts are categories, since most of them are the same in many rows.

    Args:
        study: its name, or the path of its folder.
        what: a table of the results, or of the report.
        reports: the folder in which a study is looked for by its name.

    Raises:
        UserError: there is no such study or table, or its file is absent or corrupt.
    """
    allowed = (*COLLECTED, *schemas.TABLES)
    if what not in allowed:
        raise UserError(f"what: found {found(what)}{nearest(what, allowed)}, allowed: one of {', '.join(allowed)}")
    folder = _folder(study, reports)
    if what not in COLLECTED:
        return report_tables.read(folder, what)
    table = tables.read_parquet(folder / "data" / f"{COLLECTED[what]}.parquet")
    frame: pd.DataFrame = table.to_pandas(strings_to_categorical=True)
    return frame


def _folder(study: str | Path, reports: Path) -> Path:
    """The folder of a study."""
    for folder in (reports / study, Path(study)):
        if _is_study(folder):
            return folder
    there = sorted(path.name for path in reports.glob("*/") if _is_study(path))
    allowed = f"one of {', '.join(there)}" if there else "none, since there are no reports yet; run the workflow first"
    raise UserError(
        f"{reports}: found no study {str(study)!r}{nearest(study, there)}, allowed: {allowed}, or the path of a folder"
    )


def _is_study(folder: Path) -> bool:
    return (folder / "data").is_dir() or (folder / "tables").is_dir()
