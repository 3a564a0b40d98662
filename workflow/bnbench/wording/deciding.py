"""Whether as many runs as there are can decide anything, in words; and what a study of your own results has."""

from __future__ import annotations

from bnbench.plan import claimed
from bnbench.plan.own_study import OwnStudy
from bnbench.plan.study import Study
from bnbench.wording import captions, formats, own_results


def seeds_to_decide(alpha: float) -> int:
    """The least number n of seeds at which the smallest p of a sign flip, 2/2^n, is below `alpha`.

    However many contexts there are: step-down maxT adjusts p for them, and does not raise the smallest one.
    """
    seeds = 1
    while 2 / 2**seeds >= alpha:
        seeds += 1
    return seeds


def tests(study: Study) -> int:
    """Comparisons in the family that decides: of a study that tunes, those of the arms at what is chosen for them."""
    if study.config["tune"]:
        return len(claimed.rows(study, "tuned"))
    return study.family


def family(study: Study) -> str:
    """The same in words."""
    counted = formats.count(tests(study), "context" if len(study.comparisons) == 1 else "comparison")
    return f"{counted} at tuned learning rates" if study.config["tune"] else counted


def warning(study: Study) -> str:
    """One line where this number of seeds, or runs, can never show a difference; else nothing."""
    alpha = study.report.alpha
    where = f"any of {family(study)}" if tests(study) > 1 else "the one context"
    if isinstance(study, OwnStudy) and not study.paired:
        if smallest_of_groups(study) < alpha:
            return ""
        runs = f"{study.most['baseline']} and {study.most['treatment']} runs"
        start = f"warning: {runs} can never show a difference in {where} at alpha {alpha:g}"
        return f"{start}: the smallest p that they allow is {smallest_of_groups(study):.4g}"
    seeds, needed = pairs(study), seeds_to_decide(alpha)
    if seeds >= needed:
        return ""
    smallest = f"the smallest p that {formats.count(seeds, 'seed')} allow{'s' if seeds == 1 else ''}, 2/2^{seeds},"
    start = f"warning: {formats.count(seeds, 'seed')} can never show a difference in {where} at alpha {alpha:g}"
    return f"{start}: {smallest} is {2 / 2**seeds:.4g}; {needed} seeds can"


def pairs(study: Study) -> int:
    """Seeds that the arms of a comparison have in common, at most."""
    return study.most["pairs"] if isinstance(study, OwnStudy) else len(study.seeds)


def smallest_of_groups(study: OwnStudy) -> float:
    """The smallest p of a test between the two arms of the comparison with most runs."""
    from bnbench.judging import permutations, sign_flips  # noqa: PLC0415 - as below

    draws = sign_flips.draws(study.report.alpha)
    return permutations.smallest_p(study.most["baseline"], study.most["treatment"], draws)


def smallest_p(study: OwnStudy) -> str:
    """The smallest p that the runs allow, and how many they are."""
    if study.paired:
        from bnbench.judging import sign_flips  # noqa: PLC0415 - SciPy, which the Snakefile does not need

        smallest = sign_flips.smallest_p(pairs(study), sign_flips.draws(study.report.alpha))
        return f"{smallest:.2g}, with {formats.count(pairs(study), 'pair')}"
    runs = f"{study.most['baseline']} and {study.most['treatment']} runs"
    return f"{smallest_of_groups(study):.2g}, with {runs} in the two arms"


def judged(study: OwnStudy) -> str:
    """What would be judged, in one line: `16 runs (2 levels of norm, 8 seeds) in runs.csv, judged in 1 context`."""
    contexts = formats.count(len(study.contexts()), "context")
    return f"{captions.summary(study)} in {own_results.named(study)}, judged in {contexts}"
