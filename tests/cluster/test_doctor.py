"""The doctor on a real cluster: all lines OK where all is well, else what to mend; its jobs leave nothing behind."""

import pytest
from clusters import PROFILE, slurm


@pytest.fixture
def patient(on_cluster):
    """A checkout with jobs for both partitions."""
    return on_cluster(batch_size=["full"], device=["cpu", "cuda"])


def examined(checkout, *arguments):
    """The doctor's exit status, its lines and its last words."""
    run = checkout.bnbench("doctor", "--configfile", "tiny.yaml", *arguments)
    assert "Traceback" not in run.stderr, run.stderr
    assert not slurm("squeue", "-h").strip()
    assert not [*checkout.folder.glob(".doctor-*")]
    return run.returncode, run.stdout.splitlines(), run.stderr.strip()


BY_GRES = """\
    gpu: 0
    gres: gpu:fake:1
    mem_mb_per_cpu: 2000 * attempt
"""
"""What a cluster demands that knows no --gpus, and memory per core alone."""


@pytest.mark.parametrize("resources", ["", BY_GRES], ids=["the profile as it is", "gres and memory per core"])
def test_a_cluster_on_which_all_is_well(patient, resources):
    patient.edit(PROFILE, "  train_cuda: ", f"  train_cuda:\n{resources}    # ")
    status, lines, error = examined(patient)
    assert (status, error) == (0, ""), lines
    assert [line[:5] for line in lines[:-1]] == ["OK   "] * 5
    assert "its partitions: cpu, gpu" in lines[0]
    assert "train, partition cpu: node cpu01 runs Python" in lines[3]
    assert "train_cuda, partition gpu: node gpu01 runs Python" in lines[4]
    assert lines[4].endswith("sees the clone and the results, and has a GPU")


def test_a_profile_that_does_not_fit_the_cluster(patient):
    patient.edit(PROFILE, "slurm_partition: gpu ", "slurm_partition: cpu ")
    patient.edit(PROFILE, "slurm-status-command: squeue", "slurm-status-command: sacct")
    patient.edit(PROFILE, "# constraint: avx512", "constraint: avx512")
    status, lines, error = examined(patient)
    assert status == 2
    wrong = [line for line in lines if line.startswith("MEND")]
    assert len(wrong) == 2
    assert "constraint: SLURM refuses the jobs of train (Invalid feature specification)" in wrong[0]
    assert "slurm_partition: found 'cpu', which has no GPU; partitions with GPUs: gpu" in wrong[1]
    assert [line for line in lines if line.startswith("NOTE") and "found sacct, but SLURM keeps no accounting" in line]
    assert error == "Mend 2 things before the first job is submitted."


def test_nodes_that_are_down_are_told_and_no_fault(patient):
    slurm("scontrol", "update", "nodename=gpu01", "state=drain", "reason=test")
    try:
        status, lines, _ = examined(patient, "--wait", "2")
    finally:
        slurm("scontrol", "update", "nodename=gpu01", "state=resume")
    assert status == 0, lines
    said = "\n".join(lines)
    assert "NOTE  all nodes of partition gpu are drained: jobs wait until one is up" in said
    assert "NOTE  train_cuda, partition gpu: no node answered within 2 s (PENDING" in said
