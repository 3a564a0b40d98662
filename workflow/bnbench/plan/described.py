"""What data the user's function returns, found out in a separate process: planning never runs it, and has no torch.

The answers are kept for this process and for those that it starts, such as the jobs of a cluster, in its environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from bnbench import extras
from bnbench.errors import UserError
from bnbench.vocabulary import PACKAGE

KNOWN = "BNBENCH_DESCRIBED"
"""An environment variable: known facts about data, as JSON; entries by their canonical text."""


def facts(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What the planner must know of an entry's data: `shared_tasks.Facts`, as JSON has them.

    Args:
        entry: resolved except for this.

    Raises:
        UserError: the user's code does not work, or torch is not installed here.
    """
    known = json.loads(os.environ.get(KNOWN, "{}"))
    asked = {key: value for key, value in entry.items() if key not in ("path", "workers")}
    key = json.dumps(asked, sort_keys=True)
    if key not in known:
        known[key] = _asked(entry)
        os.environ[KNOWN] = json.dumps(known)
    found: dict[str, Any] = known[key]
    return found


def _asked(entry: Mapping[str, Any]) -> Any:
    if not extras.is_installed("torch"):
        raise UserError(
            f"{entry['path']}: torch is not installed here, and what '{entry['build']}' gives is known once it has "
            f"run; allowed: to plan where torch is ({extras.brought_by('torch')}), or task arrays, whose file is read "
            "without it"
        )
    command = [sys.executable, "-m", "bnbench", "describe", "--task", "-"]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        input=json.dumps(entry),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **package_path()},
    )
    if done.returncode:
        raise UserError(done.stderr.strip() or f"{entry['path']}: its run ended with status {done.returncode}")
    try:
        return json.loads(done.stdout.strip().rpartition("\n")[2])
    except ValueError:
        raise UserError(
            f"{entry['path']}: its run ended early, so the code ends the program; allowed: code that returns"
        ) from None


def package_path() -> dict[str, str]:
    """Where the process finds this package, and what the user has put beside it."""
    theirs = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *filter(None, [theirs])])}
