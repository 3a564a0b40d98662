"""The course of a difference: the band of all contexts and epochs together, and from when on it is as the verdict."""

import math

import numpy as np
import pandas as pd
import pytest
import synthetic

from bnbench.judging import sign_flips, stats, trajectories, verdicts
from bnbench.judging.pairing import Pairs
from bnbench.judging.verdicts import Decision
from bnbench.store.trials import Trials

pytestmark = pytest.mark.filterwarnings("error")

NAN = math.nan
TWO = {"batch_size": ["full", 25]}


def planned(epochs, seeds, **changes):
    return synthetic.plan(epochs=10 * epochs, seeds=seeds, **changes)


def paired(study, context, logs, seeds=None):
    """Pairs in the context of this number; `logs` are log differences of the test loss, [measured epochs, seeds]."""
    shared = np.random.default_rng(0).normal(size=logs.shape)
    epochs = {"test_loss": np.arange(9, 10 * len(logs), 10)}
    labels, settings = study.contexts()[context]
    trials = pd.DataFrame(index=range(logs.shape[1]) if seeds is None else seeds)
    arms = (
        Trials(settings[arm], trials, {"test_loss": np.exp(losses)}, epochs, {})
        for arm, losses in (("none", shared), ("batch", shared + logs))
    )
    return Pairs(labels, study.arms, *arms)


def decision(verdict):
    return Decision(verdict, 0.01, 0.01, 0.01, 0.5, -1.0, 1.0, "flips")


def found(study, *logs, says=None, seeds=None):
    """The table of contexts of these log differences; `says` are their verdicts, else the side at the last epoch."""
    courses = [
        trajectories.trajectory(study, paired(study, place, each, None if seeds is None else seeds[place]))
        for place, each in enumerate(logs)
    ]
    said = says or ["hurts" if np.nanmean(each[-1]) > 0 else "helps" for each in logs] if logs[0].size else ["no data"]
    return trajectories.table(study, courses, [decision(verdict) for verdict in said])


def noisy(path, seeds=9, noise=0.01, key=1):
    return np.array(path)[:, None] + noise * np.random.default_rng(key).normal(size=(len(path), seeds))


def test_the_band_is_the_simultaneous_one_over_the_epochs_of_all_contexts():
    logs = [noisy([0.5, 0.2, -0.1, -0.3], noise=0.3), noisy([0.0, 0.1, 0.2, 0.2], noise=0.2, key=2)]
    table = found(planned(4, 9, **TWO), *logs)
    assert table["epoch"].tolist() == [9, 19, 29, 39] * 2
    assert table["batch_size"].tolist() == ["full"] * 4 + ["25"] * 4
    low, high, methods = sign_flips.simultaneous(np.concatenate(logs).T, 0.95)
    np.testing.assert_allclose(table[["low", "high"]], np.exp([low, high]).T)
    np.testing.assert_allclose(table["effect"], np.exp(np.concatenate(logs).mean(1)))
    assert table["limits"].tolist() == [*methods] == ["flips"] * 8
    own = found(planned(4, 9), logs[0])
    assert (table["low"][:4] < own["low"]).all()
    assert (table["high"][:4] > own["high"]).all()
    for row, values in zip(own.itertuples(), logs[0], strict=True):
        alone = np.exp(stats.t_interval(values, 0.95))
        assert row.low < alone[1] < row.effect < alone[2] < row.high
    assert table[["baseline", "treatment"]].drop_duplicates().to_numpy().tolist() == [["none", "batch"]]


def test_too_few_pairs_to_flip_for_a_quantile_have_bonferronis_band_over_the_epochs_of_all_contexts():
    logs = [noisy([0.5, 0.2], 6, 0.3), noisy([0.1, 0.1], 6, 0.3, key=2)]
    table = found(planned(2, 6, **TWO), *logs)
    assert set(table["limits"]) == {"Bonferroni"}
    limits = [stats.t_interval(values, 1 - 0.05 / 4)[1:] for values in np.concatenate(logs)]
    np.testing.assert_allclose(table[["low", "high"]], np.exp(limits))


@pytest.mark.parametrize(
    ("path", "verdict", "epoch"),
    [
        ([1, 1, 1, 1], "hurts", 9),
        ([0, 0, 1, 1], "hurts", 29),
        ([1, 0, 1, 1], "hurts", 29),
        ([-1, -1, -1, 1], "hurts", 39),
        ([1, -1, -1, -1], "helps", 19),
        ([-1, 0, -1, -1], "helps", 29),
        ([1, 1, 1, 0], "hurts", None),
        ([0, 0, 0, 0], "hurts", None),
        ([1, 1, 1, 1], "helps", None),
        ([-1, -1, -1, -1], "hurts", None),
        ([1, 1, 1, 1], "undecided", None),
        ([-1, -1, -1, -1], "undecided", None),
        ([1, 1, 1, 1], "equivalent", None),
    ],
)
def test_it_is_decided_from_the_epoch_on_from_which_the_band_stays_on_the_side_of_the_verdict(path, verdict, epoch):
    table = found(planned(4, 9), noisy(path), says=[verdict])
    (decided,) = set(table["decided_from"].fillna(-1))
    assert decided == (-1 if epoch is None else epoch)
    after = table[table["epoch"] >= decided]
    assert epoch is None or (after["low"].gt(1).all() or after["high"].lt(1).all())


def test_where_the_verdict_is_undecided_no_epoch_is_decided_though_the_band_excludes_equal_losses(compared):
    # At batch 25 all six seeds agree, but a flip of one seed makes the other context agree more: p is 2 × 2/2^6.
    def ratio(labels, seed):
        log = -1.25 + seed / 10 if labels["batch_size"] == "25" else 1.0 if seed else -1.0
        return 1.0 if labels["norm"] == "none" else math.exp(log)

    tables, said = compared(synthetic.plan(seeds=6, **TWO), ratio=ratio)
    contexts, last = tables["contexts"], tables["differences"].groupby("batch_size", sort=False).tail(1)
    assert contexts["p"].tolist() == pytest.approx([14 / 64, 2 / 64])
    assert contexts["p_adjusted"].tolist() == pytest.approx([14 / 64, 4 / 64])
    assert contexts["verdict"].tolist() == ["undecided"] * 2
    assert last["high"].lt(1).tolist() == [False, True]
    assert tables["differences"]["decided_from"].isna().all()
    assert all("no epoch is decided, since the verdict is undecided" in sentence for sentence in said["trajectories"])


def test_pairs_that_diverge_and_trials_that_are_missing_are_gaps():
    logs = [noisy([0.5, 0.2, -0.1, -0.3], 12, 0.3), noisy([0.0, 0.1, 0.2, 0.2], 11, 0.2, key=2)]
    logs[0][2:, 3] = NAN
    seeds = [np.arange(12), np.arange(1, 12)]
    table = found(planned(4, 12, **TWO), *logs, seeds=seeds)
    assert table["pairs"].tolist() == [11] * 8
    values = np.full((12, 8), NAN)
    values[np.arange(12) != 3, :4] = np.delete(logs[0], 3, axis=1).T
    values[1:, 4:] = logs[1].T
    low, high, _ = sign_flips.simultaneous(values, 0.95)
    np.testing.assert_allclose(table[["low", "high"]], np.exp([low, high]).T)
    np.testing.assert_allclose(table["effect"], np.exp(np.nanmean(values, axis=0)))


@pytest.mark.parametrize("seeds", [0, 1])
def test_without_two_pairs_a_difference_has_no_band_and_nothing_is_decided(seeds):
    table = found(planned(4, 8), noisy([1, 1, 1, 1])[:, :seeds])
    assert table["pairs"].tolist() == [seeds] * 4
    assert table["effect"].notna().all() == (seeds == 1)
    assert table[["low", "high", "decided_from"]].isna().all(axis=None)
    assert set(table["limits"]) == {""}


def test_differences_are_shown_at_200_log_spaced_epochs_at_most(compared):
    tables, _ = compared(synthetic.plan(epochs=3000, evaluate_every=1, seeds=2))
    epochs = tables["differences"]["epoch"]
    assert 100 < len(epochs) <= 200
    assert (epochs.iloc[0], epochs.iloc[-1]) == (0, 2999)


# Errors of whole studies; more of them in tests/benchmarks/calibration_trajectories.py.


def courses(generator, contexts, epochs, seeds):
    """Log differences without an effect, whose epochs and contexts have much in common, [contexts, epochs, seeds]."""
    steps = generator.normal(size=(contexts, epochs, seeds)) + generator.normal(size=(epochs, seeds))
    for epoch in range(1, epochs):
        steps[:, epoch] = 0.9 * steps[:, epoch - 1] + math.sqrt(1 - 0.9**2) * steps[:, epoch]
    return steps


@pytest.mark.parametrize("seeds", [6, 12])
def test_no_context_of_a_study_without_an_effect_is_given_a_direction_more_often_than_alpha(seeds):
    generator, alarms, held, studies = np.random.default_rng(seeds), 0, 0, 150
    study = planned(20, seeds, batch_size=["full", *range(2, 13)])
    everyone = np.arange(seeds)
    for _ in range(studies):
        logs = courses(generator, 12, 20, seeds)
        gone = generator.random((12, seeds)) < 0.05
        kept = [everyone[~each] for each in gone]
        logs = [each[:, own] for each, own in zip(logs, kept, strict=True)]
        family = [
            verdicts.Contrast({}, own, 0 * each[-1], each[-1], 0 * each[-1], each[-1], 0, ())
            for each, own in zip(logs, kept, strict=True)
        ]
        says = [one.verdict for one in verdicts.decide(study.report, family)]
        table = found(study, *logs, says=says, seeds=kept)
        alarms += table["decided_from"].notna().any()
        held += (table["low"].lt(1) & table["high"].gt(1)).all()
    error = math.sqrt(0.05 * 0.95 / studies)
    assert alarms / studies < 0.05 + 3 * error
    assert held / studies > 0.95 - 3 * error


def test_the_band_holds_the_whole_course_as_often_as_it_says():
    generator, repetitions, held = np.random.default_rng(5), 400, 0
    truth, study = np.linspace(1, -1, 12), planned(12, 10)
    for _ in range(repetitions):
        table = found(study, truth[:, None] + 0.5 * generator.normal(size=(12, 10)).cumsum(0))
        held += (table["low"].lt(np.exp(truth)) & table["high"].gt(np.exp(truth))).all()
    assert abs(held / repetitions - 0.95) < 4 * np.sqrt(0.95 * 0.05 / repetitions)
