"""What a study trains, in words: nothing is said of a network that holds of another kind alone."""

import pytest
import synthetic

from bnbench.plan.settings import Setting
from bnbench.wording import captions, networks, randomness

NETS = "def my_net(norm, inputs, outputs, width): ...\n\n\ndef my_loss(output, target, delta): ...\n"


@pytest.fixture
def own(write):
    """The config of a network and of a loss of one's own."""
    path = {"name": "module", "path": write(NETS, "nets.py")}
    return {**path, "build": "my_net", "width": 16}, {**path, "build": "my_loss", "delta": 0.5}


def images(*entries, **changes):
    return synthetic.plan(task="digits", network=[*entries], **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Fully connected networks (hidden layers 4, relu)"),
        ({"hidden": [[4], [8, 4]]}, "Fully connected networks (hidden layers 4 and 8–4, relu)"),
        ({"hidden": [[4], [8]], "report": {"factor": "hidden", "baseline": [4]}}, "Fully connected networks (relu)"),
        (
            {"network": {"name": "mlp", "hidden": [8, 8], "activation": "tanh", "dropout": 0.25}},
            "Fully connected networks (hidden layers 8–8, tanh, dropout 0.25)",
        ),
        (
            {"network": "cnn", "activation": "gelu"},
            "Convolutional networks (channels 16–32, filters of 3 × 3, gelu)",
        ),
        (
            {"network": {"name": "resnet", "depth": 14}, "activation": "tanh"},
            "Residual networks (depth 14, width 16, tanh)",
        ),
        (
            {"network": ["mlp", {"name": "resnet", "depth": 8}, {"name": "resnet", "depth": 14}]},
            "Fully connected networks (hidden layers 4, relu) and "
            "residual networks (depth 8, width 16, relu; depth 14, width 16, relu)",
        ),
    ],
)
def test_networks_are_called_what_they_are(changes, said):
    assert networks.trained(synthetic.plan(task="digits", **changes)) == said


def test_a_network_of_ones_own_is_called_by_its_function_and_its_file(own):
    assert networks.trained(images(own[0])) == "Networks built by my_net of nets.py (width=16)"


def test_a_loss_of_ones_own_is_named_and_another_is_not(own):
    assert networks.own_loss(images("mlp", loss=own[1])) == "my_loss of nets.py (delta=0.5)"
    assert networks.own_loss(images("mlp")) == ""
    assert captions.levels(images("mlp", loss=own[1])).endswith("device cpu, loss my_loss of nets.py (delta=0.5).")


def test_of_a_key_that_no_network_reads_nothing_is_said(own):
    perceptron, residual, mine = (captions.levels(images(each)) for each in ("mlp", "resnet", own[0]))
    assert "hidden size 4, activation relu, initialization independent" in perceptron
    assert "network resnet, activation relu, schedule constant" in residual
    assert "network my_net width=16, schedule constant" in mine


def test_a_key_that_one_network_reads_is_named(own):
    def named(*entries):
        return [each for each in captions.named_factors(images(*entries)) if each in ("hidden", "activation", "init")]

    assert named("mlp", own[0]) == named("mlp", "cnn") == ["hidden", "activation", "init"]
    assert named({"name": "mlp", "hidden": [4]}) == ["activation", "init"]
    assert named("cnn", own[0]) == ["activation"]


def test_the_one_batch_of_a_step_goes_without_saying():
    assert "accumulation" not in captions.levels(synthetic.plan())
    assert "accumulation 2" in captions.levels(synthetic.plan(batch_size=25, accumulate=2))
    assert captions.summary(synthetic.plan(batch_size=25, accumulate=[1, 2])).startswith("2 norms × 2 accumulations × ")


def test_what_a_network_draws_in_training_is_fixed_by_the_seed(own):
    dropout = {"name": "cnn", "dropout": 0.5}
    assert "the initial weights and the dropout masks" in randomness.fixed(images("mlp", dropout))
    assert "the initial weights and whatever my_net draws in training" in randomness.fixed(images(own[0]))
    assert "dropout" not in randomness.fixed(images("cnn"))


def test_batch_noise_is_said_to_hold_that_of_dropout(write):
    assert captions.facts(images({"name": "cnn", "dropout": 0.5}))["noise"]
    assert not captions.facts(images("cnn"))["noise"]


def words(said):
    """What is said of each kind of network alone."""
    return [word for word in ("ully connected", "hidden", "onvolution", "esidual", "perceptron") if word in said]


@pytest.mark.parametrize(
    ("network", "allowed"),
    [("mlp", ["ully connected", "hidden"]), ("cnn", ["onvolution"]), ("resnet", ["esidual"])],
)
def test_a_paragraph_says_of_no_network_what_holds_of_another(compared, network, allowed):
    said = compared(images(network), noise=0.1)[1]["methods"]
    assert words(said) == allowed
    assert ("independent initialization" in said) == (network == "mlp")


def test_networks_that_are_compared_are_named_once(compared, prose):
    study = images("mlp", "cnn", norm="batch", report={"factor": "network", "baseline": "mlp"})
    said = compared(study, noise=0.1)[1]["methods"]
    assert "relu) were trained for 40 epochs" in said
    assert "log ratio to perceptron" in said
    assert "the same in all arms" not in said
    assert said == prose


def test_a_paragraph_of_ones_own_network_and_loss(compared, own, prose):
    network, loss = own
    study = images(network, loss=loss, batch_size=16, accumulate=2)
    said = compared(study, noise=0.1)[1]["methods"]
    assert said.startswith(
        "Networks built by my_net of nets.py (width=16) with and without BN were trained for 40 epochs"
    )
    assert "The loss was my_loss of nets.py (delta=0.5)." in said
    assert "accumulation 2" in said
    assert not words(said)
    assert said == prose


def test_the_tests_hold_what_a_setting_is_made_of():
    assert {"network", "accumulate"} <= {*Setting.from_spec(synthetic.plan().settings[0].spec).labels}
