"""Tests and measures all that needs a GPU, by one command: `make gpu`, or `python tests/gpu/run.py`.

It needs Python 3.11 or newer with torch, numpy, pandas, pyarrow, jsonschema and PyYAML. Some parts need more; where it
is missing, they are left out, and the summary says so. Every part runs in a process of its own with a limit of its own,
so one that fails, crashes or hangs stops no other. Results are written as they come. The exit status is 0 if all parts
that ran have passed. Without a GPU: `--device cpu --small`.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from parts import PARTS, Part  # noqa: E402 - found by the line above

VERDICTS = {0: "passed", 1: "failed", 3: "not run"}
RESERVED = 8.0  # seconds for what the driver itself does


class Outcome(NamedTuple):
    """What became of a part."""

    name: str
    verdict: str
    """passed, failed, timed out, crashed or not run."""
    seconds: float
    figures: list[str]
    said: list[str]
    """What failed, or why it did not run."""


def environment() -> dict[str, str]:
    """That of the parts: this checkout's package first, then what the user has."""
    folders = [PROJECT / "workflow", HERE, PROJECT / "tests" / "benchmarks"]
    theirs = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    path = os.pathsep.join(dict.fromkeys([*map(str, folders), *(str(Path(each).resolve()) for each in theirs)]))
    # cuBLAS repeats its bits only with a workspace of fixed size.
    return {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", **os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0"}


def run_part(part: Part, options: argparse.Namespace, seconds: float, scratch: Path) -> Outcome:
    """Run a part in a process group of its own, for at most so many seconds."""
    missing = [name for name in part.needs if importlib.util.find_spec(name) is None]
    if missing:
        return Outcome(part.name, "not run", 0.0, [], [f"no module {missing[0]}"])
    page, notes, log = options.out / part.page, scratch / f"{part.name}.json", scratch / f"{part.name}.log"
    given = {"device": options.device, "small": options.small, "seconds": seconds, "all_tests": options.all_tests}
    text = json.dumps({**given, "folder": str(options.out)})
    command = [sys.executable, HERE / "one_part.py", part.module, part.title, page, notes, text]
    started = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment(), stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            status: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever it has started, too
            process.wait()
    took = time.monotonic() - started
    noted = json.loads(notes.read_text(encoding="utf-8")) if notes.exists() else {"figures": [], "failures": []}
    verdict, said = _judged(status, noted, _tail(log), seconds)
    with contextlib.suppress(OSError), page.open("a", encoding="utf-8") as file:
        told = "".join(f"    {line}\n" for line in _tail(log, 25)) if verdict in ("failed", "crashed") else ""
        file.write(f"\n{part.name}: {verdict} after {took:.0f} s. {'; '.join(said)}\n{told and chr(10) + told}")
    return Outcome(part.name, verdict, took, noted["figures"], said)


def _judged(status: int | None, noted: dict[str, Any], tail: list[str], seconds: float) -> tuple[str, list[str]]:
    """The verdict by an exit status, None after a time-out; and what is to be said of it."""
    doing = noted.get("doing") or "starting"
    if status is None:
        return "timed out", [f"stopped after {seconds:.0f} s, while {doing}", *noted["failures"]]
    if status not in VERDICTS:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        return "crashed", [f"ended by {how}, while {doing}", *noted["failures"]]
    verdict = VERDICTS[status]
    if verdict == "not run":
        return verdict, tail[-1:]
    return verdict, noted["failures"] or (tail[-1:] if verdict == "failed" else [])


def _tail(log: Path, lines: int = 3) -> list[str]:
    """The last lines of a log that say something."""
    text = log.read_text(encoding="utf-8", errors="replace")
    return [line.rstrip()[:400] for line in text.splitlines() if line.strip()][-lines:]


def about(device: str) -> dict[str, str]:
    """Card, driver and versions, asked by a process of its own, so that the driver itself takes no GPU."""
    done = subprocess.run(
        [sys.executable, HERE / "card.py", device], env=environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"run.py: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return found


def commit() -> str:
    """The commit of the checkout, as far as git knows it."""
    git = ["git", "-c", f"safe.directory={PROJECT}", "-C", str(PROJECT)]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        told = [*git, "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"]
        return subprocess.run(told, capture_output=True, text=True, check=True).stdout.strip()
    return "unknown"


def summary(
    found: dict[str, str], of: str, options: argparse.Namespace, outcomes: Sequence[Outcome], left: Sequence[Part]
) -> str:
    """One screen: the card, how each part went, and the key figures."""
    card = ", ".join(f"{name} {value}" for name, value in found.items() if name != "card")
    lines = [
        f"# What a GPU showed: {found['card']}",
        "",
        f"Commit {of}, {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC{', small sizes' * options.small}. {card}.",
        "",
        "| part | verdict | seconds | |",
        "|---|---|---|---|",
    ]
    for outcome in outcomes:
        told = "; ".join(outcome.said[:6]).replace("|", "/")
        lines.append(f"| {outcome.name} | {outcome.verdict} | {outcome.seconds:.0f} | {told} |")
    lines += [f"| {part.name} | to come | | |" for part in left]
    lines += ["", *(f"- {outcome.name}: {figure}" for outcome in outcomes for figure in outcome.figures)]
    return "\n".join([*lines, ""])


def run(parts: Sequence[Part], options: argparse.Namespace) -> list[Outcome]:
    """Run the parts one after the other, each with its share of what is left of the time."""
    end = time.monotonic() + 60 * options.minutes - RESERVED
    found, of = about(options.device), options.commit or commit()
    if options.out is None:
        name = re.sub(r"[^a-z0-9]+", "-", found["card"].lower().removeprefix("nvidia")).strip("-")
        options.out = PROJECT / "tests" / "benchmarks" / "results" / f"gpu-{name}"
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    for page in {part.page for part in parts}:
        (options.out / page).write_text(f"# {found['card']}, torch {found['torch']}, commit {of}\n", encoding="utf-8")
    if "error" in found:
        raise SystemExit(f"run.py: {found['error']}; to try it on a CPU: --device cpu --small")
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory(prefix="bnbench-gpu-") as scratch:
        for place, part in enumerate(parts):
            share = part.weight / sum(each.weight for each in parts[place:])
            outcome = run_part(part, options, max(1.0, (end - time.monotonic()) * share), Path(scratch))
            outcomes.append(outcome)
            told = summary(found, of, options, outcomes, parts[place + 1 :])
            (options.out / "summary.md").write_text(told, encoding="utf-8")
            print(f"{outcome.name}: {outcome.verdict}, {outcome.seconds:.0f} s", file=sys.stderr, flush=True)
    print((options.out / "summary.md").read_text(encoding="utf-8"))
    return outcomes


def asked_for(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--small", action="store_true", help="sizes for a CPU")
    parser.add_argument("--parts", default="", help=f"some of {','.join(part.name for part in PARTS)}")
    parser.add_argument("--minutes", type=float, default=8.0, help="for everything")
    parser.add_argument("--out", type=Path, help="folder of the results; tests/benchmarks/results/gpu-<card>")
    parser.add_argument("--commit", default="", help="what the summary calls this checkout, where git is missing")
    parser.add_argument("--all-tests", action="store_true", help="all unit tests, not only those that need a GPU")
    options = parser.parse_args(arguments)
    names = [name for name in options.parts.split(",") if name]
    unknown = [name for name in names if name not in {part.name for part in PARTS}]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; there are {', '.join(part.name for part in PARTS)}")
    options.parts = [part for part in PARTS if not names or part.name in names]
    return options


def status(outcomes: Sequence[Outcome]) -> int:
    """0 if all parts that ran have passed."""
    return int(any(outcome.verdict not in ("passed", "not run") for outcome in outcomes))


if __name__ == "__main__":
    chosen = asked_for()
    sys.exit(status(run(chosen.parts, chosen)))
