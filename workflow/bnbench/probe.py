"""Try the networks of a study before any is trained, and measure what they take.

What comes in is a study, what goes out is a probe for each setting that has none, of the modular engine or with metrics
of the user's own. An error in the user's own code is reported here, before the first job starts.
"""

from __future__ import annotations

from pathlib import Path

from bnbench.catalogue import sources, tasks
from bnbench.plan.engines import engine
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import probes
from bnbench.streams import seed_of
from bnbench.trainer import dry_run, own_metrics, probing


def run(study: Study, results: Path) -> str:
    """Try and measure what has not been, and say what is to be told of it, and last how much that was.

    Raises:
        UserError: the user's own code does not work, or a file cannot be read or written.
    """
    due = probes.due(study.settings, results)
    told = dict.fromkeys(line for setting in due for line in _try(setting, study.seeds[0], results))
    return "\n".join([*told, f"{study.name}: tried {len(due)} of {len(study.settings)} settings"])


def _try(setting: Setting, seed: int, results: Path) -> list[str]:
    spec = setting.spec
    sources.check(spec)
    data = tasks.of(spec).data(seed_of("data", seed, spec["seed_varies"]))
    told = own_metrics.check(spec, seed, data)
    probe = None
    if engine(spec) == "modular":
        dry_run.check(spec, seed, data)
        # What a network takes on a GPU cannot be measured on every machine that plans.
        probe = probing.measure(spec, seed, data) if spec["device"] == "cpu" else None
    probes.write(setting.address, results, probe, probes.ratios(setting))
    return told
