"""How far a chunk's training is: a small file beside its checkpoints, which goes with them when the chunk is done.

`results/checkpoints/<address>/<chunk>/progress` holds the share of the work that is done, such as 0.3700. Nothing
depends on it but what people see while they wait.
"""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from bnbench import regular
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk


def folder(chunk: Chunk, results: Path) -> Path:
    """The folder of all that a job keeps while it trains a chunk: checkpoints and progress."""
    return results / "checkpoints" / chunk.setting.address / chunk.stem


def path(chunk: Chunk, results: Path) -> Path:
    """Where the progress of a chunk lies."""
    return folder(chunk, results) / "progress"


def clear(chunk: Chunk, results: Path) -> None:
    """Remove all that was kept of a chunk's training, and the folders that this leaves empty."""
    kept = folder(chunk, results)
    shutil.rmtree(kept, ignore_errors=True)
    for above in kept.parents[:2]:
        with contextlib.suppress(OSError):
            above.rmdir()


def write(path: Path, share: float) -> bool:
    """Keep how much is done, from 0 to 1; whether that could be written.

    It is renamed into its place, so that nobody reads half of it, and not synced, since the next one comes soon.
    """
    temporary = path.with_name(f".{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(f"{share:.4f}\n", encoding="ascii")
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return False
    return True


def read(path: Path) -> float:
    """How much is done, from 0 to 1; 0 where nothing is known."""
    try:
        regular.require(path)
        return min(1.0, max(0.0, float(path.read_text(encoding="ascii"))))
    except (OSError, ValueError, UserError):
        return 0.0
