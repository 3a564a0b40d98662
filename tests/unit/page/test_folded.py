"""A page of a study in which an arm is another one in some contexts: it counts, compares and names each number once."""

import re
from html import unescape

import pytest
import synthetic

from bnbench import forecast
from bnbench.plan import claimed
from bnbench.store import report_tables, tables
from bnbench.wording import captions

pytestmark = pytest.mark.filterwarnings("error")

ARMS = {
    "norm": ["none", "batch", {"name": "ghost", "size": 10}, "layer", {"name": "frozen", "share": 0.5}],
    "batch_size": [5, 10, 25, "full"],
    "claims": [
        {"words": "Ghost BN helps", "source": "us", "predicts": "helps", "where": {"treatment": "ghost"}},
    ],
}
STUDY = synthetic.plan(**ARMS)
LINE = "ghost BN size=10 at batch 5 and batch 10 is BN itself, so it is trained and judged once"
FAMILY = 2 * 3 + 2 * 4
"""Comparisons: of three arms at the small batches, of four at the others."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folder and page."""
    folder = tmp_path_factory.mktemp("arms")
    ratios = synthetic.arms(**{"batch": 3.0, "ghost size=10": 0.5})
    return folder, synthetic.rendered(folder, STUDY, ratio=ratios, noise=0.1)


def words(html):
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_the_family_counts_each_comparison_once(made):
    contexts = report_tables.read(made[0], "contexts")
    assert len(contexts) == STUDY.family == FAMILY
    assert set(contexts["family"]) == {FAMILY}
    ghost = contexts[contexts["treatment"] == "ghost size=10"]
    assert set(ghost["batch_size"]) == {"25", "full"}
    assert f"for all {FAMILY} comparisons together" in words(made[1])


def test_the_plan_and_the_page_say_so_in_one_line(made, tmp_path):
    assert words(made[1]).count(f"G{LINE[1:]}.") == 1
    assert f"folded      {LINE}\n" in forecast.describe(STUDY, tmp_path)
    assert f"family      {FAMILY} comparisons, judged together" in forecast.describe(STUDY, tmp_path)


def test_the_grid_is_said_to_be_what_is_trained(made, tmp_path):
    said = "5 norms × 4 batch sizes, less 2 that repeat others, × 8 seeds = 144 trials"
    assert captions.summary(STUDY) == said
    assert forecast.summary(STUDY).startswith(f"{said} in ")
    assert f"{said} in " in forecast.describe(STUDY, tmp_path)
    assert len(STUDY.settings) * 8 == 144


def test_each_arm_is_ranked_in_all_contexts(made):
    ranks = report_tables.read(made[0], "ranks")
    assert set(ranks["arm"]) == {*STUDY.arms}
    assert set(ranks["contexts"]) == {4}
    pairs = report_tables.read(made[0], "all_pairs").set_index(["baseline", "treatment"])
    assert pairs.loc[("batch", "ghost size=10"), "finite_pairs"] == 8


def test_what_depends_on_the_context_is_of_the_contexts_that_an_arm_has(made):
    rows = report_tables.read(made[0], "interactions")
    assert dict(rows.dropna(subset="contexts").set_index("treatment")["contexts"]) == {
        "batch": 4,
        "ghost size=10": 2,
        "layer": 4,
        "frozen": 4,
    }


def test_a_claim_is_judged_by_the_rows_that_there_are(made):
    (claim,) = tables.read_json(made[0] / "verdicts.json")["claims"]
    assert (claim["rows"], claim["supporting"], claim["conclusion"]) == (2, 2, "supported")


def test_batch_sizes_that_are_the_full_batch_are_one_context(tmp_path):
    study = synthetic.plan(task={"name": "sine", "points": 100}, batch_size=["full", 100])
    page = words(synthetic.rendered(tmp_path, study, ratio=synthetic.arms(batch=3.0), noise=0.1))
    assert "Batch 100 is the full batch, so it is trained and judged once." in page
    assert captions.summary(study) == "2 norms × 8 seeds = 16 trials"
    assert "8 s for 8 trials without BN and 8 s for 8 trials with BN" in page
    assert len(report_tables.read(tmp_path, "contexts")) == 1


def test_a_context_of_the_baseline_alone_has_no_verdict(tmp_path):
    study = synthetic.plan(
        norm=["batch", {"name": "ghost", "size": 10}], batch_size=[5, 25], report={"baseline": "batch"}
    )
    synthetic.rendered(tmp_path, study, noise=0.1)
    assert report_tables.read(tmp_path, "contexts")["batch_size"].tolist() == ["25"]


def test_where_batch_sizes_are_compared_a_task_may_lack_one(tmp_path):
    tasks = [{"name": "sine", "points": count} for count in (100, 101, 150)]
    study = synthetic.plan(
        task=tasks, batch_size=[50, "full", 100], report={"factor": "batch_size", "baseline": "full"}
    )
    synthetic.rendered(tmp_path, study, noise=0.1)
    assert len(report_tables.read(tmp_path, "contexts")) == study.family == 2 * (1 + 2 + 2)


def test_tuned_arms_are_folded_too(tmp_path):
    study = synthetic.plan(
        norm=["none", "batch", {"name": "ghost", "size": 10}],
        batch_size=[5, 25],
        optimizer=[{"name": "sgd", "lr": [0.01, 0.1]}],
        tune={"validation": 0.2},
    )
    synthetic.rendered(tmp_path, study, noise=0.1)
    tuned = report_tables.read(tmp_path, "tuned")
    assert len(tuned) == len(claimed.rows(study, "tuned")) == 1 + 2
    assert set(tuned["family"]) == {3}
