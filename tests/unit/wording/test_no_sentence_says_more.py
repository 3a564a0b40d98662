"""No sentence ever says more than its verdict, whatever the numbers."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import own_tables
import pandas as pd
import pytest
import supported
import synthetic
import walking
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bnbench.judging import verdict_rows, verdicts
from bnbench.wording import answers, formats, samples, sentences, titles
from bnbench.wording.preregistration import UNKNOWN

pytestmark = pytest.mark.filterwarnings("error")

OPTIMIZERS = [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]
SLOW = {"name": "batch", "momentum": 0.01}
STUDIES = [
    synthetic.plan(),
    synthetic.plan(batch_size=["full", 25], optimizer=OPTIMIZERS),
    synthetic.plan(batch_size=["full", 10, 25], norm=["none", "batch", SLOW]),
    synthetic.plan(batch_size=["full", 10, 25, 50], optimizer=OPTIMIZERS),
]

never_or_often = st.sampled_from([0.0] * 5 + [0.3, 1.0])
drawn_contrast = st.tuples(
    st.sampled_from([0, 1, 2, 5, 10, 10, 10, 10]),
    st.sampled_from([-3.0, -0.4, -0.02, 0.0, 0.02, 0.4, 3.0]),
    st.sampled_from([0.0, 0.01, 0.01, 0.3, 0.3, 40.0]),
    st.tuples(never_or_often, never_or_often),
    st.integers(0, 2**32 - 1),
)
"""Seeds, effect, spread, how often each arm diverges, and what the losses are drawn from."""

drawn_studies = st.sampled_from(STUDIES).flatmap(
    lambda study: st.tuples(
        st.just(study),
        st.lists(drawn_contrast, min_size=size(study), max_size=size(study)),
    )
)
quick = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}  # to shrink takes minutes
several = settings(max_examples=30, **quick)


def size(study):
    return len(study.contexts()) * (len(study.arms) - 1)


def judged(study, drawn):
    """The rows of a study whose contrasts are as `drawn`."""
    each = iter(drawn)

    def losses(labels):
        seeds, effect, spread, diverging, key = next(each)
        generator = np.random.default_rng(key)
        arms = generator.normal(0, spread, (2, seeds))
        arms[1] += effect
        arms[generator.random((2, seeds)) < np.array(diverging)[:, None]] = math.nan
        return np.arange(seeds), *arms

    contrasts = synthetic.contrasts(study, losses)
    return verdict_rows.table(study, contrasts, verdicts.decide(study.report, contrasts, draws=499))


def assert_context_claims(study, row, said):
    """What the sentence on one contrast may say of a direction, and what it must say."""
    verdict, by_mean = row["verdict"], row["test"] == "mean"
    treated = titles.arm(study, row["treatment"])
    assert (f" {treated} hurts" in said, f" {treated} helps" in said) == (verdict == "hurts", verdict == "helps")
    diverged = row["pairs"] > 0 and samples.all_diverged(row)
    assert ("every trial diverged" in said) == diverged
    assert ("nothing is decided" in said) == (verdict == "undecided" and not diverged)
    assert ("equivalent" in said) == (verdict == "equivalent")
    claims = re.sub(supported.OPEN, "", said)
    allowed = {"hurts": ["higher"], "helps": ["lower"]}.get(verdict, []) if by_mean else ["higher", "lower"]
    assert sides(claims) <= set(allowed if verdict != "undecided" else [])
    # That it is over all seeds of the study is said once, above all sentences.
    assert (f"over {row['pairs']} seed" in said) == (0 < row["pairs"] != len(study.seeds))
    assert all(formats.length(part) <= sentences.LONGEST for part in walking.sentences(said))
    assert titles.context_name(study, row) in said
    assert_whole(said)


def sides(said):
    """The sides of no effect that a text names."""
    found = set(re.findall("times as high|higher|lower", said))
    return {"higher" if side == "times as high" else side for side in found}


def assert_whole(said):
    assert not re.search(r"\bnan\b|\binf\b|None|  | [.,;:)]|\(\)", said)


def said_of(rows):
    """The rows with what is said in place of a verdict where every trial diverged."""
    diverged = (rows["pairs"] > 0) & (rows["pairs"] == rows["diverged_baseline"])
    diverged &= rows["pairs"] == rows["diverged_treatment"]
    return rows.assign(verdict=rows["verdict"].where(~diverged, "diverged"))


VERBS = {"hurt": "hurts", "help": "helps", "hurts": "hurts", "helps": "helps", "equivalent": "equivalent"}
VERBS |= {"undecided": "undecided", "diverged": "diverged", "lacks": "no data", "lack": "no data"}
COUNTED = re.compile(r"\b(hurts|helps|equivalent|undecided|diverged|lacks)\b[^\d(]*?in (\d+)")
TALLIED = re.compile(r"(\d+) (?:is |are )?(hurts?|helps?|equivalent|undecided|diverged|lacks?)\b")


def assert_headline_claims(study, rows, said):
    """A headline is short, and says as many of each verdict as there are, of every treatment or of all together."""
    assert 0 < len(said.split()) <= answers.WORDS, said
    assert_whole(said)
    assert not said.endswith(".")
    rows = said_of(rows)
    found = Counter(rows["verdict"])
    if set(found) == {"no data"}:
        assert said == "There are no pairs to compare yet"
        return
    if set(found) == {"diverged"}:
        assert re.match("Every trial .* diverged.*: there is nothing to compare", said)
        return
    if said.startswith("Nothing is decided in any of "):
        assert set(found) == {"undecided"}
        return
    if said.startswith("Of "):
        assert f"Of {len(rows)} comparison" in said
        tallied = {VERBS[verb]: int(number) for number, verb in TALLIED.findall(said.partition(", ")[2])}
        assert tallied == found
        return
    more, clauses = [sentence.removesuffix(".") for sentence in answers.others(study, rows)], said.split("; ")
    assert all(len(sentence.split()) <= answers.WORDS for sentence in more)
    assert not more or len(clauses) == 1
    for arm, clause in zip(study.arms[1:], [*clauses, *more], strict=True):
        own = rows[rows["treatment"] == arm]
        counts = Counter(own["verdict"])
        assert titles.arm(study, arm) in clause
        bare = re.sub(r"\([^()]*\)", "", clause)
        if (
            len(own) > 1
            and not bare.startswith(("Nothing", "nothing", "Every", "every"))
            and "are equivalent" not in bare
        ):
            assert {VERBS[verb]: int(number) for verb, number in COUNTED.findall(bare)} == counts
        else:
            assert len(counts) == 1
            (verdict,) = counts
            words = {"undecided": "decided", "no data": "lacks data"}
            assert words.get(verdict, verdict) in clause
        sized = set(own.loc[(own["test"] == "mean") & own["verdict"].isin(["hurts", "helps"]), "verdict"])
        assert sides(clause) <= {{"hurts": "higher", "helps": "lower"}[verdict] for verdict in sized}


@given(drawn_studies)
@several
def test_no_sentence_says_more_than_its_verdict(drawn):
    study, contrasts = drawn
    for row in judged(study, contrasts).to_dict("records"):
        assert_context_claims(study, row, sentences.context(study, row))


@given(drawn_studies)
@several
def test_a_headline_claims_no_direction_without_a_verdict_and_counts_every_context(drawn):
    study, contrasts = drawn
    rows = judged(study, contrasts)
    said = answers.headline(study, rows)
    assert_headline_claims(study, rows, said)
    assert answers.answer(study, rows, said).startswith(said) or len(rows) == 1


names = st.lists(
    st.text("ab ", min_size=1, max_size=60).map(lambda text: f"{text}x".strip()), min_size=2, max_size=5, unique=True
)
verdicts_of = st.sampled_from(["hurts", "helps", "equivalent", "undecided", "no data"])


@given(names, st.integers(1, 40), st.data())
@settings(max_examples=60, **quick)
def test_a_headline_is_short_whatever_arms_are_called_and_however_many_contexts_there_are(arms, contexts, data):
    """Arms of thirty words, of results of one's own; with every mixture of verdicts and tests."""
    unique = list(dict.fromkeys(" ".join(arm.split()) for arm in arms))
    if len(unique) < 2:
        return
    study = own_tables.study(
        own_tables.measured(own_tables.grid(norm=unique, seed=[0, 1, 2]), "val_loss"), baseline=unique[0]
    )
    rows = [
        {
            "baseline": study.report.baseline,
            "treatment": arm,
            "outcome": study.report.outcome,
            "verdict": data.draw(verdicts_of),
            "test": data.draw(st.sampled_from(["mean", "rank", "worst-rank"])),
            "pairs": 10,
            "runs_baseline": math.nan,
            "diverged_baseline": diverged,
            "diverged_treatment": diverged,
            "effect": 1e-17,
        }
        for arm in study.arms
        if arm != study.report.baseline
        for _ in range(contexts)
        for diverged in [data.draw(st.sampled_from([0, 0, 0, 10]))]
    ]
    rows = [{**row, "effect": 123456.7} if row["verdict"] == "hurts" else row for row in rows]
    said = answers.headline(study, pd.DataFrame(rows))
    assert 0 < len(said.split()) <= answers.WORDS
    assert_whole(said)


stores = st.fixed_dictionaries(
    {
        "seeds": st.sampled_from([1, 2, 5, 7, 9]),
        "ratios": st.lists(st.sampled_from([0.3, 0.9, 1.0, 1.0, 1.02, 1.5, 4.0]), min_size=8, max_size=8),
        "noise": st.sampled_from([0.0, 0.02, 0.4]),
        "diverging": st.sampled_from([0.0, 0.0, 0.2]),
        "missing": st.sampled_from([0.0, 0.0, 0.1, 0.9]),
        "key": st.integers(0, 1000),
    }
)


@given(stores)
@settings(max_examples=12, **quick)
def test_no_sentence_of_a_whole_comparison_says_more_than_its_row(tmp_path_factory, drawn):
    study = synthetic.plan(batch_size=["full", 25], optimizer=OPTIMIZERS, seeds=drawn["seeds"])
    ratio = {setting.address: ratio for setting, ratio in zip(study.settings, drawn["ratios"], strict=True)}
    address = {tuple(setting.labels.items()): setting.address for setting in study.settings}

    def chance(labels, seed, of):
        return np.random.default_rng([*address[tuple(labels.items())].encode(), seed, of, drawn["key"]]).random()

    options = {
        "ratio": lambda labels, seed: ratio[address[tuple(labels.items())]],
        "noise": drawn["noise"],
        "diverged": lambda labels, seed: 12 if chance(labels, seed, 0) < drawn["diverging"] else None,
        "seeds": lambda labels: [seed for seed in study.seeds if chance(labels, seed, 1) >= drawn["missing"]],
    }
    folder: Path = tmp_path_factory.mktemp("claims")
    found, verdicts = synthetic.compared(folder, study, splits=5, **options)
    rows = found["contexts"]
    assert_headline_claims(study, rows, verdicts["headline"])
    assert verdicts["sentence"].startswith(f"{verdicts['headline']}.")
    for row, said in zip(rows.to_dict("records"), verdicts["sentences"], strict=True):
        assert_context_claims(study, row, said)
    for row, said in zip(found["interactions"].to_dict("records"), verdicts["interactions"], strict=True):
        assert (said == "") == math.isnan(row["low"])
        decided = row["p_adjusted"] < 0.05 and not row["low"] <= 1 <= row["high"]
        assert said == "" or bool(re.search("nothing is decided|not decided", said.partition("(")[0])) == (not decided)
        told = said.partition(" By their own")[0]
        assert (
            row["factor"] != "main effect"
            or not decided
            or sides(re.sub(supported.OPEN, "", told)) == {"higher" if row["low"] > 1 else "lower"}
        )
        assert_whole(said)
    trends = set(found["convergence"]["trend"])
    for verb, trend in (("fell", "falls"), ("rose", "rises")):
        assert (f" {verb} " in verdicts["convergence"]) == (trend in trends)
        assert (f" still {trend} " in verdicts["still_changing"]) == (trend in trends)
    for said in (
        *verdicts["absolute"],
        verdicts["absolute_answer"],
        verdicts["convergence"],
        verdicts["still_changing"],
    ):
        assert_whole(said)
    with_pairs = rows[rows["finite_pairs"] > 0].to_dict("records")
    for row, said in zip(with_pairs, verdicts["trajectories"], strict=True):
        allowed = {"hurts": {"higher"}, "helps": {"lower"}}.get(row["verdict"], set())
        assert set(re.findall("higher|lower", said)) <= allowed
    simultaneous = set(rows["limits"].dropna()) & {"flips", "Bonferroni"}
    assert ("hold simultaneously" in verdicts["methods"]) == bool(simultaneous)
    for said in (*verdicts["trajectories"], verdicts["control"], verdicts["cost"], verdicts["methods"]):
        assert_whole(said)
    assert "fixed before" not in verdicts["methods"].replace(UNKNOWN, "")  # there is no record of any plan


def test_over_seeds_that_can_never_decide_no_sentence_says_which_loss_is_higher(compared):
    found, verdicts = compared(synthetic.plan(seeds=5), ratio=synthetic.arms(batch=9.0), noise=0.02)
    assert found["contexts"]["verdict"].tolist() == ["undecided"]
    assert not re.search("is higher|is lower", " ".join(verdicts["trajectories"]))
