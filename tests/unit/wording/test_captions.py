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
        "The arms are no BN and BN, in the tables none and batch. "
        "The contexts differ in batch size (full, 25) and optimizer (adam lr=0.001, sgd lr=0.1). "
        "The same everywhere: task sine, hidden size 4, activation relu, initialization independent, "
        "schedule constant, device cpu."
    )
    one = synthetic.plan(activation=["relu", "tanh"], report={"factor": "activation", "baseline": "relu"}, norm="none")
    assert captions.levels(one).startswith("The arms are ReLU and tanh. The same everywhere: task sine, hidden size 4,")


OWN = """
def net(norm, inputs, width=4):
    return norm(width)

def pinball(output, target, share=0.5):
    return (share * (target - output)).abs()
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A function that makes an entry of a function in the user's file."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(OWN)
    return lambda build, **options: {"name": "module", "path": "mine.py", "build": build, **options}


def test_networks_and_losses_of_the_users_are_called_by_the_users_names(own):
    said = captions.levels(synthetic.plan(network=own("net", width=8), loss=own("pinball", share=0.7)))
    assert "task sine, network net width=8, initialization independent," in said
    assert said.endswith(", device cpu, loss pinball share=0.7.")
    assert captions.own_loss(synthetic.plan()) == ""


def test_what_no_network_reads_is_not_named(own):
    def named(*networks):
        return captions.named_factors(synthetic.plan(network=[*networks], task="digits"))

    assert {"hidden", "activation"}.isdisjoint(named(own("net")))
    assert [each for each in named("cnn") if each in ("network", "hidden", "activation")] == ["network", "activation"]
    assert {"network", "hidden", "activation"} <= {*named("mlp", own("net"))}
    assert "hidden" not in named({"name": "mlp", "hidden": [4]})
