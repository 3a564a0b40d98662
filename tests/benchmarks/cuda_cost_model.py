"""The cost model of a GPU against the clock: prices fitted to two thirds of a sweep, checked on the other third.

A sweep is a JSON file of measured settings: their `rows` have a `spec`, `seeds`, `seconds_per_epoch` and, where it was
measured, `bytes_per_network`; `device` names the card, and `fused` says whether fused kernels took the steps that
`plan.engines.fused` names (they do unless it is false). No GPU is needed here.

`--fit FILE` prints what belongs into workflow/bnbench/plan/prices.py for such a file: prices that fit the measured
times best (least squares of the relative errors). Without it, the estimates by the prices that are there
are compared with the sweep that they were fitted to, and results/cost-model-cuda.md is written:
`python tests/benchmarks/cuda_cost_model.py`.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from common import RESULTS, Array, keep, table
from scipy.optimize import lsq_linear

from bnbench.plan import cuda_cost, prices
from bnbench.plan.engines import engine

Row = dict[str, Any]

DRAWN = 0.1
"""How much a price counts that is twice what it was, against a setting whose time is estimated as double."""

LEAST = 0.1
"""Of what it was, a price at least: nothing is free."""

SAFE = 0.9
"""Share of the settings that take no more memory than is reckoned."""


class Sweep(NamedTuple):
    """What was measured on a card."""

    path: Path
    about: dict[str, Any]
    fitted: list[Row]
    held_out: list[Row]
    """Every third of all, in the order of what they are."""
    fused: bool | None
    """For `cuda_cost.amounts`."""


def read(path: Path, *, unfused: bool = False) -> Sweep:
    """A sweep, parted."""
    about = json.loads(path.read_text(encoding="utf-8"))
    timed = [
        row for row in about.pop("rows") if row.get("seconds_per_epoch", 0) > 0 and engine(row["spec"]) == "stacked"
    ]
    rows = sorted(timed, key=lambda row: json.dumps([row["spec"], row["seeds"]], sort_keys=True))
    fitted = [row for place, row in enumerate(rows) if place % 3]
    fused = None if about.get("fused", True) and not unfused else False
    return Sweep(path, about, fitted, rows[::3], fused)


def amounts(sweep: Sweep, rows: Sequence[Row]) -> Array:
    """Of an epoch of each row, [rows, prices]."""
    found = [cuda_cost.amounts(row["spec"], row["seeds"], fused=sweep.fused) for row in rows]
    return np.array([list(each.values()) for each in found])


def times(rows: Sequence[Row]) -> Array:
    """Seconds of an epoch of all seeds, [rows]."""
    return np.array([row["seconds_per_epoch"] for row in rows])


def fitted(sweep: Sweep) -> dict[str, float]:
    """The prices that fit two thirds of a sweep best, each drawn a little to what it was.

    So an amount that few settings show gets no wild price, and one that none shows keeps its own.
    """
    before = np.array([*prices.CUDA.values()])
    shares = amounts(sweep, sweep.fitted) * before / times(sweep.fitted)[:, None]
    matrix = np.vstack([shares, DRAWN * np.eye(len(before))])
    wanted = np.concatenate([np.ones(len(shares)), np.full(len(before), DRAWN)])
    factors = lsq_linear(matrix, wanted, bounds=(LEAST, np.inf)).x
    return dict(zip(prices.CUDA, (before * factors).tolist(), strict=True))


def ratios(sweep: Sweep, rows: Sequence[Row], price: dict[str, float]) -> Array:
    """Estimated over measured times, [rows]."""
    return amounts(sweep, rows) @ np.array([*price.values()]) / times(rows)


def within(found: Array, factor: float = 1.5) -> int:
    """How many are off by no more than a factor."""
    return int((np.maximum(found, 1 / found) <= factor).sum())


def memory(sweep: Sweep) -> Array:
    """Measured over reckoned bytes of a network, [rows that have them]; epochs were few where they were measured."""
    rows = [row for row in [*sweep.fitted, *sweep.held_out] if row.get("bytes_per_network", 0) > 0]
    reckoned = [cuda_cost.bytes_per_network({**row["spec"], "epochs": 1}) / prices.CUDA_MEMORY for row in rows]
    return np.array([row["bytes_per_network"] for row in rows]) / reckoned


def fit(sweep: Sweep) -> None:
    """Print the prices, how well they fit, and what they miss most."""
    price, used = fitted(sweep), amounts(sweep, sweep.fitted).any(axis=0)
    print(f'CARD = "{sweep.about["device"]}"\nSWEEP = "{sweep.path.name}"\nCUDA = {{')
    for (name, value), has in zip(price.items(), used, strict=True):
        print(f'    "{name}": {value:.2g},{"" if has else "  # the sweep has none of it: as it was"}')
    print("}")
    if len(factors := memory(sweep)):
        print(f"CUDA_MEMORY = {np.quantile(factors, SAFE):.2g}  # {factors.min():.2g} to {factors.max():.2g}")
    for name, rows in (("fitted", sweep.fitted), ("held out", sweep.held_out)):
        found = ratios(sweep, rows, price)
        print(
            f"# {name}: {within(found)} of {len(rows)} within a factor of 1.5; {found.min():.2f} to {found.max():.2f}"
        )
        for place in np.argsort(-np.abs(np.log(found)))[:5]:
            print(f"#   {found[place]:.2f}", *described(rows[place]))


def described(row: Row) -> list[str]:
    """What a row measured, as cells of a table."""
    spec = row["spec"]
    task, norm, optimizer = (spec[key]["name"] for key in ("task", "norm", "optimizer"))
    points = f" ({spec['task']['points']})" if spec["task"].get("points", 100) != 100 else ""
    others = [spec["activation"]] * (spec["activation"] != "relu") + [spec["dtype"]] * (spec["dtype"] != "float32")
    hidden = "–".join(map(str, spec["hidden"]))
    return [
        f"{task}{points}",
        hidden,
        norm,
        str(spec["batch_size"]),
        ", ".join([optimizer, *others]),
        f"{row['seeds']:,}",
    ]


def report(sweep: Sweep) -> None:
    """Write how far the estimates of the held-out settings are off."""
    found, others = ratios(sweep, sweep.held_out, prices.CUDA), ratios(sweep, sweep.fitted, prices.CUDA)
    off = np.maximum(found, 1 / found)
    rows = []
    for row, ratio in zip(sweep.held_out, found, strict=True):
        measured = row["seconds_per_epoch"] * 1e3
        rows.append([*described(row), f"{measured * ratio:.2f}", f"{measured:.2f}", f"{ratio:.2f}"])
    header = ["task", "hidden", "norm", "batch", "optimizer", "seeds"]
    lines = [
        "# The cost model of a GPU against the clock",
        "",
        f"{sweep.about['device']}, torch {sweep.about.get('torch')}, {sweep.about.get('date')}: "
        f"{sweep.about.get('how', 'a sweep of settings')}. "
        f"The measurements: [{sweep.path.name}]({sweep.path.name}).",
        "",
        "Sorted by what they are, every third setting was held out; the prices were fitted to the others. ms are of an "
        "epoch of all seeds. The table has the settings that were held out.",
        "",
        *table([*header, "estimated, ms", "measured, ms", "estimated / measured"], rows),
        "",
        f"Promised is a factor of 1.5 either way for nine of ten: {within(found)} of {len(rows)} keep to it, the "
        f"largest is {off.max():.2f}. Of the {len(others)} that the prices were fitted to, {within(others)} do.",
        "",
        *memory_lines(sweep),
    ]
    keep("cost-model-cuda", lines)


def memory_lines(sweep: Sweep) -> list[str]:
    """What is known of the memory that a network takes."""
    factors = memory(sweep) / prices.CUDA_MEMORY
    if not len(factors):
        return ["The sweep did not measure memory: what a network takes of the card is reckoned."]
    low, middle, high = np.quantile(factors, (0, 0.5, 1))
    return [
        f"Memory of a network, measured over estimated: {middle:.2f}, from {low:.2f} to {high:.2f}, in {len(factors)} "
        f"settings; {int((factors <= 1.005).sum())} take no more than is estimated."
    ]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", metavar="FILE", type=Path, help="print prices fitted to this sweep, and write nothing")
    parser.add_argument("--unfused", action="store_true", help="no fused kernels took part, whatever the file says")
    options = parser.parse_args()
    sweep = read(options.fit or RESULTS / prices.SWEEP, unfused=options.unfused)
    fit(sweep) if options.fit else report(sweep)


if __name__ == "__main__":
    main()
