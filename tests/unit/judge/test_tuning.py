"""Rates that validation data choose: what chance does to the choice is in the test, and test losses are not."""

import math
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from prose import assert_states
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import proportion_confint
from synthetic import arms, where

from bnbench import collect, compare, train
from bnbench.catalogue import tasks
from bnbench.judge import sign_flips, tuning, verdicts
from bnbench.judge.tuning import Finals, Pair
from bnbench.plan import config, cost
from bnbench.plan.chunks import all_chunks
from bnbench.store import chunk_files, report_tables, tables, trials
from bnbench.vocabulary import RATES as RATE_COLUMNS

pytestmark = pytest.mark.filterwarnings("error")

RATES = (0.001, 0.01, 0.1)
ADAM = {"name": "adam", "lr": [*RATES]}
STUDY = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25], tune={})
ALPHA = STUDY.report.alpha
NAN = math.nan
several = settings(max_examples=60, deadline=None, derandomize=True)


def finals(validation, outcome, seeds=None):
    seeds = np.arange(len(validation)) if seeds is None else np.asarray(seeds)
    columns = {"torch": "2", "device_name": "a processor", "weights_hash": [f"weights {seed}" for seed in seeds]}
    trials = pd.DataFrame(columns, index=seeds)
    arrays = (np.asarray(values, dtype=float) for values in (validation, outcome, outcome))
    return Finals(seeds, *arrays, np.zeros(len(seeds), np.int64), trials)


def pair(validation, outcome, batch_size="full", seeds=None):
    """Two arms of log losses [arms, rates, seeds]."""
    both = [[finals(*rate, seeds) for rate in zip(*arm, strict=True)] for arm in zip(validation, outcome, strict=True)]
    labels = {**STUDY.contexts()[0][0], "batch_size": batch_size, "optimizer": "adam"}
    return Pair({**labels, "baseline": "none", "treatment": "batch"}, RATES[: len(both[0])], *both)


def decided(pairs, draws=sign_flips.DRAWS, *, tuned=True):
    test = partial(judge, pairs) if tuned else None
    return verdicts.decide(STUDY.report, [pair.contrast("norm") for pair in pairs], draws, test)


def judge(pairs, places, draws):
    return tuning.reselected([pairs[place] for place in places], draws)


def noise(generator, seeds):
    """Two contexts in which the arms are alike, rates differ, and validation losses say hardly which is the best."""
    rates = np.arange(3.0)[:, None]
    shared = generator.normal(size=(2, 1, 1, seeds))
    outcome = rates + shared + 0.2 * generator.normal(size=(2, 2, 3, seeds))
    validation = 0.1 * rates + shared + 5 * generator.normal(size=outcome.shape)
    return [pair(*drawn) for drawn in zip(validation, outcome, ("full", "25"), strict=True)]


@cache
def of_noise(seeds, draws, studies=400):
    """By study: whether any p, any verdict and any p of plain flips of the chosen differences errs; equal choices."""
    generator, rows = np.random.default_rng(seeds), []
    for _ in range(studies):
        pairs = noise(generator, seeds)
        tuned, plain = decided(pairs, draws), decided(pairs, draws, tuned=False)
        ps = [min(one.p_adjusted for one in family) for family in (tuned, plain)]
        verdicts = {one.verdict for one in tuned}
        same = all(len({*pair.chosen}) == 1 for pair in pairs)
        rows.append((ps[0] < ALPHA, bool(verdicts & {"helps", "hurts"}), ps[1] < ALPHA, same))
    return np.array(rows).T


def at_least(hits):
    """The lower limit of the share, by Clopper and Pearson, at three standard errors."""
    return proportion_confint(hits.sum(), len(hits), alpha=0.0027, method="beta")[0]


SIZES = [(8, sign_flips.DRAWS), (18, 199)]
"""Seeds all of whose flips are gone through, and seeds for which some are drawn."""


@pytest.mark.parametrize(("seeds", "draws"), SIZES)
def test_arms_that_are_alike_are_told_apart_at_most_as_often_as_alpha_says_whatever_rates_they_choose(seeds, draws):
    small, verdicts, _, same = of_noise(seeds, draws)
    assert same.mean() < 0.3
    assert at_least(small) <= ALPHA
    assert at_least(verdicts) <= ALPHA


@pytest.mark.parametrize(("seeds", "draws"), SIZES)
def test_without_choosing_anew_in_every_flip_they_would_be_told_apart_far_more_often(seeds, draws):
    assert at_least(of_noise(seeds, draws)[2]) > 0.5


def test_a_difference_at_the_best_rates_is_found_though_arms_choose_other_rates():
    generator = np.random.default_rng(1)
    best = np.array([[2.0, 0.0, 2.0], [2.0, 2.0, -1.0]])[:, :, None]
    losses = best + 0.1 * generator.normal(size=(2, 2, 3, 8))
    one = pair(*losses)
    assert one.chosen == (1, 2)
    (decision,) = decided([one])
    assert (decision.verdict, decision.p) == ("helps", 2 / 2**8)
    assert math.exp(decision.low) < math.exp(-1) < math.exp(decision.high)


def swapped(arrays, flip):
    """[arms, rates, seeds] with the arms of these seeds swapped."""
    return np.where(flip, arrays[::-1], arrays)


def statistic(validation, outcome):
    """|Σ d| / √Σ d² at the rates that the validation losses choose."""
    treated, baseline = (outcome[arm][validation[arm].sum(-1).argmin()] for arm in (1, 0))
    differences = treated - baseline
    squares = (differences**2).sum()
    return abs(differences.sum()) / math.sqrt(squares) if squares else 0.0


def brute_force(families):
    """Alone and adjusted p over all swaps of the arms, by the definition of the step-down maxima."""
    seeds = families[0][0].shape[-1]
    flipped = np.array(
        [
            [statistic(*(swapped(losses, np.array(flip)) for losses in family)) for family in families]
            for flip in product([False, True], repeat=seeds)
        ]
    )
    observed = flipped[0]
    reached = flipped >= observed - 1e-9
    adjusted, so_far = np.zeros(len(families)), 0.0
    order = np.argsort(-observed, kind="stable")
    for step, test in enumerate(order):
        maxima = flipped[:, order[step:]].max(1)
        adjusted[test] = so_far = max(so_far, (maxima >= observed[test] - 1e-9).mean())
    return reached.mean(0), adjusted


@pytest.mark.parametrize("key", range(6))
@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_p_are_those_of_all_swaps_of_the_arms_with_the_rates_chosen_anew(key, effect):
    generator = np.random.default_rng(key)
    families = generator.normal(size=(2, 2, 2, 3, 5))
    families[:, :, 1] += effect
    families[:, 1] += np.arange(3)[:, None]
    found = tuning.reselected([pair(*family) for family in families])
    np.testing.assert_allclose(found, brute_force(families), rtol=0, atol=1e-12)


def test_a_study_judges_its_contexts_together_by_swaps_that_choose_the_rates_anew():
    contexts = STUDY.tuned_contexts()
    families = np.random.default_rng(3).normal(size=(len(contexts), 2, 2, 3, 9))
    families[:, 1] += np.arange(3)[:, None]
    found = {
        address: finals(*losses)
        for (_, settings_of), family in zip(contexts, families, strict=True)
        for arm, rates in zip(family.swapaxes(0, 1), settings_of.values(), strict=True)
        for losses, address in zip(arm.swapaxes(0, 1), rates.values(), strict=True)
    }
    rows = tuning.tables(STUDY, found)["tuned"]
    np.testing.assert_allclose(rows[["p", "p_max_t"]].T, brute_force(families), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(rows["p_adjusted"], rows["p_max_t"])


whole = st.tuples(st.integers(1, 2), st.integers(1, 3), st.integers(1, 4)).flatmap(
    lambda shape: st.lists(
        st.integers(-2, 2),
        min_size=4 * math.prod(shape),
        max_size=4 * math.prod(shape),
    ).map(lambda values: np.array(values, dtype=float).reshape(shape[0], 2, 2, *shape[1:]))
)
"""Whole log losses of validation and test [contexts, 2, arms, rates, seeds], so that there are ties."""


@given(whole)
@several
def test_p_are_those_of_all_swaps_where_validation_losses_and_differences_tie(families):
    found = tuning.reselected([pair(*family) for family in families])
    assert (np.array(found) > 0).all()
    assert (found.adjusted >= found.alone).all()
    np.testing.assert_allclose(found, brute_force(families), rtol=0, atol=1e-12)


@pytest.mark.parametrize("seeds", [1, 4, 9, 20])
def test_the_step_down_of_a_linear_statistic_is_max_t(seeds):
    values = np.random.default_rng(seeds).normal(0.5, 1, (seeds, 4)) * [1, 3, -2, 0.1]
    length = np.sqrt((values**2).sum(0))

    def statistics(negative, tests):
        return np.abs((1 - 2 * negative.astype(float)) @ values[:, tests]) / length[tests]

    np.testing.assert_allclose(
        sign_flips.step_down(statistics, np.ones((seeds, 4), bool), 999),
        sign_flips.max_t(values, 999),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("seeds", [6, 20])
def test_one_rate_leaves_the_plain_flips(seeds):
    families = np.random.default_rng(seeds).normal(size=(3, 2, 2, 1, seeds))
    found = tuning.reselected([pair(*family) for family in families], 999)
    differences = np.stack([family[1, 1, 0] - family[1, 0, 0] for family in families], axis=1)
    np.testing.assert_allclose(found, sign_flips.max_t(differences, 999), rtol=0, atol=1e-12)


@given(whole)
@several
def test_the_names_of_the_arms_and_the_order_of_contexts_change_no_p(families):
    found = tuning.reselected([pair(*family) for family in families])
    renamed = tuning.reselected([pair(*family[:, ::-1]) for family in families])
    turned = tuning.reselected([pair(*family) for family in families[::-1]])
    np.testing.assert_allclose(renamed, found, rtol=0, atol=1e-12)
    np.testing.assert_allclose(turned, [p[::-1] for p in found], rtol=0, atol=1e-12)


logs = st.floats(-9, 9) | st.just(NAN)


@given(st.data())
@several
def test_nothing_but_validation_losses_chooses_a_rate(data):
    seeds = data.draw(st.integers(1, 5))
    losses = st.lists(logs, min_size=6 * seeds, max_size=6 * seeds).map(lambda xs: np.array(xs).reshape(2, 3, seeds))
    validation = data.draw(losses)
    one, other = (pair(validation, data.draw(losses)) for _ in range(2))
    assert one.chosen == other.chosen
    expected = [[tuple(np.nan_to_num(rate, nan=1e6)) for rate in arm] for arm in validation]
    for place, arm in zip(one.chosen, expected, strict=True):
        assert math.fsum(arm[place]) <= min(map(math.fsum, arm)) + 1e-6


def test_other_test_losses_of_a_study_choose_the_same_rates(compared):
    frames = synthetic.frames(STUDY, noise=1.0)
    chosen = [compared(STUDY, frames)[0]["tuned"][[*RATE_COLUMNS]]]
    for generator in map(np.random.default_rng, range(3)):
        curves = frames["curves"]
        curves["test_loss"] = curves["test_loss"] * np.exp(3 * generator.normal(size=len(curves)))
        found, _ = compared(STUDY, frames)
        chosen.append(found["tuned"][[*RATE_COLUMNS]])
        assert found["tuned"]["effect"].notna().all()
    assert all(table.equals(chosen[0]) for table in chosen)


TINY = {
    "study": "tiny",
    "task": {"name": "sine", "points": 20, "test_points": 15},
    "hidden": [4],
    "epochs": 6,
    "evaluate_every": 2,
    "seeds": 3,
    "batch_size": [5],
    "optimizer": [{"name": "adam", "lr": [0.001, 0.1]}],
    "tune": {"validation": 0.25},
}


def trained(folder):
    """A tiny study, trained and compared; its curves, predictions and rates."""
    study = config.load(TINY, "tiny")
    for chunk in all_chunks(study, cost.seeds_per_job):
        train.run(chunk, folder / "results", 1)
    collect.run(study, folder / "results", folder / "data")
    compare.run(study, folder / "data", folder, synthetic.SPLITS)
    curves, predictions = (
        tables.read_parquet(folder / "data" / f"{name}.parquet") for name in ("curves", "predictions")
    )
    return curves.to_pandas(), predictions.to_pandas(), report_tables.read(folder, "tuned")


def test_other_test_points_leave_every_bit_of_training_and_validation_and_the_rates(tmp_path, monkeypatch):
    curves, predictions, tuned = trained(tmp_path / "one")
    drawn = tasks.Sine.data

    def shuffled(self, seed):
        data = drawn(self, seed)
        return data._replace(test_y=np.random.default_rng(seed).permutation(data.test_y))

    monkeypatch.setattr(tasks.Sine, "data", shuffled)
    other_curves, other_predictions, other_tuned = trained(tmp_path / "other")
    kept = ["setting", "seed", "epoch", "train_loss", "eval_loss", "validation_loss"]
    pd.testing.assert_frame_equal(curves[kept], other_curves[kept], check_exact=True)
    assert curves["validation_loss"].notna().sum() == 3 * 3 * 4
    assert (curves["test_loss"] != other_curves["test_loss"])[curves["test_loss"].notna()].all()
    pd.testing.assert_frame_equal(predictions.drop(columns="y"), other_predictions.drop(columns="y"), check_exact=True)
    assert tuned[[*RATE_COLUMNS]].equals(other_tuned[[*RATE_COLUMNS]])
    assert tuned["effect"].tolist() != other_tuned["effect"].tolist()


def test_a_rate_at_which_a_trial_diverged_is_chosen_after_all_others_and_fewer_of_them_before_more():
    worse = np.full(4, 50.0)
    one_gone, two_gone = np.array([-9, -9, NAN, -9]), np.array([NAN, -9, NAN, -9])
    for order in ([one_gone, worse, two_gone], [two_gone, one_gone, worse], [worse, two_gone, one_gone]):
        expected = next(place for place, rate in enumerate(order) if rate is worse)
        assert tuning.choose(np.stack(order, axis=1)) == expected
    assert tuning.choose(np.stack([two_gone, one_gone], axis=1)) == 1


def test_a_diverged_trial_is_ranked_behind_all_losses_of_both_arms_and_all_rates():
    generator = np.random.default_rng(5)
    validation, outcome = generator.normal(size=(2, 2, 3, 7))
    outcome[1, :, :3] = NAN
    ranks = scipy_stats.rankdata(np.nan_to_num(outcome, nan=1e9)).reshape(outcome.shape)
    assert ranks[1, :, :3].min() > ranks[~np.isnan(outcome)].max()
    found = tuning.reselected([pair(validation, outcome)])
    np.testing.assert_array_equal(found, tuning.reselected([pair(validation, ranks)]))
    np.testing.assert_array_equal(found, brute_force([(validation, ranks)]))


def test_an_arm_that_diverges_at_every_rate_is_the_worse_one(compared):
    study = synthetic.plan(optimizer=[ADAM], tune={})
    found, verdicts = compared(study, diverged=where("batch", range(8), 12), noise=0.1)
    (row,) = found["tuned"].to_dict("records")
    assert (row["verdict"], row["test"], row["p"]) == ("hurts", "worst-rank", 2 / 2**8)
    assert found["rates"]["treatment_diverged"].tolist() == [8, 8, 8]
    assert "8 of 8 trials diverged with BN" in verdicts["tuned"][0]


BEST = {"none": "adam lr=0.01", "batch": "adam lr=0.1"}


def best(labels, seed):
    """Each arm is best at a rate of its own, where BN has half the loss; elsewhere it is ten times as bad."""
    at_best = labels["optimizer"] == BEST[labels["norm"]]
    return (1.0 if at_best else 10.0) * (0.5 if labels["norm"] == "batch" else 1.0)


def test_a_study_says_which_rates_were_chosen_and_the_ratio_there(compared, prose):
    found, verdicts = compared(STUDY, ratio=best, noise=0.05)
    tuned, rates = found["tuned"], found["rates"]
    assert tuned[[*RATE_COLUMNS]].to_numpy().tolist() == [[0.01, 0.1]] * 2
    assert tuned["verdict"].tolist() == ["helps"] * 2
    np.testing.assert_allclose(tuned["effect"], 0.5, rtol=0.1)
    assert set(tuned["family"]) == {2}
    assert set(tuned["optimizer"]) == {"adam"}
    assert len(rates) == 2 * len(RATES)
    for arm, column in zip(("baseline", "treatment"), RATE_COLUMNS, strict=True):
        chosen = rates[rates[f"{arm}_chosen"]]
        assert chosen["rate"].tolist() == tuned[column].tolist()
        np.testing.assert_allclose(chosen[f"{arm}_value"], tuned[f"{arm}_value"])
        lowest = rates.groupby("batch_size", sort=False)[f"{arm}_validation"].idxmin()
        assert chosen.index.tolist() == lowest.tolist()
    assert_states(verdicts["sentence"], ["best learning rate", "8 seeds", "BN", "lower"])
    assert_states(verdicts["equal_rates"], ["equal rates", "8 seeds"])
    for said in verdicts["tuned"]:
        assert_states(said, ["no BN at 0.01 and BN at 0.1;", "0.001 and 0.1"])
    assert "\n".join([verdicts["sentence"], verdicts["equal_rates"], *verdicts["tuned"]]) == prose


def test_validation_losses_and_not_test_losses_say_which_rate_is_the_best(compared):
    def validation(labels, seed):
        return 100.0 if labels["optimizer"] == BEST[labels["norm"]] else 1.0

    found, _ = compared(STUDY, ratio=best, noise=0.05, validation=validation)
    assert (found["tuned"]["baseline_value"] > 5 * found["rates"]["baseline_value"].min()).all()
    assert not set(found["tuned"]["rate_baseline"]) & {0.01}
    assert not set(found["tuned"]["rate_treatment"]) & {0.1}


def test_contexts_of_other_seeds_are_judged_by_flips_of_the_seeds_of_both(compared):
    found, _ = compared(STUDY, noise=0.3, seeds=lambda labels: range(7) if labels["batch_size"] == "25" else None)
    tuned = found["tuned"]
    assert set(tuned["adjustment"]) == {"maxT"}
    assert tuned["pairs"].tolist() == [8, 7]
    np.testing.assert_array_equal(tuned["p_adjusted"], tuned["p_max_t"])
    assert tuned["p_holm"].min() == pytest.approx(min(1, 2 * tuned["p"].min()))


@pytest.mark.parametrize("seeds", [6, 20])
def test_a_pair_that_lacks_a_seed_keeps_the_p_of_its_own_flips_and_joins_those_of_the_others(seeds):
    generator = np.random.default_rng(3)
    whole, other = noise(generator, seeds)
    validation, outcome = generator.normal(size=(2, 2, 3, seeds - 1))
    fewer = pair(validation, outcome, "25", seeds=np.delete(np.arange(seeds), 2))
    nothing = pair(*np.empty((2, 2, 3, 0)), "10")
    alone, adjusted = tuning.reselected([whole, other, fewer, nothing])
    assert alone[2] == tuning.reselected([fewer]).alone[0]
    assert alone[0] == tuning.reselected([whole]).alone[0]
    assert (adjusted[:3] >= alone[:3]).all()
    assert np.isnan([alone[3], adjusted[3]]).all()
    # A seed that a pair lacks adds nothing to it, whichever way it is flipped.
    if seeds == 6:
        statistics = [tuning._Flipped(one) for one in (whole, other, fewer)]
        flips = np.array([*product([0, 1], repeat=seeds)], np.uint8)
        found = np.stack([statistics[0](flips), statistics[1](flips), statistics[2](np.delete(flips, 2, 1))], axis=1)
        observed, first = found[0] - 1e-9, found[0].argmax()
        assert adjusted[first] == (found.max(1) >= observed[first]).mean()


def test_a_seed_that_one_rate_lacks_is_left_out_at_all_rates(tmp_path, compared):
    def kept(labels):
        return range(1, 8) if labels["optimizer"] == "adam lr=0.1" and labels["norm"] == "none" else None

    frames = synthetic.frames(STUDY, noise=0.3, seeds=kept)
    found, _ = compared(STUDY, frames)
    assert found["tuned"]["pairs"].tolist() == [7, 7]
    data = tmp_path / "synthetic" / "data"
    settings_of = {setting.address: trials.read(STUDY, data, setting) for setting in STUDY.settings}
    own = {address: tuning.finals(STUDY, arm) for address, arm in settings_of.items()}
    common = {address: one.of(np.arange(1, 8)) for address, one in own.items()}
    expected = tuning.tables(STUDY, common)
    for name in ("tuned", "rates"):
        names = [column for column in found[name] if column != "mixed"]
        pd.testing.assert_frame_equal(found[name][names], expected[name][names], check_dtype=False)


LOST = {"norm": "batch", "optimizer": "adam lr=0.1"}


@pytest.mark.parametrize(
    ("options", "verdicts"),
    [
        ({"diverged": lambda labels, seed: 0 if labels["optimizer"] == "adam lr=0.1" else None}, {"undecided"}),
        ({"diverged": lambda labels, seed: 0 if labels == {**labels, **LOST} else None}, {"undecided"}),
        ({"diverged": lambda labels, seed: 0}, {"undecided"}),
        ({"seeds": lambda labels: [] if labels["norm"] == "batch" else None}, {"no data"}),
        ({"seeds": lambda labels: [] if labels["optimizer"] == "adam lr=0.1" else None}, {"no data"}),
        ({"seeds": lambda labels: []}, {"no data"}),
    ],
    ids=["a rate diverged", "a rate of an arm diverged", "all diverged", "no arm", "no rate", "nothing"],
)
def test_rates_that_no_trial_survived_or_that_are_not_trained_yet_are_no_error(compared, options, verdicts):
    found, said = compared(STUDY, noise=0.3, **options)
    assert set(found["tuned"]["verdict"]) == verdicts
    assert found["tuned"]["rate_treatment"].isna().all() == (verdicts == {"no data"})
    assert found["rates"]["treatment_chosen"].any() == (verdicts != {"no data"})
    assert all(("Chosen" in sentence) == (verdicts != {"no data"}) for sentence in said["tuned"])
    if found["contexts"]["finite_pairs"].any():
        assert 0.1 not in set(found["tuned"]["rate_treatment"])


def test_a_study_that_does_not_tune_has_neither_table_nor_sentence(compared):
    found, verdicts = compared(synthetic.plan())
    assert found["tuned"].empty
    assert found["rates"].empty
    assert verdicts["tuned"] == []
    assert "best learning rate" not in verdicts["sentence"]
    assert verdicts["equal_rates"] == ""
    assert verdicts["tables"]["tuned"]["data"] == []


def test_points_for_validation_are_the_same_in_all_arms_and_at_all_rates_and_others_for_another_seed():
    def held(setting, seed):
        return tuple(tasks.of(setting.spec).data(seed).validation_x[:, 0])

    assert len({held(setting, 4) for setting in STUDY.settings}) == 1
    assert len({held(STUDY.settings[0], seed) for seed in range(9)}) == 9


def test_what_is_held_out_is_a_part_of_the_address_and_rates_are_not_a_part_of_what_is_held_out():
    other = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25], tune={"validation": 0.3})
    without = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25])
    addresses = [{setting.address for setting in study.settings} for study in (STUDY, other, without)]
    assert all(len(own) == 12 for own in addresses)
    assert not addresses[0] & addresses[1]
    assert not addresses[0] & addresses[2]
    assert {setting.spec.get("validation") for setting in without.settings} == {None}
    assert without.tuned_contexts() == []


def test_contexts_that_differ_in_the_rate_alone_are_one_with_each_arm_at_every_rate():
    found = STUDY.tuned_contexts()
    assert [labels["batch_size"] for labels, _ in found] == ["full", "25"]
    assert all(labels["optimizer"] == "adam" for labels, _ in found)
    for _, settings_of in found:
        assert {arm: tuple(rates) for arm, rates in settings_of.items()} == {"none": RATES, "batch": RATES}
    addresses = [address for _, own in found for rates in own.values() for address in rates.values()]
    assert sorted(addresses) == sorted(setting.address for setting in STUDY.settings)


def test_a_list_of_rates_is_a_level_for_each():
    one = synthetic.plan(optimizer=[{"name": "sgd", "lr": [0.1, 0.2]}, "adam"])
    assert [*one.levels["optimizer"]] == ["sgd lr=0.1", "sgd lr=0.2", "adam lr=0.001"]
    assert one == synthetic.plan(optimizer=[{"name": "sgd", "lr": 0.1}, {"name": "sgd", "lr": 0.2}, "adam"])
    assert synthetic.plan(optimizer={"name": "sgd", "lr": [0.1, 0.2]}).levels["optimizer"].keys() == {
        "sgd lr=0.1",
        "sgd lr=0.2",
    }


def test_the_ratio_at_equal_rates_is_that_of_its_context(compared):
    found, _ = compared(STUDY, ratio=arms(batch=2.0), noise=0.2)
    contexts, rates = found["contexts"], found["rates"]
    labels = [f"adam lr={rate:g}" for rate in rates["rate"]]
    equal = contexts.set_index(["batch_size", "optimizer"]).loc[list(zip(rates["batch_size"], labels, strict=True))]
    np.testing.assert_allclose(rates[["effect", "low", "high"]], equal[["effect", "own_low", "own_high"]])
    np.testing.assert_allclose(rates["baseline_value"], equal["baseline_value"])


def test_arms_at_chosen_rates_are_never_called_equivalent(compared):
    found, _ = compared(STUDY, noise=1e-4)
    assert set(found["contexts"]["verdict"]) == {"equivalent"}
    assert "equivalent" not in set(found["tuned"]["verdict"])
    assert found["tuned"]["p_equivalence"].isna().all()


def test_several_comparisons_of_a_context_are_adjusted_by_holm(compared):
    study = synthetic.plan(norm=["none", "batch", "layer"], optimizer=[ADAM], tune={})
    found, _ = compared(study, noise=0.1)
    assert set(found["contexts"]["adjustment"]) == {"maxT"}
    assert set(found["tuned"]["adjustment"]) == {"Holm"}
    assert len(found["tuned"]) == 2


def test_a_test_loss_that_is_not_finite_leaves_the_validation_losses(tmp_path, monkeypatch):
    study = config.load({**TINY, "seeds": 2}, "tiny")
    drawn = tasks.Sine.data

    def infinite(self, seed):
        data = drawn(self, seed)
        return data._replace(test_y=data.test_y + (np.inf if seed == 1 else 0.0))

    monkeypatch.setattr(tasks.Sine, "data", infinite)
    chunk = all_chunks(study, cost.seeds_per_job)[0]
    train.run(chunk, tmp_path, 1)
    rows = tables.read_parquet(chunk_files.paths(chunk, tmp_path)["losses"]).to_pandas()
    own = rows[rows["seed"] == 1]
    assert own["test_loss"].isna().all()
    assert own["validation_loss"].notna().sum() == 3
