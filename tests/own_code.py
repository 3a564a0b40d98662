"""A network of a user's own, in two files beside the study, for checkouts to run."""

NETS = """\
import blocks
from torch import nn


def my_net(norm, inputs, outputs, width=4):
    first = nn.Conv2d(inputs[0], width, 3, padding=1, bias=norm.bias)
    return blocks.Net(first, norm(width), nn.Linear(width * inputs[1] * inputs[2], outputs))
"""

BLOCKS = """\
import os

from torch import nn


class Net(nn.Module):
    def __init__(self, first, norm, last):
        super().__init__()
        self.first, self.norm, self.last = first, norm, last

    def forward(self, x):
        hidden = self.norm(self.first(x)).relu()
        examples = len(x)
        return self.last(hidden.reshape(examples, -1))
"""

STUDY = {
    "task": "digits",
    "network": {"name": "module", "path": "nets.py", "build": "my_net"},
    "epochs": 2,
    "evaluate_every": 1,
    "seeds": 2,
    "batch_size": [128],
}
"""Changes of the tiny study that make it two jobs of two small convolutional networks each."""

WRONG = ("examples = len(x)", "examples = 1")
"""What to change in blocks.py, so that `forward` fails."""

WRONG_ON_NODES = (WRONG[0], "examples = 1 if 'SLURM_JOB_ID' in os.environ else len(x)")
"""The same for nodes of a cluster alone."""

FAILS_AT = f"blocks.py:{2 + BLOCKS[: BLOCKS.index(WRONG[0])].count(chr(10))}: in forward: RuntimeError: "
"""How the message of that begins."""


def write(folder):
    """Put the two files into a folder."""
    (folder / "nets.py").write_text(NETS)
    (folder / "blocks.py").write_text(BLOCKS)
