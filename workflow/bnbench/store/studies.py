"""What lies in a folder of reports: the studies with their answers, the page of the claims, and what can be no study.

Of a study's `verdicts.json` only the part before its tables is read, so that a hundred large studies are listed in a
second. Nothing here fails because of what a folder holds: what cannot be read is named with the reason.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bnbench.errors import UserError
from bnbench.store import files, tables

NEWEST = "newest.json"
"""In a study's folder of collected tables: when the newest of the files was written that they were collected from."""

CLAIMS = "claims"
"""The folder of the page of all claims."""

_TABLES = b'"tables": '
"""How the line begins that holds a study's tables: `compare` writes a line a key, and this one last."""

_WANTED = {"study": str, "sentence": str, "arms": list, "seeds": int}


@dataclass(frozen=True)
class Judged:
    """A study that has an answer."""

    folder: str
    """Its name."""
    verdicts: dict[str, Any]
    """What `verdicts.json` holds, without the tables."""
    date: datetime
    """Of its newest data, in UTC."""
    by_verdicts: bool
    """Whether that date is not known, and `date` is that of the verdicts."""
    whole: bool
    """Whether every trial that was asked for had been collected."""
    has_page: bool


@dataclass(frozen=True)
class Claims:
    """The page of all claims."""

    rows: list[dict[str, str]]
    """Of `claims.csv`."""
    date: datetime
    """When that was written, in UTC."""


@dataclass(frozen=True)
class LeftOut:
    """A folder that cannot be listed."""

    folder: str
    reason: str


def note_newest(sources: Iterable[Path], data: Path) -> None:
    """Note in the folder `data` when the newest of `sources` was written; without sources, that nothing is known.

    Raises:
        UserError: the note cannot be written.
    """
    if times := [path.stat().st_mtime for path in sources if path.exists()]:
        at = datetime.fromtimestamp(max(times), UTC).isoformat(timespec="seconds")
        files.write_text(data / NEWEST, json.dumps({"newest": at}) + "\n")
    else:
        (data / NEWEST).unlink(missing_ok=True)


def found(reports: Path) -> tuple[list[Judged], Claims | None, list[LeftOut]]:
    """All studies in the folder `reports`, the page of the claims if there is one, and what had to be left out.

    A folder that holds nothing of a study is passed over.

    Raises:
        UserError: there is no such folder, or it cannot be read.
    """
    try:
        folders = sorted(path for path in reports.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError as error:
        raise UserError(f"{reports}: cannot be read ({error.strerror}), allowed: a folder of reports") from error
    judged, claims, left_out = [], None, []
    for folder in folders:
        try:
            if folder.name == CLAIMS and (folder / "claims.csv").is_file():
                claims = _claims(folder / "claims.csv")
            elif (folder / "verdicts.json").is_file():
                judged.append(_judged(folder))
            elif any((folder / "data").glob("*.parquet")):
                left_out.append(LeftOut(folder.name, "not judged yet"))
        except (UserError, OSError, ValueError, KeyError, csv.Error) as error:
            left_out.append(LeftOut(folder.name, _reason(error, folder)))
    return judged, claims, left_out


def _judged(folder: Path) -> Judged:
    path, data = folder / "verdicts.json", folder / "data"
    newest = _newest(data / NEWEST)
    collected = (data / "trials.parquet").exists()
    return Judged(
        folder=folder.name,
        verdicts=_head(path),
        date=newest or _changed(path),
        by_verdicts=newest is None,
        whole=not collected or any(data.glob("collected-*.json")),
        has_page=(folder / "index.html").is_file(),
    )


def _head(path: Path) -> dict[str, Any]:
    """The part of `verdicts.json` before its tables; everything but the tables, if they are not in one line.

    Raises:
        UserError: the file cannot be read, was cut off, or is something else.
    """
    with tables.reading(path, "readable"), path.open("rb") as file:
        lines: list[bytes] = []
        for line in file:
            if line.startswith(_TABLES):
                break
            lines.append(line)
        text = b"".join(lines).rstrip()
        if text.endswith(b","):  # the tables follow
            text = text[:-1] + b"}"
            file.seek(max(0, path.stat().st_size - 8))
            if not file.read().rstrip().endswith(b"\n}"):
                raise ValueError("cut off")
        head = tables.json_object(text.decode("utf-8"))
        if odd := [key for key, kind in _WANTED.items() if not isinstance(head.get(key), kind)]:
            raise ValueError(f"without {', '.join(odd)}")
        return {key: value for key, value in head.items() if key != "tables"}


def _claims(path: Path) -> Claims:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{"conclusion": row["conclusion"], "study": row["study"]} for row in csv.DictReader(file)]
    if not rows:
        raise ValueError("claims.csv has no rows")
    return Claims(rows, _changed(path))


def _newest(path: Path) -> datetime | None:
    """What `note_newest` wrote; nothing where the file is absent or another's."""
    try:
        at = datetime.fromisoformat(str(tables.read_json(path)["newest"]))
    except (UserError, KeyError, ValueError):
        return None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _reason(error: Exception, folder: Path) -> str:
    """Why a folder is left out, without the folder, which is named beside it."""
    said = str(error).partition("; delete it")[0].removeprefix(f"{folder}/").replace(": not", " is not", 1)
    return f"without a column {said}" if isinstance(error, KeyError) else said
