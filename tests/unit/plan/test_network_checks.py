"""What is just allowed of networks, norms and batches is planned; wrong_configs.txt has what is not."""

import pytest
from configs import refusal
from specs import written_own

from bnbench.plan import config

ALLOWED = {
    "groups that divide every width": {"hidden": [[16, 8], [12]], "norm": ["none", {"name": "group", "groups": 4}]},
    "groups of two units": {"hidden": [4], "norm": ["none", {"name": "group", "groups": 2}]},
    "one group is layer normalization": {"hidden": [15], "norm": ["none", {"name": "group", "groups": 1}]},
    "groups of one channel of images": {
        "task": "digits",
        "network": {"name": "cnn", "channels": [4, 4]},
        "norm": ["none", {"name": "group", "groups": 4}, "instance", {"name": "instance", "on": ["input", "hidden"]}],
    },
    "two units": {"hidden": [2], "norm": ["none", "layer", "rms"]},
    "several inputs and outputs": {
        "task": "digits",
        "norm": ["none", {"name": "layer", "on": ["input", "output"]}, {"name": "group", "on": ["output"]}],
    },
    "one output by the batch": {"norm": ["none", {"name": "batch", "on": ["input", "output"]}]},
    "one channel by the image": {
        "task": "digits",
        "network": "resnet",
        "norm": ["none", {"name": "layer", "on": ["input"]}],
    },
    "an after beside others": {"norm": ["none", {"name": "batch", "placement": "after", "on": ["output", "hidden"]}]},
    "layers of one's own network": {
        "network": written_own("network"),
        "norm": ["none", {"name": "batch", "layers": ["1", "4"]}, "instance"],
    },
    "no weight decay as one of several": {
        "optimizer": [{"name": "sgd", "weight_decay": [0, 0.1], "weight_decay_on": "weights"}]
    },
    "the weight decay of AdamW": {"optimizer": [{"name": "adamw", "weight_decay_on": "weights"}]},
    "as many batches as an epoch has": {"batch_size": [25, 30], "accumulate": [1, 4]},
    "widths of an mlp beside a network that has none": {"task": "digits", "network": ["mlp", "cnn"], "hidden": [64]},
    "dropout from the question's draws": {"init": "sequential", "network": {"name": "mlp", "dropout": 0.5}},
    "widths of their own": {"network": ["mlp", {"name": "mlp", "hidden": [64]}]},
    "activations of their own": {
        "network": [{"name": "mlp", "activation": "tanh"}, {"name": "mlp", "activation": "gelu"}],
        "hidden": [[64], [32]],
    },
}


@pytest.mark.parametrize("keys", ALLOWED.values(), ids=ALLOWED)
def test_what_makes_sense_is_planned_each_setting_once(keys):
    settings = config.load({"study": "x", "batch_size": 25, "optimizer": "adam", **keys}, "x.yaml").settings
    assert len({setting.address for setting in settings}) == len(settings)


def test_held_out_points_are_no_part_of_an_epoch():
    keys = {"batch_size": 25, "optimizer": {"name": "adam", "lr": [0.1, 0.2]}, "accumulate": 4}
    config.load({"study": "x", **keys}, "x.yaml")
    assert refusal(config.load, {"study": "x", **keys, "tune": {"validation": 0.3}}, "x.yaml") == (
        "x.yaml: accumulate[0]: found 4, allowed: at most the 3 batches of an epoch of task 'sine' at batch_size 25"
    )
