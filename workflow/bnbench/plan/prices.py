"""Prices of training: seconds for one of each of the amounts of `cost` and `cuda_cost`, fitted to measured times.

They are constants of the code, so the same setting is cut into the same jobs everywhere. The times of finished trials
correct the estimates that people read, see `store.timings`, but change no job.
"""

CPU = {
    "calls": 1.4e-05,
    "calls of a norm": 3.4e-05,
    "matrices of a seed": 2.2e-07,
    "multiplications": 2.1e-11,
    "units": 6.1e-10,
    "normalized units": 1.2e-09,
    "unaligned units": 1.6e-09,
    "curved units": 8.9e-10,
    "weights": 9.1e-11,
    "orders": 1.3e-08,
    "evaluations": 0.00018,
}
"""Of one core of an AMD EPYC, fitted and checked by tests/benchmarks/cost_model.py."""

CARD = "NVIDIA H200"
"""The GPU that the prices of CUDA were measured on."""

SWEEPS = ("gpu-nvidia-h200/costs.json", "h200-costs-4d18500.json")
"""The measurements behind them, in tests/benchmarks/results; the second sweep fills in what the first lacks."""

CUDA = {
    "launches": 1.7e-06,
    "launches from the host": 1.4e-05,
    "evaluations": 0.00045,
    "orders": 4.1e-09,
    "multiplications": 4.5e-14,
    "units": 7.4e-12,
    "normalized units": 1.7e-11,
    "weights": 7.4e-13,
    "fused launches": 1.8e-06,
    "fused multiplications": 1.5e-14,
    "fused units": 7.6e-12,
    "fused normalized units": 2.4e-11,
    "fused weights": 9.2e-13,
}
"""Of that GPU, fitted and checked by tests/benchmarks/cuda_cost_model.py.

Those called "fused" are for steps by fused kernels.
"""

CUDA_SETTING_UP = {
    "jobs": 0.16,
    "networks": 0.00018,
    "weights": 8.5e-09,
    "examples": 4.2e-08,
}
"""Of that GPU's host, for what comes before the training, see `cuda_cost.of_setting_up`."""

CUDA_MEMORY = 1.0
"""Measured divided by computed bytes of a network on a GPU, see `cuda_cost.bytes_per_network`. Not measured yet: 1."""
