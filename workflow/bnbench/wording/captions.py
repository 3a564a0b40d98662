"""What captions say of a study, on its page and in Snakemake's own report."""

from __future__ import annotations

from bnbench.outcomes import OUTCOMES
from bnbench.plan.study import Study
from bnbench.vocabulary import FACTORS, SCHEMA
from bnbench.wording import formats, titles


def summary(study: Study) -> str:
    """The grid in one line: `2 norms × 2 batch sizes × 20 seeds = 80 trials`."""
    shown = [factor for factor in FACTORS if len(study.levels[factor]) > 1]
    parts = [formats.count(len(study.levels[factor]), noun(factor)) for factor in shown]
    trials = formats.count(len(study.settings) * len(study.seeds), "trial")
    return f"{' × '.join([*parts, formats.count(len(study.seeds), 'seed')])} = {trials}"


def noun(factor: str) -> str:
    """What a level of a factor is called in general: `batch size`."""
    return str(SCHEMA["properties"][factor].get("noun", factor.replace("_", " ")))


def window(study: Study) -> str:
    """Over which epochs a loss is judged."""
    share = study.report.window
    return f"over the last {formats.percent(share)} of the measured epochs" if share else "at the last epoch"


def facts(study: Study) -> dict[str, str]:
    """What captions say of a study, here and in Snakemake's report: names of the arms and the loss, n, levels."""
    options, contexts = study.report, len(study.contexts())
    comparisons = contexts * len(study.comparisons)
    return {
        "study": study.name,
        "loss": titles.outcome(options.outcome),
        "baseline": titles.arm(study, options.baseline),
        "against": titles.arm(study, options.baseline) + (", or the arm that is named," if options.compare else ""),
        "base": base(study),
        "interaction": _interaction(study),
        "seeds": formats.count(len(study.seeds), "seed"),
        "contexts": formats.count(contexts, "context"),
        "level": formats.percent(1 - options.alpha),
        "narrow": formats.percent(1 - 2 * options.alpha),
        "together": f" for all {comparisons} comparisons together" if comparisons > 1 else "",
        "margin": f"{options.margin:g}",
        "alpha": f"{options.alpha:g}",
        "window": window(study),
        "alike": alike(study),
        "training_mode": "in training mode " if study.keeps_statistics else "",
    }


def _interaction(study: Study) -> str:
    """What a row of the figure of interactions shows."""
    loss, against = titles.outcome(study.report.outcome), titles.arm(study, study.report.baseline)
    against += ", or the arm that is named," if study.report.compare else ""
    if OUTCOMES[study.report.outcome].is_ratio:
        return f"What the ratio of the {loss} to that with {against} is multiplied by."
    return f"What is added to the difference in {loss} to {against}."


def base(study: Study) -> str:
    """What the arms are compared with."""
    return "the baseline" if study.report.compare else titles.arm(study, study.report.baseline)


def treated(study: Study) -> str:
    """What is compared with it."""
    return titles.arm(study, study.arms[1]) if len(study.arms) == 2 else "the arm"


def alike(study: Study) -> str:
    """What all arms of a seed have in common, whatever is compared."""
    if study.report.factor == "task":
        return "were given the same random numbers"
    order = "saw the same examples in the same order"
    if study.report.factor == "batch_size":
        order = "saw the same examples"
    weights = all(study.shares_weights(context) for context, _ in study.contexts())
    return f"started from the same weights and {order}" if weights else order


def levels(study: Study) -> str:
    """What is compared, what the contexts differ in, and what is the same everywhere, by the labels of the tables."""
    arms, labels = formats.listed([titles.arm(study, arm) for arm in study.arms]), formats.listed(study.arms)
    named = f", in the tables {labels}" if labels.casefold() != arms.casefold() else ""
    varied = study.varied()
    differ = formats.listed([f"{noun(factor)} ({', '.join(study.levels[factor])})" for factor in varied])
    fixed = [factor for factor in FACTORS if factor not in (study.report.factor, *varied)]
    same = ", ".join(f"{noun(factor)} {label}" for factor in fixed for label in study.levels[factor])
    said = [f"The arms are {arms}{named}.", f"The contexts differ in {differ}." if varied else ""]
    return " ".join([*filter(None, said), f"The same everywhere: {same}."])
