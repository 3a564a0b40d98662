"""What the name of an outcome says about it: whether lower or higher is better, and how two runs are compared by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnbench.outcomes import Outcome, Scale

Better = Literal["lower", "higher"]

_LOWER = frozenset(
    (
        *("loss", "logloss", "nll", "perplexity", "ppl", "crossentropy", "xent", "bce", "deviance", "mse", "rmse"),
        *("rmsle", "nrmse", "mae", "mape", "smape", "mase", "crps", "error", "err", "cost", "fid", "kid", "lpips"),
        *("wer", "cer", "eer", "ter", "bpc", "bpb", "regret", "brier", "ece", "time", "seconds", "latency", "duration"),
        *("residual", "misses", "epe"),
    )
)
_HIGHER = frozenset(
    (
        *("acc", "accuracy", "reward", "rewards", "rew", "return", "returns", "auc", "auroc", "auprc", "aupr", "ap"),
        *("f1", "precision", "recall", "r2", "map", "iou", "miou", "dice", "jaccard", "bleu", "rouge", "rougel"),
        *("meteor", "cider", "chrf", "psnr", "ssim", "snr", "sdr", "pesq", "stoi", "success", "solved", "win", "wins"),
        *("winrate", "ndcg", "mrr", "hits", "likelihood", "elbo", "correct", "kappa", "mcc", "specificity"),
        *("sensitivity", "inception", "correlation", "corr", "spearman", "pearson", "silhouette", "ari", "nmi"),
    )
)
_SCORE = "score"
"""Higher is better, unless another word says what kind of score it is."""

_SHARES = frozenset(
    ("acc", "accuracy", "error", "err", "success", "solved", "correct", "wer", "cer", "win", "wins", "winrate")
)
"""Words of outcomes that people read as percentages."""

_DIFFERENCES = frozenset(("error", "err", "wer", "cer", "eer", "ter", "ece", "regret"))
"""Words of outcomes that should be low and are still compared by their difference."""

_RATIOS = frozenset(("squared", "absolute", "percentage"))
"""Words next to an error that is compared by its ratio."""

_MADE = frozenset(("std", "stddev", "stderr", "sem", "sd", "var", "variance", "count", "num", "n", "rank", "ci"))
"""First or last words of values derived from an outcome that are not outcomes: `std_test_score`, `val_loss_ci`."""

_SET = frozenset(
    (
        *("weight", "scale", "coef", "coefficient", "lambda", "factor", "penalty", "type", "fn", "function", "name"),
        *("threshold", "margin", "clip", "smoothing", "lr", "id", "index", "seed"),
    )
)
"""Last words of what is set before training, and not measured: `loss_weight`."""

_TIMES = frozenset(("time", "seconds", "duration"))
_BEHIND_TIMES = frozenset(("s", "ms", "sec", "secs", "min", "elapsed", "total", "mean", "seconds"))
"""Words that may follow one of time: `time_elapsed` is one, `time/fps` and `time_step` are none."""

_WHOLE = (("mAP", "_map_"), ("mIoU", "_miou_"), ("IoU", "_iou_"))
_PARTS = ((r"(?<![a-zA-Z])[rR](\^2|²)", "_r2_"), (r"(?i)(?<![a-z])top[-_ @]?\d+", "_acc_"))
"""Names that would be split if words ended at capitals and at signs."""

SMALL = 0.05
"""Share of the baseline's value that is too small to matter, if no unit says what is."""


class Named(NamedTuple):
    """What a name says."""

    better: Better | None
    """None if it says nothing."""
    share: bool
    """Whether it is a share if its values lie between 0 and 1."""
    difference: bool
    says_something: bool
    """Whether any of its words names an outcome: it was measured, even if this does not say which direction is
    better."""


def named(name: str) -> Named:
    """What the words of a name say; the last word that says anything counts: `loss_accuracy` is an accuracy."""
    words = [*_words(name)]
    known = [place for place, word in enumerate(words) if _is_known(words, place)]
    says = words[known[-1]] if known else _SCORE if _SCORE in words else ""
    if not says or words[-1] in _SET:
        return Named(None, share=False, difference=False, says_something=False)
    if words[-1] in _MADE or words[0] in _MADE:
        return Named(None, share=False, difference=False, says_something=True)
    lower = (says in _LOWER) != ("neg" in words or "negative" in words)
    plain = not _RATIOS & {*words}
    side: Better = "lower" if lower else "higher"
    return Named(side, says in _SHARES and plain, says in _DIFFERENCES and plain, says_something=True)


def _is_known(words: list[str], place: int) -> bool:
    """Whether a word names an outcome, in its place."""
    word, behind = words[place], words[place + 1 :]
    return word in _LOWER | _HIGHER and (word not in _TIMES or {*behind} <= _BEHIND_TIMES)


def _words(name: str) -> Iterator[str]:
    """The words of a name, in lower case, without numbers at their ends."""
    for written, word in _WHOLE:
        name = name.replace(written, word)
    for pattern, word in _PARTS:
        name = re.sub(pattern, word, name)
    for part in re.findall(r"[^\W_]+", name):
        whole = _bare(part.lower())
        words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+[0-9]*", part) if whole not in _LOWER | _HIGHER else ()
        yield from (_bare(word.lower()) for word in words) if words else (whole,)


def _bare(word: str) -> str:
    return word if word in _HIGHER else word.rstrip("0123456789")


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
    margin = _margin(said, chosen, share=share, score=side == "higher", finite=finite)
    return Outcome(name, chosen, side == "lower", margin, per_cent=share and chosen == "difference")


def _margin(said: Named, scale: Scale, *, share: bool, score: bool, finite: NDArray[np.float64]) -> float | None:
    """The margin of ratios, of shares and of scores up to 1; None where it depends on the unit, or on the size."""
    if scale == "ratio":
        return 1.05
    if share or (score and len(finite) and np.abs(finite).max() <= 1):
        return 0.01
    in_points = said.share and len(finite) and (finite >= 0).all() and (finite <= 100).all()
    return 1.0 if in_points else None


def small(baseline: NDArray[np.float64]) -> float:
    """A margin where the unit of a difference is not known: `SMALL` of the baseline's mean, to one digit.

    Args:
        baseline: what its runs ended at, finite, [runs].
    """
    size = float(np.abs(baseline).mean()) * SMALL if len(baseline) else 0.0
    return float(f"{size:.1g}") or 0.01
