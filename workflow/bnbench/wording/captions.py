"""What captions say of a study, on its page and in Snakemake's own report."""

from __future__ import annotations

import math

from bnbench.catalogue.networks import DEFAULT
from bnbench.epochs import evaluated_epochs, window_length
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.randomness import varying
from bnbench.plan.study import Study
from bnbench.streams import ALL
from bnbench.vocabulary import BEST, SCHEMA, SEED_VARIES, SWING
from bnbench.wording import contents, effects, folded, formats, networks, own_captions, titles, words

_UNSAID = {SEED_VARIES: ALL, "network": DEFAULT["name"], "accumulate": "1"}
"""Factors that texts do not name where this is their only level."""
_READ_BY_SOME = ("hidden", "activation", "init")
"""Factors that not every network reads."""


def summary(study: Study) -> str:
    """The grid in one line: `2 norms × 2 batch sizes × 20 seeds = 80 trials`."""
    if isinstance(study, OwnStudy):
        return own_captions.summary(study)
    shown = [factor for factor in study.factors if len(study.levels[factor]) > 1]
    parts = [formats.count(len(study.levels[factor]), noun(factor)) for factor in shown]
    trials = formats.count(len(study.settings) * len(study.seeds), "trial")
    seeds = formats.count(len(study.seeds), "seed")
    if left_out := math.prod(map(len, study.levels.values())) - len(study.settings):
        repeated = "1 that repeats another" if left_out == 1 else f"{left_out} that repeat others"
        return f"{' × '.join(parts)}, less {repeated}, × {seeds} = {trials}"
    return f"{' × '.join([*parts, seeds])} = {trials}"


def noun(factor: str) -> str:
    """What a level of a factor is called in general: `batch size`."""
    return str(SCHEMA["properties"].get(factor, {}).get("noun", factor.replace("_", " ")))


def window(study: Study, outcome: str = "") -> str:
    """Over which epochs an outcome is judged: the one that decides, if no other is named."""
    name, share = outcome or study.report.outcome, study.report.window
    if isinstance(study, OwnStudy):
        return own_captions.window(study)
    if name == BEST:
        return "at the epoch with the lowest validation loss"
    measured = evaluated_epochs(study.config["epochs"], study.config["evaluate_every"])
    if name == SWING and window_length(len(measured), share) <= 2:
        return "over the last two measurements"
    return f"over {share_of_epochs(share)}" if share else "at the last epoch"


def share_of_epochs(share: float) -> str:
    """What a window consists of."""
    return f"the last {formats.percent(share)} of the measured epochs" if share else "the last epoch alone"


def facts(study: Study) -> dict[str, str]:
    """What captions say of a study, here and in Snakemake's report: names of the arms and the loss, n, levels."""
    options, contexts, named = study.report, len(study.contexts()), words.of(study)
    known = own_captions.facts(study) if isinstance(study, OwnStudy) else _of_trials(study)
    return {
        **known,
        "run": named.run,
        "runs": named.runs,
        **_by_design(study, known["seeds"]),
        "epoch": named.epoch,
        "epochs": named.epochs,
        "sample": "seeds" if study.paired else "runs",
        "adjustment": "step-down maxT" if study.paired else "Holm's method",
        "study": study.name,
        "loss": titles.outcome(study, options.outcome),
        **_scale(study),
        "baseline": titles.arm(study, options.baseline),
        "against": titles.arm(study, options.baseline) + (", or the arm that is named," if options.compare else ""),
        "base": base(study),
        "interaction": _interaction(study),
        "contexts": formats.count(contexts, "context"),
        "level": formats.percent(1 - options.alpha),
        "narrow": formats.percent(1 - 2 * options.alpha),
        "together": together(study.family),
        "alpha": f"{options.alpha:g}",
        "window": window(study),
        "tuned": titles.tuned(study),
        "tuned_baseline": titles.arm(study, study.tuned_arms[0]),
    }


def _of_trials(study: Study) -> dict[str, str]:
    """Facts that only trials have that are trained here."""
    dots = "for every doubling of the batch, or from the first level of a factor to another"
    return {
        "seeds": formats.count(len(study.seeds), "seed"),
        "every_run": f"the trials of {formats.count(len(study.seeds), 'seed')}",
        "window_of_losses": window(study, "test_loss"),
        "estimated": _estimated(study),
        "alike": alike(study),
        "points": f"{_points(study)} Networks of one seed {alike(study)}.",
        "dotted": f"the train loss, measured {'in training mode ' if study.keeps_statistics else ''}before each step",
        "small_dots": dots,
        "noise": _noise(study),
        "training_mode": "in training mode " if study.keeps_statistics else "",
        "some_fits": _some_fits(study),
        "carried": "",
        "followed": "",
    }


def _by_design(study: Study, seeds: str) -> dict[str, str]:
    """What captions say of tests and intervals: of pairs, or of groups of runs."""
    scaled, contexts = _scale(study)["scaled"], formats.count(len(study.contexts()), "context")
    if not study.paired:
        return {
            "alone": f"Welch's t on the {scaled}",
            "joint": "Welch's t, by Bonferroni's method",
            "told_apart": "Welch's t on their own runs, adjusted for all pairs of arms by Holm's method",
            "every_pair": f"all pairs of a run of the arm and one of {base(study)}, over {contexts}",
            "bootstrap": "the bootstrap draws runs of each arm. A diverged run counts as worse than all others.",
            "by_epoch": "",
        }
    worse = f"A pair of which one {words.of(study).run} diverged counts as worse, or better, than all others."
    return {
        "alone": f"Student t on the paired {scaled}",
        "joint": f"sign flips of each seed's own contrast of its contexts, over {seeds}",
        "told_apart": "sign flips on their own differences, adjusted for all pairs by maxT",
        "every_pair": f"the pairs, over {contexts} and {seeds}",
        "bootstrap": f"the bootstrap draws seeds, and takes each with all its contexts. {worse}",
        "by_epoch": "yes",
    }


def _points(study: Study) -> str:
    """What the points of the figure of pairs are."""
    final = f"the final {titles.outcome(study, study.report.outcome)} of all arms, {window(study)}"
    return f"Each point is one trained network, each line one of {formats.count(len(study.seeds), 'seed')}: {final}."


def _some_fits(study: Study) -> str:
    """How many contexts the figure of fitted functions shows, where it does not show all."""
    shown, count = contents.fits(study)
    return f" Here are {shown} of {count} contexts, evenly chosen; fit.csv has all." if shown < count else ""


def _noise(study: Study) -> str:
    """What else than the batches differs between training and evaluation."""
    draws = networks.draws(study)
    return " and of dropout, or whatever else is drawn in training," if draws else ""


def together(family: int) -> str:
    """For what simultaneous intervals hold, and adjusted p-values; empty of one comparison."""
    return f" for {'both' if family == 2 else f'all {family}'} comparisons together" if family > 1 else ""


def _interaction(study: Study) -> str:
    """What a row of the figure of interactions shows."""
    loss, against = titles.outcome(study, study.report.outcome), titles.arm(study, study.report.baseline)
    against += ", or the arm that is named," if study.report.compare else ""
    if study.outcome.is_ratio:
        return f"What the ratio of the {loss} to that with {against} is multiplied by."
    return f"What is added to the {effects.noun(study.outcome)} of the {loss} to that with {against}."


def _estimated(study: Study) -> str:
    """What a trial comes to: a mean over the window, unless it has one value alone."""
    if study.report.outcome == BEST:
        return f"test loss {window(study)}"
    if study.report.outcome == SWING:
        change = "root mean square of the changes of the log test loss from one measurement to the next"
        return f"{change}, {window(study)}"
    mean = "geometric mean" if study.outcome.is_ratio else "mean"
    return f"{mean} of the {titles.outcome(study, study.report.outcome)} {window(study)}"


def _scale(study: Study) -> dict[str, str]:
    """What captions call an effect, and the means, logarithms and margin that go with its scale."""
    outcome, options = study.outcome, study.report
    margin = effects.margin(outcome, options.margin)
    if outcome.is_ratio:
        words = (
            "ratio",
            "Ratio of",
            "to that",
            "geometric mean",
            "logarithms" if outcome.title else "log losses",
            "1",
            effects.within(outcome, options.margin),
        )
    else:
        words = (
            "difference",
            "Difference of",
            "from that",
            "mean",
            "values",
            "0",
            effects.within(outcome, options.margin),
        )
    names = ("effect", "effect_of", "to_that", "mean", "scaled", "no_effect", "within")
    return {
        **dict(zip(names, words, strict=True)),
        "noun": effects.noun(outcome),
        "margin": margin,
        "better": "lower" if outcome.lower_is_better else "higher",
    }


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
    if study.report.factor == "batch_size" or varying(study).order == "none":
        order = "saw the same examples"
    weights = all(study.shares_weights(context) for context, _ in study.contexts())
    return f"started from the same weights and {order}" if weights else order


def named_factors(study: Study) -> list[str]:
    """The factors whose levels texts name: what goes without saying is left out, and what no network reads."""
    unsaid = {name for name, label in _UNSAID.items() if [*study.levels[name]] == [label]}
    unread = {*_READ_BY_SOME} - networks.read_keys(study)
    return [factor for factor in study.factors if factor not in unsaid | unread]


def levels(study: Study) -> str:
    """What is compared, what the contexts differ in, and what is the same everywhere, by the labels of the tables."""
    if isinstance(study, OwnStudy):
        return own_captions.levels(study)
    arms, labels = formats.listed([titles.arm(study, arm) for arm in study.arms]), formats.listed(study.arms)
    named = f", in the CSV files {labels}" if labels.casefold() != arms.casefold() else ""
    varied = study.varied()
    differ = formats.listed([f"{noun(factor)} ({', '.join(study.levels[factor])})" for factor in varied])
    fixed = [factor for factor in named_factors(study) if factor not in (study.report.factor, *varied)]
    held = [f"{noun(factor)} {label}" for factor in fixed for label in study.levels[factor]]
    loss = networks.own_loss(study)
    same = ", ".join([*held, *([f"loss {loss}"] if loss else [])])
    said = [f"The arms are {arms}{named}.", f"The contexts differ in {differ}." if varied else ""]
    said += [f"{line[:1].upper()}{line[1:]}." for line in folded.lines(study)]
    return " ".join([*filter(None, said), *([f"The same everywhere: {same}."] if same else [])])
