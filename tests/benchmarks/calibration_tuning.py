"""How often verdicts on tuned arms err, and what tuning costs in power, where the truth is known.

Two arms are drawn at all of their candidates (learning rates): log test losses with a standard deviation of 1 over the
seeds, of which a part is the same at all candidates, and log validation losses, which are the same plus noise of their
own. A candidate is chosen for each seed of each arm, and the differences are judged by `verdicts.decide`, as in a real
study. Three ways to choose stand beside `tuning.choices`: by all other seeds, by the other four of five folds, and by
the other one of two. The cases:

- **curves**: the bests of both arms are equal, their other candidates are not, and validation finds the bests;
- **mirrored**: one arm's candidates are the other's in reverse order, each so much worse than the one before. Over
  many studies the arms are equal, but a study may choose better in one than in the other;
- **one of k**: one arm has a single candidate that is any good, the other one k of them, all alike, or nearly so: then
  the single one is as good as what is chosen of the others on average.

Run by hand: `PYTHONPATH=workflow python tests/benchmarks/calibration_tuning.py`; some 15 minutes on one core. It writes
the tables to `results/calibration-tuning.md` beside it.
"""

import argparse
import math
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
from calibration import ALPHA, CLEAR, EDGE, REPORT, Rate, decide

import bnbench
from bnbench.judging import stats, tuning
from bnbench.judging.stats import Array

Choose = Callable[[Array], Array]
"""From log validation losses [seeds, candidates] to the place of each seed's candidate, [seeds]."""


class Case(NamedTuple):
    """Two arms at all of their candidates."""

    name: str
    baseline: tuple[float, ...]
    """Mean log loss at each candidate, in standard deviations over the seeds; so of the treatment."""
    treated: tuple[float, ...]
    seeds: int
    extra: float = 0.3
    """Standard deviation of the noise that validation losses have beside that of the test losses."""
    alike: float = 0.3
    """Share of the variance of a seed's losses that is the same at all candidates of an arm."""

    def drawn(self, generator: np.random.Generator, means: tuple[float, ...]) -> tuple[Array, Array]:
        """Log validation and test losses of one arm, [seeds, candidates] each."""
        common, own = generator.normal(size=(self.seeds, 1)), generator.normal(size=(self.seeds, len(means)))
        noise = math.sqrt(self.alike) * common + math.sqrt(1 - self.alike) * own
        outcome = np.array(means) + noise
        return outcome + self.extra * generator.normal(size=outcome.shape), outcome


class Outcome(NamedTuple):
    """What comes of one study, with one way to choose."""

    differences: Array
    """Log differences, [seeds]."""
    truth: float
    """The mean of the differences at the candidates that were chosen."""


def folds(count: int) -> Choose:
    """Each seed's candidate by the seeds outside its fold; with as many folds as seeds, by all other seeds."""

    def choose(validation: Array) -> Array:
        fold = np.arange(len(validation)) % min(count, len(validation))
        return (fold[:, None] != fold).astype(float).dot(validation).argmin(1)

    return choose


WAYS: dict[str, Choose] = {
    "all others": folds(10**6),
    "5 folds": folds(5),
    "2 folds": folds(2),
    "circle": tuning.choices,
}
"""Name of a way to choose → the way; the last one is what reports have."""


def studied(case: Case, generator: np.random.Generator, effect: float = 0.0) -> dict[str, Outcome]:
    """One study of a case, judged at what each of `WAYS` chooses; and `known`, at the best candidates."""
    arms = (case.baseline, tuple(mean + effect for mean in case.treated))
    drawn = [case.drawn(generator, means) for means in arms]
    seeds = np.arange(case.seeds)

    def at(chosen: list[Array]) -> Outcome:
        baseline, treated = (outcome[seeds, place] for (_, outcome), place in zip(drawn, chosen, strict=True))
        means = [np.array(mean)[place] for mean, place in zip(arms, chosen, strict=True)]
        return Outcome(treated - baseline, float((means[1] - means[0]).mean()))

    found = {name: at([choose(validation) for validation, _ in drawn]) for name, choose in WAYS.items()}
    return {**found, "known": at([np.full(case.seeds, np.argmin(means)) for means in arms])}


def called_different(differences: Array) -> bool:
    """Whether a study with one context of these differences, [seeds], says that the treatment helps or hurts."""
    return decide(differences[None])[0].verdict in ("helps", "hurts")


def covered(outcome: Outcome) -> bool:
    """Whether the interval holds the mean difference at the chosen candidates."""
    _, low, high = stats.t_interval(outcome.differences, 1 - ALPHA)
    return low <= outcome.truth <= high


def level(name: str, seeds: int, k: int, spread: float, **noise: float) -> Case:
    """The case of one good candidate of k, against k of which each is worse than the first by up to `spread`."""
    near = tuple(np.linspace(0, spread, k).tolist())
    case = Case(name, (0.0, *[9.0] * (k - 1)), near, seeds, **noise)
    if not spread:
        return case
    generator = np.random.default_rng(0)
    chosen = [np.array(near)[tuning.choices(case.drawn(generator, near)[0])].mean() for _ in range(4000)]
    return case._replace(baseline=(float(np.mean(chosen)), *[9.0] * (k - 1)))


def cases() -> list[Case]:
    """Cases without a difference, over many studies."""
    found = []
    for seeds in (8, 20):
        steep, flat = (0.0, 3.0, 6.0, 9.0, 12.0), (4.0, 3.0, 2.0, 2.0, 0.0)
        found += [Case("curves", steep, flat, seeds, extra) for extra in (0.3, 1.0)]
        for gap in (0.2, 0.5, 1.0):
            means = tuple(gap * step for step in range(5))
            found += [Case(f"mirrored, steps of {gap:g}", means, means[::-1], seeds, extra) for extra in (0.3, 1.0)]
        for k in (5, 10):
            found += [level(f"one of {k}", seeds, k, 0.0, extra=extra) for extra in (0.3, 1.0)]
            found += [level(f"one of {k}, own noise", seeds, k, 0.0, alike=0.0)]
            found += [level(f"one of {k}, nearly alike", seeds, k, 0.2)]
    return found


def errors(case: Case, repetitions: int) -> str:
    """The line of one case: false verdicts of each way to choose, and of the last how often its interval holds."""
    generator = np.random.default_rng([case.seeds, len(case.treated), round(100 * case.extra)])
    studies = [studied(case, generator) for _ in range(repetitions)]
    cells = [
        Rate.of(np.array([called_different(study[name].differences) for study in studies], float)).cell(most=ALPHA)
        for name in WAYS
    ]
    holds = Rate.of(np.array([covered(study["circle"]) for study in studies], float)).cell(least=1 - ALPHA)
    return f"| {case.name} | {case.seeds} | {case.extra:g} | {' | '.join([*cells, holds])} |"


def equivalences(case: Case, repetitions: int) -> str:
    """The line of one case: how often arms whose difference is the margin pass for equivalent, on the circle."""
    generator = np.random.default_rng([case.seeds, len(case.treated), 7])
    found = []
    for _ in range(repetitions):
        differences = studied(case, generator)["circle"].differences
        # Four standard errors make the margin.
        at_edge = differences / math.sqrt(2) * EDGE * math.sqrt(case.seeds) / 4 + EDGE
        found.append(stats.equivalence(at_edge, EDGE) < ALPHA)
    return f"| {case.name} | {case.seeds} | {case.extra:g} | {Rate.of(np.array(found, float)).cell(most=ALPHA)} |"


def power(case: Case, repetitions: int) -> str:
    """The line of one case: how often an effect of d_z = 1 is found, by each way and at the best candidates."""
    generator = np.random.default_rng([case.seeds, round(100 * case.extra), 9])
    studies = [studied(case, generator, effect=math.sqrt(2)) for _ in range(repetitions)]
    names = [*WAYS, "known"]
    found = [Rate.of(np.array([called_different(one[name].differences) for one in studies], float)) for name in names]
    return f"| {case.name} | {case.seeds} | {case.extra:g} | {' | '.join(rate.cell() for rate in found)} |"


def table(title: str, columns: list[str], lines: list[str]) -> list[str]:
    head = ["case", "seeds", "validation noise", *columns]
    return ["", f"## {title}", "", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *lines]


def head(repetitions: int) -> list[str]:
    """What stands above the tables."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy"))
    return [
        "# Calibration of tuned arms",
        "",
        f"bnbench {bnbench.__version__}, Python {platform.python_version()}, {versions}. "
        f"{repetitions:,} studies a row; standard errors of the simulation in brackets. "
        f"**Bold**: more than {CLEAR} of them beyond what is promised. α = {ALPHA:g}, margin {REPORT.margin:g}. "
        "The script says what the cases are.",
        "",
        "- **all others, 5 folds, 2 folds, circle**: who chooses for a seed; reports have the circle.",
        "- **false verdicts**: arms that are equal over many studies and are called different; "
        f"at most {ALPHA:g} where candidates are alike or validation tells them apart. In between, a study may choose "
        "well in one arm and badly in the other by chance. Its verdict is then true of the values that were chosen, "
        "but not of all studies.",
        "- **holds**: intervals, on the circle, that hold the mean difference at the chosen values; "
        f"promised: {1 - ALPHA:g}.",
        "- **at the margin**: arms that differ by the margin and pass for equivalent, on the circle; "
        f"at most {ALPHA:g}.",
        "- **power**: an effect as large as the standard deviation of the differences is found.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the error rates and the power of verdicts on tuned arms.")
    default = Path(__file__).parent / "results" / "calibration-tuning.md"
    parser.add_argument("--output", type=Path, default=default)
    parser.add_argument("--repetitions", type=int, default=2500)
    arguments = parser.parse_args()
    count = arguments.repetitions
    lines = head(count)
    lines += table("False verdicts", [*WAYS, "holds"], [errors(case, count) for case in cases()])
    alike = [level(f"one of {k}", seeds, k, 0.0) for seeds in (8, 20) for k in (5, 10)]
    lines += table("Equivalence", ["at the margin"], [equivalences(case, count) for case in alike])
    with_effect = []
    for step in (0.0, 0.5, 1.0, 3.0):
        means = tuple(step * place for place in range(5))
        name = f"mirrored, steps of {step:g}" if step else "5 alike"
        with_effect += [Case(name, means, means[::-1], 13, extra) for extra in (0.3, 1.0)]
    lines += table("Power", [*WAYS, "known"], [power(case, count) for case in with_effect])
    text = "\n".join(lines) + "\n"
    print(text)
    arguments.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
