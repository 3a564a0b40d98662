"""What a report holds: its tables and figures by name, in the order of the page.

Pure, and light to import: the rules name their files by it before anything is drawn.
"""

from typing import Any

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.plan.study import Study

TABLES = {
    "contexts": "the verdict on each context, with its numbers",
    "outcomes": "every outcome of each context, those that do not decide with p-values for exploring",
    "interactions": "the main effect, and how the effect depends on the other factors",
    "pairs": "the final losses of both arms, seed by seed",
    "curves": "the losses over the epochs, with their bands",
    "differences": "the ratio of the losses over the epochs, with its simultaneous band",
    "decomposition": "what batch noise and stale averages do to a difference, and what is left",
    "modes": "the final losses in training mode, in evaluation mode and with precise statistics",
    "fit": "the fitted functions and their errors, with their bands",
    "reference": "where losses that were printed elsewhere lie among the seeds",
    "control": "the baseline against itself",
    "claims": "the study's claims, and what it says of each",
    "tuned": "the verdict on each context with each arm at its best learning rate, where rates are tuned",
    "rates": "both arms at each learning rate, and which is chosen",
    "exclusions": "trials that are left out of the pairs or that diverged",
    "provenance": "what each setting's numbers come from",
}
"""Name of a table → what it holds."""

SOURCES = {
    "forest": "contexts",
    "curves": "curves",
    "differences": "differences",
    "decomposition": "decomposition",
    "interactions": "interactions",
    "batch_sizes": "contexts",
    "pairs": "pairs",
    "modes": "modes",
    "heatmap": "contexts",
    "fit": "fit",
    "rates": "rates",
}
"""Name of a figure → the table that it draws."""


ALL_COMPARISONS = ("forest", "interactions")
"""Figures that show the named pairs too; the others show what is compared with the baseline."""


def drawn(study: Study, name: str, table: Any) -> Any:
    """The rows of its table, a frame of pandas, that the figure `name` shows."""
    if name in ALL_COMPARISONS or "baseline" not in table:
        return table
    return table[table["baseline"] == study.report.baseline]


def figures(study: Study) -> dict[str, str]:
    """Name of each figure that the study has → its title."""
    several = len(study.contexts()) > 1
    shown = {"forest": "Ratios of the losses, context by context"}
    if study.config["tune"]:
        shown["rates"] = "The effect as a function of the learning rate"
    if several:
        shown["heatmap"] = "Ratios of the losses over the grid"
        shown["interactions"] = "How the effect depends on the context"
    if len(study.levels["batch_size"]) > 1 and study.report.factor != "batch_size":
        shown["batch_sizes"] = "Ratio of the losses by batch size"
    shown |= {
        "curves": "Loss over the epochs",
        "differences": "Ratio of the losses over the epochs",
        "pairs": "Final losses, seed by seed",
        "decomposition": "Where the difference comes from",
        "modes": "The same networks in training mode, in evaluation mode and with precise statistics",
    }
    if any(build(TASKS, task).is_curve() for task in study.config["task"]):
        shown["fit"] = "Fitted functions and their errors"
    return shown


COLUMNS = {
    "task, norm, batch_size, optimizer, device": "labels of the factor levels; a context lacks the compared factor",
    "baseline, treatment": "labels of the two arms; the baseline is the study's, or the first of a named pair",
    "outcome": "which loss, or `epochs_to_target` (epochs until it was first measured at the target) or `seconds`",
    "pairs, finite_pairs": "seeds that both arms have; those of them on which neither diverged",
    "baseline_loss, treatment_loss": "geometric means over the finite pairs; in `pairs`, the final losses of a seed",
    "ratio": "geometric mean over the finite pairs of treatment to baseline; below 1, the treatment is lower",
    "ratio_low, ratio_high": "its interval, which holds for all contexts together",
    "own_low, own_high": "its interval for the context by itself (Student)",
    "narrow_low, narrow_high": "its 1 − 2α interval for the context by itself",
    "level, family": "of the intervals, 1 − α; number of comparisons that are judged together",
    "verdict": "helps, hurts, equivalent, undecided, or no data",
    "test": "`mean`: of the log differences; `worst-rank`: where trials diverged, of ranks, these the worst",
    "p": "of the sign flips, by itself",
    "p_max_t, p_holm": "adjusted for the family by step-down maxT, by Holm; in `interactions` for all rows",
    "p_adjusted, adjustment": "the one that decides, and which it is",
    "limits": "what makes intervals hold for all contexts: the same `flips`, or Bonferroni where finite pairs differ",
    "p_equivalence, within_margin": "of two one-sided tests on the margin, Holm-adjusted; whether it is below α",
    "hl_ratio, hl_low, hl_high, p_wilcoxon": "Hodges–Lehmann estimate with Wilcoxon's interval and p",
    "hedges_dz": "mean of the log differences over their standard deviation, Hedges-corrected",
    "win_rate, win_low, win_high": "share of seeds on which the treatment is lower, ties half, with Wilson's interval",
    "spread_ratio, p_spread": "ratio of the standard deviations of the log losses; p of Pitman and Morgan",
    "correlation, variance_ratio": "of the arms over the seeds; of the paired difference to an unpaired one",
    "ratio_last, ratio_last_low, ratio_last_high": "the ratio at the last epoch alone",
    "diverged_baseline, diverged_treatment, p_mcnemar": "diverged trials of the pairs; exact test of equal rates",
    "seeds_needed": "seeds that would show a ratio as small as the margin, at the observed spread, with 80 % power",
    "floored": "losses that were raised to the smallest normal number of float32 before the logarithm",
    "mixed": "versions of torch or devices that the pairs mix",
    "examples": "examples in a batch",
    "role": "primary: decides; exploratory: does not",
    "baseline_value, treatment_value": "geometric means of the outcome over the finite pairs",
    "p_bh": "adjusted for false discoveries over all exploratory rows",
    "component": "of the difference of the test losses",
    "epoch": "counted from 0",
    "decided_from": "first epoch from which on the band lies on one side of 1",
    "factor, level, against": "in `interactions`: what the effect depends on, and the two levels that are compared",
    "seeds, diverged": "trials that stay finite to the end, and those that do not",
    "loss": "geometric mean over the trials",
    "low, high": "the interval of what stands before it",
    "baseline_last, treatment_last": "losses at the last epoch",
    "x, y": "a test point and its target",
    "fit, fit_low, fit_high": "median of the fits over the seeds, and their 5th and 95th percentiles",
    "error, error_low, error_high": "the same of their absolute errors",
    "value, percentile, lowest, median, highest, source": "a loss printed elsewhere, and where it lies among the seeds",
    "splits, contexts, share, contexts_share": "of the A/A control: splits, contexts, share of splits with "
    "a false verdict in any context, share of single contexts",
    "reason": "why a trial is left out, or that it diverged",
    "rate_baseline, rate_treatment": "in `tuned`: the learning rates that validation data choose",
    "rate": "a learning rate",
    "best_ratio": "the ratio with each arm at its chosen rate",
    "baseline_validation, treatment_validation": "geometric means of the validation loss, by which a rate is chosen",
    "baseline_chosen, treatment_chosen": "whether an arm is judged at this rate",
    "baseline_diverged, treatment_diverged": "trials of an arm that diverged at this rate",
    "words, source, predicts": "a claim, who makes it, and what it predicts of the rows that it is about",
    "verdict, where": "in `claims`: supported, contradicted, undecided or only where …",
    "rows, supporting, contradicting, measured": "rows that a claim is about, how they stand to it, and their numbers",
    "setting": "folder of its results",
    "trials, seconds": "of the setting: how many, and how long they took together",
    "python, torch, numpy, bnbench, commit, image, numerics, device_name, threads": "what its numbers come from",
    "sentence": "the same in words",
    "seed": "fixes data, initial weights and order of the examples",
}
"""Columns of the tables → what they hold."""
