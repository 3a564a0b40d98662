"""bnbench: does batch normalization help or hurt here? Statistics over many seeds.

The package has nine rooms, the sub-packages, each with one purpose. Above them are the steps of the road (`train`,
`collect`, `compare`, `plot`, `report`) and the doors (`cli`, `snakefile`, `judgement`, `forecast`). Below them lies the
ground that all share (`columns`, `vocabulary`, `errors`, `extras`, `streams`, `epochs`). Imports point down.
docs/architecture.md shows the whole house.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from bnbench.judgement import Report

__version__ = "0.9.0"


def judge(
    runs: pd.DataFrame | str | Path,
    factor: str | None = None,
    baseline: object = None,
    outcome: str | None = None,
    *,
    seed: str | None = None,
    epoch: str | None = None,
    contexts: str | Sequence[str] | None = None,
    pattern: str | None = None,
    better: str | None = None,
    scale: str | None = None,
    margin: float | None = None,
    window: float | None = None,
    alpha: float | None = None,
    duplicates: str | None = None,
    empty: str | None = None,
    unpaired: bool = False,
    name: str | None = None,
    reports: str | Path | None = None,
) -> Report:
    """Judge results of your own, whatever trained them: `bnbench.judge(frame, "norm", "none", "val_loss")`.

    What is not given is found in the table; the `reading` of the report says how the columns were read. docs/judge.md
    says more of each argument.

    Args:
        runs: a frame with a row per run, or per run and epoch; or the path of a file, or of a folder of runs.
        factor: the column whose levels are compared.
        baseline: the level that all others are compared with.
        outcome: the column that decides.
        seed: the column by which runs are paired.
        epoch: the column that counts epochs or steps.
        contexts: the columns that are held fixed while the arms are compared.
        pattern: which files of a folder hold runs, such as `{norm}/seed{seed}/*.csv`.
        better: whether `lower` or `higher` values are better.
        scale: whether runs are compared by the `ratio` of the outcome or by its `difference`.
        margin: an effect that is too small to matter, a ratio such as 1.05 or a difference.
        window: the share of a run's epochs, from the end, over which the mean of the outcome is judged.
        alpha: the error rate of all contexts together.
        duplicates: what to do with several values of one run at one epoch, `refuse` or `mean`.
        empty: what a run counts as whose outcome is empty from some epoch on: `refuse`, `stopped` or `diverged`.
        unpaired: whether the arms share no seeds by design.
        name: of the study.
        reports: the folder in which the report is kept; without one, it is gone with the object that is returned.

    Raises:
        bnbench.errors.UserError: the results cannot be read or compared.
    """
    results = {
        "factor": factor,
        "baseline": baseline,
        "outcome": outcome,
        "seed": seed,
        "epoch": epoch,
        "contexts": [contexts] if isinstance(contexts, str) else contexts and [*contexts],
        "better": better,
        "scale": scale,
        "duplicates": duplicates,
        "empty": empty,
        "unpaired": unpaired,
    }
    report = {"margin": margin, "window": window, "alpha": alpha}
    # By its name, since the rooms import this package for its version, and the door is above them.
    door = importlib.import_module("bnbench.judgement")
    judged: Report = door.judge(runs, results, report, pattern=pattern, name=name, reports=reports)
    return judged


def load(study: str | Path, what: str = "losses", reports: str | Path = "reports") -> pd.DataFrame:
    """Read a table of a study, as pandas has it: `bnbench.load("default")` has a row per trial and epoch.

    Every key of the config that tells settings apart is a column.

    Args:
        study: its name, or the path of its folder.
        what: `losses`, `trials` or `predictions`; or a table of the report, such as `contexts` or `pairs`.
        reports: the folder of the reports, in which a study is looked for by its name.

    Raises:
        bnbench.errors.UserError: there is no such study or table, or its file is absent or corrupt.
    """
    from bnbench.store import loading  # noqa: PLC0415 - pandas takes a second that nothing else here needs

    return loading.load(study, what, Path(reports))
