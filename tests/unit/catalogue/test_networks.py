"""The networks that a config may name: what they read, and that they say the truth of torch's modules."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from specs import named, own

from bnbench.catalogue import networks
from bnbench.catalogue.networks import NETWORKS, Convolutional, Perceptron, Residual
from bnbench.catalogue.norms import BatchNorm
from bnbench.catalogue.parameters import schema
from bnbench.trainer.modules import Places, built

DEFAULTS = {"hidden": [256, 256], "activation": "relu"}
SHAPE = {"mlp": (5,), "cnn": (1, 8, 8), "resnet": (1, 8, 8)}


def setting(name, hidden=(4,), activation="tanh", **parameters):
    return {"network": named("network", name, **parameters), "hidden": [*hidden], "activation": activation}


def test_a_network_takes_from_the_keys_what_it_has_not_of_its_own():
    assert networks.of(setting("mlp")) == Perceptron(hidden=(4,), activation="tanh")
    assert networks.of(setting("mlp", activation="gelu")).activation == "gelu"
    assert networks.of(setting("mlp") | {"network": named("network", "mlp", hidden=(7,))}).hidden == (7,)
    assert networks.of(setting("cnn")) == Convolutional(activation="tanh")
    assert networks.of({"hidden": [4], "activation": "relu"}) == Perceptron(hidden=(4,), activation="relu")


@given(
    st.sampled_from(["mlp", "cnn", "resnet", "module"]),
    st.sampled_from([None, (4,), (8, 8)]),
    st.sampled_from([None, "relu", "tanh"]),
    st.sampled_from([(4,), (9,)]),
    st.sampled_from(["relu", "gelu"]),
)
def test_the_one_way_to_say_a_setting_is_the_same_network_and_stays_as_it_is(name, hidden, activation, key, function):
    inside = {"hidden": hidden, "activation": activation}
    entry = own("network") if name == "module" else named("network", name)
    entry |= {key: [*value] if isinstance(value, tuple) else value for key, value in inside.items() if key in entry}
    spec = {"network": entry, "hidden": [*key], "activation": function, "epochs": 3}
    once = networks.normalized(spec, DEFAULTS)
    assert networks.of(once) == networks.of(spec)
    assert networks.normalized(once, DEFAULTS) == once
    assert once["epochs"] == 3
    unread = {key for key in DEFAULTS if key not in NETWORKS[name].keys}
    assert {key: once[key] for key in unread} == {key: DEFAULTS[key] for key in unread}


def test_the_entry_of_a_setting_that_names_no_network_is_the_default_one():
    assert named("network", "mlp") == networks.DEFAULT


@given(st.integers(1, 99), st.integers(8, 99))
def test_filters_have_a_middle_and_residual_networks_three_stages(kernel, depth):
    for network, is_right, parameters in (
        (Convolutional, kernel % 2 == 1, {"kernel": kernel}),
        (Residual, (depth - 2) % 6 == 0, {"depth": depth}),
    ):
        if is_right:
            network(**parameters)
        else:
            with pytest.raises(ValueError, match=r"^found \w+: \d+, allowed: "):
                network(**parameters)


def test_the_depths_that_are_named_are_the_nearest():
    with pytest.raises(ValueError, match="found depth: 19, allowed: 6n \\+ 2, such as 14 or 20"):
        Residual(depth=19)


def layers(network, norm=None):
    """A network's module, and the channels of the norms in it."""
    name = next(name for name, kind in NETWORKS.items() if isinstance(network, kind))
    channels = []
    places = Places(norm or BatchNorm(), lambda count: channels.append(count) or torch.nn.Identity())
    return built(network, places, SHAPE[name], 3), channels


@pytest.mark.parametrize("depth", [8, 14, 20])
def test_the_depth_of_a_residual_network_is_the_number_of_its_layers_with_weights(depth):
    module, _ = layers(Residual(depth=depth, width=2, activation="relu"))
    weighted = [each for each in module.modules() if isinstance(each, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weighted) == depth


@pytest.mark.parametrize(
    "network",
    [
        Perceptron(hidden=(4, 6), activation="relu"),
        Convolutional(channels=(2, 5, 7), activation="relu"),
        Residual(width=3, depth=14, activation="relu"),
    ],
    ids=lambda network: type(network).__name__,
)
def test_the_widths_are_the_channels_that_hidden_layers_have(network):
    _, channels = layers(network)
    assert {*channels} == {*network.widths()}
    _, ends = layers(network, BatchNorm(on=("input", "output")))
    assert ends == [5 if isinstance(network, Perceptron) else 1, 3]


def test_networks_of_images_refuse_the_keys_and_norms_of_others_by_what_they_say_of_themselves():
    assert [name for name, network in NETWORKS.items() if network.takes_images] == ["cnn", "resnet"]
    assert [name for name, network in NETWORKS.items() if not network.places_norms] == ["module"]
    for name, network in NETWORKS.items():
        declared = {*schema(network)["properties"]}
        assert {*network.keys} == declared & {"hidden", "activation"}, name
