"""The stacked network: one multilayer perceptron per seed, all of them trained as one model.

Activations are [seeds, batch, width], weights [seeds, inputs, outputs]; one batched matrix product serves all seeds and
no operation mixes them. The trained parameters of all seeds lie in one flat vector, their gradients in another, so an
element-wise optimizer updates everything in one pass. The gradients of linear layers and of the loss are written out
by hand (Rumelhart, Hinton & Williams 1986): they go straight into the flat vector and spare autograd's bookkeeping,
which would cost as much as the arithmetic of networks this small. Norms without a gradient of their own use autograd.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from bnbench.activations import ACTIVATIONS
from bnbench.initialization import Layers
from bnbench.norms import Norm

Tensors = dict[str, Tensor]

_FLAT = 1024  # the flat vector's length is a multiple of this: no kernel and no thread meets a scalar rest of it
_ALIGNED = 16  # the memory of a hidden layer is a multiple of this wide, see `_Linear`
_BLOCK = 4096  # examples that are evaluated at once: bounds the memory of an evaluation


class Network:
    """Linear layers with a norm and an activation between them, stacked over seeds.

    Args:
        weights: the initial weights of every seed.
        norm: what follows every linear layer but the last.
        activation: name of the activation, see `activations.ACTIVATIONS`.
        dtype: type of all parameters and activations.
        device: where they live.
    """

    def __init__(
        self, weights: Sequence[Layers], norm: Norm, activation: str, dtype: torch.dtype, device: torch.device
    ) -> None:
        self._norm = norm
        self._activation = ACTIVATIONS[activation]
        stacked = [_stack([seed[layer] for seed in weights]) for layer in range(len(weights[0]))]
        hidden = range(len(stacked) - 1)
        start = {f"linear{i}.{name}": value for i, tensors in enumerate(stacked) for name, value in tensors.items()}
        for i in hidden:
            shape = (len(weights), 1, len(weights[0][i][0]))
            start |= {f"norm{i}.{name}": torch.full(shape, value) for name, value in norm.parameters().items()}
        self.flat, self.parameters = _flatten(start, dtype, device)
        self.flat_gradient, self.gradients = _flatten({n: torch.zeros_like(v) for n, v in start.items()}, dtype, device)
        self._linears = [_Linear(self, i, weights[0][i]) for i in range(len(stacked))]
        self._norms = [_group(self.parameters, f"norm{i}.") for i in hidden]
        self._norm_gradients = [_group(self.gradients, f"norm{i}.") for i in hidden]
        self.buffers: list[Tensors] = [
            {
                name: torch.full((len(weights), 1, self._linears[i].outputs), value, dtype=dtype, device=device)
                for name, value in norm.buffers().items()
            }
            for i in hidden
        ]
        self._tape: list[tuple[Any, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        """Training mode: [seeds, batch, inputs] → [seeds, batch, outputs]; keeps what `backward` needs."""
        self._tape.clear()
        *hidden, last = self._linears
        for i, linear in enumerate(hidden):
            normalized, saved = self._normalize(i, linear.forward(x))
            x = self._activation.forward(normalized)
            self._tape.append((saved, normalized, x))
        return last.forward(x)

    def backward(self, dy: Tensor) -> None:
        """Fill `gradients` from the gradient of the summed losses with respect to `forward`'s output.

        The losses of the seeds are summed, never averaged: a mean would divide each seed's learning rate.
        """
        first, *others = self._linears
        for i in reversed(range(len(others))):
            saved, normalized, y = self._tape[i]
            dy = self._activation.backward(others[i].backward(dy), normalized, y)
            dy = self._normalize_backward(i, dy, saved)
        first.backward(dy, inputs=False)

    def evaluate(self, x: Tensor, buffers: list[Tensors] | None = None) -> Tensor:
        """Evaluation mode, with the running statistics or those given; [seeds, points, inputs] → […, outputs]."""
        chosen = self.buffers if buffers is None else buffers
        last = self._linears[-1]
        blocks = x.split(_BLOCK, dim=1)
        return torch.cat([last(self._hidden(block, len(self._linears) - 1, chosen)) for block in blocks], dim=1)

    def precise_buffers(self, x: Tensor) -> list[Tensors]:
        """Statistics of the whole training set under the present weights, layer by layer (Wu & Johnson 2021)."""
        buffers: list[Tensors] = []
        for i in range(len(self.buffers) if self._norm.buffers() else 0):
            buffers.append(self._norm.population(self._before_norm(i, x, buffers)))
        return buffers

    def _before_norm(self, layer: int, x: Tensor, buffers: list[Tensors]) -> Iterator[Tensor]:
        for block in x.split(_BLOCK, dim=1):
            yield self._linears[layer](self._hidden(block, layer, buffers))

    def _hidden(self, x: Tensor, layers: int, buffers: list[Tensors]) -> Tensor:
        """Evaluation mode through the first `layers` hidden layers."""
        for i in range(layers):
            x = self._norm.evaluate(self._linears[i](x), self._norms[i], buffers[i])
            x = self._activation.forward(x)
        return x

    def _normalize(self, layer: int, x: Tensor) -> tuple[Tensor, Any]:
        parameters, buffers = self._norms[layer], self.buffers[layer]
        if self._norm.backward is not None:
            return self._norm.forward(x, parameters, buffers)
        leaves = [tensor.detach().requires_grad_() for tensor in (x, *parameters.values())]
        with torch.enable_grad():
            y, _ = self._norm.forward(leaves[0], dict(zip(parameters, leaves[1:], strict=True)), buffers)
        return y.detach(), (y, leaves)

    def _normalize_backward(self, layer: int, dy: Tensor, saved: Any) -> Tensor:
        if self._norm.backward is not None:
            dx, gradients = self._norm.backward(dy, saved, self._norms[layer])
        else:
            y, leaves = saved
            dx, *values = torch.autograd.grad(y, leaves, dy)
            gradients = dict(zip(self._norms[layer], values, strict=True))
        for name, gradient in gradients.items():
            self._norm_gradients[layer][name].copy_(gradient)
        result: Tensor = dx
        return result


class _Linear:
    """One stacked linear layer, and its gradients.

    Hidden widths are padded with zeros to a multiple of 16 in memory. The matrix library may order its sums by how an
    array is aligned, and the alignment of an odd-sized matrix depends on its place in the stack: a seed's last bit would
    depend on its neighbours. The padding stays zero (its gradients are) and no norm or activation sees it.
    """

    def __init__(self, network: Network, layer: int, unpadded: tuple[Tensor, Tensor | None]) -> None:
        self.outputs, self.inputs = unpadded[0].shape
        self._weight, self._weight_gradient = (
            t[f"linear{layer}.weight"] for t in (network.parameters, network.gradients)
        )
        self._bias, self._bias_gradient = (
            t.get(f"linear{layer}.bias") for t in (network.parameters, network.gradients)
        )
        self._x = torch.empty(0)

    def __call__(self, x: Tensor) -> Tensor:
        """[seeds, batch, inputs] → [seeds, batch, outputs]."""
        x = _pad(x, self._weight.shape[1])
        y = torch.bmm(x, self._weight) if self._bias is None else torch.baddbmm(self._bias, x, self._weight)
        return y[:, :, : self.outputs]

    def forward(self, x: Tensor) -> Tensor:
        """The same, and keep what `backward` needs."""
        self._x = _pad(x, self._weight.shape[1])
        return self(self._x)

    def backward(self, dy: Tensor, *, inputs: bool = True) -> Tensor:
        """Fill the gradients; give the gradient of the input if wanted, else `dy` back."""
        dy = _pad(dy, self._weight.shape[2])
        torch.bmm(self._x.transpose(1, 2), dy, out=self._weight_gradient)
        if self._bias_gradient is not None:
            torch.sum(dy, 1, keepdim=True, out=self._bias_gradient)
        return torch.bmm(dy, self._weight.transpose(1, 2))[:, :, : self.inputs] if inputs else dy


def squared_error(output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error of each seed, [seeds], and the gradient of their sum with respect to `output`."""
    difference = output - target
    points = difference.shape[1] * difference.shape[2]
    return difference.square().sum((1, 2)) / points, difference.mul_(2 / points)


def _stack(seeds: Sequence[tuple[Tensor, Tensor | None]]) -> Tensors:
    """One layer's weights of all seeds, [seeds, inputs, outputs], and biases, [seeds, 1, outputs], padded."""
    outputs, inputs = (_aligned(width) for width in seeds[0][0].shape)
    weight = torch.stack([weight.T for weight, _ in seeds])
    stacked = {"weight": functional.pad(weight, (0, outputs - weight.shape[2], 0, inputs - weight.shape[1]))}
    biases = [bias for _, bias in seeds if bias is not None]
    if biases:
        stacked["bias"] = _pad(torch.stack(biases)[:, None], outputs)
    return stacked


def _aligned(width: int) -> int:
    return -(-width // _ALIGNED) * _ALIGNED


def _pad(x: Tensor, width: int) -> Tensor:
    return x if x.shape[2] == width else functional.pad(x, (0, width - x.shape[2]))


def _flatten(start: Tensors, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensors]:
    """One vector that holds all values one after another, and the views of it by name."""
    size = sum(value.numel() for value in start.values())
    flat = torch.zeros(-(-size // _FLAT) * _FLAT, dtype=dtype, device=device)
    parts = flat[:size].split([value.numel() for value in start.values()])
    return flat, {
        name: part.view(value.shape).copy_(value) for part, (name, value) in zip(parts, start.items(), strict=True)
    }


def _group(tensors: Tensors, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
