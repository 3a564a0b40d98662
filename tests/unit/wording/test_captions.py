"""What captions say of a study as a whole."""

import pytest
import synthetic

from bnbench.wording import captions


def test_facts_of_one_context_do_not_speak_of_several():
    one, four = (captions.facts(synthetic.plan(**grid)) for grid in ({}, synthetic.GRID))
    assert (one["together"], one["contexts"]) == ("", "1 context")
    assert four["together"] == " for all 4 comparisons together"
    assert (one["baseline"], one["loss"]) == ("no BN", "test loss")
    assert (one["level"], one["narrow"], one["seeds"]) == ("95 %", "90 %", "8 seeds")
    assert one["window"] == "over the last 5 % of the measured epochs"
    last = captions.facts(synthetic.plan(report={"window": 0, "alpha": 0.01, "margin": 1.1}))
    assert (last["window"], last["level"], last["narrow"]) == ("at the last epoch", "99 %", "98 %")
    assert (last["alpha"], last["margin"]) == ("0.01", "1.1")
    three = captions.facts(synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}]))
    assert three["together"] == " for both comparisons together"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "started from the same weights and saw the same examples"),  # of full batches, whose order says nothing
        ({"batch_size": [25]}, "started from the same weights and saw the same examples in the same order"),
        ({"batch_size": [25], "init": "sequential"}, "saw the same examples in the same order"),
        (
            {"hidden": [[4], [8]], "report": {"factor": "hidden", "baseline": [4]}},
            "saw the same examples",
        ),
        (
            {"task": ["sine", "mixture"], "report": {"factor": "task", "baseline": "sine"}},
            "were given the same random numbers",
        ),
        (
            {"batch_size": ["full", 25], "report": {"factor": "batch_size", "baseline": "full"}},
            "started from the same weights and saw the same examples",
        ),
    ],
)
def test_arms_are_said_to_share_what_they_share(changes, said):
    assert captions.alike(synthetic.plan(**changes)) == said


def test_levels_that_do_not_differ_are_summed_up():
    assert captions.levels(synthetic.plan(**synthetic.GRID)) == (
        "The arms are no BN and BN, in the CSV files none and batch. "
        "The contexts differ in batch size (full, 25) and optimizer (adam lr=0.001, sgd lr=0.1). "
        "The same everywhere: task sine, hidden size 4, activation relu, initialization independent, "
        "schedule constant, device cpu."
    )
    one = synthetic.plan(activation=["relu", "tanh"], report={"factor": "activation", "baseline": "relu"}, norm="none")
    assert captions.levels(one).startswith("The arms are ReLU and tanh. The same everywhere: task sine, hidden size 4,")
