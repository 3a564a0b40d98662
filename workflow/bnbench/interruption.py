"""What a killed Snakemake leaves behind, and how the next run goes on.

Snakemake keeps a lock and a list of unfinished jobs under `.snakemake`; after kill -9 both stay, and it would ask for
`--unlock` and `--rerun-incomplete`. Here neither is needed: all files are written atomically, so a file that exists is
whole, and whether anybody still runs is known from a lock that the kernel gives back when its holder dies.
"""

import contextlib
import fcntl
from pathlib import Path
from typing import IO

_held: list[IO[str]] = []


def go_on_after_a_kill(state: Path) -> None:
    """Forget the locks and unfinished jobs of a dead run in `state`, unless another run is alive there.

    Every run shares the kernel's lock until its process ends; who gets it for itself alone is the only one.
    """
    with contextlib.suppress(OSError):  # a folder that cannot be written is Snakemake's to complain of
        state.mkdir(exist_ok=True)
        handle = (state / "running").open("w", encoding="utf-8")
        _held.append(handle)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for stale in (*state.glob("locks/*"), *state.glob("incomplete/**/*")):
                if stale.is_file():
                    stale.unlink()
        fcntl.flock(handle, fcntl.LOCK_SH)
