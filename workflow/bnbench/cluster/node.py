"""What a compute node sees: `bnbench doctor` has SLURM run this as a job, and reads the answer.

    python -m bnbench.cluster.node ASKED… [--gpu] [--image FILE] [--image-arguments TEXT]

Each ASKED is a file that the doctor has written; the answer lies beside it, as `<its name>.answer`.
"""

import argparse
import fcntl
import json
import os
import platform
import shlex
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bnbench import __version__

SECONDS = 120  # torch's import from a slow file system, or an image that starts for the first time

_IMPORT = "import bnbench"
_GPU = """
import sys
from bnbench.errors import UserError
from bnbench.trainer import devices
try:
    print(devices.acquire("cuda", "a job").name)
except UserError as error:
    sys.exit(str(error))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, and write an answer beside each file that can be seen."""
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", nargs="+", type=Path)
    parser.add_argument("--gpu", action="store_true")
    parser.add_argument("--image")
    parser.add_argument("--image-arguments", default="")
    options = parser.parse_args(arguments)
    answer: dict[str, Any] = {
        "node": os.environ.get("SLURMD_NODENAME") or socket.gethostname(),
        "python": platform.python_version(),
        "version": __version__,
        "error": _error(options),
        "locks": {str(path): _is_locked(path) for path in options.asked if path.exists()},
    }
    for path in options.asked:
        if path.parent.is_dir():
            _write(path.with_name(f"{path.name}.answer"), json.dumps(answer))
    return 0


def _error(options: argparse.Namespace) -> str:
    """Why jobs would find no package or no GPU here; nothing where all is well."""
    if not (options.gpu or options.image):
        return ""
    container = ["apptainer", "exec", *shlex.split(options.image_arguments), options.image] if options.image else []
    python = "python" if options.image else sys.executable
    command = [*container, python, "-c", _GPU if options.gpu else _IMPORT]
    try:
        done = subprocess.run(  # noqa: S603 - our own command
            command, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS
        )
    except OSError as error:
        return f"{command[0]} cannot be started ({error.strerror})"
    except subprocess.TimeoutExpired:
        return f"{shlex.join(command[:-1])} takes more than {SECONDS} s"
    return (done.stderr.strip() or f"{command[0]} ends with status {done.returncode}") if done.returncode else ""


def _is_locked(path: Path) -> bool | None:
    """Whether the doctor's lock of the file is seen here; None where there are no locks."""
    try:
        with path.open("rb+") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _write(path: Path, text: str) -> None:
    """Write all at once, so that nobody sees half of it."""
    temporary = path.with_name(f"{path.name}.{socket.gethostname()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


if __name__ == "__main__":
    sys.exit(main())
