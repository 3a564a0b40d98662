"""Candidates: lists of values make levels, and levels that differ in tuned values alone are one arm or context."""

import json

import pytest
import synthetic

from bnbench.plan import claimed
from bnbench.plan.study import Study

RATES = (0.001, 0.01, 0.1)
ADAM = {"name": "adam", "lr": [*RATES]}
SGD = {"name": "sgd", "lr": [0.01, 0.1], "weight_decay": [0, 1e-4]}
STUDY = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25], tune={})


def of_optimizers(*levels, **changes):
    """A study that compares optimizers, each at its own best values."""
    report = {"factor": "optimizer", "baseline": "sgd", **changes}
    return synthetic.plan(norm=["batch"], optimizer=[*levels], tune={}, report=report)


def tried(study):
    """Values that are tried, by arm, of each tuned context."""
    return [{arm: [*candidates] for arm, candidates in arms.items()} for _, arms in study.tuned_contexts()]


def addresses(study):
    return [address for _, arms in study.tuned_contexts() for own in arms.values() for address in own.values()]


def test_what_is_held_out_is_a_part_of_the_address_and_rates_are_not_a_part_of_what_is_held_out():
    other = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25], tune={"validation": 0.3})
    without = synthetic.plan(optimizer=[ADAM], batch_size=["full", 25])
    found = [{setting.address for setting in study.settings} for study in (STUDY, other, without)]
    assert all(len(own) == 12 for own in found)
    assert not found[0] & found[1]
    assert not found[0] & found[2]
    assert {setting.spec.get("validation") for setting in without.settings} == {None}
    assert without.tuned_contexts() == []


def test_contexts_that_differ_in_the_rate_alone_are_one_with_each_arm_at_every_rate():
    found = STUDY.tuned_contexts()
    assert [labels["batch_size"] for labels, _ in found] == ["full", "25"]
    assert all(labels["optimizer"] == "adam" for labels, _ in found)
    rates = [(("lr", rate),) for rate in RATES]
    assert tried(STUDY) == [{"none": rates, "batch": rates}] * 2
    assert sorted(addresses(STUDY)) == sorted(setting.address for setting in STUDY.settings)


def test_a_list_of_rates_is_a_level_for_each():
    one = synthetic.plan(optimizer=[{"name": "sgd", "lr": [0.1, 0.2]}, "adam"])
    assert [*one.levels["optimizer"]] == ["sgd lr=0.1", "sgd lr=0.2", "adam lr=0.001"]
    assert one == synthetic.plan(optimizer=[{"name": "sgd", "lr": 0.1}, {"name": "sgd", "lr": 0.2}, "adam"])
    assert synthetic.plan(optimizer={"name": "sgd", "lr": [0.1, 0.2]}).levels["optimizer"].keys() == {
        "sgd lr=0.1",
        "sgd lr=0.2",
    }


@pytest.mark.parametrize(
    ("factor", "listed", "labels"),
    [
        ("optimizer", SGD, [f"sgd lr={lr}{wd}" for lr in ("0.01", "0.1") for wd in ("", " weight_decay=0.0001")]),
        ("norm", {"name": "batch", "momentum": [0.5, None, 0.2]}, ["batch momentum=0.5", "batch momentum=None"]),
        ("norm", {"name": "ghost", "size": [8, 16]}, ["ghost size=8", "ghost"]),
        ("schedule", {"name": "cosine", "final": [0, 0.1]}, ["cosine", "cosine final=0.1"]),
        ("task", {"name": "sine", "noise": [0, 0.3]}, ["sine", "sine noise=0.3"]),
    ],
    ids=["optimizer", "norm", "whole numbers", "schedule", "task"],
)
def test_lists_of_any_numbers_of_an_entry_make_a_level_for_every_combination(factor, listed, labels):
    study = synthetic.plan(**{factor: ["none", listed] if factor == "norm" else [listed]})
    assert [label for label in study.levels[factor] if label != "none"][: len(labels)] == labels


def test_numbers_that_are_a_list_anyway_are_one_value():
    study = synthetic.plan(optimizer=[{"name": "adam", "betas": [0.8, 0.9]}])
    assert len(study.levels["optimizer"]) == 1


def test_every_combination_of_what_an_optimizer_lists_is_a_candidate():
    study = synthetic.plan(optimizer=[SGD, ADAM], tune={})
    assert study.tuned == {"optimizer": ["lr", "weight_decay"]}
    assert study.tuned_names == ("lr", "weight_decay")
    pairs = [(("lr", rate), ("weight_decay", decay)) for rate in (0.01, 0.1) for decay in (0, 1e-4)]
    rates = [(("lr", rate),) for rate in RATES]
    assert tried(study) == [{"none": pairs, "batch": pairs}, {"none": rates, "batch": rates}]
    assert [labels["optimizer"] for labels, _ in study.tuned_contexts()] == ["sgd", "adam"]
    assert len(study.contexts()) == 7
    assert Study(json.loads(study.to_json())) == study


def test_parameters_that_are_named_are_tuned_and_other_lists_are_contexts():
    study = synthetic.plan(optimizer=[SGD], tune={"parameters": ["optimizer.lr"]})
    assert [labels["optimizer"] for labels, _ in study.tuned_contexts()] == ["sgd", "sgd weight_decay=0.0001"]
    assert study.tuned_names == ("lr",)
    plain = synthetic.plan(optimizer=[SGD], tune={})
    assert {setting.address for setting in study.settings} == {setting.address for setting in plain.settings}


def test_an_arm_may_be_tuned_by_what_other_arms_do_not_have():
    norms = ["none", {"name": "batch", "momentum": [0.1, 0.5]}]
    study = synthetic.plan(norm=norms, optimizer=[{"name": "sgd", "momentum": [0, 0.9]}], tune={})
    assert study.tuned_arms == ("none", "batch")
    assert study.tuned_comparisons == (("none", "batch"),)
    assert study.tuned_names == ("optimizer.momentum", "norm.momentum")
    both = [(("optimizer.momentum", one), ("norm.momentum", own)) for own in (0.1, 0.5) for one in (0.0, 0.9)]
    assert tried(study) == [{"none": [(("optimizer.momentum", value),) for value in (0.0, 0.9)], "batch": both}]


def test_optimizers_are_compared_each_at_its_own_values():
    study = of_optimizers(SGD, ADAM, {"name": "rmsprop", "lr": [0.001, 0.01]}, compare=[["adam", "rmsprop"]])
    assert study.report.baseline == "sgd lr=0.01"
    assert study.tuned_arms == ("sgd", "adam", "rmsprop")
    assert study.tuned_comparisons == (("sgd", "adam"), ("sgd", "rmsprop"), ("adam", "rmsprop"))
    (arms,) = tried(study)
    assert {arm: len(candidates) for arm, candidates in arms.items()} == {"sgd": 4, "adam": 3, "rmsprop": 2}
    assert sorted(addresses(study)) == sorted(setting.address for setting in study.settings)
    assert [(row["baseline"], row["treatment"]) for row in claimed.rows(study, "tuned")] == [*study.tuned_comparisons]


def test_a_baseline_that_is_tuned_may_be_called_by_its_name_or_by_one_of_its_levels():
    assert of_optimizers(SGD, ADAM, baseline="sgd lr=0.1").report.baseline == "sgd lr=0.1"
    heavy = {"name": "sgd", "momentum": 0.9, "lr": [0.1, 0.2]}
    assert of_optimizers(SGD, heavy, baseline="sgd momentum=0.9").tuned_arms == ("sgd momentum=0.9", "sgd")


def test_claims_may_name_optimizers_whatever_their_rates():
    claim = {"words": "w", "source": "s", "predicts": "helps", "in": "tuned", "where": {"treatment": "adam"}}
    study = synthetic.plan(
        norm=["batch"],
        optimizer=[SGD, ADAM],
        tune={},
        report={"factor": "optimizer", "baseline": "sgd"},
        claims=[claim],
    )
    assert claimed.meant(study, {"treatment": "adam"}, claimed.rows(study, "tuned")) == claimed.rows(study, "tuned")
