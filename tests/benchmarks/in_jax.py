"""The same training as one JAX program: vmap over seeds, scan over epochs and batches, compiled as a whole.

Written as someone would who knows JAX and wants it fast: all orders are drawn beforehand, nothing leaves the program
before the end, the state is donated. It evaluates what the trainer evaluates, precise statistics included.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case

# One thread, as everything here has; read when JAX is imported.
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
from jax import lax

RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8
MOMENTUM, VARIANCE_EPS = 0.1, 1e-5


def training(case: Case) -> Callable[[], np.ndarray]:
    """Train for the case's epochs at every call; gives the train-mode losses, [epochs, seeds]."""
    program = jax.jit(_program(case), donate_argnums=0)
    state = _start(case)
    orders = case.orders()
    orders = None if orders is None else jnp.asarray(orders.astype(np.int32))
    points = [jnp.asarray(part) for part in case.points()]

    def work() -> np.ndarray:
        nonlocal state
        state, losses, evaluated = program(state, orders, *points)
        jax.block_until_ready(evaluated)
        return np.asarray(losses)

    return work


def _start(case: Case) -> tuple[Any, ...]:
    """Parameters, running statistics, both of Adam's averages and the count of steps, stacked over seeds."""
    parameters = []
    weights = case.weights()
    for layer in range(len(case.widths) - 1):
        matrices, biases = zip(*(seed[layer] for seed in weights), strict=True)
        entry = {"w": jnp.asarray(np.stack([matrix.numpy().T for matrix in matrices]), jnp.float32)}
        if biases[0] is None:
            entry |= {"gamma": jnp.ones((case.seeds, case.widths[layer + 1]))}
            entry |= {"beta": jnp.zeros((case.seeds, case.widths[layer + 1]))}
        else:
            entry["b"] = jnp.asarray(np.stack([bias.numpy() for bias in biases]), jnp.float32)
        parameters.append(entry)
    widths = case.hidden if case.norm == "batch" else ()
    statistics = [(jnp.zeros((case.seeds, width)), jnp.ones((case.seeds, width))) for width in widths]
    zeros = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
    return parameters, statistics, *zeros, jnp.zeros(case.seeds)


def _normalized(x: Any, entry: Any, mean: Any, variance: Any) -> Any:
    return (x - mean) * (lax.rsqrt(variance + VARIANCE_EPS) * entry["gamma"]) + entry["beta"]


def _forward(parameters: Any, x: Any, statistics: Any = None) -> tuple[Any, list[Any]]:
    """One network; by the batch's own statistics where none are given. Also gives the statistics that it used."""
    used = []
    for i, entry in enumerate(parameters[:-1]):
        x = x @ entry["w"]
        if "gamma" in entry:
            if statistics is None:
                mean = x.mean(0)
                used.append((mean, jnp.square(x - mean).mean(0)))
            else:
                used.append(statistics[i])
            x = _normalized(x, entry, *used[-1])
        else:
            x = x + entry["b"]
        x = jnp.maximum(x, 0)
    return x @ parameters[-1]["w"] + parameters[-1]["b"], used


def _loss(parameters: Any, x: Any, y: Any, statistics: Any = None) -> tuple[Any, list[Any]]:
    output, used = _forward(parameters, x, statistics)
    return jnp.square(output - y).mean(), used


def _step(state: Any, batch: Any) -> tuple[Any, Any]:
    """One batch of one network: gradient, running statistics, Adam."""
    parameters, statistics, first, second, steps = state
    x, y = batch
    (loss, used), gradient = jax.value_and_grad(_loss, has_aux=True)(parameters, x, y)
    unbiased = len(x) / (len(x) - 1)
    statistics = [
        (running + MOMENTUM * (mean - running), spread + MOMENTUM * (variance * unbiased - spread))
        for (running, spread), (mean, variance) in zip(statistics, used, strict=True)
    ]
    steps = steps + 1
    first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
    second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
    rate, root = RATE / (1 - BETA1**steps), jnp.sqrt(1 - BETA2**steps)
    update = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPS), parameters, first, second)
    return (update, statistics, first, second, steps), loss


def _program(case: Case) -> Callable[..., Any]:
    sizes = case.sizes
    equal = [size for size in sizes if size == sizes[0]]

    def epoch_of_one(state: Any, order: Any, x: Any, y: Any) -> tuple[Any, Any]:
        if order is not None:
            x, y = x[order], y[order]
        whole = len(equal) * sizes[0]
        batches = tuple(part[:whole].reshape(len(equal), sizes[0], -1) for part in (x, y))
        state, losses = lax.scan(_step, state, batches)
        total = losses.sum()
        if whole < len(x):
            state, loss = _step(state, (x[whole:], y[whole:]))
            total = total + loss
        return state, total / len(sizes)

    def evaluated(state: Any, train_x: Any, train_y: Any, test_x: Any, test_y: Any) -> list[Any]:
        parameters, statistics = state[:2]
        losses = [_loss(parameters, *points, statistics)[0] for points in ((train_x, train_y), (test_x, test_y))]
        if statistics:
            precise = _forward(parameters, train_x)[1]
            losses.append(_loss(parameters, test_x, test_y, precise)[0])
        return losses

    def run(state: Any, orders: Any, *points: Any) -> tuple[Any, Any, Any]:
        def epoch(state: Any, order: Any) -> tuple[Any, Any]:
            axes = (0, None if order is None else 0, 0, 0)
            return jax.vmap(epoch_of_one, in_axes=axes)(state, order, *points[:2])

        state, losses = lax.scan(epoch, state, orders, length=case.epochs)
        return state, losses, jax.vmap(evaluated)(state, *points)

    return run
