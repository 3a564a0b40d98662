"""bnbench: does batch normalization help or hurt here? Statistics over many seeds.

The package has eight rooms, the sub-packages, each with one purpose. Above them stand the steps of the road (`train`,
`collect`, `compare`, `plot`, `report`) and the doors (`cli`, `snakefile`, `forecast`). Below them lies the ground that
all share (`vocabulary`, `errors`, `extras`, `streams`, `epochs`). Imports point down. docs/architecture.md shows the
whole house.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__version__ = "0.5.0"


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
