"""Part: a study on CPU and GPU by the whole workflow, which must find both equal within the margin.

The study is workflow/studies/devices.yaml, run through the profile workstation-gpu in a copy of the project, so that
nothing here is changed. On a CPU, the tests' stand-in trains what is on CUDA.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from reporting import NotRunError, Options, Report

from bnbench.trainer.devices import STAND_IN

PROJECT = Path(__file__).resolve().parents[2]
STUDY = "devices"
PROFILE = "workflow/profiles/workstation-gpu"


def measure(options: Options, report: Report) -> None:
    """Run the study and read its page."""
    with tempfile.TemporaryDirectory(prefix="bnbench-gpu-study-") as scratch:
        folder = _copied(Path(scratch))
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", PROFILE]
        command += ["--configfile", f"workflow/studies/{STUDY}.yaml", "--quiet", "rules", "--scheduler", "greedy"]
        if options.small:
            command += ["--cores", "1"]
        report.doing(" ".join(command[2:]))
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=folder, env=_environment(options, folder), capture_output=True, text=True, check=False
        )
        took = time.monotonic() - started
        if done.returncode:
            _explain(folder, done.stdout + done.stderr, report)
            return
        _judge(folder, took, options, report)


def _copied(folder: Path) -> Path:
    """What a run needs of the project."""
    if not (PROJECT / "Snakefile").exists():
        raise NotRunError("no Snakefile: this is not a checkout of the project")
    shutil.copytree(PROJECT / "workflow", folder / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "config.yaml"):
        shutil.copy2(PROJECT / name, folder)
    return folder


def _environment(options: Options, folder: Path) -> dict[str, str]:
    """Where `python` is this one, and Snakemake finds its modules beside the copy's package."""
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (bin_ / "python").chmod(0o755)
    ours = str(PROJECT / "workflow")
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path not in ("", ours)]
    changed = {
        "PATH": f"{bin_}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": os.pathsep.join([str(folder / "workflow"), *others]),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        # Where SLURM is installed, its plugin would ask a controller.
        "SLURM_CONF": os.devnull,
    }
    dropped = ("SNAKEMAKE_PROFILE", "BNBENCH_RESULTS", STAND_IN)
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **changed, **({STAND_IN: "1"} if options.device == "cpu" else {})}


def _explain(folder: Path, said: str, report: Report) -> None:
    """What Snakemake and the jobs' logs say of a failure."""
    logs = sorted(folder.glob("logs/**/*.log"))
    told = [line for log in logs for line in log.read_text(encoding="utf-8").splitlines()[-2:]]
    lines = [line for line in said.splitlines() if line.strip()]
    report.lines(*(f"    {line[:300]}" for line in [*lines[-25:], *told[-12:]]), "")
    wrong = [line for line in [*told, *lines] if re.search(r"error|finds no", line, re.IGNORECASE)]
    report.fail(f"the workflow failed: {(wrong or lines or ['without a word'])[0].strip()[:300]}")


def _judge(folder: Path, took: float, options: Options, report: Report) -> None:
    """Whether the page is there and says what it must."""
    page = folder / "reports" / STUDY
    answer = json.loads((page / "verdicts.json").read_text(encoding="utf-8"))["sentence"]
    with (page / "tables" / "contexts.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]
    verdicts = [row["verdict"] for row in rows]
    report.header("context", "ratio of the test losses, cuda to cpu", "interval", "verdict")
    for row in rows:
        context = ", ".join(row[name] for name in ("norm", "optimizer", "batch_size") if row.get(name))
        interval = f"{float(row['effect_low']):.5f} to {float(row['effect_high']):.5f}"
        report.row(context, f"{float(row['effect']):.5f}", interval, row["verdict"])
    report.lines("", f"After {took:.0f} s the page says: {answer}")
    # Without BN, rounding is hardly magnified: a difference of 1e-7 may be beyond chance, and yet within the margin.
    equal = [row["within_margin"] == "True" for row in rows]
    if not rows or not all(equal):
        report.fail(f"CPU and GPU are not equal within the margin everywhere: {', '.join(verdicts)}")
    if answer not in _words(page / "index.html"):
        report.fail("the page does not show the answer")
    devices = _devices(folder)
    report.lines("", f"Trained on: {'; '.join(devices)}.")
    if len(devices) < 2:
        report.fail(f"everything was trained on {devices}")
    apart = max((abs(float(row["effect"]) - 1) for row in rows), default=float("nan"))
    report.figure(
        f"equal within the margin in {sum(equal)} of {len(rows)} contexts, ratios within {apart:.1e} of 1; {took:.0f} s"
    )
    if options.device == "cuda" and not any("NVIDIA" in name.upper() for name in devices):
        report.figure(f"devices: {'; '.join(devices)}")


def _words(page: Path) -> str:
    """The text of the page, without tags."""
    import html

    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))).split())


def _devices(folder: Path) -> list[str]:
    """The names of the devices in the results."""
    import pandas as pd

    tables = [pd.read_parquet(path) for path in sorted((folder / "results" / "trials").rglob("*.parquet"))]
    return sorted({str(name) for name in pd.concat(tables)["device_name"]})
