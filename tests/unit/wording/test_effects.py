"""Effects in words: exactly, on the scale and in the unit of the outcome, and on their side of no effect."""

import math
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bnbench.outcomes import OUTCOMES
from bnbench.wording import effects

pytestmark = pytest.mark.filterwarnings("error")

several = settings(max_examples=200, deadline=None, derandomize=True)
ratios = st.floats(-20, 20).map(math.exp)
LOSS, ACCURACY, GAP = (OUTCOMES[name] for name in ("test_loss", "test_accuracy", "generalization_gap"))


@pytest.mark.parametrize(
    ("ratio", "low", "high", "said"),
    [
        (1.04, 1.004, 1.08, "4 % higher (0.4 % to 8 %)"),
        (1.5, 1.1, 2.6, "50 % higher (10 % to 160 %)"),
        (1.996, 1.2, 3.0, "2.0 times as high (1.20 to 3.0)"),
        (0.25, 0.2, 0.5, "4.0-fold lower (2.0 to 5.0)"),
        (1.1, 0.5, 12.4, "10 % higher (2.0-fold lower to 12 times as high)"),
        (6312.0, 10.0, 1.23e8, "6,300 times as high (10 to 1.2e+08)"),
        (1.0, 1.0, 1.0, "equal (equal to equal)"),
        (1.0, 0.0, math.inf, "equal (∞-fold lower to ∞ times as high)"),
        (9.0, math.nan, math.nan, "9.0 times as high"),
    ],
)
def test_a_change_is_in_per_cent_below_a_factor_of_two(ratio, low, high, said):
    assert effects.change(LOSS, {"effect": ratio, "effect_low": low, "effect_high": high}) == said


@given(ratios, st.floats(1.0001, 50), st.floats(1.0001, 50))
@several
def test_a_change_names_both_sides_exactly_where_its_interval_holds_both(ratio, below, above):
    low, high = ratio / below, ratio * above
    said = effects.change(LOSS, {"effect": ratio, "effect_low": low, "effect_high": high}, level_text="95 % interval ")
    sides = {{"times as high": "higher"}.get(side, side) for side in re.findall("times as high|higher|lower", said)}
    if low > 1 or high < 1:
        assert sides == {"higher" if low > 1 else "lower"}
    else:
        assert sides == {"higher", "lower"}
    assert "(95 % interval " in said
    assert not re.search(r"nan|inf\b", said)


@given(ratios)
@several
def test_an_amount_is_the_same_for_a_factor_and_for_its_inverse_from_two_on(ratio):
    assert effects.size(LOSS, ratio) == pytest.approx(effects.size(LOSS, 1 / ratio))
    assert effects.amount(LOSS, ratio).startswith("a factor of ") == (effects.size(LOSS, ratio) >= 1.995)
    assert effects.changed(LOSS, ratio).endswith("lower") == (ratio < 1)


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        ([8.6, 1.43], "1.4 to 8.6 times as high"),
        ([1 / 12, 1 / 1.1], "1.1- to 12-fold lower"),
        ([1.04, 3.0], "1.04 to 3.0 times as high"),
        ([1.12, 1.43], "12 % to 43 % higher"),
        ([1.43, 1.43], "43 % higher"),
        ([10.0, 520.0], "10 to 520 times as high"),
    ],
)
def test_a_range_of_effects_has_one_unit(ratios, said):
    assert effects.span(LOSS, ratios) == said


@pytest.mark.parametrize(
    ("outcome", "effect", "low", "high", "said"),
    [
        (ACCURACY, 0.013, 0.004, 0.022, "1.3 percentage points higher (0.40 to 2.2 percentage points)"),
        (ACCURACY, -0.013, -0.022, -0.004, "1.3 percentage points lower (0.40 to 2.2 percentage points)"),
        (
            ACCURACY,
            0.001,
            -0.0125,
            0.015,
            "0.10 percentage points higher (1.2 percentage points lower to 1.5 percentage points higher)",
        ),
        (ACCURACY, 0.01, math.nan, math.nan, "1.0 percentage points higher"),
        (GAP, -2.12, -4.77, 0.588, "2.1 lower (4.8 lower to 0.59 higher)"),
        (GAP, 0.0, 0.0, 0.0, "equal (equal to equal)"),
    ],
)
def test_a_difference_is_in_the_unit_of_its_outcome(outcome, effect, low, high, said):
    assert effects.change(outcome, {"effect": effect, "effect_low": low, "effect_high": high}) == said


@given(st.sampled_from([LOSS, ACCURACY, GAP]), st.floats(-0.5, 0.5))
@several
def test_what_a_table_shows_is_on_its_side_of_no_effect(outcome, size):
    effect = outcome.unscaled(size)
    assume(effect != outcome.no_effect)
    shown = float(effects.plain(outcome, effect).replace("−", "-").replace(",", ""))
    assert (shown > outcome.no_effect) == (effect > outcome.no_effect)
    assert shown != outcome.no_effect


@pytest.mark.parametrize(
    ("outcome", "value", "margin"),
    [(LOSS, "9.78e-01", "1.05"), (ACCURACY, "97.8 %", "1 percentage point"), (GAP, "0.978", "0.05")],
)
def test_values_and_margins_are_in_the_unit_of_their_outcome(outcome, value, margin):
    assert effects.value(outcome, 0.978) == value
    assert effects.margin(outcome, outcome.margin) == margin
