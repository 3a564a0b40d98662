"""The card: its name, driver, versions and clocks, by torch and by nvidia-smi. As a program it prints them as JSON."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import platform
import subprocess
import sys
import threading
from typing import NamedTuple, Self

CLOCKS = ("clocks.sm", "clocks.mem", "power.draw", "temperature.gpu", "utilization.gpu")
SAID = {
    "driver": "driver_version",
    "highest SM clock, MHz": "clocks.max.sm",
    "highest memory clock, MHz": "clocks.max.mem",
    "power limit, W": "power.limit",
    "MIG": "mig.mode.current",
}
REASONS = ("clocks_event_reasons.active", "clocks_throttle_reasons.active")  # newer drivers, older ones
_NAMES = {  # bits of nvml.h
    0x1: "idle",
    0x2: "application clocks",
    0x4: "power cap",
    0x8: "hardware slowdown",
    0x10: "sync boost",
    0x20: "software thermal",
    0x40: "hardware thermal",
    0x80: "power brake",
    0x100: "display",
}


def asked(*fields: str) -> list[str]:
    """What nvidia-smi says of the first GPU that this process sees; empty where it says nothing."""
    command = ["nvidia-smi", *_which(), f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [cell.strip() for cell in done.stdout.splitlines()[0].split(",")] if done.stdout.strip() else []


def _which() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0]
    return ["-i", visible or "0"]


def described(device: str) -> dict[str, str]:
    """Card, driver, versions and clocks, as far as they can be had."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.release().split('-')[0]}"}
    import torch

    found |= {"torch": torch.__version__, "card": "CPU"}
    for name in ("numpy", "pandas", "pyarrow", "triton", "snakemake", "pytest"):
        with contextlib.suppress(Exception):
            from importlib import metadata

            found[name] = metadata.version(name)
    if device == "cuda":
        found["cuda"] = str(torch.version.cuda)
        if not torch.cuda.is_available():
            return {**found, "card": "none", "error": f"torch {torch.__version__} finds no CUDA device here"}
        properties = torch.cuda.get_device_properties(0)
        found |= {
            "card": properties.name,
            "memory": f"{properties.total_memory / 2**30:.0f} GiB",
            "multiprocessors": str(properties.multi_processor_count),
        }
        found |= {name: value for name, field in SAID.items() for value in asked(field)}
    return found


class Sample(NamedTuple):
    """Clocks at a moment."""

    at: datetime.datetime
    sm: float
    """MHz."""
    memory: float
    """MHz."""
    power: float
    """W."""
    temperature: float
    """°C."""
    busy: float
    """%, as nvidia-smi has it."""
    reasons: str
    """Why the clocks are not higher."""


class Clocks:
    """Samples of the clocks, taken by nvidia-smi in the background while this is a context."""

    def __init__(self, milliseconds: int = 50) -> None:
        self.samples: list[Sample] = []
        self._every = milliseconds
        self._process: subprocess.Popen[str] | None = None
        self._started = threading.Event()

    def __enter__(self) -> Self:
        reasons = next((name for name in REASONS if asked(name)), "index")
        fields = ",".join(("timestamp", *CLOCKS, reasons))
        command = ["nvidia-smi", *_which(), f"--query-gpu={fields}", "--format=csv,noheader,nounits"]
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [*command, "-lms", str(self._every)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            threading.Thread(target=self._read, daemon=True).start()
            self._started.wait(5)  # the first sample takes longest
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def within(self, start: datetime.datetime, stop: datetime.datetime) -> list[Sample]:
        """The samples of a span, or else the one that is nearest to it."""
        taken = [*self.samples]
        inside = [sample for sample in taken if start <= sample.at <= stop]
        return inside or sorted(taken, key=lambda sample: abs((sample.at - start).total_seconds()))[:1]

    def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        for line in self._process.stdout:
            with contextlib.suppress(ValueError, IndexError):
                self.samples.append(_sample([cell.strip() for cell in line.split(",")]))
            self._started.set()
        self._started.set()


def _sample(cells: list[str]) -> Sample:
    # nvidia-smi tells the local time, without a zone.
    at = datetime.datetime.strptime(cells[0], "%Y/%m/%d %H:%M:%S.%f")  # noqa: DTZ007
    sm, memory, power, temperature, busy = (_number(cell) for cell in cells[1:6])
    bits = int(cells[6], 16) if cells[6].startswith("0x") else 0
    names = ", ".join(name for bit, name in _NAMES.items() if bits & bit)
    return Sample(at, sm, memory, power, temperature, busy, names or "none")


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")  # "[N/A]"


def now() -> datetime.datetime:
    """The time as nvidia-smi tells it."""
    return datetime.datetime.now()  # noqa: DTZ005


if __name__ == "__main__":
    print(json.dumps(described(sys.argv[1])))
