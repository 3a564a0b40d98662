"""The linear layers of stacked networks, with gradients by hand (Rumelhart, Hinton & Williams 1986).

The gradients go straight into the flat vector (`flat`), without autograd's bookkeeping, which would cost as much as the
arithmetic of networks this small. Each layer is given the parameters and gradients of the whole network, and picks its
own.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from bnbench.catalogue.norm import Moments
from bnbench.plan.layout import aligned
from bnbench.trainer.flat import Tensors

_CUT = 32768  # numbers in a sum that torch cuts among threads, see `_total`
_LOOPED = 400  # multiplications in a product of matrices, see `_weighted_sum`


class Linear:
    """One stacked linear layer, and its gradients. Weights are [seeds, inputs, outputs], biases [seeds, 1, outputs].

    Hidden widths are padded with zeros to a multiple of 16 in memory. The matrix library may order its sums by how an
    array is aligned, and the alignment of an odd-sized matrix depends on its place in the stack: a seed's last bit
    would depend on its neighbours. The padding stays zero (its gradients are) and no norm or activation sees it. A lone
    input of the network is not padded: its product with the weights is an outer one, without sums.
    """

    def __init__(self, parameters: Tensors, gradients: Tensors, layer: int, unpadded: Tensor) -> None:
        self.outputs, self.inputs = unpadded.shape
        self._weight = parameters[f"linear{layer}.weight"]
        self._weight_gradient = gradients[f"linear{layer}.weight"]
        self._bias = parameters.get(f"linear{layer}.bias")
        self._bias_gradient = gradients.get(f"linear{layer}.bias")
        self._transposed = self._weight.transpose(1, 2)
        self._memory = _Memory()
        self._x = torch.empty(0)
        self.scales = self._weight.shape[1] == 1 and self._bias is None
        """Whether it does no more than scale a lone input of the network."""
        self.weight, self.weight_gradient = _cut(self._weight, self.outputs), _cut(self._weight_gradient, self.outputs)

    def __call__(self, x: Tensor) -> Tensor:
        """[seeds, batch, inputs] → [seeds, batch, outputs]."""
        return self._product(_pad(x, self._weight.shape[1]), _Memory())

    def forward(self, x: Tensor) -> Tensor:
        """The same, in memory that is used again; keep what `backward` needs."""
        self._x = _pad(x, self._weight.shape[1])
        return self._product(self._x, self._memory)

    def centre(self, x: Tensor) -> Moments:
        """Keep a lone input less its mean over the batch, for `forward_as` and `backward`; give its moments."""
        count = x.shape[1]
        mean = _total(x).mul_(1 / count)
        # In rows as long as those of `stacked._Examples`, for the same reason.
        self._x = torch.sub(x, mean, out=self._memory(x, aligned(count), 1)[:, :count])
        return Moments(mean, _total(self._x * self._x).mul_(1 / count), count)

    def forward_as(self, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The product of what `centre` kept with another weight, and another bias, [seeds, 1, outputs] each."""
        y = _cut(self._memory(self._x, self._x.shape[1], self._weight.shape[2]), self.outputs)
        return torch.mul(self._x, weight, out=y) if bias is None else torch.addcmul(bias, self._x, weight, out=y)

    def backward(self, dy: Tensor, *, inputs: bool = True) -> Tensor:
        """Fill the gradients; give the gradient of the input if wanted, else `dy` back.

        `forward`'s result is no longer needed, so the gradient may take its memory.
        """
        dy = _pad(dy, self._weight.shape[2])
        if self._x.shape[2] == 1:
            _weighted_sum(self._x, dy, out=self._weight_gradient)
        else:
            torch.bmm(self._x.transpose(1, 2), dy, out=self._weight_gradient)
        if self._bias_gradient is not None:
            torch.sum(dy, 1, keepdim=True, out=self._bias_gradient)
        if not inputs:
            return dy
        dx = torch.bmm(dy, self._transposed, out=self._memory(dy, dy.shape[1], self._weight.shape[1]))
        return _cut(dx, self.inputs)

    def _product(self, x: Tensor, memory: _Memory) -> Tensor:
        y = memory(x, x.shape[1], self._weight.shape[2])
        outer = x.shape[2] == 1
        if self._bias is None:
            torch.mul(x, self._weight, out=y) if outer else torch.bmm(x, self._weight, out=y)
        else:
            (torch.addcmul if outer else torch.baddbmm)(self._bias, x, self._weight, out=y)
        return _cut(y, self.outputs)


class Output:
    """The last layer, of one output: its weights are rows, [seeds, 1, inputs]."""

    def __init__(self, parameters: Tensors, gradients: Tensors, layer: int, unpadded: Tensor) -> None:
        self._inputs = unpadded.shape[1]
        self._weight = parameters[f"linear{layer}.weight"]
        self._weight_gradient = gradients[f"linear{layer}.weight"]
        self._bias = parameters[f"linear{layer}.bias"]
        self._bias_gradient = gradients[f"linear{layer}.bias"]
        self._memory = _Memory()
        self._x = torch.empty(0)

    def __call__(self, x: Tensor) -> Tensor:
        """[seeds, batch, inputs] → [seeds, batch, 1]."""
        return self._product(_pad(x, self._weight.shape[2]), _Memory())

    def forward(self, x: Tensor) -> Tensor:
        """The same, in memory that is used again; keep what `backward` needs."""
        self._x = _pad(x, self._weight.shape[2])
        return self._product(self._x, self._memory)

    def backward(self, dy: Tensor) -> Tensor:
        """Fill the gradients, and give the gradient of the input."""
        _weighted_sum(dy, self._x, out=self._weight_gradient)
        torch.sum(dy, 1, keepdim=True, out=self._bias_gradient)
        dx = torch.mul(dy, self._weight, out=self._memory(dy, dy.shape[1], self._weight.shape[2]))
        return _cut(dx, self._inputs)

    def _product(self, x: Tensor, memory: _Memory) -> Tensor:
        return torch.baddbmm(self._bias, x, self._weight.transpose(1, 2), out=memory(x, x.shape[1], 1))


class _Memory:
    """Arrays by shape, the same at every call: in networks this small, fresh memory costs as much as the arithmetic."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[int, int], Tensor] = {}

    def __call__(self, like: Tensor, rows: int, columns: int) -> Tensor:
        """[seeds, rows, columns] for the seeds of `like`, of its type and on its device."""
        array = self._arrays.get((rows, columns))
        if array is None:
            array = self._arrays[rows, columns] = like.new_empty((len(like), rows, columns))
        return array


def _total(x: Tensor) -> Tensor:
    """Sum over the batch of one number per example, [seeds, batch, 1] → [seeds, 1, 1].

    torch cuts a long sum among threads where it is all that there is to do, as for a lone seed: then it is taken twice.
    """
    if x.shape[1] < _CUT:
        return x.sum(1, keepdim=True)
    return x.expand(-1, -1, 2).sum(1, keepdim=True)[:, :, :1]


def _weighted_sum(weights: Tensor, x: Tensor, out: Tensor) -> None:
    """Sum over the batch, [seeds, batch, 1] times [seeds, batch, width] → [seeds, 1, width].

    Below this size torch multiplies matrices by a plain loop, which takes four times as long as a product and a sum.
    """
    if x.shape[1] * x.shape[2] < _LOOPED:
        torch.sum(weights * x, 1, keepdim=True, out=out)
    else:
        torch.bmm(weights.transpose(1, 2), x, out=out)


def _pad(x: Tensor, width: int) -> Tensor:
    return x if x.shape[2] == width else functional.pad(x, (0, width - x.shape[2]))


def _cut(x: Tensor, width: int) -> Tensor:
    return x if x.shape[2] == width else x[:, :, :width]
