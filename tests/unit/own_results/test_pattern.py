"""Patterns: braces, stars and folders, and what is said where a pattern is wrong or finds nothing."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_layouts import write

from bnbench.errors import UserError
from bnbench.own_results.pattern import beginning, find, names_of


def values(folder, pattern):
    return [(str(match.path.relative_to(folder)), match.values) for match in find(pattern, folder)]


@pytest.fixture
def folder(tmp_path):
    for name in (
        "bn/lr0.1/seed0/log.csv",
        "bn/lr0.1/seed1/log.csv",
        "layer_norm/lr0.01/seed0/log.csv",
        "bn/.old/x.csv",
    ):
        write(tmp_path / name, "x")
    return tmp_path


def test_braces_take_what_stands_in_their_place(folder):
    assert values(folder, "{norm}/lr{lr}/seed{seed}/*.csv") == [
        ("bn/lr0.1/seed0/log.csv", {"norm": "bn", "lr": "0.1", "seed": "0"}),
        ("bn/lr0.1/seed1/log.csv", {"norm": "bn", "lr": "0.1", "seed": "1"}),
        ("layer_norm/lr0.01/seed0/log.csv", {"norm": "layer_norm", "lr": "0.01", "seed": "0"}),
    ]


def test_two_stars_match_any_number_of_folders_and_nothing_hidden(folder):
    write(folder / "log.csv", "x")
    every = ["bn/lr0.1/seed0/log.csv", "bn/lr0.1/seed1/log.csv", "layer_norm/lr0.01/seed0/log.csv", "log.csv"]
    assert [name for name, _ in values(folder, "**/*.csv")] == every
    assert [name for name, _ in values(folder, "**")] == every
    assert [name for name, _ in values(folder, "**/**/log.csv")] == every
    assert values(folder, "**/seed{seed}/log.csv")[0] == ("bn/lr0.1/seed0/log.csv", {"seed": "0"})
    assert [name for name, _ in values(folder, "bn/.old/*.csv")] == ["bn/.old/x.csv"]


def test_an_underscore_in_a_name_goes_to_the_first_brace(tmp_path):
    write(tmp_path / "layer_norm_3.csv", "x")
    assert values(tmp_path, "{norm}_{seed}.csv") == [("layer_norm_3.csv", {"norm": "layer_norm", "seed": "3"})]


def test_marks_of_regular_expressions_mean_themselves(tmp_path):
    write(tmp_path / "a+[b].csv", "x")
    write(tmp_path / "aab.csv", "x")
    assert values(tmp_path, "a+[{x}].csv") == [("a+[b].csv", {"x": "b"})]
    assert values(tmp_path, "a?b.{x}") == [("aab.csv", {"x": "csv"})]


NAMES = st.text("ab.+[]()_-^$ 19é", min_size=1, max_size=6).filter(
    lambda name: not name.startswith(".") and name.strip()
)


@given(first=NAMES, second=NAMES)
def test_names_of_any_characters_come_back(tmp_path_factory, first, second):
    home = tmp_path_factory.mktemp("runs")
    write(home / first / f"seed-{second}.csv", "x")
    assert [match.values for match in find("{norm}/seed-{seed}.csv", home)] == [{"norm": first, "seed": second}]


def test_folders_that_match_as_a_file_should_are_left_out(folder):
    (folder / "bn" / "x.csv").mkdir()
    write(folder / "bn" / "y.csv", "x")
    assert [name for name, _ in values(folder, "bn/*.csv")] == ["bn/y.csv"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            "runs/{norm",
            "pattern 'runs/{norm': found an unmatched brace ('{' is not closed), allowed: {norm}/seed{seed}/*.csv",
        ),
        (
            "norm}",
            "pattern 'norm}': found an unmatched brace ('}' closes nothing), allowed: {norm}/seed{seed}/*.csv",
        ),
        (
            "{a{b}}",
            "pattern '{a{b}}': found an unmatched brace ('{' is not closed), allowed: {norm}/seed{seed}/*.csv",
        ),
        (
            "{a/b}",
            "pattern '{a/b}': found an unmatched brace ('{' is not closed), allowed: {norm}/seed{seed}/*.csv",
        ),
        ("{}", "pattern '{}': found '{}', allowed: the name of a column, as in {norm}/seed{seed}/*.csv"),
        ("{1x}", "pattern '{1x}': found '{1x}', allowed: the name of a column, as in {norm}/seed{seed}/*.csv"),
        ("{a}/{a}", "pattern '{a}/{a}': found '{a}' twice, allowed: once"),
        (
            "{a}{b}",
            "pattern '{a}{b}': found '{b}' right behind '{a}', allowed: text between them, which separates them",
        ),
        ("*{b}", "pattern '*{b}': found '{b}' right behind '*', allowed: text between them, which separates them"),
        ("", "pattern '': found nothing, allowed: a path such as {norm}/seed{seed}/*.csv"),
    ],
)
def test_a_malformed_pattern_gives_one_line(tmp_path, pattern, message):
    with pytest.raises(UserError) as caught:
        find(pattern, tmp_path)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("pattern", "where", "said"),
    [
        (
            "{norm}/lr{lr}/sead0/*.csv",
            "bn/lr0.1",
            "holds seed0 and seed1, allowed: a name like 'sead0' (did you mean 'seed0'?)",
        ),
        ("{norm}/lr{lr}/seed{seed}/*.parquet", "bn/lr0.1/seed0", "holds log.csv, allowed: a name like '*.parquet'"),
        ("none/*.csv", "", "holds bn and layer_norm, allowed: a name like 'none'"),
    ],
)
def test_where_nothing_matches_the_nearest_folder_is_named(folder, pattern, where, said):
    with pytest.raises(UserError) as caught:
        find(pattern, folder)
    assert str(caught.value) == f"pattern '{pattern}': no file matches; {folder / where} {said}"


def test_a_pattern_that_finds_folders_alone_is_told_so(folder):
    with pytest.raises(
        UserError, match=r"found only folders \(bn and layer_norm\), allowed: files in '\{norm\}/\*\.csv'$"
    ):
        find("{norm}", folder)


def test_a_pattern_that_repeats_its_folder_is_told_so(folder):
    with pytest.raises(UserError, match=r"no file matches; it begins inside .*/bn, so leave out 'bn/'$"):
        find("bn/lr{lr}/seed{seed}/*.csv", folder / "bn")


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"no file matches; .*/absent is no folder$"):
        find("*.csv", tmp_path / "absent")


def test_names_and_the_beginning_of_a_pattern():
    assert names_of("runs/{norm}/**/s{seed}.csv") == ("norm", "seed")
    assert beginning("runs/x/{norm}/*.csv", Path("home")) == Path("home/runs/x")
    assert beginning("/runs/x.csv", Path("home")) == Path("/runs")
