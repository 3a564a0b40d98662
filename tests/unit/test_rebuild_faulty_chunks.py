"""Chunks that are corrupt or foreign: one line that names the file and what to do, exit status 2, and nothing is lost.

Through the command line, from results as the trainer writes them.
"""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import synthetic
from stores import PLAN, TWO, changed, paths, stored, with_column

from bnbench import cli
from bnbench.store import schemas, tables

pytestmark = pytest.mark.filterwarnings("error")


def twice(table):
    return pa.concat_tables([table, table])


SPOILT = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "cut in half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "empty": lambda path: path.write_bytes(b""),
    "a text": lambda path: path.write_text("seed,epoch\n0,1\n"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "other columns": lambda path: tables.write_parquet(path, pa.table({"x": [1, 2]}), tables.footer(path)),
    "one column less": lambda path: changed(path, lambda table: table.drop_columns("task")),
    "seeds as numbers with a point": lambda path: changed(
        path, lambda table: table.set_column(6, "seed", table["seed"].cast(pa.float64()))
    ),
    "no footer": lambda path: pq.write_table(pq.read_table(path).replace_schema_metadata(None), path),
    "a footer that is no text": lambda path: pq.write_table(
        pq.read_table(path).replace_schema_metadata({b"bnbench": b"\xff{"}), path
    ),
    "seeds of another chunk": lambda path: path.write_bytes((path.parent / "seeds-0-3.parquet").read_bytes()),
    "a seed less": lambda path: changed(path, lambda table: table.filter(pa.compute.greater(table["seed"], 4))),
    "a seed more": lambda path: changed(
        path, lambda table: pa.concat_tables([table, with_column("seed", lambda seed: seed + 1)(table)])
    ),
    "no seed": lambda path: changed(path, with_column("seed", lambda seed: seed if seed > 4 else None)),
    "other rows under its own footer": lambda path: changed(
        path, with_column("setting", lambda name: name.replace("batch", "layer"))
    ),
    "rows twice": lambda path: changed(path, twice),
}


@pytest.mark.parametrize(
    ("spoil", "kind"),
    # Two equal points of a fit may well be there, of a data file in which an input stands twice.
    [(spoil, kind) for spoil in SPOILT for kind in schemas.SCHEMAS if (spoil, kind) != ("rows twice", "predictions")],
)
def test_a_chunk_that_is_not_what_its_name_says_is_one_line_that_names_it(rebuilt, tmp_path, spoil, kind):
    study = synthetic.plan(**PLAN)
    path = paths(stored(tmp_path, study), study)[kind]
    SPOILT[spoil](path)
    assert_refused(rebuilt(study), path)


def assert_refused(result, path):
    """Exit status 2, one line that begins with the file and says what to do, and no page."""
    status, output, page = result
    assert (status, output.out, page) == (2, "", "")
    (line,) = output.err.splitlines()
    assert line.startswith(f"{path}: ")
    assert "delete it and run the workflow again" in line


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.slice(1),
        with_column("epoch", lambda epoch: epoch if epoch != 3 else 2),
        with_column("epoch", lambda epoch: epoch if epoch != 3 else None),
        with_column("epoch", lambda epoch: epoch + 1),
    ],
    ids=["an epoch less", "an epoch twice", "an epoch null", "epochs from 1"],
)
def test_a_chunk_without_each_epoch_once_is_one_line_that_names_the_file_to_delete(rebuilt, tmp_path, change):
    study = synthetic.plan(**PLAN)
    path = paths(stored(tmp_path, study), study)["losses"]
    changed(path, change)
    assert_refused(rebuilt(study), path)


def test_a_chunk_of_another_setting_under_this_ones_name_is_one_line_that_names_it(rebuilt, tmp_path):
    study = synthetic.plan(**TWO)
    results = stored(tmp_path, study)
    found, other = paths(results, study), paths(results, study, batch_size="25")
    found["losses"].write_bytes(other["losses"].read_bytes())
    assert_refused(rebuilt(study), found["losses"])


def test_a_page_that_was_there_stays_when_a_chunk_is_spoilt(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    path = paths(stored(tmp_path, study), study)["losses"]
    assert rebuilt(study)[0] == 0
    page = tmp_path / "reports" / study.name / "index.html"
    before = page.read_bytes()
    path.write_bytes(b"")
    status, output, _ = rebuilt(study)
    assert (status, output.err.count("\n")) == (2, 1)
    assert page.read_bytes() == before


@pytest.mark.parametrize("kind", ["losses", "trials"])
def test_a_bit_that_flipped_is_noticed_or_changes_no_number(rebuilt, tmp_path, kind):
    study = synthetic.plan(**{**PLAN, "seeds": 4})
    path = paths(stored(tmp_path, study), study, first=0)[kind]
    whole, data = path.read_bytes(), tmp_path / "reports" / study.name / "data"
    assert rebuilt(study, "collect")[0] == 0
    before = {name: tables.read_parquet(data / f"{name}.parquet") for name in schemas.COLLECTED.values()}
    changing = []
    for place in np.linspace(0, len(whole) - 1, 60).astype(int):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        status, output, _ = rebuilt(study, "collect")
        assert status in (0, 2)
        assert output.err.count("\n") == (status == 2)
        if status == 0 and any(tables.read_parquet(data / f"{name}.parquet") != old for name, old in before.items()):
            changing.append(place)
    assert changing == []


@pytest.mark.parametrize("column", ["torch", "device_name", "commit", "weights_hash", "seconds", "threads"])
def test_provenance_that_is_not_known_is_no_error(rebuilt, tmp_path, column):
    study = synthetic.plan(**PLAN)
    path = paths(stored(tmp_path, study), study, norm="none")["trials"]
    changed(path, with_column(column, lambda value: None))
    status, output, _ = rebuilt(study, "collect")
    assert (status, output.err) == (0, "")
    status, output, _ = rebuilt(study, "compare")
    assert (status, output.err) == (0, "")


def test_tables_of_before_there_were_images_are_read_as_the_hosts(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    path = paths(stored(tmp_path, study), study, norm="none")["trials"]
    changed(path, lambda table: table.drop_columns("image"))
    status, output, _ = rebuilt(study, "collect")
    assert (status, output.err) == (0, "")
    trials = tables.read_parquet(tmp_path / "reports" / study.name / "data" / "trials.parquet")
    assert trials.schema.names == schemas.SCHEMAS["trials"].names
    assert {*trials["image"].to_pylist()} == {"host"}


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_study_of_one_arm_is_refused_before_anything_is_read(tmp_path, capsys, norm):
    (tmp_path / "study.yaml").write_text(f"study: one\nnorm: [{norm}]\n")
    status = cli.main(["rebuild", "--configfile", str(tmp_path / "study.yaml"), "--reports", str(tmp_path / "reports")])
    output = capsys.readouterr()
    assert (status, output.out) == (2, "")
    (line,) = output.err.splitlines()
    assert line.startswith(f"{tmp_path}/study.yaml: norm: found one level ('{norm}'), allowed: at least two")
    assert not (tmp_path / "reports").exists()


def test_reports_that_cannot_be_written_are_one_line_that_names_them(rebuilt, tmp_path):
    study = synthetic.plan(**PLAN)
    stored(tmp_path, study)
    (tmp_path / "reports").write_text("a file")
    status, output, _ = rebuilt(study)
    assert (status, output.out) == (2, "")
    (line,) = output.err.splitlines()
    assert line.startswith(f"{tmp_path}/reports")
    assert "cannot be written" in line
