"""Every number of a report that has a definition, recomputed by other code from synthetic stores of many kinds."""

import math

import pandas as pd
import pytest
import recomputed
import recomputed_beside
import recomputed_rows
import recomputed_together
import recomputed_tuned
import synthetic
from audited import KINDS


def differing(name, expected, table, keys=()):
    """Compare rows with a table; what differs, and how many numbers were compared."""
    found = table.to_dict("records")
    assert len(found) == len(expected), (name, len(found), len(expected))
    wrong, compared = [], 0
    for row, should in zip(found, expected, strict=True):
        for column, value in should.items():
            compared += 1
            if not _same(row[column], value):
                wrong.append(f"{name}.{column}: {row[column]!r}, should be {value!r} ({[row.get(k) for k in keys]})")
    return wrong, compared


def _same(found, expected):
    if isinstance(expected, recomputed.Within):
        if math.isnan(expected.low):
            return pd.isna(found)
        return (
            expected.low - 1e-6 * abs(expected.low) - 1e-9 <= found <= expected.high + 1e-6 * abs(expected.high) + 1e-9
        )
    if expected is None or (isinstance(expected, float) and math.isnan(expected)):
        return pd.isna(found)
    if isinstance(expected, str | bool):
        return found == expected
    return not pd.isna(found) and found == pytest.approx(expected, rel=1e-6, abs=1e-9)


def audit(study, frames, tables):
    """What differs in the tables of a report, and how many numbers were compared."""
    arms = recomputed.arms(study, frames)
    options = study.report
    contrasts = [
        recomputed.contrast(
            {**context, "baseline": base, "treatment": treated},
            arms[settings[base].address],
            arms[settings[treated].address],
            options.outcome,
            options.window,
        )
        for context, settings in study.contexts()
        for base, treated in study.comparisons
        if {base, treated} <= {*settings}
    ]
    contexts = recomputed_rows.contexts(study, contrasts)
    verdicts = {id(c): row["verdict"] for c, row in zip(contrasts, contexts, strict=True)}
    reported = tables["outcomes"].to_dict("records")
    expected = {
        "contexts": contexts,
        "pairs": recomputed_rows.pairs(study, contrasts),
        "outcomes": [row for c in contrasts for row in recomputed_beside.outcomes(study, c, reported)],
        "absolute": [recomputed_beside.absolute(study, c) for c in contrasts],
        "convergence": [
            recomputed_beside.convergence(study, arms[settings[label].address])
            for _, settings in study.contexts()
            for label in study.arms
            if label in settings
        ],
        "interactions": recomputed_together.interactions(study, contrasts, verdicts),
        "aggregate": recomputed_together.aggregate(study, contrasts, verdicts),
        **dict(zip(("ranks", "all_pairs"), recomputed_together.ranks(study, arms), strict=True)),
        "differences": recomputed_tuned.differences(study, contrasts, verdicts, tables["differences"]),
    }
    if study.config["tune"]:
        found = recomputed_tuned.tuned(study, arms)
        rows = recomputed_rows.contexts(study, [c for c, _ in found])
        expected["tuned"] = [row | recomputed_tuned.agreeing(each) for row, each in zip(rows, found, strict=True)]
        expected["rates"] = recomputed_tuned.rates(study, found)
    wrong, compared = [], 0
    for name, rows in expected.items():
        more, count = differing(
            name, rows, tables[name], ("batch_size", "optimizer", "baseline", "treatment", "outcome")
        )
        wrong, compared = wrong + more, compared + count
    p_bh = recomputed_beside.adjusted(tables["outcomes"])
    wrong += [f"p_bh {i}" for i in p_bh.index if not _same(tables["outcomes"]["p_bh"][i], p_bh[i])]
    return wrong, compared + len(p_bh)


FEWEST = 100
"""Numbers that every kind compares at least."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_what_other_code_makes_of_the_definitions(kind, tmp_path):
    study, frames = KINDS[kind]()
    tables, _ = synthetic.compared(tmp_path, study, frames, splits=0)
    wrong, compared = audit(study, frames, tables)
    assert not wrong, "\n".join(wrong[:20])
    assert compared > FEWEST
