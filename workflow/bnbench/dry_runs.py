"""Start the dry run of a study's networks, in a process of its own: planning itself never runs the user's code.

So a plan needs no torch, and the user's code cannot disturb it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bnbench import extras
from bnbench.errors import UserError
from bnbench.plan import described
from bnbench.plan.study import Study
from bnbench.store import handed, probes


def run(study: Study, results: Path) -> None:
    """Try the networks and metrics that have not been, see `probe`; where torch is not installed, their jobs do that.

    Raises:
        UserError: the user's own code does not work.
    """
    if not study.trained_here or not probes.due(study.settings, results):
        return
    if not extras.is_installed("torch"):
        print("torch is not installed here: the networks are tried when their jobs start", file=sys.stderr)
        return
    command = [sys.executable, "-m", "bnbench", "probe", "--results", str(results), "--study", "-"]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        input=handed.text(study),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **described.package_path()},
    )
    if done.returncode:
        raise UserError(done.stderr.strip() or f"the dry run of the networks ended with status {done.returncode}")
    for line in done.stdout.splitlines()[:-1]:  # what is no error, such as that a metric is NaN
        print(line, file=sys.stderr)
    if probes.due(study.settings, results):
        raise UserError("the dry run ended early, so the networks' code ends the program; allowed: code that returns")
