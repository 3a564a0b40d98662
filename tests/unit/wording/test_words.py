"""Names and numbers in words: exactly, where they are read most, and never across a line that decides."""

import math
import re

import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench.catalogue.norms import NORMS
from bnbench.catalogue.optimizers import OPTIMIZERS
from bnbench.plan.levels import level
from bnbench.vocabulary import OUTCOMES
from bnbench.wording import captions, formats, titles

pytestmark = pytest.mark.filterwarnings("error")

several = settings(max_examples=200, deadline=None, derandomize=True)
ratios = st.floats(-20, 20).map(math.exp)


@pytest.mark.parametrize(
    ("ratio", "low", "high", "said"),
    [
        (1.04, 1.004, 1.08, "4 % higher (0.4 % to 8 %)"),
        (1.5, 1.1, 2.6, "50 % higher (10 % to 160 %)"),
        (1.996, 1.2, 3.0, "2.0 × higher (1.20 to 3.0)"),
        (0.25, 0.2, 0.5, "4.0 × lower (2.0 to 5.0)"),
        (1.1, 0.5, 12.4, "10 % higher (2.0 × lower to 12 × higher)"),
        (6312.0, 10.0, 1.23e8, "6,300 × higher (10 to 1.2e+08)"),
        (1.0, 1.0, 1.0, "equal (equal to equal)"),
        (1.0, 0.0, math.inf, "equal (∞ × lower to ∞ × higher)"),
        (9.0, math.nan, math.nan, "9.0 × higher"),
    ],
)
def test_a_change_is_in_per_cent_below_a_factor_of_two(ratio, low, high, said):
    assert formats.change({"ratio": ratio, "ratio_low": low, "ratio_high": high}) == said


@given(ratios, st.floats(1.0001, 50), st.floats(1.0001, 50))
@several
def test_a_change_names_both_sides_exactly_where_its_interval_holds_both(ratio, below, above):
    low, high = ratio / below, ratio * above
    said = formats.change({"ratio": ratio, "ratio_low": low, "ratio_high": high}, level_text="95 % interval ")
    sides = set(re.findall("higher|lower", said))
    if low > 1 or high < 1:
        assert sides == {"higher" if low > 1 else "lower"}
    else:
        assert sides == {"higher", "lower"}
    assert "(95 % interval " in said
    assert not re.search(r"nan|inf\b", said)


@pytest.mark.parametrize(
    ("p", "said"),
    [(5e-5, "p < 0.0001"), (0.00123, "p = 0.0012"), (0.0496, "p = 0.0496"), (0.3126, "p = 0.31"), (1.0, "p = 1")],
)
def test_a_p_value_is_not_rounded_across_an_error_rate(p, said):
    assert formats.p_value(p) == said


@given(st.integers(0, 15).flatmap(lambda n: st.integers(1, 2**n).map(lambda k: k / 2**n)))
@several
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_no_p_value_of_sign_flips_is_said_on_the_other_side_of_an_error_rate(alpha, p):
    said = formats.p_value(p)
    if said != "p < 0.0001":
        assert (float(said.removeprefix("p = ")) < alpha) == (p < alpha)


@pytest.mark.parametrize(
    ("p", "alpha"),
    [(1637 / 2**15, 0.05), (999 / 20_000, 0.05), (0.04999, 0.05), (327 / 2**15, 0.01), (3276 / 2**15, 0.1)],
)
def test_a_p_value_just_below_an_error_rate_is_said_to_be_below(p, alpha):
    assert float(formats.p_value(p).removeprefix("p = ")) < alpha


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.25, "0.25 s"),
        (9.4, "9.4 s"),
        (12.3, "12 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (302400, "3.5 days"),
        (0, "0 s"),
        (60, "1 min 0 s"),
        (3600, "1 h 0 min"),
        (172800, "2.0 days"),
    ],
)
def test_a_duration_has_the_units_that_fit_it(seconds, said):
    assert formats.duration(seconds) == said


@pytest.mark.parametrize("seconds", [59.7, 119.6, 3599.8])
def test_a_duration_carries_what_rounds_to_sixty(seconds):
    assert "60" not in formats.duration(seconds)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1.04, "1.04"),
        (1.994, "1.99"),
        (1.996, "2.0"),
        (3.14, "3.1"),
        (9.96, "10"),
        (120.4, "120"),
        (6312, "6,300"),
        (1.2e6, "1.2e+06"),
        (math.inf, "∞"),
        (0.5, "0.50"),
    ],
)
def test_a_ratio_has_the_digits_that_it_needs(value, said):
    assert formats.number(value) == said


@given(ratios)
@several
def test_a_ratio_keeps_two_digits_however_small_it_is(ratio):
    # A ratio of ratios of 0.004 must not read as "0.00", which no ratio can be.
    assert float(formats.number(ratio).replace(",", "")) == pytest.approx(ratio, rel=0.06)


@given(ratios)
@several
def test_an_amount_is_the_same_for_a_factor_and_for_its_inverse_from_two_on(ratio):
    assert formats.factor_of(ratio) == pytest.approx(formats.factor_of(1 / ratio))
    assert formats.amount(ratio).endswith(" ×") == (formats.factor_of(ratio) >= 1.995)
    assert formats.changed(ratio).endswith("lower") == (ratio < 1)


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "1st"), (2.4, "2nd"), (13, "13th"), (83.3, "83rd"), (0, "0th"), (100, "100th"), (111, "111th")],
)
def test_a_percentile_is_in_order(value, said):
    assert formats.ordinal(value) == said


def test_lists_and_counts_read_as_people_write_them():
    assert [formats.listed(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [formats.count(number, "seed") for number in (0, 1, 1234)] == ["0 seeds", "1 seed", "1,234 seeds"]
    assert [formats.percent(share) for share in (0.95, 0.999, 0.0512, 1.0)] == ["95 %", "99.9 %", "5.12 %", "100 %"]
    assert formats.plural(titles.outcome("test_loss_precise")) == "test losses with precise statistics"


def title_of(factor, entry):
    return level(factor, entry).title


def test_everything_that_a_study_may_name_has_a_name():
    assert {title_of("norm", {"name": name}) for name in NORMS} >= {"no BN", "BN"}
    assert all(title_of("optimizer", {"name": name, "lr": 0.1}).endswith(" lr=0.1") for name in OPTIMIZERS)
    assert all(titles.outcome(name) for name in (*OUTCOMES, "epochs_to_target", "seconds"))
    assert (title_of("batch_size", "full"), title_of("batch_size", 25)) == ("full batch", "batch 25")
    assert (title_of("device", "cpu"), title_of("hidden", [64, 8])) == ("cpu", "64–8 hidden units")
    assert (title_of("activation", "relu"), title_of("activation", "tanh")) == ("ReLU", "tanh")
    assert title_of("init", "sequential") == "sequential initialization"
    assert title_of("schedule", {"name": "cosine", "final": 0.1}) == "cosine decay final=0.1"
    assert title_of("norm", {"name": "batch", "momentum": 0.01}) == "BN momentum=0.01"
    assert title_of("optimizer", {"name": "momentum", "lr": 0.1}) == "SGD with momentum lr=0.1"


def names(study):
    return [titles.context_name(study, labels) for labels, _ in study.contexts()]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ["Adam at full batch"]),
        ({"batch_size": ["full", 25]}, ["full batch", "batch 25"]),
        (synthetic.GRID, ["Adam at full batch", "SGD at full batch", "Adam at batch 25", "SGD at batch 25"]),
        ({"optimizer": [{"name": "sgd", "lr": 0.1}, {"name": "sgd", "lr": 0.2}]}, ["SGD lr=0.1", "SGD lr=0.2"]),
        ({"task": ["sine", "mixture"]}, ["sine", "mixture"]),
        ({"batch_size": ["full", 25], "report": {"factor": "batch_size", "baseline": "full"}}, ["no BN", "BN"]),
    ],
)
def test_contexts_are_named_by_what_tells_them_apart(changes, said):
    assert names(synthetic.plan(**changes)) == said


@pytest.mark.parametrize("changes", [{}, synthetic.GRID, {"task": ["sine", "mixture"], "device": ["cpu", "cuda"]}])
def test_no_two_contexts_of_a_study_have_the_same_name(changes):
    found = names(synthetic.plan(**changes))
    assert len(set(found)) == len(found)


def test_contrasts_name_their_treatment_where_there_are_several():
    row = {**synthetic.plan().contexts()[0][0], "baseline": "none", "treatment": "batch"}
    assert titles.contrast_name(synthetic.plan(), row) == "Adam at full batch"
    three = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])
    assert titles.contrast_name(three, row) == "BN, Adam at full batch"


def test_facts_of_one_context_do_not_speak_of_several():
    one, four = (captions.facts(synthetic.plan(**grid)) for grid in ({}, synthetic.GRID))
    assert (one["together"], one["contexts"]) == ("", "1 context")
    assert four["together"] == " for all 4 comparisons together"
    assert (one["baseline"], one["loss"]) == ("no BN", "test loss")
    assert (one["level"], one["narrow"], one["seeds"]) == ("95 %", "90 %", "8 seeds")
    assert one["window"] == "over the last 5 % of the measured epochs"
    last = captions.facts(synthetic.plan(report={"window": 0, "alpha": 0.01, "margin": 1.1}))
    assert (last["window"], last["level"], last["narrow"]) == ("at the last epoch", "99 %", "98 %")
    assert (last["alpha"], last["margin"]) == ("0.01", "1.1")
    three = captions.facts(synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}]))
    assert three["together"] == " for all 2 comparisons together"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "started from the same weights and saw the same examples in the same order"),
        ({"init": "sequential"}, "saw the same examples in the same order"),
        (
            {"hidden": [[4], [8]], "report": {"factor": "hidden", "baseline": [4]}},
            "saw the same examples in the same order",
        ),
        (
            {"task": ["sine", "mixture"], "report": {"factor": "task", "baseline": "sine"}},
            "were given the same random numbers",
        ),
        (
            {"batch_size": ["full", 25], "report": {"factor": "batch_size", "baseline": "full"}},
            "started from the same weights and saw the same examples",
        ),
    ],
)
def test_arms_are_said_to_share_what_they_share(changes, said):
    assert captions.alike(synthetic.plan(**changes)) == said


def test_levels_that_do_not_differ_are_summed_up():
    assert captions.levels(synthetic.plan(**synthetic.GRID)) == (
        "The arms are no BN and BN, in the tables none and batch. "
        "The contexts differ in batch size (full, 25) and optimizer (adam lr=0.001, sgd lr=0.1). "
        "The same everywhere: task sine, hidden size 4, activation relu, initialization independent, "
        "schedule constant, device cpu."
    )
    one = synthetic.plan(activation=["relu", "tanh"], report={"factor": "activation", "baseline": "relu"}, norm="none")
    assert captions.levels(one).startswith("The arms are ReLU and tanh. The same everywhere: task sine, hidden size 4,")
