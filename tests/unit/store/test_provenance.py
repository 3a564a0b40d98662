"""What is written beside the numbers says what they come from, and betrays nobody."""

import getpass
import json
import os
import socket

from bnbench.store import provenance


def test_provenance_holds_versions_and_nothing_of_the_machine_or_its_user(monkeypatch):
    monkeypatch.setenv("A_SECRET", "hunter2-hunter2")
    found = provenance.provenance()
    assert set(found) == {"python", "torch", "numpy", "bnbench", "commit", "image"}
    said = json.dumps(found)
    private = {value for value in os.environ.values() if len(value) > 8} | {socket.gethostname(), getpass.getuser()}
    assert not [value for value in private if value in said]


def test_outside_a_checkout_the_commit_is_empty(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    assert provenance.provenance(tmp_path / "absent.json")["commit"] == ""


def test_in_an_image_provenance_says_which_and_of_what_it_was_built(tmp_path):
    built = tmp_path / "image.json"
    built.write_text('{"digest": "sha256:abc", "revision": "c0ffee", "flavour": "cpu"}')
    found = provenance.provenance(built)
    assert (found["image"], found["commit"]) == ("sha256:abc", "c0ffee")
    assert provenance.provenance(tmp_path / "absent.json")["image"] == "host"
