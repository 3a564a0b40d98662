"""The command line: help for every verb, and one message and status 2 for whatever a user can mend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bnbench import __version__, cli
from bnbench.plan import config, configfile, preregistration
from bnbench.plan.chunks import Chunk
from bnbench.store import handed
from bnbench.vocabulary import PACKAGE

VERBS = [
    "train",
    "check",
    "plan",
    "probe",
    "collect",
    "compare",
    "plot",
    "report",
    "rebuild",
    "answer",
    "describe",
    "index",
]
SMALL = "study: small\nepochs: 5\nseeds: 2\n"
ONE = ["--study", "-", "--setting", "x"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(SMALL)
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "one.json").write_text('{"settings": {"sine": {}}}')
    return tmp_path


def ended(arguments, capsys):
    """The exit status and the lines on standard error of a run that says nothing on standard output."""
    try:
        status = cli.main(arguments)
    except SystemExit as error:
        status = error.code
    said = capsys.readouterr()
    assert said.out == ""
    return status, said.err.splitlines()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--configfile", "nope.yaml"], "nope.yaml: cannot read the config file (No such file or directory)"),
        (["collect", "--config", "seeds"], "--config: found 'seeds', allowed: KEY=VALUE, such as seeds=50"),
        (["check", "--config", "seeds="], "config.yaml + --config: seeds: found nothing, allowed: a whole number at "
         "least 1 and at most 1000000, or a mapping of first, count"),
        (["collect", "--config", "epoch=3"], "config.yaml + --config: unknown key 'epoch' (did you mean 'epochs'?); "
         f"allowed: {', '.join(config.SCHEMA['properties'])}"),
        (["rebuild", "--config", "norm=batch"], "config.yaml + --config: norm: found one level ('batch'), "
         "allowed: at least two, since they are compared"),
        (["collect", "--study", "nope.json"], "nope.json: no such file; run the workflow to make it"),
        (["check", "--study", "config.yaml"], "config.yaml: not readable (Expecting value: line 1 column 1 (char 0)); "
         "delete it and run the workflow again"),
        (["check", "--study", "empty.json"], "empty.json: found no 'study', allowed: a file that the planning process "
         "wrote"),
        (["train", "--study", "empty.json", "--setting", "x", "--first", "0", "--last", "1"],
         "empty.json: found no 'settings', allowed: a file that the planning process wrote"),
        (["train", "--study", "one.json", "--setting", "sime", "--first", "0", "--last", "1"],
         "--setting: found sime, allowed: one of the 1 in one.json (did you mean 'sine'?)"),
        (["train", "--study", "one.json", "--setting", "x", "--first", "5", "--last", "3"],
         "--last: found 3, allowed: at least 5, as --first says"),
        (["answer"], "reports/small/verdicts.json: no such file; run the workflow to make it"),
    ],
)  # fmt: skip
def test_whatever_a_user_can_mend_ends_in_one_message_and_status_2(folder, capsys, arguments, message):
    assert ended(arguments, capsys) == (2, [message])


REBUILD = """
import psutil
from bnbench import cli, collect
from bnbench.errors import UserError

def children(*_):
    raise UserError(str(len(psutil.Process().children())))

collect.run = children
cli.main(["rebuild"])
"""


def test_rebuild_begins_to_import_what_draws_before_it_collects(folder):
    ours = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    options = {"cwd": folder, "env": ours, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", REBUILD], check=True, **options)
    assert int(done.stderr) >= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: STEP"),
        (["tain"], "argument STEP: invalid choice: 'tain' (choose from 'train', 'claims', 'index', 'judge', "),
        (["train"], "the following arguments are required: --study, --setting, --first, --last"),
        (["train", *ONE, "--first", "-1", "--last", "2"], "--first: found -1, allowed: at least 0"),
        (["train", *ONE, "--first", "x", "--last", "2"], "--first: invalid whole_number value: 'x'"),
        (["train", *ONE, "--first", "0", "--last", "2", "--threads", "0"],
         "--threads: found 0, allowed: at least 1"),
        (["check", "--confg", "a=b"], "unrecognized arguments: --confg a=b"),
    ],
)  # fmt: skip
def test_a_wrong_argument_ends_in_the_usage_and_status_2(capsys, arguments, message):
    status, lines = ended(arguments, capsys)
    assert status == 2
    assert lines[0].startswith("usage: bnbench")
    assert message in lines[-1]


def test_no_traceback_reaches_the_shell(tmp_path):
    command = [sys.executable, "-m", "bnbench", "collect", "--configfile", "nope.yaml"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={"PYTHONPATH": str(PACKAGE.parent)}
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "nope.yaml: cannot read the config file (No such file or directory)\n"


def test_the_version_is_the_packages(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out == f"bnbench {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_stands_in_the_list_of_them(verb, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([verb, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: bnbench {verb} ")
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--help"])
    assert f"\n    {verb} " in capsys.readouterr().out


def test_check_says_the_plan(folder, capsys):
    assert cli.main(["check", "--config", "seeds=30", "seeds_per_job={cpu: 30}"]) == 0
    plan = "2 norms × 2 batch sizes × 2 optimizers × 30 seeds = 240 trials in 8 jobs"
    assert capsys.readouterr().out == f"small: {plan}\n"


def test_a_file_of_the_users_is_found_beside_the_config_and_one_of_the_command_line_here(folder, capsys):
    (folder / "study").mkdir()
    (folder / "study" / "data.csv").write_text("x,y\n" + "".join(f"{row},{row % 3}\n" for row in range(8)))
    task = "{name: table, path: data.csv, target: y}"
    (folder / "study" / "config.yaml").write_text(f"{SMALL}batch_size: full\ntask: {task}\n")
    check = ["check", "--configfile", "study/config.yaml"]
    assert cli.main(check) == 0
    assert cli.main([*check, "--config", "task={target: x}"]) == 0
    assert capsys.readouterr().out.count("2 norms × 2 optimizers × 2 seeds = 8 trials") == 2
    missing = "study/config.yaml + --config: task: data.csv: cannot read the data file (No such file or directory)"
    assert ended([*check, "--config", f"task={task}"], capsys) == (2, [missing])


def test_train_is_given_the_chunk_that_was_planned(folder, capsys, monkeypatch):
    from bnbench import train

    asked = []
    monkeypatch.setattr(train, "run", lambda *given, **named: asked.append((*given, named)) or "done")
    study = config.load(configfile.read("config.yaml"), "config.yaml")
    handed.keep(handed.text(study))
    chosen = ["--study", str(handed.path(handed.text(study))), "--setting", study.settings[0].address]
    options = ["--first", "10", "--last", "12", "--threads", "2", "--results", "elsewhere"]
    assert cli.main(["train", *chosen, *options]) == 0
    assert cli.main(["train", *chosen, *options, "--gpu-share", "3", "--mark", "7f"]) == 0
    chunk = Chunk(study.settings[0], 10, 3)
    plan = preregistration.plan_of(study)
    named = [{"plan": plan, "gpu_share": share, "mark": mark} for share, mark in ((1, ""), (3, "7f"))]
    assert asked == [(chunk, Path("elsewhere"), 2, each) for each in named]
    assert capsys.readouterr().out == "done\ndone\n"


def test_an_interruption_ends_with_the_shells_status_and_no_traceback(folder, capsys, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(configfile, "read", interrupted)
    assert ended(["check"], capsys) == (130, [])
