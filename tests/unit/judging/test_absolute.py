"""The test losses on an absolute scale: closed forms, what does not change them, and what is left out when unknown."""

import numpy as np
import pandas as pd
import pytest
import stores
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from named_pairs import TUNED, by_rate

from bnbench.judging import absolute
from bnbench.judging.pairing import Pairs
from bnbench.store.trials import Trials

pytestmark = pytest.mark.filterwarnings("error")

STUDY = synthetic.plan()
EPOCHS = np.array([9, 19, 29, 39])
NUMBERS = ["baseline_left", "treatment_left", "baseline_error", "treatment_error"]


def paired(losses, variance, scale=np.nan, study=STUDY, **more):
    """Pairs with these test losses, a pair of [seeds], at every epoch; `more` is by outcome, like `losses`."""
    seeds = len(losses[0])
    numbers = {"target_variance": variance, "target_scale": scale}
    rows = pd.DataFrame({name: np.broadcast_to(value, seeds).astype(float) for name, value in numbers.items()})
    (context, settings), *_ = study.contexts()
    arms = []
    for place, label in enumerate(study.arms):
        measured = {"test_loss": losses, **more}
        last = {name: np.ones((4, 1)) * np.asarray(values[place], float) for name, values in measured.items()}
        arms.append(Trials(settings[label], rows, last, dict.fromkeys(last, EPOCHS), {}))
    return Pairs(context, study.arms, *arms)


def row_of(pairs, study=STUDY):
    (row,) = absolute.of_pairs(study, pairs).to_dict("records")
    return row


def test_the_variance_left_and_the_error_are_geometric_means_over_the_seeds():
    row = row_of(paired(([1e-4, 4e-4], [0.04, 0.16]), variance=[0.5, 2.0], scale=[3.0, 12.0]))
    assert row["baseline_left"] == pytest.approx(2e-4)
    assert row["treatment_left"] == pytest.approx(0.08)
    assert row["baseline_error"] == pytest.approx(np.sqrt(0.01 * 3 * 0.02 * 12))
    assert row["treatment_error"] == pytest.approx(np.sqrt(0.2 * 3 * 0.4 * 12))
    assert (row["standardized"], row["outcome"], row["pairs"], row["finite_pairs"]) == (True, "test_loss", 2, 2)
    assert np.isnan([row["baseline_accuracy"], row["treatment_accuracy"]]).all()


def test_a_loss_below_the_resolution_has_no_share_of_the_variance_and_no_error():
    row = row_of(paired(([1e-4, 4e-4], [0.04, 0.0]), variance=0.5))
    assert row["baseline_left"] == pytest.approx(4e-4)
    assert np.isnan([row["treatment_left"], row["treatment_error"]]).all()


def test_who_answers_with_the_mean_of_the_targets_leaves_all_of_their_variance():
    targets = np.random.default_rng(0).normal(3, 2, 50)
    loss = ((targets - targets.mean()) ** 2).mean()
    row = row_of(paired(([loss] * 3, [loss] * 3), variance=targets.var()))
    assert row["baseline_left"] == pytest.approx(1)


def test_targets_that_were_not_standardized_are_in_their_own_units_already():
    row = row_of(paired(([0.09, 0.09], [0.25, 0.25]), variance=0.5))
    assert (row["baseline_error"], row["treatment_error"]) == (pytest.approx(0.3), pytest.approx(0.5))
    assert not row["standardized"]


@given(st.floats(1e-3, 1e3), st.integers(0, 1000))
def test_in_which_units_a_target_is_standardized_changes_neither_the_share_nor_the_error(factor, key):
    losses = np.exp(np.random.default_rng(key).normal(-5, 2, (2, 6)))
    one = row_of(paired(losses, variance=0.7, scale=5.0))
    other = row_of(paired(losses * factor**2, variance=0.7 * factor**2, scale=5.0 / factor))
    assert [other[name] for name in NUMBERS] == pytest.approx([one[name] for name in NUMBERS])


def test_where_the_test_loss_decides_the_ratio_of_the_shares_is_the_effect(compared):
    study = synthetic.plan(**synthetic.GRID)
    found, _ = compared(
        study,
        ratio=synthetic.arms(batch=520.0),
        noise=0.3,
        target_variance=lambda labels, seed: 0.4 + 0.02 * seed,
        diverged=synthetic.where("batch", [3], 12),
    )
    rows, contexts = found["absolute"], found["contexts"]
    np.testing.assert_allclose(rows["treatment_left"] / rows["baseline_left"], contexts["effect"])
    np.testing.assert_allclose((rows["treatment_error"] / rows["baseline_error"]) ** 2, contexts["effect"])
    assert rows["finite_pairs"].tolist() == contexts["finite_pairs"].tolist() == [7] * 4
    np.testing.assert_allclose(rows["baseline_error"] ** 2, contexts["baseline_value"])


def test_a_pair_of_which_a_trial_diverged_is_in_no_arms_numbers():
    losses = np.array([[0.01, 0.02, 0.9], [0.03, 0.04, np.nan]])
    some, fewer = row_of(paired(losses, 0.5)), row_of(paired(losses[:, :2], 0.5))
    assert [some[name] for name in NUMBERS] == pytest.approx([fewer[name] for name in NUMBERS])
    assert (some["pairs"], some["finite_pairs"]) == (3, 2)


@pytest.mark.parametrize(
    ("variance", "left", "error"),
    [([0.5, np.nan], False, False), ([np.nan, np.nan], False, False), ([0.5, 0.0], False, True), (0.5, True, True)],
    ids=["one unknown", "none known", "targets that are all the same", "known"],
)
def test_what_is_not_known_of_all_trials_is_left_out(variance, left, error):
    row = row_of(paired(([0.1, 0.2], [0.3, 0.4]), variance))
    assert np.isfinite([row[name] for name in NUMBERS]).tolist() == [left, left, error, error]


def test_without_pairs_nothing_is_known(compared):
    found, said = compared(STUDY, seeds=lambda labels: [] if labels["norm"] == "batch" else None)
    assert found["absolute"][NUMBERS].isna().all(axis=None)
    assert (said["absolute"], said["absolute_answer"]) == ([""], "")


def test_the_accuracy_is_a_plain_mean_over_the_window_and_the_seeds():
    shares = ([0.5, 0.9], [0.25, 0.75])
    row = row_of(paired(([0.1, 0.2], [0.3, 0.4]), np.nan, test_accuracy=shares))
    assert (row["baseline_accuracy"], row["treatment_accuracy"]) == (pytest.approx(0.7), pytest.approx(0.5))
    assert np.isnan([row[name] for name in NUMBERS]).all()


@pytest.mark.parametrize(
    ("decides", "by"),
    [("train_loss", "test_loss"), ("test_loss", "test_loss"), ("test_loss_precise", "test_loss_precise")],
)
def test_it_is_of_the_test_loss_whatever_decides(compared, decides, by):
    found, _ = compared(synthetic.plan(report={"outcome": decides}), shared=0.0, loss=1e-3)
    (row,) = found["absolute"].to_dict("records")
    assert row["outcome"] == by
    assert row["baseline_left"] == pytest.approx(1e-3 * synthetic.OUTCOMES[by] / 0.5)


def test_at_chosen_rates_each_arm_has_its_numbers_of_its_own_rate(compared):
    found, said = compared(TUNED, ratio=by_rate, shared=0.0, loss=1e-3, validation=1.75)
    chosen = absolute.at_chosen_rates(TUNED, found["tuned"], found["absolute"])
    expected = {"none": 1.0, "layer": 0.8, "batch": 0.5}
    assert len(chosen) == len(found["tuned"]) == 3
    for row in chosen.to_dict("records"):
        for arm in ("baseline", "treatment"):
            assert row[f"{arm}_left"] == pytest.approx(2e-3 / 0.5 * expected[row[arm]])
    assert chosen["optimizer"].tolist() == ["adam"] * 3
    assert len(said["tuned_absolute"]) == 3


def test_results_of_a_version_that_did_not_store_the_variance_are_reported_without_it(rebuilt, tmp_path):
    study, told = synthetic.plan(**stores.PLAN), ("In absolute terms: ", "On an absolute scale", "RMS error, ")
    results = stores.stored(tmp_path, study)
    _, _, page = rebuilt(study)
    assert [words in page for words in told] == [True] * 3
    for path in (results / "trials").rglob("*.parquet"):
        stores.changed(path, lambda table: table.drop_columns(["target_variance", "target_scale"]))
    status, _, page = rebuilt(study)
    assert (status, [words in page for words in told]) == (0, [False] * 3)
    assert "BN hurts" in page
