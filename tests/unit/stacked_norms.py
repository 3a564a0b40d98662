"""The stacked class of an arm, run once, and compared with a module of PyTorch."""

import torch


def applied(norm, x, steps=1):
    """What a norm makes of `x` in training, at γ = 1.5 and β = 0.2, and its buffers after so many steps."""
    shape = (x.shape[0], 1, x.shape[2])
    values = {"gamma": 1.5, "beta": 0.2} if norm.parameters() else {}
    parameters = {name: torch.full(shape, value, dtype=x.dtype) for name, value in values.items()}
    buffers = {name: torch.full(shape, value, dtype=x.dtype) for name, value in norm.buffers().items()}
    for _ in range(steps):
        y, saved = norm.forward(x.clone(), parameters, buffers)
    return y, saved, parameters, buffers


def normal(*shape, seed=1):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def assert_equals_module(norm, reference, x, dy):
    """A norm does what a module of torch does, forward and backward, at γ = 1.5 and β = 0.2."""
    y, saved, parameters, _ = applied(norm, x)
    for name, value in reference.named_parameters():
        torch.nn.init.constant_(value, {"weight": 1.5, "bias": 0.2}[name])
    leaf = x[0].clone().requires_grad_()
    expected = reference(leaf)
    expected.backward(dy[0])
    torch.testing.assert_close(y[0], expected.detach())
    dx, gradients = norm.backward(dy.clone(), saved, parameters)
    torch.testing.assert_close(dx[0], leaf.grad)
    for name, gradient in gradients.items():
        theirs = reference.get_parameter({"gamma": "weight", "beta": "bias"}[name]).grad
        torch.testing.assert_close(gradient[0, 0], theirs)
    assert len(gradients) == len([*reference.parameters()])
