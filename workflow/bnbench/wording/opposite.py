"""Where a study is judged in training mode, and evaluation mode or the test points do not bear that out, in words."""

from __future__ import annotations

import pandas as pd

from bnbench.plan.study import Study
from bnbench.wording import formats, titles

_JUDGED = "train_loss"

_OTHERS = ("eval_loss", "test_loss")
"""What networks are judged by in use: in evaluation mode, on the training points and on the test points."""


def note(study: Study, contexts: pd.DataFrame, outcomes: pd.DataFrame) -> str:
    """A sentence on the exploratory rows that oppose the verdicts, or do not bear them out; empty where they agree."""
    if study.report.outcome != _JUDGED or not study.keeps_statistics:
        return ""
    held = [name for name in contexts if name in (*study.factors, "baseline", "treatment")]
    judged = contexts[contexts["verdict"].isin(["helps", "hurts"])]
    rows = outcomes.merge(judged[[*held, "verdict"]], on=held)
    worse = rows["direction"] > 0  # of losses, which are better where they are lower
    marked, alike = rows["marked"].astype(bool), worse == rows["verdict"].eq("hurts")
    against, undecided = [], []
    for name in _OTHERS:
        own = rows["outcome"].eq(name)
        if some := int((own & marked & ~alike).sum()):
            noun = "context" if len(study.comparisons) == 1 else "comparison"
            where = f" in {formats.share_of(some, len(contexts), noun)}" if len(contexts) > 1 else ""
            against.append(f"by the {titles.outcome(study, name)}{where}")
        elif own.any() and not (own & marked).any():
            undecided.append(f"the {titles.outcome(study, name)}")
    said = [f"The opposite holds {' and '.join(against)} (exploratory)."] if against else []
    if len(undecided) > 1:
        said.append(f"Neither {' nor '.join(undecided)} shows a decided difference (exploratory).")
    elif undecided:
        said.append(f"{formats.beginning(undecided[0])} shows no decided difference (exploratory).")
    return " ".join(["This is judged in training mode.", *said]) if said else ""
