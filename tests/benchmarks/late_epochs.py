"""Whether an epoch takes as long late in a run as early: with denormal numbers, and where they count as 0 as in a job.

Networks that keep denormals and networks that do not train in turn, epoch by epoch, from the same weights, so that a
change of the machine's pace meets both; their losses must have the same bits. Counted are the seconds that the
processor gave to this process. Run by `make bench`, or by hand: `python tests/benchmarks/late_epochs.py`.
"""

import argparse
import time

import numpy as np
import torch
from common import Array, keep, machine, one_core, spread, table

from bnbench.catalogue import tasks
from bnbench.plan import config
from bnbench.trainer.chunk import keep_freed_memory
from bnbench.trainer.denormals import flushed
from bnbench.trainer.stacked import StackedEngine

SEEDS = list(range(5))
OPTIMIZERS = ("adam", "momentum")
ARMS = ("none", "batch")
WINDOW = 20  # epochs
EARLY = 10  # where the first window starts


def seconds(optimizer: str, norm: str, epochs: int) -> dict[bool, Array]:
    """Seconds of every epoch, [epochs], by whether denormals count as 0."""
    keys = {"study": "late", "hidden": [[256, 256]], "norm": [*ARMS], "batch_size": 16, "optimizer": optimizer}
    study = config.load({**keys, "epochs": epochs, "evaluate_every": epochs}, "late_epochs.py")
    (spec,) = (setting.spec for setting in study.settings if setting.spec["norm"]["name"] == norm)
    data = [tasks.of(spec).data(seed) for seed in SEEDS]
    networks = {flush: StackedEngine.of(spec, SEEDS, data, torch.device("cpu")) for flush in (False, True)}
    found = {flush: np.empty(epochs) for flush in networks}
    for epoch in range(epochs):
        losses = []
        for flush in (False, True) if epoch % 2 else (True, False):
            with flushed(wanted=flush):
                started = time.process_time()
                losses.append(networks[flush].train_epoch(epoch, 1.0).clone())
                found[flush][epoch] = time.process_time() - started
        if not torch.equal(*losses):
            raise SystemExit(f"{optimizer}, {norm}: the losses of epoch {epoch} differ")
    return found


def row(optimizer: str, norm: str, epochs: int) -> list[str]:
    """Times early and late, and their ratio, with denormals and without."""
    cells = [optimizer, "yes" if norm == "batch" else "no"]
    for spent in seconds(optimizer, norm, epochs).values():
        early, late = spent[EARLY : EARLY + WINDOW], spent[-WINDOW:]
        cells += [f"{np.median(early) * 1e3:.1f}", f"{np.median(late) * 1e3:.1f}", spread(late / np.median(early))]
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure late epochs against early ones.")
    parser.add_argument("--epochs", type=int, default=400)
    epochs = parser.parse_args().epochs
    one_core()
    torch.set_num_threads(1)
    keep_freed_memory()
    timed = ("early, ms", "late, ms", "late / early")
    head = ["optimizer", "BN", *(f"kept: {what}" for what in timed), *(f"as 0: {what}" for what in timed)]
    rows = [row(optimizer, norm, epochs) for optimizer in OPTIMIZERS for norm in ARMS]
    keep(
        "late-epochs",
        [
            "# Late epochs",
            "",
            machine("torch", "numpy"),
            f"One core; {len(SEEDS)} seeds of the question's network side by side, batch 16, {epochs} epochs; epochs "
            f"{EARLY} to {EARLY + WINDOW} against the last {WINDOW}; medians, quartiles in brackets. Denormals "
            "(numbers below 1.2e-38) are kept, or count as 0; the losses of all epochs have the same bits either way. "
            "tests/benchmarks/late_epochs.py says what is timed.",
            "",
            *table(head, rows),
        ],
    )


if __name__ == "__main__":
    main()
