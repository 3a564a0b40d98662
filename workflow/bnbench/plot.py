"""All figures of a study, drawn in two processes.

They are the ones that import Matplotlib; this one only hands out names and waits.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import forkserver, get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import ModuleType

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

        with mpl.rc_context():  # leave the caller's style in Python unchanged
            _begin()
            list(map(draw, names))
        return
    with ProcessPoolExecutor(processes, _server(), initializer=_begin) as pool:
        with _program_hidden():
            drawn = pool.map(draw, names)
        list(drawn)


def prepare() -> None:
    """Begin to import what draws, beside this process: a `run` that comes later need not wait for it."""
    _server()
    forkserver.ensure_running()


def _server() -> ForkServerContext:
    # Not forks of this process: its libraries may have threads, whose locks a fork copies in whatever state they are.
    server = get_context("forkserver")
    server.set_forkserver_preload(["bnbench.figures.drawing"])
    return server


@contextmanager
def _program_hidden() -> Iterator[None]:
    """Let processes start that do not import the program: a script that calls us would run once more in each."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program


def _begin() -> None:
    from bnbench.figures import style  # noqa: PLC0415 - in the processes that draw

    if parent := parent_process():
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()
    style.set_style()


def _end_with(parent: int) -> None:
    """End this process with the one that hands out names: who waits for what that one says waits for this one too."""
    wait([parent])
    os._exit(1)


def _draw(study: Study, out: Path, formats: Sequence[str], name: str) -> None:
    from bnbench.figures import drawing  # noqa: PLC0415 - in the processes that draw

    drawing.draw(study, out, name, formats)
