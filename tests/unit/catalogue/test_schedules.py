"""The schedules, against torch's, and the rise at their start."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bnbench.catalogue.parameters import schema
from bnbench.catalogue.schedules import SCHEDULES, Constant, Cosine, Step


@pytest.mark.parametrize(
    ("schedule", "theirs"),
    [
        (Cosine(final=0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=20, eta_min=0.05)),
        (Step(every=6, gamma=0.3), lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=6, gamma=0.3)),
        (SCHEDULES["constant"](), lambda o: torch.optim.lr_scheduler.ConstantLR(o, factor=1.0)),
    ],
)
def test_schedules_are_torchs(schedule, theirs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    scheduler = theirs(optimizer)
    for epoch in range(20):
        assert 0.5 * schedule.factor(epoch, 20) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


@given(st.sampled_from([Constant(), Cosine(final=0.2), Step(every=3)]), st.integers(1, 30), st.integers(0, 40))
def test_without_warmup_the_rate_is_that_of_the_schedule(schedule, epochs, epoch):
    assert schedule.warmed(epoch, epochs) == schedule.factor(epoch, epochs)


def test_warmup_is_a_straight_line_to_the_full_rate_as_torchs():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / 5, total_iters=4)
    schedule = Constant(warmup=4)
    for epoch in range(10):
        assert 0.5 * schedule.warmed(epoch, 10) == pytest.approx(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()


def test_warmup_is_on_top_of_what_the_schedule_does_meanwhile():
    assert Step(every=1, gamma=0.5, warmup=3).warmed(1, 10) == 0.5 * 2 / 4
    assert Step(every=1, gamma=0.5, warmup=3).warmed(3, 10) == 0.125


def test_a_rate_is_constant_only_without_a_rise():
    assert Constant().is_constant()
    assert not any(schedule.is_constant() for schedule in (Constant(warmup=1), Cosine(), Step(every=2)))


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_may_rise_at_first(name):
    assert schema(SCHEDULES[name])["properties"]["warmup"]["since"] == "0.4.0"
