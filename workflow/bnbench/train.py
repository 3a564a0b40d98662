"""Train one chunk, and write its three tables.

What comes in is a setting and a run of seeds, what goes out are losses, trials and predictions. Seeds that another
chunk holds are taken from there; training that was stopped goes on from its checkpoint.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from bnbench.catalogue import sources, tasks
from bnbench.errors import UserError
from bnbench.plan import cost
from bnbench.plan.chunks import Chunk
from bnbench.plan.portable import portable
from bnbench.plan.settings import NUMERICS
from bnbench.store import chunk_files, preregistration, progress, provenance, results_folder, reuse, schemas
from bnbench.streams import seed_of
from bnbench.trainer import arithmetic, devices
from bnbench.trainer.checkpoints import EVERY, Checkpoints, say
from bnbench.trainer.chunk import keep_freed_memory, train, trial_tables
from bnbench.trainer.progress import Progress
from bnbench.wording import clock, formats

_LONG = 10.0  # seconds by the cost model


def run(
    chunk: Chunk,
    results: Path,
    threads: int,
    every: float = EVERY,
    plan: Mapping[str, Any] | None = None,
    gpu_share: int = 1,
    mark: str = "",
) -> str:
    """Train `chunk`, write its tables under `results`, and say in one line what was done and how fast.

    Seeds that another chunk holds are taken from there; interrupted training continues from its checkpoint, one of
    which is written every `every` seconds. Existing tables are not touched: another writer would have written the
    same. What is planned (`plan`, as `plan.preregistration` makes it) is recorded before any seed is trained.
    On a GPU, `gpu_share` jobs may train at once. `mark` tells the folder that the planning process saw from others.

    Raises:
        UserError: the setting's device is absent, `results` is another folder or cannot be written, or a file cannot be
            read.
    """
    address, spec = chunk.setting.address, chunk.setting.spec
    if spec["numerics"] != NUMERICS:
        raise UserError(
            f"{address}: planned by version {spec['numerics']} of the arithmetic, and here is version {NUMERICS}; "
            "update the clone, or build the image again"
        )
    try:
        sources.check(spec)
    except UserError as error:
        raise UserError(f"{address}: {error}") from error
    results_folder.check_mark(results, mark)
    if not chunk_files.missing(chunk, results):
        return f"{address}: seeds {chunk.first} to {chunk.last} are trained already"
    device = devices.acquire(spec["device"], address, gpu_share)
    results_folder.check_writable(results, *(path.parent for path in chunk_files.paths(chunk, results).values()))
    torch.set_num_threads(threads)
    keep_freed_memory()
    made, runs = reuse.rows(chunk, results)
    if plan and runs:
        preregistration.keep(plan, chunk.setting, results)
    task, seconds = tasks.of(spec), 0.0
    with Checkpoints(chunk, results, device.name, every, _progress(chunk, results, runs)) as checkpoints:
        for seeds in runs:
            data = [task.data(seed_of("data", seed, spec["seed_varies"])) for seed in seeds]
            trained = train(spec, seeds, data, device.torch, checkpoints)
            seconds += trained.seconds
            name = " + ".join(checkpoints.devices)
            for kind, table in trial_tables(chunk.setting, seeds, data, trained, name, threads).items():
                made[kind].append(table)
        setting = portable(json.loads(chunk.setting.to_json()))
        come_from = provenance.provenance() | {"arithmetic": arithmetic.description()}
        footer = {"address": address, "setting": setting, "provenance": come_from}
        for _ in range(2):  # the second time those that were there, and contradict the new ones
            for kind, path in chunk_files.missing(chunk, results).items():
                chunk_files.write(chunk, kind, path, in_order(chunk, kind, made[kind]), footer)
        checkpoints.remove()
    return f"{address}: {_said(chunk, sum(map(len, runs)), seconds, made['trials'])}"


def _progress(chunk: Chunk, results: Path, runs: Sequence[range]) -> Progress:
    """What tells how far the training of these seeds is; of a long one, the log hears at once what is trained."""
    address, spec = chunk.setting.address, chunk.setting.spec
    seeds = [seed for run in runs for seed in run]
    if cost.seconds(spec, len(seeds)) > _LONG:
        say(f"{address}: training {formats.count(len(seeds), 'seed')} for {spec['epochs']:,} epochs")

    def words(done: int, of: int, share: float, left: float) -> str:
        return f"{address}: {clock.epoch(done, of, share, left)}"

    return Progress(progress.path(chunk, results), seeds, spec["epochs"], say, words)


def in_order(chunk: Chunk, kind: str, parts: Sequence[pa.Table]) -> pa.Table:
    """The rows of all parts, seed after seed, with their labels."""
    table = pa.concat_tables(parts)
    if len(parts) > 1:
        table = table.take(np.argsort(table["seed"].to_numpy(), kind="stable"))
    schema = schemas.stored(kind, chunk.setting.own_metrics)
    return chunk_files.labelled(chunk.setting, table).select(schema.names).cast(schema)


def _said(chunk: Chunk, new: int, seconds: float, trials: Sequence[pa.Table]) -> str:
    """What was done, and how fast."""
    said = f"seeds {chunk.first} to {chunk.last}"
    if new < chunk.count:
        said += f", {chunk.count - new} of them from other chunks,"
    if not new:
        return said.rstrip(",")
    epochs = chunk.setting.spec["epochs"]
    diverged = sum(part.num_rows - part["diverged_at"].null_count for part in trials)
    pace = _pace(seconds / new / epochs)
    return f"trained {said} for {epochs} epochs in {seconds:.1f} s ({pace} per network and epoch); {diverged} diverged"


def _pace(seconds: float) -> str:
    """A short time in the unit that fits it."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
