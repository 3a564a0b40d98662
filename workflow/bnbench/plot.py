"""All figures of a study, drawn in two processes.

They are the ones that import Matplotlib; this one only hands out names and waits.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bnbench.plan.study import Study
from bnbench.wording import contents

_PROCESSES = 2  # many panels take longer than to start a second one


def run(study: Study, out: Path) -> None:
    """Draw every figure of `study` from its tables in `out/tables` into `out/figures`, as SVG and PNG.

    Raises:
        UserError: a table is absent or corrupt, or a file cannot be written.
    """
    # Not forks of this process: its libraries may have threads, whose locks a fork copies in whatever state they are.
    server = get_context("forkserver")
    server.set_forkserver_preload(["bnbench.figures"])
    with ProcessPoolExecutor(_PROCESSES, server, initializer=_begin) as pool:
        # The last figures have the most panels; begun first, they are not waited for.
        list(pool.map(partial(_draw, study, out), reversed(contents.figures(study))))


def _begin() -> None:
    from bnbench.figures import style  # noqa: PLC0415 - in the processes that draw

    style.set_style()


def _draw(study: Study, out: Path, name: str) -> None:
    from bnbench.figures import drawing  # noqa: PLC0415 - in the processes that draw

    drawing.draw(study, out, name)
