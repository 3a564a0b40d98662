"""Names and numbers in words: levels, contexts, ratios, p-values. What sentences, figures and the page are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bnbench.optimizers import OPTIMIZERS
from bnbench.study import Study

Row = Mapping[Any, Any]

_ARMS = {
    "none": "no BN",
    "batch": "BN",
    "ghost": "ghost BN",
    "layer": "layer norm",
    "population": "population norm",
    "population_gamma": "population norm with gamma decay",
    "frozen": "frozen BN",
}
_OPTIMIZERS = {**{name: entry.torch_class for name, entry in OPTIMIZERS.items()}, "momentum": "SGD with momentum"}
_OUTCOMES = {
    "train_loss": "train loss",
    "eval_loss": "train loss in evaluation mode",
    "test_loss": "test loss",
    "test_loss_precise": "test loss with precise statistics",
    "generalization_gap": "ratio of test loss to train loss",
    "validation_loss": "validation loss",
    "test_accuracy": "test accuracy",
    "epochs_to_target": "epochs to the target loss",
    "seconds": "seconds of training",
}
_HELD_FIXED = ("optimizer", "batch_size", "task", "norm", "device")  # in the order in which they are said
_ERROR_RATES = (0.001, 0.01, 0.05, 0.1)
_TWICE = 1.995  # below, a ratio is said in per cent; what rounds to 2.0 is a factor


def arm(factor: str, label: str) -> str:
    """How a level of the compared factor is called: `BN` for `batch`, else its label."""
    if factor != "norm":
        return level(factor, label)
    first, _, rest = label.partition(" ")
    return f"{_ARMS.get(first, first)} {rest}".strip()


def level(factor: str, label: str) -> str:
    """How a level of a factor is called."""
    if factor == "batch_size":
        return "full batch" if label == "full" else f"batch {label}"
    if factor == "optimizer":
        name, _, rest = label.partition(" ")
        return f"{_OPTIMIZERS[name]} {rest}".strip()
    return arm(factor, label) if factor == "norm" else label


def outcome(name: str) -> str:
    """How an outcome is called."""
    return _OUTCOMES[name]


def context_name(study: Study, labels: Row) -> str:
    """What is held fixed, in words: the factors that have several levels, or optimizer and batch size."""
    factors = [factor for factor in _HELD_FIXED if factor != study.report.factor]
    varied = [factor for factor in factors if len(study.levels[factor]) > 1]
    chosen = varied or [factor for factor in factors if factor in ("optimizer", "batch_size")]
    words = [context_level(study, factor, labels[factor]) for factor in chosen]
    return " at ".join(words) if chosen == ["optimizer", "batch_size"] else ", ".join(words)


def context_level(study: Study, factor: str, label: str) -> str:
    """A level that is held fixed, without its parameters where its name tells it from the study's other levels."""
    name = label.partition(" ")[0]
    alone = sum(other.partition(" ")[0] == name for other in study.levels[factor]) == 1
    return level(factor, name if alone else label)


def contrast_name(study: Study, row: Row) -> str:
    """The context, with what is compared where there are several comparisons."""
    name = context_name(study, row)
    return f"{comparison(study, row)}, {name}" if len(study.comparisons) > 1 else name


def comparison(study: Study, row: Row) -> str:
    """The treatment, and what it is compared with where that is not the study's baseline."""
    treated, base = (arm(study.report.factor, row[name]) for name in ("treatment", "baseline"))
    return treated if row["baseline"] == study.report.baseline else f"{treated} against {base}"


def number(value: float) -> str:
    """A ratio without needless digits: 0.012, 1.04, 3.1, 120, 6,300, 1.2e+06."""
    if math.isinf(value):
        return "∞"
    if value < 0.1:
        return f"{value:.2g}"
    if value < _TWICE:
        return f"{value:.2f}"
    if value < 9.95:
        return f"{value:.1f}"
    return f"{float(f'{value:.2g}'):,.0f}" if value < 1e6 else f"{value:.1e}"


def percent(share: float) -> str:
    """A share as per cent without needless digits."""
    return f"{100 * share:.3g} %"


def p_value(p: float) -> str:
    """`p = 0.0012`, or `p < 0.0001`; with as many digits as keep it on its side of the usual error rates."""
    if p < 1e-4:
        return "p < 0.0001"
    digits = 3 if 0.01 <= p < 0.1 else 2
    while any((p < rate) != (float(f"{p:.{digits}g}") < rate) for rate in _ERROR_RATES):
        digits += 1
    return f"p = {p:.{digits}g}"


def ordinal(value: float) -> str:
    """A rounded number in order: 1st, 12th, 83rd."""
    rounded = round(value)
    teens = rounded % 100 in (11, 12, 13)
    return f"{rounded}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(rounded % 10, 'th')}"


def change(row: Row, *, level_text: str = "") -> str:
    """The ratio of the losses as a change, with its interval.

    `3.1 × higher (2.2 to 4.5)`, or under a factor of two `23 % lower (5 % to 37 %)`, so that none of it is read as the
    other; `12 % higher (20 % lower to 57 % higher)` where the interval holds both. No interval where there is none.
    """
    ratio, limits = row["ratio"], (row["ratio_low"], row["ratio_high"])
    if math.isnan(limits[0]):
        return changed(ratio)
    if limits[0] <= 1 <= limits[1]:
        sides = [changed(limit) for limit in limits]
    else:
        twice = factor_of(ratio) >= _TWICE
        sides = [number(factor_of(limit)) if twice else _per_cent_off(limit) for limit in sorted(limits, key=factor_of)]
    return f"{changed(ratio)} ({level_text}{' to '.join(sides)})"


def changed(ratio: float) -> str:
    """`3.1 × higher`, `23 % lower` or `equal`."""
    return "equal" if ratio == 1 else f"{amount(ratio)} {'lower' if ratio < 1 else 'higher'}"


def amount(ratio: float) -> str:
    """How far a ratio is from 1: `23 %`, or `3.1 ×` from a factor of two on."""
    return f"{number(factor_of(ratio))} ×" if factor_of(ratio) >= _TWICE else _per_cent_off(ratio)


def factor_of(ratio: float) -> float:
    """A ratio as a factor above 1, whichever way it points."""
    return max(ratio, 1 / ratio) if ratio > 0 else math.inf


def _per_cent_off(ratio: float) -> str:
    off = 100 * abs(ratio - 1)
    return "∞ %" if math.isinf(off) else f"{float(f'{off:.2g}'):,g} %"


def plural(loss: str) -> str:
    """The name of an outcome, of several."""
    return loss.replace("loss", "losses", 1)


def count(number_of: int, noun: str) -> str:
    """`1 seed`, `20 seeds`."""
    return f"{number_of:,} {noun}{'' if number_of == 1 else 's'}"


def listed(parts: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def duration(seconds: float) -> str:
    """`12 s`, `3 min 5 s`, `2 h 10 min`, `3.5 days`."""
    if seconds < 9.5:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 2 * 24 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{seconds / 86400:.1f} days"


def window(study: Study) -> str:
    """Over which epochs a loss is judged."""
    share = study.report.window
    return f"over the last {percent(share)} of the measured epochs" if share else "at the last epoch"


def facts(study: Study) -> dict[str, str]:
    """What captions say of a study, here and in Snakemake's report: names of the arms and the loss, n, levels."""
    options, contexts = study.report, len(study.contexts())
    comparisons = contexts * len(study.comparisons)
    return {
        "study": study.name,
        "loss": outcome(options.outcome),
        "baseline": arm(options.factor, options.baseline),
        "against": arm(options.factor, options.baseline) + (", or the arm that is named," if options.compare else ""),
        "treatment": arm(options.factor, study.arms[1]) if len(study.arms) == 2 else "the arm",
        "seeds": count(len(study.seeds), "seed"),
        "contexts": count(contexts, "context"),
        "level": percent(1 - options.alpha),
        "narrow": percent(1 - 2 * options.alpha),
        "together": f" for all {comparisons} comparisons together" if comparisons > 1 else "",
        "margin": f"{options.margin:g}",
        "alpha": f"{options.alpha:g}",
        "window": window(study),
    }
