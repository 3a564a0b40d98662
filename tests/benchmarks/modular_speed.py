"""The modular engine against the loop that a user would write in plain PyTorch, for the same network and data.

A small convolutional network (`own_net.py`) on the digits: 1,437 images of 8 × 8, batch 64, Adam, 10 seeds, evaluated
every 5 epochs. Both measure the same: the mean training loss of an epoch, the loss of both parts in evaluation mode,
the accuracy, and with BN the test loss by precise statistics.

- loop: `own_loop.py`, seed after seed;
- bnbench: `trainer.chunk.train`, the dry run, initial weights of both arms and all else that a job does included.

On a CPU both stay on one core and are timed in turn. `--device cuda` measures on a GPU, where the loop trains one seed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import own_loop
import torch
from common import in_turn, keep, machine, one_core, spread, table

from bnbench.catalogue import tasks
from bnbench.catalogue.task import Data
from bnbench.plan import config
from bnbench.trainer.chunk import keep_freed_memory, train

NETS = Path(__file__).with_name("own_net.py")
BATCH, EVERY = 64, 5


def setting(norm: str, options: argparse.Namespace) -> dict[str, object]:
    study = config.load(
        {
            "study": "modular",
            "task": "digits",
            "network": {"name": "module", "path": str(NETS), "build": "conv_net"},
            "norm": ["none", "batch"],
            "batch_size": BATCH,
            "optimizer": "adam",
            "epochs": options.epochs,
            "evaluate_every": EVERY,
            "seeds": options.seeds,
            "device": options.device,
        },
        "modular_speed.py",
    )
    return next(dict(each.spec) for each in study.settings if each.spec["norm"]["name"] == norm)


def plain(data: Data) -> tuple[torch.Tensor, ...]:
    """The points as somebody's script has them: images, and classes by number."""
    train_x, test_x = (torch.from_numpy(x).float().view(-1, 1, 8, 8) for x in (data.train_x, data.test_x))
    return train_x, torch.from_numpy(data.train_y.argmax(1)), test_x, torch.from_numpy(data.test_y.argmax(1))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the modular engine against a plain loop.")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    on_cpu, device = options.device == "cpu", torch.device(options.device)
    if on_cpu:
        one_core()
        torch.set_num_threads(1)
    keep_freed_memory()
    rows = []
    for norm in ("none", "batch"):
        spec = setting(norm, options)
        data = [tasks.of(spec).data(seed) for seed in range(options.seeds)]
        looped = data if on_cpu else data[:1]
        arguments = (norm, [plain(each) for each in looped], options.epochs, BATCH, EVERY, device)
        works: dict[str, Callable[[], object]] = {
            "loop": own_loop.training(*arguments),
            "bnbench": lambda spec=spec, data=data: train(spec, range(len(data)), data, device),
        }
        for work in works.values():
            work()  # once to warm up
        seconds = in_turn(works, options.rounds)
        steps = options.epochs * -(-len(data[0].train_x) // BATCH)
        each = {
            "loop": seconds["loop"] / len(looped) / steps * 1e6,
            "bnbench": seconds["bnbench"] / len(data) / steps * 1e6,
        }
        rows.append([norm, *(spread(each[name], 0) for name in each), spread(each["bnbench"] / each["loop"], 3)])
    where = machine("torch") if on_cpu else f"{torch.cuda.get_device_name(device)}; {machine('torch')}"
    lines = [
        f"# The modular engine {'on one core' if on_cpu else 'on a GPU'}",
        "",
        where,
        f"{options.seeds} seeds × {options.epochs} epochs; µs per network and step, evaluation included; medians and "
        f"quartiles of {options.rounds} rounds in turn.",
        "",
        *table(["arm", "plain loop", "bnbench", "ratio"], rows),
    ]
    if options.write:
        keep("modular-speed" if on_cpu else "modular-cuda", lines)
    else:
        print("\n".join(lines))


if __name__ == "__main__":
    main()
