"""Losses that are too small to be told from 0, in words."""

from __future__ import annotations

from bnbench.plan.study import Study
from bnbench.wording import titles
from bnbench.wording.titles import Row


def is_known(study: Study) -> bool:
    """Whether it is known from which size on a loss can be told from 0; of results of others, it is not."""
    return study.trained_here


def too_small(study: Study, row: Row) -> str:
    """A loss that is too small: `a loss below 1.2e-09, which float32 cannot tell from 0`, or `a val loss of 0`."""
    if not is_known(study):
        return briefly(study)
    return f"a loss below {row['resolution']:.1e}, which {study.config['dtype']} cannot tell from 0"


def beside(study: Study) -> str:
    """What pairs are of which a loss is too small: `too small to measure`, or `with a 0`."""
    return "too small to measure" if is_known(study) else "with a 0"


def briefly(study: Study) -> str:
    """The same where there is no room for numbers: `a loss too small to measure`, or `a val loss of 0`."""
    if not is_known(study):
        return f"a{'n' if titles.outcome(study, study.outcome.name)[:1].lower() in 'aeiou' else ''} " + (
            f"{titles.outcome(study, study.outcome.name)} of 0"
        )
    return "a loss too small to measure"
