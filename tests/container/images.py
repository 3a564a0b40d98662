"""Checkouts whose jobs run in the image."""

import os
import subprocess
import sys
from pathlib import Path

from checkouts import Checkout

HERE = Path(__file__).parent
NONCE = "/opt/bnbench/workflow/nonce"

CONTAINED = ["--sdm", "apptainer", "--apptainer-args", "--contain --cleanenv"]
"""Options of a Snakemake whose jobs see nothing of the host but the working folder."""


def run(*command, **options):
    """Run a command, which must go well."""
    done = subprocess.run([*map(str, command)], check=False, capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


class InImage(Checkout):
    """A checkout that has the image, and whose training jobs say where they run."""

    environment: dict

    def _environment(self):
        own = {key: value for key, value in self.environment.items() if key.startswith(("PATH", "APPTAINER", "TMPDIR"))}
        before = super()._environment()
        return {**before, **own, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}"}
