"""What a study has fixed when its training begins: all that decides its verdicts. Pure.

It is not part of any address: a change trains nothing. It is recorded (`store.preregistration`) so that it can be seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bnbench.plan.settings import canonical_json
from bnbench.plan.study import Study

STUDY = "study"
"""Names the study whose plan it is; decides nothing."""

OF_THE_WHOLE = ("settings", "claims")
"""Parts that concern the whole study, so that two studies which share a setting differ in them."""

_TOLD = ("source", "paper", "here", "to")
"""Keys of a claim that are words alone."""

_NOT_DECIDING = ("target", "judged")
"""Options of the report by which exploratory outcomes alone are made, and what the name of the outcome says already."""


def plan_of(study: Study) -> dict[str, Any]:
    """The study's plan, JSON-able: its name, the report options that decide, seeds, settings and claims."""
    options = {name: value for name, value in asdict(study.report).items() if name not in _NOT_DECIDING}
    addresses = sorted(setting.address for setting in study.settings)
    claims = [_of_claim(claim) for claim in study.config["claims"]]
    plan = {
        STUDY: study.name,
        **options,
        "seeds": {"first": study.seeds.start, "count": len(study.seeds)},
        "settings": {"count": len(addresses), "digest": digest(addresses)},
        "claims": claims,
    }
    stored: dict[str, Any] = json.loads(json.dumps(plan, allow_nan=False))  # tuples are lists there, as in a record
    return stored


def _of_claim(claim: Mapping[str, Any]) -> dict[str, Any]:
    """What a claim says; not who says it and what was done there, and the setup only where it is another."""
    left_out = {*_TOLD, *(["setup"] if claim["setup"] == "same" else [])}
    return {key: text for key, text in claim.items() if key not in left_out}


def digest(plan: Any) -> str:
    """Sixteen hex digits over a plan, or over a part of one."""
    return hashlib.sha256(canonical_json(plan).encode()).hexdigest()[:16]
