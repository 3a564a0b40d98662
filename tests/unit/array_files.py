"""Arrays that a small network can learn from, and the files that hold them."""

import numpy as np

SHAPES = {"MNIST": (28, 28), "CIFAR": (3, 32, 32)}


def images(count, shape, classes=4, seed=0, brighter=100):
    """Bytes [count, *shape], and the class of each, by the place of the bright part; all classes are equally common."""
    draws = np.random.default_rng(seed)
    y = draws.permutation(np.arange(count) % classes)
    x = draws.integers(0, 128, (count, *shape), dtype=np.uint8)
    part = shape[-2] // classes
    for row, each in enumerate(y):
        x[row, ..., each * part : (each + 1) * part, :] += brighter
    return x, y.astype(np.uint8)


def halves(count=80, tested=40, shape=(8, 8), **options):
    """The arrays of a file with a training and a test part."""
    x, y = images(count + tested, shape, **options)
    return {"x_train": x[:count], "y_train": y[:count], "x_test": x[count:], "y_test": y[count:]}


def written(path, arrays, *, compressed=False):
    """A file of these arrays; its path."""
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return str(path)
