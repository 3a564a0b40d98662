"""The doctor says of everything that a run needs whether it is well, or what to write in which line of the profile."""

import shutil

import fake_slurm
import pytest
import yaml

from bnbench import cli
from bnbench.vocabulary import PACKAGE
from checkouts import TINY

PROFILE = """\
executor: slurm
default-resources:
  slurm_partition: cpu
set-resources:
  train_cuda:
    slurm_partition: gpu
latency-wait: 1
"""


PACE = "slurm-init-seconds-before-status-checks"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BNBENCH_TEST_CUDA_ON_CPU", "1")
    return fake_slurm.installed(tmp_path / "slurm", monkeypatch)


@pytest.fixture
def examined(slurm, tmp_path, capsys):
    """A function that runs the doctor with a profile; gives its exit status, its lines and its last words."""

    def run(*arguments, text=PROFILE, device=("cpu", "cuda")):
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / "config.yaml").write_text(text)
        (tmp_path / "tiny.yaml").write_text(yaml.safe_dump({**TINY, "device": [*device]}))
        status = cli.main(["doctor", "--configfile", "tiny.yaml", "--profile", "site", *arguments])
        said = capsys.readouterr()
        return status, said.out.splitlines(), said.err.strip()

    return run


def test_where_all_is_well_every_line_is_ok(examined, slurm, tmp_path):
    status, lines, error = examined()
    assert (status, error) == (0, "")
    assert [line[:5] for line in lines[:-1]] == ["OK   "] * 5
    assert "its partitions: cpu, gpu, old" in lines[0]
    assert "SLURM accepts the largest of 8 jobs of train: slurm_partition cpu, runtime 3, mem_mb" in lines[1]
    assert "SLURM accepts the largest of 4 jobs of train_cuda: slurm_partition gpu, runtime 3, mem_mb" in lines[2]
    assert "train, partition cpu: node node01 runs Python" in lines[3]
    assert lines[4].endswith(", sees the clone and the results, and has a GPU")
    assert lines[-1] == "Nothing to mend. To start: snakemake --workflow-profile site"
    assert not [*tmp_path.glob(".doctor-*")]
    assert not (tmp_path / "results").exists(), "the doctor left the folder that it made"
    submitted = (slurm / "submitted").read_text()
    assert submitted.count("--test-only") == 2
    assert submitted.count("bnbench-doctor-train") == 2
    assert (slurm / "cancelled").read_text().split() == ["17", "17"]


def test_what_is_wrong_is_told_with_its_line_and_nothing_is_submitted_for_it(examined, slurm):
    status, lines, error = examined(text=PROFILE.replace("slurm_partition: gpu", "slurm_partition: gpuu"))
    wrong = [line for line in lines if line.startswith("MEND")]
    assert wrong == [
        "MEND  site/config.yaml, line 6: slurm_partition: found 'gpuu', allowed: cpu, gpu, old (did you mean 'gpu'?)"
    ]
    assert status == 2
    assert error == "Mend 1 thing before the first job is submitted."
    assert "gpu" not in (slurm / "submitted").read_text()


@pytest.mark.parametrize("command", ["scontrol", "sinfo", "sbatch"])
def test_without_slurm_it_is_one_line(examined, slurm, command):
    (slurm / command).write_text("#!/bin/sh\necho 'Unable to contact slurm controller (connect failure)' >&2; exit 1\n")
    status, _, error = examined()
    assert status == 2
    assert error.startswith(f"SLURM does not answer ({command}: Unable to contact slurm controller (connect failure))")
    assert "\n" not in error


def test_another_executor_is_no_patient(examined):
    status, lines, error = examined(text="executor: local\n")
    assert (status, lines) == (2, [])
    assert error == "site/config.yaml, line 1: executor: found 'local' (text), allowed: slurm"


@pytest.mark.parametrize(
    ("text", "config", "told"),
    [
        ("slurm-status-command: sacct", "", "found sacct, but SLURM keeps no accounting here: write squeue"),
        (
            f"{PACE}: 20",
            "MinJobAge = 30 sec",
            "SLURM forgets a job 30 s after its end (MinJobAge), and Snakemake looks",
        ),
        (f"{PACE}: 10", "MinJobAge = 30 sec", ""),
        ("slurm-status-command: sacct", "AccountingStorageType = accounting_storage/slurmdbd", ""),
    ],
)
def test_a_way_to_learn_the_end_of_jobs_that_cannot_work_is_told(examined, slurm, text, config, told):
    (slurm / "config").write_text(config)
    status, lines, _ = examined("--wait", "0", text=f"{PROFILE}{text}\n")
    assert status == 0
    notes = [line for line in lines if line.startswith("NOTE  site/config.yaml, line 8: slurm-")]
    assert len(notes) == bool(told)
    assert told in "".join(notes)


def test_limits_of_a_partition_that_are_below_what_jobs_need_are_told(examined, slurm):
    (slurm / "nodes").write_text(fake_slurm.NODES.replace("16000", "600"))
    (slurm / "partitions").write_text(fake_slurm.PARTITIONS.replace("01:00:00", "00:02:00"))
    status, lines, _ = examined("--wait", "0", device=("cpu",))
    assert status == 0
    assert lines[1].startswith("NOTE  site/config.yaml, line 4: runtime: jobs of train need up to 3 minutes")
    assert lines[1].endswith(
        "the partition allows 2; a job that needs more continues from its checkpoint at the next try"
    )
    assert "MB, the partition allows 600; a job that needs more fails" in lines[2]
    assert "runtime 2, mem_mb 600" in lines[3]


def test_an_image_that_is_absent_is_to_be_built(examined):
    status, lines, _ = examined("--wait", "0", text=f"{PROFILE}software-deployment-method: apptainer\n")
    assert status == 2
    (wrong,) = [line for line in lines if line.startswith("MEND")]
    assert wrong.startswith("MEND  site/config.yaml, line 8: software-deployment-method: the jobs are to run in ")
    assert "containers/bnbench.sif, which does not exist. Run `make image`" in wrong


def test_a_node_without_this_python_is_told_in_its_words(examined, slurm):
    (slurm / "sbatch").write_text((slurm / "sbatch").read_text().replace("sh {}".format(slurm / "script"), "nopython"))
    status, lines, _ = examined(device=("cpu",))
    assert status == 2
    assert lines[-1].startswith("MEND  train, partition cpu: ")
    assert " does not run on the node: " in lines[-1]
    assert lines[-1].endswith("not found")


def test_a_node_that_does_not_see_the_clone_is_told(examined, slurm):
    (slurm / "sbatch").write_text((slurm / "sbatch").read_text().replace(f"sh {slurm / 'script'} >$log 2>&1", "true"))
    status, lines, _ = examined(device=("cpu",))
    assert status == 2
    assert "ended without an answer: the node does not see" in lines[-1]
    assert "move the clone to a file system that all nodes share" in lines[-1]


def test_a_node_that_does_not_see_the_results_is_told(examined, slurm, tmp_path):
    """The folder of the results lies on the disk of the login node alone."""
    away = f"mv {tmp_path / 'results'} {tmp_path / 'away'}"
    back = f"mv {tmp_path / 'away'} {tmp_path / 'results'}"
    script = (slurm / "sbatch").read_text()
    (slurm / "sbatch").write_text(
        script.replace("SLURMD_NODENAME", f"{away}; SLURMD_NODENAME").replace("echo 17", f"{back}; echo 17")
    )
    status, lines, _ = examined(device=("cpu",))
    assert status == 2
    assert lines[-1].endswith("results: it must be on a file system that all nodes share")


def test_a_job_that_waits_is_no_fault_and_is_cancelled(examined, slurm):
    (slurm / "queued").write_text("PENDING|Resources\n")
    status, lines, _ = examined("--wait", "1", device=("cpu",))
    assert status == 0
    assert lines[-2].startswith("NOTE  train, partition cpu: no node answered within 1 s (PENDING: Resources)")
    assert (slurm / "cancelled").read_text().split() == ["17"]


def test_a_gpu_that_cannot_be_used_is_told_with_the_evidence(examined, monkeypatch):
    monkeypatch.delenv("BNBENCH_TEST_CUDA_ON_CPU")
    status, lines, _ = examined(device=("cuda",))
    assert status == 2
    told = "\n".join(lines)
    assert "MEND  train_cuda, partition gpu: on node node01: a job: the setting asks for device 'cuda'" in told
    assert "nvidia-smi" in told


def test_the_projects_own_profile_can_be_examined(examined, tmp_path):
    shutil.copy(PACKAGE.parents[1] / "workflow" / "profiles" / "slurm" / "config.yaml", tmp_path / "ours.yaml")
    status, _, error = examined("--profile", "ours.yaml", "--wait", "0")
    assert (status, error) == (0, "")
