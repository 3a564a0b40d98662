"""How fast a study is planned: from the config to its settings and chunks, 100,000 trials at a time.

Every job parses the Snakefile and so plans the study again. Three shapes of grid are measured: few settings with many
seeds, many settings with few seeds, and one factor with thousands of levels. Shown are seconds, the fastest of the
rounds. Run by hand: `python tests/benchmarks/planning_speed.py`.
"""

import argparse
import time
from itertools import pairwise
from typing import Any

from bnbench import forecast
from bnbench.plan import config, cost
from bnbench.plan.chunks import all_chunks
from bnbench.store.provenance import processor

COLUMNS = ("resolve", "settings", "chunks", "summary")


def rates(count: int) -> list[dict[str, Any]]:
    """Levels of the optimizer."""
    return [{"name": "adam", "lr": (index + 1) / 10000} for index in range(count)]


STUDIES: dict[str, dict[str, Any]] = {
    "100 settings × 1,000 seeds": {"seeds": 1000, "optimizer": rates(25), "batch_size": ["full", 25]},
    "5,000 settings × 20 seeds": {"seeds": 20, "optimizer": rates(50), "batch_size": [*range(2, 52)]},
    "2,500 levels × 2 norms × 20 seeds": {"seeds": 20, "optimizer": rates(2500), "batch_size": "full"},
    "100,000 jobs of one seed": {"seeds": 1000, "seeds_per_job": {"cpu": 1}, "optimizer": rates(50), "batch_size": 25},
}


def seconds(found: dict[str, Any]) -> list[float]:
    """Of each step of planning."""
    times = [time.perf_counter()]
    study = config.load({"study": "speed", **found}, "speed.yaml")
    times.append(time.perf_counter())
    steps = (lambda: study.settings, lambda: all_chunks(study, cost.seeds_per_job), lambda: forecast.summary(study))
    for step in steps:
        step()
        times.append(time.perf_counter())
    return [after - before for before, after in pairwise(times)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how long it takes to plan 100,000 trials.")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(
        f"# Speed of planning\n\n{processor()}. Seconds for 100,000 trials, the fastest of {arguments.rounds} rounds.\n"
    )
    print(f"| study | {' | '.join(COLUMNS)} | all |\n|---|{'---|' * (len(COLUMNS) + 1)}")
    for name, found in STUDIES.items():
        fastest = min((seconds(found) for _ in range(arguments.rounds)), key=sum)
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in (*fastest, sum(fastest)))} |", flush=True)


if __name__ == "__main__":
    main()
