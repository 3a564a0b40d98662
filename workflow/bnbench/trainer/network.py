"""The stacked network: one multilayer perceptron per seed, all of them trained as one model.

Activations are [seeds, batch, width], weights [seeds, inputs, outputs]; one batched matrix product serves all seeds and
no operation mixes them. The trained parameters of all seeds lie in one flat vector, their gradients in another
(`flat`). The linear layers, with gradients by hand, are in `linears`. Norms and activations without a gradient of their
own use autograd.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from bnbench.catalogue.losses import Loss
from bnbench.catalogue.norm import Norm
from bnbench.trainer import autograd, flat, objectives
from bnbench.trainer.activations import kernels
from bnbench.trainer.flat import Tensors
from bnbench.trainer.initialization import Layers
from bnbench.trainer.linears import Linear, Output

BLOCK = 4096
"""Examples that are evaluated at once: bounds the memory of an evaluation."""


class Network:
    """Linear layers with a norm and an activation between them, stacked over seeds.

    Args:
        weights: the initial weights, stacked over the seeds as by `initialization.stacked`; on the host or the device.
        norm: what follows every linear layer but the last, until `begin` says otherwise.
        activation: name of the activation, see `catalogue.activations`.
        dtype: type of all parameters and activations.
        device: where they live.
    """

    def __init__(self, weights: Layers, norm: Norm, activation: str, dtype: torch.dtype, device: torch.device) -> None:
        self._entry = self._norm = norm
        self.activation, self._activation = activation, kernels(activation)
        hidden, seeds = range(len(weights) - 1), len(weights[0][0])
        shapes = flat.shapes(weights, norm)
        self.flat, self.parameters = flat.vector(shapes, dtype, device)
        self.flat_gradient, self.gradients = flat.vector(shapes, dtype, device)
        self._fill(weights)
        self._linears = [Linear(self.parameters, self.gradients, i, weights[i][0][0]) for i in hidden]
        self.widths = [each.outputs for each in self._linears]
        # One output is a row of weights and has cheaper products than several.
        output = Output if flat.is_lone(weights, len(hidden)) else Linear
        self._output = output(self.parameters, self.gradients, len(hidden), weights[-1][0][0])
        self._norms = [flat.group(self.parameters, f"norm{i}.") for i in hidden]
        self._norm_gradients = [flat.group(self.gradients, f"norm{i}.") for i in hidden]
        self.buffers: list[Tensors] = [
            {
                name: torch.full((seeds, 1, self._linears[i].outputs), value, dtype=dtype, device=device)
                for name, value in norm.buffers().items()
            }
            for i in hidden
        ]
        self._tape: list[tuple[Any, ...]] = []

    @property
    def norm(self) -> Norm:
        """The one that is in force."""
        return self._norm

    def _fill(self, weights: Layers) -> None:
        """Take up the initial values; what they leave of the parameters, the padding, stays zero.

        They are transposed where the parameters live: on a GPU that takes no time.
        """
        for i, (weight, bias) in enumerate(weights):
            own = self.parameters[f"linear{i}.weight"]
            values = weight.to(own.device)
            values = values if flat.is_lone(weights, i) else values.transpose(1, 2)
            own[:, : values.shape[1], : values.shape[2]].copy_(values)
            if bias is not None:
                self.parameters[f"linear{i}.bias"][:, 0, : bias.shape[1]].copy_(bias)
            for name, value in self._norm.parameters().items() if i < len(weights) - 1 else ():
                self.parameters[f"norm{i}.{name}"].fill_(value)

    def split(self, values: Tensor) -> Tensors:
        """The views of a vector like `flat` that belong to the parameters, by their names."""
        return {
            name: values.narrow(0, view.storage_offset(), view.numel()).view(view.shape)
            for name, view in self.parameters.items()
        }

    def begin(self, progress: float) -> None:
        """Take the norm that is in force from this share of the epochs on."""
        self._norm = self._entry.at(progress)

    def changes(self) -> bool:
        """Whether epochs differ in what is done: the norm gives way to another, or is refreshed."""
        return bool(self._entry.at(1.0) is not self._entry or self._entry.refreshed_every())

    def takes_parts(self, examples: int) -> bool:
        """Whether the norm divides a batch of this size, so that the order within it has an effect."""
        return self._entry.blocks(examples) > 1

    def refreshed_every(self) -> int:
        """Steps after which `refresh` is due; 0: never."""
        return self._norm.refreshed_every()

    def refresh(self, x: Tensor, y: Tensor, loss: Loss) -> None:
        """Measure the norm's statistics, and what else it needs, on the whole training set under the current weights.

        Fills `gradients` with values that are not a step's.
        """
        for own, measured in zip(self.buffers, self.precise_buffers(x), strict=True):
            for name, values in measured.items():
                own[name].copy_(values)
        if not self._norm.measures:
            return
        sums: list[Tensors] = [{} for _ in self.buffers]
        for block, target in zip(_blocks(x), _blocks(y), strict=True):
            for layer, found in enumerate(self._measure(block, target, loss)):
                for name, values in found.items():
                    sums[layer][name] = values + sums[layer].get(name, 0.0)
        for own, total in zip(self.buffers, sums, strict=True):
            own["points"].fill_(x.shape[1])
            for name, values in total.items():
                own[name].copy_(values / x.shape[1])

    def forward(self, x: Tensor) -> Tensor:
        """Training mode: [seeds, batch, inputs] → [seeds, batch, outputs]; keeps what `backward` needs."""
        self._tape.clear()
        for i, linear in enumerate(self._linears):
            z, normalized = self._normalize(i, linear, x)
            x, activated = self._activate(z)
            self._tape.append((normalized, activated))
        return self._output.forward(x)

    def backward(self, dy: Tensor, seen: Callable[[int, Tensor], None] | None = None) -> None:
        """Fill `gradients` from the gradient of the summed losses with respect to `forward`'s output.

        The losses of the seeds are summed, never averaged: a mean would divide each seed's learning rate. `seen` is
        shown what comes back to the output of each layer's norm.
        """
        dy = self._output.backward(dy)
        for i in reversed(range(len(self._linears))):
            normalized, activated = self._tape[i]
            dy = self._activate_backward(dy, activated)
            if seen is not None:
                seen(i, dy)
            dy = self._normalize_backward(i, self._linears[i], dy, normalized)

    def evaluate(self, x: Tensor, buffers: list[Tensors] | None = None) -> Tensor:
        """Evaluation mode, with the running statistics or those given; [seeds, points, inputs] → […, outputs]."""
        chosen = self.buffers if buffers is None else buffers
        return torch.cat([self._output(self._hidden(block, len(self._linears), chosen)) for block in _blocks(x)], dim=1)

    def takes_batches(self) -> bool:
        """Whether training normalizes by the batch at present."""
        return self._norm.batch_statistics

    def evaluate_batches(self, x: Tensor, size: int) -> Tensor:
        """As `forward` does with batches of `size` examples, which lie in `x` one after the other; it keeps nothing.

        The linear layers take all batches at once, and the norm as if each were that of another seed.
        [seeds, batches × size, inputs] → [seeds, batches × size, outputs].
        """
        batches, seeds = x.shape[1] // size, len(x)
        for i, linear in enumerate(self._linears):
            z = linear(x).reshape(-1, size, linear.outputs)
            # Copies, so that the running statistics stay as they are.
            parameters, buffers = (
                {name: values.repeat_interleave(batches, 0) for name, values in tensors.items()}
                for tensors in (self._norms[i], self.buffers[i])
            )
            normalized, _ = self._norm.forward(z, parameters, buffers)
            x = self._activation.forward(normalized).reshape(seeds, -1, linear.outputs)
        return self._output(x)

    def precise_buffers(self, x: Tensor) -> list[Tensors]:
        """Statistics of the whole training set under the present weights, layer by layer (Wu & Johnson 2021).

        None where there are no statistics, or fixed ones that the network is trained for.
        """
        buffers: list[Tensors] = []
        for i in range(len(self.buffers) if self._norm.buffers() and not self._norm.is_fixed() else 0):
            # A norm that does not say what the whole set gives keeps what it has.
            buffers.append(self.buffers[i] | self._norm.population(self._before_norm(i, x, buffers)))
        return buffers

    def _measure(self, x: Tensor, y: Tensor, loss: Loss) -> list[Tensors]:
        """What the norm of each layer measures on one block of examples."""
        output = self.forward(x)
        seen: list[list[Tensor]] = [[] for _ in self._linears]
        _, gradient = objectives.differentiate(loss, output, y)
        for root in self._norm.roots(gradient, objectives.hessian_roots(loss, output, y)):
            self.backward(root, lambda layer, dy: seen[layer].append(dy.clone()))
            self.forward(x)  # what it keeps is used up by going back
        return [
            self._norm.measure(dys, normalized, parameters)
            for dys, (normalized, _), parameters in zip(seen, self._tape, self._norms, strict=True)
        ]

    def _before_norm(self, layer: int, x: Tensor, buffers: list[Tensors]) -> Iterator[Tensor]:
        for block in _blocks(x):
            yield self._linears[layer](self._hidden(block, layer, buffers))

    def _hidden(self, x: Tensor, layers: int, buffers: list[Tensors]) -> Tensor:
        """Evaluation mode through the first `layers` hidden layers."""
        for i in range(layers):
            x = self._norm.evaluate(self._linears[i](x), self._norms[i], buffers[i])
            x = self._activation.forward(x)
        return x

    def _normalize(self, layer: int, linear: Linear, x: Tensor) -> tuple[Tensor, Any]:
        """The linear layer and the norm behind it, [seeds, batch, inputs] → […, outputs], and what going back wants."""
        parameters, buffers = self._norms[layer], self.buffers[layer]
        if self._norm.of_linear is not None and self._by_moments(linear, x.shape[1]):
            weight, bias, saved = self._norm.of_linear(linear.weight, linear.centre(x), parameters, buffers)
            return linear.forward_as(weight, bias), saved
        z = linear.forward(x)
        if self._norm.backward is not None:
            return self._norm.forward(z, parameters, buffers)

        def forward(z: Tensor, *values: Tensor) -> Tensor:
            return self._norm.forward(z, dict(zip(parameters, values, strict=True)), buffers)[0]

        return autograd.record(forward, z, *parameters.values())

    def _normalize_backward(self, layer: int, linear: Linear, dy: Tensor, saved: Any) -> Tensor:
        """Fill the gradients of both; the gradient of their input, or of nothing in the first layer."""
        dx: Tensor
        if self._norm.of_linear_backward is not None and self._by_moments(linear, dy.shape[1]):
            dx = linear.backward(dy, inputs=False)
            gradients = self._norm.of_linear_backward(dy, linear.weight_gradient, saved)
        else:
            if self._norm.backward is not None:
                dz, gradients = self._norm.backward(dy, saved, self._norms[layer])
            else:
                dz, *values = autograd.backward(dy, saved)
                gradients = dict(zip(self._norms[layer], values, strict=True))
            dx = linear.backward(dz, inputs=layer > 0)
        for name, gradient in gradients.items():
            self._norm_gradients[layer][name].copy_(gradient)
        return dx

    def _by_moments(self, linear: Linear, examples: int) -> bool:
        """Whether the moments of the layer's input give those that a norm with `of_linear` wants of its output."""
        return linear.scales and self._norm.blocks(examples) == 1

    def _activate(self, z: Tensor) -> tuple[Tensor, Any]:
        if self._activation.backward is None:
            return autograd.record(self._activation.forward, z)
        y = self._activation.forward(z)
        return y, (z, y)

    def _activate_backward(self, dy: Tensor, saved: Any) -> Tensor:
        if self._activation.backward is None:
            return autograd.backward(dy, saved)[0]
        return self._activation.backward(dy, *saved)


def _blocks(x: Tensor) -> Iterator[Tensor]:
    for start in range(0, x.shape[1], BLOCK):
        yield x[:, start : start + BLOCK]
