"""The page: one self-contained HTML file from the tables, the verdicts and the figures, through an escaping template.

What comes in lies in the study's folder, what goes out is `index.html` there. It computes nothing; it says in words and
cells what `compare` found. The same inputs give the same bytes.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from bnbench import __version__, contents, sentences, tables
from bnbench.drawing import GRID, INK, PAPER
from bnbench.errors import UserError
from bnbench.figures import FIGURES
from bnbench.study import Study

Row = Mapping[Any, Any]

_DARK = f"""<style>@media (prefers-color-scheme: dark) {{
[style*="fill: {INK}"] {{ fill: #e8e6e3 !important }} [style*="stroke: {INK}"] {{ stroke: #e8e6e3 !important }}
[style*="fill: {GRID}"] {{ fill: #3a3a3a !important }} [style*="stroke: {GRID}"] {{ stroke: #3a3a3a !important }}
[style*="fill: {PAPER}"] {{ fill: #17181a !important }} [style*="stroke: {PAPER}"] {{ stroke: #17181a !important }}
}}</style>"""
"""What a figure says of itself where the reader prefers dark pages."""


def run(study: Study, out: Path) -> None:
    """Write `out/index.html`.

    Raises:
        UserError: a table, a figure or `verdicts.json` is absent or corrupt, or the page cannot be written.
    """
    verdicts = tables.read_json(out / "verdicts.json")
    found = {name: tables.read_csv(out / "tables" / f"{name}.csv") for name in contents.TABLES}
    rows = found["contexts"].to_dict("records")
    factor = study.report.factor
    page = _template().render(
        study=study,
        options=study.report,
        arms=[sentences.arm(factor, arm) for arm in study.arms],
        loss=sentences.outcome(study.report.outcome),
        level=sentences.percent(1 - study.report.alpha),
        window=f"over the last {sentences.percent(study.report.window)} of the measured epochs"
        if study.report.window
        else "at the last epoch",
        verdicts=verdicts,
        rows=[_cells(study, row) for row in rows],
        diverged=any(row["test"] != "mean" for row in rows),
        mixed=[(sentences.context_name(study, row), row["mixed"]) for row in rows if isinstance(row["mixed"], str)],
        exclusions=_records(found["exclusions"]),
        provenance=_records(found["provenance"]),
        figures={
            name: {"title": title, "alt": _alternative(name, verdicts), "image": _image(out, name)}
            for name, title in contents.figures(study).items()
        },
        downloads=[(name, holds, _download(out, name)) for name, holds in contents.TABLES.items()],
        config=yaml.safe_dump(json.loads(study.to_json()), sort_keys=False, allow_unicode=True),
        version=__version__,
    )
    tables.write_text(out / "index.html", page)


def _cells(study: Study, row: Row) -> dict[str, str]:
    """A row of `contexts`, as it is shown."""
    small = ", but within the margin" if row["within_margin"] and row["verdict"] in ("helps", "hurts") else ""
    return {
        "name": sentences.contrast_name(study, row),
        "verdict": f"{row['verdict']}{small}",
        "class": str(row["verdict"]).replace(" ", "-"),
        "pairs": f"{row['finite_pairs']} of {row['pairs']}" if row["test"] != "mean" else str(row["pairs"]),
        "baseline": _loss(row["baseline_loss"]),
        "treatment": _loss(row["treatment_loss"]),
        "ratio": _ratio(row, "ratio"),
        "last": _ratio(row, "ratio_last"),
        "p": _p(row["p"]),
        "p_holm": _p(row["p_holm"]),
        "dz": _shown(row["hedges_dz"], "{:.2f}".format),
        "wins": _interval(row, ("win_rate", "win_low", "win_high"), lambda share: f"{100 * share:.0f} %"),
        "correlation": _shown(row["correlation"], "{:.2f}".format),
        "variance_ratio": _shown(row["variance_ratio"], "{:.2f}".format),
        "diverged": f"{row['diverged_baseline']} / {row['diverged_treatment']}",
        "mcnemar": _p(row["p_mcnemar"]),
        "needed": _shown(row["seeds_needed"], lambda n: "> 1,000,000" if math.isinf(n) else f"{n:,.0f}"),
        "floored": str(row["floored"]),
    }


def _shown(value: float, form: Any) -> str:
    """A number in the given form; a dash where there is none."""
    return "–" if math.isnan(value) else str(form(value))


def _p(value: float) -> str:
    return _shown(value, sentences.p_value).removeprefix("p = ").removeprefix("p ")


def _loss(value: float) -> str:
    return _shown(value, "{:.2e}".format)


def _interval(row: Row, names: Sequence[str], form: Any) -> str:
    value, low, high = (row[name] for name in names)
    return _shown(value, form) if math.isnan(low) else f"{form(value)} ({form(low)} to {form(high)})"


def _ratio(row: Row, name: str) -> str:
    return _interval(row, (name, f"{name}_low", f"{name}_high"), sentences.number)


def _records(table: pd.DataFrame) -> dict[str, Any]:
    """A table as text."""
    rows = table.astype(object).where(table.notna(), "").to_numpy().tolist()
    rows = [[f"{value:.1f}" if isinstance(value, float) else str(value) for value in row] for row in rows]
    return {"columns": list(table.columns), "rows": rows}


def _alternative(name: str, verdicts: Mapping[str, Any]) -> str:
    """What a figure shows, for who cannot see it."""
    source = FIGURES[name][1]
    said = " ".join(verdicts["sentences"]) if source == "contexts" else ""
    return f"{said} The numbers are in {source}.csv.".strip()


def _image(out: Path, name: str) -> str:
    """A figure as a data address, at home on light and dark pages."""
    path = out / "figures" / f"{name}.svg"
    try:
        drawn = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run the workflow to make it") from error
    return _address("image/svg+xml", drawn.replace("<defs>", f"<defs>{_DARK}", 1).encode())


def _download(out: Path, name: str) -> str:
    return _address("text/csv", (out / "tables" / f"{name}.csv").read_bytes())


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("bnbench"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html")
