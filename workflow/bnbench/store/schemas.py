"""The columns of all tables: name, type, unit and meaning. A name means the same thing in every table that has it.

The writers' check, the readers' types, the page's glossary and docs/columns.md come from here.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from bnbench.vocabulary import (
    ACCURACY,
    FACTORS,
    FIRST_FACTORS,
    MEASURED,
    SCHEMA,
    TARGET_SCALE,
    TARGET_VARIANCE,
    VALIDATION,
)

_TEXT, _WHOLE, _NUMBER, _FLAG = pa.string(), pa.int64(), pa.float64(), pa.bool_()


def _columns(kind: pa.DataType, holds: dict[str, str], unit: str = "", *, nullable: bool = True) -> dict[str, pa.Field]:
    return {
        name: pa.field(name, kind, nullable, metadata={"description": text, "unit": unit})
        for name, text in holds.items()
    }


def _labels() -> dict[str, str]:
    """The columns of labels, one for each factor."""
    rules = SCHEMA["properties"]
    return {factor: f"label of the level: {rules[factor]['description']}" for factor in FACTORS}


COLUMNS: dict[str, pa.Field] = {
    **_columns(_TEXT, _labels()),
    **_columns(
        _TEXT,
        {
            "setting": "address of the setting: a readable name and a hash of everything that changes the numbers",
            "baseline": "label of the arm that the other one is compared with",
            "treatment": "label of the arm that is compared with the baseline",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "seed": "fixes all that is random: what is drawn of the data, initial weights, order of the examples",
            "epoch": "epoch, counted from 0; of an excluded trial, the one at which it diverged",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "train_loss": "mean of the loss over the batches of the epoch, in training mode, before each step",
            "eval_loss": "loss on the training points in evaluation mode; null where it was not measured",
            "test_loss": "loss on the test points in evaluation mode",
            "test_loss_precise": "loss on the test points, with the statistics of the whole training set under the "
            "present weights",
            VALIDATION: "loss on the points that are held out to choose a learning rate; null where no rate is tuned",
            ACCURACY: "share of the test points that are classified correctly; null where nothing is classified",
        },
    ),
    # What trials are made of.
    **_columns(_WHOLE, {"diverged_at": "first epoch with a loss that is not finite; null if there is none"}),
    **_columns(
        _NUMBER,
        {
            "seconds": "wall time of training and evaluation: of a trial, that of its job divided by the job's seeds; "
            "in provenance, the sum over its trials"
        },
        "s",
    ),
    **_columns(_WHOLE, {"threads": "threads of the job", "numerics": "version of the arithmetic of training"}),
    **_columns(
        _TEXT,
        {
            "device_name": "model of the processor or the GPU",
            "python": "version of Python",
            "torch": "version of PyTorch",
            "numpy": "version of NumPy",
            "bnbench": "version of bnbench",
            "commit": "commit of the checkout; empty if unknown",
            "image": "digest of the image that the trial ran in, or host",
            "weights_hash": "hash of the initial weights that all arms of a seed share",
        },
    ),
    **_columns(
        _NUMBER,
        {
            TARGET_VARIANCE: "variance of the targets at the test points, in the units of the test loss; null where "
            "the loss is no squared error, or was measured by a version that did not store it",
            TARGET_SCALE: "what one unit of the standardized target is in the target's own units; null where the "
            "target was not standardized",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "x": "a test point",
            "y": "target at the test point",
            "y_fit": "output of the network at the test point after the last epoch",
        },
    ),
    # The verdict on a context.
    **_columns(_TEXT, {"outcome": "which outcome the row is about"}),
    **_columns(
        _WHOLE,
        {
            "pairs": "seeds that both arms have",
            "finite_pairs": "pairs of which neither trial diverged; in outcomes, pairs that the effect is over",
            "family": "comparisons that are judged together; in interactions and all_pairs, rows",
            "floored": "finite pairs of which a loss lies below the resolution: they have no effect of their own",
            "diverged_baseline": "pairs of which the baseline's trial diverged",
            "diverged_treatment": "pairs of which the treatment's trial diverged",
            "examples": "examples in a batch; null where batch sizes are compared",
            "reached_baseline": "pairs of which the baseline's trial reached the target loss and did not diverge",
            "reached_treatment": "pairs of which the treatment's trial reached the target loss and did not diverge",
            "at_once_baseline": "pairs of which the baseline's trial had the target loss at the first measurement",
            "at_once_treatment": "pairs of which the treatment's trial had the target loss at the first measurement",
            "jobs_baseline": "jobs in which the baseline's trials of the pairs were trained; only for seconds",
            "jobs_treatment": "jobs in which the treatment's trials of the pairs were trained; only for seconds",
            "direction": "sign of what is tested, treatment − baseline: −1, 0 or 1; 0 also where nothing is tested",
            "decided_from": "first epoch from which on the band lies on the side of the verdict, helps or hurts; null "
            "where it does not to the end, or the verdict is another",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "baseline_value": "the baseline's outcome: of a seed, or its mean over the finite pairs, geometric "
            "where the effect is a ratio",
            "treatment_value": "the treatment's outcome: of a seed, or its mean over the finite pairs",
            "baseline_last": "the baseline's outcome at the last epoch",
            "treatment_last": "the treatment's outcome at the last epoch",
            "effect": "treatment against baseline, of a seed or as a mean over the pairs: a ratio of losses (1: no "
            "effect), or a difference (0: no effect). In interactions, what a ratio is multiplied by or a difference "
            "changed by",
            "effect_low": "lower limit of the effect that holds for all contexts together",
            "effect_high": "upper limit of the effect that holds for all contexts together",
            "corrected_low": "lower limit of the effect for the population that the rows come from, for the context by "
            "itself (Nadeau & Bengio); null unless each seed draws another test part of the same rows and the outcome "
            "is measured on it",
            "corrected_high": "upper limit of the effect for that population",
            "own_low": "lower limit of the effect for the context by itself (Student)",
            "own_high": "upper limit of the effect for the context by itself (Student)",
            "narrow_low": "lower 1 − 2α limit of the effect for the context by itself",
            "narrow_high": "upper 1 − 2α limit of the effect for the context by itself",
            "confidence": "confidence level of the intervals, 1 − α",
            "p": "p-value of the sign-flip test, not adjusted",
            "p_max_t": "p-value adjusted for the family by step-down maxT",
            "p_holm": "p-value adjusted for the family by Holm, beside it",
            "p_adjusted": "the adjusted p-value that decides",
            "p_bh": "p-value adjusted for false discoveries over all exploratory rows (Benjamini & Hochberg)",
            "p_equivalence": "p-value of two one-sided tests on the margin, adjusted by Holm; null if a trial diverged",
            "hl_effect": "Hodges–Lehmann estimate of the effect",
            "hl_low": "lower limit of hl_effect, by Wilcoxon's test",
            "hl_high": "upper limit of hl_effect, by Wilcoxon's test",
            "p_wilcoxon": "p-value of Wilcoxon's signed-rank test",
            "hedges_dz": "mean of the log differences over their standard deviation, Hedges-corrected",
            "win_rate": "share of seeds on which the treatment is better; a tie counts half",
            "win_low": "lower limit of win_rate (Wilson)",
            "win_high": "upper limit of win_rate (Wilson)",
            "spread_ratio": "ratio of the standard deviations of the log losses, treatment to baseline",
            "p_spread": "p-value of the test that the standard deviations are equal (Pitman and Morgan)",
            "correlation": "correlation of the log losses of the arms over the seeds",
            "variance_ratio": "variance of the paired difference divided by that of an unpaired one",
            "effect_last": "effect at the last epoch alone",
            "effect_last_low": "lower limit of effect_last",
            "effect_last_high": "upper limit of effect_last",
            "p_mcnemar": "exact p-value of McNemar's test on the divergences; null where no trial diverged",
            "resolution": "the smallest mean loss above 0 that the arithmetic can give; null for scores",
            "raised_effect": "the effect over all finite pairs with losses below the resolution raised to it; null "
            "where there are none",
            "raised_low": "lower limit of raised_effect for the context by itself (Student)",
            "raised_high": "upper limit of raised_effect for the context by itself (Student)",
            "seeds_needed": "seeds that would show an effect as small as the margin with 80 % power, at the observed "
            "spread; null where the context is decided",
            "seeds_needed_low": "the same at the lower 95 % limit of the spread",
            "seeds_needed_high": "the same at the upper 95 % limit of the spread",
            "seeds_equivalent": "seeds that would show equal arms to be equivalent with 80 % power, at the observed "
            "spread; null where the context is decided",
            "seeds_equivalent_low": "the same at the lower 95 % limit of the spread",
            "seeds_equivalent_high": "the same at the upper 95 % limit of the spread",
        },
    ),
    **_columns(
        _TEXT,
        {
            "verdict": "helps, hurts, equivalent, undecided, or no data",
            "test": "mean (of the differences), or ranks: worst-rank where trials diverged, rank where losses lie "
            "below the resolution",
            "adjustment": "how p_adjusted is adjusted: by step-down maxT",
            "limits": "what gives the limits that hold together: flips of the residuals, Bonferroni where pairs are "
            "too few to flip, or Student where there is one context alone; null where there are none",
            "mixed": "versions of torch or devices, if the pairs come from several",
            "role": "primary if it decides the verdict; exploratory if it is tested beside; descriptive if it is not",
            "bound": "what the effect says of the true one where not all was measured (a loss lies below the "
            "resolution; a target was not reached, or at once): at least, at most, or restricted if it may be either; "
            "null where all was. In contexts it is about raised_effect",
        },
    ),
    **_columns(
        _FLAG,
        {
            "within_margin": "whether p_equivalence is below α",
            "marked": "whether p_bh is below α and the effect as it is shown points where the test does",
            "baseline_floored": "whether the baseline's loss lies below the resolution",
            "treatment_floored": "whether the treatment's loss lies below the resolution",
        },
    ),
    # The losses on an absolute scale, and whether they still change.
    **_columns(
        _NUMBER,
        {
            f"{arm}_{of}": text.format(arm=f"the {arm}")
            for of, text in {
                "left": "share of the target's variance that {arm} leaves, 1 − R²: squared test error over the "
                "variance of the test targets, as a geometric mean over the finite pairs; null where it is unknown",
                "error": "root mean square test error of {arm}, in the target's own units, as a geometric mean over "
                "the finite pairs; null where it is unknown",
                "accuracy": "share of the test points that {arm} classifies correctly, as a mean over the finite "
                "pairs; null where nothing is classified",
            }.items()
            for arm in ("baseline", "treatment")
        },
    ),
    **_columns(_FLAG, {"standardized": "whether the target was standardized for the training"}),
    **_columns(
        _NUMBER,
        {
            "change": "change of the outcome from first_epoch to last_epoch, by a straight line through each seed's "
            "measurements, as a mean over the seeds: a ratio of losses (1: no change), or a difference (0: no change; "
            "of the generalization gap, in log units)",
            "change_low": "lower limit of change that holds for all settings together (Bonferroni)",
            "change_high": "upper limit of change that holds for all settings together (Bonferroni)",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "first_epoch": "first measured epoch of the stretch over which the change is judged",
            "last_epoch": "last measured epoch of that stretch",
            "measurements": "measured epochs of that stretch",
        },
    ),
    **_columns(_TEXT, {"trend": "falls or rises where the limits of change say so; else unclear, or no data"}),
    # What stands beside the verdicts.
    **_columns(
        _NUMBER,
        {
            "low": "lower limit of the estimate in the column before",
            "high": "upper limit of the estimate in the column before low",
            "loss": "geometric mean of the outcome over the trials that stay finite",
            "fit": "median of the fits over the seeds",
            "fit_low": "5th percentile of the fits",
            "fit_high": "95th percentile of the fits",
            "error": "median of the absolute errors over the seeds",
            "error_low": "5th percentile of the absolute errors",
            "error_high": "95th percentile of the absolute errors",
            "deviation": "standard deviation of the outcome over the seeds, of its logarithm where effects are ratios",
            "variance_share": "variance of that outcome when this source alone varies, divided by that when all vary",
            "variance_share_low": "lower limit of variance_share (jackknife over the seeds)",
            "variance_share_high": "upper limit of variance_share (jackknife over the seeds)",
            "value": "a loss that was printed elsewhere",
            "percentile": "where that loss lies among the seeds, 0 to 100; ties count half",
            "lowest": "smallest loss of the seeds at that epoch",
            "median": "median loss of the seeds at that epoch",
            "highest": "largest loss of the seeds at that epoch",
            "share": "share of the splits with a false verdict in any context",
            "contexts_share": "share of single contexts with a false verdict",
            "rate": "value of the first parameter that is tuned, the learning rate as a rule",
            "best_effect": "effect with each arm at the values that are chosen for it",
            "baseline_validation": "geometric mean of the baseline's validation loss at these values",
            "treatment_validation": "geometric mean of the treatment's validation loss at these values",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "seeds": "trials that stay finite to the end",
            "diverged": "trials that diverged",
            "common_seeds": "seeds whose trials stay finite whichever source of randomness varies",
            "trials": "trials of the setting that this software and machine trained",
            "splits": "random splits of the baseline against itself",
            "contexts": "contexts that are taken together; in control, those of each split",
            "baseline_diverged": "trials of the baseline that diverged at these values",
            "treatment_diverged": "trials of the treatment that diverged at these values",
            "agreeing_baseline": "seeds for which chosen_baseline is chosen",
            "agreeing_treatment": "seeds for which chosen_treatment is chosen",
            "baseline_chosen": "seeds for which the other seeds choose these values for the baseline",
            "treatment_chosen": "seeds for which the other seeds choose these values for the treatment",
            "rows": "rows that the claim is about",
            "supporting": "rows that are as the claim predicts",
            "contradicting": "rows that are decided otherwise",
        },
    ),
    # All contexts together, and every arm against every other.
    **_columns(_TEXT, {"arm": "label of an arm", "groups": "letters; two arms that share one are not told apart"}),
    **_columns(
        _WHOLE,
        {
            "contexts_helped": "contexts whose verdict is helps; null but for a main effect",
            "contexts_hurt": "contexts whose verdict is hurts; null but for a main effect",
            "contexts_equivalent": "contexts whose verdict is equivalent; null but for a main effect",
            "contexts_undecided": "contexts with no verdict; null but for a main effect",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "prediction_low": "lower limit of the prediction interval for the effect in a further context",
            "prediction_high": "upper limit of the prediction interval for the effect in a further context",
            "iqm": "interquartile mean of the effects over contexts and seeds, geometric where the effect is a ratio; "
            "null where losses lie below the resolution, or both trials of a pair diverged",
            "improvement": "share of the pairs in which the treatment is better, ties counting half: the mean over "
            "the contexts",
            "improvement_low": "lower limit of improvement, by the bootstrap over seeds",
            "improvement_high": "upper limit of improvement, by the bootstrap over seeds",
            "effect_lowest": "smallest effect of a context",
            "effect_highest": "largest effect of a context",
            "tau": "standard deviation of the true effects of the contexts, of their logarithms where they are ratios",
            "i_squared": "share of the variance of the contexts' observed effects that is not chance",
            "threshold": "an effect",
            "reached": "share of the pairs, over contexts and seeds, whose effect is at least as good as the threshold",
            "rank_difference": "mean rank of the treatment minus that of the baseline",
            "mean_rank": "mean rank of the arm among all arms, over contexts and seeds; 1 is best",
        },
    ),
    **_columns(_FLAG, {"told_apart": "whether p_adjusted is below α, and interval and rank_difference bear it out"}),
    **_columns(
        _TEXT,
        {
            "component": "a factor of the ratio of the test losses",
            "factor": "what the effect depends on; main effect: over all contexts",
            "level": "level of that factor, or doubling of the batch size",
            "against": "level that it is compared with",
            "sentence": "the same in words",
            "printed_by": "who printed the loss",
            "reason": "why a trial is left out: missing, duplicated, not asked for or other weights; or diverged",
            "words": "the claim, in words",
            "source": "who makes the claim",
            "predicts": "what the claim predicts of the rows that it is about",
            "conclusion": "what the claim comes to: supported, only where …, contradicted or undecided",
            "chosen_baseline": "values that other seeds' validation losses choose for the baseline on most seeds",
            "chosen_treatment": "values that other seeds' validation losses choose for the treatment on most seeds",
            "at_end_baseline": "which of chosen_baseline lie at an end of the values that were tried",
            "at_end_treatment": "which of chosen_treatment lie at an end of the values that were tried",
            "parameter": "the first parameter that is tuned",
            "beside": "values of the other parameters that are tuned",
            "where": "on which rows it holds or is contradicted",
            "measured": "the numbers of the rows",
        },
    ),
}
"""Name of a column → its field, with a description and a unit in its metadata."""


def _table(description: str, *names: str) -> pa.Schema:
    return pa.schema([COLUMNS[name] for name in names], metadata={"description": description})


_KEYS = (*FACTORS, "setting", "seed")
_CONTRAST = (*FACTORS, "baseline", "treatment")
_SOFTWARE = ("python", "torch", "numpy", "bnbench", "commit", "image", "numerics")
_INTERVAL = ("effect", "low", "high")
_COUNTS = ("contexts", "contexts_helped", "contexts_hurt", "contexts_equivalent", "contexts_undecided")
_VERDICT = (
    *("outcome", "pairs", "finite_pairs", "baseline_value", "treatment_value", "effect", "effect_low", "effect_high"),
    *("confidence", "family", "verdict", "test", "p", "p_max_t", "p_holm", "p_adjusted", "adjustment", "limits"),
    *("p_equivalence", "within_margin", "own_low", "own_high", "narrow_low", "narrow_high"),
    *("corrected_low", "corrected_high"),
    *("hl_effect", "hl_low", "hl_high", "p_wilcoxon", "hedges_dz", "win_rate", "win_low", "win_high"),
    *(
        "spread_ratio",
        "p_spread",
        "correlation",
        "variance_ratio",
        "effect_last",
        "effect_last_low",
        "effect_last_high",
    ),
    *("diverged_baseline", "diverged_treatment", "p_mcnemar", "mixed", "examples"),
    *("resolution", "floored", "raised_effect", "raised_low", "raised_high", "bound"),
    *("seeds_needed", "seeds_needed_low", "seeds_needed_high"),
    *("seeds_equivalent", "seeds_equivalent_low", "seeds_equivalent_high"),
)
_FIT = ("x", "y", "seeds", "fit_low", "fit", "fit_high", "error_low", "error", "error_high")
_REFERENCE = (
    "epoch",
    "outcome",
    "value",
    "seeds",
    "percentile",
    "lowest",
    "median",
    "highest",
    "printed_by",
    "sentence",
)
_CLAIM = (
    "words",
    "source",
    "predicts",
    "conclusion",
    "where",
    "rows",
    "supporting",
    "contradicting",
    "pairs",
    "measured",
)

SCHEMAS: dict[str, pa.Schema] = {
    "losses": _table("a row per trial and epoch", *_KEYS, "epoch", *MEASURED),
    "trials": _table(
        "a row per trial, with its final losses",
        *(*_KEYS, *MEASURED, "diverged_at", "seconds", "threads", "device_name", *_SOFTWARE, "weights_hash"),
        *(TARGET_VARIANCE, TARGET_SCALE),
    ),
    "predictions": _table("the fitted function of every trial, for tasks of one input", *_KEYS, "x", "y", "y_fit"),
}
"""The tables under `results/`."""

TABLES: dict[str, pa.Schema] = {
    "contexts": _table("the verdict on each context, with its numbers", *_CONTRAST, *_VERDICT),
    "outcomes": _table(
        "every outcome of each context; those that do not decide have p-values for exploring",
        *(*_CONTRAST, "outcome", "role", "pairs", "finite_pairs", "baseline_value", "treatment_value"),
        *(*_INTERVAL, "bound", "p", "p_bh", "direction", "marked"),
        *("reached_baseline", "reached_treatment", "at_once_baseline", "at_once_treatment"),
        *("jobs_baseline", "jobs_treatment"),
    ),
    "interactions": _table(
        "the main effect, and how the effect depends on the other factors",
        *("baseline", "treatment", "factor", "level", "against", "pairs", *_INTERVAL, "p", "p_adjusted", "adjustment"),
        *("family", *_COUNTS, "prediction_low", "prediction_high", "sentence"),
    ),
    "aggregate": _table(
        "all contexts together, as a description that decides nothing, where there are three or more",
        *("baseline", "treatment", *_COUNTS, "pairs", "iqm", "low", "high"),
        *("improvement", "improvement_low", "improvement_high", "effect_lowest", "effect_highest"),
        *("tau", "i_squared", "sentence"),
    ),
    "profile": _table(
        "the share of the pairs that reach each effect, over all contexts together",
        *("baseline", "treatment", "threshold", "reached", "low", "high"),
    ),
    "ranks": _table(
        "the mean rank of every arm, where there are three or more", "arm", "contexts", "seeds", "mean_rank", "groups"
    ),
    "all_pairs": _table(
        "every arm against every other, over all contexts together, as one family beside the verdicts",
        *("baseline", "treatment", "contexts", "pairs", "finite_pairs", *_INTERVAL),
        *("test", "p", "p_adjusted", "adjustment", "limits", "family", "rank_difference", "told_apart"),
    ),
    "pairs": _table(
        "the final losses of both arms, seed by seed",
        *(*_CONTRAST, "seed", "baseline_value", "treatment_value", "effect", "baseline_last", "treatment_last"),
        *("baseline_floored", "treatment_floored"),
    ),
    "curves": _table(
        "the losses over the epochs, with their bands",
        *(*FACTORS, "outcome", "epoch", "seeds", "diverged", "loss", "low", "high"),
    ),
    "differences": _table(
        "the ratio of the losses over the epochs, with a band that holds for all contexts and epochs together",
        *(*_CONTRAST, "epoch", "pairs", *_INTERVAL, "limits", "decided_from"),
    ),
    "decomposition": _table(
        "where a difference comes from, in contrasts of which an arm keeps running statistics",
        *(*_CONTRAST, "component", "pairs", *_INTERVAL),
    ),
    "modes": _table(
        "the final losses in each mode, of arms that keep running statistics",
        *(*FACTORS, "outcome", "seeds", "loss", "low", "high"),
    ),
    "variance": _table(
        "how much of the spread over the seeds each source of randomness makes, where the study varies them alone",
        *(*FACTORS, "outcome", "common_seeds", "deviation", "variance_share"),
        *("variance_share_low", "variance_share_high"),
    ),
    "fit": _table("the fitted functions and their errors, with their bands", *FACTORS, *_FIT),
    "reference": _table("where losses that were printed elsewhere lie among the seeds", *FACTORS, *_REFERENCE),
    "control": _table(
        "the baseline against itself", "splits", "pairs", "contexts", "share", "low", "high", "contexts_share"
    ),
    "claims": _table("the study's claims, and what it says of each", *_CLAIM),
    "tuned": _table(
        "the verdict on each context with each arm at the values that are tuned for it",
        *(*_CONTRAST, *_VERDICT),
        *(f"{of}_{arm}" for of in ("chosen", "agreeing", "at_end") for arm in ("baseline", "treatment")),
    ),
    "rates": _table(
        "both arms at each of the values that are tuned, and for how many seeds they are chosen",
        *(*_CONTRAST, "parameter", "rate", "beside", *_INTERVAL, "best_effect"),
        *(f"{arm}_{of}" for arm in ("baseline", "treatment") for of in ("validation", "value", "diverged", "chosen")),
    ),
    "absolute": _table(
        "the test loss on an absolute scale: variance left, error in the target's own units, accuracy",
        *(*_CONTRAST, "outcome", "pairs", "finite_pairs", "standardized"),
        *(f"{arm}_{of}" for of in ("left", "error", "accuracy") for arm in ("baseline", "treatment")),
    ),
    "convergence": _table(
        "whether the outcome that decides still changes at the end of the training",
        *(*FACTORS, "outcome", "seeds", "first_epoch", "last_epoch", "measurements"),
        *("change", "change_low", "change_high", "trend"),
    ),
    "exclusions": _table("trials that are left out of the pairs or that diverged", *FACTORS, "seed", "reason", "epoch"),
    "provenance": _table(
        "what the numbers of each setting come from: a row for each kind of software and machine",
        *(*FACTORS, "setting", "trials", "diverged", "seconds", *_SOFTWARE, "device_name", "threads"),
    ),
}
"""The tables of a report. The first `FACTORS` of those with a `treatment` lack the compared one."""

ADDED: dict[str, Any] = {
    **{factor: None for factor in FACTORS if factor not in FIRST_FACTORS},
    "image": "host",
    VALIDATION: None,
    ACCURACY: None,
    TARGET_VARIANCE: None,
    TARGET_SCALE: None,
}
"""Columns that result files of earlier versions lack, and what was true of their trials; labels are made anew."""


def of_report(name: str, factor: str) -> pa.Schema:
    """The columns of a table of a report in which the levels of `factor` are compared."""
    schema = TABLES[name]
    if "treatment" not in schema.names or factor not in schema.names:
        return schema
    return schema.remove(schema.get_field_index(factor))


def description(described: pa.Schema | pa.Field) -> str:
    """What a table or a column holds."""
    return str(described.metadata[b"description"].decode())


def unit(field: pa.Field) -> str:
    """The unit of a column; empty where it has none."""
    return str(field.metadata[b"unit"].decode())
