"""Code as a user has it: networks, a loss and optimizers, for the tests of the modular engine."""

import torch
from torch import nn


class Recurrent(nn.Module):
    """An LSTM over a sequence, whose last state is normalized."""

    def __init__(self, norm, inputs, outputs, width=6, dropout=0.2):
        super().__init__()
        self.lstm = nn.LSTM(inputs[-1], width, batch_first=True)
        self.norm = norm(width)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, outputs)

    def forward(self, x):
        states, _ = self.lstm(x)
        return self.head(self.dropout(self.norm(states[:, -1])))


def by_bias(norm, inputs, outputs, width=4):
    """A network whose convolutions have a bias where the norm leaves it a use; its random features are a buffer."""
    body = nn.Sequential(
        nn.Conv2d(inputs[0], width, 3, padding=1, bias=norm.bias),
        norm(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, bias=norm.bias),
        norm(width),
        nn.ReLU(),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(width * inputs[1] * inputs[2], outputs),
    )
    body.register_buffer("features", torch.randn(3, 3))
    return body


def with_batch_norm(inputs, outputs, width=4):
    """A network as it was before anybody thought of arms."""
    return nn.Sequential(
        nn.Conv2d(inputs[0], width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Dropout2d(0.2),
        nn.Flatten(),
        nn.Linear(width * inputs[1] * inputs[2], 8, bias=False),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Linear(8, outputs),
    )


def lazy(norm, outputs):
    """A network that finds the sizes of its layers from what comes in."""
    return nn.Sequential(nn.LazyConv2d(4, 3), norm(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(outputs))


def lazy_batch_norm(outputs):
    """The same, its BatchNorm layers included."""
    return nn.Sequential(nn.LazyConv2d(4, 3, bias=False), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(outputs))


def channels_last(norm, inputs, outputs):
    """A network whose filters lie in memory in another order."""
    pixels = (inputs[1] - 2) * (inputs[2] - 2)
    convolution = nn.Conv2d(inputs[0], 4, 3, bias=norm.bias)
    body = nn.Sequential(convolution, norm(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * pixels, outputs))
    return body.to(memory_format=torch.channels_last)


class Fourier(nn.Module):
    """Filters of complex numbers (Li et al. 2021), behind a layer of half precision."""

    def __init__(self, norm, inputs, outputs):
        super().__init__()
        self.filters = nn.Parameter(torch.randn(*inputs[:2], inputs[2] // 2 + 1, dtype=torch.complex64))
        self.norm, self.head = norm(inputs[0]), nn.LazyLinear(outputs, dtype=torch.float32)
        self.scale = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))

    def forward(self, x):
        x = torch.fft.irfft2(torch.fft.rfft2(x) * self.filters, s=x.shape[2:])
        return self.head(self.norm(x).relu().flatten(1)) * self.scale


def absolute(output, target, power=1.5):
    """A loss of each example."""
    return (output - target).abs().pow(power).sum(1)


def drawn_size(output):
    """A metric: the mean size of some outputs that are drawn."""
    return output[torch.randint(len(output), (9,))].abs().mean()


class Signs(torch.optim.Optimizer):
    """Steps by the sign of an average gradient, less and less far."""

    def __init__(self, params, lr, decay=0.9):
        super().__init__(params, {"lr": lr, "decay": decay})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                kept = self.state[parameter]
                kept["steps"] = kept.get("steps", 0) + 1
                average = kept.setdefault("average", torch.zeros_like(parameter))
                average.lerp_(parameter.grad, 1 - group["decay"])
                parameter.sub_(average.sign(), alpha=group["lr"] / kept["steps"] ** 0.5)


class TwoLooks(torch.optim.Optimizer):
    """A step by the gradient at a point further on (Korpelevich 1976), so it asks for the loss twice."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    def step(self, closure):
        loss = closure()
        parameters = [each for group in self.param_groups for each in group["params"]]
        rate = self.param_groups[0]["lr"]
        with torch.no_grad():
            before = [each.clone() for each in parameters]
            for each in parameters:
                each.sub_(each.grad, alpha=rate)
        closure()
        with torch.no_grad():
            for each, start in zip(parameters, before, strict=True):
                each.copy_(start - rate * each.grad)
        return loss
