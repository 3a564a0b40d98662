"""The files of one's own that docs/extending.md and docs/networks.md show, trained as their reader would train them."""

import numpy as np
import pandas as pd
import pytest
import torch
from guide import NETWORKS, README, own_files

from bnbench import train
from bnbench.plan import config
from bnbench.plan.chunks import Chunk

FILES = dict(zip(("network", "norm", "optimizer", "loss", "metric"), own_files(), strict=True))
ADAM = {"name": "adam", "lr": 0.001}
SMALL = {"hidden": [8], "batch_size": 100, "optimizer": ADAM}


def trained(example, folder):
    """Trials and losses of an example, as its config has them but for its length."""
    name, source, study = example
    (folder / name).write_text(source, encoding="utf-8")
    short = {"seeds": 2, "epochs": 2, "evaluate_every": 1}
    for setting in config.load({**SMALL, **study, **short}, "study.yaml").settings:
        said = train.run(Chunk(setting, 0, 2), folder / "results", 1)
        assert "trained seeds 0 to 1 for 2 epochs" in said
    return [pd.read_parquet(folder / "results" / table) for table in ("trials", "losses")]


def shown(kind, build):
    """What an example defines."""
    namespace = {}
    exec(FILES[kind][1], namespace)
    return namespace[build]


@pytest.mark.parametrize("kind", FILES)
def test_there_is_a_file_of_all_that_one_may_write(kind):
    assert FILES[kind][2]["study"] == kind
    assert FILES[kind][2]["metrics" if kind == "metric" else kind]


@pytest.mark.parametrize("example", own_files(NETWORKS), ids=lambda example: example[0])
def test_a_network_that_the_page_of_networks_shows_trains_in_every_arm(tmp_path, monkeypatch, example):
    monkeypatch.chdir(tmp_path)
    trials, _ = trained(example, tmp_path)
    assert {*trials["norm"]} == {*example[2].get("norm", ["none", "batch"])}
    assert np.isfinite(trials["test_loss"]).all()
    assert trials["test_loss"].nunique() == len(trials)
    assert [*trials.groupby("seed")["weights_hash"].nunique()] == [1, 1]


def test_the_page_of_networks_shows_three_of_them():
    assert [name for name, *_ in own_files(NETWORKS)] == ["nets.py", "recurrent.py", "existing.py"]


def test_the_readme_shows_the_first_of_them():
    assert own_files(README) == own_files(NETWORKS)[:1]


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("network", {"network": {"my_net width=8"}, "norm": {"none", "batch"}}),
        ("norm", {"network": {"cnn"}, "norm": {"none", "batch", "LengthNorm eps=1e-06"}}),
        ("optimizer", {"norm": {"none", "batch"}, "optimizer": {"Lion lr=0.0003 weight_decay=0.01"}}),
        ("loss", {"task": {"diabetes"}, "norm": {"none", "batch"}}),
        ("metric", {"task": {"digits"}, "norm": {"none", "batch"}}),
    ],
)
def test_an_example_trains_every_arm_from_the_same_weights(tmp_path, monkeypatch, kind, labels):
    monkeypatch.chdir(tmp_path)
    trials, losses = trained(FILES[kind], tmp_path)
    arms = len(labels["norm"])
    assert {name: {*trials[name]} for name in labels} == labels
    assert len(trials) == 2 * arms
    assert len(losses) == 2 * 2 * arms
    assert np.isfinite(losses[["train_loss", "eval_loss", "test_loss", "test_loss_precise"]]).all(axis=None)
    assert trials["test_loss"].nunique() == 2 * arms
    assert [*trials.groupby("seed")["weights_hash"].nunique()] == [1, 1]
    by_epoch = losses.groupby("epoch")["eval_loss"].mean()
    assert by_epoch[1] < by_epoch[0]


def test_the_norm_that_is_shown_gives_every_example_the_length_1():
    norm = shown("norm", "LengthNorm")
    for shape in [(5, 4), (5, 4, 3), (5, 4, 3, 2)]:
        x = 9 * torch.randn(shape, generator=torch.Generator().manual_seed(0))
        y = norm(channels=4, eps=0)(x)
        torch.testing.assert_close(y, torch.nn.functional.normalize(x.flatten(1)).view(shape))


def test_the_optimizer_that_is_shown_steps_by_the_sign_of_its_average():
    weight = torch.nn.Parameter(torch.tensor([2.0, -2.0]))
    optimizer = shown("optimizer", "Lion")([weight], lr=0.1, betas=(0.5, 0.9), weight_decay=0.5)
    with torch.no_grad():
        weight.grad = torch.tensor([3.0, -1.0])  # average 0 → 0.3, −0.1
        optimizer.step()
        torch.testing.assert_close(weight.data, torch.tensor([1.9 - 0.1, -1.9 + 0.1]))
        weight.grad = torch.tensor([-0.2, -1.0])  # between the average 0.3 and −0.2, half way: above 0
        optimizer.step()
        torch.testing.assert_close(weight.data, torch.tensor([1.8 * 0.95 - 0.1, -1.8 * 0.95 + 0.1]))


def test_the_loss_that_is_shown_is_squared_near_0_and_absolute_beyond():
    huber = shown("loss", "huber")
    output = torch.tensor([[0.25], [2.0]])
    assert huber(output, torch.zeros(2, 1), delta=0.5).tolist() == [0.25**2 / 2, 0.5 * (2.0 - 0.25)]


def test_the_metric_that_is_shown_counts_the_right_class_among_the_two_best(tmp_path, monkeypatch):
    top2 = shown("metric", "top2_accuracy")
    output = torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [0.0, 5.0, 9.0], [7.0, 0.0, 1.0]])
    assert top2(output, torch.eye(3)[[1, 2, 2, 1]]).item() == 0.5
    monkeypatch.chdir(tmp_path)
    trials, losses = trained(FILES["metric"], tmp_path)
    assert (losses["top2_accuracy"] >= losses["test_accuracy"]).all()
    assert trials["top2_accuracy"].between(0.1, 1).all()
