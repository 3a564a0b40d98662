"""The page: one self-contained HTML file from the tables, the verdicts and the figures, through an escaping template.

What comes in lies in the study's folder, what goes out is `index.html` there, and the text on which Snakemake's report
opens. It computes nothing; it says in words and cells what `compare` found. The same inputs give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from bnbench import __version__
from bnbench.page import (
    addresses,
    claim_tables,
    explore,
    figures_shown,
    page_style,
    references,
    rows,
    sections,
    spoken,
    tables,
)
from bnbench.page.table import Table
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.portable import portable
from bnbench.plan.study import Study
from bnbench.wording import (
    absolute,
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

EMBEDDED = 3 * 2**18
"""Bytes of tables that the page holds itself, at most, all together."""

_EXPLORE = ("numbers", "axes", "marks", "forest", "curves", "pairs", "controls")

SCRIPTS = (
    *("tables", "meanings", "contents", "copy", "print", "explore_state", "filters"),
    *(f"explore_{part}" for part in _EXPLORE),
)
"""The page's scripts, which become one; each uses what those before it say."""


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
        embedded: bytes of tables that the page holds itself, at most; the largest lie beside it.

    Raises:
        UserError: a figure is absent.
    """
    environment, said = templating.environment("page"), _said(study, found["contexts"])
    script = "\n".join(templating.source("page", f"scripts/{name}.js") for name in SCRIPTS)
    facts: dict[str, Any] = {
        "study": study,
        "own": isinstance(study, OwnStudy),
        "heading": titles.heading(study),
        "options": study.report,
        "several_arms": len(study.comparisons) > 1,
        "arms": [titles.arm(study, arm) for arm in study.arms],
        "base": captions.base(study),
        "treated": captions.treated(study),
        "rows_alone": variance.rows_alone(study),
        "varied_sources": variance.levels(study),
        "said": said,
        "summary": captions.summary(study),
        "equal": titles.equal(study) if study.tuned_arms == study.arms else "",
        "verdicts": verdicts,
        "version": __version__,
    }
    facts |= _of_runs(study, found) if isinstance(study, OwnStudy) else _of_trials(study)
    facts |= _tables(study, verdicts, found, said, facts["too_small"])
    facts |= {"figures": figures_shown.figures(study, out, verdicts, found, said)}
    facts |= {"grid_first": "heatmap" in facts["figures"] and len(found["contexts"]) > figures_shown.MANY}
    page = environment.get_template("report.html").render(
        **facts,
        **_explored(study, found),
        sections=sections.of(study, facts),
        downloads=_downloads(study, out, embedded),
        script=script,
        style=page_style.text() + templating.source("page", "explore.css"),
        script_hash=addresses.sha256(script),
        levels=captions.levels(study),
        limits=methods.limits(found["contexts"]),
    )
    listed = environment.get_template("references.html").render(references=references.cited(page))
    page = page.replace("<!-- references -->", listed)
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
        "config": _yaml(portable(json.loads(study.to_json()))),
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
        "config": _yaml(portable(own_methods.config(study))),
    }


def _yaml(config: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True)


def _said(study: Study, contexts: pd.DataFrame) -> dict[str, str]:
    """What captions say of the study; what is simultaneous or adjusted is so for the comparisons that have pairs."""
    family = captions.together(int(contexts["family"].max()))
    alone = " for the one context that has one" if family and contexts["limits"].eq("Student").any() else ""
    return {**captions.facts(study), "together": alone or family, "adjusted": family}


def _tables(
    study: Study,
    verdicts: Mapping[str, Any],
    found: Mapping[str, pd.DataFrame],
    said: Mapping[str, str],
    too_small: str,
) -> dict[str, Any]:
    """The tables that the page shows; None for those that have nothing to show."""
    contexts = found["contexts"]
    mixed = contexts[contexts["mixed"].notna()].to_dict("records")
    columns = dict.fromkeys(name for table in contents.tables(study) for name in found[table].columns)
    return {
        "claims": claim_tables.claims(verdicts["claims"]),
        "tuned": tables.tuned(study, found["tuned"], found["rates"], said),
        "decided": tables.verdicts(study, contexts, said),
        "absolute": tables.absolute(study, found["absolute"]),
        "absolute_note": absolute.note(study, found["absolute"]),
        "convergence_note": convergence.method(study),
        "outcomes": _outcomes(study, found["outcomes"]),
        "explored": explored.introduction(study),
        "more": tables.more(study, contexts, said, too_small),
        "all_pairs": tables.all_pairs(study, found["all_pairs"], said),
        "sources": tables.sources(study, found["variance"]),
        "divergence": tables.divergence(study, contexts),
        "filters": _filters(study),
        "mixed": [(titles.context_name(study, row), row["mixed"]) for row in mixed],
        "exclusions": _exclusions(study, found["exclusions"]),
        "excluded": len(found["exclusions"]),
        **spoken.facts(study, verdicts, found, _missing(study, found["exclusions"])),
        "provenance": tables.listing(study, found["provenance"], "What each setting's numbers come from", "provenance"),
        "columns": {name: own_columns.described(study, name) for name in columns},
    }


def _explored(study: Study, found: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """What the interactive figures draw, for the controls and for the scripts."""
    facts = explore.facts(study, found)
    return {"explore": facts, "explore_block": explore.block(facts)}


def _outcomes(study: Study, table: pd.DataFrame) -> Table | None:
    """The effect on every outcome; nothing where runs were measured by one alone, which the verdicts show already."""
    alone = not study.trained_here and table["outcome"].nunique() < 2
    return None if alone else tables.outcomes(study, table, explored.terms(study, table))


def _filters(study: Study) -> list[tuple[str, str, dict[str, str]]]:
    """What rows can be filtered by: the factor, what it is called, and its levels with their titles."""
    return [
        (factor, factor, dict(zip(labels, labels, strict=True)))
        if factor not in study.levels
        else (factor, captions.noun(factor), {label: study.level(factor, label).title for label in labels})
        for factor, labels in rows.levels(study).items()
    ]


def _exclusions(study: Study, table: pd.DataFrame) -> Table:
    named = words.of(study)
    label = f"{named.runs.capitalize()} left out{' of the pairs' if study.paired else ''}, or diverged"
    return tables.listing(study, table.rename(columns={"epoch": named.epoch}), label, "exclusions")


def _missing(study: Study, exclusions: pd.DataFrame) -> str:
    """How much of the study has not been trained; nothing of a whole one."""
    if isinstance(study, OwnStudy):
        return " ".join(filter(None, [own_methods.partners(exclusions), own_results.unequal(study)]))
    missing, asked = int(exclusions["reason"].eq("missing").sum()), len(study.settings) * len(study.seeds)
    be = "is" if missing == 1 else "are"
    return f"A partial study: {missing:,} of {asked:,} trials {be} missing." if missing else ""


def _downloads(study: Study, out: Path, embedded: int) -> list[tuple[str, str, str]]:
    """The tables to take away: name, description and address."""
    held = contents.tables(study)
    found = addresses.tables(out, held, embedded)
    return [(name, holds, found[name]) for name, holds in held.items()]
