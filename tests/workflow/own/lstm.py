"""A recurrent network: an LSTM over a sequence, whose hidden states are normalized."""

from torch import nn


class Reader(nn.Module):
    """Reads sequences [batch, time, values], and gives a number for each."""

    def __init__(self, norm, values, outputs, units, each_step):
        super().__init__()
        self.lstm = nn.LSTM(values, units, batch_first=True)
        self.norm = norm(units)
        self.head = nn.Linear(units, outputs)
        self.each_step = each_step

    def forward(self, x):
        states = self.lstm(x)[0]
        if self.each_step:
            return self.head(self.norm(states.transpose(1, 2))[..., -1])  # [batch, channels, time]
        return self.head(self.norm(states[:, -1]))


def reader(norm, inputs, outputs, units=8, each_step=False):
    """`inputs` is the shape of one example: places and values."""
    return Reader(norm, inputs[1], outputs, units, each_step)
