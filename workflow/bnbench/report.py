"""Render the page of a study: one self-contained file, and the text on which Snakemake's report opens.

What comes in lies in the study's folder: tables, figures and `verdicts.json`. The same inputs give the same bytes.
"""

from pathlib import Path

from bnbench.page import study_page
from bnbench.plan.study import Study
from bnbench.store import files, report_tables, tables
from bnbench.store.schemas import TABLES


def run(study: Study, out: Path, embedded: int = study_page.EMBEDDED) -> None:
    """Write `out/index.html` and `out/landing.rst`.

    Args:
        study: the study.
        out: its folder.
        embedded: bytes of a table that the page holds itself, at most.

    Raises:
        UserError: a table, a figure or `verdicts.json` is absent or corrupt, or a file cannot be written.
    """
    verdicts = tables.read_json(out / "verdicts.json")
    found = {name: report_tables.read(out, name) for name in TABLES}
    for name, text in study_page.render(study, out, verdicts, found, embedded).items():
        files.write_text(out / name, text)
