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

from bnbench import __version__
from bnbench.errors import UserError
from bnbench.figures.colours import GRID, INK, PAPER
from bnbench.page import rows, spoken, tables
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.vocabulary import PACKAGE
from bnbench.wording import (
    absolute,
    alt_texts,
    captions,
    contents,
    convergence,
    data,
    explored,
    methods,
    own_columns,
    own_methods,
    own_pairs,
    own_results,
    randomness,
    resolution,
    templating,
    titles,
    variance,
    words,
)

CAPTIONS = PACKAGE / "captions"
"""A text for each figure, which Snakemake's report renders too."""

EMBEDDED = 2**20
"""Bytes of a table that the page holds itself, at most."""

SCRIPTS = ("tables", "filters", "print")
"""The page's scripts, which become one."""

_DARK = f"""<style>@media (prefers-color-scheme: dark) {{
[style*="fill: {INK}"] {{ fill: #e8e6e3 !important }} [style*="stroke: {INK}"] {{ stroke: #e8e6e3 !important }}
[style*="fill: {GRID}"] {{ fill: #3a3a3a !important }} [style*="stroke: {GRID}"] {{ stroke: #3a3a3a !important }}
[style*="fill: {PAPER}"] {{ fill: #17181a !important }} [style*="stroke: {PAPER}"] {{ stroke: #17181a !important }}
}}</style>"""
"""What a figure says of itself where the reader prefers dark pages."""


def render(
    study: Study,
    out: Path,
    verdicts: Mapping[str, Any],
    found: Mapping[str, pd.DataFrame],
    embedded: int = EMBEDDED,
) -> dict[str, str]:
    """The texts of `index.html` and `landing.rst`, by name.

    Args:
        study: the study.
        out: its folder, where the figures and the tables lie.
        verdicts: what `verdicts.json` holds.
        found: its tables, by name.
        embedded: bytes of a table that the page holds itself, at most; a larger one lies beside it.

    Raises:
        UserError: a figure is absent.
    """
    environment = templating.environment("page")
    script = "\n".join(templating.source("page", f"scripts/{name}.js") for name in SCRIPTS)
    facts = {
        "study": study,
        "own": isinstance(study, OwnStudy),
        "heading": titles.heading(study),
        "options": study.report,
        "arms": [titles.arm(study, arm) for arm in study.arms],
        "base": captions.base(study),
        "treated": captions.treated(study),
        "rows_alone": variance.rows_alone(study),
        "varied_sources": variance.levels(study),
        "said": _said(study, found["contexts"]),
        "summary": captions.summary(study),
        "equal": titles.equal(study) if study.tuned_arms == study.arms else "",
        "verdicts": verdicts,
        "version": __version__,
    }
    page = environment.get_template("own_report.html" if isinstance(study, OwnStudy) else "report.html").render(
        **facts,
        **(_of_runs(study, found) if isinstance(study, OwnStudy) else _of_trials(study)),
        **_tables(study, verdicts, found),
        **_figures(study, out, verdicts, found),
        downloads=_downloads(study, out, embedded),
        script=script,
        style=templating.source("page", "page.css"),
        script_hash=_sha256(script),
        last=tables.last(study),
        levels=captions.levels(study),
        limits=methods.limits(found["contexts"]),
    )
    return {"index.html": page, "landing.rst": environment.get_template("landing.rst").render(**facts)}


def _of_trials(study: Study) -> dict[str, Any]:
    """What the page says of trials that are trained here."""
    return {
        "random": randomness.fixed(study),
        "randomization": methods.randomization(study, len(study.seeds)),
        "same_data": randomness.same(study),
        "too_small": f"a loss that {study.config['dtype']} cannot tell from 0",
        "data": data.sentences(study),
        "data_warnings": data.warnings(study),
        "bibtex": methods.BIBTEX,
        "config": _yaml(json.loads(study.to_json())),
    }


def _of_runs(study: OwnStudy, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What the page says of runs that were trained elsewhere."""
    return {
        "pairing": own_results.pairing(study, found["contexts"].to_dict("records")),
        "pairs_made": own_pairs.made(study),
        "estimand": own_methods.estimand(study),
        "randomization": own_methods.randomization(study, found),
        "too_small": resolution.briefly(study),
        "exclusions_said": own_methods.excluded(found["exclusions"]),
        "source": own_results.source(study),
        "data": own_results.reading(study),
        "bibtex": own_methods.BIBTEX,
        "config": _yaml(own_methods.config(study)),
    }


def _yaml(config: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def _said(study: Study, contexts: pd.DataFrame) -> dict[str, str]:
    """What captions say of the study; what is simultaneous or adjusted is so for the comparisons that have pairs."""
    family = captions.together(int(contexts["family"].max()))
    alone = " for the one context that has one" if family and contexts["limits"].eq("Student").any() else ""
    return {**captions.facts(study), "together": alone or family, "adjusted": family}


def _tables(study: Study, verdicts: Mapping[str, Any], found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The tables that the page shows; None for those that have nothing to show."""
    contexts = found["contexts"]
    mixed = contexts[contexts["mixed"].notna()].to_dict("records")
    columns = dict.fromkeys(name for table in contents.tables(study) for name in found[table].columns)
    return {
        "claims": tables.claims(verdicts["claims"]),
        "tuned": tables.tuned(study, found["tuned"], found["rates"]),
        "decided": tables.verdicts(study, contexts),
        "absolute": tables.absolute(study, found["absolute"]),
        "absolute_note": absolute.note(study, found["absolute"]),
        "convergence_note": convergence.method(study),
        "outcomes": _outcomes(study, found["outcomes"]),
        "explored": explored.introduction(study),
        "explored_terms": explored.terms(study, found["outcomes"]),
        "more": tables.more(study, contexts),
        "all_pairs": tables.all_pairs(study, found["all_pairs"]),
        "sources": tables.sources(study, found["variance"]),
        "divergence": tables.divergence(study, contexts),
        "filters": _filters(study),
        "mixed": [(titles.context_name(study, row), row["mixed"]) for row in mixed],
        "exclusions": _exclusions(study, found["exclusions"]),
        **spoken.facts(study, verdicts, found, _missing(study, found["exclusions"])),
        "provenance": tables.listing(study, found["provenance"], "What each setting's numbers come from"),
        "columns": {name: own_columns.described(study, name) for name in columns},
    }


def _outcomes(study: Study, table: pd.DataFrame) -> tables.Table | None:
    """The effect on every outcome; nothing where runs were measured by one alone, which stands above."""
    alone = not study.trained_here and table["outcome"].nunique() < 2
    return None if alone else tables.outcomes(study, table)


def _filters(study: Study) -> list[tuple[str, str, dict[str, str]]]:
    """What rows can be filtered by: the factor, what it is called, and its levels with their titles."""
    return [
        (factor, factor, dict(zip(labels, labels, strict=True)))
        if factor not in study.levels
        else (factor, captions.noun(factor), {label: study.level(factor, label).title for label in labels})
        for factor, labels in rows.levels(study).items()
    ]


def _exclusions(study: Study, table: pd.DataFrame) -> tables.Table:
    named = words.of(study)
    label = f"{named.runs.capitalize()} left out{' of the pairs' if study.paired else ''}, or diverged"
    return tables.listing(study, table.rename(columns={"epoch": named.epoch}), label)


def _missing(study: Study, exclusions: pd.DataFrame) -> str:
    """How much of the study has not been trained; nothing of a whole one."""
    if isinstance(study, OwnStudy):
        return " ".join(filter(None, [own_methods.partners(exclusions), own_results.unequal(study)]))
    missing, asked = int(exclusions["reason"].eq("missing").sum()), len(study.settings) * len(study.seeds)
    be = "is" if missing == 1 else "are"
    return f"A partial study: {missing:,} of {asked:,} trials {be} missing." if missing else ""


def _figures(study: Study, out: Path, verdicts: Mapping[str, Any], found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The figures with their captions and words."""
    caption = {"snakemake": {"params": {"said": _said(study, found["contexts"])}}}
    figures = {
        name: {
            "title": title,
            "alt": alt_texts.text(study, name, verdicts, found[contents.SOURCES[name]]),
            "caption": templating.rendered((CAPTIONS / f"{name}.rst").read_text(encoding="utf-8"), **caption),
            "image": _image(out, name),
        }
        for name, title in contents.figures(study).items()
    }
    return {"figures": figures}


def _downloads(study: Study, out: Path, embedded: int) -> list[tuple[str, str, str]]:
    """The tables to take away: name, description and address."""
    return [(name, holds, _download(out, name, embedded)) for name, holds in contents.tables(study).items()]


def _image(out: Path, name: str) -> str:
    """A figure as a data address, at home on light and dark pages."""
    path = out / "figures" / f"{name}.svg"
    try:
        drawn = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); run the workflow to make it") from error
    return _address("image/svg+xml", drawn.replace("<defs>", f"<defs>{_DARK}", 1).encode())


def _download(out: Path, name: str, embedded: int) -> str:
    """A table as a data address, or as the file beside the page where it is large."""
    content = (out / "tables" / f"{name}.csv").read_bytes()
    return _address("text/csv", content) if len(content) <= embedded else f"tables/{name}.csv"


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _sha256(script: str) -> str:
    """How the page's security policy names the one script that may run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
