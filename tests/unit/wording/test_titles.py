"""Names of levels, contexts and contrasts: everything has one, and no two have the same."""

import pytest
import synthetic

from bnbench.catalogue import own
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan.levels import level
from bnbench.vocabulary import LOSSES
from bnbench.wording import titles


def title_of(factor, entry):
    return level(factor, entry).title


def test_everything_that_a_study_may_name_has_a_name():
    assert {title_of("norm", {"name": name}) for name in NORMS if name != own.NAME} >= {"no BN", "BN"}
    for name in OPTIMIZERS:
        called = {"build": "mine"} if name == own.NAME else {}
        assert title_of("optimizer", {"name": name, "lr": 0.1, **called}).endswith(" lr=0.1")
    assert all(titles.outcome(synthetic.plan(), name) for name in (*LOSSES, "epochs_to_target", "seconds"))
    assert (title_of("batch_size", "full"), title_of("batch_size", 25)) == ("full batch", "batch 25")
    assert (title_of("device", "cpu"), title_of("hidden", [64, 8])) == ("cpu", "64–8 hidden units")
    assert (title_of("activation", "relu"), title_of("activation", "tanh")) == ("ReLU", "tanh")
    assert (title_of("accumulate", 1), title_of("accumulate", 4)) == ("no accumulation", "4 batches accumulated")
    assert title_of("network", {"name": "resnet", "depth": 14}) == "ResNet depth=14"
    assert title_of("network", {"name": own.NAME, "path": "a/nets.py", "build": "my_net", "k": 2}) == "my_net k=2"
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
        ({"batch_size": 16, "accumulate": [1, 2]}, ["no accumulation", "2 batches accumulated"]),
        (
            {"batch_size": [8, 16], "accumulate": [1, 2]},
            [f"batch {size}, {said}" for size in (8, 16) for said in ("no accumulation", "2 batches accumulated")],
        ),
        ({"task": "digits", "network": ["mlp", "cnn"]}, ["perceptron", "CNN"]),
        (
            {"task": "digits", "network": [{"name": "resnet", "depth": 8}, {"name": "resnet", "depth": 14}]},
            ["ResNet", "ResNet depth=14"],
        ),
        (
            {"optimizer": [{"name": "sgd", "lr": 0.1, "weight_decay": 0.01, "clip": clip} for clip in (None, 1.0)]},
            ["SGD", "SGD clip=1"],
        ),
        ({"batch_size": ["full", 25], "report": {"factor": "batch_size", "baseline": "full"}}, ["no BN", "BN"]),
    ],
)
def test_contexts_are_named_by_what_tells_them_apart(changes, said):
    assert names(synthetic.plan(**changes)) == said


def test_arms_of_one_name_are_called_by_what_tells_them_apart_and_wholly_where_a_paper_needs_it():
    sgd = [{"name": "sgd", "lr": 0.1, "weight_decay": 0.01, "clip": clip} for clip in (None, 1.0)]
    study = synthetic.plan(optimizer=sgd, report={"factor": "optimizer", "baseline": sgd[0]})
    assert [titles.arm(study, arm) for arm in study.arms] == ["SGD", "SGD clip=1"]
    assert [titles.whole(study, arm) for arm in study.arms] == [
        "SGD lr=0.1 weight_decay=0.01",
        "SGD lr=0.1 weight_decay=0.01 clip=1",
    ]


@pytest.mark.parametrize("changes", [{}, synthetic.GRID, {"task": ["sine", "mixture"], "device": ["cpu", "cuda"]}])
def test_no_two_contexts_of_a_study_have_the_same_name(changes):
    found = names(synthetic.plan(**changes))
    assert len(set(found)) == len(found)


def test_contrasts_name_their_treatment_where_there_are_several():
    row = {**synthetic.plan().contexts()[0][0], "baseline": "none", "treatment": "batch"}
    assert titles.contrast_name(synthetic.plan(), row) == "Adam at full batch"
    three = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
    assert titles.contrast_name(three, row) == "BN, Adam at full batch"


def test_a_context_without_bn_reads_so():
    report = {"factor": "optimizer", "baseline": "adam"}
    study = synthetic.plan(norm=["none", "batch"], optimizer=synthetic.GRID["optimizer"], report=report)
    plain, normalized = (labels for labels, _ in study.contexts())
    assert [titles.context_name(study, each) for each in (plain, normalized)] == ["no BN", "BN"]
    assert [titles.opening(study, each) for each in (plain, normalized)] == ["Without BN", "With BN"]
    two = synthetic.plan(norm=["none", "batch"], **synthetic.GRID, report=report)
    assert titles.opening(two, two.contexts()[0][0]) == "With full batch, without BN"
    assert titles.with_levels(["Adam", "SGD"]) == "with Adam and SGD"
    assert titles.with_levels(["no BN", "BN", "layer norm"]) == "without BN, with BN and with layer norm"
