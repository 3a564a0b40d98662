"""The cost model of a GPU against the clock: prices fitted to two thirds of a sweep, checked on the other third.

A sweep is a JSON file of measured settings, as `make gpu` writes it: its `rows` have a `spec`, `seeds`,
`seconds_per_epoch` and, where they were measured, `seconds_setting_up` and `bytes_per_network`; `device` names the
card, and `fused` says whether fused kernels took the steps that `plan.engines.fused` names (they do unless it is
false). No GPU is needed here.

An earlier sweep of the same card, without fused kernels, may come second: it measured torch's own kernels, which still
train what fused ones cannot. `--fit FILE [EARLIER]` prints what belongs into workflow/bnbench/plan/prices.py: prices
that fit the measured times best (least squares of the relative errors). Without it, the estimates by the present prices
are compared with the sweeps that they were fitted to, and results/cost-model-cuda.md is written: `python
tests/benchmarks/cuda_cost_model.py`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from common import RESULTS, Array, keep, table
from scipy.optimize import lsq_linear
from sweeps import CHANGED, ORDER_WAITED, Row, Sweep, as_today, described, lacking, read

from bnbench.plan import cuda_cost, engines, prices

DRAWN = 0.1
"""How much a price counts that is twice what it was, against a setting whose time is estimated as double."""

LEAST = 0.1
"""Of what it was, a price at least: nothing is free."""

SAFE = 0.9
"""Share of the settings that take no more memory than is reckoned."""


def amounts(sweep: Sweep, rows: Sequence[Row]) -> Array:
    """Of an epoch of each row, [rows, prices]."""
    found = [cuda_cost.amounts(row["spec"], row["seeds"], fused=sweep.fused) for row in rows]
    return np.array([list(each.values()) for each in found]).reshape(len(rows), len(prices.CUDA))


def times(rows: Sequence[Row], name: str = "seconds_per_epoch") -> Array:
    """Seconds of an epoch of all seeds, or of what else was timed, [rows]."""
    return np.array([row[name] for row in rows])


def fitted(sweeps: Sequence[Sweep]) -> dict[str, float]:
    """The prices that fit two thirds of the sweeps best, each drawn a little to what it was.

    So an amount that few settings show gets no wild price, and one that none shows keeps its own. Where what was there
    were guesses, fit again from what came out; those of the H200 were fitted five times.
    """
    shares = [amounts(sweep, sweep.fitted) / times(sweep.fitted)[:, None] for sweep in sweeps]
    return _fitted(np.vstack(shares), prices.CUDA)


def fitted_to_setting_up(sweep: Sweep) -> dict[str, float]:
    """The same for what comes before the training."""
    rows = [row for row in sweep.fitted if row.get("seconds_setting_up", 0) > 0]
    found = [[*cuda_cost.of_setting_up(row["spec"], row["seeds"]).values()] for row in rows]
    shares = np.array(found).reshape(len(rows), len(prices.CUDA_SETTING_UP))
    return _fitted(shares / times(rows, "seconds_setting_up")[:, None], prices.CUDA_SETTING_UP)


def _fitted(relative: Array, old: dict[str, float]) -> dict[str, float]:
    """Prices whose sums with amounts over measured times, [rows, prices], are as near to 1 as can be."""
    before = np.array([*old.values()])
    matrix = np.vstack([relative * before, DRAWN * np.eye(len(before))])
    wanted = np.concatenate([np.ones(len(relative)), np.full(len(before), DRAWN)])
    factors = lsq_linear(matrix, wanted, bounds=(LEAST, np.inf)).x
    return dict(zip(old, (before * factors).tolist(), strict=True))


def ratios(sweep: Sweep, rows: Sequence[Row], price: dict[str, float]) -> Array:
    """Estimated over measured times, [rows]."""
    return amounts(sweep, rows) @ np.array([*price.values()]) / times(rows)


def within(found: Array, factor: float = 1.5) -> int:
    """How many are off by no more than a factor."""
    return int((np.maximum(found, 1 / found) <= factor).sum())


def memory(sweep: Sweep) -> Array:
    """Measured over reckoned bytes of a network, [rows that have them]; epochs were few where they were measured."""
    rows = [row for row in sweep.rows if row.get("bytes_per_network", 0) > 0]
    reckoned = [cuda_cost.bytes_per_network({**row["spec"], "epochs": 1}) / prices.CUDA_MEMORY for row in rows]
    return np.array([row["bytes_per_network"] for row in rows]) / reckoned


def setting_up(sweep: Sweep, price: dict[str, float]) -> Array:
    """Estimated over measured seconds before the training, [rows that have them]."""
    rows = [row for row in sweep.rows if row.get("seconds_setting_up", 0) > 0]
    found = [[*cuda_cost.of_setting_up(row["spec"], row["seeds"]).values()] for row in rows]
    estimated = np.array(found).reshape(len(rows), len(price)) @ np.array([*price.values()])
    found_ratios: Array = estimated / times(rows, "seconds_setting_up")
    return found_ratios


def fit(sweeps: Sequence[Sweep]) -> None:
    """Print the prices, how well they fit, and what they miss most."""
    price, first = fitted(sweeps), sweeps[0]
    used = np.vstack([amounts(sweep, sweep.fitted) for sweep in sweeps]).any(axis=0)
    print(f'CARD = "{first.about["device"]}"\nSWEEPS = {tuple(map(_name, sweeps))}\nCUDA = {{')
    for (name, value), has in zip(price.items(), used, strict=True):
        print(f'    "{name}": {value:.2g},{"" if has else "  # the sweep has none of it: as it was"}')
    print("}")
    if len(setting_up(first, prices.CUDA_SETTING_UP)):
        found = fitted_to_setting_up(first)
        print("CUDA_SETTING_UP = {", *(f'    "{name}": {value:.2g},' for name, value in found.items()), "}", sep="\n")
        off = setting_up(first, found)
        print(f"# {within(off)} of {len(off)} within a factor of 1.5; {off.min():.2f} to {off.max():.2f}")
    if len(factors := memory(first)):
        print(f"CUDA_MEMORY = {np.quantile(factors, SAFE):.2g}  # {factors.min():.2g} to {factors.max():.2g}")
    for sweep in sweeps:
        for name, rows in (("fitted", sweep.fitted), ("held out", sweep.held_out)):
            if rows:
                print(f"# {_name(sweep)}, {name}: {_missed(sweep, rows, price)}")


def _missed(sweep: Sweep, rows: Sequence[Row], price: dict[str, float]) -> str:
    """How well the prices fit some settings, and what they miss most, as comments."""
    found = ratios(sweep, rows, price)
    worst = np.argsort(-np.abs(np.log(found)))[:5]
    lines = [" ".join([f"#   {found[place]:.2f}", *described(rows[place])]) for place in worst]
    told = f"{within(found)} of {len(rows)} within a factor of 1.5; {found.min():.2f} to {found.max():.2f}"
    return "\n".join([told, *lines])


def report(sweeps: Sequence[Sweep], earlier: Sequence[Sweep]) -> None:
    """Write how far the estimates of the held-out settings are off.

    Args:
        sweeps: what the prices were fitted to.
        earlier: what earlier sweeps tell, the settings that were swept again among it.
    """
    first, others = sweeps[0], sweeps[1:]
    header = ["task", "hidden", "norm", "batch", "optimizer", "seeds"]
    lines = [
        "# The cost model of a GPU against the clock",
        "",
        f"{first.about['device']}, torch {first.about.get('torch')}, {first.about.get('date')}: "
        f"{first.about.get('how', 'a sweep of settings')}. The measurements: {_link(first)}.",
        "",
        *(_filled_in(sweep) for sweep in others),
        "Every third setting of each sweep, sorted by kind, was held out, and the prices were fitted to the others. "
        "The table has the settings that were held out; ms are of an epoch of all seeds.",
        "",
        *table(
            [*header, "estimated, ms", "measured, ms", "estimated / measured"],
            [row for sweep in sweeps for row in _rows(sweep)],
        ),
        "",
        f"Promised is a factor of 1.5 either way for nine of ten: {_kept(sweeps, 'held_out')}. Of those that the "
        f"prices were fitted to: {_kept(sweeps, 'fitted')}.",
        "",
        *(_unfused(sweep) for sweep in earlier),
        "",
        *_setting_up_lines(first),
        *memory_lines(first),
    ]
    keep("cost-model-cuda", lines)


def _name(sweep: Sweep) -> str:
    """Where it lies among the results; of a file elsewhere, its name."""
    path = sweep.path.resolve()
    return path.relative_to(RESULTS).as_posix() if path.is_relative_to(RESULTS) else path.name


def _link(sweep: Sweep) -> str:
    return f"[{_name(sweep)}]({_name(sweep)})"


def _filled_in(sweep: Sweep) -> str:
    return (
        f"An earlier sweep ({_link(sweep)}, {sweep.about.get('date')}), of torch's own kernels alone, adds "
        f"{len(sweep.rows)} settings. {ORDER_WAITED * 1e9:.0f} ns an example are subtracted from its times, for which "
        "the GPU waited for orders then. Left out are settings that mostly waited, and optimizers whose update has "
        f"changed since ({', '.join(sorted(CHANGED))}). In the table, its settings follow those of the first sweep.\n"
    )


def _rows(sweep: Sweep) -> list[list[str]]:
    """The settings of a sweep that were held out, for the table."""
    found = ratios(sweep, sweep.held_out, prices.CUDA)
    measured = times(sweep.held_out) * 1e3
    return [
        [*described(row), f"{time * ratio:.2f}", f"{time:.2f}", f"{ratio:.2f}"]
        for row, time, ratio in zip(sweep.held_out, measured, found, strict=True)
    ]


def _kept(sweeps: Sequence[Sweep], part: str) -> str:
    """How many of a part of each sweep are estimated well, and the largest factor, sweep by sweep."""
    parts = [(sweep, getattr(sweep, part)) for sweep in sweeps]
    found = [ratios(sweep, rows, prices.CUDA) for sweep, rows in parts if rows]
    names = ["", *[" of the earlier sweep"] * (len(found) - 1)]
    return " and ".join(
        f"{within(each)} of {len(each)}{name} keep to it (the largest is {np.maximum(each, 1 / each).max():.2f})"
        for each, name in zip(found, names, strict=True)
    )


def _unfused(sweep: Sweep) -> str:
    """How well those settings of an earlier sweep are estimated that are never fused, swept again or not."""
    rows = [row for row in sweep.rows if not engines.fused(row["spec"])]
    found = ratios(sweep, rows, prices.CUDA)
    return (
        f"Of the earlier sweep's {len(rows)} settings that fused kernels cannot train, whether they were swept again "
        f"or not, {within(found)} are within a factor of 1.5, from {found.min():.2f} to {found.max():.2f}."
    )


def _setting_up_lines(sweep: Sweep) -> list[str]:
    """What is known of the time before the training."""
    found = setting_up(sweep, prices.CUDA_SETTING_UP)
    if not len(found):
        return []
    return [
        "What comes before the training (data, initial weights) is estimated within a factor of 1.5 in "
        f"{within(found)} of {len(found)} settings, from {found.min():.2f} to {found.max():.2f}.",
        "",
    ]


def memory_lines(sweep: Sweep) -> list[str]:
    """What is known of the memory that a network takes."""
    factors = memory(sweep) / prices.CUDA_MEMORY
    if not len(factors):
        return ["The sweep did not measure memory: how much of it a network takes is reckoned, and not checked."]
    low, middle, high = np.quantile(factors, (0, 0.5, 1))
    return [
        f"Memory of a network, measured over estimated: {middle:.2f}, from {low:.2f} to {high:.2f}, in {len(factors)} "
        f"settings; {int((factors <= 1.005).sum())} take no more than is estimated."
    ]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--fit",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="print prices fitted to this sweep, and to what it lacks of earlier ones; write nothing",
    )
    options = parser.parse_args()
    first, *others = options.fit or [RESULTS / path for path in prices.SWEEPS]
    sweep, earlier = read(first), [as_today(read(path)) for path in others]
    sweeps = [sweep, *(lacking(each, sweep) for each in earlier)]
    fit(sweeps) if options.fit else report(sweeps, earlier)


if __name__ == "__main__":
    main()
