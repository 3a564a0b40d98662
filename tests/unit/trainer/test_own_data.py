"""Data that a function of the user's gives: what the planner is told of them, and what is trained with them."""

import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from specs import named, spec

from bnbench.catalogue import tasks
from bnbench.errors import UserError
from bnbench.plan import config, described
from bnbench.trainer import draws, own_data, points
from bnbench.trainer.chunk import train
from bnbench.trainer.points import Seen

FILE = str(Path(__file__).parents[1] / "own" / "data.py")
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """The user's functions are asked in this process, and nothing is known before."""
    monkeypatch.setenv(described.KNOWN, "{}")
    monkeypatch.setattr(described, "_asked", lambda entry: own_data.facts(entry).to_json())
    own_data._made.clear()


def entry(build, **options):
    task = {"name": "module", "path": FILE, "build": build, **options}
    return config.resolve({"study": "s", "task": task}, "s")["task"][0]


def setting(build, changes=(), **options):
    network = named("network", "cnn", channels=[4])
    base = {"network": network, "batch_size": 16, "epochs": 3, "evaluate_every": 1}
    return spec(**{**base, "task": entry(build, **options), **dict(changes)})


def trained(chosen, seeds=range(2)):
    task = tasks.of(chosen)
    return train(chosen, seeds, [task.data(seed) for seed in seeds], CPU)


def facts(build, **options):
    task = tasks.of({"task": entry(build, **options)})
    return task.train_points(), task.tested_points(), task.shape(), task.kind(), task.outputs(), task.drawn()


@pytest.mark.parametrize(
    ("build", "options", "expected"),
    [
        ("tensors", {}, (40, 20, (1, 6, 6), "classes", 2, ("data",))),
        ("tensors", {"points": 30, "classes": False}, (30, 20, (1, 6, 6), "numbers", 1, ("data",))),
        ("arrays", {}, (40, 20, (1, 6, 6), "numbers", 1, ())),
        ("arrays", {"target": "inputs"}, (40, 20, (1, 6, 6), "numbers", 36, ())),
        ("inputs", {"target": "inputs"}, (40, 20, (5,), "numbers", 5, ())),
        ("images", {}, (40, 20, (1, 6, 6), "classes", 2, ())),
        ("images", {"target": "inputs"}, (40, 20, (1, 6, 6), "numbers", 36, ())),
        ("counted", {}, (40, 20, (1, 6, 6), "classes", 2, ())),
        ("numbers", {}, (40, 20, (1, 6, 6), "numbers", 2, ())),
    ],
)
def test_the_planner_is_told_what_the_function_gives(build, options, expected):
    assert facts(build, **options) == expected


@pytest.mark.parametrize(
    ("build", "options", "told"),
    [
        ("nothing", {}, "nothing gives a NoneType, allowed: (train_x, train_y, test_x, test_y)"),
        ("three", {}, "three gives 3 values (int, int, int), allowed:"),
        ("streams", {}, "streams gives 2 values (Stream, Stream), allowed:"),
        ("inputs", {}, "inputs gives 2 values (Tensor, Tensor), allowed:"),
        ("bad", {"what": "single"}, "example 0 is a Tensor, allowed: a pair (x, y)"),
        ("bad", {"what": "text"}, "x of example 0 is a str, allowed: a tensor, an array or a number"),
        ("images", {"points": 1}, "images gives 1 and 20 examples, allowed: at least 2 and 1"),
    ],
)
def test_what_is_no_data_is_told_of(build, options, told):
    with pytest.raises(UserError, match=re.escape(told)):
        facts(build, **options)


@pytest.mark.parametrize(
    ("build", "options", "line", "doing"),
    [
        ("failing", {}, "return undefined_name", "makes the data with failing"),
        ("leaving", {}, "raise SystemExit", "makes the data with leaving"),
        ("bad", {"what": "error"}, '"error": lambda: (1 / 0, y),', "loads an example"),
    ],
)
def test_an_error_in_the_users_file_is_told_in_three_lines_with_the_users_line(build, options, line, doing):
    with pytest.raises(UserError) as error:
        facts(build, **options)
    first, second, third = str(error.value).splitlines()
    assert re.match(rf"s: task: {re.escape(FILE)}:\d+: in ", first)
    assert line in second
    assert third.startswith(f"while bnbench {doing}")


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_the_midst_of_an_epoch_is_told_alike_by_the_job_and_by_a_worker(workers):
    task = tasks.of({"task": entry("images", workers=workers)})
    chosen = own_data._loader(task, own_data._called(task, 0)[0])
    chosen.dataset = sys.modules[type(chosen.dataset).__module__].Bad(40, "error", 10)
    from bnbench.trainer.examples import Converted
    from bnbench.trainer.loaded import Loaded

    found = Loaded(chosen, np.arange(40), Converted(2, (1, 6, 6), torch.float32, CPU), 0)
    with pytest.raises(UserError) as error:
        [*found.batches([(0, 8), (8, 16), (16, 24)], None, "forward.0")]
    first, second, third = str(error.value).splitlines()
    assert first.startswith(f"{FILE}:")
    assert "ZeroDivisionError" in first
    assert "1 / 0" in second
    assert third.startswith("while bnbench loads an example")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("shape", "all of one shape and type"),
        ("class", "found class 2"),
        ("NaN", r"x of example \d\d holds NaN or infinity, allowed: numbers"),
    ],
)
def test_an_example_unlike_the_first_is_told_of(what, told):
    chosen = setting("images")
    chosen["task"] |= {"build": "bad", "what": what, "at": 10}
    with pytest.raises(UserError, match=told):
        trained(chosen)


def test_other_sizes_for_another_seed_are_refused():
    with pytest.raises(UserError, match=r"changing gives 41 and 20 examples of .* for seed 1, and 40 and 20"):
        trained(setting("changing"))


def test_other_classes_for_another_seed_are_refused():
    told = r"more_classes gives \d classes for seed 1, and 2 classes when it was planned, allowed: the same"
    with pytest.raises(UserError, match=told):
        trained(setting("more_classes"))


def test_a_function_that_takes_a_seed_draws_from_it_and_one_that_takes_none_is_called_once(monkeypatch):
    calls = []
    call = own_data.usercode.call
    monkeypatch.setattr(own_data.usercode, "call", lambda *args, **kw: calls.append(kw["seed"]) or call(*args, **kw))
    with_seed, without = setting("tensors"), setting("images")
    calls.clear()
    losses = trained(with_seed, range(3)).losses["test_loss"]
    assert len({*losses[-1]}) == 3
    assert {*calls} == {0, 1, 2}
    calls.clear()
    trained(without, range(3))
    assert calls == [0]


def test_all_seeds_have_one_data_set():
    task = tasks.of({"task": entry("images")})
    opened = [points.opened(task.data(seed), Seen((1, 6, 6), torch.float32, CPU, seed)) for seed in range(3)]
    assert len({id(each["train"]._loader.dataset) for each in opened}) == 1


@pytest.mark.parametrize("changes", [{}, {"seed_varies": "order"}, {"accumulate": 2}, {"validation": 0.2}])
def test_the_bits_are_the_same_however_many_workers_load(changes):
    one, *others = [trained(setting("images", changes, workers=workers)) for workers in (0, 1, 2)]
    for other in others:
        for name, values in one.losses.items():
            np.testing.assert_array_equal(values, other.losses[name], err_msg=name)


def test_a_networks_own_draws_are_the_same_however_many_workers_load():
    dropping = {"network": named("network", "cnn", channels=[4], dropout=0.5)}
    one, other = (trained(setting("images", dropping, workers=workers)) for workers in (0, 2))
    np.testing.assert_array_equal(one.losses["train_loss"], other.losses["train_loss"])


def batches(build="images", seed=0, role="forward.0", order=None, **options):
    task = tasks.of({"task": entry(build, **options)})
    found = points.opened(task.data(seed), Seen((1, 6, 6), torch.float32, CPU, seed))["train"]
    return torch.cat([x for x, _ in found.batches([(0, 7), (7, 40)], order, role)])


def test_what_an_example_draws_depends_on_seed_epoch_and_place_alone():
    x = batches()
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    assert torch.equal(batches(order=order), x[order])
    for other in (batches(seed=1), batches(role="forward.1")):
        assert (other != x).flatten(1).any(1).all()


def test_loading_leaves_the_generators_as_they_were():
    import random

    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    expected = torch.rand(1).item(), np.random.rand(), random.random()  # noqa: NPY002
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002
    random.seed(0)
    batches(workers=2)
    batches()
    assert (torch.rand(1).item(), np.random.rand(), random.random()) == expected  # noqa: NPY002


def test_loading_leaves_the_generators_of_gpus_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    batches()
    assert not seeded
    draws.seed_everything(0, "forward.0")
    assert len(seeded) == 1


def test_classes_are_counted_behind_what_changes_them(tmp_path):
    path = tmp_path / "data.py"
    path.write_text(
        "import torch\n\n\nclass Halved(torch.utils.data.Dataset):\n"
        "    def __init__(self, change):\n"
        "        self.targets, self.target_transform = [place % 10 for place in range(30)], change\n\n"
        "    def __len__(self):\n        return 30\n\n"
        "    def __getitem__(self, place):\n"
        "        y = self.targets[place]\n"
        "        return torch.ones(3) * place, self.target_transform(y) if self.target_transform else y\n\n\n"
        "def make(halved=True):\n"
        "    change = (lambda y: y % 2) if halved else None\n    return Halved(change), Halved(change)\n",
        encoding="utf-8",
    )
    assert [tasks.of({"task": entry("make", path=str(path), halved=each)}).outputs() for each in (True, False)] == [
        2,
        10,
    ]


def test_bytes_of_examples_are_divided_by_255():
    x = batches("numbers")
    assert 0 < x.max() <= 1
    assert torch.equal((x * 255).round() / 255, x)


def test_the_address_follows_file_and_parameters_and_neither_place_nor_workers():
    def address(**options):
        study = {"study": "s", "task": {"name": "module", "path": FILE, "build": "tensors", **options}}
        return config.load(study, "s").settings[0].address

    assert address() == address(workers=2)
    assert len({address(), address(version=2), address(points=30)}) == 3


def test_a_checkpoint_goes_on_as_if_there_had_been_no_pause(tmp_path):
    from bnbench.trainer.loop import train_networks
    from bnbench.trainer.modular import ModularEngine

    chosen = setting("images", {"norm": named("norm", "batch")}, workers=1)
    data = [tasks.of(chosen).data(seed) for seed in (0, 1)]
    kept = []

    def keep(epochs, state):
        if epochs == 2:
            kept.append(state())

    straight = train_networks(ModularEngine.of(chosen, [0, 1], data, CPU), chosen, after_epoch=keep)
    resumed = train_networks(ModularEngine.of(chosen, [0, 1], data, CPU), chosen, start=kept[0])
    for name, values in straight.losses.items():
        np.testing.assert_array_equal(values, resumed.losses[name])


def test_facts_are_asked_once_and_handed_to_the_processes_that_this_one_starts(monkeypatch):
    asked = []
    monkeypatch.setattr(described, "_asked", lambda entry: asked.append(entry) or own_data.facts(entry).to_json())
    one, again, other = entry("tensors"), entry("tensors", workers=2), entry("tensors", points=30)
    assert one["found"] == again["found"] != other["found"]
    assert len(asked) == 2
    assert len(json.loads(os.environ[described.KNOWN])) == 2
