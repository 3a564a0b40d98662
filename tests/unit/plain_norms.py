"""The arms in plain torch, one network at a time: an independent reference, by torch.nn and autograd alone."""

import torch
from torch import nn
from torch.nn import functional


class Ghost(nn.BatchNorm1d):
    """BN of consecutive parts of the batch; a last one of one example joins the one before it."""

    def __init__(self, width, size, **options):
        super().__init__(width, **options)
        self.size = size

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        parts = list(x.split(self.size))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        return torch.cat([super(Ghost, self).forward(part) for part in parts])


class Frozen(nn.BatchNorm1d):
    """BN that is in evaluation mode from a share of the epochs on."""

    def __init__(self, width, share, **options):
        super().__init__(width, **options)
        self.share, self.frozen = share, False

    def begin(self, progress):
        self.frozen = progress >= self.share

    def forward(self, x):
        if self.frozen:
            return functional.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class Population(nn.BatchNorm1d):
    """By the statistics that `refresh` has put there, in training as in evaluation."""

    def __init__(self, width, every, decay=None, **options):
        super().__init__(width, **options)
        self.every, self.decay, self.zeta_times_batch = every, decay, 0.0

    def forward(self, x):
        self.standard = (x - self.running_mean) / (self.running_var + self.eps).sqrt()
        y = self.standard * self.weight + self.bias
        self.y = y
        return y

    def penalty(self, examples):
        """ζγ², summed over the units; 0 without decay."""
        drawn = 1.0 if self.decay == "unit" else (self.points - examples) / (self.points - 1)
        return (self.zeta_times_batch / examples * drawn * self.weight.square()).sum()


def make_norm(name, width, **options):
    """The module of an arm that follows every hidden layer, in float64."""
    placed = ("placement", "on", "layers", "statistics")
    options = {key: value for key, value in options.items() if key not in placed} | {"dtype": torch.float64}
    if name == "layer":
        return nn.LayerNorm(width, eps=options["eps"], elementwise_affine=options["affine"], dtype=torch.float64)
    if name == "rms":
        return nn.RMSNorm(width, eps=options["eps"], elementwise_affine=options["affine"], dtype=torch.float64)
    if name == "group":
        return nn.GroupNorm(options.pop("groups"), width, **options)
    if name == "population_gamma":
        return Population(width, decay=options.pop("curvature"), **options)
    return {"batch": nn.BatchNorm1d, "ghost": Ghost, "frozen": Frozen, "population": Population}[name](width, **options)


def refresh(network, step, x, y, error):
    """Before a step that is due: population statistics, layer by layer, and with gamma decay what ζ is made of."""
    for norm in [m for m in network if isinstance(m, Population) and step % m.every == 0]:
        seen = []
        hook = norm.register_forward_pre_hook(lambda _module, inputs, seen=seen: seen.append(inputs[0]))
        with torch.no_grad():
            network(x)
        hook.remove()
        norm.running_mean = seen[0].mean(0)
        norm.running_var = seen[0].var(0, unbiased=False)
    for norm in [m for m in network if isinstance(m, Population) and m.decay and step % m.every == 0]:
        output = network(x)
        second, fisher = _second(norm, output, y, error)
        with torch.no_grad():
            kurtosis = norm.standard.pow(4).mean(0) - 3
            norm.zeta_times_batch = ((kurtosis + 2) / 8 * fisher + second / 2).detach()
            norm.points = len(x)


def _second(norm, output, y, error):
    """Means over the examples of the second derivative by the norm's output, and of the Fisher information of γ."""
    if norm.decay == "unit":
        (gradient,) = torch.autograd.grad(error(output, y) * len(y), norm.y)
        return norm.y.sigmoid().mean(0), (gradient * norm.standard).square().mean(0)
    columns = range(output.shape[1])
    jacobian = torch.stack(
        [torch.autograd.grad(output[:, k].sum(), norm.y, retain_graph=True)[0] for k in columns], dim=2
    )  # [examples, units, outputs]
    if output.shape[1] == 1:
        hessian = torch.full((len(y), 1, 1), 2.0, dtype=torch.float64)
    else:
        p = output.softmax(1).detach()
        hessian = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    second = torch.einsum("euk,ekl,eul->eu", jacobian, hessian, jacobian)
    return second.mean(0), (second * norm.standard.square()).mean(0)
