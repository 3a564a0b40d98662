"""Checkpoints: a chunk's training so far in a file, so that a job that is stopped loses minutes, not hours.

They lie under `results/checkpoints/<address>/<chunk>/`, outside what the workflow declares, one file for each run of
seeds that trains as one stack, and are removed when the chunk is done. One is written every few minutes and when the
process is asked to stop. A file that another chunk, another torch, a fault of the disk or another hand left, or that
does not fit the networks, is named and ignored.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import signal
import stat
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
from bnbench.store import progress as progress_files
from bnbench.trainer.progress import Progress
from bnbench.trainer.snapshot import State

EVERY = 120.0
"""Seconds of training between two checkpoints."""

_FORMAT = 2  # of the files
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)  # what reading a file can raise
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
        self.folder = progress_files.folder(chunk, results)
        self.devices = [device_name]
        """Names of the devices that the chunk was trained on, this one last."""
        self._chunk, self._results = chunk, results
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
            return _read(path, self._identity(seeds), self._chunk.setting.spec["epochs"])
        except FileNotFoundError:
            return None
        except _UNREADABLE as error:
            self._ignore(seeds, first_line(error))
            return None

    def taken_up(self, seeds: range, state: State, misfit: str) -> State | None:
        """The state from which a stack of `seeds` goes on; None, and a line, where there is a `misfit` in it."""
        if misfit:
            self._ignore(seeds, misfit)
            return None
        self.devices = [*(name for name in state.devices if name not in self.devices), *self.devices]
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
        progress_files.clear(self._chunk, self._results)

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

    def _ignore(self, seeds: range, why: str) -> None:
        say(f"{self.path(seeds)}: no checkpoint of this chunk ({why}); ignored")

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
        **{f"stacked/{name}": values for name, values in state.stacked.items()},
        **{f"shared/{name}": values for name, values in state.shared.items()},
    }
    said = json.dumps({**header, "content": _digest(header, arrays)}).encode()
    with files.atomic(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, header=np.frombuffer(said, np.uint8), **arrays)


def _read(path: Path, identity: dict[str, Any], epochs: int) -> State:
    """The state in a checkpoint of this identity, after no more than so many epochs.

    Raises:
        ValueError: it is none, or not what was written; other errors of `_UNREADABLE` say the same.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("no regular file")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    header = tables.json_object(arrays.pop("header").tobytes())
    for name, allowed in identity.items():
        if header.get(name) != allowed:
            raise ValueError(f"found {name} {header.get(name)}, allowed: {allowed}")
    if header.pop("content", None) != _digest(header, arrays):
        raise ValueError("its numbers are not those that were written")
    _check(header, epochs)
    parts: dict[str, dict[str, Any]] = {"stacked": {}, "shared": {}}
    for name, values in arrays.items():
        kind, _, key = name.partition("/")
        parts[kind][key] = values
    if any(len(np.atleast_1d(values)) < identity["count"] for values in parts["stacked"].values()):
        raise ValueError("some of its seeds are missing")
    return State(header["epochs"], float(header["seconds"]), **parts, devices=tuple(header["devices"]))


def _check(header: dict[str, Any], epochs: int) -> None:
    """Refuse what training for this number of epochs never writes.

    Raises:
        ValueError: a value is of another type, or out of range.
    """
    done: Any = header.get("epochs")
    seconds: Any = header.get("seconds")
    devices: Any = header.get("devices")
    if type(done) is not int or not 1 <= done <= epochs:
        raise ValueError(f"found epochs {done!r}, allowed: 1 to {epochs}")
    if type(seconds) not in (int, float) or not 0 <= seconds < math.inf:
        raise ValueError(f"found seconds {seconds!r}, allowed: 0 or more")
    if not isinstance(devices, list) or not all(isinstance(name, str) for name in devices):
        raise ValueError(f"found devices {devices!r}, allowed: a list of names")


def _digest(header: dict[str, Any], arrays: dict[str, Any]) -> str:
    """A hash of all that a checkpoint holds: the header, and names, types, shapes and bytes of its arrays."""
    found = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, values in sorted(arrays.items()):
        found.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        found.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return found.hexdigest()


def say(text: str) -> None:
    """Tell the log; what reads it may have been stopped before us."""
    with contextlib.suppress(OSError):
        print(text, file=sys.stderr, flush=True)
