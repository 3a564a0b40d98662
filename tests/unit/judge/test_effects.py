"""From differences of costs to effects: a ratio, or a difference with the sign that the score has."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench.judge.effects import effect_of, interval_of
from bnbench.outcomes import OUTCOMES

pytestmark = pytest.mark.filterwarnings("error")

SCALES = {"test_loss": math.exp, "generalization_gap": lambda x: x, "test_accuracy": lambda x: -x}


@pytest.mark.parametrize("name", SCALES)
@given(st.lists(st.floats(-300, 300), min_size=3, max_size=3).map(sorted))
def test_an_effect_is_on_the_scale_of_its_outcome_and_its_limits_rise(name, drawn):
    low, mean, high = drawn
    found = interval_of(OUTCOMES[name], mean, low, high)
    assert found.mean == pytest.approx(SCALES[name](mean))
    assert sorted(found[1:]) == list(found[1:]) == pytest.approx(sorted((SCALES[name](low), SCALES[name](high))))


@pytest.mark.parametrize("name", OUTCOMES)
def test_no_difference_is_no_effect(name):
    effect = effect_of(OUTCOMES[name], 0.0)
    assert effect == OUTCOMES[name].no_effect
    assert math.copysign(1, effect) == 1


def test_a_ratio_beyond_all_numbers_is_infinite():
    assert effect_of(OUTCOMES["test_loss"], [1e9, -1e9]).tolist() == [math.inf, 0.0]
