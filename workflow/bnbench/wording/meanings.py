"""What the columns of the page's tables mean: a sentence or two for each, by its heading."""

from __future__ import annotations

from collections.abc import Mapping

from bnbench.plan.study import Study

Meanings = dict[str, str]
"""Heading of a column → what it means."""


def verdicts(study: Study, said: Mapping[str, str], arms: tuple[str, str], effect: str) -> Meanings:
    """Of the table that decides, and of that of tuned arms.

    Args:
        study: the study.
        said: what captions say of it.
        arms: headings of the columns of the two arms.
        effect: the heading of the effect.
    """
    holds = said["together"] or " for the one context"
    means = f"{said['mean'][:1].upper()}{said['mean'][1:]} of the {said['loss']} over the {said['sample']}"
    counted = "Seeds that both arms have" if study.paired else "Runs of each arm"
    adjusted = f", adjusted{said['adjusted']} by {said['adjustment']}" if said["adjusted"] else ""
    return {
        "Verdict": "Helps and hurts are more than chance; equivalent is too small an effect to matter; undecided "
        "is neither.",
        effect: f"The {said['effect']} of the second arm to the first, with an interval that holds{holds}.",
        "p, adjusted": f"The p of the test that decides{adjusted}.",
        "Seeds" if study.paired else "Runs": f"{counted}.",
        arms[0]: f"{means}, of the arm that is compared with.",
        arms[1]: f"{means}, of the arm that is compared. {said['better'].capitalize()} is better.",
    }


def statistics(study: Study, said: Mapping[str, str], arms: tuple[str, str], last: str, too_small: str) -> Meanings:
    """Of the other statistics.

    Args:
        study: the study.
        said: what captions say of it.
        arms: what the baseline and the treatment are called in a sentence.
        last: the heading of the effect at the last measurement.
        too_small: which value is too small to measure.
    """
    common = {
        last: f"The {said['effect']} at the last {said['epoch']}, with the {said['level']} interval of its context "
        "alone."
    }
    return common | (_of_pairs if study.paired else _of_groups)(said, arms, too_small)


def _of_pairs(said: Mapping[str, str], arms: tuple[str, str], too_small: str) -> Meanings:
    base, treated = arms
    effect, level, scaled = said["effect"], said["level"], said["scaled"]
    return {
        "By itself": f"The {effect} with the {level} interval of its context alone.",
        "Corrected": f"The {effect} with the {level} interval of its context alone, for the population that the "
        "rows come from. "
        "Random splits of one data set share rows, so its width does not shrink to 0 with more seeds (Nadeau & "
        "Bengio 2003). "
        "It is an approximation.",
        "Robust": f"The Hodges–Lehmann estimate of the {effect}, with Wilcoxon's interval (Hodges & Lehmann 1963).",
        "p, Wilcoxon": "The p of Wilcoxon's signed-rank test, not adjusted.",
        "p, alone": "The p of the test that decides, before any adjustment.",
        "p, Holm": "The same p, adjusted by Holm's method (Holm 1979).",
        "p, equivalence": "The p of the two one-sided tests on the margin, adjusted by Holm's method.",
        "dz": f"The mean of the paired differences of the {scaled} divided by their standard deviation, with Hedges' "
        "correction (Lakens 2013).",
        "Wins": f"The share of seeds on which {treated} is better, with Wilson's interval (Wilson 1927).",
        "Spread": f"The ratio of the standard deviations of the {scaled}, {treated} to {base}.",
        "p, spread": "The p of Pitman and Morgan's test that these standard deviations are equal, not adjusted "
        "(Pitman 1939).",
        "r": f"The correlation of the arms' {scaled} over the seeds.",
        "Variance ratio": "The variance of the paired difference divided by that of an unpaired one. Below 1, "
        "pairing by seed "
        "helps.",
        "Seeds needed": "Where nothing is decided, the seeds that would show an effect as small as the margin with "
        "80 % power at "
        "this spread. The range is that of the spread, at 95 %.",
        "For equivalence": "The seeds that would show two equal arms to be equivalent with the same power.",
        "Too small": f"How many pairs have {too_small}. Such a pair has no {effect}, and the context is judged by "
        "ranks.",
    }


def _of_groups(said: Mapping[str, str], arms: tuple[str, str], too_small: str) -> Meanings:
    base, treated = arms
    effect, level, scaled = said["effect"], said["level"], said["scaled"]
    return {
        "By itself": f"The {effect} with the {level} interval of its context alone (Welch 1947).",
        "Robust": f"The Hodges–Lehmann estimate of the {effect}, with the interval of Wilcoxon's rank-sum test "
        "(Hodges & Lehmann "
        "1963).",
        "p, Wilcoxon": "The p of Wilcoxon's rank-sum test, not adjusted.",
        "p, alone": "The p of the test that decides, before any adjustment.",
        "p, equivalence": "The p of the two one-sided tests on the margin, adjusted by Holm's method.",
        "g": f"The difference of the means of the {scaled} divided by their pooled standard deviation, with "
        "Hedges' correction.",
        "Wins": f"The share of all pairs of a run of {treated} and a run of {base} in which {treated} is better, "
        "with Newcombe's "
        "interval.",
        "Spread": f"The ratio of the standard deviations of the {scaled}, {treated} to {base}.",
        "p, spread": "The p of Brown and Forsythe's test that these standard deviations are equal, not adjusted.",
        "r": f"The correlation of the arms' {scaled} over the seeds that both happen to have.",
        "Variance ratio": "The variance of the difference in pairs by these seeds divided by that of an unpaired "
        "one. Below 1, "
        "pairing would have helped.",
        "Runs needed": "Where nothing is decided, the runs of each arm that would show an effect as small as the "
        "margin with 80 % "
        "power at this spread. The range is that of the spread, at 95 %.",
        "For equivalence": "The runs of each arm that would show two equal arms to be equivalent with the same power.",
        "Too small": f"How many runs have {too_small}. Such a run has no part in the {effect}, and the context is "
        "judged by "
        "ranks.",
    }


def pairs_of_arms(said: Mapping[str, str], effect: str) -> Meanings:
    """Of the table of every arm against every other.

    Args:
        said: what captions say of the study.
        effect: the heading of the effect.
    """
    return {
        effect: f"The {said['effect']} of the first arm to the second over all contexts, with an interval that "
        "holds for all pairs "
        "together.",
        "p, adjusted": f"The p of this pair, adjusted for all pairs by {said['adjustment']}.",
        "Rank difference": "The mean rank of the first arm minus that of the second; the best arm of a context and "
        "seed has rank 1.",
        "Told apart": "Yes where the adjusted p is small enough, the interval excludes no effect, and the mean "
        "ranks agree.",
    }


DIVERGENCE = {
    "p, McNemar": "The exact test that both arms diverge equally often, pair by pair; not adjusted.",
    "p, Fisher": "The exact test that both arms diverge equally often; not adjusted.",
}
"""Of the table of divergence."""
