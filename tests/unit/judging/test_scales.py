"""Both scales of an outcome: SciPy's numbers on the same pairs, and a direction that no table reads the wrong way."""

import math

import in_memory
import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from bnbench.judging import aa_control, splits, verdict_rows, verdicts
from bnbench.outcomes import OUTCOMES
from bnbench.plan import config
from bnbench.vocabulary import GAP

pytestmark = pytest.mark.filterwarnings("error")

SMALL = {"epochs": 40, "evaluate_every": 10, "hidden": [4], "batch_size": ["full"], "study": "scales"}
OWN = "def score(output, target):\n    return output\n\n\ndef cost(output, target):\n    return -output\n"
MIRRORED = {"helps": "hurts", "hurts": "helps"}
ENDS = ("effect", "own", "narrow", "hl", "effect_last")


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A study of metrics of the user's own: `score`, of which a higher one is better, and `cost`, of which a lower."""
    path = tmp_path_factory.mktemp("own") / "scores.py"
    path.write_text(OWN)
    entry = {"name": "module", "path": str(path)}
    metrics = [{**entry, "build": "score", "better": "higher"}, {**entry, "build": "cost", "better": "lower"}]
    studies = {
        outcome: config.load({**SMALL, "metrics": metrics, "report": {"outcome": outcome, "margin": 0.01}}, "scales")
        for outcome in ("score", "cost")
    }
    return studies.__getitem__


def of_classes(outcome, margin=0.005, seeds=10):
    return config.load(
        {**SMALL, "seeds": seeds, "task": "digits", "report": {"outcome": outcome, "margin": margin}}, "scales"
    )


BY_ACCURACY, BY_ERROR = of_classes("test_accuracy"), of_classes("test_error")


def row_of(study, *arms):
    """The row of `contexts` of arms that ended at these values, [pairs] each; a gap is made of two losses."""
    name, losses = study.report.outcome, {"test_loss": np.ones(len(arms[0]))}
    ended = [{"test_loss": np.exp(arm), "eval_loss": 1.0} if name == GAP else {**losses, name: arm} for arm in arms]
    pairs = in_memory.pairs(study, *ended)
    contrasts = [verdicts.contrast(study.report, pairs)]
    table = verdict_rows.table(study, contrasts, verdicts.decide(study.report, contrasts))
    (row,) = table.to_dict("records")
    return row


def accuracies(seeds, apart, spread=0.004, key=0):
    generator = np.random.default_rng(key)
    baseline = 0.9 + 0.01 * generator.standard_normal(seeds)
    return baseline, baseline + apart + spread * generator.standard_normal(seeds)


@pytest.mark.parametrize(
    ("apart", "spread", "verdict"),
    [(0.02, 0.004, "helps"), (-0.02, 0.004, "hurts"), (0.0, 0.001, "equivalent"), (0.001, 0.01, "undecided")],
)
def test_an_accuracy_is_judged_with_the_numbers_of_scipy(apart, spread, verdict):
    study = of_classes("test_accuracy")
    baseline, treated = accuracies(10, apart, spread)
    row, differences = row_of(study, baseline, treated), treated - baseline
    assert row["verdict"] == verdict
    assert row["effect"] == pytest.approx(differences.mean(), abs=1e-12)
    interval = stats.ttest_rel(treated, baseline).confidence_interval(0.95)
    assert (row["own_low"], row["own_high"]) == pytest.approx(tuple(interval), abs=1e-12)
    flips = stats.permutation_test(
        (treated, baseline), lambda x, y: (x - y).mean(), permutation_type="samples", n_resamples=math.inf
    )
    assert row["p"] == pytest.approx(flips.pvalue, abs=1e-12)
    within = [(differences + 0.005, "greater"), (differences - 0.005, "less")]
    one_sided = max(stats.ttest_1samp(moved, 0, alternative=side).pvalue for moved, side in within)
    assert row["p_equivalence"] == pytest.approx(one_sided, abs=1e-12)
    assert (row["baseline_value"], row["treatment_value"]) == pytest.approx((baseline.mean(), treated.mean()))


def mirrored(row, other):
    """Check that two rows are the same comparison, read from the other side."""
    assert row["effect"] == pytest.approx(-other["effect"], abs=1e-12)
    for name in ENDS:
        low, high = (row[f"{name}_{end}"] for end in ("low", "high"))
        low_of, high_of = (other[f"{name}_{end}"] for end in ("low", "high"))
        assert (low, high) == pytest.approx((-high_of, -low_of), abs=1e-12, nan_ok=True)
    for name in ("p", "p_adjusted", "p_equivalence", "p_wilcoxon", "pairs", "within_margin"):
        assert row[name] == pytest.approx(other[name], abs=1e-9, nan_ok=True)


both_arms = st.integers(0, 2**32 - 1).flatmap(
    lambda key: st.builds(
        accuracies,
        st.integers(3, 10),
        st.floats(-0.03, 0.03),
        st.sampled_from([0.0005, 0.004, 0.02]),
        st.just(key),
    )
)


@settings(max_examples=60, deadline=None)
@given(both_arms)
def test_an_error_has_the_mirrored_effect_and_the_same_verdict_as_its_accuracy(drawn):
    baseline, treated = drawn
    accuracy = row_of(BY_ACCURACY, baseline, treated)
    error = row_of(BY_ERROR, 1 - baseline, 1 - treated)
    mirrored(accuracy, error)
    assert accuracy["verdict"] == error["verdict"]
    assert accuracy["win_rate"] == error["win_rate"]


@settings(max_examples=60, deadline=None)
@given(drawn=both_arms)
def test_a_score_and_its_negative_that_is_a_cost_have_one_verdict_and_in_one_direction_the_opposite(own, drawn):
    baseline, treated = drawn
    score, cost = row_of(own("score"), baseline, treated), row_of(own("cost"), -baseline, -treated)
    mirrored(score, cost)
    assert score["verdict"] == cost["verdict"]
    other_way = row_of(own("cost"), baseline, treated)
    assert other_way["verdict"] == MIRRORED.get(score["verdict"], score["verdict"])
    assert other_way["effect"] == pytest.approx(score["effect"], abs=1e-12)


@pytest.mark.parametrize("outcome", ["swing", "mae", "test_error", GAP])
def test_of_a_difference_that_should_be_low_a_lower_one_helps(outcome):
    task = {"task": "digits"} if outcome == "test_error" else {}
    study = config.load({**SMALL, **task, "seeds": 8, "report": {"outcome": outcome, "margin": 0.01}}, "scales")
    baseline = 0.5 + 0.01 * np.arange(8)
    row = row_of(study, baseline, baseline - 0.1 + 0.001 * np.arange(8))
    assert row["verdict"] == "helps"
    assert row["effect"] == pytest.approx(-0.0965)


def test_a_diverged_trial_is_the_worst_whichever_way_is_better(own):
    for outcome, sign in (("score", 1), ("cost", -1)):
        baseline = sign * (0.5 + 0.01 * np.arange(8))
        row = row_of(own(outcome), baseline, np.full(8, np.nan))
        assert (row["verdict"], row["test"]) == ("hurts", "worst-rank")


def test_scores_without_an_effect_are_called_different_about_as_often_as_alpha_says():
    study, wrong = of_classes("test_accuracy", seeds=8), []
    for key in range(300):
        row = row_of(study, *accuracies(8, 0.0, 0.01, key))
        wrong.append(row["verdict"] in ("helps", "hurts"))
    assert np.mean(wrong) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / len(wrong))


def test_the_a_a_control_declares_no_more_of_scores():
    study = of_classes("test_accuracy", seeds=16)

    def drawn(labels):
        baseline, treated = accuracies(16, 0.0, 0.01, 3)
        return range(16), -baseline, -treated  # costs

    row = aa_control.table(study, synthetic.contrasts(study, drawn), 150).iloc[0]
    assert row["share"] < 0.06 + 4 * math.sqrt(0.06 * 0.94 / 150)


@pytest.mark.parametrize(
    ("outcome", "corrected"), [("test_accuracy", True), ("test_error", True), ("train_loss", False)]
)
def test_the_interval_for_splits_of_the_same_rows_is_for_means_over_the_test_points(outcome, corrected):
    study = of_classes(outcome, margin=0.01 if outcome != "train_loss" else 1.05)
    (context, _), *_ = study.contexts()
    differences = np.linspace(0.01, 0.03, 10)
    found = splits.corrected(study, [(context, differences)])
    assert math.isfinite(found["corrected_low"][0]) == corrected
    if corrected:
        sign = 1 if OUTCOMES[outcome].lower_is_better else -1
        assert found["corrected_low"][0] < sign * differences.mean() < found["corrected_high"][0]
