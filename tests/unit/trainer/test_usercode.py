"""A user's code runs as it was hashed and beside that of others, and an error in it is told with its own line."""

import os
import pickle
import random
import shutil
import sys
import weakref
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import torch
from configs import refusal

from bnbench.catalogue import userfiles
from bnbench.errors import UserError
from bnbench.trainer import usercode


@pytest.fixture
def code(write):
    """Write a file of code, nets.py or another one, in the working directory; gives its name."""

    def written(text, name="nets.py"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        return write(dedent(text), name)

    return written


@pytest.fixture
def loaded(code):
    """Load `my_net` from a file of this code."""

    def load(text="", name="nets.py"):
        return usercode.load(code(text, name) if text else name, "my_net", userfiles.sha256(name))

    return load


def message(call, path="nets.py", doing="builds it"):
    """What is told of an error that a call raises, however many lines."""
    with pytest.raises(UserError) as caught, usercode.told(path, doing):
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value)


def import_error(load, text):
    """What is told of an error in a file of this code."""
    with pytest.raises(UserError) as caught:
        load(text)
    return str(caught.value)


# What is loaded.


def test_a_function_a_class_and_anything_else_that_can_be_called_is_loaded(loaded):
    assert loaded("def my_net(depth):\n    return depth + 1\n")(2) == 3
    assert isinstance(loaded("class my_net:\n    pass\n")(), object)
    assert loaded("import functools\nmy_net = functools.partial(int, base=2)\n")("11") == 3


def test_a_file_runs_once_however_it_is_called(code, capsys, tmp_path):
    path = code("print('run')\ndef my_net(): pass\ndef other(): pass\n")
    digest = userfiles.sha256(path)
    found = [usercode.load(name, "my_net", digest) for name in (path, f"./{path}", str(tmp_path / path))]
    assert usercode.load(path, "other", digest).__name__ == "other"
    assert found[0] is found[1] is found[2]
    assert capsys.readouterr().out == "run\n"


def test_a_file_that_is_not_the_one_of_the_plan_is_refused(code):
    path = code("def my_net(): pass\n")
    assert refusal(usercode.load, path, "my_net", "0" * 64) == (
        "nets.py: the file changed since the study was planned; start the same command again"
    )


def test_a_local_module_that_is_not_the_one_of_the_plan_is_refused(code):
    code("x = 1\n", "layers.py")
    planned = userfiles.sha256(code("import layers\ndef my_net(): pass\n"))
    code("x = 2\n", "layers.py")
    assert "nets.py: the file changed" in refusal(usercode.load, "nets.py", "my_net", planned)


def test_a_file_that_is_gone_is_told(tmp_path):
    path = tmp_path / "nets.py"
    assert refusal(usercode.load, str(path), "my_net", "0" * 64) == (
        f"{path}: cannot read the Python file (No such file or directory)"
    )


def test_a_name_that_is_not_there_once_the_file_has_run_is_told(loaded):
    assert import_error(loaded, "if False:\n    def my_net(): pass\n") == (
        "nets.py: no 'my_net' once the file has run; define it outside of any condition"
    )
    assert import_error(loaded, "my_net = 3\n") == (
        "nets.py: 'my_net' cannot be called (found int), allowed: a function or class"
    )


def test_a_file_that_changes_is_loaded_anew_by_another_plan_and_stays_what_it_was_for_the_first(loaded, code):
    """A long run must not stop, nor change, because its user goes on writing."""
    code("value = 1\n", "layers.py")
    first = loaded("import layers\ndef my_net():\n    return layers.value\n")
    planned = userfiles.sha256("nets.py")
    code("value = 2\n", "layers.py")
    assert (loaded()(), first()) == (2, 1)
    assert usercode.load("nets.py", "my_net", planned) is first
    code("value = 1\n", "layers.py")
    assert loaded() is first


def test_a_file_that_fails_is_run_again_when_it_is_asked_for_again(loaded, code, capsys):
    failing = "print('run')\nimport os\nif 'BNBENCH_FAIL' in os.environ:\n    raise OSError\ndef my_net(): pass\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BNBENCH_FAIL", "1")
        import_error(loaded, failing)
    loaded()
    assert capsys.readouterr().out == "run\nrun\n"


# How its imports work.


def test_every_kind_of_import_of_local_modules_works_early_and_late(loaded, code):
    code(
        "from ..layers import f\nfrom .norms.own import g\nfrom . import norms\n__all__ = ['f', 'g']\n",
        "blocks/conv.py",
    )
    code("", "blocks/__init__.py")
    code("import layers\ng = layers.f + 1\n", "blocks/norms/own.py")
    code("f = 1\n_hidden = 2\n", "layers.py")
    code("import nets\nseen = hasattr(nets, 'my_net')\n", "ring.py")
    code("value = 5\n", "spaces/deep/module.py")
    my_net = loaded(
        """
        from __future__ import annotations
        import os.path, layers, blocks.conv as conv, ring
        import blocks.norms.own
        from .layers import f as relative
        from layers import *
        from . import blocks as same
        try:
            import no_such_module
        except ImportError:
            import layers as excepted
        else:
            pass
        finally:
            import spaces.deep.module
        def my_net():
            import layers as late
            from blocks.conv import g
            import nets as myself
            if not f:
                pass
            else:
                import spaces.deep.module as m
            return (late is layers is excepted, f, relative, conv.g, g, blocks.norms.own.g, same is blocks, os.path.sep,
                    myself.my_net is my_net, ring.seen, spaces.deep.module.value, m.value)
        """
    )
    assert my_net() == (True, 1, 1, 2, 2, 2, True, os.path.sep, True, False, 5, 5)


def test_modules_of_one_folder_do_not_hide_those_of_another_early_or_late(loaded, code):
    text = """
        import layers
        def my_net():
            import layers as late, later
            return layers.value, late.value, later.value
        """
    for folder, value in (("a", 1), ("b", 2)):
        code(f"value = {value}\n", f"{folder}/layers.py")
        code(f"value = {value}\n", f"{folder}/later.py")
    first, second = loaded(text, "a/nets.py"), loaded(text, "b/nets.py")
    assert (first(), second(), first()) == ((1, 1, 1), (2, 2, 2), (1, 1, 1))


def test_equal_files_in_two_folders_are_two_modules(loaded):
    text = "state = []\ndef my_net():\n    state.append(1)\n    return len(state), __file__\n"
    first, second = loaded(text, "a/nets.py"), loaded(text, "b/nets.py")
    assert [first()[0], first()[0], second()[0]] == [1, 2, 1]
    assert second()[1] == str(Path("b/nets.py").resolve())


def test_two_files_of_one_folder_share_their_modules(loaded, code):
    """So that a network can ask whether a layer is of the class that the config names as its norm."""
    code("class my_net: pass\n", "norms.py")
    code("from norms import my_net as norm\ndef my_net():\n    return norm\n", "nets.py")
    assert loaded(name="nets.py")() is loaded(name="norms.py")


def test_a_module_named_like_one_of_python_hides_it_from_the_users_files_alone(loaded, code):
    code("def choice(): return 'mine'\n", "random.py")
    code("", "torch/__init__.py")
    path = [*sys.path]
    assert loaded("import random, torch\ndef my_net():\n    return random.choice(), hasattr(torch, 'nn')\n")() == (
        "mine",
        False,
    )
    assert sys.path == path
    assert sys.modules["random"] is random
    assert sys.modules["torch"] is torch


def test_a_folder_of_scripts_does_not_hide_an_installed_package(loaded, code):
    code("", "torch/script.py")
    assert loaded("import torch\ndef my_net():\n    return torch\n")() is torch


def test_a_package_goes_before_a_file_of_its_name(loaded, code):
    code("raise ValueError\n", "blocks.py")
    code("value = 1\n", "blocks/__init__.py")
    assert loaded("import blocks\ndef my_net():\n    return blocks.value\n")() == 1


def test_a_module_that_is_called_by_a_computed_name_is_not_found_as_no_hash_covers_it(loaded, code):
    code("", "layers_of_mine.py")
    my_net = loaded("import importlib\ndef my_net(name, *package):\n    importlib.import_module(name, *package)\n")
    for name in (["layers_of_mine"], [".layers_of_mine", my_net.__module__.rpartition(".")[0]]):
        said = "nets.py:3: in my_net: ModuleNotFoundError: No module named 'layers_of_mine'"
        assert message(lambda name=name: my_net(*name)).splitlines()[0] == said


def test_a_module_that_was_not_there_before_is_used(loaded, code):
    text = """
        try:
            from fast import value
        except ImportError:
            value = 0
        def my_net():
            return value
        """
    assert loaded(text)() == 0
    code("value = 1\n", "fast.py")
    assert loaded()() == 1
    Path("fast.py").unlink()
    assert loaded()() == 0


def test_the_users_file_goes_before_a_package_of_its_name(loaded, code):
    code("raise ValueError\n", "nets/__init__.py")
    assert loaded("def my_net():\n    import nets\n    return nets.my_net is my_net\n")()


@pytest.mark.parametrize("name", ["my nets.py", "nets.v2.py", "1.py", "a folder/größe.py", "__init__.py", "class.py"])
def test_any_name_of_a_file_will_do(loaded, code, name):
    code("value = 4\n", str(Path(name).parent / "layers.py"))
    assert loaded("from .layers import value\nimport layers\ndef my_net():\n    return value\n", name)() == 4


def test_files_whose_names_differ_in_dots_and_spaces_are_two(loaded):
    names = ["nets.v2.py", "nets v2.py", "nets_v2.py"]
    assert [loaded(f"def my_net():\n    return {i}\n", name)() for i, name in enumerate(names)] == [0, 1, 2]


def test_dataclasses_and_pickles_find_their_module(loaded):
    made = loaded(
        """
        from __future__ import annotations
        from dataclasses import dataclass, field
        from typing import ClassVar, get_type_hints
        @dataclass
        class my_net:
            count: ClassVar[int] = 0
            widths: list[int] = field(default_factory=lambda: [1])
        assert get_type_hints(my_net)["widths"] == list[int]
        """
    )()
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_network_can_be_compiled_and_called_as_a_function(loaded, code):
    """As by the plain class that it is, with local imports that run late."""
    code("def twice(x):\n    return 2 * x\n", "layers.py")
    net = loaded(
        """
        from torch import nn
        class my_net(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(3, 2)
            def forward(self, x):
                import layers
                return layers.twice(self.linear(x))
        """
    )()
    x = torch.ones(4, 3)
    expected = 2 * (x @ net.linear.weight.T + net.linear.bias)
    torch.testing.assert_close(torch.compile(net, backend="eager", fullgraph=True)(x), expected)
    torch.testing.assert_close(torch.func.functional_call(net, dict(net.named_parameters()), (x,)), expected)


def test_nothing_is_written_next_to_the_files(loaded, code, tmp_path):
    code("", "blocks/__init__.py")
    code("", "layers.py")
    loaded("import layers, blocks\ndef my_net(): pass\n")
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {
        "nets.py", "layers.py", "blocks", "blocks/__init__.py"
    }  # fmt: skip


# How errors are told.


def test_an_error_is_told_with_the_line_and_the_one_that_called_it(loaded):
    my_net = loaded(
        """\
        import torch

        def forward(x):
            return torch.ones(2, 64) @ x

        def my_net():
            return forward(
                torch.ones(32, 10))
        """
    )
    assert message(my_net, doing="builds the network") == (
        "nets.py:4: in forward: RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x64 and 32x10)\n"
        "    return torch.ones(2, 64) @ x\n"
        "while bnbench builds the network, called from nets.py:7 in my_net"
    )


def test_an_error_without_a_caller_in_the_file_is_told_without_one(loaded):
    assert message(loaded("def my_net():\n    return {}['depth']\n")) == (
        "nets.py:2: in my_net: KeyError: 'depth'\n    return {}['depth']\nwhile bnbench builds it"
    )


def test_an_error_deep_in_torch_is_told_with_the_users_last_line(loaded):
    my_net = loaded("from torch import nn\ndef my_net(x):\n    return nn.Linear(3, 2)(x)\n")
    assert message(lambda: my_net(torch.ones(1, 4))).splitlines() == [
        "nets.py:3: in my_net: RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x4 and 3x2)",
        "    return nn.Linear(3, 2)(x)",
        "while bnbench builds it",
    ]


def test_an_error_in_which_the_users_code_has_no_part_is_told_with_the_file_alone(loaded):
    net = loaded("from torch import nn\ndef my_net():\n    return nn.Sequential(nn.Linear(3, 2))\n")()
    assert message(lambda: net(torch.ones(1, 4)), doing="runs it") == (
        "nets.py: RuntimeError: mat1 and mat2 shapes cannot be multiplied (1x4 and 3x2)\nwhile bnbench runs it"
    )
    my_net = loaded("def my_net(depth): pass\n")
    assert message(my_net) == (
        "nets.py: TypeError: my_net() missing 1 required positional argument: 'depth'\nwhile bnbench builds it"
    )


def test_an_error_in_a_local_module_or_in_another_file_of_the_user_is_told_there(loaded, code):
    code("def norm():\n    raise ValueError('no')\n", "code/blocks/norms.py")
    my_net = loaded("from blocks.norms import norm\ndef my_net(f=norm):\n    f()\n", "code/nets.py")
    assert message(my_net, "code/nets.py") == (
        "code/blocks/norms.py:2: in norm: ValueError: no\n    raise ValueError('no')\n"
        "while bnbench builds it, called from code/nets.py:3 in my_net"
    )
    other = loaded("def my_net():\n    1 / 0\n", "elsewhere/own.py")
    assert message(lambda: my_net(other), "code/nets.py").startswith("elsewhere/own.py:2: in my_net: ZeroDivisionError")


def test_code_of_others_below_the_users_folder_is_not_the_users(loaded, code):
    """An environment often lies there."""
    code("def fail():\n    raise ValueError('no')\n", ".venv/lib/python/site-packages/package.py")
    my_net = loaded(
        """\
        import importlib.util
        def my_net():
            spec = importlib.util.spec_from_file_location("package", ".venv/lib/python/site-packages/package.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module.fail()
        """
    )
    assert message(my_net).startswith("nets.py:6: in my_net: ValueError: no\n    module.fail()\n")


def test_an_error_at_import_is_told_with_its_line(loaded):
    assert import_error(loaded, "\nx = torch.ones(2)\n") == (
        "nets.py:2: NameError: name 'torch' is not defined\n    x = torch.ones(2)\nwhile bnbench imports it"
    )
    assert import_error(loaded, "import no_such_module\n") == (
        "nets.py:1: ModuleNotFoundError: No module named 'no_such_module'\n    import no_such_module\n"
        "while bnbench imports it"
    )


def test_an_error_in_a_module_that_is_imported_is_told_there_with_the_import(loaded, code):
    code("\nx = 1 / 0\n", "layers.py")
    assert import_error(loaded, "import layers\n") == (
        "layers.py:2: ZeroDivisionError: division by zero\n    x = 1 / 0\n"
        "while bnbench imports it, called from nets.py:1"
    )


def test_a_syntax_error_is_told_with_its_own_file_and_line(loaded, code):
    code("x = 1\ndef f(:\n", "layers.py")
    assert import_error(loaded, "def f():\n    import layers\nf()\n") == (
        "layers.py:2: SyntaxError: invalid syntax\n    def f(:\nwhile bnbench imports it, called from nets.py:2 in f"
    )
    assert import_error(loaded, "x = 1\nx = (\n") == (
        "nets.py:2: SyntaxError: '(' was never closed\n    x = (\nwhile bnbench imports it"
    )
    my_net = loaded("def my_net():\n    eval('1 +')\n")
    assert message(my_net).startswith("nets.py:2: in my_net: SyntaxError: invalid syntax\n    eval('1 +')\n")


def test_a_local_module_that_is_no_text_is_told(loaded, write):
    write(b"x = '\xff'\n", "layers.py")
    assert (
        import_error(loaded, "import layers\n").splitlines()[0].startswith("layers.py:1: SyntaxError: (unicode error)")
    )


def test_messages_call_modules_as_the_user_does(loaded, code, tmp_path):
    code("", "layers.py")
    said = f"cannot import name 'Block' from 'layers' ({tmp_path.resolve() / 'layers.py'})"
    assert import_error(loaded, "from layers import Block\n").splitlines()[0] == f"nets.py:1: ImportError: {said}"
    code("", "blocks/__init__.py")
    assert import_error(loaded, "import blocks.conv\n").splitlines()[0] == (
        "nets.py:1: ModuleNotFoundError: No module named 'blocks.conv'"
    )
    assert import_error(loaded, "from . import missing\n").splitlines()[0] == (
        "nets.py:1: ImportError: cannot import name 'missing' from '.' (unknown location)"
    )


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("ValueError", "ValueError"),
        ("ValueError('')", "ValueError"),
        ("ValueError('\\n\\n  first\\nsecond')", "ValueError: first"),
        ("ValueError('x' * 1000)", f"ValueError: {'x' * 300}… (1000 characters)"),
        ("ValueError(1, 2)", "ValueError: (1, 2)"),
        ("SystemExit(3)", "SystemExit: 3"),
        ("SystemExit", "SystemExit"),
        ("StopIteration", "StopIteration"),
        ("type('Stop', (BaseException,), {})('now')", "Stop: now"),
        ("type('Bad', (Exception,), {'__str__': lambda self: 1 / 0})()", "Bad"),
        ("ExceptionGroup('two', [ValueError(), OSError()])", "ExceptionGroup: two (2 sub-exceptions)"),
        ("RuntimeError('CUDA error')", "RuntimeError: CUDA error"),
    ],
)
def test_whatever_is_raised_is_told_in_one_line(loaded, raised, said):
    lines = message(loaded(f"def my_net():\n    raise {raised}\n")).splitlines()
    assert lines[0] == f"nets.py:2: in my_net: {said}"
    assert len(lines) == 3


def test_an_error_that_is_raised_from_another_is_told_and_the_other_one_is_not(loaded):
    my_net = loaded(
        """\
        def my_net():
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("no") from error
        """
    )
    assert message(my_net).splitlines()[0] == "nets.py:5: in my_net: ValueError: no"


def test_an_endless_recursion_is_told(loaded):
    assert message(loaded("def my_net():\n    my_net()\n")) == (
        "nets.py:2: in my_net: RecursionError: maximum recursion depth exceeded\n    my_net()\n"
        "while bnbench builds it, called from nets.py:2 in my_net"
    )


def test_a_line_that_is_huge_is_shortened(loaded):
    lines = message(loaded(f"def my_net():\n    raise ValueError({'1' * 900})\n")).splitlines()
    assert len(lines[1]) < 350
    assert lines[1].startswith("    raise ValueError(111")


@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "torch.OutOfMemoryError('no')", "UserError('mine')"])
def test_what_others_handle_passes_as_it_is(loaded, raised):
    my_net = loaded(f"import torch\nfrom bnbench.errors import UserError\ndef my_net():\n    raise {raised}\n")
    expected = (KeyboardInterrupt, torch.OutOfMemoryError, UserError)
    with pytest.raises(expected) as caught, usercode.told("nets.py", "builds it"):
        my_net()
    assert type(caught.value).__name__ == raised.partition("(")[0].rpartition(".")[2]
    assert not str(caught.value) or str(caught.value) in {"no", "mine"}


def test_a_lack_of_memory_on_the_host_is_told_with_its_line_since_nobody_handles_it(loaded):
    my_net = loaded("def my_net():\n    raise MemoryError\n")
    assert message(my_net) == "nets.py:2: in my_net: MemoryError\n    raise MemoryError\nwhile bnbench builds it"


def test_what_torch_raises_over_a_lack_of_memory_passes_too(loaded):
    """As where a graph is captured; anything else that the user makes of it is told."""
    my_net = loaded(
        """\
        import torch
        def my_net(kind):
            try:
                raise torch.OutOfMemoryError
            finally:
                raise kind("x")
        """
    )
    with pytest.raises(RuntimeError), usercode.told("nets.py", "builds it"):
        my_net(RuntimeError)
    assert message(lambda: my_net(ValueError)).startswith("nets.py:6: in my_net: ValueError: x")


def test_an_error_in_a_backward_pass_is_told_with_its_line(loaded):
    my_net = loaded(
        """\
        import torch
        class my_net(torch.autograd.Function):
            @staticmethod
            def forward(context, x):
                return 2 * x
            @staticmethod
            def backward(context, gradient):
                return gradient + missing
        """
    )
    loss = my_net.apply(torch.ones(2, requires_grad=True)).sum()
    assert message(loss.backward, doing="trains it") == (
        "nets.py:8: in backward: NameError: name 'missing' is not defined\n    return gradient + missing\n"
        "while bnbench trains it"
    )


def test_an_error_does_not_keep_what_the_users_functions_held(loaded):
    my_net = loaded(
        """
        def inner(keep):
            held = keep()
            raise OSError
        def my_net(keep):
            big = keep()
            try:
                inner(keep)
            except OSError as error:
                raise ValueError("no") from error
        """
    )
    held = []

    def keep():
        tensor = torch.ones(3)
        held.append(weakref.ref(tensor))
        return tensor

    with pytest.raises(UserError) as caught, usercode.told("nets.py", "builds it"):
        my_net(keep)
    assert str(caught.value)
    assert len(held) == 2
    assert [each() for each in held] == [None, None]


def test_what_goes_well_is_left_alone(loaded):
    my_net = loaded("def my_net():\n    return 3\n")
    with usercode.told("nets.py", "builds it"):
        found = my_net()
    assert found == 3


# Files that do what they should not.


def test_a_file_that_leaves_the_program_is_told(loaded):
    assert import_error(loaded, "import sys\nsys.exit('bye')\n") == (
        "nets.py:2: SystemExit: bye\n    sys.exit('bye')\nwhile bnbench imports it"
    )


def test_a_file_that_reads_the_command_line_is_told(loaded, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bnbench", "--unknown"])
    said = import_error(loaded, "import argparse\noptions = argparse.ArgumentParser().parse_args()\n")
    assert said.startswith("nets.py:2: SystemExit: 2\n    options = argparse")
    assert "unrecognized arguments: --unknown" in capsys.readouterr().err


def test_a_file_that_raises_what_is_no_exception_is_told(loaded):
    assert import_error(loaded, "class Stop(BaseException): pass\nraise Stop\n").startswith("nets.py:2: Stop\n")


def test_a_file_that_deletes_itself_still_works_and_is_still_told(loaded):
    my_net = loaded("from pathlib import Path\nPath(__file__).unlink()\ndef my_net():\n    1 / 0\n")
    assert not Path("nets.py").exists()
    assert message(my_net) == (
        "nets.py:4: in my_net: ZeroDivisionError: division by zero\n    1 / 0\nwhile bnbench builds it"
    )


def test_a_line_is_told_as_it_ran_and_not_as_the_file_is_now(loaded, code):
    my_net = loaded("def my_net():\n    1 / 0\n")
    code("# mended\n# here\n")
    assert "\n    1 / 0\n" in message(my_net)


def test_what_a_file_prints_is_the_users_affair(loaded, capsys):
    loaded("import sys\nprint('out')\nprint('err', file=sys.stderr)\ndef my_net(): pass\n")
    assert capsys.readouterr() == ("out\n", "err\n")


def test_the_working_directory_is_what_it_was_after_each_call(loaded, tmp_path):
    """Else what is trained would be written elsewhere."""
    my_net = loaded("import os\nos.chdir('/')\ndef my_net(then):\n    os.chdir('/')\n    then()\n")
    assert Path.cwd() == tmp_path
    with usercode.told("nets.py", "builds it"):
        my_net(Path.cwd)
    assert Path.cwd() == tmp_path
    message(lambda: my_net(lambda: 1 / 0))
    assert Path.cwd() == tmp_path


def test_a_file_that_puts_another_module_in_its_place_is_taken_at_its_word(loaded):
    assert loaded("import sys\nclass Own:\n    def my_net(self): return 7\nsys.modules[__name__] = Own()\n")() == 7


def test_a_folder_that_is_deleted_and_written_anew_is_read_anew(loaded, code):
    code("value = 1\n", "code/layers.py")
    text = "import layers\ndef my_net():\n    return layers.value\n"
    first = loaded(text, "code/nets.py")
    shutil.rmtree("code")
    code("value = 2\n", "code/layers.py")
    assert (first(), loaded(text, "code/nets.py")()) == (1, 2)


def test_told_within_told_tells_once(loaded):
    inner = loaded("def my_net():\n    1 / 0\n", "inner.py")
    outer, told = usercode.told("outer.py", "trains it"), usercode.told("inner.py", "builds it")
    with pytest.raises(UserError) as caught, outer, told:
        inner()
    assert str(caught.value).endswith("while bnbench builds it")


def test_what_a_file_draws_when_it_is_imported_does_not_depend_on_what_was_drawn_before(code):
    text = "import random\nimport numpy\nimport torch\n\n"
    text += "my_net = lambda: [torch.rand(()).item(), numpy.random.rand(), random.random()]\ndrawn = my_net()\n"
    found = []
    for seed, folder in enumerate(("one", "two")):
        name = code(text, f"{folder}/nets.py")
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - what the user's code may use
        drawn = usercode.load(name, "my_net", userfiles.sha256(name)).__globals__["drawn"]
        found.append((drawn, torch.rand(()).item(), np.random.rand(), random.random()))  # noqa: NPY002
    assert found[0][0] == found[1][0]
    random.seed(1)
    assert found[1][1:] == (
        torch.rand((), generator=torch.Generator().manual_seed(1)).item(),
        np.random.RandomState(1).rand(),
        random.random(),
    )
