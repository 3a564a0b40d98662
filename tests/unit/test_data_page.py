"""The files and configs that docs/data.md shows for arrays and data sets, used as their reader would use them."""

import gzip
import pickle
import re
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from array_files import images, written
from guide import DOCS

from bnbench import train
from bnbench.plan import config
from bnbench.plan.chunks import Chunk

PAGE = (DOCS / "data.md").read_text(encoding="utf-8")
SCRIPTS = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
STUDIES = {
    study["study"]: study
    for study in map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.M))
    if "study" in study
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def trained(name):
    """The trials of a study, of two seeds and epochs."""
    short = {"seeds": 2, "epochs": 2, "evaluate_every": 2}
    for setting in config.load({**STUDIES[name], **short}, "study.yaml").settings:
        assert "trained seeds 0 to 1 for 2 epochs" in train.run(Chunk(setting, 0, 2), DOCS.cwd() / "results", 1)
    return pd.read_parquet("results/trials")


def test_the_files_of_mnist_become_arrays_that_train(folder):
    parts = {"train": images(160, (28, 28)), "t10k": images(32, (28, 28), seed=1)}
    for name, (x, y) in parts.items():
        for kind, header, values in (("images-idx3", 16, x), ("labels-idx1", 8, y)):
            with gzip.open(folder / f"{name}-{kind}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + values.tobytes())
    exec(SCRIPTS["mnist_npz.py"], {})
    found = np.load("mnist.npz")
    np.testing.assert_array_equal(found["x_train"], parts["train"][0])
    np.testing.assert_array_equal(found["y_test"], parts["t10k"][1])
    trials = trained("mnist")
    assert {*trials["norm"]} == {"none", "batch"}
    assert np.isfinite(trials["test_loss"]).all()


def test_the_pickles_of_cifar_become_arrays(folder):
    x, y = images(60, (3, 32, 32))
    for place, name in enumerate([*(f"data_batch_{each}" for each in range(1, 6)), "test_batch"]):
        part = slice(10 * place, 10 * place + 10)
        batch = {b"data": x[part].reshape(10, -1), b"labels": y[part].tolist()}
        (folder / name).write_bytes(pickle.dumps(batch))
    exec(SCRIPTS["cifar_npz.py"], {})
    found = np.load("cifar.npz")
    np.testing.assert_array_equal(found["x_train"], x[:50])
    np.testing.assert_array_equal(found["x_test"], x[50:])
    np.testing.assert_array_equal(found["y_train"], y[:50])


def test_the_data_sets_of_torchvision_become_arrays(monkeypatch):
    x, y = images(30, (3, 32, 32))

    def stand_in(root, train):
        part = slice(20) if train else slice(20, None)
        return SimpleNamespace(data=x[part].transpose(0, 2, 3, 1), targets=y[part].tolist())

    module = ModuleType("torchvision.datasets")
    module.CIFAR10 = stand_in
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.datasets", module)
    exec(SCRIPTS["torchvision_npz.py"], {})
    task = config.resolve({"study": "s", "task": {"name": "arrays", "path": "cifar.npz"}, "batch_size": "full"}, "s")[
        "task"
    ][0]
    assert task["found"]["shape"] == [3, 32, 32]
    np.testing.assert_array_equal(np.load("cifar.npz")["x_train"], x[:20])


def test_the_data_set_that_is_shown_trains(folder):
    (folder / "moved.py").write_text(SCRIPTS["moved.py"], encoding="utf-8")
    trials = trained("moved")
    assert {*trials["task"]} == {"moved most=2"}
    assert (trials["test_accuracy"] > 0.1).all()


def test_the_autoencoder_that_is_shown_learns():
    trials = trained("autoencoder")
    assert (trials["r2"] > 0).all()


@pytest.mark.parametrize("task", [{"path": "x.npz"}, {"path": "all.npz", "test_fraction": 0.2}])
def test_arrays_are_their_own_targets_without_y(task):
    x, _ = images(50, (8, 8))
    written("x.npz", {"x_train": x[:40], "x_test": x[40:]})
    written("all.npz", {"x": x})
    study = {"study": "s", "task": {"name": "arrays", "target": "inputs", **task}}
    assert config.resolve(study, "s")["task"][0]["found"]["outputs"] == 64
