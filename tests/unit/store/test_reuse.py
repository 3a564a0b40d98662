"""Seeds that another chunk holds are taken from there, to the bit, and never where the bits could differ."""

import pytest
from specs import assert_same_bits, named, spec

from bnbench import train
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting
from bnbench.store import chunk_files, reuse, schemas, tables
from bnbench.trainer import stacks

SETTING = Setting.from_spec(spec())


def chunk(first, last, setting=SETTING):
    return Chunk(setting, first, last - first + 1)


@pytest.fixture
def new(monkeypatch):
    """The seeds that are really trained from here on."""
    seeds, train_whole = [], stacks._train_whole

    def noted(stack, *arguments):
        seeds.extend(stack.seeds)
        return train_whole(stack, *arguments)

    monkeypatch.setattr(stacks, "_train_whole", noted)
    return seeds


@pytest.mark.parametrize(
    "setting", [SETTING, Setting.from_spec(spec(task=named("task", "diabetes")))], ids=["sine", "diabetes"]
)
def test_more_seeds_train_only_those_that_are_new(setting, new, tmp_path):
    train.run(chunk(3, 5, setting), tmp_path, 1)
    train.run(chunk(8, 8, setting), tmp_path, 1)
    new.clear()
    said = train.run(chunk(0, 9, setting), tmp_path, 1)
    assert new == [0, 1, 2, 6, 7, 9]
    assert "trained seeds 0 to 9, 4 of them from other chunks, for 10 epochs" in said
    train.run(chunk(0, 9, setting), tmp_path / "anew", 1)
    assert_same_bits(chunk(0, 9, setting), tmp_path, tmp_path / "anew")


def test_smaller_jobs_than_before_train_nothing(new, tmp_path):
    train.run(chunk(0, 9), tmp_path, 1)
    new.clear()
    assert train.run(chunk(4, 7), tmp_path, 1).endswith(": seeds 4 to 7, 4 of them from other chunks")
    assert new == []
    train.run(chunk(4, 7), tmp_path / "anew", 1)
    assert_same_bits(chunk(4, 7), tmp_path, tmp_path / "anew")


def test_the_longest_chunk_is_taken_first(tmp_path):
    for ends in ((0, 1), (2, 2), (0, 3)):
        train.run(chunk(*ends), tmp_path, 1)
    found = [(one.first, one.last) for one in reuse.trained(SETTING, tmp_path)]
    assert found == [(0, 3), (0, 1), (2, 2)]


def spoil_footer(path):
    tables.write_parquet(path, tables.read_parquet(path), {"address": "another"})


@pytest.mark.parametrize(
    "spoil",
    [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:600]), spoil_footer],
    ids=["absent", "torn", "foreign"],
)
@pytest.mark.parametrize("kind", schemas.SCHEMAS)
def test_a_chunk_that_is_not_whole_is_not_taken(spoil, kind, new, tmp_path):
    train.run(chunk(0, 2), tmp_path, 1)
    spoil(chunk_files.paths(chunk(0, 2), tmp_path)[kind])
    new.clear()
    train.run(chunk(0, 3), tmp_path, 1)
    assert new == [0, 1, 2, 3]
    train.run(chunk(0, 3), tmp_path / "anew", 1)
    assert_same_bits(chunk(0, 3), tmp_path, tmp_path / "anew")


def test_files_with_other_names_are_passed_over(tmp_path):
    train.run(chunk(0, 2), tmp_path, 1)
    for path in chunk_files.paths(chunk(0, 2), tmp_path).values():
        for name in ("seeds-5-3", "seeds-a-b", "seeds-0-2-old"):
            (path.parent / f"{name}.parquet").write_bytes(path.read_bytes())
    assert [one.stem for one in reuse.trained(SETTING, tmp_path)] == ["seeds-0-2"]


def test_on_cuda_nothing_is_taken_since_another_chunk_has_other_bits(tmp_path):
    setting = Setting.from_spec(spec(device="cuda"))
    for path in chunk_files.paths(chunk(0, 3, setting), tmp_path).values():
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    assert reuse.trained(setting, tmp_path) == []
