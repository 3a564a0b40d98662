"""Claims of the literature: how rows stand to what is predicted of them, and that no claim says more than its rows."""

import math

import numpy as np
import pandas as pd
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from prose import assert_states
from synthetic import GRID, arms

from bnbench.errors import UserError
from bnbench.judging import claims, verdict_rows, verdicts
from bnbench.wording import claims as claims_in_words

pytestmark = pytest.mark.filterwarnings("error")

SAID = {"words": "BN changes the loss", "source": "somebody 2015"}
NAN = math.nan


def planned(*made, **changes):
    """A study with claims, each of which is given by what differs from the least that one needs."""
    return synthetic.plan(**{**GRID, **changes}, claims=[{**SAID, "predicts": "helps", **claim} for claim in made])


def claim(**changes):
    """A claim as a study has it."""
    (found,) = planned(changes).config["claims"]
    return found


@pytest.mark.parametrize(
    ("stood", "of_all", "of_any"),
    [
        ([], "undecided", "undecided"),
        (["for"], "supported", "supported"),
        (["for", "for"], "supported", "supported"),
        (["for", "open"], "undecided", "supported"),
        (["for", "against"], "only where", "supported"),
        (["for", "against", "open"], "only where", "supported"),
        (["against"], "contradicted", "contradicted"),
        (["against", "against"], "contradicted", "contradicted"),
        (["against", "open"], "contradicted", "undecided"),
        (["open"], "undecided", "undecided"),
        (["open", "open"], "undecided", "undecided"),
    ],
)
def test_the_verdict_on_a_claim_of_all_rows_and_of_any_row(stood, of_all, of_any):
    assert claims.conclude(stood, "all") == of_all
    assert claims.conclude(stood, "any") == of_any
    assert claims.conclude(stood[::-1], "all") == of_all
    assert claims.conclude(stood[::-1], "any") == of_any


def judged(study, made, rows):
    """What is said of a claim by the rows of its table."""
    return claims_in_words.row(study, claims.judge(study, made, rows))


VERDICTS = ["helps", "hurts", "equivalent", "undecided", "no data"]
STUDY = synthetic.plan(**GRID)
CONTEXTS = [{**labels, "baseline": "none", "treatment": "batch"} for labels, _ in STUDY.contexts()]
NUMBERS = {"effect": 1.5, "effect_low": 1.2, "effect_high": 2.0, "pairs": 8}


def row(verdict, labels=CONTEXTS[0], *, within_margin=False):
    return {**labels, **NUMBERS, "verdict": verdict, "within_margin": within_margin}


drawn_rows = st.lists(st.tuples(st.sampled_from(VERDICTS), st.booleans()), max_size=4)


@given(drawn_rows, st.sampled_from(["helps", "hurts", "equivalent"]), st.sampled_from(["all", "any"]))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_claim_is_supported_beyond_what_its_rows_have_decided(drawn, predicts, of):
    rows = [
        row(verdict, labels, within_margin=small and verdict != "no data")
        for (verdict, small), labels in zip(drawn, CONTEXTS, strict=False)
    ]
    found = judged(STUDY, claim(predicts=predicts, of=of), pd.DataFrame(rows))
    predicted = [
        one["verdict"] == predicts
        or (predicts == "equivalent" and one["verdict"] in ("helps", "hurts") and one["within_margin"])
        for one in rows
    ]
    decided = [one["verdict"] in ("helps", "hurts", "equivalent") for one in rows]
    assert (found["conclusion"] == "supported") == (bool(rows) and (all if of == "all" else any)(predicted))
    assert found["conclusion"] == "undecided" or any(decided)
    if found["conclusion"] == "contradicted":
        assert not any(predicted)
        assert of == "all" or all(decided)
    if found["conclusion"] == "only where":
        assert of == "all"
        assert any(predicted)
        assert sum(decided) > sum(predicted)
        assert found["where"]
    assert (found["rows"], found["supporting"]) == (len(rows), sum(predicted))
    assert found["contradicting"] == sum(decided) - sum(predicted)
    assert found["pairs"] == (8 if rows else 0)
    assert [text.count("ratio 1.50 (1.20 to 2.0)") for text in found["measured"]] == [1] * len(rows)


@pytest.mark.parametrize(
    ("verdict", "within_margin", "standing"),
    [
        ("equivalent", True, "for"),
        ("helps", True, "for"),
        ("hurts", True, "for"),
        ("helps", False, "against"),
        ("hurts", False, "against"),
        ("undecided", False, "open"),
        ("no data", False, "open"),
    ],
)
def test_a_difference_that_is_smaller_than_the_margin_speaks_for_equivalence(verdict, within_margin, standing):
    own = row(verdict, within_margin=within_margin)
    assert claims.standing(STUDY, claim(predicts="equivalent"), own) == standing


@pytest.mark.parametrize(
    ("low", "high", "p", "found"),
    [
        (0.5, 0.9, 0.01, "falls"),
        (1.1, 2.0, 0.01, "rises"),
        (0.9, 1.2, 0.01, "open"),
        (0.5, 0.9, 0.06, "open"),
        (1.1, 2.0, 0.05, "open"),
        (0.5, 1.0, 0.01, "open"),
        (NAN, NAN, NAN, "open"),
        (NAN, NAN, 1.0, "open"),
    ],
)
@pytest.mark.parametrize("predicts", ["falls", "rises"])
def test_an_interaction_needs_its_adjusted_p_and_its_interval_to_fall_or_to_rise(low, high, p, found, predicts):
    own = {"low": low, "high": high, "p_adjusted": p}
    expected = "open" if found == "open" else "for" if found == predicts else "against"
    made = claim(**{"in": "interactions"}, predicts=predicts)
    assert claims.standing(STUDY, made, own) == expected


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ({}, 4),
        ({"optimizer": "adam"}, 2),
        ({"optimizer": "adam lr=0.001"}, 2),
        ({"batch_size": "full"}, 2),
        ({"batch_size": 25}, 2),
        ({"batch_size": 25, "optimizer": "sgd"}, 1),
        ({"treatment": "batch", "baseline": "none", "task": "sine", "device": "cpu"}, 4),
    ],
)
def test_a_claim_is_about_rows_by_their_labels_or_by_the_names_that_these_begin_with(where, rows):
    found = judged(STUDY, claim(where=where), pd.DataFrame([row("helps", labels) for labels in CONTEXTS]))
    assert found["rows"] == rows


def test_a_name_is_not_taken_for_the_beginning_of_another():
    study = planned(
        {"where": {"treatment": "population"}}, norm=["none", "population", "population_gamma"], batch_size=["full"]
    )
    (made,) = study.config["claims"]
    labels = [{**CONTEXTS[0], "treatment": arm} for arm in study.arms[1:]]
    found = judged(study, made, pd.DataFrame([row("helps", own) for own in labels]))
    assert (found["rows"], found["conclusion"]) == (1, "supported")


def test_one_decided_row_among_undecided_ones_makes_no_difference_between_them():
    rows = pd.DataFrame(
        [row(verdict, labels) for verdict, labels in zip(["helps", "undecided"], CONTEXTS, strict=False)]
    )
    found = judged(STUDY, claim(), rows)
    assert (found["conclusion"], found["where"]) == ("undecided", "(1 of 2 as predicted)")


def test_a_label_that_a_row_has_is_not_taken_for_a_name_of_others():
    gamma = [{"name": "population_gamma"}, {"name": "population_gamma", "curvature": "unit"}]
    study = planned(
        {"where": {"treatment": "population_gamma"}}, norm=["none", *gamma], batch_size=["full"], optimizer="adam"
    )
    (made,) = study.config["claims"]
    labels = [{**CONTEXTS[0], "treatment": arm} for arm in study.arms[1:]]
    rows = [row(verdict, own) for verdict, own in zip(["helps", "hurts"], labels, strict=True)]
    found = judged(study, made, pd.DataFrame(rows))
    assert (found["rows"], found["conclusion"]) == (1, "supported")


@pytest.mark.parametrize(
    ("verdict", "expected"), [("helps", "for"), ("equivalent", "for"), ("hurts", "against"), ("undecided", "open")]
)
def test_not_worse_is_helped_or_equivalent(verdict, expected):
    assert claims.standing(STUDY, claim(predicts="not_worse"), row(verdict)) == expected


@pytest.mark.parametrize(("edge", "expected"), [(0.1, "for"), (-0.1, "open"), (NAN, "open")])
def test_not_worse_is_an_undecided_effect_whose_limit_lies_within_the_margin(edge, expected):
    own = {**row("undecided"), "edge_not_worse": edge}
    assert claims.standing(STUDY, claim(predicts="not_worse"), own) == expected


def test_a_small_harm_and_a_large_help_both_are_not_worse():
    assert claims.standing(STUDY, claim(predicts="not_worse"), row("hurts", within_margin=True)) == "for"
    assert claims.standing(STUDY, claim(predicts="not_worse"), row("helps")) == "for"
    assert claims.standing(STUDY, claim(predicts="equivalent"), row("helps")) == "against"


OTHER = {"setup": "other", "to": "a toy"}


@pytest.mark.parametrize(
    ("own", "conclusion", "said"),
    [
        (["helps", "helps"], "carries over", "carries over to a toy"),
        (["helps", "hurts"], "carries over in part", "carries over in part to a toy (Adam at full batch)"),
        (["hurts", "undecided"], "does not carry over", "does not carry over to a toy (Adam at full batch)"),
        (["helps", "undecided"], "undecided", "undecided (1 of 2 as predicted)"),
    ],
)
def test_in_another_setup_a_claim_carries_over_or_does_not_and_nothing_contradicts_it(own, conclusion, said):
    rows = pd.DataFrame([row(verdict, labels) for verdict, labels in zip(own, CONTEXTS, strict=False)])
    found = judged(STUDY, claim(**OTHER), rows)
    assert (found["conclusion"], found["said"]) == (conclusion, said)


@given(st.lists(st.sampled_from(["for", "against", "open"]), max_size=5), st.sampled_from(["all", "any"]))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_a_claim_comes_to_the_same_in_both_setups_but_for_its_words(stood, of):
    here, elsewhere = claims.conclude(stood, of), claims.conclude(stood, of, "other")
    assert {here, elsewhere} <= {*claims.CONCLUSIONS}
    assert elsewhere not in ("supported", "only where", "contradicted")
    assert (here == "undecided") == (elsewhere == "undecided")
    assert (elsewhere == "carries over") == (here == "supported")
    if elsewhere in ("carries over", "carries over in part"):
        assert "for" in stood


def test_every_conclusion_is_counted():
    assert set(claims_in_words.COUNTED) == set(claims.CONCLUSIONS)
    found = [{"conclusion": name} for name in ("undecided", "carries over", "undecided", "supported")]
    assert claims_in_words.counts(found) == "1 supported, 1 carrying over to another setup, 2 undecided"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"paper": "they trained"}, ("other", "they trained")),
        ({"paper": "they trained", "setup": "same"}, ("same", "they trained")),
        ({"setup": "other"}, ("other", None)),
        ({}, ("same", None)),
    ],
)
def test_a_claim_whose_paper_is_told_is_of_another_setup_unless_it_says_so(changes, expected):
    found = claim(**changes)
    assert (found["setup"], found["paper"]) == expected


def close(verdict, labels=CONTEXTS[0], **edges):
    """A row of which all edges are far away but those that are given."""
    far = {"edge_effect": 5.0, "edge_equivalence": -5.0, "edge_not_worse": -5.0}
    return {**row(verdict, labels), **far, **edges}


@pytest.mark.parametrize(
    ("rows", "predicts", "expected"),
    [
        ([close("hurts")], "hurts", [False]),
        ([close("hurts", edge_effect=0.9)], "hurts", [True]),
        ([close("hurts", edge_effect=1.1)], "hurts", [False]),
        ([close("undecided", edge_effect=-0.5)], "hurts", [True]),
        ([close("undecided", edge_effect=-0.5)], "helps", [True]),
        # Whether it is equivalent as well changes nothing for a claim that it hurts.
        ([close("hurts", edge_equivalence=-0.1)], "hurts", [False]),
        ([close("hurts", edge_equivalence=-0.1)], "equivalent", [True]),
        ([close("equivalent", edge_effect=-5.0, edge_equivalence=0.2)], "equivalent", [True]),
        ([close("equivalent", edge_effect=-5.0, edge_equivalence=0.2)], "hurts", [True]),
        ([close("undecided", edge_effect=-5.0, edge_not_worse=-0.3)], "not_worse", [True]),
        ([close("hurts", edge_not_worse=-0.3)], "hurts", [False]),
        # Of two rows, only the one on which the conclusion hangs.
        ([close("hurts", edge_effect=0.2), close("hurts", CONTEXTS[1])], "hurts", [True, False]),
        ([close("undecided", edge_effect=-3.0), close("hurts", CONTEXTS[1], edge_effect=0.2)], "hurts", [False, False]),
        ([close("no data", edge_effect=NAN, edge_equivalence=NAN, edge_not_worse=NAN)], "hurts", [False]),
    ],
)
def test_a_conclusion_hangs_on_the_rows_that_would_change_it_beyond_a_close_edge(rows, predicts, expected):
    made = claim(predicts=predicts)
    assert claims.judge(STUDY, made, pd.DataFrame(rows)).close == expected
    found = judged(STUDY, made, pd.DataFrame(rows))
    assert found["close"] == sum(expected)
    assert ("; borderline" in found["said"]) == any(expected)
    assert [text.endswith("[close to its edge]") for text in found["measured"]] == expected


def test_values_at_an_end_of_their_list_are_named_with_the_numbers():
    own = {**row("hurts"), "at_end_baseline": "lr=0.1", "at_end_treatment": None}
    (measured,) = judged(STUDY, claim(), pd.DataFrame([own]))["measured"]
    assert measured == "Adam at full batch: ratio 1.50 (1.20 to 2.0), hurts [lr=0.1 of no BN ends its list]"


def test_the_processors_are_named_once_each():
    rows = [{"device_name": name, "torch": torch} for name, torch in (("A", "2.1"), ("B", "2.0"), ("A", "2.1"))]
    assert claims_in_words.trained_on(rows) == "The trials ran on A with torch 2.1 and B with torch 2.0."
    assert claims_in_words.trained_on([]) == ""
    unknown = [{"device_name": None, "torch": None}, {"device_name": math.nan, "torch": math.nan}]
    assert (
        claims_in_words.trained_on(unknown, ["mine", "yours"]) == "The runs of mine and yours were trained elsewhere."
    )


STALE = {"in": "decomposition", "where": {"component": "stale averages"}}


def test_claims_about_a_component_of_the_difference_are_judged_by_its_own_p(compared):
    left = {**STALE, "where": {"component": "weights"}}
    study = planned({**STALE, "predicts": "hurts"}, {**left, "predicts": "helps"}, {**STALE, "predicts": "helps"})
    frames = synthetic.frames(study, ratio=arms(batch=0.7), noise=0.05)
    curves = frames["curves"]
    curves.loc[curves["norm"] == "batch", "test_loss"] *= 3  # which the precise statistics take away
    found, _ = compared(study, frames)
    assert found["claims"]["conclusion"].tolist() == ["supported", "supported", "contradicted"]
    assert found["claims"]["rows"].tolist() == [4, 4, 4]
    assert found["claims"]["measured"][0].startswith("stale averages, Adam at full batch: ratio 3.0 (")
    rows = found["decomposition"]
    assert (rows["family"] == len(rows)).all()
    assert rows["p_adjusted"].ge(rows["p"]).all()


def test_claims_about_explored_outcomes_need_their_mark(compared):
    of_epochs = {"in": "outcomes", "where": {"outcome": "epochs_to_target"}}
    of_train = {"in": "outcomes", "where": {"outcome": "train_loss", "optimizer": "adam"}}
    made = [{**of_train, "predicts": "helps"}, {**of_train, "predicts": "hurts"}, {**of_epochs, "predicts": "hurts"}]
    found, _ = compared(planned(*made), ratio=arms(batch=0.3), noise=0.05)
    assert found["claims"]["conclusion"].tolist()[:2] == ["supported", "contradicted"]
    assert found["claims"]["rows"].tolist() == [2, 2, 4]
    assert found["claims"]["measured"][0].startswith("train loss, Adam at full batch: 0.3")
    assert "† (0." in found["claims"]["measured"][0]
    few, _ = compared(planned(*made, seeds=5), ratio=arms(batch=0.3), noise=0.05)
    assert few["claims"]["conclusion"].tolist() == ["undecided"] * 3


@pytest.mark.parametrize("outcome", ["r2", "test_accuracy", "auc", "best_test_loss", "seconds", "test_loss"])
def test_claims_about_outcomes_that_have_no_row_there_are_refused(outcome):
    with pytest.raises(UserError, match=f"claims.0..where.outcome: found '?{outcome}.*, allowed: one of train_loss"):
        planned({"in": "outcomes", "where": {"outcome": outcome}, "predicts": "helps"})


def test_rows_that_stand_otherwise_are_named():
    verdicts = ["helps", "hurts", "helps", "undecided"]
    rows = pd.DataFrame([row(verdict, labels) for verdict, labels in zip(verdicts, CONTEXTS, strict=True)])
    found = judged(STUDY, claim(), rows)
    assert (found["conclusion"], found["where"]) == ("only where", "Adam at full batch and Adam at batch 25")
    assert judged(STUDY, claim(of="any"), rows)["where"] == "Adam at full batch and Adam at batch 25"
    against = judged(STUDY, claim(predicts="equivalent"), rows)
    assert against["conclusion"] == "contradicted"
    assert against["where"] == "Adam at full batch, SGD at full batch and Adam at batch 25"
    assert judged(STUDY, claim(), rows.iloc[[0, 2]])["where"] == ""


def test_claims_of_a_whole_comparison_are_judged_by_its_verdicts(compared):
    study = planned(
        {"predicts": "helps"},
        {"predicts": "hurts"},
        {"predicts": "hurts", "of": "any"},
        {"predicts": "helps", "where": {"optimizer": "adam"}},
        {"predicts": "hurts", "where": {"optimizer": "sgd", "batch_size": 25}},
        {"predicts": "equivalent", "of": "any"},
        {"predicts": "rises", "in": "interactions", "where": {"factor": "optimizer"}},
        {"predicts": "falls", "in": "interactions", "where": {"factor": "optimizer"}},
        {"predicts": "falls", "in": "interactions", "where": {"level": "doubling"}},
    )

    def ratio(labels, seed):
        return {"adam lr=0.001": 0.3, "sgd lr=0.1": 3.0}[labels["optimizer"]] if labels["norm"] == "batch" else 1.0

    found, verdicts = compared(study, ratio=ratio, noise=0.05)
    assert sorted(found["contexts"]["verdict"]) == ["helps", "helps", "hurts", "hurts"]
    table = found["claims"]
    assert len(table) == 9
    assert table["conclusion"].tolist() == [
        "only where",
        "only where",
        "supported",
        "supported",
        "supported",
        "contradicted",
        "supported",
        "contradicted",
        "undecided",
    ]
    assert table["where"].tolist()[:3] == [
        "Adam at full batch and Adam at batch 25",
        "SGD at full batch and SGD at batch 25",
        "SGD at full batch and SGD at batch 25",
    ]
    assert table["where"][3:].isna().all()
    assert table["rows"].tolist() == [4, 4, 4, 2, 1, 4, 1, 1, 1]
    assert table["pairs"].tolist() == [8] * 9
    assert_states(table["measured"][6], ["SGD", "BN to no BN", "Adam"])
    stored = verdicts["tables"]["claims"]
    assert stored["columns"] == table.columns.tolist()
    assert stored["data"] == table.fillna("").to_numpy().tolist()


def test_a_claim_of_tuned_rows_is_judged_at_the_best_rates_and_of_contexts_at_all(compared):
    rates = [{"name": "adam", "lr": [0.01, 0.1]}, {"name": "sgd", "lr": [0.01, 0.1]}]
    made = [{"in": name, "where": {"optimizer": "adam"}} for name in ("tuned", "contexts")]
    study = planned(*made, {"in": "tuned", "predicts": "equivalent"}, optimizer=rates, batch_size=["full"], tune={})

    def ratio(labels, seed):
        if labels["norm"] == "none":
            return {"adam lr=0.01": 1.0, "adam lr=0.1": 2.0}.get(labels["optimizer"], 1.0)
        return {"adam lr=0.01": 4.0, "adam lr=0.1": 0.2}.get(labels["optimizer"], 1.0)

    found, _ = compared(study, ratio=ratio, noise=1e-3)
    # With SGD the arms are equivalent, with Adam they are not.
    assert found["claims"]["conclusion"].tolist() == ["supported", "only where", "only where"]
    assert found["claims"]["rows"].tolist() == [1, 2, 2]
    assert found["claims"]["where"].tolist()[1:] == ["Adam lr=0.1", "SGD"]


@pytest.mark.parametrize("predicts", ["helps", "hurts", "equivalent"])
def test_a_study_without_pairs_leaves_its_claims_undecided(compared, predicts):
    made = {"predicts": predicts}
    found, _ = compared(planned(made, {**made, "of": "any"}), seeds=lambda labels: [])
    assert found["claims"]["conclusion"].tolist() == ["undecided"] * 2
    assert found["claims"]["pairs"].tolist() == [0, 0]
    names = ("Adam at full batch", "SGD at full batch", "Adam at batch 25", "SGD at batch 25")
    assert set(found["claims"]["measured"]) == {"; ".join(f"{name}: no data" for name in names)}


@pytest.mark.parametrize("seeds", [0, 1])
def test_what_is_not_measured_is_not_in_a_claims_numbers(compared, seeds):
    made = [{"predicts": "falls", "in": "interactions"}, {"predicts": "hurts"}]
    _, verdicts = compared(planned(*made), seeds=lambda labels: range(seeds))
    falls, hurts = (row[-1] for row in verdicts["tables"]["claims"]["data"])
    assert falls == ""
    assert ("ratio" in hurts) == (seeds > 0)
    assert "nan" not in hurts


def test_too_few_seeds_support_and_contradict_nothing(compared):
    found, _ = compared(planned({"predicts": "hurts"}, {"predicts": "helps"}, seeds=5), ratio=arms(batch=9.0))
    assert found["claims"]["conclusion"].tolist() == ["undecided"] * 2


def test_equal_losses_support_equivalence_and_contradict_an_effect(compared):
    made = [{"predicts": predicts} for predicts in ("equivalent", "helps", "hurts")]
    found, _ = compared(planned(*made), noise=1e-3)
    assert found["claims"]["conclusion"].tolist() == ["supported", "contradicted", "contradicted"]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.4, -0.4]))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_no_claim_and_its_opposite_are_both_supported(key, effect):
    generator = np.random.default_rng(key)

    def drawn(labels):
        baseline = generator.normal(size=8)
        return range(8), baseline, baseline + effect * generator.choice([0, 1, -1]) + 0.1 * generator.normal(size=8)

    contrasts = synthetic.contrasts(STUDY, drawn)
    rows = verdict_rows.table(STUDY, contrasts, verdicts.decide(STUDY.report, contrasts, draws=499))
    for of in ("all", "any"):
        concluded = [
            judged(STUDY, claim(predicts=predicts, of=of), rows)["conclusion"] for predicts in ("helps", "hurts")
        ]
        assert of == "any" or concluded != ["supported", "supported"]
        assert concluded.count("supported") <= len(set(rows["verdict"]) & {"helps", "hurts"})


def test_a_study_without_claims_has_an_empty_table_of_them():
    assert claims.judged(STUDY, {}) == []
