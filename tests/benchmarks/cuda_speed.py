"""How fast a study of 1,000 seeds trains on one GPU, against a loop over networks there and against the roofline.

The question's study: 1–256–256–1, 100 points, full batch, Adam, 5,000 epochs, without BN and with it, so ten million
epochs of single networks. Chunks of `--seeds-per-job` seeds are trained one after the other, as jobs would.

- bnbench: `trainer.chunk.train`, a chunk after the other, setting up and evaluating included, importing torch not;
- loop: `in_loop.py` on the same device, a few epochs of one network;
- roofline: the operations of the linear layers at the rate of a 4,096 × 4,096 product in float32, or the traffic of
  Adam at the bandwidth of a sum over 1 GiB, whichever takes longer. TF32 is off, as it is in training.

Run by hand where there is a GPU: `python tests/benchmarks/cuda_speed.py`. To see that it works elsewhere:
`--device cpu --seeds 4 --epochs 2 --square 256`.
"""

import argparse
import time
from collections.abc import Callable

import in_loop
import torch
from arithmetic import BYTES, operations, parameters
from cases import Case
from common import keep, machine, table

from bnbench.catalogue.parameters import build
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import config, cost
from bnbench.plan.chunks import all_chunks
from bnbench.trainer.chunk import train

ARMS = ("none", "batch")
LOOPED = 20  # epochs of the loop


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Until the device has done it."""
    _wait(device)
    started = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def trained(norm: str, options: argparse.Namespace, device: torch.device) -> float:
    """Seconds in which all chunks of an arm train."""
    text = {"study": "cuda", "norm": ["none", "batch"], "batch_size": "full", "seeds": options.seeds}
    text |= {"epochs": options.epochs, "evaluate_every": max(1, options.epochs // 100), "device": device.type}
    study = config.load(text | {"seeds_per_job": {device.type: options.seeds_per_job}}, "cuda_speed.py")
    chunks = [chunk for chunk in all_chunks(study, cost.seeds_per_job) if chunk.setting.spec["norm"]["name"] == norm]

    def work() -> None:
        for chunk in chunks:
            seeds = range(chunk.first, chunk.last + 1)
            task = build(TASKS, chunk.setting.spec["task"])
            train(chunk.setting.spec, seeds, [task.data(seed) for seed in seeds], device)

    return seconds(work, device)


def roofline(case: Case, options: argparse.Namespace, device: torch.device) -> float:
    """Seconds of one network's epoch at the device's measured limits."""
    a, b = (torch.randn(options.square, options.square, device=device) for _ in range(2))
    x, y, z = (torch.ones(2**28 // 12 * 4 if device.type == "cuda" else 2**20, device=device) for _ in range(3))
    product = min(seconds(lambda: torch.mm(a, b), device) for _ in range(10))
    total = min(seconds(lambda: torch.add(x, y, out=z), device) for _ in range(10))
    rate, bandwidth = 2 * options.square**3 / product, 12 * x.numel() / total
    return max(operations(case) / rate, BYTES * parameters(case) / bandwidth)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a study of many seeds on one GPU.")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"))
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--seeds-per-job", type=int, default=256)
    parser.add_argument("--epochs", type=int, default=5000)
    parser.add_argument("--square", type=int, default=4096)
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise SystemExit("cuda_speed.py: there is no CUDA device here")
    rows = []
    for norm in ARMS:
        case = Case("full", norm, seeds=1, epochs=LOOPED)
        loop = in_loop.training(case, device.type)
        loop()
        one = seconds(loop, device) / LOOPED
        all_seconds = trained(norm, options, device)
        ours, best = all_seconds / options.seeds / options.epochs, roofline(case, options, device)
        cells = [norm, f"{all_seconds:.1f}", f"{ours * 1e6:.2f}", f"{one * 1e6:,.0f}", f"{one / ours:,.0f}"]
        rows.append([*cells, f"{best * 1e6:.2f}", f"{best / ours:.0%}"])
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "no GPU"
    lines = [
        "# Speed on a GPU",
        "",
        f"{name}; {machine('torch')}",
        f"{options.seeds:,} seeds × {options.epochs:,} epochs an arm, {options.seeds_per_job} seeds a job. Promised "
        "are less than 60 s for both arms of 1,000 seeds and 5,000 epochs, and 400 times the loop's pace.",
        "",
        *table(
            [
                "arm",
                "seconds",
                "µs per network and epoch",
                "loop, µs",
                "times the loop's pace",
                "roofline, µs",
                "of it",
            ],
            rows,
        ),
    ]
    if device.type == "cuda":
        keep("cuda-speed", lines)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
