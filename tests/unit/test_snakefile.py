"""What the rules ask of the package: the setting of a job, or one line of why there is none."""

import getpass
import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import specs
import synthetic

from bnbench import snakefile
from bnbench.plan.settings import Setting
from bnbench.store import handed, package_hash, results_folder
from bnbench.vocabulary import PACKAGE

OURS = str(PACKAGE.parent)


def test_a_job_has_the_setting_of_its_address_and_ends_in_one_line_where_the_study_has_none():
    setting = Setting.from_spec(specs.spec())
    settings = {setting.address: setting}
    assert snakefile.setting_or_exit(settings, SimpleNamespace(setting=setting.address)) is setting
    with pytest.raises(SystemExit) as ended:
        snakefile.setting_or_exit(settings, SimpleNamespace(setting="another-00000000"))
    assert ended.value.code == (
        "another-00000000: the study has no such setting; if the config or a file that it names has changed since the "
        "run was planned, give the same command again"
    )


def test_who_stops_the_dry_run_sees_no_traceback(monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(snakefile.dry_runs, "run", stopped)
    with pytest.raises(SystemExit) as ended:
        snakefile._try_or_exit(None)
    assert ended.value.code == 130


@pytest.mark.parametrize(
    ("theirs", "lent"),
    [(None, [OURS]), ("", [OURS]), ("/a:/b", [OURS, "/a", "/b"]), (f"/a::{OURS}", [OURS, "/a"])],
)
def test_jobs_find_this_package_first_and_then_what_the_user_put_on_the_path(monkeypatch, theirs, lent):
    without = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    monkeypatch.setattr(os, "environ", without if theirs is None else {**without, "PYTHONPATH": theirs})
    for _ in range(2):  # a job on a cluster reads the Snakefile again
        snakefile.lend_package_to_jobs()
    assert os.environ["PYTHONPATH"].split(os.pathsep) == lent


@pytest.fixture
def lent(monkeypatch, tmp_path):
    """A function that says which program is `python` for a job, by a PATH, outside or inside of an image."""
    monkeypatch.chdir(tmp_path)

    def lend(path, in_image=False):
        monkeypatch.setenv("PATH", path)
        monkeypatch.setattr(snakefile.snakemake_internals, "jobs_run_in_an_image", lambda _: in_image)
        for _ in range(2):  # a job on a cluster reads the Snakefile again
            snakefile.lend_interpreter_to_jobs(None)
        return shutil.which("python")

    return lend


def test_jobs_call_the_interpreter_that_planned_them_and_every_other_program_as_before(lent, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    found = lent(f"{tmp_path / 'bin'}:/usr/bin:/bin")
    told = [found, "-c", "import sys; print(sys.executable, *sys.argv[1:])", "a b", "*"]
    assert subprocess.run(told, check=True, capture_output=True, text=True).stdout == f"{sys.executable} a b *\n"
    assert os.environ["PATH"].split(":")[1:] == [str(tmp_path / "bin"), "/usr/bin", "/bin"]
    assert [path.name for path in Path(found).parent.iterdir()] == ["python"]


def test_where_the_shell_finds_the_interpreter_nothing_is_lent(lent, tmp_path):
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    lent(path)
    assert os.environ["PATH"] == path
    assert not [*tmp_path.iterdir()]


def test_jobs_in_an_image_keep_its_interpreter(lent, tmp_path):
    lent("/nowhere", in_image=True)
    assert os.environ["PATH"] == "/nowhere"
    assert not [*tmp_path.iterdir()]


def test_jobs_go_through_sets_in_the_same_order(monkeypatch):
    monkeypatch.setattr(os, "environ", {**os.environ})
    snakefile.lend_package_to_jobs()
    command = [sys.executable, "-c", "print({*'abcdefghij'})"]
    orders = {subprocess.run(command, env=os.environ, capture_output=True, check=True).stdout for _ in range(4)}
    assert len(orders) == 1


def test_a_user_without_a_name_has_a_number_for_one_and_others_keep_theirs(monkeypatch):
    def unknown(number):
        raise KeyError(f"getpwuid(): uid not found: {number}")

    nameless = {
        name: value for name, value in os.environ.items() if name not in ("LOGNAME", "USER", "LNAME", "USERNAME")
    }
    monkeypatch.setattr(os, "environ", {**nameless, "LOGNAME": "ada"})
    snakefile.name_the_user()
    assert getpass.getuser() == "ada"
    monkeypatch.setattr(os, "environ", nameless)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    snakefile.name_the_user()
    assert getpass.getuser() == str(os.getuid())


def test_the_process_of_a_clusters_job_passes_on_what_the_planning_process_saw_and_writes_nothing(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BNBENCH_RESULTS", raising=False)
    monkeypatch.setattr(os, "environ", {**os.environ})
    study = synthetic.plan()
    planning, job = (SimpleNamespace(is_main_process=main) for main in (True, False))
    mark = results_folder.keep_mark(tmp_path / "results")
    file = snakefile.hand_over(planning, study)
    assert handed.study(handed.read(tmp_path / file), tmp_path / file) == study
    seen = snakefile.package_of_planner(), snakefile.mark_of_planner()
    assert seen == (package_hash.digest(), mark)
    shutil.rmtree(tmp_path / "results")
    (tmp_path / file).unlink()
    package_hash.digest.cache_clear()
    monkeypatch.setattr(package_hash, "digest", lambda: "of another clone")
    assert snakefile.hand_over(job, study) == file
    assert (snakefile.package_of_planner(), snakefile.mark_of_planner()) == seen
    assert not (tmp_path / file).exists()


def test_reading_the_snakefile_imports_nothing_that_takes_long():
    code = (
        "import sys; from bnbench import snakefile; print({'pandas', 'scipy', 'torch', 'matplotlib'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
