"""Hyperparameters: safe YAML, of which nothing is run, and which cannot fill the memory."""

import pytest
from result_layouts import write

from bnbench.errors import UserError
from bnbench.own_results import hparams


def read(tmp_path, content):
    return hparams.read(write(tmp_path / "hparams.yaml", content), "hparams.yaml")


def test_code_in_tags_is_not_run_and_is_named(tmp_path):
    mark = tmp_path / "ran"
    content = (
        f"call: !!python/object/apply:os.system ['touch {mark}']\n"
        f"new: !!python/object/new:os.system ['touch {mark}']\n"
        "fn: !!python/name:torch.relu ''\n"
        "module: !!python/module:os ''\n"
        "own: !Norm {eps: 1}\n"
        "hidden: !!python/tuple [4, 8]\n"
        "lr: 0.1\n"
    )
    values, unread = read(tmp_path, content)
    assert not mark.exists()
    assert values == {"hidden": "[4, 8]", "lr": "0.1"}
    assert unread == ("call", "new", "fn", "module", "own")


def test_nothing_in_the_file_is_no_hyperparameters(tmp_path):
    assert read(tmp_path, "") == ({}, ())
    assert read(tmp_path, "{}\n") == ({}, ())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- 1\n", "hparams.yaml: found a list of 1, allowed: a mapping of names to values, such as 'lr: 0.1'"),
        (
            "!!python/object:argparse.Namespace {lr: 1}\n",
            "hparams.yaml: found an object of Python, allowed: a mapping of names to values, such as 'lr: 0.1'",
        ),
        ("lr: [1\n", "hparams.yaml, line 2: broken YAML (expected ',' or ']', but got '<stream end>')"),
        ("day: 2024-13-01\n", "hparams.yaml: broken YAML (month must be in 1..12)"),
        ("a: &a {b: *a}\n", "hparams.yaml: found more than 20 mappings in one another, allowed: at most 20"),
    ],
)
def test_what_is_no_mapping_gives_one_line(tmp_path, content, message):
    with pytest.raises(UserError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == message


def test_aliases_that_multiply_are_refused(tmp_path):
    lines = ["a0: &a0 {x: 1, y: 2}"] + [f"a{n}: &a{n} {{x: *a{n - 1}, y: *a{n - 1}}}" for n in range(1, 18)]
    with pytest.raises(UserError, match=r"^hparams\.yaml: found more than 10000 values, allowed: at most 10000$"):
        read(tmp_path, "\n".join(lines))


def test_a_list_of_lists_is_left_out(tmp_path):
    assert read(tmp_path, "a: &a [1, 2]\nb: [*a, *a]\nc: [{d: 1}]\n") == ({"a": "[1, 2]"}, ("b", "c"))


def test_what_is_not_utf8_is_told(tmp_path):
    (tmp_path / "hparams.yaml").write_bytes("norm: é".encode("latin-1"))
    with pytest.raises(UserError, match=r"^hparams\.yaml: not a text file in UTF-8 \(.* at byte 6\)$"):
        hparams.read(tmp_path / "hparams.yaml", "hparams.yaml")
