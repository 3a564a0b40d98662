"""Why a job may find no GPU: torch's build, what SLURM gave the job, and what the driver shows."""

import os
import subprocess

import torch

_VARIABLES = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE")
_SECONDS = 30  # a driver in trouble may never answer
_LINES = 20  # a node whose GPUs are cut into slices lists a hundred


def evidence() -> str:
    """Lines for the message, the most likely cause first."""
    lines = [_visible(), _slurm(), _driver()]
    if torch.version.cuda is None and torch.version.hip is None:
        lines.insert(0, "This torch is built for CPUs alone: install its build for CUDA (docs/install.md).")
    return "\n".join(filter(None, lines))


def _visible() -> str:
    """What CUDA_VISIBLE_DEVICES lets CUDA see."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return "CUDA_VISIBLE_DEVICES is not set."
    return f"CUDA_VISIBLE_DEVICES={visible}" if visible else "CUDA_VISIBLE_DEVICES is empty: it hides every GPU."


def _slurm() -> str:
    """Which GPUs SLURM says that it gave; empty outside of its jobs."""
    if "SLURM_JOB_ID" not in os.environ:
        return ""
    given = [f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)]
    said = ", ".join(given) or f"no GPU: none of {', '.join(_VARIABLES)} is set"
    return f"SLURM gave job {os.environ['SLURM_JOB_ID']} {said}."


def _driver() -> str:
    """What `nvidia-smi -L` says about the GPUs of this machine."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - of all places, the PATH knows best
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"nvidia-smi -L does not answer within {_SECONDS} s: the driver or a GPU has a problem."
    except OSError:
        return "There is no nvidia-smi here: NVIDIA's driver is missing, or the container was started without --nv."
    lines = done.stdout.strip().splitlines()
    if len(lines) > _LINES:
        lines[_LINES:] = [f"and {len(lines) - _LINES} lines more"]
    listed = "".join(f"\n  {line}" for line in lines)
    if done.returncode:
        return f"nvidia-smi -L fails with exit status {done.returncode}:{listed}"
    return f"nvidia-smi -L lists:{listed}" if lines else "nvidia-smi -L lists no GPU."
