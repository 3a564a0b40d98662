"""What the tests on a GPU train can be trained: each setting once on a CPU, briefly."""

import numpy as np
import pytest
import torch
from on_devices import ALL_OPTIMIZERS, ELEMENTWISE, MODULAR, SCHEDULES_SET, STACKED

from bnbench.catalogue import tasks
from bnbench.catalogue.activations import ACTIVATIONS
from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.parameters import build
from bnbench.catalogue.schedules import SCHEDULES
from bnbench.plan import engines
from bnbench.trainer.chunk import train

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("setting", "engine"),
    [*((each, "stacked") for each in STACKED.values()), *((each, "modular") for each in MODULAR.values())],
    ids=[*STACKED, *MODULAR],
)
def test_a_setting_can_be_trained(setting, engine):
    brief = {**setting, "epochs": 2, "evaluate_every": 1}
    assert engines.engine(brief) == engine
    found = train(brief, range(2), [tasks.of(brief).data(seed) for seed in range(2)], CPU)
    assert found.diverged_at == [None, None]
    assert np.isfinite(found.losses["test_loss"]).all()


def having(key, of="name"):
    return {setting[key] if of is None else setting[key][of] for setting in STACKED.values()}


def test_every_arm_activation_optimizer_and_schedule_that_stacks_is_among_them():
    assert having("norm") == {name for name, norm in NORMS.items() if name != "module" and norm().stacks()}
    assert having("activation", None) == set(ACTIVATIONS)
    trained = {(each["optimizer"]["name"], each["schedule"]["name"]) for each in STACKED.values()}
    assert trained == {(name, schedule) for name in ELEMENTWISE for schedule in SCHEDULES}
    assert {each["optimizer"]["name"] for each in MODULAR.values()} == set(ALL_OPTIMIZERS)
    assert having("task") >= {"sine", "mixture", "diabetes", "digits", "moons"}


def test_the_rate_changes_under_all_schedules_but_one():
    constant = [name for name, entry in SCHEDULES_SET.items() if build(SCHEDULES, entry).is_constant()]
    assert constant == ["constant"]
