"""What two examples show of a user's network before anything is trained."""

import pytest

from bnbench.catalogue import tasks
from bnbench.errors import UserError
from bnbench.plan import config
from bnbench.trainer import dry_run

NET = """\
from torch import nn


class Net(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(1, 4), norm(4), nn.Linear(4, 1)

    def forward(self, x):
        return self.last(self.norm(self.first(x)))


def net(norm):
    return Net(norm)
"""


@pytest.fixture
def check(tmp_path, monkeypatch):
    """A function that tries a network of the user's, with `old` in its file replaced, and gives what is said."""
    monkeypatch.chdir(tmp_path)

    def tried(old="", new="", arm="batch"):
        (tmp_path / "nets.py").write_text(NET.replace(old, new) if old else NET)
        study = {"study": "s", "network": {"name": "module", "path": "nets.py", "build": "net"}, "batch_size": "full"}
        spec = next(each.spec for each in config.load(study, "s").settings if each.labels["norm"] == arm)
        try:
            dry_run.check(spec, 0, tasks.of(spec).data(0))
        except UserError as error:
            return str(error)
        return ""

    return tried


@pytest.mark.parametrize("arm", ["none", "batch"])
def test_a_network_that_works_is_let_pass(check, arm):
    assert check(arm=arm) == ""


def test_a_network_that_makes_a_norm_and_does_not_run_it_is_refused(check):
    assert check("self.norm(self.first(x))", "self.first(x)") == (
        "nets.py: net: the network runs no layer of the norm, so all arms would be the same; "
        "allowed: at least one layer in its forward"
    )


@pytest.mark.parametrize("arm", ["none", "batch"])
def test_a_network_without_anything_to_train_is_refused(check, arm):
    assert check("    return Net(norm)", "    return Net(norm).requires_grad_(False)", arm) == (
        "nets.py: net gives a network without a parameter to train, allowed: one or more"
    )
