"""All claims on one page: a row a claim, out of the verdicts of the studies that put them to the test.

What comes in are studies and what `compare` has written of each, what goes out are `index.html`, `claims.csv` and
`claims.md`. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from bnbench import __version__
from bnbench.errors import UserError
from bnbench.page import claim_tables, page_style
from bnbench.plan import portable
from bnbench.plan.study import Study
from bnbench.store import csv_cells, files, stamps
from bnbench.store.tables import read_json
from bnbench.wording import claims, preregistration, templating

FOLDER = "claims"
"""Of the page, under `reports/`."""


def run(studies: Sequence[tuple[Path, Study]], reports: Path) -> Path:
    """Write the page of the claims of `studies`, each with the file that holds it, and give its path.

    Raises:
        UserError: a study has not been compared, or a file cannot be written.
    """
    of_studies = [_of_study(file, study, reports / study.name) for file, study in studies]
    found = [row for rows, _ in of_studies for row in rows]
    out = reports / FOLDER
    page = templating.environment("page").get_template("claims.html")
    elsewhere = [study.name for _, study in studies if not study.trained_here]
    trained = claims.trained_on((row for _, provenance in of_studies for row in provenance), elsewhere)
    facts = {"judged": found, "claims": claim_tables.claims_of_studies(found), "counts": claims.counts(found)}
    facts |= {"trained": trained, "elsewhere": elsewhere}
    files.write_text(out / "index.html", page.render(**facts, version=__version__, style=page_style.text()))
    table = pd.DataFrame([{**row, "measured": "; ".join(row["measured"])} for row in found])
    files.write_text(out / "claims.csv", csv_cells.guarded(table).to_csv(index=False))
    files.write_text(out / "claims.md", _markdown(found))
    return out / "index.html"


Rows = list[dict[str, Any]]


def _of_study(file: Path, study: Study, report: Path) -> tuple[Rows, Rows]:
    """The claims of one study, as its verdicts have them, and the rows of its provenance."""
    verdicts = read_json(report / "verdicts.json")
    if not (report / "data" / stamps.compared(study).name).exists():
        raise UserError(f"{report}: made of another config than {file}; run snakemake --configfile {file} again")
    fixed = verdicts.get("preregistration", {}).get("sentence", preregistration.UNKNOWN)
    judged = [
        {**claim, "study": study.name, "file": portable.path(str(file)), "planned": fixed}
        for claim in verdicts["claims"]
    ]
    stored = verdicts["tables"]["provenance"]
    return judged, [dict(zip(stored["columns"], row, strict=True)) for row in stored["data"]]


_SPELLED_OUT = 4  # rows of a claim whose numbers fit into a cell


def _markdown(found: Sequence[Mapping[str, Any]]) -> str:
    """The same table in Markdown, as docs/claims.md shows it."""
    heads = ("claim", "source", *claim_tables.SETUPS.values(), "study", "seeds", "verdict", "measured")
    lines = [f"| {' | '.join(head.lower() for head in heads)} |", "|---" * len(heads) + "|"]
    for row in found:
        counted = f"{row['supporting']} of {row['rows']} as predicted, {row['contradicting']} decided otherwise"
        numbers = "; ".join(row["measured"]) if row["rows"] <= _SPELLED_OUT else counted
        said = [row["words"], row["source"], *(row[name] for name in claim_tables.SETUPS), row["said"], numbers]
        *told, verdict, numbers = map(templating.markdown, said)
        verdict = verdict.replace(row["conclusion"], f"**{row['conclusion']}**", 1)
        study = f"[{templating.markdown(row['study'])}]({quote(row['file'])})"
        lines.append(f"| {' | '.join([*told, study, str(row['pairs']), verdict, numbers])} |")
    return "\n".join(lines) + "\n"
