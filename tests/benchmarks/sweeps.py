"""Sweeps: measured settings of a GPU, which its prices are fitted to; see cuda_cost_model.py."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from bnbench.plan import cuda_cost, engines

Row = dict[str, Any]

ORDER_WAITED = 2e-8
"""Seconds that a GPU waited in the earlier sweep for each example in an order, which the host drew then."""

CHANGED = {"nadam", "radam", "adamax", "asgd"}
"""Optimizers whose updates have become others since the earlier sweep."""


class Sweep(NamedTuple):
    """What was measured on a card."""

    path: Path
    about: dict[str, Any]
    fitted: list[Row]
    held_out: list[Row]
    """Every third of all, in the order of what they are."""
    fused: bool | None
    """For `cuda_cost.amounts`."""

    @property
    def rows(self) -> list[Row]:
        """All of them."""
        return [*self.fitted, *self.held_out]


def read(path: Path) -> Sweep:
    """A sweep, parted."""
    about = json.loads(path.read_text(encoding="utf-8"))
    timed = [
        row
        for row in about.pop("rows")
        if row.get("seconds_per_epoch", 0) > 0 and engines.engine(row["spec"]) == "stacked"
    ]
    return parted(path, about, timed, fused=None if about.get("fused", True) else False)


def parted(path: Path, about: dict[str, Any], rows: list[Row], *, fused: bool | None) -> Sweep:
    """These settings, and every third of them held out."""
    rows = sorted(rows, key=lambda row: json.dumps([row["spec"], row["seeds"]], sort_keys=True))
    return Sweep(path, about, [row for place, row in enumerate(rows) if place % 3], rows[::3], fused)


def as_today(earlier: Sweep) -> Sweep:
    """What an earlier sweep tells of torch's own kernels today: its settings less what they waited for orders.

    Left out are those that mostly waited, and those whose updates have changed.
    """
    kept = []
    for row in earlier.rows:
        of_a_seed = cuda_cost.amounts(row["spec"], 2, fused=False)["orders"] / 2
        rest = row["seconds_per_epoch"] - ORDER_WAITED * row["seeds"] * of_a_seed
        if rest > row["seconds_per_epoch"] / 2 and row["spec"]["optimizer"]["name"] not in CHANGED:
            kept.append({**row, "seconds_per_epoch": rest})
    return parted(earlier.path, earlier.about, kept, fused=False)


def lacking(earlier: Sweep, sweep: Sweep) -> Sweep:
    """What an earlier sweep has and a later one lacks."""
    known = {kind(row) for row in sweep.rows if not engines.fused(row["spec"])}
    rows = [row for row in earlier.rows if kind(row) not in known]
    return parted(earlier.path, earlier.about, rows, fused=earlier.fused)


def kind(row: Row) -> tuple[str, ...]:
    """What tells a setting from the others of a sweep."""
    return tuple(described(row))


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
