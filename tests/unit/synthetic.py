"""Collected tables of a study that was never trained: losses of a known ratio, and whatever may befall trials.

`compare`, the figures and the report run on them as on real ones, without torch. Whatever differs between trials is
given as a number or as a function of (labels of the setting, seed); the labels are those of `Setting.labels`.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from bnbench import compare, plot, report
from bnbench.catalogue import parameters
from bnbench.catalogue.tasks import TASKS
from bnbench.epochs import evaluated_epochs
from bnbench.judging.verdicts import Contrast
from bnbench.plan import config, cost
from bnbench.plan.chunks import Chunk, all_chunks
from bnbench.plan.settings import Setting
from bnbench.plan.study import Study
from bnbench.store import chunk_files, files, report_tables, schemas, tables
from bnbench.vocabulary import VALIDATION
from bnbench.wording import contents

Of = Callable[[Mapping[str, str], int], Any]
"""A property of one trial: of the labels of its setting and its seed."""

OUTCOMES = {"train_loss": 1.0, "eval_loss": 1.25, "test_loss": 2.0, "test_loss_precise": 1.5}
"""Each outcome's multiple of the train loss."""

GRID = {"batch_size": ["full", 25], "optimizer": [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]}
"""Four contexts."""

CHOSEN = ("chosen_baseline", "chosen_treatment")
"""Columns of what is chosen for most seeds of the two arms, in `tuned`."""

SPLITS = 20
"""Of the A/A control, which otherwise takes most of the time of a comparison."""

FIRST_LOSS = 0.5
"""Of every trial, before it learns anything."""

TRIAL = {
    "seconds": 1.0,
    "threads": 1,
    "device_name": "a processor",
    "python": "3.11.2",
    "torch": "2.13.0",
    "numpy": "2.0.0",
    "bnbench": "0.1.0",
    "commit": "c0ffee",
    "image": "host",
    "arithmetic": "AVX2",
    "numerics": 1,
    "weights_hash": lambda labels, seed: f"weights {seed}",
    "target_variance": lambda labels, seed: None if labels["task"].startswith("digits") else 0.5,
    "target_scale": None,
}
"""Provenance of a trial."""


def plan(**changes: Any) -> Study:
    """A small study: two arms in one context, 8 seeds, 40 epochs, evaluated after every tenth."""
    small = {
        "study": "synthetic",
        "hidden": [4],
        "epochs": 40,
        "evaluate_every": 10,
        "seeds": 8,
        "seeds_per_job": {"cpu": 10, "cuda": 256},
        "batch_size": ["full"],
    }
    return config.load({**small, "optimizer": [{"name": "adam", "lr": 0.001}], **changes}, "synthetic")


def scored(study: Study, outcome: str = "test_accuracy") -> Study:
    """The study, judged on the scale of differences, by a score of which a higher one is better if none is named."""
    report = {**study.config["report"], "outcome": outcome, "margin": 0.01}
    return Study({**study.config, "report": report})


def frames(
    study: Study,
    *,
    ratio: float | Of = 1.0,
    loss: float = 1e-3,
    noise: float = 0.0,
    shared: float = 0.3,
    validation: float | Of = 1.75,
    diverged: Of = lambda labels, seed: None,
    seeds: Callable[[Mapping[str, str]], Any] = lambda labels: None,
    **trial: Any,
) -> dict[str, pd.DataFrame]:
    """The three collected tables of `study`, by name.

    Args:
        study: the plan.
        ratio: of a trial's final loss to that of a baseline's trial without noise.
        loss: final train loss of such a trial.
        noise: standard deviation over the seeds of a trial's own final log loss.
        shared: that of the part which all trials of a seed share.
        validation: each validation loss's multiple of the train loss, in a study that tunes.
        diverged: the epoch from which on a trial's losses are NaN, or None.
        seeds: of a setting's trials, twice where a seed is twice there; None for those that the study asks for.
        trial: columns of the table of trials that differ from `TRIAL`.
    """
    parts: dict[str, list[dict[str, Any]]] = {"trials": [], "curves": [], "predictions": []}
    for index, setting in enumerate(study.settings):
        wanted = seeds(setting.labels)
        for seed in study.seeds if wanted is None else wanted:
            own, common = np.random.default_rng([seed, index]), np.random.default_rng(seed)
            mean = np.log(loss * _of(ratio, setting, seed)) + shared * common.normal()
            final = float(np.exp(mean + noise * own.normal()))
            at = diverged(setting.labels, seed)
            factors = OUTCOMES | ({VALIDATION: _of(validation, setting, seed)} if study.config["tune"] else {})
            curve = _curve(setting, final, at, factors)
            last = {name: curve[name][-1] for name in factors}
            facts = {name: _of(value, setting, seed) for name, value in {**TRIAL, **trial}.items()}
            same = {**chunk_files.same(setting), "seed": seed}
            parts["trials"].append({**same, **last, "diverged_at": at, **facts})
            parts["curves"].append({**same, **curve})
            parts["predictions"].append({**same, **_prediction(setting, seed, last["test_loss"])})
    return {name: _stacked(part) for name, part in parts.items()}


def write(found: Mapping[str, pd.DataFrame], data: Path) -> Path:
    """Write the tables as `collect` does, and return the folder."""
    for name, frame in found.items():
        schema = schemas.SCHEMAS["losses" if name == "curves" else name]
        table = pa.Table.from_pandas(frame.reindex(columns=schema.names), schema, preserve_index=False)
        tables.write_parquet(data / f"{name}.parquet", table)
    return data


def collected(study: Study, data: Path, **options: Any) -> Path:
    """Write the tables of `frames` into the folder `data`, and return it."""
    return write(frames(study, **options), data)


def stored(study: Study, results: Path, found: Mapping[str, pd.DataFrame] | None = None, **options: Any) -> Path:
    """Write the tables `found`, or those of `frames`, as the trainer does, and return the folder.

    A chunk of which there is no trial is not there.
    """
    tables_of = frames(study, **options) if found is None else found
    for chunk in all_chunks(study, cost.seeds_per_job):
        of_chunk = {name: _of_chunk(rows, chunk) for name, rows in tables_of.items()}
        footer = {"address": chunk.setting.address, "setting": dict(chunk.setting.spec)}
        for kind, path in chunk_files.paths(chunk, results).items() if len(of_chunk["trials"]) else ():
            schema = schemas.SCHEMAS[kind]
            rows = of_chunk[schemas.COLLECTED[kind]].reindex(columns=schema.names)
            if kind == "predictions":
                rows = _at_all_points(rows, chunk.setting)
            tables.write_parquet(path, pa.Table.from_pandas(rows, schema, preserve_index=False), footer)
    return results


def contrasts(study: Study, drawn: Callable[[Mapping[str, str]], tuple[Any, Any, Any]]) -> list[Contrast]:
    """The contrasts of a study as arrays; `drawn` gives seeds and log losses of both arms for the labels of each."""
    found = []
    for context, settings in study.contexts():
        for baseline, treatment in study.compared(settings):
            labels = {**context, "baseline": baseline, "treatment": treatment}
            seeds, *arms = map(np.asarray, drawn(labels))
            found.append(Contrast(labels, seeds, *arms, *arms, censored=0, mixed=()))
    return found


def compared(
    folder: Path, study: Study, found: Mapping[str, pd.DataFrame] | None = None, splits: int = SPLITS, **options: Any
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Compare `study` on the tables `found`, or on those of `frames`; its tables by name, and `verdicts.json`."""
    out = folder / study.name
    compare.run(study, write(frames(study, **options) if found is None else found, out / "data"), out, splits)
    return {name: report_tables.read(out, name) for name in schemas.TABLES}, tables.read_json(out / "verdicts.json")


def rendered(folder: Path, study: Study, *, drawn: bool = False, **options: Any) -> str:
    """Compare `study` in `folder`, draw its figures in this process and without pixels, or leave them blank; the page.

    To draw takes most of the time, and most tests of a page do not look at what is drawn.
    """
    compare.run(study, collected(study, folder / "data", **options), folder, SPLITS)
    if drawn:
        plot.run(study, folder, ["svg"], processes=1)
    else:
        leave_blank(study, folder)
    report.run(study, folder)
    return (folder / "index.html").read_text(encoding="utf-8")


def leave_blank(study: Study, folder: Path) -> None:
    """Figures of a study with nothing on them."""
    size = 'width="504pt" height="324pt" viewBox="0 0 504 324"'
    for name in contents.figures(study):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><defs></defs></svg>'
        files.write_text(folder / "figures" / f"{name}.svg", svg)


def arms(**ratios: float) -> Of:
    """The ratio of each arm by the label of its norm; 1 for what is not named."""
    return lambda labels, seed: ratios.get(labels["norm"], 1.0)


def where(norm: str, seeds: Iterable[int], value: Any, otherwise: Any = None) -> Of:
    """`value` for these seeds of one arm."""
    return lambda labels, seed: value if labels["norm"] == norm and seed in seeds else otherwise


def _curve(setting: Setting, final: float, diverged_at: int | None, factors: Mapping[str, float]) -> dict[str, Any]:
    """A straight fall of the log loss over nine tenths of the epochs, then the final loss; times each outcome's own."""
    epochs = setting.spec["epochs"]
    epoch = np.arange(epochs)
    fallen = np.minimum((epoch + 1) / (0.9 * epochs), 1.0)
    train = FIRST_LOSS ** (1 - fallen) * final**fallen
    if diverged_at is not None:
        train[diverged_at:] = np.nan
    measured = np.isin(epoch, evaluated_epochs(epochs, setting.spec["evaluate_every"]))
    every = {"train_loss": True}
    return {"epoch": epoch} | {
        name: np.where(every.get(name, measured), factor * train, np.nan) for name, factor in factors.items()
    }


def _prediction(setting: Setting, seed: int, test_loss: float) -> dict[str, Any]:
    """A fit that misses the target by the root of the test loss on average; no rows for tasks of several inputs."""
    one_input = parameters.build(TASKS, setting.spec["task"]).inputs() == 1
    x = np.linspace(-1, 1, 25) if one_input else np.empty(0)
    return {"x": x, "y": np.sin(3 * x), "y_fit": np.sin(3 * x) + np.sqrt(2 * test_loss) * np.cos(9 * x + seed)}


def _at_all_points(rows: pd.DataFrame, setting: Setting) -> pd.DataFrame:
    """As many rows of each seed as there are test points: the last one again where there are too few."""
    task = parameters.build(TASKS, setting.spec["task"])
    wanted = np.arange(task.tested_points()) if len(rows) else np.empty(0, int)
    parts = [part.iloc[np.minimum(wanted, len(part) - 1)] for _, part in rows.groupby("seed")]
    return pd.concat(parts, ignore_index=True) if parts else rows


def _of_chunk(rows: pd.DataFrame, chunk: Chunk) -> pd.DataFrame:
    return rows[(rows["setting"] == chunk.setting.address) & rows["seed"].between(chunk.first, chunk.last)]


def _stacked(parts: list[dict[str, Any]]) -> pd.DataFrame:
    """One part below the other; a number or a label stands in all rows of its part."""
    rows = [dict(zip(part, np.broadcast_arrays(*map(np.atleast_1d, part.values())), strict=True)) for part in parts]
    return pd.DataFrame({name: np.concatenate([row[name] for row in rows]) for name in (rows or [{}])[0]})


def _of(value: Any, setting: Setting, seed: int) -> Any:
    return value(setting.labels, seed) if callable(value) else value
