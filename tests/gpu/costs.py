"""Part: what settings of all kinds cost, for fitting the cost model. It writes `costs.json` row by row.

A setting trains once for 60 epochs, evaluated every 10. The first 10, in which kernels are loaded and the graph is
captured, are the fixed part; an epoch takes a fiftieth of the other 50. One setting of each kind comes before the
second of any, so a sweep that is cut short covers them all. The first few also have the memory of a network measured.
`python tests/benchmarks/cuda_cost_model.py --fit costs.json` turns the times into prices.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import time
from collections.abc import Sequence
from typing import Any

import card
import cost_model
import device_memory
import torch
from reporting import Options, Report
from trainings import Marks, engine, run, seconds, wait

from bnbench.catalogue import networks, tasks
from bnbench.plan import cost, engines
from bnbench.plan.layout import weights

WARM, LAST, EVERY = 10, 60, 10
MOST = 3000  # seeds
FULLER = 10  # times as many seeds as a CPU's core is measured with
LONGEST_SET_UP = 0.6  # seconds, as estimated: with more seeds, making networks takes longer than training them
SIZED = 40  # seeds whose memory is measured
SIZED_EARLY = 2  # settings of each sort that are measured so while the sweep goes on

Setting = tuple[dict[str, Any], int]


def settings() -> list[Setting]:
    """Those that the CPU's prices were fitted to and checked by, for a GPU; see `in_turns` for their order."""
    listed = [*cost_model.FITTED, *cost_model.CHECKED.values()]
    found = []
    for spec, seeds in listed:
        on_gpu = {**spec, "device": "cuda", "evaluate_every": EVERY}
        found.append((on_gpu, _few_enough(on_gpu, min(MOST, FULLER * seeds))))
    return in_turns(found)


def _few_enough(spec: dict[str, Any], seeds: int) -> int:
    """The seeds, halved until their networks are made within `LONGEST_SET_UP`."""
    while seeds > SIZED and cost.seconds_setting_up(spec, seeds) > LONGEST_SET_UP:
        seeds //= 2
    return seeds


def in_turns(listed: Sequence[Setting]) -> list[Setting]:
    """The quickest of each kind, then the second of each that has one, and so on."""
    kinds: dict[str, list[Setting]] = {}
    for spec, seeds in sorted(listed, key=lambda each: _seconds(*each)):
        kinds.setdefault(kind(spec), []).append((spec, seeds))
    turns = max(map(len, kinds.values()))
    return [found[turn] for turn in range(turns) for found in kinds.values() if turn < len(found)]


def kind(spec: dict[str, Any]) -> str:
    """What a setting shows: whose kernels train it, what they do, and how often."""
    named = [spec[key]["name"] for key in ("task", "norm", "optimizer")]
    if engines.fused(spec):
        named[2] = ""  # one kernel updates by all that it knows
    often = spec["batch_size"] if spec["batch_size"] == "full" else "batches"
    return "/".join([str(engines.fused(spec)), *named, often, spec["activation"], spec["dtype"]])


def _seconds(spec: dict[str, Any], seeds: int) -> float:
    """How long it takes to measure a setting, as estimated."""
    return cost.seconds_setting_up(spec, seeds) + cost.seconds({**spec, "epochs": LAST}, seeds)


def sort(spec: dict[str, Any]) -> tuple[bool, bool]:
    """What the memory of a network depends on: whose kernels train it, and whether weights or activations take most."""
    activations = tasks.of(spec).train_points() * sum(networks.of(spec).hidden)
    return engines.fused(spec), weights(spec) > activations


def sized_early(chosen: Sequence[Setting]) -> set[int]:
    """Places of the settings whose memory is measured while the sweep goes on: the first few of each sort."""
    places: dict[tuple[bool, bool], list[int]] = {}
    for place, (spec, _) in enumerate(chosen):
        places.setdefault(sort(spec), []).append(place)
    return {place for found in places.values() for place in found[:SIZED_EARLY]}


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
        "fused": False,
        "how": f"epochs {WARM + 1} to {LAST} of one run of each setting, one process",
        "rows": [],
    }
    with contextlib.suppress(Exception):  # it is measured again below
        _measured(*chosen[0], options)  # loads what all of them need
    early = sized_early(chosen)
    for place, (spec, seeds) in enumerate(chosen):
        if time.monotonic() > options.until:
            break
        report.doing(f"{spec['hidden']} {spec['norm']['name']} {spec['batch_size']} {spec['optimizer']['name']}")
        try:
            measured, by_fused = _measured(spec, seeds, options)
            row = {"spec": spec, "seeds": seeds, **measured}
        except Exception as error:  # one setting that fails leaves the others worth measuring
            report.fail(
                f"{spec['norm']['name']}, {spec['optimizer']['name']}: {str(error).partition(chr(10))[0][:200]}"
            )
            continue
        if options.device == "cuda" and by_fused != engines.fused(spec):
            report.fail("torch's own kernels trained what fused ones should have; the job says why")
            break
        found["fused"] = found["fused"] or by_fused
        found["rows"].append(row)
        if place in early:
            _size(row, options, report)
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
    """Add what a network takes of the GPU's memory to all rows that lack it, while time is left; say how many do."""
    for row in found["rows"]:
        if time.monotonic() > options.until:
            break
        if "bytes_per_network" not in row and not _size(row, options, report):
            break
        _write(found, options)
    count = sum("bytes_per_network" in row for row in found["rows"])
    if options.device != "cpu":
        report.figure(f"memory of a network measured in {count} of them")


def _size(row: dict[str, Any], options: Options, report: Report) -> bool:
    """Add what a network takes of the GPU's memory to a row; whether that could be measured."""
    if options.device == "cpu":
        return False
    report.doing("measuring the memory of a network")
    try:
        seeds = max(2, min(SIZED, row["seeds"]))
        row["bytes_per_network"] = device_memory.bytes_per_network(row["spec"], seeds, options.torch)
    except Exception as error:  # the times of a setting are worth having without
        report.fail(f"memory of a network: {str(error).partition(chr(10))[0][:200]}")
        return False
    return True


def _measured(spec: dict[str, Any], seeds: int, options: Options) -> tuple[dict[str, float], bool]:
    """Seconds of a setting: of an epoch, and of what comes before; and whether fused kernels trained it."""
    wait(options.torch)
    started = time.perf_counter()
    setting = {**spec, "epochs": LAST}
    trained = engine(setting, range(seeds), options.torch)
    wait(options.torch)
    built = time.perf_counter()
    marks = Marks([WARM, LAST], options.torch)
    total = seconds(lambda: run(trained, setting, marks), options.torch)
    pace = marks.pace(WARM, LAST)
    found = {
        "seconds_per_epoch": round(pace, 8),
        "seconds_fixed": round(max(0.0, total - LAST * pace), 4),
        "seconds_setting_up": round(built - started, 4),
    }
    return found, trained.is_fused


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
