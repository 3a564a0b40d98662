"""The page: one self-contained HTML file from the tables, the verdicts and the figures, through an escaping template.

What comes in lies in the study's folder, what goes out is `index.html` there, and the text on which Snakemake's report
opens. It computes nothing; it says in words and cells what `compare` found. The same inputs give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bnbench import __version__, alternatives, cells, claims, contents, files, methods, tables, templating, words
from bnbench.colours import GRID, INK, PAPER
from bnbench.errors import UserError
from bnbench.study import Study

CAPTIONS = Path(__file__).parent.parent / "captions"
"""A text for each figure, which Snakemake's report renders too."""

_EMBEDDED = 2**20
"""Bytes of a table that the page holds itself."""

_DARK = f"""<style>@media (prefers-color-scheme: dark) {{
[style*="fill: {INK}"] {{ fill: #e8e6e3 !important }} [style*="stroke: {INK}"] {{ stroke: #e8e6e3 !important }}
[style*="fill: {GRID}"] {{ fill: #3a3a3a !important }} [style*="stroke: {GRID}"] {{ stroke: #3a3a3a !important }}
[style*="fill: {PAPER}"] {{ fill: #17181a !important }} [style*="stroke: {PAPER}"] {{ stroke: #17181a !important }}
}}</style>"""
"""What a figure says of itself where the reader prefers dark pages."""


def run(study: Study, out: Path) -> None:
    """Write `out/index.html` and `out/landing.rst`.

    Raises:
        UserError: a table, a figure or `verdicts.json` is absent or corrupt, or a file cannot be written.
    """
    verdicts = tables.read_json(out / "verdicts.json")
    found = {name: tables.read_csv(out / "tables" / f"{name}.csv") for name in contents.TABLES}
    environment, script = templating.environment(), templating.source("page.js")
    facts = {
        "study": study,
        "options": study.report,
        "arms": [words.arm(study.report.factor, arm) for arm in study.arms],
        "said": words.facts(study),
        "verdicts": verdicts,
        "version": __version__,
    }
    page = environment.get_template("report.html").render(
        **facts,
        **_tables(study, found),
        **_files(study, out, verdicts, found),
        script=script,
        style=templating.source("page.css"),
        script_hash=_sha256(script),
        randomization=methods.randomization(len(study.seeds)),
        bibtex=methods.BIBTEX,
        config=yaml.safe_dump(json.loads(study.to_json()), sort_keys=False, allow_unicode=True),
    )
    files.write_text(out / "index.html", page)
    files.write_text(out / "landing.rst", environment.get_template("landing.rst").render(**facts))


def _tables(study: Study, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The tables that the page shows, and what of them is empty."""
    contexts = found["contexts"]
    mixed = contexts[contexts["mixed"].notna()].to_dict("records")
    names, rows = cells.outcomes(study, found["outcomes"])
    return {
        "rows": cells.contexts(study, contexts),
        "tuned_rows": cells.tuned(study, found["tuned"], found["rates"]),
        "outcome_names": names,
        "outcome_rows": rows,
        "filters": cells.levels(study),
        "diverged": contexts["test"].ne("mean").any(),
        "floored": contexts["floored"].gt(0).any(),
        "mixed": [(words.context_name(study, row), row["mixed"]) for row in mixed],
        "claims": [{**row, "said": claims.said(row)} for row in _records(found["claims"])],
        "exclusions": cells.listing(found["exclusions"]),
        "missing": _missing(study, found["exclusions"]),
        "provenance": cells.listing(found["provenance"]),
        "columns": contents.COLUMNS,
    }


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table of texts, empty where there is none."""
    return table.astype(object).fillna("").to_dict("records")


def _missing(study: Study, exclusions: pd.DataFrame) -> str:
    """How much of the study has not been trained; nothing of a whole one."""
    missing, asked = int(exclusions["reason"].eq("missing").sum()), len(study.settings) * len(study.seeds)
    be = "is" if missing == 1 else "are"
    return f"A partial study: {missing:,} of {asked:,} trials {be} missing." if missing else ""


def _files(study: Study, out: Path, verdicts: Mapping[str, Any], found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The figures with their captions and words, and the tables to take away."""
    caption = {"snakemake": {"params": {"said": words.facts(study)}}}
    figures = {
        name: {
            "title": title,
            "alt": alternatives.text(study, name, verdicts, found[contents.SOURCES[name]]),
            "caption": templating.rendered((CAPTIONS / f"{name}.rst").read_text(encoding="utf-8"), **caption),
            "image": _image(out, name),
        }
        for name, title in contents.figures(study).items()
    }
    downloads = [(name, holds, _download(out, name)) for name, holds in contents.TABLES.items()]
    return {"figures": figures, "downloads": downloads}


def _image(out: Path, name: str) -> str:
    """A figure as a data address, at home on light and dark pages."""
    path = out / "figures" / f"{name}.svg"
    try:
        drawn = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run the workflow to make it") from error
    return _address("image/svg+xml", drawn.replace("<defs>", f"<defs>{_DARK}", 1).encode())


def _download(out: Path, name: str) -> str:
    """A table as a data address, or as the file beside the page where it is large."""
    content = (out / "tables" / f"{name}.csv").read_bytes()
    return _address("text/csv", content) if len(content) <= _EMBEDDED else f"tables/{name}.csv"


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _sha256(script: str) -> str:
    """How the page's security policy names the one script that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
