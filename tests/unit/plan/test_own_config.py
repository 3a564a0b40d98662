"""A study of one's own results: what its config may say, and what messages call the keys of it."""

import math

import own_tables as tables
import pytest
import yaml
from own_tables import grid, measured

from bnbench.errors import UserError
from bnbench.plan import claimed, config, own_config
from bnbench.plan.own_study import OwnStudy

TABLE = measured(grid(norm=["none", "batch"], lr=[0.1, 0.01], seed=range(6), epoch=range(3)), "val_loss")
SCORES = {**measured(grid(method=["a", "b"], seed=range(6)), "score"), "seed2": [*range(12)]}


@pytest.fixture
def resolved(write):
    """Plan a config beside runs.csv, whose keys `results` and `report` are given."""

    def planned(results=None, report=None, columns=TABLE, **more):
        write(tables.lines(columns), "runs.csv")
        written = {"study": "mine", "results": {"path": "runs.csv", **(results or {})}, **more}
        return config.load(written | ({"report": report} if report else {}), "mine.yaml")

    return planned


def test_a_config_is_completed_with_what_the_table_holds(resolved):
    study = resolved({"outcome": "val_loss"})
    assert isinstance(study, OwnStudy)
    assert (study.name, study.factors, study.arms) == ("mine", ("norm", "lr"), ("none", "batch"))
    assert (study.report.factor, study.report.baseline, study.report.outcome) == ("norm", "none", "val_loss")
    assert (study.report.margin, study.report.window, study.report.alpha) == (1.05, 0.05, 0.05)
    assert len(study.seeds) == 6
    assert [setting.runs for setting in study.settings] == [6] * 4
    assert len({setting.address for setting in study.settings}) == 4


def test_a_config_that_is_resolved_plans_the_same_study(resolved):
    study = resolved()
    assert OwnStudy(yaml.safe_load(yaml.safe_dump(dict(study.config)))).settings == study.settings


@pytest.mark.parametrize(
    ("results", "report", "message"),
    [
        ({"factor": "nrom"}, {}, "mine.yaml: runs.csv: results.factor: found no column 'nrom' (did you mean 'norm'?), "
         "allowed: one of norm, lr, seed, epoch, val_loss"),
        ({"contexts": ["rate"]}, {}, "mine.yaml: runs.csv: results.contexts: found no column 'rate', allowed: one of "
         "norm, lr, seed, epoch, val_loss"),
        ({"baseline": "bach"}, {}, "mine.yaml: runs.csv: results.baseline: found no level 'bach' of 'norm' (did you "
         "mean 'batch'?), allowed: one of batch, none"),
        ({"contexts": []}, {}, "mine.yaml: runs.csv, line 38: found several values of val_loss of one run (norm=batch, "
         "seed 0; norm=batch, seed 1; norm=batch, seed 2 and 9 more), allowed: one for each seed and epoch; "
         "results.contexts with the column that distinguishes them; or results.duplicates: mean"),
        ({"betwer": "lower"}, {}, "mine.yaml: results: unknown key 'betwer' in results (did you mean 'better'?); "
         "allowed: path, pattern, factor, baseline, outcome, seed, epoch, contexts, better, scale, duplicates, "
         "empty, unpaired"),
        ({"better": "less"}, {}, "mine.yaml: results.better: found 'less' (text), allowed: one of lower, higher, null"),
        ({"contexts": "lr"}, {}, "mine.yaml: results.contexts: found 'lr' (text), allowed: a list, or null"),
        ({}, {"margin": 0.9}, "mine.yaml: report.margin: found 0.9, allowed: more than 1, since ratios are compared"),
        ({}, {"window": 1.5}, "mine.yaml: report.window: found 1.5, allowed: a number at least 0 and at most 1"),
        ({}, {"factor": "lr"}, "mine.yaml: report.factor: found 'lr' (text), allowed: the same key of 'results', "
         "beside its path"),
        ({}, {"compare": [["none", "bacth"]]}, "mine.yaml: report.compare[0]: found 'bacth' (did you mean 'batch'?), "
         "allowed: two of batch, none"),
        ({"path": "rusn.csv"}, {}, "mine.yaml: rusn.csv: no such file or folder (did you mean 'runs.csv'?)"),
    ],
)  # fmt: skip
def test_messages_name_the_keys_of_a_config(resolved, results, report, message):
    with pytest.raises(UserError) as error:
        resolved(results, report)
    assert str(error.value) == message


def test_further_messages_name_keys_with_their_values(resolved):
    with pytest.raises(UserError, match=r"results.better: lower or results.better: higher$"):
        resolved({"outcome": "quality"}, columns={**TABLE, "quality": TABLE["val_loss"]})
    with pytest.raises(UserError, match=r"or results.unpaired: true, if they share none by design$"):
        resolved({"seed": "seed2", "baseline": "a"}, columns=SCORES)
    with pytest.raises(UserError, match=r"or results.scale: difference$"):
        resolved({"scale": "ratio"}, columns={**TABLE, "val_loss": [-1, *TABLE["val_loss"][1:]]})


@pytest.mark.parametrize("key", ["norm", "seeds", "epochs", "optimizer", "tune"])
def test_what_means_nothing_beside_results_is_refused(resolved, key):
    with pytest.raises(UserError, match=rf"^mine.yaml: {key}: found .*, allowed with 'results': study, results, "):
        resolved(**{key: 3})


def test_a_margin_may_be_anything_above_0_where_differences_are_compared(resolved):
    assert resolved({"baseline": "a"}, {"margin": 0.5}, columns=measured(grid(method=["a", "b"], seed=range(6)),
                    "score")).report.margin == 0.5  # fmt: skip


def test_a_margin_that_no_name_says_depends_on_the_baseline(resolved):
    columns = {**grid(method=["a", "b"], seed=range(6)), "score": [100.0 + place for place in range(12)]}
    assert resolved({"baseline": "a"}, columns=columns).report.margin == 5


def test_a_table_that_has_changed_since_is_not_collected(resolved, write):
    study = resolved()
    own_config.read(study.results)
    write(tables.lines({**TABLE, "val_loss": [*TABLE["val_loss"][1:], 9.0]}), "runs.csv")
    with pytest.raises(UserError, match=r"^runs.csv: changed since the study was planned; run the workflow again$"):
        own_config.read(study.results)


def test_a_table_is_read_anew_where_it_has_changed(resolved):
    one, other = (resolved(columns={**TABLE, "val_loss": losses}) for losses in (TABLE["val_loss"], [*range(36)] * 2))
    assert one.results["sha256"] != other.results["sha256"]
    assert own_config.read(other.results).curves["val_loss"].to_pylist() != TABLE["val_loss"]


def test_the_bytes_of_the_table_are_in_every_address(resolved):
    one, other = (
        {setting.address for setting in resolved(columns=columns).settings}
        for columns in (TABLE, {**TABLE, "val_loss": [*range(1, 73)]})
    )
    assert not one & other


@pytest.mark.parametrize("pattern", [None, "{norm}.csv"])
def test_a_path_is_named_as_the_user_gives_it(write, pattern):
    for norm in ("none", "batch"):
        write("seed,val_loss\n0,1\n1,x\n", f"{norm}.csv")
    name = "." if pattern else "none.csv"
    with pytest.raises(UserError, match=r"^(batch|none).csv, line 3, column val_loss: found 'x' \(text\)"):
        tables.study(path=name, pattern=pattern, outcome="val_loss", factor=None if pattern else "seed", seed="seed"
                     if pattern else None, unpaired=not pattern)  # fmt: skip


CLAIM = {"words": "BN helps", "source": "somebody", "predicts": "helps"}


@pytest.mark.parametrize("rate", [0.1, "0.1"])
def test_a_claim_names_a_level_as_the_table_or_as_a_number(resolved, rate):
    (claim,) = resolved(claims=[{**CLAIM, "where": {"lr": rate}}]).config["claims"]
    assert claim["where"] == {"lr": "0.1"}
    assert (claim["setup"], claim["in"], claim["of"]) == ("same", "contexts", "all")


def test_a_whole_number_in_a_claim_is_the_level_that_it_is_in_the_table(resolved):
    columns = measured(grid(norm=["none", "batch"], depth=[1, 2], seed=range(6)), "val_loss")
    for depth in (2, 2.0, "2"):
        (claim,) = resolved(columns=columns, claims=[{**CLAIM, "where": {"depth": depth}}]).config["claims"]
        assert claim["where"] == {"depth": "2"}


def test_claims_may_be_about_columns_outcomes_and_dependences_of_the_table(resolved):
    columns = {**TABLE, "val_acc": TABLE["val_loss"][::-1]}
    made = [
        {**CLAIM, "where": {"treatment": "batch", "lr": 0.01}},
        {**CLAIM, "in": "outcomes", "where": {"outcome": "val_acc"}},
        {**CLAIM, "in": "interactions", "predicts": "falls", "where": {"factor": "lr", "level": 0.1}},
        {**CLAIM, "in": "interactions", "predicts": "rises", "where": {"factor": "main effect"}},
    ]
    study = resolved({"outcome": "val_loss"}, columns=columns, claims=made)
    about = [[*claimed.meant(study, each["where"], claimed.rows(study, each["in"]))] for each in study.config["claims"]]
    assert [len(rows) for rows in about] == [1, 2, 1, 1]


def test_batch_sizes_that_are_numbers_have_a_slope_over_doublings_and_others_do_not(resolved):
    for sizes, level in (([32, 64, 128], "doubling"), (["full", "small"], "small")):
        columns = measured(grid(norm=["none", "batch"], batch_size=sizes, seed=range(6)), "val_loss")
        study = resolved({"factor": "norm"}, columns=columns)
        assert [row["level"] for row in claimed.rows(study, "interactions")] == ["", level]
        assert math.isnan(study.examples({"batch_size": str(sizes[0])})) == (level != "doubling")


def test_a_margin_of_shares_is_no_ratio(resolved):
    columns = {**TABLE, "val_acc": [0.5 + place / 1000 for place in range(len(TABLE["seed"]))]}
    with pytest.raises(UserError, match=r"report\.margin: found 1.02, allowed: less than 1"):
        resolved({"outcome": "val_acc"}, columns=columns, report={"margin": 1.02})
    with pytest.raises(UserError, match=r"report\.margin: found 0.5, allowed: more than 1"):
        resolved({"outcome": "val_loss"}, report={"margin": 0.5})
