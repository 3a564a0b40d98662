"""What a user's code gets wrong is told before anything is trained or written, each in one message."""

import re

import pytest
from specs import named
from tiny import images, theirs

from bnbench import train
from bnbench.catalogue import sources
from bnbench.errors import UserError
from bnbench.plan.chunks import Chunk
from bnbench.plan.settings import Setting

pytestmark = pytest.mark.usefixtures("tiny_images")
HEAD = "import torch\nfrom torch import nn\n\n"
LINEAR = "nn.Flatten(), nn.Linear(72, 4), norm(4), nn.Linear(4, outputs)"


BODY = f"self.body = nn.Sequential({LINEAR})"


def network(body, parameters="norm, outputs"):
    """A file whose function `net` is made of these lines."""
    return f"{HEAD}def net({parameters}):\n" + "".join(f"    {line}\n" for line in body.splitlines())


def module(forward, before=BODY):
    """A file whose class `net` has this constructor and this forward pass."""
    return (
        f"{HEAD}class net(nn.Module):\n    def __init__(self, norm, outputs):\n        super().__init__()\n"
        f"        {before}\n\n    def forward(self, x):\n        {forward}\n"
    )


def chunk_of(setting):
    planned = sources.here(sources.names(setting).items())
    return Chunk(Setting.from_spec(setting | {"sources": planned}), 3, 2)


def refusal(setting, folder):
    """What a job says of a setting that it refuses, before it has written anything."""
    with pytest.raises(UserError) as refused:
        train.run(chunk_of(setting), folder / "results", 1)
    assert [path for path in (folder / "results").rglob("*") if path.is_file()] == []
    return str(refused.value).replace(f"{folder}/", "")


NETWORKS = {
    "wrong shape": (
        network("return nn.Sequential(nn.Flatten(), nn.Linear(72, 4), norm(4), nn.Linear(4, 7))"),
        r"code.py: net: the network gives \[2, 7\] for 2 examples, allowed: \[2, 3\], which is \[examples, outputs\]",
    ),
    "a norm of other channels": (
        network("return nn.Sequential(nn.Flatten(), nn.Linear(72, 4), norm(8), nn.Linear(4, outputs))"),
        r"code.py: net: a norm of 8 channels gets \[2, 4\] for 2 examples, allowed: \[2, 8, …\], the channels right ",
    ),
    "wrong shape in evaluation mode": (
        module("return self.body(x) if self.training else self.body(x)[:, 0]"),
        r"code.py: net: the network gives \[2\] for 2 examples, allowed: \[2, 3\]",
    ),
    "no tensor": (
        module("return self.body(x), x"),
        r"code.py: net: the network gives a tuple, allowed: a tensor of \[2, 3\]",
    ),
    "work on the data": (
        module("return self.body(x.mul_(0.5))"),
        r"code.py: net: the network changes its input in place, which is the data themselves; allowed: work on a copy",
    ),
    "work on the data in evaluation mode": (
        module("return self.body(x if self.training else x.mul_(0.5))"),
        r"code.py: net: the network changes its input in place, which is the data themselves; allowed: work on a copy",
    ),
    "no gradient": (
        module("return self.body(x).detach()"),
        r"code.py: net: the network's output has no gradient, allowed: a forward\(\) .* without torch.no_grad\(\)",
    ),
    "no norm asked for": (
        network("return nn.Sequential(nn.Flatten(), nn.Linear(72, outputs))"),
        r"code.py: net never calls norm\(channels\), so all arms would be the same; allowed: at least one layer of it",
    ),
    "a norm that is asked for and not used": (
        network("norm(4)\nreturn nn.Sequential(nn.Flatten(), nn.Linear(72, outputs))"),
        r"code.py: net: the network runs none of its norm layers, so all arms would be the same; allowed: at least one",
    ),
    "a norm that stands in the network and is not run": (
        module("return self.body[3](self.body[1](self.body[0](x)))"),
        r"code.py: net: the network runs none of its norm layers",
    ),
    "no BatchNorm to replace": (
        network("return nn.Sequential(nn.Flatten(), nn.Linear(72, outputs))", "outputs"),
        r"code.py: net takes no 'norm', and its network has no BatchNorm layer, so all arms would be the same",
    ),
    "no module": (
        network("norm(4)\nreturn [norm(4)]"),
        r"code.py: net gives a list, allowed: a network \(torch.nn.Module\)",
    ),
    "no parameters": (
        network("norm(4)\nreturn nn.Flatten()"),
        r"code.py: net gives a network without parameters to train",
    ),
    "no number of channels": (
        network("return norm('four')"),
        r"code.py:5: in net: norm\(…\): found 'four' \(text\), allowed: the number of channels, such as norm\(64\)\n"
        r"    return norm\('four'\)\nwhile bnbench builds the network with net",
    ),
    "an error in the function": (
        network("width = 4 / 0\nreturn norm(width)"),
        r"code.py:5: in net: ZeroDivisionError: division by zero\n    width = 4 / 0\nwhile bnbench builds the network",
    ),
    "an error in the forward pass": (
        module("return self.body(x) + self.missing"),
        r"code.py:10: in forward: AttributeError: 'net' object has no attribute 'missing'\n"
        r"    return self.body\(x\) \+ self.missing\nwhile bnbench runs the network",
    ),
    "layers that do not fit together": (
        network("return nn.Sequential(nn.Flatten(), nn.Linear(71, 4), norm(4), nn.Linear(4, outputs))"),
        r"code.py: RuntimeError: .*shapes cannot be multiplied \(2x72 and 71x4\)\nwhile bnbench runs the network",
    ),
    "an error in evaluation mode": (
        module("return self.body(x) if self.training else self.body(x, x)"),
        r"code.py:10: in forward: TypeError: .*\n.*\nwhile bnbench runs the network",
    ),
    "a parameter that is made later": (
        module("self.late = nn.Parameter(torch.ones(3))\n        return self.body(x) * self.late"),
        r"code.py: net: the network makes the parameter 'late' while it runs, allowed: parameters that it has once",
    ),
    "a cache that no checkpoint holds": (
        module("past, self.past = self.past, x.mean()\n        return self.body(x) * past", BODY + "; self.past = 1.0"),
        r"code.py: net: after an interruption, the second epoch gives other losses; allowed: to keep what",
    ),
    "a generator of its own": (
        module("return self.body(x) + torch.rand(3, generator=self.own)", BODY + "; self.own = torch.Generator()"),
        r"code.py: net: after an interruption, the second epoch gives other losses; allowed: .* without generators of",
    ),
    "an error while its state is restored": (
        module("return self.body(x)")
        + "\n    def get_extra_state(self):\n        return 3\n"
        + "\n    def set_extra_state(self, kept):\n        kept.wrong\n",
        r"code.py:16: in set_extra_state: AttributeError: .*\n    kept.wrong\nwhile bnbench restores the network",
    ),
    "a sparse buffer": (
        module("return self.body(x)", BODY + "; self.register_buffer('eye', torch.eye(3).to_sparse())"),
        r"code.py: net has 'eye' in the layout torch.sparse_coo, allowed: dense tensors; make it sparse in forward",
    ),
    "a lazy layer that is not used": (
        module("return self.body(x)", f"self.body, self.other = nn.Sequential({LINEAR}), nn.LazyLinear(3)"),
        r"found 'other.weight' of a lazy layer that the network does not use, allowed: layers that it uses",
    ),
    "an error while lazy layers find their sizes": (
        module(
            "return self.other(self.body(x)).wrong",
            f"self.body, self.other = nn.Sequential({LINEAR}), nn.LazyLinear(3)",
        ),
        r"code.py:10: in forward: AttributeError: .*\n.*\nwhile bnbench runs the network once, to find the",
    ),
}


@pytest.mark.parametrize(("code", "said"), NETWORKS.values(), ids=NETWORKS)
def test_a_network_that_cannot_be_compared_is_refused(code, said, tmp_path):
    file = tmp_path / "code.py"
    file.write_text(code)
    assert re.match(said, refusal(images(theirs("network", "net", file)), tmp_path))


def test_patterns_that_match_no_layer_are_refused(tmp_path):
    file = tmp_path / "code.py"
    file.write_text(network(f"return nn.Sequential({LINEAR})"))
    setting = images(theirs("network", "net", file), norm=named("norm", "batch", layers=["3"]))
    said = refusal(setting, tmp_path)
    assert said == "norm.layers: found '3', which no layer matches; allowed: patterns of 2"
    said = refusal(images("cnn", norm=named("norm", "batch", layers=["norm1", "nrom0"])), tmp_path)
    assert "found 'nrom0' (did you mean 'norm0'?), which no layer matches; allowed: patterns of norm0, norm1" in said


LOSSES = {
    "one number for all": (
        "return (output - target).square().mean()",
        r"code.py: loss: the loss gives \[\] for 2 examples, allowed: \[2\], a number for each of them",
    ),
    "a number for each output": (
        "return (output - target).square()",
        r"code.py: loss: the loss gives \[2, 3\] for 2 examples, allowed: \[2\]",
    ),
    "work on the data": (
        "return (output - target.mul_(2)).square().sum(1)",
        r"code.py: loss: the loss changes its input in place, which is the data themselves; allowed: work on a copy",
    ),
    "no tensor": ("return 1.0", r"code.py: loss: the loss gives a float for 2 examples, allowed: \[2\]"),
    "negative": (
        "return (output - target).square().sum(1) - 100",
        r"code.py: loss: the loss of an example is -\d+(\.\d+)?, allowed: 0 or more, since losses are compared by",
    ),
    "complex numbers": (
        "return (output - target).square().sum(1) * 1j",
        r"code.py: loss: the loss holds torch.complex128, allowed: real numbers",
    ),
    "no gradient": (
        "return (output.argmax(1) != target.argmax(1)).double()",
        r"code.py: loss: the loss has no gradient, allowed: one that torch computes from `output`",
    ),
    "an error": (
        "return output @ target",
        r"code.py:5: in loss: \w+Error: .*\n    return output @ target\n"
        r"while bnbench computes the loss",
    ),
}


@pytest.mark.parametrize(("code", "said"), LOSSES.values(), ids=LOSSES)
def test_a_loss_that_is_no_number_of_each_example_is_refused(code, said, tmp_path):
    file = tmp_path / "code.py"
    file.write_text(f"{HEAD}def loss(output, target):\n    {code}\n")
    assert re.match(said, refusal(images(loss=theirs("loss", "loss", file)), tmp_path))


OPTIMIZERS = {
    "no optimizer": ("return params", r"code.py: made gives a list, allowed: an optimizer \(torch.optim.Optimizer\)"),
    "no rate": (
        "return Sign(params, {'rate': lr})",
        r"code.py: made keeps no 'lr' in its groups of parameters, allowed: one that it takes its rate from",
    ),
    "an error in its step": (
        "return Sign(params, {'lr': lr})",
        r"code.py:6: in step: NameError: name 'sign' is not defined\n    sign\(self\)\nwhile bnbench trains",
    ),
    "an error where it is made": ("return lr / 0", r"code.py:9: in made: ZeroDivisionError: .*division by zero"),
    "a count that no checkpoint holds": (
        "return Keeping(params, lr)",
        r"code.py: made: after an interruption, the second epoch gives other losses; allowed: to keep what",
    ),
    "a state that no file can hold": (
        "return Counting(params, lr)",
        r"found a set in what the network and the optimizer keep; allowed, so that a checkpoint can hold it: tensors,",
    ),
}


@pytest.mark.parametrize(("code", "said"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_an_optimizer_that_does_not_work_is_refused(code, said, tmp_path):
    file = tmp_path / "code.py"
    file.write_text(
        f"{HEAD}class Sign(torch.optim.Optimizer):\n    def step(self, closure=None):\n        sign(self)\n\n"
        f"def made(params, lr):\n    {code}\n\n"
        "class Counting(torch.optim.SGD):\n    def step(self, closure=None):\n"
        "        self.param_groups[0]['seen'] = {1}\n\n"
        "class Keeping(torch.optim.SGD):\n    steps = 0\n\n    def step(self, closure=None):\n"
        "        self.steps += 1\n        self.param_groups[0]['lr'] /= self.steps\n        super().step()\n"
    )
    assert re.match(said, refusal(images(optimizer=theirs("optimizer", "made", file, lr=0.1)), tmp_path))


def test_a_norm_that_needs_positions_is_refused_where_there_are_none(tmp_path):
    setting = images("cnn", norm=named("norm", "instance", on=["output"]))
    assert refusal(setting, tmp_path).startswith("found one position, allowed with norm 'instance': activations of")


def test_a_norm_that_does_not_fit_a_users_network_is_told_with_the_users_line(tmp_path):
    file = tmp_path / "code.py"
    file.write_text(network(f"return nn.Sequential({LINEAR.replace('norm(4)', 'norm(3)').replace('72, 4', '72, 3')})"))
    said = refusal(images(theirs("network", "net", file), norm=named("norm", "group")), tmp_path)
    assert said.startswith("code.py:5: in net: found 3 channels, allowed with norm 'group' groups=2: a multiple of 2\n")
    file.write_text(module("return self.body(x)"))
    said = refusal(images(theirs("network", "net", file), norm=named("norm", "instance")), tmp_path)
    assert said.startswith("code.py:10: in forward: found one position, allowed with norm 'instance': activations of")
    assert "    return self.body(x)\nwhile bnbench runs the network" in said


def test_a_lazy_network_of_a_file_is_trained(tmp_path):
    setting = images(theirs("network", "lazy_batch_norm"), epochs=1)
    assert "trained seeds 3 to 4" in train.run(chunk_of(setting), tmp_path, 1)
