"""`make gpu` on a CPU: every part has its own end, and the summary and the exit status tell of all."""

import importlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from bnbench.plan import cost

GPU = Path(__file__).parents[1] / "gpu"
PARTS = {
    "fails": "def measure(options, report):\n    report.figure('1 of 2')\n    report.fail('too far')\n",
    "raises": "def measure(options, report):\n    raise ValueError('no such thing')\n",
    "hangs": "import time\n\ndef measure(options, report):\n    report.doing('waiting')\n    time.sleep(60)\n",
    "dies": "import os\n\ndef measure(options, report):\n    report.doing('dying')\n    os.kill(os.getpid(), 9)\n",
    "lacks": "import no_such_module\n",
    "works": "def measure(options, report):\n    report.lines('a line')\n    report.figure('42 µs')\n",
}
SAME = ("equivalent", True)


@pytest.fixture
def driver(monkeypatch):
    monkeypatch.syspath_prepend(GPU)
    return SimpleNamespace(run=importlib.import_module("run"), Part=importlib.import_module("parts").Part)


def test_no_end_of_a_part_stops_the_next_and_the_summary_tells_of_each(driver, tmp_path, monkeypatch):
    for name, text in PARTS.items():
        (tmp_path / f"part_{name}.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    weights = {"hangs": 0.06}
    parts = [driver.Part(name, f"part_{name}", name, "page.md", weights.get(name, 1.0)) for name in PARTS]
    parts.append(driver.Part("needs", "part_works", "needs", "page.md", 1.0, ("no_such_module",)))
    options = driver.run.asked_for(["--device", "cpu", "--small", "--minutes", "4", "--out", str(tmp_path / "out")])
    outcomes = {outcome.name: outcome for outcome in driver.run.run(parts, options)}
    assert {name: outcome.verdict for name, outcome in outcomes.items()} == {
        "fails": "failed",
        "raises": "failed",
        "hangs": "timed out",
        "dies": "crashed",
        "lacks": "not run",
        "works": "passed",
        "needs": "not run",
    }
    assert outcomes["raises"].said == ["ValueError: no such thing"]
    assert outcomes["hangs"].said[0].endswith("while waiting")
    assert outcomes["dies"].said == ["ended by signal 9, while dying"]
    assert outcomes["lacks"].said == outcomes["needs"].said == ["no module no_such_module"]
    summary = (tmp_path / "out" / "summary.md").read_text()
    assert "| fails | failed | " in summary
    assert " | too far |" in summary
    assert summary.splitlines()[-2:] == ["- fails: 1 of 2", "- works: 42 µs"]
    assert "a line" in (tmp_path / "out" / "page.md").read_text()
    assert driver.run.status([*outcomes.values()]) == 1
    assert driver.run.status([outcomes["works"], outcomes["needs"]]) == 0


def test_the_command_runs_the_parts_that_are_asked_for_on_a_cpu(tmp_path):
    command = [sys.executable, GPU / "run.py", "--device", "cpu", "--small", "--parts", "repeat,memory"]
    done = subprocess.run([*command, "--out", tmp_path], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checks.md", "summary.md"]
    summary = (tmp_path / "summary.md").read_text()
    assert re.findall(r"^\| (\w+) \| (\w+) ", summary, re.MULTILINE)[1:] == [("repeat", "passed"), ("memory", "passed")]
    assert "a stand-in refused: halved" in summary


def test_an_unknown_part_is_named(driver, capsys):
    with pytest.raises(SystemExit):
        driver.run.asked_for(["--parts", "speed,sped"])
    assert "there is no part 'sped'" in capsys.readouterr().err


def test_costs_are_measured_of_every_setting_that_the_cpus_prices_know(monkeypatch):
    for folder in (GPU, GPU.parent / "benchmarks"):
        monkeypatch.syspath_prepend(folder)
    costs, model = importlib.import_module("costs"), importlib.import_module("cost_model")
    settings = costs.settings()
    assert len(settings) == len(model.FITTED) + len(model.CHECKED)
    assert {(spec["device"], spec["evaluate_every"]) for spec, _ in settings} == {("cuda", 10)}
    assert max(seeds for _, seeds in settings) >= 2000
    assert all(seeds <= costs.SIZED or cost.seconds_setting_up(spec, seeds) <= 0.6 for spec, seeds in settings)
    json.dumps(settings)


def test_a_sweep_that_is_cut_short_has_measured_every_kind_of_setting_and_the_memory_of_each_sort(monkeypatch):
    for folder in (GPU, GPU.parent / "benchmarks"):
        monkeypatch.syspath_prepend(folder)
    costs = importlib.import_module("costs")
    settings = costs.settings()
    half = settings[: len(settings) // 2]
    assert {costs.kind(spec) for spec, _ in half} == {costs.kind(spec) for spec, _ in settings}
    assert len({costs.kind(spec) for spec, _ in settings}) > 20
    sorts = [costs.sort(settings[place][0]) for place in costs.sized_early(half)]
    assert sorted(sorts) == sorted([(fused, large) for fused in (True, False) for large in (True, False)] * 2)


def test_the_memory_of_a_network_is_measured_while_the_sweep_goes_on_and_a_failure_leaves_the_times(
    monkeypatch, tmp_path
):
    for folder in (GPU, GPU.parent / "benchmarks"):
        monkeypatch.syspath_prepend(folder)
    costs, reporting = importlib.import_module("costs"), importlib.import_module("reporting")
    size = {"full": lambda seeds: 1000.0 * seeds, 25: lambda seeds: 1 / 0}
    monkeypatch.setattr(
        costs.device_memory, "bytes_per_network", lambda spec, seeds, device: size[spec["batch_size"]](seeds)
    )
    until = time.monotonic() + 60
    options = reporting.Options("cuda", small=True, seconds=60, until=until, folder=tmp_path, all_tests=False)
    report = reporting.Report(tmp_path / "page.md", tmp_path / "notes.json", "costs")
    rows = [{"spec": {"batch_size": batch}, "seeds": 3000, "seconds_per_epoch": 1.0} for batch in ("full", 25)]
    assert [costs._size(row, options, report) for row in rows] == [True, False]
    assert [row.get("bytes_per_network") for row in rows] == [1000.0 * costs.SIZED, None]
    assert [row["seconds_per_epoch"] for row in rows] == [1.0, 1.0]
    assert report.failures == ["memory of a network: division by zero"]
    assert not costs._size(rows[0], options._replace(device="cpu"), report)


@pytest.fixture
def nvidia_smi(tmp_path, monkeypatch):
    """A stand-in for the program, which says that the power is capped, twice or for ever."""
    line = "date '+%Y/%m/%d %H:%M:%S.%3N, 1410, 2619, 512.25, 63, [N/A], 0x0000000000000004'"
    text = f'#!/bin/sh\ncase "$*" in *-lms*) while :; do {line}; sleep 0.05; done;; *) echo 580.65, 0x4;; esac\n'
    (tmp_path / "nvidia-smi").write_text(text)
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")


def test_clocks_are_read_while_something_runs(driver, nvidia_smi):
    card = importlib.import_module("card")
    with card.Clocks() as clocks:
        start = card.now()
        time.sleep(0.5)
        seen = clocks.within(start, card.now())
    assert len(seen) > 1
    assert {sample[1:5] for sample in seen} == {(1410.0, 2619.0, 512.25, 63.0)}
    assert {sample.reasons for sample in seen} == {"power cap"}
    assert card.asked("driver_version", "x") == ["580.65", "0x4"]


def test_without_nvidia_smi_there_are_no_clocks(driver, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    card = importlib.import_module("card")
    with card.Clocks() as clocks:
        assert clocks.within(card.now(), card.now()) == []
    assert card.asked("driver_version") == []


@pytest.fixture
def page_of_devices(tmp_path):
    """A function that makes what a run of the study leaves, with these verdicts and an answer."""

    def make(verdicts, answer, devices=("a CPU", "NVIDIA X")):
        page = tmp_path / "reports" / "devices"
        (page / "tables").mkdir(parents=True)
        (tmp_path / "results" / "trials").mkdir(parents=True)
        (page / "verdicts.json").write_text(json.dumps({"sentence": answer}))
        (page / "index.html").write_text(f"<h1>{answer}</h1>")
        limits = {"norm": "none", "effect": 1.01, "effect_low": 0.99, "effect_high": 1.03}
        rows = [{**limits, "verdict": verdict, "within_margin": within} for verdict, within in verdicts]
        pd.DataFrame(rows).to_csv(page / "tables" / "contexts.csv", index=False)
        pd.DataFrame({"device_name": devices}).to_parquet(tmp_path / "results" / "trials" / "x.parquet")
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("made", "failures"),
    [
        (([SAME, SAME], "cuda and cpu had equivalent losses."), []),
        (([SAME, ("helps", True)], "They differ by less than the margin."), []),
        (
            ([SAME, ("undecided", False)], "It is not decided."),
            ["CPU and GPU are not equal within the margin everywhere"],
        ),
        (([SAME, ("hurts", False)], "They differ."), ["CPU and GPU are not equal within the margin everywhere"]),
        (([], "equivalent"), ["CPU and GPU are not equal within the margin everywhere"]),
        (([SAME], "They are equivalent.", ("a CPU", "a CPU")), ["everything was trained on ['a CPU']"]),
    ],
)
def test_the_workflow_passes_if_its_page_says_that_cpu_and_gpu_are_equivalent(driver, page_of_devices, made, failures):
    reporting, part = importlib.import_module("reporting"), importlib.import_module("whole_workflow")
    folder = page_of_devices(*made)
    report = reporting.Report(folder / "page.md", folder / "notes.json", "workflow")
    options = reporting.Options("cuda", small=False, seconds=1.0, until=1.0, folder=folder, all_tests=False)
    part._judge(folder, 1.0, options, report)
    assert [failure.partition(":")[0] for failure in report.failures] == failures
