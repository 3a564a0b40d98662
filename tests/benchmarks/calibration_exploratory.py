"""How often the table of all outcomes marks an effect where there is none.

A study has four contexts, of which each has its primary outcome and five that are explored: two train losses, the gap,
the accuracy and the epochs to a target. That makes 20 tests. No arm differs from the other in any of them: the trials
of a seed share a part, and each has a part of its own, which is drawn in three shapes:

- normal;
- t3: Student's t with 3 degrees of freedom, which is symmetric with heavy tails;
- log-normal: exp of a normal, standardized, a skewness of 6. The differences are symmetric, since the arms are alike.

A share of the trials is censored: it does not reach the target by the last measured epoch. The target is fixed, or
(`own`) the one that a study takes without one. Trials may diverge, in both arms as often. Each context is judged by
`exploratory.outcomes` and all of them by `exploratory.adjusted`, as in a real study. Run by hand:
`PYTHONPATH=workflow:tests/unit python tests/benchmarks/calibration_exploratory.py`; some 7 minutes on one core. It
writes the table to `results/calibration-exploratory.md` beside it.
"""

import argparse
import math
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import in_memory
import numpy as np
import pandas as pd
import synthetic
from calibration import ALPHA, Rate

import bnbench
from bnbench.judging import exploratory, sign_flips, stats
from bnbench.judging.stats import Array
from bnbench.plan.study import Study
from bnbench.vocabulary import ACCURACY

SHAPES = ("normal", "t3", "log-normal")
SEEDS = (6, 10, 20)
CONTEXTS, TESTS = 4, 5
"""Of a study, and of each context."""

SPREAD, SHARED = 0.5, 0.5
"""Standard deviation of a trial's own part of its log losses and log epochs, and of the part of its seed."""


class Case(NamedTuple):
    """What befalls the trials of a study."""

    censored: float
    """Share of the trials that do not reach the target; NaN for the target that the study takes itself."""
    diverged: float = 0.0


CASES = (Case(0.25), Case(0.75), Case(math.nan), Case(0.25, 0.2))


def plan(own: bool = False) -> Study:
    """A study of 20 measured epochs, and without precise statistics."""
    report = {} if own else {"report": {"target": 1.0}}
    return synthetic.plan(norm=["none", "layer"], epochs=200, seeds=max(SEEDS), **report)


STUDIES = {own: plan(own) for own in (False, True)}


def own_part(generator: np.random.Generator, shape: str, *size: int) -> Array:
    """Parts of trials of their own, of mean 0 and variance 1."""
    normal = generator.standard_normal(size)
    if shape == "t3":
        return normal / np.sqrt(generator.chisquare(3, size))
    return (np.exp(normal) - math.exp(0.5)) / math.sqrt(math.e * (math.e - 1)) if shape == "log-normal" else normal


@cache
def middle(shape: str, censored: float) -> float:
    """The mean log number of epochs to the target at which a share of the trials is censored after 200."""
    generator = np.random.default_rng(0)
    parts = SPREAD * own_part(generator, shape, 1_000_000) + SHARED * generator.standard_normal(1_000_000)
    return math.log(200) - float(np.quantile(parts, 1 - (0.1 if math.isnan(censored) else censored)))


def arm(generator: np.random.Generator, shape: str, case: Case, common: Array) -> dict[str, Array]:
    """What is measured of the trials of one arm; `common` are the parts of their seeds, [5, seeds]."""
    parts = SHARED * common + SPREAD * own_part(generator, shape, *common.shape)
    times = middle(shape, case.censored) + parts[0]
    # The loss falls as the inverse of the number of epochs, and is 1 at the trial's own time.
    losses = {"test_loss": np.exp(times - np.log(np.arange(10, 201, 10))[:, None])}
    losses |= {name: np.exp(part) for name, part in zip(("train_loss", "eval_loss"), parts[1:], strict=False)}
    losses[ACCURACY] = 1 / (1 + np.exp(parts[3] - 1))
    gone = generator.random(common.shape[1]) < case.diverged
    return {name: np.where(gone, np.nan, values) for name, values in losses.items()}


def table(generator: np.random.Generator, shape: str, case: Case, seeds: int) -> pd.DataFrame:
    """All outcomes of one study, not adjusted yet, whose treatment trains three times as long, in two jobs."""
    study = STUDIES[math.isnan(case.censored)]
    found = []
    for _ in range(CONTEXTS):
        common = generator.standard_normal((TESTS, seeds))
        arms = [arm(generator, shape, case, common) for _ in range(2)]
        seconds = (np.full(seeds, 1.0), np.where(np.arange(seeds) < seeds // 2, 3.0, 3.1))
        found.append(exploratory.outcomes(study, in_memory.pairs(study, *arms, seconds)))
    return pd.concat(found, ignore_index=True)


def study(generator: np.random.Generator, shape: str, case: Case, seeds: int) -> tuple[float, ...]:
    """One study: any mark, any without the rows of seconds, any if these were tested, and epochs below α alone."""
    found, of_study = table(generator, shape, case, seeds), STUDIES[math.isnan(case.censored)]
    judged = exploratory.adjusted(of_study, found)
    without = exploratory.adjusted(of_study, found[found["outcome"] != exploratory.SECONDS])
    tested = judged.assign(p=judged["p"].where(judged["role"] != exploratory.DESCRIPTIVE, sign_flips.smallest_p(seeds)))
    p_bh = stats.benjamini_hochberg(tested["p"].where(tested["role"] != exploratory.PRIMARY))
    pushed = (p_bh < ALPHA) & judged["role"].eq(exploratory.EXPLORATORY)
    epochs = judged[judged["outcome"] == exploratory.EPOCHS_TO_TARGET]
    reached = (epochs["reached_baseline"] + epochs["reached_treatment"]).sum() / (2 * epochs["pairs"].sum())
    return judged["marked"].any(), without["marked"].any(), pushed.any(), (epochs["p"] < ALPHA).mean(), 1 - reached


def row(shape: str, case: Case, seeds: int, repetitions: int) -> str:
    """A line of the table."""
    generator = np.random.default_rng([SHAPES.index(shape), CASES.index(case), seeds])
    studies = np.array([study(generator, shape, case, seeds) for _ in range(repetitions)], float)
    marks, without, tested, epochs, censored = (Rate.of(column) for column in studies.T)
    cells = [marks.cell(most=ALPHA), without.cell(most=ALPHA), tested.cell(), epochs.cell(most=ALPHA)]
    target = "own" if math.isnan(case.censored) else "fixed"
    return f"| {shape} | {seeds} | {target} | {censored.share:.2f} | {case.diverged:g} | {' | '.join(cells)} |"


def head(repetitions: int) -> list[str]:
    """What stands above the table."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    columns = ["shape", "seeds", "target", "censored", "diverged", "marks", "without seconds", "if tested", "epochs"]
    return [
        "# Calibration of the table of all outcomes",
        "",
        f"bnbench {bnbench.__version__}, Python {platform.python_version()}, {versions}. {repetitions:,} studies a row "
        f"of {CONTEXTS} contexts and {CONTEXTS * TESTS} explored outcomes, none of which has an effect; standard "
        f"errors of the simulation in brackets. **Bold**: more than 3 of them beyond what is promised. α = {ALPHA:g}.",
        "",
        f"- **marks**: studies in which any outcome is marked; promised: at most {ALPHA:g}. The treatment trains three "
        "times as long as the baseline, and has two jobs in each context.",
        "- **without seconds**: the same studies without the rows of seconds.",
        "- **if tested**: studies in which any other outcome would have an adjusted p below α if seconds were tested "
        "as if each seed had a time of its own, as they were up to version 0.2.0.",
        f"- **epochs**: rows of epochs to the target whose p is below α, not adjusted; promised: at most {ALPHA:g}.",
        "",
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
    ]


def main() -> None:
    results = Path(__file__).parent / "results" / "calibration-exploratory.md"
    parser = argparse.ArgumentParser(description="Measure how often the table of all outcomes marks what is not there.")
    parser.add_argument("--output", type=Path, default=results)
    parser.add_argument("--repetitions", type=int, default=500)
    arguments = parser.parse_args()
    lines = head(arguments.repetitions)
    print("\n".join(lines), flush=True)
    for shape in SHAPES:
        for case in CASES:
            for seeds in SEEDS:
                lines.append(row(shape, case, seeds, arguments.repetitions))
                print(lines[-1], flush=True)
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
