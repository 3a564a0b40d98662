"""What the name of an outcome says of it: whether lower or higher is better, and how two runs are compared by it."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnbench.outcomes import Outcome, Scale

Better = Literal["lower", "higher"]

_LOWER = (
    *("loss", "nll", "perplexity", "ppl", "elbo_loss", "entropy", "mse", "rmse", "mae", "mape", "error", "err", "cost"),
    *("fid", "wer", "cer", "bpc", "bpb", "regret", "brier", "ece", "divergence", "kl", "time", "seconds", "latency"),
    *("runtime", "duration", "residual", "distance", "misses", "rank"),
)
_HIGHER = (
    *("acc", "accuracy", "score", "reward", "rewards", "return", "returns", "auc", "auroc", "auprc", "f1", "precision"),
    *("recall", "r2", "map", "iou", "miou", "dice", "bleu", "rouge", "psnr", "ssim", "success", "wins", "ndcg", "mrr"),
    *("likelihood", "elbo", "top1", "top5", "correct", "kappa", "mcc", "specificity", "sensitivity", "inception"),
)
"""Words of the field that stand in names of outcomes."""

_SHARES = ("acc", "accuracy", "error", "err", "top1", "top5", "success", "correct", "wer", "cer")
"""Words of outcomes that people read in per cent."""

_DIFFERENCES = ("error", "err", "wer", "cer", "ece", "rank", "regret")
"""Words of outcomes of which lower is better and that are compared by their difference all the same."""

SMALL = 0.05
"""Share of what the baseline comes to that is too small to matter, where no unit says what is."""


class Named(NamedTuple):
    """What a name says."""

    better: Better | None
    """None where it says nothing."""
    share: bool
    """Whether it is a share if its values lie between 0 and 1."""
    difference: bool


def named(name: str) -> Named:
    """What the words of a name say; the last word that says anything counts: `loss_accuracy` is an accuracy."""
    words = re.findall(r"[a-z]+[0-9]*", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    known = [word for word in words if word in _LOWER or word in _HIGHER]
    if not known:
        return Named(None, share=False, difference=False)
    word = known[-1]
    return Named("lower" if word in _LOWER else "higher", share=word in _SHARES, difference=word in _DIFFERENCES)


def outcome(
    name: str, finite: NDArray[np.float64], better: Better | None = None, scale: Scale | None = None
) -> Outcome | None:
    """How runs are compared by an outcome; None where neither the name nor `better` says which side is better.

    Losses that are not negative are compared by their ratio, all else by its difference.

    Args:
        name: of the column.
        finite: its finite values, [values].
        better: said by the user.
        scale: said by the user.
    """
    said = named(name)
    side = better or said.better
    if side is None:
        return None
    share = said.share and len(finite) > 0 and bool((finite >= 0).all() and (finite <= 1).all())
    losses = side == "lower" and not said.difference and not share and bool((finite >= 0).all())
    chosen: Scale = scale or ("ratio" if losses else "difference")
    return Outcome(name, chosen, side == "lower", _margin(said, chosen, share=share, finite=finite), per_cent=share)


def _margin(said: Named, scale: Scale, *, share: bool, finite: NDArray[np.float64]) -> float | None:
    """The margin of ratios, of shares and of numbers between 0 and 1; None where it depends on the unit."""
    if scale == "ratio":
        return 1.05
    if share or (len(finite) and np.abs(finite).max() <= 1):
        return 0.01
    in_points = said.share and len(finite) and (finite >= 0).all() and (finite <= 100).all()
    return 1.0 if in_points else None


def small(baseline: NDArray[np.float64]) -> float:
    """A margin where the unit of a difference is not known: `SMALL` of the baseline's mean, to one digit."""
    size = float(np.abs(baseline).mean()) * SMALL if len(baseline) else 0.0
    return float(f"{size:.1g}") or 0.01
