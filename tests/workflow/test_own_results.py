"""Results of your own through Snakemake: what was exported from a study here is judged there to the same last digit."""

import json
import os

import numpy as np
import pandas as pd
import pytest
import yaml

import bnbench
from checkouts import Checkout

CLASSES = {
    "task": "digits",
    "epochs": 6,
    "evaluate_every": 2,
    "seeds": 8,
    "seeds_per_job": {"cpu": 8},
    "batch_size": [200, 400],
    "optimizer": [{"name": "adam", "lr": 0.01}, {"name": "sgd", "lr": 0.1}],
}
"""Two arms in four contexts, over seeds enough to decide."""

DIVERGES = {
    "epochs": 12,
    "evaluate_every": 2,
    "seeds": 8,
    "seeds_per_job": {"cpu": 8},
    "batch_size": [10],
    "optimizer": [{"name": "sgd", "lr": 0.7}, {"name": "sgd", "lr": 1}],
}
"""At the second rate, most trials with BN diverge, and none without it."""

KEYS = {
    "contexts": ["baseline", "treatment"],
    "pairs": ["baseline", "treatment", "seed"],
    "outcomes": ["baseline", "treatment", "outcome"],
    "interactions": ["baseline", "treatment", "factor", "level"],
    "differences": ["baseline", "treatment", "epoch"],
}
"""Table → what tells its rows apart, beside the labels of the contexts."""

OF_TRAINING = {
    # Known only of what is trained here: the test part of each seed, how small a loss can be, and a batch size that is
    # the same everywhere.
    "contexts": ["corrected_low", "corrected_high", "resolution", "examples"],
    # They depend on how many outcomes are explored, and seconds are not exported.
    "outcomes": ["p_bh", "edge_effect", "marked"],
    # Optimizers have names of their own here.
    "interactions": ["sentence"],
}


def rows(checkout, study, table):
    """A table of a report, by what tells its rows apart."""
    frame = bnbench.load(study, table, checkout.folder / "reports")
    labels = [name for name in ("batch_size", "optimizer") if name in frame]
    return frame.set_index([*labels, *KEYS[table]]).sort_index()


def assert_same_report(checkout, ours, theirs, *, only_theirs=()):
    """All that both reports say is the same, to the last digit, whatever the order of the rows."""
    for table in KEYS:
        one, other = (rows(checkout, study, table) for study in (ours, theirs))
        held = [name for name in one.index.names if name in other.index.names]
        one, other = (each.reset_index().set_index(held).sort_index() for each in (one, other))
        if table == "outcomes":
            assert {*other.index.get_level_values("outcome")} - {*one.index.get_level_values("outcome")} <= {
                *only_theirs
            }
            both = one.index.intersection(other.index)
            assert len(both) >= 2 * len(rows(checkout, ours, "contexts"))
            one, other = one.loc[both], other.loc[both]
        columns = [name for name in one if name in other and name not in OF_TRAINING.get(table, ())]
        assert len(columns) > 3
        pd.testing.assert_frame_equal(
            one[columns], other[columns], check_exact=True, check_dtype=False, check_categorical=False
        )


def exported(checkout, study, path):
    """The losses of a study, as a user saves them."""
    bnbench.load(study, reports=checkout.folder / "reports").to_csv(checkout.folder / path, index=False)


def config_of(checkout, path, study, results, **more):
    """Write a config of results of one's own."""
    content = {"study": study, "results": {"factor": "norm", "baseline": "none", **results}, **more}
    file = checkout.folder / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(content, sort_keys=False))


def run(checkout, config, *arguments):
    done = checkout.snakemake(*arguments, configfile=config)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def trained(new_checkout):
    """A checkout with a study that is judged by a loss and by a score, its export, and configs that judge that."""
    checkout = new_checkout(**CLASSES)
    checkout.run()
    checkout.run("--config", "study=scored", "report={outcome: test_accuracy}")
    (checkout.folder / "mine").mkdir()
    exported(checkout, "tiny", "mine/runs.csv")
    config_of(checkout, "mine/loss.yaml", "by-loss", {"path": "runs.csv", "outcome": "test_loss"})
    config_of(checkout, "mine/score.yaml", "by-score", {"path": "runs.csv", "outcome": "test_accuracy"})
    return checkout


@pytest.mark.parametrize(
    ("ours", "config", "theirs"), [("tiny", "mine/loss.yaml", "by-loss"), ("scored", "mine/score.yaml", "by-score")]
)
def test_an_exported_study_is_judged_to_the_last_digit_as_the_study_itself(trained, ours, config, theirs):
    done = run(trained, config)
    assert "trained" not in done.stdout + done.stderr
    assert_same_report(trained, ours, theirs)
    verdicts = {*rows(trained, ours, "contexts")["verdict"]}
    assert verdicts & {"helps", "hurts"}
    assert (trained.folder / "reports" / theirs / "index.html").stat().st_size


@pytest.mark.parametrize(("ours", "outcome"), [("tiny", "test_loss"), ("scored", "test_accuracy")])
def test_the_command_judge_says_the_same_whatever_the_order_of_rows_and_columns(trained, ours, outcome):
    frame = pd.read_csv(trained.folder / "mine/runs.csv", dtype=object)
    shuffled = frame.sample(frac=1, random_state=0)[frame.columns[::-1]]
    shuffled.to_csv(trained.folder / "shuffled.csv", index=False)
    asked = ["--factor", "norm", "--baseline", "none", "--outcome", outcome, "--name", f"judged-{ours}"]
    done = trained.bnbench("judge", "shuffled.csv", *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"reports/judged-{ours}/index.html\n")
    assert_same_report(trained, ours, f"judged-{ours}")


def test_a_diverged_trial_is_an_empty_cell_of_which_the_user_must_say_what_it_means(new_checkout):
    checkout = new_checkout(**DIVERGES)
    checkout.run()
    exported(checkout, "tiny", "runs.csv")
    results = {"path": "runs.csv", "outcome": "test_loss"}
    config_of(checkout, "mine.yaml", "mine", results)
    refused = checkout.snakemake("-n", configfile="mine.yaml")
    assert refused.returncode != 0
    assert "allowed: results.empty: diverged, if it was not finite there" in refused.stderr
    assert "Traceback" not in refused.stdout + refused.stderr
    config_of(checkout, "mine.yaml", "mine", {**results, "empty": "diverged"})
    run(checkout, "mine.yaml")
    assert_same_report(checkout, "tiny", "mine", only_theirs=("mae", "r2"))
    contexts = bnbench.load("mine", "contexts", checkout.folder / "reports")
    assert contexts["diverged_treatment"].max() > 0
    assert "hurts" in {*contexts["verdict"]}


@pytest.fixture
def own(new_checkout):
    """A checkout with a table of runs in a folder of its own, and its config there."""
    checkout = new_checkout()
    random = np.random.default_rng(0)
    frame = pd.DataFrame([(norm, lr, seed) for norm in ("none", "batch") for lr in (0.01, 0.1) for seed in range(8)])
    frame.columns = ["norm", "lr", "seed"]
    frame["val_loss"] = np.where(frame["norm"] == "batch", 0.5, 1.0) * random.lognormal(0, 0.1, len(frame))
    (checkout.folder / "mine").mkdir()
    frame.to_csv(checkout.folder / "mine/runs.csv", index=False)
    checkout.frame = frame
    config_of(checkout, "mine/study.yaml", "mine", {"path": "runs.csv", "outcome": "val_loss"})
    return checkout


def planned(checkout, config, *arguments):
    return checkout.jobs(checkout.snakemake("-n", *arguments, configfile=config))


STEPS = {"collect": 1, "compare": 1, "plot": 1, "report": 1}


def test_a_plan_says_in_a_line_what_would_be_judged_and_a_changed_file_is_judged_anew(own):
    plan = own.snakemake("-n", configfile="mine/study.yaml")
    assert plan.stderr.splitlines() == [
        "mine: 32 runs (2 levels of norm, 2 levels of lr, 8 seeds) in runs.csv, judged in 2 contexts"
    ]
    assert own.jobs(plan) == STEPS
    run(own, "mine/study.yaml")
    assert planned(own, "mine/study.yaml") == {}
    table = own.folder / "mine/runs.csv"
    os.utime(table)
    assert planned(own, "mine/study.yaml") == {}
    later = {step: 1 for step in STEPS if step != "collect"}
    assert planned(own, "mine/study.yaml", "--config", "report={margin: 1.1}") == later
    own.frame.iloc[1:].to_csv(table, index=False)
    assert planned(own, "mine/study.yaml") == STEPS


def test_a_table_of_which_half_is_gone_is_warned_of(own):
    own.frame[own.frame["seed"] < 4].to_csv(own.folder / "mine/runs.csv", index=False)
    plan = own.snakemake("-n", configfile="mine/study.yaml")
    assert plan.stderr.splitlines()[1:] == [
        "warning: 4 seeds can never show a difference in any of 2 contexts at alpha 0.05: the smallest p that 4 seeds "
        "allow, 2/2^4, is 0.125; 6 seeds can"
    ]


def test_a_folder_of_runs_is_a_study_as_a_table_is(own):
    for (norm, seed), runs in own.frame[own.frame["lr"] == 0.1].groupby(["norm", "seed"]):
        folder = own.folder / "mine/logs" / norm / f"seed{seed}"
        folder.mkdir(parents=True)
        runs[["val_loss"]].assign(epoch=0).to_csv(folder / "log.csv", index=False)
    config_of(own, "mine/folder.yaml", "folder", {"pattern": "logs/{norm}/seed{seed}/*.csv"})
    plan = own.snakemake("-n", configfile="mine/folder.yaml")
    assert plan.stderr == (
        "folder: 16 runs (2 levels of norm, 8 seeds) in the files logs/{norm}/seed{seed}/*.csv in mine, judged in 1 "
        "context\n"
    )
    run(own, "mine/folder.yaml")
    assert planned(own, "mine/folder.yaml") == {}
    changed = own.folder / "mine/logs/none/seed0/log.csv"
    changed.write_text(changed.read_text().replace("0\n", "1\n"))
    assert planned(own, "mine/folder.yaml") == STEPS


def test_results_stand_beside_trained_studies_on_the_page_of_the_claims(own):
    claims = [{"words": "BN helps", "source": "somebody", "predicts": "helps", "where": {"lr": 0.1}}]
    config_of(own, "mine/study.yaml", "mine", {"path": "runs.csv", "outcome": "val_loss"}, claims=claims)
    run(own, "mine/study.yaml")
    own.study(seeds=2, batch_size=["full"], claims=[{"words": "It helps", "source": "nobody", "predicts": "helps"}])
    own.run()
    page = own.bnbench("claims", "tiny.yaml", "mine/study.yaml")
    assert page.returncode == 0, page.stderr
    shown = pd.read_csv(own.folder / "reports/claims/claims.csv")
    assert [*zip(shown["study"], shown["conclusion"], strict=True)] == [("tiny", "undecided"), ("mine", "supported")]
    text = (own.folder / "reports/claims/index.html").read_text()
    assert " The runs of mine were trained elsewhere." in text
    assert "None with" not in text


def test_a_workflow_that_uses_this_one_as_a_module_judges_results_too(own):
    theirs = Checkout(own.folder.parent / "theirs")
    theirs.folder.mkdir()
    (theirs.folder / "Snakefile").write_text(
        "module bnbench:\n"
        '    snakefile: "../bnbench/Snakefile"\n'
        '    config: {"study": "mine", "results": {"path": "../bnbench/mine/runs.csv", "factor": "norm"}}\n'
        "use rule * from bnbench\n"
    )
    done = theirs.snakemake(configfile=None)
    assert done.returncode == 0, done.stderr
    verdicts = json.loads((theirs.folder / "reports/mine/verdicts.json").read_text())
    assert verdicts["sentence"].startswith("BN helps in 2 of 2 contexts: val loss ")
