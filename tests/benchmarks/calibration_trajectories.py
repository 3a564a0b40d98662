"""How often a trajectory says more than is true, and how often its band holds, where the truth is known.

Log differences of 12 contexts without an effect are drawn over 40 measured epochs as autoregressions of first order,
whose neighbouring epochs are correlated by .9. Contexts of one study share none or .8 of the variance of the normals
that they are made of. Trials are missing at random: none, or one in 20 of each context's pairs. Each study is judged by
`verdicts.decide` over the last 2 epochs and by `trajectories.table`, as a real one is. Run by hand:
`PYTHONPATH=workflow python tests/benchmarks/calibration_trajectories.py`; some 10 minutes on one core. It writes the
table to `results/calibration-trajectories.md` beside it.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from calibration import ALPHA, REPORT, Rate

from bnbench.judging import sign_flips, trajectories, verdicts
from bnbench.judging.stats import Array
from bnbench.judging.trajectories import Trajectory
from bnbench.judging.verdicts import Contrast
from bnbench.plan import config

STUDY = config.load({"study": "calibration"}, "calibration")
CONTEXTS, EPOCHS, WINDOW = 12, 40, 2
AUTOCORRELATION = 0.9
SEEDS = (6, 20)
SHARED = (0.0, 0.8)
MISSING = (0.0, 0.05)


def courses(generator: np.random.Generator, seeds: int, together: float) -> Array:
    """Log differences of one study, [contexts, epochs, seeds], of mean 0 and variance 1 at every epoch."""
    common = generator.standard_normal((EPOCHS, seeds))
    own = generator.standard_normal((CONTEXTS, EPOCHS, seeds))
    found: Array = math.sqrt(together) * common + math.sqrt(1 - together) * own
    for epoch in range(1, EPOCHS):
        found[:, epoch] = AUTOCORRELATION * found[:, epoch - 1] + math.sqrt(1 - AUTOCORRELATION**2) * found[:, epoch]
    return found


def study(generator: np.random.Generator, seeds: int, together: float, missing: float) -> tuple[bool, ...]:
    """One study: what went wrong and what held, in the order of the table's columns."""
    kept = [np.flatnonzero(generator.random(seeds) >= missing) for _ in range(CONTEXTS)]
    logs = [values[:, own] for values, own in zip(courses(generator, seeds, together), kept, strict=True)]
    ends = [values[-WINDOW:].mean(0) for values in logs]
    family = [
        Contrast({}, own, np.zeros(len(own)), end, np.zeros(len(own)), end, 0, ())
        for own, end in zip(kept, ends, strict=True)
    ]
    decisions = verdicts.decide(REPORT, family)
    parts = [
        Trajectory({"context": str(place)}, np.arange(EPOCHS), own, values.T)
        for place, (own, values) in enumerate(zip(kept, logs, strict=True))
    ]
    table = trajectories.table(STUDY, parts, decisions)
    panels = [sign_flips.simultaneous(values.T, 1 - ALPHA) for values in logs]
    return (
        any(decision.verdict in ("helps", "hurts") for decision in decisions),
        all(decision.low < 0 < decision.high for decision in decisions),
        bool(table["decided_from"].notna().any()),
        bool((table["low"].lt(1) & table["high"].gt(1)).all()),
        any(bool(band.low[-1] > 0 or band.high[-1] < 0) for band in panels),
    )


def rows(repetitions: int) -> Iterator[str]:
    """The lines of the table."""
    for index, seeds in enumerate(SEEDS):
        for family, together in enumerate(SHARED):
            for gaps, missing in enumerate(MISSING):
                generator = np.random.default_rng([index, family, gaps])
                studies = np.array([study(generator, seeds, together, missing) for _ in range(repetitions)], float)
                alarm, limits, said, band, alone = (Rate.of(column) for column in studies.T)
                promised = [alarm.cell(most=ALPHA), limits.cell(least=1 - ALPHA)]
                promised += [said.cell(most=ALPHA), band.cell(least=1 - ALPHA)]
                yield f"| {' | '.join([str(seeds), f'{together:g}', f'{missing:g}', *promised, alone.cell()])} |"


def head(repetitions: int) -> list[str]:
    """What the table holds."""
    columns = ["seeds", "shared", "missing", "false verdicts", "limits hold", "false directions", "band holds", "alone"]
    return [
        "# How often trajectories err",
        "",
        f"{repetitions:,} studies a row of {CONTEXTS} contexts without an effect, over {EPOCHS} epochs of an "
        f"autoregression of {AUTOCORRELATION:g}; in parentheses the standard error. Written by "
        "[calibration_trajectories.py](../calibration_trajectories.py).",
        "",
        "- **missing**: share of the pairs of each context that are not there;",
        f"- **false verdicts**: studies in which any context is said to help or to hurt; promised: at most {ALPHA:g};",
        "- **limits hold**: studies in which the limits of all contexts hold the truth; promised: at least "
        f"{1 - ALPHA:g};",
        "- **false directions**: studies in which any trajectory is said to be higher or lower from an epoch on; "
        f"promised: at most {ALPHA:g};",
        "- **band holds**: studies in which the band holds the truth at all epochs of all contexts; promised: at least "
        f"{1 - ALPHA:g};",
        "- **alone**: studies in which a band of one context alone, for its epochs together, excludes equal losses at "
        "the last epoch in any of them. It promises nothing of a study; version 0.2.0 read directions from it.",
        "",
        f"| {' | '.join(columns)} |",
        "|---" * len(columns) + "|",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the error rates and coverage of a study's trajectories.")
    parser.add_argument(
        "--output", type=Path, default=Path(__file__).parent / "results" / "calibration-trajectories.md"
    )
    parser.add_argument("--repetitions", type=int, default=1000)
    arguments = parser.parse_args()
    table = head(arguments.repetitions)
    print("\n".join(table), flush=True)
    for row in rows(arguments.repetitions):
        table.append(row)
        print(row, flush=True)
    arguments.output.write_text("\n".join(table) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
