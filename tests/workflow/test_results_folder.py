"""The folder of the results: whatever is wrong with it is said before anything is trained, and it stays what it is."""

import shutil
from pathlib import Path

import pytest

REFUSED = {
    "": "BNBENCH_RESULTS: found nothing, allowed: a folder; if BNBENCH_RESULTS is not set, it is ./results",
    "~/mine": "BNBENCH_RESULTS: found ~/mine, allowed: a path without ~, such as ",
    "-x": "BNBENCH_RESULTS: found -x, which reads like an option; allowed: a path, such as ./-x",
    "of {user}": "BNBENCH_RESULTS: found of {user}, allowed: a path without braces",
    "Snakefile": "BNBENCH_RESULTS: Snakefile is not a folder; move it away, or set BNBENCH_RESULTS to another folder",
    "link": "BNBENCH_RESULTS: link is a link to gone, which does not exist; make it, or remove the link",
}
READ_ONLY = "/sys/bnbench"
NEVER = '"false && python -m'


@pytest.fixture
def small(new_checkout):
    return new_checkout(batch_size=["full"], seeds=2)


def jobs_logs(checkout):
    return [path.read_text() for path in (checkout.folder / "logs" / "train").rglob("*.log")]


@pytest.mark.parametrize(("name", "message"), REFUSED.items(), ids=[name or "empty" for name in REFUSED])
def test_a_name_that_would_be_misread_is_refused_by_snakemake_and_by_the_verbs(small, name, message):
    (small.folder / "link").symlink_to("gone")
    run = small.snakemake("-n", BNBENCH_RESULTS=name)
    check = small.bnbench("check", "--configfile", "tiny.yaml", BNBENCH_RESULTS=name)
    for said in (run, check):
        assert said.returncode != 0
        assert said.stderr.startswith(message)
        assert len(said.stderr.splitlines()) == 1


def test_the_verbs_that_need_no_results_do_not_look_for_them(small):
    (small.folder / "results").touch()
    (small.folder / "runs.csv").write_text("norm,seed,loss\nnone,0,1\nnone,1,2\nbatch,0,3\nbatch,1,4\n")
    judged = small.bnbench("judge", "runs.csv", "--factor", "norm", "--baseline", "none", "--dry-run")
    assert judged.returncode == 0, judged.stderr


def test_a_folder_that_cannot_be_written_is_told_of_before_training_and_a_dry_run_still_plans(small):
    assert small.jobs(small.snakemake("-n", BNBENCH_RESULTS=READ_ONLY))["train"] == 2
    message = f"{READ_ONLY}: the results cannot be written (Operation not permitted); allow it, or set BNBENCH_RESULTS"
    run = small.snakemake(BNBENCH_RESULTS=READ_ONLY)
    verb = small.bnbench("run", "--configfile", "tiny.yaml", BNBENCH_RESULTS=READ_ONLY)
    for said in (run, verb):
        assert said.returncode != 0
        assert said.stderr.count(message) == 1
        assert "Traceback" not in said.stderr
    assert not jobs_logs(small)


def test_results_that_are_complete_need_not_be_writable(finished_once, checkout, tmp_path):
    results = shutil.copytree(finished_once.results, tmp_path / "of others")
    (results / ".bnbench").unlink()
    checkout.run("--until", "collect", BNBENCH_RESULTS=str(results))
    assert not (results / ".bnbench").exists()


def test_a_first_job_that_fails_leaves_the_empty_folder_of_a_group_with_its_rights(small, tmp_path):
    group = tmp_path / "group"
    group.mkdir()
    group.chmod(0o2775)
    before = group.stat()
    small.edit("workflow/rules/train.smk", '"python -m', NEVER)
    assert small.snakemake(BNBENCH_RESULTS=str(group)).returncode != 0
    after = group.stat()
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert [path.name for path in group.iterdir() if path.is_file()] == [".bnbench"]


def test_a_job_that_sees_another_folder_under_the_name_says_so_before_it_trains(small):
    other = small.folder / "elsewhere"
    small.edit("workflow/rules/train.smk", "--results {params.results:q}", f"--results {other.name}")
    run = small.snakemake("--keep-going")
    assert run.returncode != 0
    logs = jobs_logs(small)
    assert len(logs) == 2
    assert {text.partition("; ")[0] for text in logs} == {
        f"{other.name}: this is not the folder for which the run was planned, so nobody would find the results"
    }
    assert not other.exists()
    assert not small.chunks()


def test_a_job_whose_code_is_not_that_of_the_plan_says_so_once(small):
    shutil.copytree(small.folder / "workflow", small.folder / "other")
    with (small.folder / "other" / "bnbench" / "train.py").open("a") as stream:
        stream.write("# edited\n")
    small.edit("workflow/rules/train.smk", '"python -m', '"PYTHONPATH=other python -m')
    small.run("--until", "collect")
    logs = jobs_logs(small)
    assert len(logs) == 2
    path = Path("other", "bnbench")
    assert all(text.count(f"{path} holds other code (") == text.count("warning: ") == 1 for text in logs)
    assert "holds other code" not in (small.folder / "logs" / "tiny" / "collect.log").read_text()
