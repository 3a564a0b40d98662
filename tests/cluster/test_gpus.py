"""GPUs of a cluster as docs/cluster.md says to ask for them: by type, in shares, and what a job says that sees none."""

import re

import pytest
from clusters import described


@pytest.fixture
def jobs(on_cluster, tmp_path):
    """A function that runs two jobs on GPUs by the profile with other resources; gives the run and what each job saw.

    Each imports a module that PYTHONPATH alone finds.
    """
    (tmp_path / "found_by_path.py").write_text("")

    def run(*edits, **resources):
        checkout = on_cluster(batch_size=["full"], seeds=2, device=["cuda"])
        checkout.profile("train_cuda", **resources)
        saw = "env >saw-$SLURM_JOB_ID && python -m found_by_path && "
        checkout.edit("workflow/rules/train.smk", '"python -m', f'"{saw}python -m')
        for edit in edits:
            checkout.edit(*edit)
        done = checkout.snakemake("--retries", "0", "--until", "train_cuda", PYTHONPATH=str(tmp_path))
        seen = [dict(re.findall(r"^(\w+)=(.*)$", path.read_text(), re.M)) for path in checkout.folder.glob("saw-*")]
        return checkout, done, seen

    return run


def test_gpus_are_given_by_their_type(jobs):
    checkout, run, seen = jobs(gpu=0, gres="gpu:fake:1", slurm_extra="--gres-flags=enforce-binding --gpu-bind=closest")
    assert run.returncode == 0, run.stderr
    assert len(seen) == 2
    for job in seen:
        assert job["CUDA_VISIBLE_DEVICES"] in ("0", "1")
        assert described(job["SLURM_JOB_ID"])["TresPerNode"] == "gres:gpu:fake:1"
    assert len(checkout.chunks()) == 2


def test_jobs_share_a_gpu_that_slurm_lends_in_parts(jobs):
    checkout, run, seen = jobs(gpu=0, gres="mps:50", gpu_share=2)
    assert run.returncode == 0, run.stderr
    assert [job["CUDA_MPS_ACTIVE_THREAD_PERCENTAGE"] for job in seen] == ["50", "50"]
    assert all(job["CUDA_VISIBLE_DEVICES"] in ("0", "1") for job in seen)
    assert len(checkout.chunks()) == 2


def test_a_job_that_sees_no_gpu_says_what_slurm_gave_it(jobs):
    blind = ("workflow/bnbench/trainer/devices.py", "not torch.cuda.is_available()", "True")
    stand_in = ("workflow/bnbench/trainer/devices.py", 'get(STAND_IN) == "1"', 'get(STAND_IN) == "of no use here"')
    checkout, run, seen = jobs(blind, stand_in)
    assert run.returncode != 0
    said = "".join(checkout.log("cuda").values())
    assert said.count("finds no CUDA device here") == 2
    for job in seen:
        assert f"CUDA_VISIBLE_DEVICES={job['CUDA_VISIBLE_DEVICES']}\n" in said
        assert re.search(rf"^SLURM gave job {job['SLURM_JOB_ID']} SLURM_STEP_GPUS=\d", said, re.M)
    assert "nvidia-smi" in said
    assert "Traceback" not in said
