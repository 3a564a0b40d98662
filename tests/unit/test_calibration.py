"""Calibration by simulation: how often the whole comparison errs where the truth is known.

Pairs are drawn as arrays and judged by `compare`, all contexts of a study as one family. Seeds are fixed; every rate
must lie within four standard errors of what is promised.
"""

import gc
import math

import numpy as np
import pytest
import synthetic

from bnbench import compare, stats

STUDY = synthetic.plan()
ALPHA, LEVEL = STUDY.report.alpha, 1 - STUDY.report.alpha
CONTEXT = {"task": "sine", "batch_size": "full", "optimizer": "adam lr=0.001", "device": "cpu"}


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    """Without what no verdict depends on: the search for the seeds needed, and statsmodels' garbage collection."""
    monkeypatch.setattr(stats, "seeds_needed", lambda *_: math.nan)
    monkeypatch.setattr(gc, "collect", lambda: 0)


@pytest.fixture
def _without_tests(monkeypatch):
    """Without the test, which no interval depends on."""
    monkeypatch.setattr(stats, "sign_flip", lambda differences: 1.0)


def drawn(generator, effects, seeds, *, spread=1.0, together=0.0, diverging=0.0):
    """Contrasts of one study with these effects on the log loss.

    The arms are correlated over the seeds, and so are the contexts, which share `together` of their variance.
    """
    common, own = generator.normal(size=(2, seeds)), generator.normal(size=(len(effects), 2, seeds))
    losses = spread * (math.sqrt(together) * common + math.sqrt(1 - together) * own)
    losses[:, 1] = 0.5 * losses[:, 0] + math.sqrt(0.75) * losses[:, 1] + np.asarray(effects)[:, None]
    losses[generator.random(losses.shape) < diverging] = np.nan
    return [compare.Contrast(CONTEXT, "batch", np.arange(seeds), *arms, *arms, 0, "") for arms in losses]


def false_alarms(studies, effects, **options):
    """By study of 8 seeds: whether a context without an effect was judged to help or to hurt."""
    generator = np.random.default_rng(1)
    without = np.equal(effects, 0)
    alarms = []
    for _ in range(studies):
        contrasts = drawn(generator, effects, 8, **options)
        suspect = min(compare._p_value(contrast) for contrast in np.array(contrasts)[without]) < ALPHA
        alarms.append(suspect and compare._judged(STUDY, contrasts)["verdict"][without].isin(["helps", "hurts"]).any())
    return alarms


def assert_rate(hits, promised, *, at_most=False):
    error = math.sqrt(promised * (1 - promised) / len(hits))
    assert np.mean(hits) < promised + 4 * error
    assert at_most or np.mean(hits) > promised - 4 * error


@pytest.mark.parametrize(
    ("effects", "options"),
    [([0] * 5, {"together": 0.6}), ([0] * 5, {}), ([0, 0, 0, 8, -8], {}), ([0] * 3, {"diverging": 0.2})],
    ids=["correlated contexts", "uncorrelated contexts", "some effects", "diverging trials"],
)
def test_a_study_calls_an_effect_that_is_not_there_at_most_as_often_as_alpha_says(effects, options):
    assert_rate(false_alarms(200, effects, **options), ALPHA, at_most=True)


def test_one_context_alone_errs_at_most_as_often_as_alpha_says_but_does_err():
    alarms = false_alarms(500, [0])
    assert_rate(alarms, ALPHA, at_most=True)
    assert np.mean(alarms) > 0.01


@pytest.mark.usefixtures("_without_tests")
@pytest.mark.parametrize("seeds", [5, 20])
def test_intervals_of_the_ratio_hold_the_truth_as_often_as_they_say(seeds):
    rows = compare._judged(STUDY, drawn(np.random.default_rng(seeds), [math.log(3)] * 800, seeds))
    assert_rate(rows["ratio_low"].lt(3) & rows["ratio_high"].gt(3), LEVEL)
    assert_rate(rows["narrow_low"].lt(3) & rows["narrow_high"].gt(3), LEVEL - ALPHA)


@pytest.mark.usefixtures("_without_tests")
def test_a_difference_as_large_as_the_margin_passes_for_smaller_as_often_as_alpha_says():
    edge = math.log(STUDY.report.margin)
    rows = compare._judged(STUDY, drawn(np.random.default_rng(7), [edge, -edge] * 400, 10, spread=edge / 2))
    assert_rate(rows["within_margin"], ALPHA)


def test_effects_that_are_large_are_found_and_have_the_right_sign():
    rows = compare._judged(STUDY, drawn(np.random.default_rng(2), [6, -6, 6, -6], 20))
    assert rows["verdict"].tolist() == ["hurts", "helps", "hurts", "helps"]
