"""No sentence ever says more than its verdict, whatever the numbers."""

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import synthetic
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from bnbench.judging import verdict_rows, verdicts
from bnbench.wording import answers, samples, sentences, titles
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
    claims = re.sub(r"may be anything from .*?, compared", "", said)
    allowed = {"hurts": ["higher"], "helps": ["lower"]}.get(verdict, []) if by_mean else ["higher", "lower"]
    assert set(re.findall("higher|lower", claims)) <= set(allowed if verdict != "undecided" else [])
    assert (f"over {row['pairs']} seed" in said) == (row["pairs"] > 0)
    assert titles.context_name(study, row) in said
    assert_whole(said)


def assert_whole(said):
    assert not re.search(r"\bnan\b|\binf\b|None|  | [.,;:)]|\(\)", said)


def assert_answer_claims(study, rows, said):
    """What the first sentence may say of a direction; it has one for each treatment, in order."""
    with_pairs = rows[rows["verdict"] != "no data"]
    if with_pairs.empty:
        assert said == "There are no pairs to compare yet."
        return
    spoken = [arm for arm in study.arms[1:] if (with_pairs["treatment"] == arm).any()]
    parts = re.findall(r"Over [\d, to]* seeds?, .*?\.(?= Over |$)", said)
    assert len(parts) == len(spoken)
    rest, silent = said.removeprefix(" ".join(parts)).strip(), [arm for arm in study.arms[1:] if arm not in spoken]
    assert all(titles.arm(study, arm) in rest for arm in silent)
    assert bool(rest) == bool(silent)
    for arm, part in zip(spoken, parts, strict=True):
        own = said_of(rows[rows["treatment"] == arm])
        claim = assert_spelled_out if len(own) <= 6 else assert_counted
        claim(study, own, part)
        verdicts = set(own["verdict"])
        assert ("every trial" in part) == ("diverged" in verdicts)
        assert ("nothing is decided" in part) == ("undecided" in verdicts)
        assert ("equivalent" in part) == ("equivalent" in verdicts)
        assert ("no pairs" in part) == ("no data" in verdicts)
        sized = set(own.loc[own["test"] == "mean", "verdict"])
        assert ("higher" in part, "lower" in part) == ("hurts" in sized, "helps" in sized)
    assert_whole(said)


def said_of(rows):
    """The rows with what is said in place of a verdict where every trial diverged."""
    diverged = (rows["pairs"] > 0) & (rows["pairs"] == rows["diverged_baseline"])
    diverged &= rows["pairs"] == rows["diverged_treatment"]
    return rows.assign(verdict=rows["verdict"].where(~diverged, "diverged"))


CLAUSES = {
    "made the": None,  # the direction is that of each change
    "was worse": "hurts",
    "was better": "helps",
    "had equivalent": "equivalent",
    "nothing is decided": "undecided",
    "every trial of": "diverged",
    "there are no pairs": "no data",
}


def assert_spelled_out(study, own, part):
    """Every context is named once, in the clause of its verdict."""
    undecided_alone = (
        set(own["verdict"]) <= {"undecided", "diverged", "no data"} and (own["verdict"] == "undecided").sum() > 1
    )
    found = {}
    for clause in part.removesuffix(".").split("; "):
        verdict = next(verdict for start, verdict in CLAUSES.items() if start in clause)
        for change in re.split(r", (?=\d|∞)| and (?=\d|∞)", clause) if verdict is None else [clause]:
            said = verdict or {"higher": "hurts", "lower": "helps"}[re.search("higher|lower", change)[0]]
            for row in own.to_dict("records"):
                if re.search(rf"with {re.escape(titles.context_name(study, row))}(?![\w.=])", change):
                    found.setdefault(titles.context_name(study, row), []).append(said)
    for row in own.to_dict("records"):
        unnamed = undecided_alone and row["verdict"] == "undecided"
        assert found.get(titles.context_name(study, row), []) == ([] if unnamed else [row["verdict"]])
    if undecided_alone:
        number = (own["verdict"] == "undecided").sum()
        either = f"in {'either' if number == 2 else 'any'} of the {number} contexts"
        assert (either if number == len(own) else f"in {number} of {len(own)} contexts") in part


def assert_counted(study, own, part):
    """Every verdict that occurs has its number of contexts."""
    starts = {" hurt in ": "hurts", " helped in ": "helps", "equivalent": "equivalent"}
    starts |= {"nothing is decided in ": "undecided", "no pairs yet in ": "no data", "diverged in ": "diverged"}
    counted = {}
    for clause in part.split("; "):
        for start, verdict in starts.items():
            if start in clause:
                number = re.search(r" in (?:all (?:of the )?|any of the )?(\d+)\b", clause)
                counted[verdict] = int(number[1])
    assert counted == Counter(own["verdict"])
    assert f" of {len(own)} contexts" in part or f" all {len(own)} contexts" in part


@given(drawn_studies)
@several
def test_no_sentence_says_more_than_its_verdict(drawn):
    study, contrasts = drawn
    for row in judged(study, contrasts).to_dict("records"):
        assert_context_claims(study, row, sentences.context(study, row))


@given(drawn_studies)
@several
def test_the_answer_claims_no_direction_without_a_verdict_and_names_every_context(drawn):
    study, contrasts = drawn
    rows = judged(study, contrasts)
    assert_answer_claims(study, rows, answers.answer(study, rows))


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
    assert_answer_claims(study, rows, verdicts["sentence"])
    for row, said in zip(rows.to_dict("records"), verdicts["sentences"], strict=True):
        assert_context_claims(study, row, said)
    for row, said in zip(found["interactions"].to_dict("records"), verdicts["interactions"], strict=True):
        assert (said == "") == math.isnan(row["low"])
        decided = row["p_adjusted"] < 0.05 and not row["low"] <= 1 <= row["high"]
        assert said == "" or bool(re.search("nothing is decided|not decided", said.partition("(")[0])) == (not decided)
        sides = re.findall("higher|lower|equal|anything", said.partition(" By their own")[0])
        assert row["factor"] != "main effect" or not decided or sides[0] == ("higher" if row["low"] > 1 else "lower")
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
