"""The cost of networks that train one at a time: multiplications as torch counts them, and what they add up to."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from specs import named, own, spec, written_own

from bnbench.catalogue import networks, tasks
from bnbench.catalogue.norms import Identity
from bnbench.catalogue.split_tasks import Digits
from bnbench.catalogue.tasks import TASKS
from bnbench.plan import config, cost, modular_cost
from bnbench.plan.modular_cost import Probe

NETWORKS = [
    named("network", "cnn"),
    named("network", "cnn", channels=(5,), kernel=5),
    named("network", "cnn", channels=(3, 4, 5, 6, 7), kernel=1),
    named("network", "resnet"),
    named("network", "resnet", depth=20, width=5),
    named("network", "mlp", hidden=(7, 9), dropout=0.5),
]


@dataclass(frozen=True)
class Photographs(Digits):
    """Images of three channels and odd sides."""

    def inputs(self):
        return 3 * 13 * 10

    def shape(self):
        return 3, 13, 10


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network["name"])
@pytest.mark.parametrize("task", ["digits", "photographs"])
def test_multiplications_are_those_that_torch_counts(monkeypatch, network, task):
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from bnbench.trainer.modules import Places, built

    monkeypatch.setitem(TASKS, "photographs", Photographs)
    setting = spec(task={**named("task", "digits"), "name": task}, network=network)
    shape = tasks.of(setting).shape()
    module = built(networks.of(setting), Places(Identity(), lambda _: torch.nn.Identity()), shape, 10)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.zeros(2, *shape))
    assert modular_cost.multiplications(setting) == counter.get_total_flops() / 2 / 2  # two examples; a sum each


def test_nothing_is_known_of_a_network_of_the_users():
    assert modular_cost.multiplications(spec(network=own("network"))) == 0


modular = st.builds(
    spec,
    task=st.just(named("task", "digits")),
    network=st.sampled_from([*NETWORKS, own("network")]),
    optimizer=st.sampled_from([named("optimizer", "muon"), named("optimizer", "sgd", clip=1.0)]),
    batch_size=st.sampled_from(["full", 50, 1000]),
    epochs=st.integers(1, 10_000),
    evaluate_every=st.integers(1, 100),
    device=st.sampled_from(["cpu", "cuda"]),
)
probes = st.none() | st.builds(Probe, st.floats(1e-5, 10), st.floats(1e-5, 10), st.floats(1, 10_000))
quick = settings(max_examples=100, deadline=None)


@quick
@given(modular, probes, st.integers(1, 100), st.integers(1, 100))
def test_more_seeds_and_more_epochs_cost_more(setting, probe, seeds, more):
    assert cost.seconds(setting, seeds + more, probe) > cost.seconds(setting, seeds, probe) > 0
    longer = {**setting, "epochs": setting["epochs"] + more}
    assert cost.seconds(longer, seeds, probe) > cost.seconds(setting, seeds, probe)
    assert cost.memory(setting, seeds + more, probe) > cost.memory(setting, seeds, probe) > 0


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (named("network", "cnn"), named("network", "cnn", channels=(32, 64))),
        (named("network", "cnn"), named("network", "cnn", kernel=5)),
        (named("network", "resnet"), named("network", "resnet", depth=14)),
        (named("network", "resnet"), named("network", "resnet", width=32)),
        (own("network"), named("network", "cnn")),
    ],
)
def test_a_larger_network_takes_longer_and_one_of_which_nothing_is_known_is_taken_for_the_smallest(less, more):
    times = [cost.seconds(spec(task=named("task", "digits"), network=network), 1) for network in (less, more)]
    assert times[0] < times[1]


def test_steps_and_evaluations_are_those_of_the_training():
    setting = spec(task=named("task", "sine", points=101), batch_size=25, epochs=7, evaluate_every=3)
    assert modular_cost.counts(setting) == (7 * 4, 3)  # the last batch, of one example, joins the one before it
    assert modular_cost.counts({**setting, "batch_size": "full"}) == (7, 3)
    assert modular_cost.counts({**setting, "batch_size": 50}) == (7 * 2, 3)


def test_whoever_has_measured_a_network_gets_the_time_that_it_really_takes():
    setting = spec(network=own("network"), batch_size=25, epochs=100, evaluate_every=10)
    probe = Probe(step=0.5, evaluation=2.0, mebibytes=4000.0)
    assert cost.seconds(setting, 3, probe) == 3 * (400 * 0.5 + 10 * 2.0)
    assert cost.memory(setting, 3, probe) > 4000
    unknown, known = cost.asked(setting, 3, 1), cost.asked(setting, 3, 1, Probe(0.001, 0.001, 100.0))
    assert unknown.minutes >= 60 > known.minutes
    assert cost.asked(setting, 3, 1, probe).minutes * 60 >= 2 * 660 + 120


@quick
@given(modular)
def test_the_size_of_jobs_follows_from_the_setting_alone(setting):
    size = cost.seeds_per_job(setting)
    assert str(size).rstrip("0") in ("1", "2", "5")
    assert size == 1 or cost.seconds(setting, size) <= cost.JOB_SECONDS
    assert cost.seeds_per_job(json.loads(json.dumps(setting))) == size


def test_the_size_of_jobs_follows_neither_from_where_a_file_lies_nor_from_what_is_in_it(tmp_path):
    def size(path):
        network = {**written_own("network"), "path": str(path)}
        study = config.load({"study": "x", "network": network, "batch_size": 25}, "x.yaml")
        return cost.seeds_per_job(study.settings[0].spec)

    text = Path(written_own("network")["path"]).read_text(encoding="utf-8")
    for folder, content in (("a", text), ("b", text + "# slow\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "nets.py").write_text(content, encoding="utf-8")
    assert size(tmp_path / "a" / "nets.py") == size(tmp_path / "b" / "nets.py") > 1


def test_jobs_of_a_network_of_which_nothing_is_known_are_cut_shorter():
    setting = spec(network=own("network"), batch_size=25, epochs=1000)
    assert cost.seconds(setting, cost.seeds_per_job(setting)) <= cost.JOB_SECONDS / 5
