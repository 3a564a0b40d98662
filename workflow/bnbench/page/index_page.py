"""The index: a row for every study in a folder of reports, the one with the newest data first.

What comes in is that folder, what goes out is its `index.html`. All studies share this page, so no rule has it as an
output: whatever has written a report renews it, under a lock, from all that is there.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bnbench import __version__, regular
from bnbench.errors import UserError
from bnbench.page.addresses import sha256
from bnbench.store import files, studies
from bnbench.wording import studies as words
from bnbench.wording import templating

_OURS = "<!-- bnbench: the index of all studies -->"
"""A page without this line is somebody else's, and stays."""


def run(reports: Path) -> str:
    """Write `index.html` in the folder `reports`; returns its path, and what it holds in a line.

    Raises:
        UserError: there is no such folder, or the page in it is not ours or cannot be written.
    """
    page = reports / "index.html"
    with files.alone(reports):
        if page.exists() and not _is_ours(page):
            raise UserError(f"{page}: no index that bnbench has written; move it away to have one")
        judged, claims, left_out = studies.found(reports)
        files.write_text(page, _rendered(judged, claims, left_out))
    told = [f"{_shown(each.folder)} ({_shown(each.reason)})" for each in left_out]
    return f"{page}\n{words.counted(len(judged))}{'; left out: ' if told else ''}{', '.join(told)}"


def renew(reports: Path) -> str:
    """The same after a report was written, which an index that fails does not undo; returns a warning, if any."""
    try:
        run(reports)
    except UserError as error:
        return f"warning: {error}"
    return ""


def _rendered(judged: list[studies.Judged], claims: studies.Claims | None, left_out: list[studies.LeftOut]) -> str:
    rows = [_row(study) for study in judged]
    if claims:
        rows.append(_row_of_claims(claims, judged))
    rows.sort(key=lambda row: row["name"])
    rows.sort(key=lambda row: row["date"], reverse=True)
    script = templating.source("page", "scripts/studies.js")
    return (
        templating.environment("page")
        .get_template("studies.html")
        .render(
            ours=_OURS,
            counted=words.counted(len(judged)),
            rows=rows,
            by_verdicts=any(row["by_verdicts"] for row in rows),
            left_out=[(_shown(each.folder), _shown(each.reason)) for each in left_out],
            script=script,
            script_hash=sha256(script),
            style=templating.source("page", "page.css") + templating.source("page", "studies.css"),
            version=__version__,
        )
    )


def _row(study: studies.Judged) -> dict[str, Any]:
    return {
        "name": _shown(study.folder),
        "link": _address(study.folder) if study.has_page else "",
        "note": "" if study.whole else "not complete",
        "question": _shown(words.question(study.verdicts)),
        "answer": _shown(words.answer(study.verdicts)),
        "date": study.date,
        "by_verdicts": study.by_verdicts,
    }


def _row_of_claims(claims: studies.Claims, judged: list[studies.Judged]) -> dict[str, Any]:
    """The claims are as new as the newest of the studies that they were put to the test by."""
    tested = {row["study"] for row in claims.rows}
    dates: list[datetime] = [study.date for study in judged if study.folder in tested]
    question, answer = words.of_claims(claims.rows)
    return {
        "name": studies.CLAIMS,
        "link": _address(studies.CLAIMS),
        "note": "",
        "question": question,
        "answer": answer,
        "date": max(dates, default=claims.date),
        "by_verdicts": False,
    }


def _address(folder: str) -> str:
    return f"{quote(os.fsencode(folder))}/index.html"


def _shown(text: str) -> str:
    """A text, or a name that may be no text at all, as it can be written in UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_ours(page: Path) -> bool:
    try:
        regular.require(page)
        return _OURS in page.read_text(encoding="utf-8")
    except (OSError, ValueError, UserError):
        return False
