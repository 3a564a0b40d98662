"""Names of levels, contexts and contrasts: everything has one, and no two have the same."""

import pytest
import synthetic

from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan.levels import level
from bnbench.vocabulary import LOSSES
from bnbench.wording import titles


def title_of(factor, entry):
    return level(factor, entry).title


def test_everything_that_a_study_may_name_has_a_name():
    assert {title_of("norm", {"name": name}) for name in NORMS} >= {"no BN", "BN"}
    assert all(title_of("optimizer", {"name": name, "lr": 0.1}).endswith(" lr=0.1") for name in OPTIMIZERS)
    assert all(titles.outcome(name) for name in (*LOSSES, "epochs_to_target", "seconds"))
    assert (title_of("batch_size", "full"), title_of("batch_size", 25)) == ("full batch", "batch 25")
    assert (title_of("device", "cpu"), title_of("hidden", [64, 8])) == ("cpu", "64–8 hidden units")
    assert (title_of("activation", "relu"), title_of("activation", "tanh")) == ("ReLU", "tanh")
    assert title_of("init", "sequential") == "sequential initialization"
    assert title_of("schedule", {"name": "cosine", "final": 0.1}) == "cosine decay final=0.1"
    assert title_of("norm", {"name": "batch", "momentum": 0.01}) == "BN momentum=0.01"
    assert title_of("optimizer", {"name": "momentum", "lr": 0.1}) == "SGD with momentum lr=0.1"


def names(study):
    return [titles.context_name(study, labels) for labels, _ in study.contexts()]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["Adam at full batch"]),
        ({"batch_size": ["full", 25]}, ["full batch", "batch 25"]),
        (synthetic.GRID, ["Adam at full batch", "SGD at full batch", "Adam at batch 25", "SGD at batch 25"]),
        ({"optimizer": [{"name": "sgd", "lr": 0.1}, {"name": "sgd", "lr": 0.2}]}, ["SGD lr=0.1", "SGD lr=0.2"]),
        ({"task": ["sine", "mixture"]}, ["sine", "mixture"]),
        ({"batch_size": ["full", 25], "report": {"factor": "batch_size", "baseline": "full"}}, ["no BN", "BN"]),
    ],
)
def test_contexts_are_named_by_what_tells_them_apart(changes, said):
    assert names(synthetic.plan(**changes)) == said


@pytest.mark.parametrize("changes", [{}, synthetic.GRID, {"task": ["sine", "mixture"], "device": ["cpu", "cuda"]}])
def test_no_two_contexts_of_a_study_have_the_same_name(changes):
    found = names(synthetic.plan(**changes))
    assert len(set(found)) == len(found)


def test_contrasts_name_their_treatment_where_there_are_several():
    row = {**synthetic.plan().contexts()[0][0], "baseline": "none", "treatment": "batch"}
    assert titles.contrast_name(synthetic.plan(), row) == "Adam at full batch"
    three = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
    assert titles.contrast_name(three, row) == "BN, Adam at full batch"
