"""Rows that are held once: the memory of a job by its seeds, and the share of training that the loading of data takes.

- memory: images of MNIST's size (60,000 × 28 × 28 bytes for training, 10,000 for the test) in an .npz file, in jobs of
  1 and of 4 seeds, each in a process of its own; a perceptron, so that it is the rows that count;
- loading: an epoch of batches taken and converted, over the epoch of training that it is part of, for a small
  convolutional network on images of MNIST's and of CIFAR's size, from a file and from a data set of PyTorch whose
  examples are flipped at random.

All on one core but for the workers of data sets, which have the others.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import keep, machine, table

from bnbench import train
from bnbench.catalogue import tasks
from bnbench.plan import config
from bnbench.plan.chunks import Chunk
from bnbench.trainer.devices import plain
from bnbench.trainer.modular import Trainee

SHAPES = {"MNIST": (1, 28, 28), "CIFAR": (3, 32, 32)}
BATCH = 128
DATA = """\
import numpy as np
import torch
from torch.utils.data import Dataset


class Flipped(Dataset):
    def __init__(self, x, y):
        self.x, self.y, self.targets = x, y, y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, place):
        x = torch.from_numpy(self.x[place])
        return x.flip(-1) if torch.rand(()) < 0.5 else x, int(self.y[place])


def make(file):
    found = np.load(file)
    return [Flipped(found[f"x_{part}"], found[f"y_{part}"]) for part in ("train", "test")]
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what rows that are held once cost.")
    parser.add_argument("--steps", type=int, default=60, help="of the epochs in which loading is timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--train", nargs=3, metavar=("STUDY", "SEEDS", "FOLDER"), help="train a job, and say its peak")
    options = parser.parse_args()
    if options.train:
        print(_trained(*options.train))
        return
    with tempfile.TemporaryDirectory() as folder:
        memory, loading = _memory(Path(folder)), _loading(Path(folder), options)
    lines = [
        "# Rows that are held once",
        "",
        machine("torch"),
        "",
        "Most memory of a job, in MiB. All rows are 52 MiB of bytes; as numbers in float64 they were 419 MiB a seed.",
        "",
        *table(["file", "1 seed", "4 seeds", "a seed more"], memory),
        "",
        f"Time of a step at batch {BATCH}, in ms, and what of it goes by until its batch is there; the least of "
        f"{options.rounds} epochs of {options.steps} steps.",
        "",
        *table(["images", "from", "loading", "step", "share"], loading),
    ]
    if options.write:
        keep("held-once", lines)
    else:
        print("\n".join(lines))


def _images(count: int, shape: tuple[int, ...]) -> tuple[Any, Any]:
    draws = np.random.default_rng(0)
    return draws.integers(0, 256, (count, *shape), dtype=np.uint8), draws.integers(0, 10, count).astype(np.uint8)


def _written(path: Path, counts: tuple[int, int], shape: tuple[int, ...], save: Callable[..., Any]) -> str:
    x, y = _images(sum(counts), shape)
    save(path, x_train=x[: counts[0]], y_train=y[: counts[0]], x_test=x[counts[0] :], y_test=y[counts[0] :])
    return str(path)


def _trained(study: str, seeds: str, folder: str) -> float:
    """Train a job; the most memory that it took, in MiB."""
    setting = config.load(json.loads(study), "held_once.py").settings[-1]
    train.run(Chunk(setting, 0, int(seeds)), Path(folder) / seeds, 1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _memory(folder: Path) -> list[list[str]]:
    rows = []
    for name, save in (("mapped", np.savez), ("compressed", np.savez_compressed)):
        path = _written(folder / f"{name}.npz", (60_000, 10_000), (28, 28), save)
        study = {
            "study": "memory",
            "task": {"name": "arrays", "path": path},
            "hidden": [32],
            "batch_size": 250,
            "epochs": 1,
            "evaluate_every": 1,
        }
        peaks = []
        for seeds in (1, 4):
            command = [sys.executable, __file__, "--train", json.dumps(study), str(seeds), str(folder / name)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(float(done.stdout.splitlines()[-1]))
        rows.append([name, *(f"{peak:.0f}" for peak in peaks), f"{(peaks[1] - peaks[0]) / 3:.1f}"])
    return rows


def _loading(folder: Path, options: argparse.Namespace) -> list[list[str]]:
    (folder / "data.py").write_text(DATA, encoding="utf-8")
    rows = []
    for name, shape in SHAPES.items():
        path = _written(folder / f"{name}.npz", (BATCH * options.steps, 256), shape, np.savez)
        own = {"name": "module", "path": str(folder / "data.py"), "build": "make", "file": path}
        sources = {
            "the file": {"name": "arrays", "path": path},
            "a data set": own,
            "a data set, 1 worker": {**own, "workers": 1},
        }
        for where, task in sources.items():
            loading, step = _step(task, options)
            rows.append([name, where, f"{loading:.2f}", f"{step:.2f}", f"{100 * loading / step:.1f} %"])
    return rows


def _step(task: dict[str, Any], options: argparse.Namespace) -> tuple[float, float]:
    """Milliseconds of a step, and what of it goes by until its batch is there."""
    study = {"study": "loading", "task": task, "network": "cnn", "batch_size": BATCH, "optimizer": "adam"}
    spec = config.load(study, "held_once.py").settings[-1].spec
    device = torch.device("cpu")
    waited: list[float] = []
    with plain(device):
        trainee = Trainee(spec, 0, tasks.of(spec).data(0), device)
        examples = trainee._train
        examples.batches = partial(_timed, examples.batches, waited)  # type: ignore[method-assign]
        found = []
        for epoch in range(options.rounds):
            waited.clear()
            started = time.perf_counter()
            trainee.train_epoch(epoch, 1.0)
            found.append((time.perf_counter() - started, sum(waited)))
    whole, loading = min(found)
    return loading / options.steps * 1e3, whole / options.steps * 1e3


def _timed(batches: Callable[..., Any], waited: list[float], *arguments: Any) -> Any:
    """The same batches, and how long each was waited for."""
    found = batches(*arguments)
    while True:
        started = time.perf_counter()
        batch = next(found, None)
        waited.append(time.perf_counter() - started)
        if batch is None:
            return
        yield batch


if __name__ == "__main__":
    main()
