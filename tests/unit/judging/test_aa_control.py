"""The A/A control: the baseline against itself says that something differs about as often as alpha, and no more."""

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench.judging import aa_control, verdicts

pytestmark = pytest.mark.filterwarnings("error")

FOUR = synthetic.plan(**synthetic.GRID)
THREE_ARMS = synthetic.plan(norm=["none", "batch", {"name": "batch", "momentum": 0.01}])


SPLITS = 60
"""Fewer than of a study, where their number is of no account."""


def noise(study, seeds=20, *, together=0.0, diverging=0.0, kept=lambda labels, seed: True, treated=0.0, stream=0):
    """Contrasts whose baseline is noise; contexts share `together` of its variance."""
    common = np.random.default_rng(stream).normal(size=seeds)

    def drawn(labels):
        key = [
            stream,
            *" ".join(labels[name] for name in ("baseline", "batch_size", "device", "optimizer", "task")).encode(),
        ]
        generator = np.random.default_rng(key)
        own = [seed for seed in range(seeds) if kept(labels, seed)]
        baseline = np.sqrt(together) * common + np.sqrt(1 - together) * generator.normal(size=seeds)
        baseline[generator.random(seeds) < diverging] = np.nan
        return own, baseline[own], baseline[own] + treated

    return synthetic.contrasts(study, drawn)


def row_of(study, contrasts, splits=SPLITS):
    (row,) = aa_control.table(study, contrasts, splits).to_dict("records")
    return row


@pytest.mark.parametrize(
    ("study", "options"),
    [(synthetic.plan(), {}), (FOUR, {}), (FOUR, {"together": 0.8}), (FOUR, {"diverging": 0.3}), (THREE_ARMS, {})],
    ids=["one context", "four contexts", "correlated contexts", "some diverged", "three arms"],
)
def test_noise_is_called_a_difference_about_as_often_as_alpha_says_and_no_more(study, options):
    # The splits of one baseline are of the same trials: what alpha bounds is the mean over many baselines.
    shares = [row_of(study, noise(study, 16, stream=stream, **options), 150)["share"] for stream in range(8)]
    assert 0.005 < np.mean(shares) < 0.06


def test_an_effect_of_the_treatment_is_none_of_the_controls_business():
    assert row_of(FOUR, noise(FOUR, treated=9.0)) == row_of(FOUR, noise(FOUR))


def test_the_control_does_find_differences_where_they_are():
    halves = np.repeat([0.0, 5.0], 8)[None] + np.random.default_rng(0).normal(size=16)
    measured = np.stack([halves, np.zeros_like(halves)], axis=1)
    assert aa_control._alarms(synthetic.plan(), measured) == [True]


@pytest.mark.parametrize(("seeds", "pairs", "splits"), [(0, 0, 0), (1, 0, 0), (3, 1, 0), (4, 2, 60), (9, 4, 60)])
def test_fewer_than_four_seeds_cannot_be_split_into_pairs(seeds, pairs, splits):
    row = row_of(FOUR, noise(FOUR, seeds))
    assert (row["pairs"], row["splits"]) == (pairs, splits)
    shares = [row[name] for name in ("share", "low", "high", "contexts_share")]
    assert np.isnan(shares).all() == (splits == 0)
    if splits:  # so few pairs can never decide
        assert shares[0] == shares[3] == 0


def test_the_share_counts_splits_with_any_false_verdict_and_has_wilsons_interval(monkeypatch):
    def judged(options, split, draws):
        assert draws == aa_control.DRAWS
        found = iter(next(splits_of))
        return [verdicts.Decision(next(found), *[np.nan] * 6, "flips") for _ in split]

    calm, one, both = ["undecided", "equivalent"], ["helps", "undecided"], ["hurts", "helps"]
    splits_of = iter([calm] * 30 + [one] * 20 + [both] * 10)
    monkeypatch.setattr(verdicts, "decide", judged)
    study = synthetic.plan(batch_size=["full", 25])
    row = row_of(study, noise(study))
    assert (row["share"], row["contexts_share"], row["contexts"]) == (30 / 60, 40 / 120, 2)
    assert (row["low"], row["high"]) == pytest.approx((0.37735, 0.62265), abs=1e-5)


def test_contexts_of_other_seeds_are_split_over_those_that_they_share():
    kept = lambda labels, seed: seed % 4 or labels["batch_size"] == "full"  # noqa: E731
    assert row_of(FOUR, noise(FOUR, 20, kept=kept))["pairs"] == 15 // 2
    row = row_of(FOUR, noise(FOUR, 20, kept=lambda labels, seed: (seed < 10) == (labels["batch_size"] == "full")))
    assert (row["pairs"], row["splits"], row["contexts"]) == (0, 0, 4)


def test_a_context_without_pairs_is_no_part_of_it():
    row = row_of(FOUR, noise(FOUR, 20, kept=lambda labels, seed: labels["batch_size"] == "full"))
    assert (row["contexts"], row["pairs"]) == (2, 10)


def test_three_arms_have_one_baseline_which_is_split_once_a_context():
    assert row_of(THREE_ARMS, noise(THREE_ARMS))["contexts"] == 1


def test_a_treatment_without_trials_does_not_take_the_control_away():
    kept = lambda labels, seed: labels["treatment"] != "batch"  # noqa: E731
    assert row_of(THREE_ARMS, noise(THREE_ARMS, kept=kept))["pairs"] == 10


def test_the_same_baseline_has_the_same_control_each_time():
    contrasts = noise(FOUR, diverging=0.1)
    assert row_of(FOUR, contrasts) == row_of(FOUR, contrasts)
    np.random.default_rng(1).normal(size=10)
    assert row_of(FOUR, contrasts) == row_of(FOUR, contrasts)


def test_a_baseline_that_always_diverges_differs_from_itself_never():
    row = row_of(FOUR, noise(FOUR, diverging=1.0))
    assert (row["splits"], row["share"]) == (60, 0)


@given(st.integers(0, 9), st.integers(0, 2**32 - 1), st.floats(0, 1))
@settings(max_examples=15, deadline=None, derandomize=True)
def test_the_halves_of_a_split_share_no_trial_and_go_through_the_studys_own_judge(seeds, stream, diverging):
    asked = []

    def judged(options, split, draws):
        asked.append(split)
        return judging_decide(options, split, 9)

    judging_decide = verdicts.decide
    contrasts = noise(FOUR, seeds, stream=stream, diverging=diverging)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdicts, "decide", judged)
        row_of(FOUR, contrasts, 3)
    assert len(asked) == (3 if seeds >= 4 else 0)
    for split in asked:
        for half, whole in zip(split, contrasts, strict=True):
            used = np.concatenate([half.baseline, half.treated])
            assert len(half.seeds) == seeds // 2
            assert len(used) == 2 * (seeds // 2)
            finite = used[~np.isnan(used)]
            assert len(set(finite)) == len(finite)
            assert set(finite) <= set(whole.baseline[~np.isnan(whole.baseline)])


def test_the_control_stands_in_the_tables_and_in_a_sentence(compared):
    found, verdicts = compared(synthetic.plan(seeds=20), noise=0.3)
    (row,) = found["control"].to_dict("records")
    assert (row["splits"], row["pairs"], row["contexts"]) == (20, 10, 1)
    assert f"of {row['splits']} random splits" in verdicts["control"]
