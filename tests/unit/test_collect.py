"""Collecting: what is there becomes three tables, setting by setting; what does not belong there is named."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stores import changed, with_column

from bnbench import collect
from bnbench.errors import UserError
from bnbench.plan import config, cost
from bnbench.plan.chunks import all_chunks
from bnbench.store import chunk_files, schemas, tables
from bnbench.vocabulary import LOSSES, OF_SETTING

EPOCHS = 4
SMALL = {
    "study": "small",
    "task": {"name": "sine", "test_points": 1},
    "hidden": [4],
    "epochs": EPOCHS,
    "seeds": 5,
    "seeds_per_job": {"cpu": 2},
}
FACTS = {
    "trials": {"diverged_at": None, "seconds": 1.0, "threads": 1, "device_name": "a", "numerics": 1},
    "losses": {},
    "predictions": {"x": 0.0, "y": 0.0, "y_fit": 0.5},
}


def plan(**changes):
    return config.load({**SMALL, "batch_size": "full", "optimizer": "adam", **changes}, "small.yaml")


def rows(chunk, kind):
    """As the trainer writes them, with the seed as every loss."""
    seeds = range(chunk.first, chunk.last + 1)
    epochs = range(EPOCHS) if kind == "losses" else [None]
    schema = schemas.SCHEMAS[kind]
    same = {**chunk.setting.labels, "setting": chunk.setting.address, **FACTS[kind]}
    found = [{**same, "seed": s, "epoch": e, **dict.fromkeys(LOSSES, float(s))} for s in seeds for e in epochs]
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in found], schema)


def save(chunk, results, change=lambda table: table, **footer):
    for kind, path in chunk_files.paths(chunk, results).items():
        tables.write_parquet(path, change(rows(chunk, kind)), {"address": chunk.setting.address, **footer})


@pytest.fixture
def folders(tmp_path):
    return tmp_path / "results", tmp_path / "data"


def collected(data):
    return {name: tables.read_parquet(data / f"{name}.parquet") for name in schemas.COLLECTED.values()}


def test_all_chunks_become_three_tables_with_a_row_group_a_setting(folders):
    results, data = folders
    study = plan()
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
    assert collect.run(study, results, data) == "small: collected 10 trials from 6 chunks"
    found = collected(data)
    assert {name: table.num_rows for name, table in found.items()} == {"trials": 10, "curves": 40, "predictions": 10}
    assert found["curves"].schema.equals(schemas.SCHEMAS["losses"])
    assert found["trials"]["seed"].to_pylist() == [*range(5), *range(5)]
    assert found["trials"]["test_loss"].to_pylist() == [*map(float, range(5)), *map(float, range(5))]
    for name in schemas.COLLECTED.values():
        assert pq.ParquetFile(data / f"{name}.parquet").metadata.num_row_groups == 2


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("AVX2", "AVX512", "; they were trained under different arithmetic: AVX2 and AVX512"),
        ("AVX2", "AVX2", ""),
        ("AVX2", None, ""),
    ],
    ids=["two kinds", "one kind", "a kind that is not known"],
)
def test_trials_that_were_trained_under_different_arithmetic_are_told_of(folders, first, second, said):
    results, data = folders
    study = plan()
    for index, chunk in enumerate(all_chunks(study, cost.seeds_per_job)):
        save(chunk, results)
        path = chunk_files.paths(chunk, results)["trials"]
        changed(path, with_column("arithmetic", lambda _, kind=(first, second)[index % 2]: kind))
    assert collect.run(study, results, data) == f"small: collected 10 trials from 6 chunks{said}"


def test_one_settings_rows_are_in_memory_at_a_time(folders, monkeypatch):
    results, data = folders
    study = plan(batch_size=["full", 50, 20])
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
    held = []
    concat = pa.concat_tables
    monkeypatch.setattr(pa, "concat_tables", lambda parts: held.append(len(parts)) or concat(parts))
    collect.run(study, results, data)
    assert held == [3] * len(study.settings) * 3


def test_what_files_of_earlier_versions_do_not_say_of_their_setting_is_filled_in(folders):
    results, data = folders
    study = plan()
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
        for path in chunk_files.paths(chunk, results).values():
            table = tables.read_parquet(path).drop_columns([*OF_SETTING])
            tables.write_parquet(path, table, tables.footer(path))
    assert collect.run(study, results, data) == "small: collected 10 trials from 6 chunks"
    for table in collected(data).values():
        of_setting = [table[name].unique().to_pylist() for name in OF_SETTING]
        assert of_setting == [["squared"], [None], [4], [20], ["float32"], [None], [None]]


def test_a_study_that_is_trained_in_part_is_collected_as_far_as_it_goes(folders):
    results, data = folders
    study = plan()
    first, second, *_ = all_chunks(study, cost.seeds_per_job)
    for chunk in (first, second):
        save(chunk, results)
    chunk_files.paths(second, results)["predictions"].unlink()
    said = collect.run(study, results, data)
    assert said == "small: collected 2 trials from 1 chunks; 8 of 10 trials are not trained yet"
    assert collected(data)["trials"]["seed"].to_pylist() == [0, 1]


def test_a_study_of_which_nothing_is_trained_gives_empty_tables(folders):
    results, data = folders
    said = collect.run(plan(), results, data)
    assert said == "small: collected 0 trials from 0 chunks; 10 of 10 trials are not trained yet"
    assert [table.num_rows for table in collected(data).values()] == [0, 0, 0]


def test_results_of_other_studies_are_left_out(folders):
    results, data = folders
    for study in (plan(), plan(epochs=5), plan(seeds=9)):
        for chunk in all_chunks(study, cost.seeds_per_job):
            save(chunk, results)
    collect.run(plan(), results, data)
    assert collected(data)["trials"].num_rows == 10


def test_a_task_of_several_inputs_has_no_predictions(folders):
    results, data = folders
    study = plan(task="diabetes")
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
        kind = "predictions"
        empty = rows(chunk, kind).slice(0, 0)
        tables.write_parquet(chunk_files.paths(chunk, results)[kind], empty, {"address": chunk.setting.address})
    collect.run(study, results, data)
    assert collected(data)["predictions"].num_rows == 0


def test_a_renamed_data_file_is_called_by_its_new_name(folders, tmp_path):
    results, data = folders

    def study(name):
        (tmp_path / name).write_text("a,y\n1,2\n2,3\n3,5\n4,8\n")
        return plan(task={"name": "table", "path": str(tmp_path / name), "target": "y"})

    for chunk in all_chunks(study("old.csv"), cost.seeds_per_job):
        save(chunk, results)
    assert collect.run(study("new.csv"), results, data) == "small: collected 10 trials from 6 chunks"
    assert set(collected(data)["trials"]["task"].to_pylist()) == {"table path=new.csv target=y"}


def other_seeds(table):
    column = table.schema.get_field_index("seed")
    return table.set_column(column, "seed", pa.array([seed + 1 for seed in table["seed"].to_pylist()], pa.int64()))


def twice(table):
    return pa.concat_tables([table, table])


def first_seed(table):
    return table.slice(0, table.num_rows // 2)


def without_a_column(table):
    return table.drop_columns("task")


@pytest.mark.parametrize("change", [other_seeds, first_seed, twice, without_a_column])
def test_a_chunk_that_holds_other_rows_than_its_name_says_is_named(folders, change):
    results, data = folders
    study = plan()
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
    save(all_chunks(study, cost.seeds_per_job)[1], results, change)
    with pytest.raises(
        UserError, match=r"seeds-2-3\.parquet: holds other trials than its name says; delete it and run"
    ):
        collect.run(study, results, data)


@pytest.mark.parametrize("footer", [{"address": "sine-batch-full-adam-cpu-00000000"}, {"address": None}])
def test_a_chunk_of_another_setting_is_named(folders, footer):
    results, data = folders
    study = plan()
    save(all_chunks(study, cost.seeds_per_job)[0], results, **footer)
    with pytest.raises(UserError, match=r"seeds-0-1\.parquet: holds other trials than its name says"):
        collect.run(study, results, data)


def test_a_corrupt_chunk_is_named_and_what_was_collected_before_is_kept(folders):
    results, data = folders
    study = plan()
    for chunk in all_chunks(study, cost.seeds_per_job):
        save(chunk, results)
    collect.run(study, results, data)
    before = {path.name: path.read_bytes() for path in data.glob("*.parquet")}
    broken = chunk_files.paths(all_chunks(study, cost.seeds_per_job)[-1], results)["losses"]
    broken.write_bytes(broken.read_bytes()[:-9])
    with pytest.raises(UserError) as caught:
        collect.run(study, results, data)
    assert str(caught.value).startswith(f"{broken}: not a readable table (")
    assert {path.name: path.read_bytes() for path in data.glob("*.parquet")} == before
    assert not [path for path in data.iterdir() if path.name.startswith(".")]
