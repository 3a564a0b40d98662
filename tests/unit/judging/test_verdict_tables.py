"""Verdicts of a family of contrasts: each number against an independent one, and what must not change any of them."""

import math
from dataclasses import replace

import in_memory
import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW
from synthetic import GRID

from bnbench.judging import sign_flips, verdict_rows, verdicts

pytestmark = pytest.mark.filterwarnings("error")

FOUR = synthetic.plan(**GRID)
EFFECTS = (0.9, 0.02, -0.5, 0.0)


def family(study=FOUR, effects=EFFECTS, seeds=8, spread=0.3, drop=(), together=0.0):
    """Contrasts with these effects on the log loss; `drop` are (index of the context, seed) that have no pair."""
    generator = np.random.default_rng(7)
    common, index = generator.normal(size=seeds), iter(range(len(effects)))

    def drawn(labels):
        at = next(index)
        kept = [seed for seed in range(seeds) if (at, seed) not in drop]
        baseline = generator.normal(size=seeds)
        own = together * common + math.sqrt(1 - together**2) * generator.normal(size=seeds)
        treated = baseline + effects[at] + spread * own
        return kept, baseline[kept], treated[kept]

    return synthetic.contrasts(study, drawn)


def table_of(contrasts, study=FOUR):
    return verdict_rows.table(study, contrasts, verdicts.decide(study.report, contrasts))


def emptied(contrast):
    nothing = np.empty(0)
    arrays = dict.fromkeys(("baseline", "treated", "baseline_last", "treated_last"), nothing)
    return replace(contrast, seeds=np.empty(0, np.int64), **arrays)


@pytest.mark.parametrize("seeds", [3, 8, 12, 20])
@pytest.mark.parametrize("together", [0.0, 0.95])
def test_contexts_of_the_same_seeds_are_judged_by_joint_flips(seeds, together):
    contrasts = family(seeds=seeds, together=together)
    rows, values = table_of(contrasts), np.stack([contrast.differences for contrast in contrasts], axis=1)
    alone, adjusted = sign_flips.max_t(values)
    low, high, methods = sign_flips.simultaneous(values, 0.95)
    np.testing.assert_array_equal(rows[["p", "p_max_t", "p_adjusted"]], np.stack([alone, adjusted, adjusted], axis=1))
    np.testing.assert_allclose(rows[["effect_low", "effect_high"]], np.exp(np.stack([low, high], axis=1)))
    assert set(rows["adjustment"]) == {"maxT"}
    assert rows["limits"].tolist() == [*methods] == (["flips"] if seeds > 8 else ["Bonferroni"]) * 4
    assert set(rows["family"]) == {4}


@pytest.mark.parametrize(
    ("seeds", "drop"),
    [(8, [(2, 7)]), (9, [(0, 0), (1, 0), (2, 0), (3, 8)]), (20, [(2, 7)]), (20, [(0, 0), (1, 5), (1, 6)])],
    ids=["one of 8", "other seeds", "one of 20", "several of 20"],
)
def test_contexts_of_other_seeds_are_judged_by_joint_flips_over_the_seeds_of_all(seeds, drop):
    contrasts = family(seeds=seeds, drop=drop)
    rows, values = table_of(contrasts), np.full((seeds, 4), np.nan)
    for column, contrast in zip(values.T, contrasts, strict=True):
        column[contrast.seeds] = contrast.differences
    np.testing.assert_array_equal(rows["p_max_t"], sign_flips.max_t(values).adjusted)
    np.testing.assert_array_equal(rows["p_adjusted"], rows["p_max_t"])
    assert set(rows["adjustment"]) == {"maxT"}
    np.testing.assert_allclose(rows["p_holm"], multipletests(rows["p"], method="holm")[1])
    assert rows["p"].tolist() == [sign_flips.sign_flip(contrast.differences) for contrast in contrasts]
    low, high, methods = sign_flips.simultaneous(values, 0.95)
    np.testing.assert_allclose(rows[["effect_low", "effect_high"]], np.exp([low, high]).T)
    assert rows["limits"].tolist() == [*methods]
    assert rows["pairs"].tolist() == [len(contrast.seeds) for contrast in contrasts]


def test_the_limits_of_few_seeds_are_bonferronis():
    contrasts = family(drop=[(2, 7)])
    for row, contrast in zip(table_of(contrasts).to_dict("records"), contrasts, strict=True):
        limits = np.exp(DescrStatsW(contrast.differences).tconfint_mean(0.05 / 4))
        assert (row["effect_low"], row["effect_high"], row["limits"]) == (*map(pytest.approx, limits), "Bonferroni")


def test_p_values_are_adjusted_as_statsmodels_does():
    contrasts = family()
    rows = table_of(contrasts)
    np.testing.assert_allclose(rows["p_holm"], multipletests(rows["p"], method="holm")[1])
    margin = math.log(FOUR.report.margin)
    alone = [DescrStatsW(contrast.differences).ttost_mean(-margin, margin)[0] for contrast in contrasts]
    np.testing.assert_allclose(rows["p_equivalence"], multipletests(alone, method="holm")[1])


def test_intervals_of_a_context_by_itself_are_students():
    contrasts = family()
    for row, contrast in zip(table_of(contrasts).to_dict("records"), contrasts, strict=True):
        for name, level in (("own", 0.95), ("narrow", 0.9)):
            limits = np.exp(DescrStatsW(contrast.differences).tconfint_mean(1 - level))
            assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(tuple(limits))
        assert row["effect_low"] < row["own_low"] < row["narrow_low"] < row["effect"]
        assert row["effect"] < row["narrow_high"] < row["own_high"] < row["effect_high"]


def test_one_context_needs_no_adjustment():
    study = synthetic.plan()
    (row,) = table_of(family(study, [0.4]), study).to_dict("records")
    assert row["p"] == row["p_max_t"] == row["p_holm"] == row["p_adjusted"]
    assert (row["effect_low"], row["effect_high"]) == pytest.approx((row["own_low"], row["own_high"]))
    assert (row["family"], row["adjustment"]) == (1, "maxT")


def test_the_same_pairs_in_other_words_are_scipys():
    contrasts = family()
    for row, contrast in zip(table_of(contrasts).to_dict("records"), contrasts, strict=True):
        differences, baseline, treated = contrast.differences, contrast.baseline, contrast.treated
        walsh = [(a + b) / 2 for i, a in enumerate(differences) for b in differences[i:]]
        assert row["hl_effect"] == pytest.approx(math.exp(np.median(walsh)))
        assert row["hl_low"] <= row["hl_effect"] <= row["hl_high"]
        assert row["p_wilcoxon"] == scipy_stats.wilcoxon(differences).pvalue
        assert row["spread_ratio"] == pytest.approx(np.std(treated) / np.std(baseline))
        assert row["p_spread"] == pytest.approx(scipy_stats.pearsonr(treated + baseline, treated - baseline).pvalue)
        assert row["correlation"] == pytest.approx(np.corrcoef(baseline, treated)[0, 1])
        assert row["variance_ratio"] == pytest.approx(np.var(differences) / (np.var(baseline) + np.var(treated)))


def test_a_context_without_pairs_changes_nothing_of_the_others():
    contrasts = family()
    three = [*contrasts[:1], *contrasts[2:]]
    rows = table_of([contrasts[0], emptied(contrasts[1]), *contrasts[2:]])
    assert rows.loc[1, "verdict"] == "no data"
    assert rows.loc[1, ["p", "p_adjusted", "p_holm", "p_equivalence", "effect_low", "effect"]].isna().all()
    others = rows.drop(1).reset_index(drop=True)
    assert set(others["adjustment"]) == {"maxT"}
    assert set(others["family"]) == {3}
    expected = verdict_rows.table(FOUR, three, verdicts.decide(FOUR.report, three))
    assert others.astype(expected.dtypes).equals(expected)


def test_a_family_without_any_pairs_has_a_row_for_each_context():
    rows = table_of([emptied(contrast) for contrast in family()])
    assert set(rows["verdict"]) == {"no data"}
    assert set(rows["family"]) == {0}


def test_diverged_trials_leave_joint_flips_of_ranks_and_intervals_of_what_is_finite():
    contrasts = family(seeds=10)
    treated = contrasts[0].treated.copy()
    treated[:4] = np.nan
    contrasts[0] = replace(contrasts[0], treated=treated)
    rows = table_of(contrasts)
    assert rows["test"].tolist() == ["worst-rank", "mean", "mean", "mean"]
    assert set(rows["adjustment"]) == {"maxT"}
    ranks = in_memory.worst_ranks(contrasts[0].baseline, treated)
    values = np.stack([ranks, *(contrast.differences for contrast in contrasts[1:])], axis=1)
    np.testing.assert_array_equal(rows["p_max_t"], sign_flips.max_t(values).adjusted)
    # Six finite pairs are too few to flip for a quantile: Bonferroni's limits for one of four contexts.
    limits = np.exp(DescrStatsW(contrasts[0].differences).tconfint_mean(0.05 / 4))
    np.testing.assert_allclose(rows.loc[0, ["effect_low", "effect_high"]].tolist(), limits)
    low, high, _ = sign_flips.simultaneous(values[:, 1:], 1 - 0.05 * 3 / 4)
    np.testing.assert_allclose(rows.loc[1:, ["effect_low", "effect_high"]], np.exp([low, high]).T)
    assert rows["limits"].tolist() == ["Bonferroni", "flips", "flips", "flips"]
    assert rows["finite_pairs"].tolist() == [6, 10, 10, 10]
    assert math.isnan(rows.loc[0, "p_equivalence"])
    assert not rows.loc[0, "within_margin"]


@pytest.mark.parametrize("study", [FOUR, synthetic.plan()], ids=["four contexts", "one context"])
def test_seeds_needed_would_show_the_margin_at_this_spread_and_the_familys_alpha(study):
    count = len(study.contexts())
    contrasts = family(study, (0.05, 0.02, -0.01, 0.0)[:count], spread=0.1)
    for row, contrast in zip(table_of(contrasts, study).to_dict("records"), contrasts, strict=True):
        assert row["verdict"] == "undecided"
        effect = math.log(1.05) / contrast.differences.std(ddof=1)
        exact = TTestPower().solve_power(effect, alpha=0.05 / count, power=0.8, alternative="two-sided")
        assert row["seeds_needed"] == math.ceil(exact)


def test_seeds_are_needed_only_where_nothing_is_decided_about_a_mean():
    contrasts = family(effects=(3.0, 0.02, -0.5, 0.0), drop=[(3, seed) for seed in range(1, 8)])
    rows = table_of(contrasts)
    assert rows["verdict"].tolist() == ["hurts", "undecided", rows.loc[2, "verdict"], "undecided"]
    assert rows["seeds_needed"].notna().tolist() == [False, True, rows.loc[2, "verdict"] == "undecided", False]


def test_losses_that_differ_by_rounding_alone_are_equal_and_no_warning():
    floor = -87.3
    bits = np.array([0, 1, 2, 0, 1, 0, 2, 1]) * 200 * math.ulp(floor)
    study = synthetic.plan()
    contrasts = synthetic.contrasts(study, lambda labels: (range(8), floor + bits, floor + bits[::-1]))
    (row,) = table_of(contrasts, study).to_dict("records")
    assert (row["verdict"], row["effect"]) == ("equivalent", pytest.approx(1))
    assert math.isnan(row["p_spread"])


def test_a_row_says_how_many_examples_a_batch_of_it_holds():
    study = synthetic.plan(task=["sine", {"name": "sine", "points": 60}], batch_size=["full", 25])
    assert table_of(family(study, EFFECTS), study)["examples"].tolist() == [100, 25, 60, 25]
    sizes = synthetic.plan(batch_size=[10, 25], report={"factor": "batch_size", "baseline": 25})
    assert table_of(family(sizes, EFFECTS[:2]), sizes)["examples"].isna().all()


logs = st.sampled_from([-2.0, -0.4, -0.03, 0.0, 0.01, 0.03, 0.4, 2.0, math.nan])
families = st.tuples(st.integers(1, 3), st.integers(0, 9)).flatmap(
    lambda shape: st.lists(
        st.lists(st.tuples(logs, logs), min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0]
    )
)
"""[contexts, seeds, arms], with many ties."""


def verdict_of(row, direction):
    """The rule of the specification, from the numbers of a row and the side that its ranks or differences are on."""
    if not row["pairs"]:
        return "no data"
    lower, higher = row["effect_high"] < 1, row["effect_low"] > 1
    if row["test"] != "mean":
        # The ranks say which it is, unless the pairs that stayed finite clearly say the opposite.
        sides = {-1: ("helps", not higher), 1: ("hurts", not lower), 0: ("undecided", True)}
        verdict, uncontradicted = sides[direction]
        return verdict if row["p_adjusted"] < 0.05 and uncontradicted else "undecided"
    if row["p_adjusted"] < 0.05 and (lower or higher):
        return "helps" if lower else "hurts"
    return "equivalent" if row["p_equivalence"] < 0.05 else "undecided"


@given(families, st.booleans())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_a_verdict_is_what_the_numbers_of_its_row_say(drawn, ragged):
    study = synthetic.plan(batch_size=[10, 20, 25][: len(drawn)])
    rows_of = iter(enumerate(drawn))

    def arms(labels):
        index, rows = next(rows_of)
        found = np.array(rows[index * ragged :], dtype=float).reshape(-1, 2)
        return np.arange(len(found)), found[:, 0], found[:, 1]

    contrasts = synthetic.contrasts(study, arms)
    for row, contrast in zip(table_of(contrasts, study).to_dict("records"), contrasts, strict=True):
        direction = int(np.sign(contrast.tested.sum().round(9)))
        assert row["verdict"] == verdict_of(row, direction)
        assert row["within_margin"] == (row["p_equivalence"] < 0.05)
        assert not row["within_margin"] or 1 / 1.05 < row["narrow_low"] <= row["narrow_high"] < 1.05
        assert (row["p_adjusted"] >= row["p"]) == (row["pairs"] > 0)
        assert (row["verdict"] not in ("helps", "hurts")) or row["pairs"] > 5
