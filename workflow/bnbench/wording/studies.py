"""What the index of all studies says of each: what was compared, and the answer. It reads no tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.wording import claims, formats

_LONGEST = 320
"""Letters of an answer that a row shows; versions without a headline have longer ones."""


def question(verdicts: Mapping[str, Any]) -> str:
    """What a study compared, from its `verdicts.json`."""
    if context := verdicts.get("context"):
        return str(context)
    baseline, *others = (str(arm) for arm in verdicts["arms"])
    return f"{formats.listed(others)} against {baseline}, {formats.count(verdicts['seeds'], 'seed')}"


def answer(verdicts: Mapping[str, Any]) -> str:
    """What it found: the headline, or the sentence of a version that had none."""
    said = str(verdicts.get("headline") or verdicts["sentence"])
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST].rpartition(' ')[0].rstrip(',;')} …"


def of_claims(rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """The same of the page of all claims, from the rows of its table."""
    tested = len({row["study"] for row in rows})
    studies = "one study" if tested == 1 else f"{tested} studies"
    return f"{formats.count(len(rows), 'claim')}, put to the test by {studies}", f"{claims.counts(rows)}."


def counted(studies: int) -> str:
    """How many studies there are."""
    return {0: "No study yet", 1: "1 study"}.get(studies, f"{studies:,} studies")
