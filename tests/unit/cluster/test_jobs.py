"""What SLURM's commands print about jobs is understood in every form."""

import pytest

from bnbench.cluster import commands, jobs
from bnbench.cluster.jobs import Said


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("RUNNING", "RUNNING"),
        ("CANCELLED by 1000", "CANCELLED"),
        ("CANCELLED+", "CANCELLED"),
        ("CANCELLED by 0 ", "CANCELLED"),
        ("OUT_OF_ME+", "OUT_OF_MEMORY"),
        ("COMPLETED", "COMPLETED"),
        ("COMPLETING", "COMPLETING"),
        ("NODE_FAIL", "NODE_FAIL"),
        ("PREEMPTED", "PREEMPTED"),
        ("A_NEW_WORD", "A_NEW_WORD"),
        ("", ""),
    ],
)
def test_a_state_is_known_in_every_form_in_which_slurm_writes_it(text, state):
    assert jobs.state(text) == state


def test_a_job_that_slurm_starts_again_has_not_ended():
    assert Said("COMPLETED").ended_well
    for word in ("CANCELLED", "PREEMPTED", "NODE_FAIL", "TIMEOUT", "OUT_OF_MEMORY", "FAILED"):
        assert Said(word).ended_badly
    for word in ("PENDING", "REQUEUED", "REQUEUE_HOLD", "COMPLETING", "SUSPENDED", "RUNNING", "A_NEW_WORD", ""):
        assert not Said(word).ended_well
        assert not Said(word).ended_badly


QUEUE = """\
12|PENDING|ReqNodeNotAvail, UnavailableNodes:cpu01
13|RUNNING|None
14_2|CANCELLED|None
CLUSTER: other
15|PENDING|Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions
"""


def test_the_queue_tells_the_states_and_reasons_of_jobs_by_number():
    assert jobs.queued(QUEUE) == {
        "12": Said("PENDING", "ReqNodeNotAvail, UnavailableNodes:cpu01"),
        "13": Said("RUNNING"),
        "14_2": Said("CANCELLED"),
        "15": Said(
            "PENDING", "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
        ),
    }


def test_the_accounting_is_believed_of_ends_alone():
    text = "12|CANCELLED by 1000\n13|RUNNING\n14|COMPLETED\n15|PENDING\n16|PREEMPTED\nsomething else\n"
    assert jobs.recorded(text) == {"12": Said("CANCELLED"), "14": Said("COMPLETED"), "16": Said("PREEMPTED")}


def test_a_cluster_without_accounting_knows_nothing_of_forgotten_jobs(monkeypatch):
    def refused(*_):
        raise commands.Refused("Slurm accounting storage is disabled")

    monkeypatch.setattr(commands, "ask", refused)
    assert jobs.accounted(["12"]) == {}


def test_jobs_on_another_cluster_are_asked_for_there(monkeypatch):
    asked = []
    monkeypatch.setattr(commands, "ask", lambda *command: asked.append(command) or "")
    jobs.queue("other")
    jobs.accounted(["12"], "other")
    jobs.cancel("12", "other")
    assert all("--clusters=other" in command for command in asked)
    jobs.queue()
    assert not any(word.startswith("--clusters") for word in asked[-1])
    assert {"--all", "--states=all", "--array"} < {*asked[-1]}


def test_bytes_that_are_no_text_in_what_slurm_prints_do_no_harm(tmp_path, monkeypatch):
    (tmp_path / "squeue").write_text("#!/bin/sh\nprintf '12|PENDING|held \\377 by root\\n'\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert jobs.queue() == {"12": Said("PENDING", "held \N{REPLACEMENT CHARACTER} by root")}
