"""Data as a user has it: tensors, and data sets that draw at random."""

import random

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset


def tensors(seed, points=40, version=1):
    x = torch.randn(points + 20, 1, 6, 6)
    y = (x.mean((1, 2, 3)) > 0).long()
    assert seed is not None
    return x[:points], y[:points], x[points:], y[points:]


def arrays(points=40):
    x = np.random.default_rng(7).integers(0, 256, (points + 20, 6, 6), dtype=np.uint8)
    y = x.mean((1, 2)) / 255
    return x[:points], y[:points], x[points:], y[points:]


def inputs(points=40):
    x = torch.rand(points + 20, 5)
    return x[:points], x[points:]


class Images(Dataset):
    """Images that are flipped, moved and made noisier, each by another generator."""

    def __init__(self, count, first=0):
        draws = torch.Generator().manual_seed(3)
        self.x = torch.rand(count, 1, 6, 6, generator=draws)
        self.y = (self.x.mean((1, 2, 3)) > 0.5).long()
        self.first = first

    def __len__(self):
        return len(self.x)

    def __getitem__(self, place):
        x = self.x[place]
        if random.random() < 0.5:
            x = x.flip(-1)
        x = x.roll(int(np.random.randint(3)), -2)  # noqa: NPY002
        return x + 0.1 * torch.randn(1, 6, 6), int(self.y[place])


def images(points=40):
    return Images(points), Images(20)


class Bad(Images):
    """At one place, something is wrong."""

    def __init__(self, count, what, at):
        super().__init__(count)
        self.what, self.at = what, at

    def __getitem__(self, place):
        x, y = super().__getitem__(place)
        if place < self.at:
            return x, y
        return {
            "error": lambda: (1 / 0, y),
            "shape": lambda: (x[:, :5], y),
            "single": lambda: x,
            "text": lambda: ("x", y),
            "class": lambda: (x, 2),
            "NaN": lambda: (x * float("nan"), y),
        }[self.what]()


def bad(what, at=0, points=40):
    return Bad(points, what, at), Images(20)


class Counted(Images):
    """Knows its classes, as those of torchvision do; loading an example would fail."""

    def __init__(self, count):
        super().__init__(count)
        self.targets = self.y.tolist()

    def __getitem__(self, place):
        if place:
            raise RuntimeError("loaded")
        return super().__getitem__(place)


def counted():
    return Counted(40), Counted(20)


class Numbers(Images):
    def __getitem__(self, place):
        x, y = super().__getitem__(place)
        return (x * 255).clamp(0, 255).byte(), torch.tensor([y / 2, 1.5])


def numbers():
    return Numbers(40), Numbers(20)


class Stream(IterableDataset):
    def __iter__(self):
        yield from ()


def streams():
    return Stream(), Stream()


def nothing():
    return None


def three():
    return 1, 2, 3


def changing(seed):
    return tensors(seed, points=40 + seed)


def more_classes(seed):
    x, y, *test = tensors(0)
    return x, y + (seed == 1) * torch.arange(len(y)) % 3, *test


def failing():
    return undefined_name  # noqa: F821


def leaving():
    raise SystemExit
