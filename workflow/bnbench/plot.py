"""All figures of a study, drawn in two processes.

They are the ones that import Matplotlib; this one only hands out names and waits.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from bnbench.plan.study import Study
from bnbench.wording import contents

FORMATS = ("svg", "png")
"""What the page shows and Snakemake's report, and what a paper takes."""

_PROCESSES = 2  # many panels take longer than to start a second one


def run(study: Study, out: Path, formats: Sequence[str] = FORMATS, processes: int = _PROCESSES) -> None:
    """Draw every figure of `study` from its tables in `out/tables` into `out/figures`.

    Args:
        study: the study.
        out: its folder.
        formats: files that each figure is written to.
        processes: that draw; with one, it is this process.

    Raises:
        UserError: a table is absent or corrupt, or a file cannot be written.
    """
    draw = partial(_draw, study, out, formats)
    # The last figures have the most panels; begun first, they are not waited for.
    names = reversed(contents.figures(study))
    if processes == 1:
        import matplotlib as mpl  # noqa: PLC0415 - a second that waiting for other processes does not need

        with mpl.rc_context():  # the style of whoever calls this from Python is theirs
            _begin()
            list(map(draw, names))
        return
    # Not forks of this process: its libraries may have threads, whose locks a fork copies in whatever state they are.
    server = get_context("forkserver")
    server.set_forkserver_preload(["bnbench.figures.drawing"])
    with ProcessPoolExecutor(processes, server, initializer=_begin) as pool:
        list(pool.map(draw, names))


def _begin() -> None:
    from bnbench.figures import style  # noqa: PLC0415 - in the processes that draw

    style.set_style()


def _draw(study: Study, out: Path, formats: Sequence[str], name: str) -> None:
    from bnbench.figures import drawing  # noqa: PLC0415 - in the processes that draw

    drawing.draw(study, out, name, formats)
