"""TensorBoard's event files: scalars of either format become rows, and nothing is sampled away."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from result_layouts import ordered, results, runs, told, write
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.histogram import metadata as histograms
from tensorboard.plugins.scalar import metadata as scalars
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util.tensor_util import make_tensor_proto

from bnbench.errors import UserError
from bnbench.own_results.files import digest, read


def events(folder, *steps, suffix=".x"):
    """Write an event file: of each step its number, and values by tag, or summaries."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = EventFileWriter(str(folder), filename_suffix=suffix)
    for step, values in steps:
        for tag, value in values.items():
            plain = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
            writer.add_event(event_pb2.Event(step=step, summary=plain))
    writer.close()
    return next(folder.glob(f"*{suffix}"))


@settings(max_examples=25)
@given(rows=results())
def test_what_is_logged_comes_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("results")
    for (arm, seed), of_run in runs(rows).items():
        known = [
            (row["epoch"], {name: row[name] for name in ("loss", "acc") if row[name] is not None}) for row in of_run
        ]
        events(folder / arm / f"seed{seed}", *known)
    long = read(str(folder), "{norm}/seed{seed}/*tfevents*")
    names = ["epoch" if name == "step" else name for name in long.table.column_names]
    assert told(type(long)(long.table.rename_columns(names), long.parts)) == ordered(rows)


def test_a_folder_gives_a_run_for_each_folder_with_event_files(tmp_path):
    for run in ("bn/a", "none"):
        events(tmp_path / run, (0, {"loss": 1.0}), (1, {"loss": math.nan}))
    long = read(str(tmp_path))
    values = long.table.to_pydict()
    assert (values["run"], values["step"]) == (["bn/a"] * 2 + ["none"] * 2, [0.0, 1.0] * 2)
    assert values["loss"][::2] == [1.0, 1.0]
    assert math.isnan(values["loss"][1])
    assert long.notes[0] == "2 runs of TensorBoard, each named by its folder in the column 'run'."
    assert long.where(2).startswith(str(tmp_path / "none" / "events.out.tfevents."))


def test_many_steps_are_all_read(tmp_path):
    events(tmp_path / "a", *((step, {"loss": float(step)}) for step in range(12_000)))
    assert read(str(tmp_path)).table.column("loss").to_pylist() == [float(step) for step in range(12_000)]


def test_a_run_that_was_resumed_keeps_the_later_values(tmp_path):
    first = events(tmp_path / "a", (0, {"loss": 3.0}), (1, {"loss": 2.0}), suffix=".one")
    second = events(tmp_path / "a", (1, {"loss": 1.0}), (2, {"loss": 0.5}), suffix=".two")
    first.rename(first.with_name("events.out.tfevents.1.one"))
    second.rename(second.with_name("events.out.tfevents.2.two"))
    assert read(str(tmp_path)).table.to_pydict() == {"run": ["a"] * 3, "step": [0.0, 1.0, 2.0], "loss": [3.0, 1.0, 0.5]}


def test_tensors_of_tensorflow_2_are_scalars_and_others_are_left_out(tmp_path):
    writer = EventFileWriter(str(tmp_path / "a"))
    for step, loss in enumerate((0.5, 0.25)):
        known = {"loss": (scalars, np.float32(loss)), "weights": (histograms, np.ones((3, 3)))}
        summary = summary_pb2.Summary()
        for tag, (kind, value) in known.items():
            metadata = kind.create_summary_metadata(tag, "") if step == 0 else None  # only the first of a tag has it
            summary.value.add(tag=tag, tensor=make_tensor_proto(value), metadata=metadata)
        writer.add_event(event_pb2.Event(step=step, summary=summary))
    writer.close()
    long = read(str(tmp_path))
    assert long.table.to_pydict() == {"run": ["a"] * 2, "step": [0.0, 1.0], "loss": [0.5, 0.25]}
    assert "Tags that are not scalars are left out." in long.notes


def test_the_folders_into_which_keras_parts_a_run_are_one_run(tmp_path):
    for side, value in (("train", 1.0), ("validation", 2.0)):
        events(tmp_path / "bn" / side, (0, {"epoch_loss": value}))
    assert read(str(tmp_path)).table.to_pydict() == {
        "run": ["bn"],
        "step": [0.0],
        "train/epoch_loss": [1.0],
        "validation/epoch_loss": [2.0],
    }


def test_rows_of_an_epoch_are_one_where_lightning_logs_it(tmp_path):
    steps = [
        (1, {"epoch": 0, "train": 5.0}),
        (2, {"epoch": 0, "train": 4.0}),
        (2, {"val": 3.0}),
        (4, {"epoch": 1, "val": 2.0}),
    ]
    events(tmp_path / "a", (0, {"hp_metric": -1.0}), *steps)
    values = read(str(tmp_path)).table.to_pydict()
    assert values == {
        "run": ["a"] * 2,
        "step": [2.0, 4.0],
        "epoch": [0.0, 1.0],
        "train": [4.0, None],
        "val": [3.0, 2.0],
    }


def test_hyperparameters_beside_event_files_are_columns_and_in_the_digest(tmp_path):
    for place, norm in enumerate(("bn", "none")):
        events(tmp_path / f"version_{place}", (0, {"loss": 1.0}))
        write(tmp_path / f"version_{place}" / "hparams.yaml", f"norm: {norm}\nseed: 1\n")
    long = read(str(tmp_path))
    assert long.table.column("norm").to_pylist() == ["bn", "none"]
    assert long.factors == ("norm",)
    before = digest(str(tmp_path))
    write(tmp_path / "version_0" / "hparams.yaml", "norm: other\nseed: 1\n")
    assert digest(str(tmp_path)) != before


def test_a_file_that_was_cut_off_gives_what_is_whole(tmp_path):
    file = events(tmp_path / "a", (0, {"loss": 1.0}), (1, {"loss": 2.0}))
    file.write_bytes(file.read_bytes()[:-3])
    assert read(str(tmp_path)).table.column("loss").to_pylist() == [1.0]


@pytest.mark.parametrize("content", [b"", b"no event file at all, but a text of some length"])
def test_a_file_without_scalars_is_named(tmp_path, content):
    (tmp_path / "events.out.tfevents.1.x").write_bytes(content)
    with pytest.raises(UserError, match=r"events\.out\.tfevents\.1\.x: found no scalars, allowed: an event file"):
        read(str(tmp_path))


def test_without_the_package_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    events(tmp_path / "a", (0, {"loss": 1.0}))
    monkeypatch.setitem(sys.modules, "tensorboard.backend.event_processing.event_file_loader", None)
    with pytest.raises(
        UserError, match=r"need the package tensorboard; pip install 'bnbench\[tensorboard\]' installs it"
    ):
        read(str(tmp_path))
