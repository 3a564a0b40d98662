"""How often the judgement of a study errs, and how often its intervals hold, where the truth is known.

Log differences of a family of contexts are drawn in four shapes, all of mean 0:

- normal;
- t3: Student's t with 3 degrees of freedom, which is symmetric with heavy tails;
- unequal spreads: normal, of every other seed four times as wide, and of the last context eight times the first;
- log-normal: asymmetric, exp of a normal, a skewness of 6. Arms that do not differ at all have symmetric differences;
  such ones come of arms that differ in shape but not in their mean, for which neither sign flips nor Student promise
  anything of so few seeds.

Each study is judged by `verdicts.decide`, as a real one is, without an effect and with one. Contexts of one study share
none or .8 of the variance of the normals that they are made of. Run by hand:
`PYTHONPATH=workflow python tests/benchmarks/calibration.py`; some 8 minutes on one core. It writes the table to
`results/calibration.md` beside it.
"""

import argparse
import math
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from statsmodels.stats.power import TTestPower

import bnbench
from bnbench.judging import stats, verdicts
from bnbench.judging.stats import Array
from bnbench.judging.verdicts import Contrast
from bnbench.plan import config

REPORT = config.load({"study": "calibration"}, "calibration").report
ALPHA, EDGE = REPORT.alpha, math.log(REPORT.margin)
SHAPES = ("normal", "t3", "unequal spreads", "log-normal")
SEEDS = (6, 10, 20, 50)
FAMILIES = ((1, 0.0), (8, 0.0), (8, 0.8))
"""Contexts, and the variance that they share."""

DRAWS = 1_999
"""Random sign flips, of more than 16 seeds; a study uses more."""

POWER = 0.8
"""What the t test promises for the effects that are to be found."""

CLEAR = 3
"""Standard errors beyond a promise that are pointed out."""


class Rate(NamedTuple):
    """A share with its standard error of simulation."""

    share: float
    error: float

    @classmethod
    def of(cls, studies: Array) -> "Rate":
        """Of [studies] shares; where all are equal, the error is one of a single other study."""
        count = len(studies)
        return cls(float(studies.mean()), max(float(studies.std(ddof=1)) / math.sqrt(count), 1 / count))

    def cell(self, most: float = 1.0, least: float = 0.0) -> str:
        """As the table shows it: bold where it is clearly beyond its bounds."""
        said = f"{self.share:.3f} ({self.error:.3f})".replace("0.", ".")
        beyond = max(self.share - most, least - self.share) > CLEAR * self.error
        return f"**{said}**" if beyond else said


def differences(generator: np.random.Generator, shape: str, seeds: int, contexts: int, together: float) -> Array:
    """Log differences of one study, [contexts, seeds]."""
    common, own = generator.standard_normal(seeds), generator.standard_normal((contexts, seeds))
    normal: Array = math.sqrt(together) * common + math.sqrt(1 - together) * own
    if shape == "t3":
        return normal / np.sqrt(generator.chisquare(3, normal.shape))
    if shape == "log-normal":
        return (np.exp(normal) - math.exp(0.5)) / math.sqrt(math.e * (math.e - 1))
    if shape == "unequal spreads":
        # Variances of 1 and 16 by turns, 8.5 on average.
        return np.geomspace(1, 8, contexts)[:, None] * np.where(np.arange(seeds) % 2, 4, 1) / math.sqrt(8.5) * normal
    return normal


def decide(values: Array) -> list[verdicts.Decision]:
    """What is decided of a study with these log differences."""
    nothing, seeds = np.zeros(values.shape[1]), np.arange(values.shape[1])
    return verdicts.decide(REPORT, [Contrast({}, seeds, nothing, v, nothing, v, 0, "") for v in values], DRAWS)


def study(generator: np.random.Generator, shape: str, seeds: int, contexts: int, together: float) -> tuple[float, ...]:
    """One study: false alarm, joint coverage, share of contexts covered, false equivalence, share of effects found."""
    values = differences(generator, shape, seeds, contexts, together)
    null = decide(values)
    alarm = any(decision.verdict in ("helps", "hurts") for decision in null)
    jointly = all(decision.low < 0 < decision.high for decision in null)
    _, _, low, high = stats.column_intervals(values, 1 - ALPHA)
    spreads = np.geomspace(1, 8, contexts)[:, None] if shape == "unequal spreads" else 1.0
    # Differences as large as the margin, by turns of either sign, of which four standard errors make the margin.
    edges = np.where(np.arange(contexts) % 2, -EDGE, EDGE)[:, None]
    at_edge = values / spreads * EDGE * math.sqrt(seeds) / 4 + edges
    equivalent = stats.holm([stats.equivalence(row, EDGE) for row in at_edge]).min() < ALPHA
    found = [decision.verdict == "hurts" for decision in decide(values / spreads + effect(seeds, contexts))]
    return alarm, jointly, ((low < 0) & (high > 0)).mean(), bool(equivalent), np.mean(found)


@cache
def effect(seeds: int, contexts: int) -> float:
    """The d_z that a t test of one of so many contexts, at Bonferroni's level, finds as often as `POWER`."""
    return float(TTestPower().solve_power(nobs=seeds, alpha=ALPHA / contexts, power=POWER))


def rows(shape: str, repetitions: int) -> Iterator[str]:
    """The lines of one shape's table."""
    for index, seeds in enumerate(SEEDS):
        for family, (contexts, together) in enumerate(FAMILIES):
            generator = np.random.default_rng([SHAPES.index(shape), index, family])
            studies = [study(generator, shape, seeds, contexts, together) for _ in range(repetitions)]
            alarm, jointly, alone, equivalent, found = (Rate.of(column) for column in np.array(studies, float).T)
            cells = [
                alarm.cell(most=ALPHA),
                jointly.cell(least=1 - ALPHA),
                alone.cell(least=1 - ALPHA),
                equivalent.cell(most=ALPHA),
                found.cell(least=POWER),
            ]
            shared = f"{together:g}" if contexts > 1 else "–"
            yield f"| {seeds} | {contexts} | {shared} | {' | '.join(cells)} |"


def head(repetitions: int) -> list[str]:
    """What stands above the tables."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "statsmodels"))
    return [
        "# Calibration",
        "",
        f"bnbench {bnbench.__version__}, Python {platform.python_version()}, {versions}. "
        f"{repetitions:,} studies a row, {DRAWS:,} sign flips of more than 16 seeds; "
        "standard errors of the simulation in brackets. "
        f"**Bold**: more than {CLEAR} of them beyond what is promised. "
        f"α = {ALPHA:g}, margin {REPORT.margin:g}.",
        "",
        "- **false alarms**: studies without an effect in which any context is said to help or to hurt; "
        f"promised: at most {ALPHA:g}.",
        "- **simultaneous**: studies in which the limits of all contexts hold the truth; "
        f"promised: at least {1 - ALPHA:g}.",
        f"- **alone**: contexts whose own Student's interval holds it; promised: {1 - ALPHA:g}.",
        "- **at the margin**: studies whose differences all are as large as the margin, by turns of either sign, in "
        f"which any context passes for equivalent; promised: at most {ALPHA:g}. Four standard errors make the margin.",
        f"- **found**: contexts that are said to hurt, of effects that a t test of normal differences at α = {ALPHA:g} "
        f"over the number of contexts (Bonferroni) finds with a power of {POWER:g}. A verdict needs the p of the sign "
        "flips as well as the interval: of 6 seeds of one context it needs all of one sign, a test at .031.",
        "",
        "Arms that do not differ at all have symmetric differences, as in the first three shapes. The last is of arms "
        "that differ in shape but not in their mean, with a skewness of 6: there a mean needs far more seeds, and the "
        "promises do not hold.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the error rates and coverage of a study's verdicts.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results" / "calibration.md")
    parser.add_argument("--repetitions", type=int, default=2500)
    arguments = parser.parse_args()
    table = head(arguments.repetitions)
    print("\n".join(table), flush=True)
    for shape in SHAPES:
        columns = ["seeds", "contexts", "shared", "false alarms", "simultaneous", "alone", "at the margin", "found"]
        table += ["", f"## {shape.capitalize()}", "", f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        print("\n".join(table[-5:]), flush=True)
        for row in rows(shape, arguments.repetitions):
            table.append(row)
            print(row, flush=True)
    arguments.output.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
