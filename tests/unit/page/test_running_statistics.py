"""What running statistics do is computed, drawn and described where an arm keeps them, and nowhere else."""

import re
from html import unescape

import pytest
import synthetic

from bnbench.plan.study import Study
from bnbench.store import report_tables
from bnbench.wording import contents

OF_STATISTICS = ("decomposition", "modes")
RATES = [{"name": "adam", "lr": 0.001}, {"name": "sgd", "lr": 0.1}]
OPTIMIZERS = {"optimizer": RATES, "report": {"factor": "optimizer", "baseline": "adam"}}
WITHOUT = {
    "optimizers": synthetic.plan(norm=["none"], **OPTIMIZERS),
    "layer norm": synthetic.plan(norm=["none", "layer"]),
}
WORDS = r"stale|precise|batch noise|running (average|statistic)|training mode|\bBN\b(?! momentum)"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A function that compares a study, draws it, and gives its folder and its page; each study once."""
    found = {}

    def of(study: Study):
        key = study.to_json()
        if key not in found:
            out = tmp_path_factory.mktemp("report")
            found[key] = (out, synthetic.rendered(out, study, noise=0.2))
        return found[key]

    return of


def said(page):
    """What a reader or a screen reader is told, without the software's own name."""
    shown = re.sub(r"<script\b.*?</script>|<style>.*?</style>|<pre.*?</pre>|data:[^\"]*", " ", page, flags=re.S)
    alternatives = " ".join(re.findall(r'(?:alt|aria-label)="([^"]*)"', shown))
    return " ".join(unescape(f"{re.sub(r'<[^>]+>', ' ', shown)} {alternatives}").split())


@pytest.mark.parametrize("name", WITHOUT)
def test_a_study_in_which_no_arm_keeps_statistics_says_nothing_of_them(written, name):
    study = WITHOUT[name]
    assert not study.keeps_statistics
    out, page = written(study)
    # An arm may be called "no BN", and losses be those without BN; else nobody asked for BN.
    assert re.findall(WORDS, re.sub("(?:no|without) BN", "", said(page))) == []
    for one in OF_STATISTICS:
        assert one not in contents.figures(study)
        assert not list((out / "figures").glob(f"{one}.*"))
        assert not re.search(rf'id="{one}"|href="#(?:{one}|why)"|figure-{one}|download="[^"]*{one}', page)
        table = report_tables.read(out, one)
        assert table.empty
        assert "effect" in table or "loss" in table
    assert "test_loss_precise" not in set(report_tables.read(out, "outcomes")["outcome"])


def test_a_study_with_bn_has_them_for_its_arms_with_bn(written):
    study = synthetic.plan(norm=["none", "batch", "layer"])
    out, page = written(study)
    assert study.keeps_statistics
    for one in OF_STATISTICS:
        assert (out / "figures" / f"{one}.svg").exists()
        assert f'id="figure-{one}"' in page
    assert 'href="#why"' in page
    assert set(report_tables.read(out, "modes")["norm"]) == {"batch"}
    assert set(report_tables.read(out, "decomposition")["treatment"]) == {"batch"}
    outcomes = report_tables.read(out, "outcomes")
    assert set(outcomes["treatment"][outcomes["outcome"] == "test_loss_precise"]) == {"batch"}
    assert "test loss with precise statistics" in said(page)


def test_contexts_with_bn_have_them_where_something_else_is_compared(written):
    out, _ = written(synthetic.plan(norm=["none", "batch"], **OPTIMIZERS))
    for one in OF_STATISTICS:
        assert set(report_tables.read(out, one)["norm"]) == {"batch"}


def test_the_outcome_that_decides_is_kept_whatever_the_arms(compared):
    study = synthetic.plan(
        norm=["none"], **{**OPTIMIZERS, "report": {**OPTIMIZERS["report"], "outcome": "test_loss_precise"}}
    )
    found, _ = compared(study, noise=0.2)
    outcomes = found["outcomes"]
    assert outcomes["outcome"][outcomes["role"] == "primary"].tolist() == ["test_loss_precise"]
