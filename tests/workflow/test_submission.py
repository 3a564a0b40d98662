"""What SLURM is asked for: the sbatch calls of the profile as it is, and as docs/cluster.md changes it."""

import re

import pytest
import yaml

from checkouts import PROJECT

PROFILE = "workflow/profiles/slurm/config.yaml"
REFUSES = "#!/bin/sh\nexit 1\n"
COMMANDS = {
    "sbatch": """#!/bin/sh
case "$*" in *--test-only*) exit 0;; esac
printf "%s\\n" "$@" >>"$0.calls"
exit 1
""",
    "scontrol": "#!/bin/sh\nprintf 'PartitionName=%s Default=NO State=UP\\n' cpu gpu\n",
    "sinfo": "#!/bin/sh\n",
    **dict.fromkeys(("sacct", "sacctmgr", "squeue"), REFUSES),
}
"""A SLURM that would accept every job, and then writes down what it is asked for, and gives nothing."""


@pytest.fixture
def called(new_checkout, tmp_path):
    """A function that gives the options of sbatch for a job on CUDA, by the profile with other resources, and the run's
    words.
    """

    def call(**resources):
        checkout = new_checkout(device=["cuda"], batch_size=["full"], seeds=2)
        path = checkout.folder / PROFILE
        profile = yaml.safe_load(path.read_text())
        profile["set-resources"]["train_cuda"].update(resources)
        path.write_text(yaml.safe_dump({**profile, "retries": 0, "slurm-init-seconds-before-status-checks": 1}))
        for name, script in COMMANDS.items():
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        path = f"{tmp_path}:{checkout._environment()['PATH']}"
        run = checkout.snakemake("--workflow-profile", "workflow/profiles/slurm", "--until", "train_cuda", PATH=path)
        assert "2 of 2 jobs" not in run.stdout
        calls = tmp_path / "sbatch.calls"
        return calls.read_text().splitlines() if calls.exists() else [], run.stderr

    return call


def gpu_options(options):
    """Those of GPUs, and of how many tasks and cores."""
    return {each for each in options if re.match(r"--(gpu|gres|mem-per-gpu|ntasks|cpus)", each)}


@pytest.mark.parametrize(
    ("resources", "options"),
    [
        ({}, {"--gpus=1"}),
        ({"gpu_model": "a100"}, {"--gpus=a100:1"}),
        ({"gpu": 0, "gres": "gpu:a100:1"}, {"--gres=gpu:a100:1"}),
        ({"gpu": 0, "gres": "gpu:1g.10gb:1"}, {"--gres=gpu:1g.10gb:1"}),
        (
            {"gpu": 0, "slurm_extra": "--gpus-per-node=nvidia_a100-sxm4-40gb:1"},
            {"--gpus-per-node=nvidia_a100-sxm4-40gb:1", "--ntasks=1"},
        ),
        ({"slurm_extra": "--gres-flags=enforce-binding"}, {"--gpus=1", "--gres-flags=enforce-binding"}),
        ({"gpu": 0, "gres": "shard:1", "gpu_share": 4}, {"--gres=shard:1", "--ntasks=1"}),
        ({"gpu": 0, "gres": "mps:25", "gpu_share": 4}, {"--gres=mps:25", "--ntasks=1"}),
    ],
)
def test_slurm_is_asked_for_gpus_as_the_profile_says(called, resources, options):
    given, said = called(**resources)
    assert gpu_options(given) == {*options, "--cpus-per-task=1"}, said


def test_a_gpu_in_two_forms_is_refused_and_nothing_is_submitted(called):
    given, said = called(gres="gpu:1")
    assert given == []
    assert re.search(rf"^{PROFILE}, line \d+: gres: found 'gpu:1' beside gpu 1, which the rule train_cuda", said, re.M)
    assert "Nothing was submitted." in said


def test_the_page_shows_each_of_these_ways():
    page = (PROJECT / "docs" / "cluster.md").read_text()
    for way in ("gpu_model: a100", "gres: gpu:a100:1", "gres: gpu:1g.10gb:1", "gres: shard:1", "gres: mps:25"):
        assert way in page, way
