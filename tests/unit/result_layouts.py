"""Writes the same results in each of the layouts that people have them in."""

import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from hypothesis import strategies as st

ARMS = ("none", "layer_norm", "bn")
VALUES = st.one_of(
    st.none(),
    st.floats(width=32, allow_nan=False, allow_infinity=False),
    st.sampled_from([math.nan, math.inf, -math.inf]),
)


@st.composite
def results(draw):
    """Rows of `norm`, `seed`, `epoch`, `loss` and `acc`, with at least one value of each metric in each row."""
    arms = draw(st.lists(st.sampled_from(ARMS), min_size=2, max_size=3, unique=True))
    seeds = draw(st.lists(st.integers(0, 99), min_size=2, max_size=3, unique=True))
    rows = []
    for arm in arms:
        for seed in seeds:
            for epoch in range(draw(st.integers(1, 3))):
                loss, acc = draw(VALUES), draw(VALUES)
                rows.append(
                    {"norm": arm, "seed": seed, "epoch": epoch, "loss": 0.5 if loss is None else loss, "acc": acc}
                )
    return rows


def told(long):
    """Rows of a long table, as `results` gives them, in an order of their own."""
    table = long.table
    if "group" in table.column_names:  # what a reader calls the arm where it knows nothing but names of runs
        table = table.rename_columns({"group": "norm"})
    names = ["norm", "seed", "epoch", "loss", "acc"]
    absent = [None] * table.num_rows
    there = {name: table.column(name).to_pylist() if name in table.column_names else absent for name in names}
    return ordered(dict(zip(names, row, strict=True)) for row in zip(*there.values(), strict=True))


def ordered(rows):
    """Rows as text, so that NaN equals itself and an integer its float."""
    return sorted(
        [repr([value if isinstance(value, str | None) else float(value) for value in row.values()]) for row in rows]
    )


def runs(rows):
    """The rows of each run, by its arm and seed."""
    found = {}
    for row in rows:
        found.setdefault((row["norm"], row["seed"]), []).append(row)
    return found


def text(value):
    return "" if value is None else str(value)


def csv_text(rows, names):
    return "\n".join([",".join(names), *(",".join(text(row.get(name)) for name in names) for row in rows)]) + "\n"


def write(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def as_csv(rows, folder):
    return str(write(folder / "runs.csv", csv_text(rows, [*rows[0]]))), None


def as_parquet(rows, folder):
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: [row[name] for row in rows] for name in rows[0]}), folder / "runs.parquet")
    return str(folder / "runs.parquet"), None


def as_json_lines(rows, folder):
    return str(write(folder / "runs.jsonl", "\n".join(json.dumps(row) for row in rows))), None


def as_lightning(rows, folder):
    """As Lightning's CSVLogger: a loss for each step of an epoch, and what its end gives in rows of their own."""
    names = ["epoch", "step", "train_loss_step", "loss", "acc"]
    for place, ((arm, seed), of_run) in enumerate(runs(rows).items()):
        home = folder / f"version_{place}"
        lines = []
        for row in of_run:
            step = 10 * row["epoch"]
            lines += [{"epoch": row["epoch"], "step": step + each, "train_loss_step": each} for each in (4, 9)]
            lines.append({"epoch": row["epoch"], "step": step + 9, "loss": row["loss"]})
            lines.append({"epoch": row["epoch"], "step": step + 9, "acc": row["acc"]})
        write(home / "metrics.csv", csv_text(lines, names))
        write(home / "hparams.yaml", yaml.safe_dump({"norm": arm, "seed": seed, "width": 64}))
    return str(folder), None


def as_folders(rows, folder):
    """As Keras' CSVLogger, with the factors in the names of folders."""
    for (arm, seed), of_run in runs(rows).items():
        write(folder / arm / f"seed{seed}" / "log.csv", csv_text(of_run, ["epoch", "loss", "acc"]))
    return str(folder), "{norm}/seed{seed}/*.csv"


def as_chart(rows, folder):
    """As a tracker exports a chart, with a column per run and metric, and columns of minima and maxima."""
    found = runs(rows)
    names = ["epoch"]
    lines = {row["epoch"]: {"epoch": row["epoch"]} for row in rows}
    for (arm, seed), of_run in found.items():
        for metric in ("loss", "acc"):
            name = f"{arm}-seed{seed} - {metric}"
            names += [name, f"{name}__MIN", f"{name}__MAX"]
            for row in of_run:
                lines[row["epoch"]] |= dict.fromkeys(names[-3:], row[metric])
    return str(write(folder / "chart.csv", csv_text(lines.values(), names))), None
