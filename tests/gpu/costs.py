"""Part: what settings of all kinds cost, for the cost model to be fitted to: `costs.json`, written row by row.

A setting trains once for 60 epochs, evaluated every 10. The first 10, in which kernels are loaded and the graph is
captured, are the fixed part; an epoch takes a fiftieth of the other 50.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import random
import time
from collections.abc import Callable
from typing import Any

import card
import cost_model
import torch
from reporting import Options, Report
from trainings import Marks, engine, run, seconds, wait

WARM, LAST, EVERY = 10, 60, 10
MOST = 3000  # seeds
SIZED = 100  # seeds whose memory is measured
FULLER = 10  # times as many seeds as a CPU's core is measured with


def settings() -> list[tuple[dict[str, Any], int]]:
    """Those that the CPU's prices were fitted to and checked by, for a GPU, in an order that mixes them."""
    listed = [*cost_model.FITTED, *cost_model.CHECKED.values()]
    found = [({**spec, "device": "cuda", "evaluate_every": EVERY}, min(MOST, FULLER * seeds)) for spec, seeds in listed]
    random.Random(0).shuffle(found)
    return found


def measure(options: Options, report: Report) -> None:
    """Measure as many as the time allows."""
    chosen = settings()
    if options.small:
        chosen = [(spec, min(4, seeds)) for spec, seeds in chosen[:12]]
    found: dict[str, Any] = {
        "device": card.described(options.device)["card"],
        "torch": torch.__version__,
        "date": f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}",
        "evaluate_every": EVERY,
        "how": f"epochs {WARM + 1} to {LAST} of one run of each setting, one process",
        "rows": [],
    }
    _measured(*chosen[0], options)  # loads what all of them need
    for spec, seeds in chosen:
        if time.monotonic() > options.until:
            break
        report.doing(f"{spec['hidden']} {spec['norm']['name']} {spec['batch_size']} {spec['optimizer']['name']}")
        try:
            row = {"spec": spec, "seeds": seeds, **_measured(spec, seeds, options)}
        except Exception as error:  # one setting that fails leaves the others worth measuring
            report.fail(
                f"{spec['norm']['name']}, {spec['optimizer']['name']}: {str(error).partition(chr(10))[0][:200]}"
            )
            continue
        found["rows"].append(row)
        _write(found, options)
    told = f"{len(found['rows'])} of {len(chosen)} settings measured"
    report.figure("; ".join([told, *_known(found["rows"])]))
    report.lines(f"{told}, in costs.json.")
    if not found["rows"]:
        report.fail("no setting was measured")
    _sizes(found, options, report)


def _write(found: dict[str, Any], options: Options) -> None:
    (options.folder / "costs.json").write_text(json.dumps(found, indent=0), encoding="utf-8")


def _sizes(found: dict[str, Any], options: Options, report: Report) -> None:
    """Add what a network takes of the GPU's memory, where a benchmark can tell and time is left."""
    size = _bytes_per_network()
    if size is None or options.device == "cpu":
        return
    count = 0
    for row in found["rows"]:
        if time.monotonic() > options.until:
            break
        report.doing("measuring the memory of a network")
        try:
            row["bytes_per_network"] = size(row["spec"], min(SIZED, row["seeds"]), options.torch)
        except Exception as error:
            report.fail(f"memory of a network: {str(error).partition(chr(10))[0][:200]}")
            break
        count += 1
        _write(found, options)
    report.figure(f"memory of a network measured in {count} of them")


def _measured(spec: dict[str, Any], seeds: int, options: Options) -> dict[str, float]:
    """Seconds of a setting: of an epoch, and of what comes before."""
    wait(options.torch)
    started = time.perf_counter()
    setting = {**spec, "epochs": LAST}
    networks = engine(setting, range(seeds), options.torch)
    wait(options.torch)
    built = time.perf_counter()
    marks = Marks([WARM, LAST], options.torch)
    total = seconds(lambda: run(networks, setting, marks), options.torch)
    pace = marks.pace(WARM, LAST)
    return {
        "seconds_per_epoch": round(pace, 8),
        "seconds_fixed": round(max(0.0, total - LAST * pace), 4),
        "seconds_setting_up": round(built - started, 4),
    }


def _bytes_per_network() -> Callable[..., float] | None:
    """What measures memory, where the benchmarks have it."""
    with contextlib.suppress(ImportError, AttributeError):
        import device_memory

        found: Callable[..., float] = device_memory.bytes_per_network
        return found
    return None


def _known(rows: list[dict[str, Any]]) -> list[str]:
    """The two settings that the question and the tiny networks stand for, in words."""
    told = []
    for hidden, norm, batch in (([256, 256], "batch", "full"), ([64, 64], "none", 25)):
        same = [
            row
            for row in rows
            if [row["spec"][key] for key in ("hidden", "batch_size")] == [hidden, batch]
            and row["spec"]["norm"]["name"] == norm
            and row["spec"]["optimizer"]["name"] == "adam"
        ]
        if same:
            largest = max(same, key=lambda row: row["seeds"])
            pace = largest["seconds_per_epoch"] / largest["seeds"] * 1e6
            told.append(f"{hidden[0]}–{hidden[1]} {norm} {batch}: {pace:.2f} µs a network and epoch")
    return told
