"""The plan that is recorded: all that decides verdicts is in it, and what trains nothing else moves no address."""

import json

import pytest
from synthetic import plan

from bnbench.plan.preregistration import plan_of

ARMS = {"norm": ["none", "batch", "layer"]}
CLAIM = {"words": "BN helps", "source": "a paper", "predicts": "helps"}


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"report": {"outcome": "train_loss"}}, "outcome"),
        ({"report": {"window": 0.1}}, "window"),
        ({"report": {"margin": 1.2}}, "margin"),
        ({"report": {"alpha": 0.01}}, "alpha"),
        ({"report": {"baseline": "batch"}}, "baseline"),
        ({"report": {"compare": [["batch", "layer"]]}}, "compare"),
        ({"seeds": 9}, "seeds"),
        ({"batch_size": ["full", 25]}, "settings"),
        ({"claims": [CLAIM]}, "claims"),
    ],
)
def test_whatever_decides_a_verdict_is_in_the_plan(changes, part):
    before, after = (plan_of(plan(**{**ARMS, **these})) for these in ({}, changes))
    assert [name for name in before if before[name] != after[name]] == [part]


@pytest.mark.parametrize("changes", [{"report": {"target": 1.0}}, {"threads": 2}, {"seeds_per_job": "auto"}])
def test_what_decides_no_verdict_is_not_in_it(changes):
    assert plan_of(plan(**changes)) == plan_of(plan())


def test_it_is_the_same_as_it_is_read_back():
    found = plan_of(plan(**ARMS, report={"compare": [["batch", "layer"]]}, claims=[CLAIM]))
    assert json.loads(json.dumps(found)) == found
    assert {*found} >= {"study", "factor", "baseline", "compare", "outcome", "window", "margin", "alpha", "seeds"}
    assert "target" not in found
