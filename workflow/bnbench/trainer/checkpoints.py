"""Checkpoints: a chunk's training so far in a file, so that a job that is stopped loses minutes, not hours.

They lie under `results/checkpoints/<address>/<chunk>/`, outside what the workflow declares, one file for each run of
seeds that trains as one stack, and are removed when the chunk is done. One is written every few minutes and when the
process is asked to stop; a file that another chunk, another torch or a fault of the disk left is named and ignored.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import numpy as np

from bnbench.errors import UserError, first_line
from bnbench.plan.chunks import Chunk
from bnbench.store import files, provenance, tables
from bnbench.trainer.progress import Progress
from bnbench.trainer.snapshot import State

EVERY = 120.0
"""Seconds of training between two checkpoints."""

_FORMAT = 1  # of the files
_SHARE = 0.01  # of the training time may go into checkpoints
_STOPS = (signal.SIGTERM, signal.SIGINT)


class Checkpoints:
    """The checkpoints of one chunk, while it trains.

    As a context, SIGTERM and SIGINT end the process after the epoch at hand, with the exit status that shells give
    such an end, and SIGUSR1, by which SLURM can announce a time limit, is no end; each is first answered by a
    checkpoint. A signal that comes when training is over lets the tables be written.
    """

    def __init__(
        self, chunk: Chunk, results: Path, device_name: str, every: float = EVERY, progress: Progress | None = None
    ) -> None:
        self.folder = results / "checkpoints" / chunk.setting.address / chunk.stem
        self.devices = [device_name]
        """Names of the devices that the chunk was trained on, this one last."""
        self._chunk = chunk
        self._every = every
        self._progress = progress
        self._due = time.monotonic() + every
        self._signal: int | None = None
        self._handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._note) for number in (*_STOPS, signal.SIGUSR1)}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def path(self, seeds: range) -> Path:
        """Where the checkpoint of a stack of `seeds` lies."""
        return self.folder / f"seeds-{seeds[0]}-{seeds[-1]}.npz"

    def latest(self, seeds: range) -> State | None:
        """The state in the checkpoint of a stack of `seeds`, if there is one that can be used."""
        path = self.path(seeds)
        try:
            header, state = _read(path)
            for name, allowed in self._identity(seeds).items():
                if header.get(name) != allowed:
                    raise ValueError(f"found {name} {header.get(name)}, allowed: {allowed}")
            devices = [str(name) for name in header["devices"]]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            say(f"{path}: no checkpoint of this chunk ({first_line(error)}); ignored")
            return None
        self.devices = [*(name for name in devices if name not in self.devices), *self.devices]
        say(f"{self._chunk.setting.address}: continues after epoch {state.epochs} of seeds {seeds[0]} to {seeds[-1]}")
        return state

    def watch(self, seeds: range, epochs: int) -> Callable[[int, Callable[[], State]], None]:
        """What is called after every epoch of a stack of `seeds`: with the epochs done and what gives the state.

        The end of a stack that is not all of the chunk is kept too.
        """
        in_part = len(seeds) < self._chunk.count

        def after_epoch(done: int, state: Callable[[], State]) -> None:
            if self._progress is not None:
                self._progress.after_epoch(seeds, done)
            ended = in_part and done == epochs
            if self._signal is None and not ended and time.monotonic() < self._due:
                return
            told, self._signal = self._signal, None
            started = time.monotonic()
            saved = self._save(seeds, state())
            now = time.monotonic()
            self._due = now + max(self._every, (now - started) / _SHARE)
            if told in _STOPS:
                say(f"{self._chunk.setting.address}: stopped by {signal.Signals(told).name}; {saved}")
                raise SystemExit(128 + told)

        return after_epoch

    def remove(self) -> None:
        """Remove them all, and the folders that this leaves empty."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for folder in self.folder.parents[:2]:
            with contextlib.suppress(OSError):
                folder.rmdir()

    def _save(self, seeds: range, state: State) -> str:
        """Write a checkpoint; say whether it worked. Training continues if none can be written."""
        path = self.path(seeds)
        header = {**self._identity(seeds), "devices": self.devices, "epochs": state.epochs, "seconds": state.seconds}
        try:
            _write(path, header, state)
        except UserError as error:
            said = f"no checkpoint was written: {error}"
            say(f"warning: {said}")
            return said
        return f"{path} holds {state.epochs} epochs, and the same command continues from there"

    def _identity(self, seeds: range) -> dict[str, Any]:
        """What identifies a checkpoint of this chunk and this program."""
        return {
            "format": _FORMAT,
            "address": self._chunk.setting.address,
            "first": seeds[0],
            "count": len(seeds),
            "torch": provenance.provenance()["torch"],
        }

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        # A warning does not take back a stop.
        if self._signal not in _STOPS:
            self._signal = number


def _write(path: Path, header: dict[str, Any], state: State) -> None:
    arrays = {
        "header": np.frombuffer(json.dumps(header).encode(), np.uint8),
        **{f"stacked/{name}": values for name, values in state.stacked.items()},
        **{f"shared/{name}": values for name, values in state.shared.items()},
    }
    with files.atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _read(path: Path) -> tuple[dict[str, Any], State]:
    """The header and the state; the archive's checksums find what a disk has changed."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = tables.json_object(arrays.pop("header").tobytes())
    parts: dict[str, dict[str, Any]] = {"stacked": {}, "shared": {}}
    for name, values in arrays.items():
        kind, _, key = name.partition("/")
        parts[kind][key] = values
    return header, State(header["epochs"], header["seconds"], **parts)


def say(text: str) -> None:
    """Tell the log; what reads it may have been stopped before us."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
