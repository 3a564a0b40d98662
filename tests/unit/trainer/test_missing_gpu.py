"""A job that finds no GPU says why, as far as it can see: torch's build, SLURM's gifts, and the driver's list."""

import os

import pytest
import torch
from specs import spec

import planned
from bnbench import cli
from bnbench.plan.settings import Setting
from bnbench.trainer import devices, missing_gpu


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    """No GPU, no word of SLURM's, and a PATH without nvidia-smi."""
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    for name in ("CUDA_VISIBLE_DEVICES", devices.STAND_IN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def nvidia_smi(tmp_path):
    """A function that puts an nvidia-smi on the PATH, which runs some lines of shell."""

    def put(lines):
        (tmp_path / "bin").mkdir()
        script = tmp_path / "bin" / "nvidia-smi"
        script.write_text(f"#!/bin/sh\n{lines}\n")
        script.chmod(0o755)

    return put


@pytest.mark.parametrize(("build", "told"), [((None, None), True), (("13.0", None), False), ((None, "6.4"), False)])
def test_a_torch_without_cuda_is_named_first(monkeypatch, build, told):
    for name, version in zip(("cuda", "hip"), build, strict=True):
        monkeypatch.setattr(torch.version, name, version)
    first = missing_gpu.evidence().splitlines()[0]
    assert (first == "This torch is built for CPUs alone: install its build for CUDA (docs/install.md).") == told


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "CUDA_VISIBLE_DEVICES is not set."),
        ("", "CUDA_VISIBLE_DEVICES is empty: it hides every GPU."),
        ("0,MIG-c7", "CUDA_VISIBLE_DEVICES=0,MIG-c7"),
    ],
)
def test_it_says_which_devices_are_visible(monkeypatch, value, said):
    if value is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert said in missing_gpu.evidence().splitlines()


def test_it_says_what_slurm_gave(monkeypatch):
    assert "SLURM" not in missing_gpu.evidence()
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    nothing = "SLURM gave job 17 no GPU: none of SLURM_JOB_GPUS, SLURM_STEP_GPUS, SLURM_GPUS_ON_NODE is set."
    assert nothing in missing_gpu.evidence().splitlines()
    monkeypatch.setenv("SLURM_JOB_GPUS", "3")
    monkeypatch.setenv("SLURM_GPUS_ON_NODE", "1")
    assert "SLURM gave job 17 SLURM_JOB_GPUS=3, SLURM_GPUS_ON_NODE=1." in missing_gpu.evidence().splitlines()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "[ $1 = -L ] && echo 'GPU 0: NVIDIA A100 (UUID: GPU-41)' && echo '  MIG 2g.20gb Device 0: (UUID: MIG-a6)'",
            "nvidia-smi -L lists:\n  GPU 0: NVIDIA A100 (UUID: GPU-41)\n    MIG 2g.20gb Device 0: (UUID: MIG-a6)",
        ),
        ("exit 0", "nvidia-smi -L lists no GPU."),
        (
            "echo 'Failed to initialize NVML: Driver/library version mismatch' >&2; exit 18",
            "nvidia-smi -L fails with exit status 18:\n  Failed to initialize NVML: Driver/library version mismatch",
        ),
        ("exec /bin/sleep 60", "nvidia-smi -L does not answer within 1 s: the driver or a GPU has a problem."),
    ],
)
def test_it_says_what_the_driver_shows(monkeypatch, nvidia_smi, script, said):
    monkeypatch.setattr(missing_gpu, "_SECONDS", 1)
    nvidia_smi(script)
    assert missing_gpu.evidence().endswith(said)


def test_a_long_list_is_cut(nvidia_smi):
    nvidia_smi("i=0; while [ $i -lt 112 ]; do echo line $i; i=$((i+1)); done")
    assert missing_gpu.evidence().endswith("\n  line 19\n  and 92 lines more")


def test_without_nvidia_smi_it_says_so():
    said = "There is no nvidia-smi here: NVIDIA's driver is missing, or the container was started without --nv."
    assert missing_gpu.evidence().endswith(said)


def test_the_job_ends_with_all_of_it_in_one_message(monkeypatch, nvidia_smi, tmp_path, capsys):
    nvidia_smi("echo 'GPU 0: NVIDIA H200 (UUID: GPU-41)'")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    monkeypatch.setenv("SLURM_JOB_GPUS", "2")
    monkeypatch.setattr(torch.version, "cuda", None)
    setting = Setting.from_spec(spec(device="cuda"))
    chunk = ["--first", "0", "--last", "1", "--results", str(tmp_path / "results")]
    assert cli.main(["train", *planned.arguments(setting, tmp_path), *chunk]) == 2
    said = capsys.readouterr()
    assert not said.out
    first, *rest = said.err.splitlines()
    assert first.startswith(
        f"{setting.address}: the setting asks for device 'cuda', but torch {torch.__version__} finds"
    )
    assert rest == [
        "This torch is built for CPUs alone: install its build for CUDA (docs/install.md).",
        "CUDA_VISIBLE_DEVICES=0",
        "SLURM gave job 17 SLURM_JOB_GPUS=2.",
        "nvidia-smi -L lists:",
        "  GPU 0: NVIDIA H200 (UUID: GPU-41)",
    ]
    assert not (tmp_path / "results").exists()
