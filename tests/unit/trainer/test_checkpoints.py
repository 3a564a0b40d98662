"""Training that was stopped goes on to the same bits, and a checkpoint that cannot be used is named and ignored."""

import json
import os
import signal
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from specs import RATES, assert_same_bits, named, spec
from tiny import theirs

from bnbench import train
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, files, provenance, tables
from bnbench.trainer import checkpoints, devices

SETTINGS = {
    **{name: spec(optimizer=named("optimizer", name, **rate), batch_size=25) for name, rate in RATES.items()},
    "amsgrad": spec(optimizer=named("optimizer", "adam", amsgrad=True)),
    "centered": spec(optimizer=named("optimizer", "rmsprop", centered=True, momentum=0.5)),
    "none": spec(norm=named("norm", "none"), batch_size=25),
    "cumulative": spec(norm=named("norm", "batch", momentum=None), batch_size=25),
    "float64": spec(dtype="float64", optimizer=named("optimizer", "asgd", t0=3.0), batch_size=16),
    "cosine": spec(schedule=named("schedule", "cosine"), activation="silu"),
    "ghost": spec(norm=named("norm", "ghost", size=9), batch_size=25),
    "gamma decay": spec(norm=named("norm", "population_gamma", every=3), batch_size=25),
    "frozen before it goes on": spec(norm=named("norm", "frozen", share=0.3), batch_size=25),
    "frozen after it goes on": spec(norm=named("norm", "frozen", share=0.8), batch_size=25),
    "classes, with points to choose by": spec(task=named("task", "digits"), batch_size=500, validation=0.3),
    "weights alone varied": spec(seed_varies="weights", batch_size=25),
    "order alone varied": spec(seed_varies="order", batch_size=25),
    "diverging": spec(optimizer=named("optimizer", "sgd", lr=1e30), norm=named("norm", "none")),
    "perceptron with dropout": spec(network=named("network", "mlp", dropout=0.3), batch_size=25),
    "residual network": spec(
        task=named("task", "digits", test_fraction=0.97), network=named("network", "resnet", width=2), batch_size=25
    ),
    "code of a user's": spec(
        task=named("task", "adding", length=4, points=50, test_points=10),
        network=theirs("network", "Recurrent"),
        loss=theirs("loss", "absolute"),
        optimizer=theirs("optimizer", "Signs", lr=0.01),
        batch_size=25,
    ),
    "lbfgs": spec(optimizer=named("optimizer", "lbfgs", max_iter=3), batch_size=50),
    "adafactor": spec(optimizer=named("optimizer", "adafactor"), batch_size=50),
    "muon": spec(optimizer=named("optimizer", "muon"), batch_size=50),
    "metrics of the user's": spec(metrics=[theirs("metric", "drawn_size")], batch_size=25, evaluate_every=1),
    "metrics of the user's, one network at a time": spec(
        metrics=[theirs("metric", "drawn_size")], batch_size=25, accumulate=2, evaluate_every=1
    ),
    "diverging, one network at a time": spec(
        optimizer=named("optimizer", "sgd", lr=1e30), norm=named("norm", "none"), accumulate=2, batch_size=25
    ),
}


def chunk_of(setting=None, count=3):
    return Chunk(Setting.from_spec(spec() if setting is None else setting), 4, count)


@pytest.fixture
def after(monkeypatch):
    """A function that has something done after certain epochs of all training to come."""

    def arrange(moments, act):
        class Watching(checkpoints.Checkpoints):
            def watch(self, seeds, epochs):
                after_epoch = super().watch(seeds, epochs)

                def then_act(done, state):
                    if done in moments:
                        act(done, seeds)
                    after_epoch(done, state)

                return then_act

        monkeypatch.setattr(train, "Checkpoints", Watching)

    return arrange


@pytest.fixture
def stopped(after, tmp_path):
    """A function that trains a chunk until a signal stops it after `epoch`, and gives its checkpoint."""

    def stop(chunk, epoch=4, number=signal.SIGTERM):
        after({epoch}, lambda *_: signal.raise_signal(number))
        with pytest.raises(SystemExit) as ended:
            train.run(chunk, tmp_path, 1)
        assert ended.value.code == 128 + number
        after((), None)
        (path,) = (tmp_path / "checkpoints").rglob("*.npz")
        return path

    return stop


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A folder with the tables of the chunk of these tests, trained at one go."""
    folder = tmp_path_factory.mktemp("undisturbed")
    train.run(chunk_of(), folder, 1)
    return folder


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_training_that_is_stopped_twice_ends_in_the_bits_of_training_at_one_go(setting, stopped, tmp_path, capsys):
    chunk = chunk_of(setting)
    stopped(chunk, 1)
    stopped(chunk, 7)
    assert "continues after epoch 1 of" in capsys.readouterr().err
    train.run(chunk, tmp_path, 1)
    assert "continues after epoch 7 of" in capsys.readouterr().err
    train.run(chunk, tmp_path / "straight", 1)
    assert_same_bits(chunk, tmp_path, tmp_path / "straight")


@pytest.mark.parametrize("epoch", [1, 5, 9, 10], ids=lambda epoch: f"after {epoch} of 10")
def test_the_epoch_of_the_stop_does_not_matter(epoch, stopped, undisturbed, tmp_path):
    stopped(chunk_of(), epoch)
    train.run(chunk_of(), tmp_path, 1)
    assert_same_bits(chunk_of(), tmp_path, undisturbed)


def test_a_lone_seed_goes_on_too(stopped, undisturbed, tmp_path):
    chunk = chunk_of(count=1)
    stopped(chunk)
    train.run(chunk, tmp_path, 1)
    for kind, path in chunk_files.paths(chunk, tmp_path).items():
        rows = (
            pd.read_parquet(chunk_files.paths(chunk_of(), undisturbed)[kind]).query("seed == 4").reset_index(drop=True)
        )
        found = (table.drop(columns="seconds", errors="ignore") for table in (pd.read_parquet(path), rows))
        pd.testing.assert_frame_equal(*found, check_exact=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_a_stop_says_where_the_checkpoint_lies_and_the_next_run_that_it_goes_on(number, stopped, tmp_path, capsys):
    path = stopped(chunk_of(), 4, number)
    assert path == tmp_path / "checkpoints" / chunk_of().setting.address / "seeds-4-6" / "seeds-4-6.npz"
    said = capsys.readouterr().err
    assert f"stopped by {number.name}; {path} holds 4 epochs, and the same command continues from there" in said
    train.run(chunk_of(), tmp_path, 1)
    assert "continues after epoch 4 of seeds 4 to 6" in capsys.readouterr().err


def test_a_warning_is_answered_by_a_checkpoint_and_training_goes_on(after, undisturbed, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoints, "_write", lambda path, header, state: saved.append(state.epochs))
    after({3}, lambda *_: signal.raise_signal(signal.SIGUSR1))
    train.run(chunk_of(), tmp_path, 1)
    assert saved == [3]
    assert_same_bits(chunk_of(), tmp_path, undisturbed)


def test_a_stop_when_training_is_over_lets_the_tables_be_written(undisturbed, tmp_path, monkeypatch):
    write = tables.write_parquet

    def stop_and_write(*arguments):
        signal.raise_signal(signal.SIGTERM)
        write(*arguments)

    monkeypatch.setattr(tables, "write_parquet", stop_and_write)
    train.run(chunk_of(), tmp_path, 1)
    assert_same_bits(chunk_of(), tmp_path, undisturbed)


def test_when_a_chunk_is_done_nothing_but_its_tables_is_left_and_signals_are_as_before(stopped, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)]
    stopped(chunk_of())
    train.run(chunk_of(), tmp_path, 1)
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == {
        *chunk_files.paths(chunk_of(), tmp_path).values()
    }
    assert not (tmp_path / "checkpoints").exists()
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)] == before


def test_checkpoints_come_after_so_many_seconds_and_take_a_hundredth_of_the_time(after, tmp_path, monkeypatch):
    clock, saved = [0.0], []

    def write(path, header, state):
        saved.append(state.epochs)
        clock[0] += 2.0 if len(saved) == 3 else 0.0

    def tick(epochs, seeds):
        clock[0] += 30

    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(checkpoints, "_write", write)
    after(range(100), tick)
    train.run(chunk_of(spec(epochs=24)), tmp_path, 1, every=120)
    assert saved == [4, 8, 12, 19, 23]  # the third took two seconds: two hundred are waited for


def test_the_time_before_the_stop_counts(stopped, tmp_path, monkeypatch):
    path = stopped(chunk_of())
    with_header(seconds=3000.0)(path)
    train.run(chunk_of(), tmp_path, 1)
    seconds = pd.read_parquet(chunk_files.paths(chunk_of(), tmp_path)["trials"])["seconds"].sum()
    assert 3000 < seconds < 3060


def test_a_chunk_that_was_trained_on_two_processors_names_both(stopped, undisturbed, tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "processor", lambda: "Old CPU")
    stopped(chunk_of(), 2)
    monkeypatch.setattr(provenance, "processor", lambda: "New CPU")
    stopped(chunk_of(), 5)
    train.run(chunk_of(), tmp_path, 1)
    assert {*pd.read_parquet(chunk_files.paths(chunk_of(), tmp_path)["trials"])["device_name"]} == {"Old CPU + New CPU"}


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def read(path):
    """The header of a checkpoint, and its state."""
    with np.load(path) as file:
        header = json.loads(file["header"].tobytes())
    names = ("format", "address", "first", "count", "torch")
    return header, checkpoints._read(path, {name: header[name] for name in names}, header["epochs"])


def rewritten(path, change):
    """Write a checkpoint again as the trainer would, with another header or state."""
    header, state = read(path)
    del header["content"]
    changed, state = change(header, state)
    checkpoints._write(path, changed, state)


def with_header(**changes):
    return lambda path: rewritten(path, lambda header, state: (header | changes, state))


def without_header(name):
    return lambda path: rewritten(path, lambda header, state: ({k: v for k, v in header.items() if k != name}, state))


def with_arrays(change):
    """Change the arrays of the file, and nothing of its header."""

    def spoil(path):
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        np.savez(path, **change(arrays))

    return spoil


def a_number_more(arrays):
    name = next(name for name in arrays if name.startswith("stacked/weights"))
    return arrays | {name: arrays[name] + np.float32(1e-3)}


def fewer_seeds(header, state):
    return header, state._replace(stacked={name: values[:-1] for name, values in state.stacked.items()})


def with_pickle(path):
    np.savez(path, header=np.array([{"a": 1}], dtype=object))


SPOILT = {
    "a flipped bit": (flip_a_bit, "CRC"),
    "a torn file": (lambda path: path.write_bytes(path.read_bytes()[:1000]), "zip"),
    "an empty file": (lambda path: path.write_bytes(b""), "No data left in file"),
    "another file": (lambda path: path.write_text("hello"), "pickled"),
    "a pickle": (with_pickle, "allow_pickle=False"),
    "another chunk": (with_header(first=0), "found first 0, allowed: 4"),
    "another setting": (
        with_header(address="sine-none-1"),
        "found address sine-none-1, allowed: sine_test_points30-batch",
    ),
    "another torch": (with_header(torch="1.0"), "found torch 1.0, allowed: "),
    "the format before": (with_header(format=1), "found format 1, allowed: 2"),
    "other numbers": (with_arrays(a_number_more), "its numbers are not those that were written"),
    "an array less": (
        with_arrays(lambda arrays: {name: values for name, values in arrays.items() if "exp_avg" not in name}),
        "its numbers are not those that were written",
    ),
    "more epochs than there are": (with_header(epochs=11), "found epochs 11, allowed: 1 to 10"),
    "no epochs": (with_header(epochs=0), "found epochs 0, allowed: 1 to 10"),
    "other epochs": (with_header(epochs=3), "losses/train_loss as float32 [3, 4], allowed: float32 [3, 3]"),
    "epochs with a point": (with_header(epochs=4.0), "found epochs 4.0, allowed: 1 to 10"),
    "epochs as a text": (with_header(epochs="4"), "found epochs '4', allowed: 1 to 10"),
    "without epochs": (without_header("epochs"), "found epochs None"),
    "seconds as a text": (with_header(seconds="long"), "found seconds 'long', allowed: 0 or more"),
    "seconds that are no number": (with_header(seconds=float("nan")), "found seconds nan"),
    "negative seconds": (with_header(seconds=-1), "found seconds -1"),
    "without seconds": (without_header("seconds"), "found seconds None"),
    "devices as a text": (with_header(devices="CPU"), "found devices 'CPU'"),
    "devices that have no names": (with_header(devices=[1]), "found devices [1]"),
    "missing seeds": (lambda path: rewritten(path, fewer_seeds), "some of its seeds are missing"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "no regular file"),
    "a pipe": (lambda path: (path.unlink(), os.mkfifo(path)), "no regular file"),
}


@pytest.mark.parametrize(("spoil", "reason"), SPOILT.values(), ids=SPOILT)
def test_a_checkpoint_that_cannot_be_used_is_named_and_ignored(spoil, reason, stopped, undisturbed, tmp_path, capsys):
    path = stopped(chunk_of())
    spoil(path)
    capsys.readouterr()
    train.run(chunk_of(), tmp_path, 1)
    said = capsys.readouterr().err
    assert said.startswith(f"{path}: no checkpoint of this chunk (")
    assert reason in said
    assert said.endswith("); ignored\n")
    assert "goes on" not in said
    assert_same_bits(chunk_of(), tmp_path, undisturbed)


def test_training_goes_on_where_no_checkpoint_can_be_written(after, undisturbed, tmp_path, monkeypatch, capsys):
    def full(path):
        raise UserError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr(files, "atomic", full)
    after({3}, lambda *_: signal.raise_signal(signal.SIGUSR1))
    train.run(chunk_of(), tmp_path, 1)
    said = capsys.readouterr().err
    assert said.startswith("warning: no checkpoint was written: ")
    assert "No space left on device" in said
    assert_same_bits(chunk_of(), tmp_path, undisturbed)


def test_a_checkpoint_holds_no_pickle_and_nothing_of_who_wrote_it(stopped):
    path = stopped(chunk_of())
    with zipfile.ZipFile(path) as archive:
        assert {name.rpartition(".")[2] for name in archive.namelist()} == {"npy"}
    header, _ = read(path)
    assert header.keys() == {"format", "address", "first", "count", "torch", "devices", "epochs", "seconds", "content"}
    assert json.loads(json.dumps(header)) == header


def too_small_for(count, epoch, trained):
    """Run out of memory after `epoch` of every stack of more than `count` seeds."""

    def act(epochs, seeds):
        if len(seeds) > count and epochs == epoch:
            raise torch.OutOfMemoryError("CUDA out of memory")
        if epochs == 10:
            trained.append([*seeds])

    return {epoch, 10}, act


@pytest.mark.parametrize("epoch", [1, 6])
def test_a_stack_that_does_not_fit_into_memory_is_halved_until_it_does(epoch, after, tmp_path, capsys):
    chunk, trained = chunk_of(count=7), []
    train.run(chunk, tmp_path / "straight", 1)
    after(*too_small_for(2, epoch, trained))
    train.run(chunk, tmp_path, 1)
    assert trained == [[4], [5, 6], [7, 8], [9, 10]]
    said = capsys.readouterr().err
    assert "out of memory with 7 seeds side by side; training 3 and 4 one after the other" in said
    assert_same_bits(chunk, tmp_path, tmp_path / "straight")
    assert not (tmp_path / "checkpoints").exists()


def test_the_halves_go_on_from_the_checkpoint_of_the_whole(after, tmp_path, capsys):
    chunk, moments = chunk_of(count=4), []
    train.run(chunk, tmp_path / "straight", 1)

    def act(epochs, seeds):
        moments.append((len(seeds), epochs))
        if len(seeds) == 4 and epochs == 3:
            signal.raise_signal(signal.SIGUSR1)
        if len(seeds) == 4 and epochs == 6:
            raise torch.OutOfMemoryError("CUDA out of memory")

    after(range(11), act)
    train.run(chunk, tmp_path, 1)
    assert moments == [(4, epoch) for epoch in range(1, 7)] + 2 * [(2, epoch) for epoch in range(4, 11)]
    assert_same_bits(chunk, tmp_path, tmp_path / "straight")


def test_a_stop_in_the_second_half_keeps_what_the_halves_have_done(after, tmp_path):
    chunk, trained = chunk_of(count=4), []
    train.run(chunk, tmp_path / "straight", 1)
    moments, run_out = too_small_for(2, 1, trained)

    def act(epochs, seeds):
        run_out(epochs, seeds)
        if seeds[0] == 6:
            signal.raise_signal(signal.SIGTERM)
        elif epochs == 10:
            signal.raise_signal(signal.SIGUSR1)

    after(moments | {2}, act)
    with pytest.raises(SystemExit):
        train.run(chunk, tmp_path, 1)
    assert trained == [[4, 5]]
    trained.clear()
    after(*too_small_for(2, 1, trained))
    train.run(chunk, tmp_path, 1)
    assert trained == [[6, 7]]
    assert_same_bits(chunk, tmp_path, tmp_path / "straight")


def test_a_network_that_does_not_fit_by_itself_is_told_of(after, tmp_path):
    after({1}, too_small_for(0, 1, [])[1])
    with pytest.raises(UserError, match="not even one network fits into memory: CUDA out of memory"):
        train.run(chunk_of(count=2), tmp_path, 1)


def test_out_of_memory_is_known_behind_the_error_that_the_end_of_a_capture_raises():
    def end_of_a_capture():
        try:
            raise torch.OutOfMemoryError("CUDA out of memory")
        finally:
            raise RuntimeError("operation failed due to a previous error during capture")

    with pytest.raises(RuntimeError) as caught:
        end_of_a_capture()
    assert devices.is_out_of_memory(caught.value)
    assert not devices.is_out_of_memory(RuntimeError("another"))


def test_tables_that_are_there_are_left_alone_and_only_the_missing_are_written(undisturbed, tmp_path):
    train.run(chunk_of(), tmp_path, 1)
    paths = chunk_files.paths(chunk_of(), tmp_path)
    before = {kind: path.stat().st_ino for kind, path in paths.items()}
    assert train.run(chunk_of(), tmp_path, 1).endswith("seeds 4 to 6 are trained already")
    paths["trials"].unlink()
    paths["losses"].write_bytes(paths["losses"].read_bytes()[:500])
    train.run(chunk_of(), tmp_path, 1)
    assert_same_bits(chunk_of(), tmp_path, undisturbed)
    assert paths["predictions"].stat().st_ino == before["predictions"]
