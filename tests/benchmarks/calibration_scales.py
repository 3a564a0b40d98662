"""How often verdicts err where losses are too small to measure, where scores are compared, and where somebody peeks.

Losses are log-normal, and a share of them lies below the resolution, so that they are known to be no larger than that.
Scores are the accuracies of networks that are right on 97 of 100 test points, of which there are 360; what a trial is
right on varies by more than chance. Contexts are four, without an effect and with one of 1 standard deviation of the
paired differences, in the losses before any of them is raised and in the accuracies. Each study is judged by
`verdicts.decide`, as a real one is.

Peeking: a study without an effect is judged at 10 seeds, extended to 20 and judged again, and extended to 50. The
verdicts of the last look alone err as they promise; any false verdict at any look does not. What the records of the
plans say of it is asked of `preregistration.finding`. Run by hand:
`PYTHONPATH=workflow python tests/benchmarks/calibration_scales.py`; some 5 minutes on one core. It writes the table to
`results/calibration-scales.md` beside it.
"""

import argparse
import math
import platform
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration import ALPHA, REPORT, Rate

import bnbench
from bnbench.judging import finals, preregistration, verdicts
from bnbench.judging.stats import Array
from bnbench.judging.verdicts import Contrast
from bnbench.outcomes import OUTCOMES
from bnbench.plan import config
from bnbench.plan.preregistration import plan_of
from bnbench.vocabulary import ACCURACY

CONTEXTS, DRAWS = 4, 1_999
SEEDS = (8, 20)
FLOORED = (0.0, 0.1, 0.5, 0.9)
"""Shares of the losses that lie below the resolution."""

LOOKS = (10, 20, 50)
POINTS, RIGHT, VARYING = 360, 0.97, 0.01
"""Test points, the mean accuracy, and the standard deviation of a trial's own chance to be right."""

SCORES = replace(REPORT, outcome=ACCURACY, margin=OUTCOMES[ACCURACY].margin)


def losses(generator: np.random.Generator, seeds: int, share: float, effect: float) -> list[Contrast]:
    """Contexts in which this share of the losses without an effect is raised to the resolution."""
    floor = -math.inf if share == 0 else math.sqrt(0.5) * float(np.quantile(generator.standard_normal(20_000), share))
    found = []
    for _ in range(CONTEXTS):
        # Of variance 1/2 each, so that the differences have a standard deviation of 1.
        arms = math.sqrt(0.5) * generator.standard_normal((2, seeds)) + np.array([[0.0], [effect]])
        known = np.where(arms < floor, finals.AT_MOST, 0)
        raised = np.maximum(arms, floor)
        found.append(Contrast({}, np.arange(seeds), *raised, *raised, known, ()))
    return found


def scores(generator: np.random.Generator, seeds: int, effect: float) -> list[Contrast]:
    """Contexts of accuracies, as costs: with an effect, the treatment's are lower by so many standard deviations."""
    spread = math.sqrt(2 * (VARYING**2 + RIGHT * (1 - RIGHT) / POINTS))
    found = []
    for _ in range(CONTEXTS):
        chances = RIGHT + VARYING * generator.standard_normal((2, seeds)) - np.array([[0.0], [effect * spread]])
        accuracies = generator.binomial(POINTS, chances.clip(0, 1)) / POINTS
        costs: Array = OUTCOMES[ACCURACY].cost(accuracies)
        found.append(Contrast({}, np.arange(seeds), *costs, *costs, 0, ()))
    return found


def errs(decisions: Sequence[verdicts.Decision]) -> bool:
    """Whether any context is said to help or to hurt."""
    return any(decision.verdict in ("helps", "hurts") for decision in decisions)


def of_losses(repetitions: int) -> Iterator[str]:
    """The lines on losses: false alarms, and effects that are found."""
    for seeds in SEEDS:
        for share in FLOORED:
            generator = np.random.default_rng([seeds, int(100 * share)])
            found = []
            for _ in range(repetitions):
                null = verdicts.decide(REPORT, losses(generator, seeds, share, 0.0), DRAWS)
                shifted = verdicts.decide(REPORT, losses(generator, seeds, share, 1.0), DRAWS)
                found.append((errs(null), np.mean([one.verdict == "hurts" for one in shifted])))
            alarm, power = (Rate.of(column) for column in np.array(found, float).T)
            yield f"| {share:.0%} | {seeds} | {alarm.cell(most=ALPHA)} | {power.cell()} |"


def of_scores(repetitions: int) -> Iterator[str]:
    """The lines on scores: false alarms, simultaneous limits that hold, and effects that are found."""
    for seeds in SEEDS:
        generator, found = np.random.default_rng([seeds, 1]), []
        for _ in range(repetitions):
            null = verdicts.decide(SCORES, scores(generator, seeds, 0.0), DRAWS)
            shifted = verdicts.decide(SCORES, scores(generator, seeds, 1.0), DRAWS)
            held = all(one.low <= 0 <= one.high for one in null)
            found.append((errs(null), held, np.mean([one.verdict == "hurts" for one in shifted])))
        alarm, held, power = (Rate.of(column) for column in np.array(found, float).T)
        yield f"| {seeds} | {alarm.cell(most=ALPHA)} | {held.cell(least=1 - ALPHA)} | {power.cell()} |"


def of_looks(repetitions: int) -> Iterator[str]:
    """The lines on peeking, by the number of contexts: false at the last look, at any, and whether the page tells."""
    for contexts in (1, CONTEXTS):
        generator, found = np.random.default_rng(contexts), []
        for _ in range(repetitions):
            values, nothing = generator.standard_normal((contexts, LOOKS[-1])), np.zeros(LOOKS[-1])
            looks = []
            for seeds in LOOKS:
                arms = [(nothing[:seeds], value[:seeds]) for value in values]
                family = [Contrast({}, np.arange(seeds), *both, *both, 0, ()) for both in arms]
                looks.append(errs(verdicts.decide(REPORT, family, DRAWS)))
            found.append((looks[-1], any(looks)))
        last, ever = (Rate.of(column) for column in np.array(found, float).T)
        yield f"| {contexts} | {last.cell(most=ALPHA)} | {ever.cell()} | {'yes' if told() else 'no'} |"


def told() -> bool:
    """Whether the records of a study that was extended from look to look tell of each extension."""
    studies = [config.load({"study": "looks", "seeds": seeds}, "looks") for seeds in LOOKS]
    seen = (0, *LOOKS)
    records = [{"plan": plan_of(study), "trained": before} for study, before in zip(studies, seen, strict=False)]
    settings = {setting.address: {"trained": LOOKS[-1], "records": records} for setting in studies[-1].settings}
    changes = preregistration.finding(studies[-1], settings)["changes"]
    return [change["after"][0] for change in changes] == [*LOOKS[:-1]]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure error rates with small losses, scores and peeking.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "calibration-scales.md")
    parser.add_argument("--repetitions", type=int, default=1500)
    arguments = parser.parse_args()
    table = [
        "# Calibration: small losses, scores, and peeking",
        "",
        f"bnbench {bnbench.__version__}, Python {platform.python_version()}. {arguments.repetitions:,} studies a row, "
        f"{CONTEXTS} contexts each unless a column says otherwise; standard errors of the simulation in brackets. "
        f"**Bold**: more than 3 of them beyond what is promised, {ALPHA:g}.",
    ]
    sections = [
        ("Losses below the resolution", "share below|seeds|false alarms|found, of 1 sd", of_losses),
        ("Accuracies, by their difference", "seeds|false alarms|simultaneous|found, of 1 sd", of_scores),
        (
            f"Looks at {', '.join(map(str, LOOKS))} seeds",
            "contexts|false at the last look|false at any look|told by the record",
            of_looks,
        ),
    ]
    for title, columns, rows in sections:
        table += ["", f"## {title}", "", f"| {columns.replace('|', ' | ')} |", "|---" * (columns.count("|") + 1) + "|"]
        for row in rows(arguments.repetitions):
            table.append(row)
            print(row, flush=True)
    arguments.output.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
