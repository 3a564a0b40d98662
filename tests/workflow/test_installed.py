"""What pip installs is all that the package needs: it works where there is no checkout, and reports without torch."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

from bnbench.plan import config
from checkouts import PROJECT, TINY, Checkout

MADE = ("index.html", "verdicts.json", "tables/*.csv", "figures/*")
PACKAGE = PROJECT / "workflow" / "bnbench"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that pip builds of the working tree."""
    source, built = tmp_path_factory.mktemp("source") / "bnbench", tmp_path_factory.mktemp("wheel")
    folder = Checkout.of(PROJECT, source).folder
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", built, folder], check=True, capture_output=True)
    return next(built.glob("*.whl"))


@pytest.fixture
def bnbench(wheel, tmp_path):
    """A function that runs a verb of the installed package in a folder with nothing but a config."""
    installed, folder = tmp_path / "installed", tmp_path / "empty"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    folder.mkdir()
    (folder / "config.yaml").write_text(str(TINY))

    def run(*arguments):
        environment = {**os.environ, "PYTHONPATH": str(installed)}
        command = [sys.executable, "-m", "bnbench", *arguments]
        return subprocess.run(command, check=False, cwd=folder, env=environment, capture_output=True, text=True)

    return run


def test_a_wheel_holds_every_file_of_the_package(wheel):
    there = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    there |= {path for name in ("captions", "schemas") for path in (PACKAGE / name).iterdir()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name.startswith("bnbench/")}
    assert {str(path.relative_to(PACKAGE.parent)): path.read_bytes() for path in there} == held


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("--version", "bnbench "),
        ("check", "tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials"),
        ("plan", "study       tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials"),
    ],
)
def test_an_installed_package_works_in_an_empty_folder(bnbench, verb, said):
    run = bnbench(verb)
    busy = "note: this machine is busy now ("  # as `plan` says where it is
    assert [line for line in run.stderr.splitlines() if not line.startswith(busy)] == []
    assert run.stdout.startswith(said)


def _ours():
    """The environment without what it tells Python of other packages."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """The folder of the programs of an environment that holds what pip brings with the wheel, and nothing else.

    The versions are those of the tests, so that what is made can be compared.
    """
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder)
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", "--retries", "1"]
    done = subprocess.run(
        [*command, "--constraint", PROJECT / "containers" / "requirements.lock", wheel],
        check=False,
        env=_ours(),
        capture_output=True,
        text=True,
    )
    if "connection broken" in done.stderr:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("pip reaches no index")
    assert done.returncode == 0, done.stderr
    return python.parent


@pytest.fixture
def ended(bare):
    """A function that runs a program of that environment in a folder to its end."""

    def run(folder, program, *arguments):
        options = {"cwd": folder, "env": _ours(), "capture_output": True, "text": True}
        return subprocess.run([bare / program, *arguments], check=False, **options)

    return run


def test_pip_brings_neither_torch_nor_snakemake_nor_what_training_alone_needs(ended, tmp_path):
    trains = ("torch", "snakemake", "snakemake_executor_plugin_slurm", "sklearn", "pygments")
    code = f"from importlib.util import find_spec; print([name for name in {trains} if find_spec(name)])"
    assert ended(tmp_path, "python", "-c", code).stdout == "[]\n"


def test_without_torch_the_command_renders_the_same_report_of_what_was_trained_elsewhere(ended, finished):
    before = finished.contents(*MADE)
    shutil.rmtree(finished.report)
    shutil.rmtree(finished.folder / "workflow")
    rebuilt = ended(finished.folder, "bnbench", "rebuild", "--configfile", "tiny.yaml")
    assert (rebuilt.returncode, rebuilt.stderr) == (0, "")
    assert finished.contents(*MADE) == before
    answer = ended(finished.folder, "bnbench", "answer", "--configfile", "tiny.yaml")
    assert rebuilt.stdout == f"tiny: collected 16 trials from 8 chunks\n{answer.stdout}"


def test_without_torch_the_claims_are_judged_and_python_reads_the_study(ended, finished):
    claim = {"words": "BN helps", "source": "nobody", "predicts": "helps"}
    finished.study(claims=[claim])
    for verb in ("collect", "compare"):
        assert ended(finished.folder, "bnbench", verb, "--configfile", "tiny.yaml").returncode == 0
    claims = ended(finished.folder, "bnbench", "claims", "tiny.yaml")
    assert (claims.returncode, claims.stdout) == (0, "reports/claims/index.html\n")
    code = "import bnbench; print(len(bnbench.load('tiny')), *bnbench.load('tiny', 'claims')['words'])"
    assert ended(finished.folder, "python", "-c", code).stdout == "96 BN helps\n"


SCRIPT = """
from pathlib import Path
from bnbench import plot
from bnbench.plan import config, configfile

print("begun")
study = config.load(configfile.read("tiny.yaml"), "tiny.yaml")
plot.run(study, Path("reports/tiny"))
print("drawn")
"""


def test_a_script_that_draws_runs_once_though_nothing_guards_it(ended, finished):
    figures = finished.contents("figures/*")
    shutil.rmtree(finished.report / "figures")
    shutil.rmtree(finished.folder / "workflow")
    (finished.folder / "script.py").write_text(SCRIPT)
    assert ended(finished.folder, "python", "script.py").stdout == "begun\ndrawn\n"
    assert finished.contents("figures/*") == figures


RUNS = "norm,seed,val_loss\n" + "".join(
    f"{norm},{seed},{1.0 + seed / 10 + 0.2 * (norm == 'batch') + 0.01 * (seed % 3)}\n"
    for norm in ("none", "batch")
    for seed in range(8)
)

JUDGED = """
import bnbench, pandas

report = bnbench.judge(pandas.read_csv("runs.csv"), "norm", "none", "val_loss")
print(report.sentence)
print(*report.verdicts["verdict"])
print(report.to_html("answer.html"))
"""


def test_a_stranger_with_a_table_gets_the_report_without_torch_and_snakemake(ended, tmp_path):
    (tmp_path / "runs.csv").write_text(RUNS)
    given = ("judge", "runs.csv", "--factor", "norm", "--baseline", "none", "--outcome", "val_loss")
    judged = ended(tmp_path, "bnbench", *given)
    page, answer = judged.stdout.splitlines()
    assert (judged.returncode, page) == (0, "reports/runs/index.html")
    assert answer.startswith("BN hurts: the val loss is 15 % higher than without BN (95 % interval ")
    text = (tmp_path / page).read_text(encoding="utf-8")
    assert "<h1>BN hurts: val loss 15 % higher</h1>" in text
    assert answer in text
    (tmp_path / "script.py").write_text(JUDGED)
    assert ended(tmp_path, "python", "script.py").stdout == f"{answer}\nhurts\nanswer.html\n"


@pytest.mark.parametrize("verb", ["train", "probe", "describe"])
def test_a_verb_that_needs_torch_says_what_brings_it(ended, tmp_path, verb):
    study = config.load(TINY, "tiny.yaml")
    arguments = {
        "train": ["--study", "-", "--setting", study.settings[0].address, "--first", "0", "--last", "1"],
        "probe": ["--study", "-"],
        "describe": ["--task", "-"],
    }
    run = ended(tmp_path, "bnbench", verb, *arguments[verb])
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "torch is not installed; pip install 'bnbench[train]' installs it\n"
    assert not [*tmp_path.iterdir()]
