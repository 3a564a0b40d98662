"""No sentence ever says more than its verdict, whatever the numbers."""

import gc
import math
import re

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench import compare, sentences

pytestmark = pytest.mark.filterwarnings("error")

OPTIMIZERS = [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]
STUDIES = [
    synthetic.plan(),
    synthetic.plan(batch_size=["full", 25], optimizer=OPTIMIZERS),
    synthetic.plan(batch_size=["full", 10, 25, 50], optimizer=OPTIMIZERS),
]

never_or_often = st.sampled_from([0.0] * 5 + [0.3, 1.0])
drawn_context = st.tuples(
    st.sampled_from([0, 1, 2, 5, 10, 10, 10, 10]),
    st.sampled_from([-3.0, -0.4, -0.02, 0.0, 0.02, 0.4, 3.0]),
    st.sampled_from([0.0, 0.01, 0.01, 0.3, 0.3, 40.0]),
    st.tuples(never_or_often, never_or_often),
    st.integers(0, 2**32 - 1),
)
"""Seeds, effect, spread, how often each arm diverges, and what the losses are drawn from."""

drawn_contexts = st.sampled_from([1, 4, 8]).flatmap(lambda n: st.lists(drawn_context, min_size=n, max_size=n))


def judged(drawn):
    """A study with as many contexts as `drawn`, and its rows."""
    study = next(study for study in STUDIES if len(study.contexts()) == len(drawn))
    contrasts = []
    for (labels, _), (seeds, effect, spread, diverging, seed) in zip(study.contexts(), drawn, strict=True):
        generator = np.random.default_rng(seed)
        losses = generator.normal(0, spread, (2, seeds))
        losses[1] += effect
        losses[generator.random((2, seeds)) < np.array(diverging)[:, None]] = math.nan
        contrasts.append(compare.Contrast(labels, "batch", np.arange(seeds), *losses, *losses, 0, ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)  # statsmodels' own, and most of the time
        return study, compare._judged(study, contrasts)


@given(drawn_contexts)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_sentence_says_more_than_its_verdict(drawn):
    study, rows = judged(drawn)
    for found in rows.to_dict("records"):
        said = sentences.context(study, found)
        verdict, by_mean = found["verdict"], found["test"] == "mean"
        assert ("BN hurts" in said, "BN helps" in said) == (verdict == "hurts", verdict == "helps")
        assert ("nothing is decided" in said) == (verdict == "undecided")
        assert ("equivalent" in said) == (verdict == "equivalent")
        claims = re.sub(r"may be anything from .*?, compared", "", said)
        allowed = {"hurts": ["higher"], "helps": ["lower"]}.get(verdict, []) if by_mean else ["higher", "lower"]
        assert set(re.findall("higher|lower", claims)) <= set(allowed if verdict != "undecided" else [])
        assert (f"over {found['pairs']} seed" in said) == (found["pairs"] > 0)
        assert not re.search(r"\bnan\b|\binf\b|None", said)


@given(drawn_contexts)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_answer_says_more_than_the_verdicts(drawn):
    study, rows = judged(drawn)
    said = sentences.answer(study, rows)
    verdicts = set(rows["verdict"])
    sized = {v for v, test in zip(rows["verdict"], rows["test"], strict=True) if test == "mean"}
    assert ("higher" in said, "lower" in said) == ("hurts" in sized, "helps" in sized)
    assert ("nothing is decided" in said) == ("undecided" in verdicts)
    assert ("equivalent" in said) == ("equivalent" in verdicts)
    assert ("no pairs" in said) == ("no data" in verdicts)
    assert not re.search(r"\bnan\b|\binf\b|None", said)
