"""The columns of all tables: name, type, unit and meaning. A name means the same thing in every table that has it."""

from __future__ import annotations

import pyarrow as pa

from bnbench.vocabulary import ACCURACY, AUC, BATCH, FACTORS, MAE, R2, SCHEMA, TARGET_SCALE, TARGET_VARIANCE, VALIDATION

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
            "objective": "what training minimizes: the loss of the task, or the one that the config names",
            "metrics": "your own metrics; null if there are none",
            "dtype": "type of the numbers in a network",
            "files": "your files and the classes that you added, each with the first eight digits of its hash; null "
            "if there are none",
            "baseline": "label of the arm that the other one is compared with",
            "treatment": "label of the arm that is compared with the baseline",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "epochs": "passes over the training data",
            "evaluate_every": "epochs from one measurement in evaluation mode to the next",
        },
    ),
    **_columns(
        _NUMBER,
        {"validation": "share of the training points that is held out for validation; null if none is"},
    ),
    **_columns(
        _WHOLE,
        {
            "seed": "fixes everything random: noise or split of the data, initial weights, order of the examples",
            "epoch": "epoch, counted from 0; for an excluded trial, the one at which it diverged",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "train_loss": "mean of the loss over the batches of the epoch, in training mode, before each step",
            "eval_loss": "loss on the training points in evaluation mode; null if it was not measured",
            "test_loss": "loss on the test points in evaluation mode",
            "test_loss_precise": "loss on the test points, with the statistics of the whole training set under the "
            "current weights",
            BATCH: "loss on the test points, in batches of the training size, each with its own statistics; equal to "
            "the test loss if no statistics are kept",
            VALIDATION: "loss on the points that are held out of the training; null if there are none",
            ACCURACY: "share of the test points that are classified correctly; null if nothing is classified",
            AUC: "area under the ROC curve at the test points; null unless there are two classes",
            R2: "explained share of the targets' variance at the test points, R²; null unless they are numbers",
            MAE: "mean absolute error at the test points, in the target's own units, or in standard deviations for "
            "several standardized targets; null unless targets are numbers",
        },
    ),
    # What describes a trial.
    **_columns(_WHOLE, {"diverged_at": "first epoch whose loss is not finite; null if there is none"}),
    **_columns(
        _NUMBER,
        {
            "seconds": "wall time of training and evaluation: for a trial, that of its job divided by the job's seeds; "
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
            "commit": "commit of the checkout, ending in -dirty if the workflow was edited since; empty if unknown",
            "image": "digest of the image that the trial ran in, or host",
            "arithmetic": "vector instructions that torch used, and settings of the environment that change rounding; "
            "null if an earlier version trained it",
            "weights_hash": "hash of the initial weights that all arms of a seed share",
        },
    ),
    **_columns(
        _NUMBER,
        {
            TARGET_VARIANCE: "variance of the targets at the test points, in the units of the test loss; null if "
            "the loss is not a squared error, or was measured by a version that did not store it",
            TARGET_SCALE: "what one unit of the standardized target is in the target's own units; null if the "
            "target was not standardized",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "x": "a test point; null if classes are counted",
            "y": "target at the test point; for classes, the number of the true one, counted from 0",
            "y_fit": "output of the network at the test point after the last epoch; for classes, the number of the one "
            "that is predicted",
        },
    ),
    **_columns(
        _WHOLE,
        {"points": "test points of the class y that are classified as y_fit; null if a function is fitted"},
    ),
    # The verdict on a context.
    **_columns(_TEXT, {"outcome": "which outcome the row is about"}),
    **_columns(
        _WHOLE,
        {
            "pairs": "seeds that both arms have; for unpaired runs, the number of runs of the smaller arm",
            "finite_pairs": "pairs in which no trial diverged; in outcomes, pairs that the effect is based on",
            "runs_baseline": "runs of the baseline; null if runs are paired",
            "runs_treatment": "runs of the treatment; null if runs are paired",
            "family": "comparisons that are judged together; in interactions, all_pairs and confusion, rows",
            "floored": "finite pairs, or unpaired runs, with a loss below the resolution; they are not in the effect",
            "diverged_baseline": "pairs in which the baseline's trial diverged, or its unpaired runs that diverged",
            "diverged_treatment": "pairs in which the treatment's trial diverged, or its unpaired runs that diverged",
            "examples": "examples in a batch; null if batch sizes are compared",
            "reached_baseline": "pairs in which the baseline's trial reached the target and did not diverge",
            "reached_treatment": "pairs in which the treatment's trial reached the target and did not diverge",
            "at_once_baseline": "pairs in which the baseline's trial was at the target at the first measurement",
            "at_once_treatment": "pairs in which the treatment's trial was at the target at the first measurement",
            "jobs_baseline": "jobs in which the baseline's trials of the pairs were trained; only for seconds",
            "jobs_treatment": "jobs in which the treatment's trials of the pairs were trained; only for seconds",
            "direction": "sign of the tested difference, treatment − baseline: −1, 0 or 1; also 0 if nothing is tested",
            "decided_from": "first epoch from which the band lies on the side of the verdict, helps or hurts, to the "
            "end; null if there is none, or with another verdict",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "baseline_value": "the baseline's outcome: for one seed, or its mean over the pairs of the effect, "
            "geometric if the effect is a ratio",
            "treatment_value": "the treatment's outcome: for one seed, or its mean over these pairs",
            "baseline_last": "the baseline's outcome at the last epoch",
            "treatment_last": "the treatment's outcome at the last epoch",
            "effect": "treatment compared with baseline, for a seed or as a mean over the pairs: a ratio of losses (1: "
            "no effect), or a difference (0: no effect). In interactions, the factor that multiplies a ratio, or the "
            "change of a difference",
            "effect_low": "lower limit of the effect that holds for all contexts together",
            "effect_high": "upper limit of the effect that holds for all contexts together",
            "corrected_low": "lower limit of the effect for the population that the rows come from, for the context "
            "alone (Nadeau & Bengio); null unless each seed draws another test part of the same rows and the outcome "
            "is measured on it",
            "corrected_high": "upper limit of the effect for that population",
            "own_low": "lower limit of the effect for the context alone (Student; Welch for unpaired runs)",
            "own_high": "upper limit of the effect for the context alone",
            "narrow_low": "lower 1 − 2α limit of the effect for the context alone",
            "narrow_high": "upper 1 − 2α limit of the effect for the context alone",
            "confidence": "confidence level of the intervals, 1 − α",
            "p": "p-value of the sign-flip test; for unpaired runs, by permutation (interactions: Welch); not adjusted",
            "p_max_t": "p-value adjusted for the family by step-down maxT; null for unpaired runs",
            "p_holm": "p-value adjusted for the family by Holm",
            "p_adjusted": "the adjusted p-value that decides",
            "p_bh": "p-value adjusted for false discoveries over all exploratory rows (Benjamini & Hochberg)",
            "edge_effect": "how far the number that decides an effect lies beyond the edge of its verdict, in standard "
            "errors; negative if it falls short of it, null if there are too few seeds to decide",
            "edge_equivalence": "the same for a mean that is within the margin",
            "edge_not_worse": "the same for a treatment that is not worse by more than the margin",
            "p_equivalence": "p-value of two one-sided tests on the margin, adjusted by Holm; null if not all pairs "
            "were measured, or if there are too few to decide anything",
            "hl_effect": "Hodges–Lehmann estimate of the effect",
            "hl_low": "lower limit of hl_effect, by the test of p_wilcoxon",
            "hl_high": "upper limit of hl_effect, by the test of p_wilcoxon",
            "p_wilcoxon": "p-value of Wilcoxon's test: signed ranks, or the rank sum for unpaired runs",
            "hedges_dz": "mean of the pairs' differences (of logarithms if effects are ratios) divided by their "
            "standard deviation, Hedges-corrected; null for unpaired runs",
            "hedges_g": "difference of the means of unpaired runs divided by their pooled deviation, Hedges-corrected",
            "win_rate": "share of seeds, or of pairs of unpaired runs, with a better treatment; ties count half",
            "win_low": "lower limit of win_rate (Wilson; Newcombe for unpaired runs)",
            "win_high": "upper limit of win_rate",
            "spread_ratio": "ratio of the standard deviations of the outcome (of its logarithm if effects are "
            "ratios), treatment to baseline",
            "p_spread": "p-value of the test of equal deviations (Pitman and Morgan; unpaired, Brown and Forsythe)",
            "correlation": "correlation of the arms over the seeds of both (of logarithms if effects are ratios)",
            "variance_ratio": "variance of the paired difference divided by that of an unpaired one, over these seeds",
            "effect_last": "effect at the last epoch alone, over the same pairs",
            "effect_last_low": "lower limit of effect_last",
            "effect_last_high": "upper limit of effect_last",
            "p_mcnemar": "exact p-value of McNemar's test on the divergences; null if no trial diverged",
            "p_fisher": "p-value of Fisher's exact test on divergences of unpaired runs; null if none diverged",
            "resolution": "the smallest mean loss above 0 that the arithmetic can give; null for scores",
            "raised_effect": "the effect over all finite pairs with losses below the resolution raised to it; null "
            "if there are none",
            "raised_low": "lower limit of raised_effect for the context alone (Student)",
            "raised_high": "upper limit of raised_effect for the context alone (Student)",
            "seeds_needed": "seeds, or runs of each arm, that would show an effect as small as the margin with 80 % "
            "power, at the observed spread; null if the context is decided",
            "seeds_needed_low": "the same at the lower 95 % limit of the spread",
            "seeds_needed_high": "the same at the upper 95 % limit of the spread",
            "seeds_equivalent": "seeds, or runs of each arm, that would show equal arms to be equivalent with 80 % "
            "power, at the observed spread; null if the context is decided",
            "seeds_equivalent_low": "the same at the lower 95 % limit of the spread",
            "seeds_equivalent_high": "the same at the upper 95 % limit of the spread",
        },
    ),
    **_columns(
        _TEXT,
        {
            "verdict": "helps, hurts, equivalent, undecided, or no data; in confusion, by p_adjusted and the row's own "
            "interval, where recognizing more of a class, or mistaking less of it for another, is better",
            "test": "mean (of the differences), or ranks: worst-rank if trials diverged, rank if losses are "
            "below the resolution",
            "adjustment": "how p_adjusted is adjusted: by step-down maxT, or by Holm for unpaired runs",
            "limits": "method of the limits that hold together: flips of the residuals, Bonferroni if there are too "
            "few pairs to flip or runs are unpaired, or Student if there is only one context; null if there are none",
            "mixed": "versions of torch, devices or kinds of arithmetic, if the pairs come from several",
            "role": "primary if it decides the verdict; exploratory if it is only tested; descriptive if it is not",
            "bound": "how the effect bounds the true one if not everything was measured (a loss is below the "
            "resolution; a target was not reached, or at once): at least, at most, or restricted if it may be either; "
            "null if everything was. In contexts it is about raised_effect",
        },
    ),
    **_columns(
        _FLAG,
        {
            "within_margin": "whether p_equivalence is below α",
            "marked": "whether p_bh is below α and the effect that is shown has the direction of the test",
            "baseline_floored": "whether the baseline's loss is below the resolution",
            "treatment_floored": "whether the treatment's loss is below the resolution",
        },
    ),
    # The losses on an absolute scale, and whether they still change.
    **_columns(
        _NUMBER,
        {
            f"{arm}_{of}": text.format(arm=f"the {arm}")
            for of, text in {
                "left": "unexplained variance of {arm}, 1 − R²: squared test error divided by the "
                "variance of the test targets, as a geometric mean over the finite pairs; null if it is unknown",
                "error": "root mean square test error of {arm}, in the target's own units, or in standard deviations "
                "for several standardized targets, as a geometric mean over the finite pairs; null if it is "
                "unknown",
                "accuracy": "share of the test points that {arm} classifies correctly, as a mean over the finite "
                "pairs; null if nothing is classified",
            }.items()
            for arm in ("baseline", "treatment")
        },
    ),
    **_columns(_FLAG, {"standardized": "whether the target was standardized for training"}),
    **_columns(
        _NUMBER,
        {
            "course_share": "share of the epochs, from the first that is shown to the last, that the stretch spans",
            "change": "change of the outcome, or of the effect on it, from first_epoch to last_epoch, by a straight "
            "line through each seed's measurements, as a mean over the seeds: a ratio of losses (1: no change), or a "
            "difference (0: no change; of the generalization gap, in log units)",
            "change_low": "lower limit of change that holds for all settings, or comparisons, together (Bonferroni)",
            "change_high": "upper limit of change that holds for all settings, or comparisons, together (Bonferroni)",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "first_epoch": "first measured epoch of the stretch over which a change is judged, or in which a band lies "
            "on one side",
            "last_epoch": "last measured epoch of that stretch",
            "peak_epoch": "epoch of that stretch at which the effect is largest",
            "measurements": "measured epochs of that stretch",
        },
    ),
    **_columns(
        _TEXT,
        {
            "side": "of no effect, on which a band lies: below or above",
            "trend": "falls or rises where the limits of change say so; else unclear, or no data",
        },
    ),
    # What accompanies the verdicts.
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
            "deviation": "standard deviation of the outcome over the seeds (of its logarithm if effects are ratios)",
            "variance_share": "variance of that outcome when this source alone varies, divided by that when all vary",
            "variance_share_low": "lower limit of variance_share (jackknife over the seeds)",
            "variance_share_high": "upper limit of variance_share (jackknife over the seeds)",
            "value": "a loss that was printed elsewhere",
            "percentile": "where that loss ranks among the seeds, 0 to 100; ties count half",
            "lowest": "smallest loss of the seeds at that epoch",
            "median": "median loss of the seeds at that epoch",
            "highest": "largest loss of the seeds at that epoch",
            "baseline_share": "share of the test points of the class that the baseline classifies as the predicted "
            "one, as a mean over the seeds",
            "treatment_share": "share of the test points of the class that the treatment classifies as the predicted "
            "one",
            "final": "final value of the outcome, over the window; null if the trial diverged",
            "share": "share of the splits with a false verdict in any context",
            "contexts_share": "share of single contexts with a false verdict",
            "rate": "value of the first tuned parameter, usually the learning rate",
            "best_effect": "effect with each arm at the values chosen for it",
            "baseline_validation": "geometric mean of the baseline's validation loss at these values",
            "treatment_validation": "geometric mean of the treatment's validation loss at these values",
        },
    ),
    **_columns(
        _WHOLE,
        {
            "seeds": "trials that stay finite to the end",
            "diverged": "trials that diverged",
            "common_seeds": "seeds whose trials stay finite for every varied source of randomness",
            "trials": "trials of the setting that this software and machine trained",
            "splits": "random splits of the baseline against itself",
            "contexts": "number of contexts combined; in control, that of each split",
            "baseline_diverged": "trials of the baseline that diverged at these values",
            "treatment_diverged": "trials of the treatment that diverged at these values",
            "agreeing_baseline": "seeds for which chosen_baseline is chosen",
            "agreeing_treatment": "seeds for which chosen_treatment is chosen",
            "baseline_chosen": "seeds for which the other seeds choose these values for the baseline",
            "treatment_chosen": "seeds for which the other seeds choose these values for the treatment",
            "rows": "rows that the claim is about",
            "supporting": "rows that agree with the claim",
            "contradicting": "rows that are decided otherwise",
            "close": "rows so near the edge of their verdict that a repetition may change the conclusion",
        },
    ),
    # All contexts together, and every arm against every other.
    **_columns(
        _TEXT, {"arm": "label of an arm", "groups": "letters; two arms that share a letter cannot be distinguished"}
    ),
    **_columns(
        _WHOLE,
        {
            "contexts_helped": "contexts whose verdict is helps; null except for a main effect",
            "contexts_hurt": "contexts whose verdict is hurts; null except for a main effect",
            "contexts_equivalent": "contexts whose verdict is equivalent; null except for a main effect",
            "contexts_undecided": "contexts with no verdict; null except for a main effect",
        },
    ),
    **_columns(
        _NUMBER,
        {
            "prediction_low": "lower limit of the prediction interval for the effect in a further context",
            "prediction_high": "upper limit of the prediction interval for the effect in a further context",
            "iqm": "interquartile mean of the effects over contexts and seeds, geometric if the effect is a ratio; "
            "null if losses are below the resolution, or both trials of a pair diverged",
            "improvement": "share of the pairs in which the treatment is better, with ties counted half: the mean over "
            "the contexts",
            "improvement_low": "lower limit of improvement, by the bootstrap over seeds",
            "improvement_high": "upper limit of improvement, by the bootstrap over seeds",
            "effect_lowest": "smallest effect of a context",
            "effect_highest": "largest effect of a context",
            "tau": "standard deviation of the true effects of the contexts (of their logarithms if they are ratios)",
            "i_squared": "share of the variance of the contexts' observed effects that is not chance",
            "threshold": "an effect",
            "reached": "share of the pairs, over contexts and seeds, whose effect is at least as good as the threshold",
            "rank_difference": "mean rank of the treatment minus that of the baseline",
            "mean_rank": "mean rank of the arm among all arms, over contexts and seeds; 1 is best",
        },
    ),
    **_columns(_FLAG, {"told_apart": "whether p_adjusted is below α, and interval and rank_difference agree"}),
    **_columns(
        _TEXT,
        {
            "class": "a class, by its name in the data or its number",
            "predicted": "the class predicted for test points of that class",
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
            "paper": "what the source of the claim did",
            "here": "what is tested here",
            "setup": "same: task, outcome and tuning are those of the source; other: they are not",
            "to": "the setup that a claim of another setup carries over to, or does not",
            "conclusion": "the verdict on the claim: supported, only where …, contradicted or undecided; in another "
            "setup, that it carries over, carries over in part or does not carry over",
            "chosen_baseline": "values that other seeds' validation losses choose for the baseline for most seeds",
            "chosen_treatment": "values that other seeds' validation losses choose for the treatment for most seeds",
            "at_end_baseline": "which of chosen_baseline are the first or last of the values tried",
            "at_end_treatment": "which of chosen_treatment are the first or last of the values tried",
            "parameter": "the first tuned parameter",
            "beside": "values of the other tuned parameters",
            "where": "the rows on which it holds or is contradicted",
            "measured": "the numbers of the rows",
        },
    ),
}
"""Name of a column → its field, with a description and a unit in its metadata."""


def of_factor(name: str) -> pa.Field:
    """The column of a factor: one of the config, or one of the user's own table."""
    return (
        COLUMNS[name]
        if name in FACTORS
        else _columns(_TEXT, {name: "label of the level: a column of your table"})[name]
    )


def of_metric(name: str) -> pa.Field:
    """The column of the user's own metric."""
    return _columns(_NUMBER, {name: "your own metric, on the test points"})[name]
