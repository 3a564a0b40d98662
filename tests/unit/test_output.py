"""Streams that cannot be written, in the real command: no traceback, no work lost, and a status that says so."""

import os
import subprocess
import sys

import pytest
from specs import spec

import planned
from bnbench.plan.settings import Setting
from bnbench.vocabulary import PACKAGE

ASCII = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SPEAK = """
import sys
from bnbench import output
output.keep_going()
print("5 µs", flush=True)
print("half a pair: \\ud800", file=sys.stderr)
"""


OPEN = """
import os
from bnbench import output
output.keep_going()
file = open("table", "w")
os.write(1, b"said")
"""


def ran(folder, shell, **environment):
    """The command after `bnbench`, in which a shell redirects what it says."""
    ours = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), **environment}
    command = ["bash", "-c", shell.replace("bnbench ", f"{sys.executable} -m bnbench ")]
    return subprocess.run(command, cwd=folder, env=ours, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text("study: small\nepochs: 5\nseeds: 2\n")
    return tmp_path


FULL = "standard output: cannot be written (No space left on device)\n"


@pytest.mark.parametrize(
    ("shell", "status", "said"),
    [
        ("bnbench check > /dev/full", 1, FULL),
        ("bnbench check > /dev/full 2>&1", 1, ""),
        ("bnbench check 2> /dev/full > /dev/null", 0, ""),
        ("bnbench check >&-", 0, ""),
        ("bnbench check >&- 2>&- <&-", 0, ""),
        ("bnbench check --config seeds=0 2> /dev/full", 2, ""),
        ("bnbench check --config seeds=0 2>&-", 2, ""),
        ("(sleep 0.5; bnbench check; echo $? >&2) | true", 0, "141\n"),
    ],
)
def test_a_stream_that_cannot_be_written_ends_in_one_message_and_a_status(folder, shell, status, said):
    done = ran(folder, shell)
    assert (done.returncode, done.stderr) == (status, said)


@pytest.mark.parametrize(
    "redirected", ["> /dev/full", "> /dev/full 2>&1", ">&-", ">&- 2>&-", "2> /dev/full", "2>&1 | true"]
)
def test_a_job_whose_log_cannot_be_written_has_its_tables_and_is_not_done_again(folder, redirected):
    handed = " ".join(planned.arguments(Setting.from_spec(spec(epochs=3)), folder))
    train = f"bnbench train {handed} --first 0 --last 1 --results results"
    done = ran(folder, f"{train} {redirected}")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    written = sorted(path.parts[-3] for path in (folder / "results").rglob("seeds-0-1.parquet"))
    assert written == ["losses", "predictions", "trials"]


def test_a_letter_that_an_encoding_lacks_is_written_out(folder):
    (folder / "speak.py").write_text(SPEAK, encoding="utf-8")
    done = ran(folder, f"{sys.executable} speak.py", **ASCII)
    assert (done.returncode, done.stdout, done.stderr) == (0, "5 \\xb5s\n", "half a pair: \\ud800\n")


def test_all_letters_arrive_where_the_encoding_has_them(folder):
    (folder / "speak.py").write_text(SPEAK, encoding="utf-8")
    done = ran(folder, f"{sys.executable} speak.py", PYTHONIOENCODING="utf-8")
    assert done.stdout == "5 µs\n"


def test_whoever_takes_a_closed_streams_place_gets_none_of_what_is_printed(folder):
    (folder / "open.py").write_text(OPEN)
    done = ran(folder, f"{sys.executable} open.py >&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "table").read_text() == ""
