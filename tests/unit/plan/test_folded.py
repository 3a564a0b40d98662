"""Settings of the same numbers are planned once: which stand for which, what is left to compare, and what is told."""

import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st

from bnbench.errors import UserError
from bnbench.plan import claimed, folded
from bnbench.plan.settings import canonical, canonical_json
from bnbench.plan.study import Study

GHOST = {"name": "ghost", "size": 10}
ARMS = {
    "norm": ["none", "batch", GHOST, "layer", {"name": "frozen", "share": 0.5}],
    "batch_size": [5, 10, 25, "full"],
    "optimizer": [{"name": "sgd", "lr": [0.01, 0.1]}, "adamw", "rmsprop"],
}
"""The grid of 5 arms × 16 contexts that asks for the same numbers twice."""


def sine(points):
    return {"name": "sine", "points": points}


def labels(study, *factors):
    return [tuple(setting.labels[name] for name in factors) for setting in study.settings]


def said(setting):
    points = folded.tasks.of(setting.spec).train_points()
    return canonical_json(canonical(folded.normalized(setting.spec, points)))


def test_a_virtual_batch_as_large_as_the_batch_is_trained_and_compared_once():
    study = synthetic.plan(**ARMS)
    assert len(study.grid) == 80
    assert len(study.settings) == 72
    assert {each for each in labels(study, "norm", "batch_size") if each[0] == "ghost size=10"} == {
        ("ghost size=10", "25"),
        ("ghost size=10", "full"),
    }
    assert study.family == 8 * 3 + 8 * 4
    assert study.most_contexts == 16
    of_ghost = [row for row in claimed.rows(study, "contexts") if row["treatment"] == "ghost size=10"]
    assert {row["batch_size"] for row in of_ghost} == {"25", "full"}
    assert len(claimed.rows(study, "contexts")) == study.family


def test_the_baseline_stays_whatever_its_place():
    study = synthetic.plan(norm=["batch", GHOST], batch_size=[5, 25], report={"baseline": "ghost size=10"})
    assert labels(study, "norm", "batch_size") == [("batch", "25"), ("ghost size=10", "5"), ("ghost size=10", "25")]
    assert study.family == 1
    (stands_for,) = folded.stand_ins(study.grid, study.folds, "norm").values()
    assert stands_for == {"batch": "ghost size=10"}


@pytest.mark.parametrize(
    ("points", "batch_size", "is_batch"),
    [(100, 5, True), (100, 10, True), (100, 11, False), (13, 10, True), (11, 10, True), (11, 11, False)],
)
def test_ghost_is_batch_where_every_batch_is_one_virtual_batch(points, batch_size, is_batch):
    study = synthetic.plan(task=sine(points), norm=["none", "batch", GHOST], batch_size=[batch_size])
    assert (len(study.arms) == 2) == is_batch
    assert len(study.folds) == is_batch


def test_ghost_with_other_parameters_is_not_batch():
    other = {**GHOST, "momentum": 0.2}
    study = synthetic.plan(norm=["none", "batch", other], batch_size=[5])
    assert not study.folds
    assert synthetic.plan(norm=["none", {"name": "batch", "momentum": 0.2}, other], batch_size=[5]).folds


def test_a_batch_of_all_points_is_the_full_batch_in_the_tasks_that_have_so_many():
    alone = synthetic.plan(task=sine(100), batch_size=["full", 100])
    assert [*alone.levels["batch_size"]] == ["full"]
    assert alone.varied() == []
    assert len(alone.contexts()) == alone.family == 1
    several = synthetic.plan(task=[sine(100), sine(101)], batch_size=["full", 100])
    assert [tuple(context[name] for name in ("task", "batch_size")) for context, _ in several.contexts()] == [
        ("sine", "full"),
        ("sine points=101", "full"),
        ("sine points=101", "100"),
    ]


def test_where_batch_sizes_are_compared_the_later_arm_goes():
    report = {"factor": "batch_size", "baseline": 100}
    study = synthetic.plan(task=sine(100), batch_size=[20, "full", 100], report=report)
    assert study.arms == ("100", "20")
    assert study.comparisons == (("100", "20"),)


def test_batches_in_another_order_are_not_the_same_where_a_network_draws():
    dropping = {"name": "mlp", "dropout": 0.1}
    assert not synthetic.plan(task=sine(100), batch_size=["full", 100], network=dropping).folds
    assert synthetic.plan(task=sine(100), batch_size=[5], norm=["none", "batch", GHOST], network=dropping).folds


def test_what_a_network_of_ones_own_hands_to_a_norm_is_not_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text("def net(norm):\n    return norm(1)\n")
    own = {"name": "module", "path": "nets.py", "build": "net"}
    assert not synthetic.plan(norm=["none", "batch", GHOST], batch_size=[5, "full", 100], network=own).folds


def test_settings_that_are_alike_in_one_arm_alone_are_compared_with_different_ones():
    report = {"factor": "batch_size", "baseline": "full"}
    study = synthetic.plan(norm=["batch", GHOST], batch_size=["full", 5], report=report)
    assert not study.folds
    assert study.family == 2


def test_a_tuned_arm_keeps_its_candidates_but_for_those_of_the_same_numbers():
    norms = ["batch", {"name": "ghost", "size": [4, 10, 20]}]
    tuned = {"norm": norms, "tune": {"parameters": ["norm.size"]}, "report": {"baseline": "batch"}}
    study = synthetic.plan(**tuned, batch_size=[10, "full"])
    ((_, arms), _) = study.tuned_contexts()
    assert [dict(candidate)["size"] for candidate in arms["ghost"]] == [4, 10]
    assert len(claimed.rows(study, "tuned")) == 2
    none = synthetic.plan(**{**tuned, "batch_size": [4, "full"]})
    assert [[*arms] for _, arms in none.tuned_contexts()] == [["batch"], ["batch", "ghost"]]
    assert len(claimed.rows(none, "tuned")) == 1


def test_a_named_pair_of_the_same_numbers_is_not_compared():
    pairs = [["batch", "ghost size=10"]]
    study = synthetic.plan(norm=["none", "batch", GHOST], batch_size=[5, 25], report={"compare": pairs})
    assert study.family == 1 + 3
    everywhere = synthetic.plan(norm=["none", "batch", GHOST], batch_size=[5], report={"compare": pairs})
    assert everywhere.comparisons == (("none", "batch"),)
    assert everywhere.report.compare == ()


def test_arms_of_the_same_numbers_in_every_context_are_refused():
    with pytest.raises(UserError) as error:
        synthetic.plan(norm=["batch", GHOST], batch_size=[5], report={"baseline": "batch"})
    assert str(error.value) == (
        "synthetic: norm: found 'batch', 'ghost size=10', which give the same numbers in every context; "
        "allowed: levels that differ in one"
    )


def claim(**where):
    return [{"words": "It helps", "source": "us", "predicts": "helps", "in": "contexts", "where": where}]


def test_a_claim_about_rows_that_others_stand_for_is_told():
    with pytest.raises(UserError) as error:
        synthetic.plan(**ARMS, claims=claim(treatment="ghost", batch_size=5))
    assert "claims[0].where: found treatment: ghost, batch_size: 5, which other rows replace" in str(error.value)
    study = synthetic.plan(**ARMS, claims=claim(treatment="ghost"))
    assert len(claimed.meant(study, {"treatment": "ghost"}, claimed.rows(study, "contexts"))) == 8


def test_a_study_without_such_settings_is_planned_as_ever():
    study = synthetic.plan(**synthetic.GRID)
    assert study.folds == {}
    assert study.settings == study.grid
    assert study.levels == study.planned_levels


GHOSTS = [{"name": "ghost", "size": size} for size in (4, 10, 30)]
norms = st.lists(st.sampled_from(["none", "batch", "layer", *GHOSTS]), min_size=2, max_size=5, unique_by=str)
sizes = st.lists(st.sampled_from([4, 5, 10, 11, 20, "full"]), min_size=1, max_size=4, unique=True)
points = st.lists(st.sampled_from([20, 21, 40]), min_size=1, max_size=2, unique=True)


@given(norms, sizes, points, st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_trained_differs_and_stands_for_all_the_rest(arms, batch_sizes, of_tasks, data):
    baseline = data.draw(st.sampled_from(arms))
    changes = {"norm": arms, "batch_size": batch_sizes, "task": [sine(count) for count in of_tasks]}
    try:
        study = synthetic.plan(**changes, report={"baseline": baseline})
    except UserError as error:
        assert "give the same numbers in every context" in str(error)  # noqa: PT017 - allowed, and nothing else
        return
    kept = {setting.address: said(setting) for setting in study.settings}
    assert len({*kept.values()}) == len(kept)
    assert {*kept, *study.folds} == {setting.address for setting in study.grid}
    assert not kept.keys() & study.folds.keys()
    for setting in study.grid:
        if other := study.folds.get(setting.address):
            assert kept[other.address] == said(setting)
    assert all(study.report.baseline in own for _, own in study.contexts())
    assert study.family == len(claimed.rows(study, "contexts"))
    assert Study(study.config).settings == study.settings
