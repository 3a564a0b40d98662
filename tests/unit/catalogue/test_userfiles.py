"""A user's Python file is known by its bytes and those of its local modules, and its faults are told unrun."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from configs import refusal
from hypothesis import given
from hypothesis import strategies as st

from bnbench.catalogue import userfiles

SUPPLIED = ["norm", "inputs", "outputs"]
NET = b"def my_net(norm, inputs, outputs, depth=2, *, width=8):\n    pass\n"

TREE = {
    "nets.py": b"import layers\nfrom blocks.conv import Conv\nfrom . import sibling\ndef late():\n    import late\n",
    "layers.py": b"from deeper import *\nimport nets, torch\n",
    "deeper.py": b"import layers as above\n",
    "sibling.py": b"x = 1\n",
    "late.py": b"",
    "blocks/__init__.py": b"",
    "blocks/conv.py": b"from .. import beside\nfrom .norms import own\nimport helper\n",
    "blocks/norms/own.py": b"from ... import beyond\nfrom ..unused import x\n",
    "blocks/unused.py": b"",
    "beside.py": b"from .. import above\n",
    "beyond.py": b"",
    "helper.py": b"",
}
"""Each of them belongs to nets.py, and nothing else."""

UNRELATED = {
    "other.py": b"import layers\n",
    "conv.py": b"",
    "above.py": b"",
    "layers.txt": b"",
    "layers/scripts.py": b"",
    "blocks/weights.bin": b"1",
    "blocks/.ipynb_checkpoints/conv-checkpoint.py": b"",
    "blocks/.hidden/conv.py": b"",
    "blocks/conv copy.py": b"",
    "torch/code.py": b"",
    "__init__.py": b"",
}


@pytest.fixture
def files(tmp_path):
    """Write files below a folder, by name; returns the path of nets.py."""

    def written(contents, folder="code"):
        for name, content in contents.items():
            file = tmp_path / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return str(tmp_path / folder / "nets.py")

    return written


@pytest.fixture
def net(write):
    """Inspect a file nets.py of this text, in the working directory."""

    def inspected(content, build="my_net", chosen=(), supplied=SUPPLIED):
        return userfiles.inspect(write(content, "nets.py"), build, chosen, supplied)

    return inspected


def test_all_that_an_import_names_belongs_to_a_file_and_nothing_else(files):
    files(UNRELATED)
    assert userfiles.sources(files(TREE)) == TREE


@pytest.mark.parametrize("name", TREE)
def test_every_byte_of_every_file_counts(files, name):
    path = files(TREE)
    before = userfiles.sha256(path)
    content = TREE[name] + b"#"
    files({name: content})
    changed = userfiles.sha256(path)
    files({name: content[:-1] + b"%"})
    assert len({before, changed, userfiles.sha256(path)}) == 3
    files(TREE)
    assert userfiles.sha256(path) == before


@given(st.binary(min_size=1, max_size=60), st.data())
def test_whatever_stands_in_a_file_has_a_hash_and_any_edit_another_one(tmp_path_factory, content, data):
    path = tmp_path_factory.mktemp("any") / "nets.py"
    path.write_bytes(content)
    before = userfiles.sha256(str(path))
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[place]))
    path.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
    assert userfiles.sha256(str(path)) != before


def test_unrelated_files_next_to_it_do_not_count(files):
    path = files(TREE)
    before = userfiles.sha256(path)
    files(UNRELATED)
    assert userfiles.sha256(path) == before


def test_a_folder_that_moves_keeps_its_hash_however_it_is_called(files, tmp_path, monkeypatch):
    path = files(TREE)
    before = userfiles.sha256(path)
    moved = tmp_path / "a folder, moved"
    shutil.copytree(tmp_path / "code", moved)
    shutil.rmtree(tmp_path / "code")
    assert userfiles.sha256(str(moved / "nets.py")) == before
    for folder, name in [(moved, "nets.py"), (moved, "./nets.py"), (moved / "blocks", "../nets.py")]:
        monkeypatch.chdir(folder)
        assert userfiles.sha256(name) == before


def test_the_hash_is_of_names_and_bytes_in_whatever_order_they_are_found():
    files = {"a.py": b"1", "b.py": b"2"}
    assert userfiles.digest(dict(reversed(files.items()))) == userfiles.digest(files)
    assert userfiles.digest({"a.py": b"1", "c.py": b"2"}) != userfiles.digest(files)


def test_bytes_that_move_from_one_file_to_another_change_the_hash(files):
    both = {"nets.py": b"import a, b\n"}
    assert userfiles.sha256(files({**both, "a.py": b"1", "b.py": b"2"})) != userfiles.sha256(
        files({**both, "a.py": b"2", "b.py": b"1"})
    )


def test_a_file_that_comes_to_lie_under_an_imported_name_changes_the_hash(files):
    path = files({"nets.py": b"try:\n    import fast\nexcept ImportError:\n    pass\n"})
    before = userfiles.sha256(path)
    files({"fast.py": b""})
    assert userfiles.sha256(path) != before


def test_a_package_goes_before_a_folder_of_its_name_that_has_no_init(files):
    """As in Python: a folder of runs that is called as an installed package is none of the user's modules."""
    code = {"nets.py": b"import numpy, json, sys, runs\n"}
    code |= {f"{name}/run.py": b"" for name in ("numpy", "json", "sys", "runs")}
    assert set(userfiles.sources(files(code))) == {"nets.py", "runs/run.py"}
    files({"json/__init__.py": b""})
    assert set(userfiles.sources(files(code))) == {"nets.py", "runs/run.py", "json/run.py", "json/__init__.py"}


def test_local_modules_that_are_not_python_count_by_their_bytes_alone(files):
    path = files({"nets.py": b"import old\n", "old.py": b"print 'import other'\0\xff\n", "other.py": b""})
    assert set(userfiles.sources(path)) == {"nets.py", "old.py"}


def test_a_link_counts_as_the_file_that_it_leads_to_and_not_if_it_leads_nowhere(write):
    write("import layers\n", "nets.py")
    Path("elsewhere").mkdir()
    Path("layers.py").symlink_to("elsewhere/layers.py")
    assert set(userfiles.sources("nets.py")) == {"nets.py"}
    write("x = 1\n", "elsewhere/layers.py")
    assert userfiles.sources("nets.py") == {"nets.py": b"import layers\n", "layers.py": b"x = 1\n"}


def test_a_local_module_that_cannot_be_read_is_told(write, monkeypatch):
    write("import layers\n", "nets.py")
    write("", "layers.py")
    read = Path.read_bytes

    def forbidden(path):
        if path.name == "layers.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", forbidden)
    assert refusal(userfiles.sha256, "nets.py") == "layers.py: cannot read the Python file (Permission denied)"


def test_nothing_is_run_or_imported(net, capsys):
    before = {*sys.modules}
    net(b"import antigravity_of_mine\nprint('run')\nraise SystemExit(3)\n" + NET)
    assert capsys.readouterr() == ("", "")
    assert {*sys.modules} == before


def test_warnings_of_the_parser_are_left_to_the_run(net, recwarn):
    net(NET + b"x = '\\d' is 3\nassert (1, '')\n")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("nets.py", "nets.py: cannot read the Python file (No such file or directory)"),
        ("a folder/nets.py", "a folder/nets.py: cannot read the Python file (No such file or directory)"),
        ("nets.ipynb", "nets.ipynb: found a file ending in '.ipynb'; your own code must be a .py file"),
        ("nets", "nets: found a file ending in ''; your own code must be a .py file"),
        ("dir.py", "dir.py: cannot read the Python file (Is a directory)"),
    ],
)
def test_a_file_that_is_none_is_told(tmp_path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    Path("dir.py").mkdir()
    assert refusal(userfiles.inspect, path, "my_net", [], []) == said


def test_the_hash_of_a_file_that_is_none_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert refusal(userfiles.sha256, ".") == ".: cannot read the Python file (Is a directory)"
    assert refusal(userfiles.sha256, "x") == "x: cannot read the Python file (No such file or directory)"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x = '\xff'\n", "nets.py: not a text file in UTF-8 (invalid start byte at byte 5)"),
        (b"x = 1\ndef my_net(:\n", "nets.py:2: SyntaxError: invalid syntax"),
        (
            b"def my_net():\nx\n",
            "nets.py:2: IndentationError: expected an indented block after function definition on line 1",
        ),
        (b"x = (\n", "nets.py:1: SyntaxError: '(' was never closed"),
        (b"x = 1\nreturn x\n", "nets.py:2: SyntaxError: 'return' outside function"),
        (b"def f(a, a): pass\n", "nets.py:1: SyntaxError: duplicate argument 'a' in function definition"),
    ],
)
def test_a_file_that_is_no_python_is_told_with_its_line_in_pythons_own_words(net, content, said):
    assert refusal(net, content) == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x = 1\0\n", "nets.py: (SyntaxError: source code|cannot be parsed as Python)"),
        (b"x = " + b"-" * 9999 + b"1\n", r"nets.py: cannot be parsed as Python \((Memory|Recursion)Error\)"),
        (b"x = " + b"1+" * 99999 + b"1\n", r"nets.py: cannot be parsed as Python \((Memory|Recursion)Error\)"),
    ],
    ids=["null bytes", "signs", "sums"],
)
def test_a_file_that_the_parser_gives_up_is_told(net, content, said):
    assert re.match(said, refusal(net, content))


def test_a_name_that_the_file_does_not_define_is_told_with_the_nearest(net):
    defined = b"import torch\nfrom x import other as y\n__all__ = []\nWIDTH = 3\nclass Block: pass\n" + NET
    assert refusal(net, defined, "my_nett") == (
        "nets.py: no 'my_nett' (did you mean 'my_net'?); the file defines WIDTH, Block, my_net"
    )
    assert refusal(net, defined, "zzz") == "nets.py: no 'zzz'; the file defines WIDTH, Block, my_net"
    assert refusal(net, b"import my_nets\n") == (
        "nets.py: no 'my_net' (did you mean 'my_nets'?); the file defines nothing"
    )
    assert refusal(net, b"") == "nets.py: no 'my_net'; the file defines nothing"
    assert refusal(net, b"def f():\n    def my_net(): pass\nclass C:\n    my_net = 1\n") == (
        "nets.py: no 'my_net'; the file defines f, C"
    )


@pytest.mark.parametrize(
    "content",
    [
        "from x import my_net",
        "from x import y as my_net",
        "import my_net",
        "import my_net.part",
        "from x import *",
        "my_net = make()",
        "a, (my_net, *b) = 1, (2, 3)",
        "[a, *my_net] = x",
        "my_net: object = make()",
        "if x:\n    def my_net(a): pass\nelse:\n    def my_net(): pass",
        "try:\n    from x import my_net\nexcept ImportError:\n    def my_net(a): pass",
        "with x as my_net: pass",
        "for my_net in x: pass",
        "class my_net(Base): pass",
        "class my_net(nn.Module): pass",
        "class my_net(A, B): pass",
        "class my_net(metaclass=M): pass",
        "class my_net:\n    __init__ = make()",
        "class my_net:\n    def __new__(cls, a): pass",
        "@dataclass\nclass my_net:\n    a: int",
        "class my_net(Other): pass\nclass Other(my_net): pass",
        "class my_net(my_net): pass",
    ],
)
def test_parameters_that_the_file_does_not_tell_are_not_checked(net, content):
    assert net(content + "\n", chosen=["anything"])["takes"] == ["inputs", "norm", "outputs"]


@pytest.mark.parametrize(
    ("content", "takes"),
    [
        ("def my_net(): pass", []),
        ("def my_net(norm): pass", ["norm"]),
        ("async def my_net(norm): pass", ["norm"]),
        ("@cached\ndef my_net(norm): pass", ["norm"]),
        ("def my_net(outputs, norm=None, *rest, inputs): pass", ["inputs", "norm", "outputs"]),
        ("def my_net(**more): pass", ["inputs", "norm", "outputs"]),
        ("def my_net(norm, **more): pass", ["inputs", "norm", "outputs"]),
        ("if x:\n    def my_net(norm): pass", ["norm"]),
        ("class my_net: pass", []),
        ("class my_net(object): pass", []),
        ("class my_net(nn.Module):\n    def __init__(self, norm): pass", ["norm"]),
        ("class my_net(nn.Module):\n    def __init__(self, /, norm): pass", ["norm"]),
        ("class my_net(nn.Module):\n    def __init__(*all, norm=1): pass", ["norm"]),
        ("@register\nclass my_net(A, B, metaclass=M):\n    def __init__(self, *, outputs): pass", ["outputs"]),
        ("class A(nn.Module):\n    def __init__(self, norm): pass\nclass my_net(A): pass", ["norm"]),
    ],
)
def test_what_a_function_or_class_takes_of_what_bnbench_passes(net, content, takes):
    found = net(content + "\n")
    assert found == {"sha256": userfiles.sha256("nets.py"), "takes": takes}


@pytest.mark.parametrize(
    ("content", "chosen", "said"),
    [
        (NET, ["dept"], "nets.py:1: my_net has no parameter 'dept' (did you mean 'depth'?); allowed: depth, width"),
        (NET, ["depth", "zzz"], "nets.py:1: my_net has no parameter 'zzz'; allowed: depth, width"),
        (b"\ndef my_net(norm): pass\n", ["depth"], "nets.py:2: my_net has no parameter 'depth'; allowed: none"),
        (b"class my_net: pass\n", ["depth"], "nets.py:1: my_net has no parameter 'depth'; allowed: none"),
        (
            b"class my_net(nn.Module):\n    def __init__(self, depth): pass\n",
            ["self"],
            "nets.py:2: my_net has no parameter 'self'; allowed: depth",
        ),
        (
            b"def my_net(depth, norm, width, *, height, inputs, length=1): pass\n",
            ["width"],
            "nets.py:1: my_net needs 'depth', 'height'; give a value in the config, or a default in the file",
        ),
        (
            b"def my_net(depth, **more): pass\n",
            ["width"],
            "nets.py:1: my_net needs 'depth'; give a value in the config, or a default in the file",
        ),
        (
            b"class my_net(nn.Module):\n    def __init__(self, depth, width=1): pass\n",
            [],
            "nets.py:2: my_net needs 'depth'; give a value in the config, or a default in the file",
        ),
        (
            b"def my_net(norm, /, depth): pass\n",
            ["depth"],
            "nets.py:1: my_net takes 'norm' by its position only, allowed: parameters that are passed by name; "
            "take the '/' out",
        ),
        (
            b"class my_net:\n    def __init__(self, norm, /): pass\n",
            [],
            "nets.py:2: my_net takes 'norm' by its position only, allowed: parameters that are passed by name; "
            "take the '/' out",
        ),
    ],
)
def test_parameters_that_do_not_fit_are_told(net, content, chosen, said):
    assert refusal(net, content, "my_net", chosen) == said


def test_parameters_that_fit_are_taken(net):
    assert net(NET, chosen=["depth", "width"])["takes"] == ["inputs", "norm", "outputs"]
    assert net(b"def my_net(depth, **more): pass\n", chosen=["depth", "zzz"])["takes"] == ["inputs", "norm", "outputs"]


def test_a_byte_order_mark_and_names_with_spaces_are_fine(write):
    Path("my code").mkdir()
    write(b"\xef\xbb\xbf" + NET, "my code/my nets.v2.py")
    assert userfiles.inspect("my code/my nets.v2.py", "my_net", ["depth"], SUPPLIED)["takes"] == sorted(SUPPLIED)
