"""What checkpoints cost: a chunk's training with and without them, in turn, and one checkpoint by itself.

One core. The first ratio is of whole trainings, of some seconds each, with a checkpoint every so many seconds as said;
the last column is what is left of that at the project's own pace, one in two minutes. Run by `make bench`, or by hand:
`python tests/benchmarks/checkpoint_cost.py`.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from common import in_turn, keep, machine, one_core, spread, table
from cost_model import Spec, setting

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.trainer import checkpoints
from bnbench.trainer.checkpoints import Checkpoints
from bnbench.trainer.chunk import keep_freed_memory, train

EVERY = 0.5
ROUNDS = 7
CPU = torch.device("cpu")
CASES: dict[str, tuple[Spec, int]] = {
    "20 of 1–256–256–1": (setting(epochs=200), 20),
    "200 of 1–64–64–1": (setting((64, 64), epochs=250), 200),
    "2,000 of 1–16–16–1": (setting((16, 16), epochs=120), 2000),
    "4 of 1–1024–1024–1": (setting((1024, 1024), epochs=30), 4),
}


def measured(spec: Spec, seeds: int, folder: Path) -> list[str]:
    chunk = Chunk(Setting.from_spec(spec), 0, seeds)
    data = [build(TASKS, spec["task"]).data(seed) for seed in chunk.seeds]
    saved: list[tuple[float, float]] = []
    write = checkpoints._write

    def timed(path: Path, *content: object) -> None:
        started = time.perf_counter()
        write(path, *content)
        saved.append((time.perf_counter() - started, path.stat().st_size / 2**20))

    def without() -> None:
        train(spec, chunk.seeds, data, CPU)

    def with_them() -> None:
        with Checkpoints(chunk, folder, "this one", EVERY) as kept:
            train(spec, chunk.seeds, data, CPU, kept)
            kept.remove()

    checkpoints._write = timed
    try:
        seconds = in_turn({"without": without, "with": with_them}, ROUNDS)
    finally:
        checkpoints._write = write
    each, size = (np.array(values) for values in zip(*saved, strict=True))
    return [
        f"{np.median(seconds['without']):.1f}",
        f"{len(saved) / ROUNDS:.1f}",
        spread(seconds["with"] / seconds["without"], 3),
        f"{np.median(each) * 1e3:.0f}",
        f"{np.max(size):.1f}",
        f"{100 * np.median(each) / checkpoints.EVERY:.3f} %",
    ]


def main() -> None:
    one_core()
    torch.set_num_threads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        rows = [[name, *measured(spec, seeds, Path(folder))] for name, (spec, seeds) in CASES.items()]
    header = [
        "chunk",
        "training, s",
        "checkpoints",
        "with / without",
        "one, ms",
        "MiB",
        "one in two minutes",
    ]
    lines = [
        "# What checkpoints cost",
        "",
        machine("torch", "numpy"),
        f"One core, local disk; a checkpoint every {EVERY:g} s and at the end of every stack; medians of {ROUNDS} "
        "rounds in turn, quartiles in brackets. Promised is less than 2 % of the time of training.",
        "",
        *table(header, rows),
    ]
    keep("checkpoint-cost", lines)


if __name__ == "__main__":
    main()
