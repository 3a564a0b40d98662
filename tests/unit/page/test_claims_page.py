"""The page of all claims: what their sources did, what is tested, what they come to, and where it was trained."""

import csv
from pathlib import Path

import pytest
import stores
import synthetic

from bnbench import cli
from bnbench.page import claims_page
from bnbench.store import studies
from bnbench.vocabulary import RESERVED

FOLDER = "claims"
PAPER = "BN | ten networks of <i>many</i> layers"
CLAIMS = [
    {"words": "BN helps", "source": "a paper", "predicts": "helps", "paper": PAPER, "here": "one", "to": "a toy"},
    {"words": "BN hurts", "source": "nobody", "predicts": "hurts", "in": "tuned"},
]


def test_no_study_may_have_the_name_of_the_pages_folder_nor_of_another_that_is_kept_there():
    ignored = (Path(__file__).parents[3] / ".gitignore").read_text(encoding="utf-8").splitlines()
    tracked = {line.strip("!/").removeprefix("reports/") for line in ignored if line.startswith("!/reports/")}
    assert {claims_page.FOLDER, studies.CLAIMS, *tracked} == {*RESERVED}


@pytest.fixture
def page(tmp_path, rebuilt):
    """Compare and render a study, and the page of its claims."""
    study = synthetic.plan(
        **{**stores.PLAN, "optimizer": [{"name": "adam", "lr": [0.01, 0.1]}], "tune": {}}, claims=CLAIMS
    )
    stores.stored(tmp_path, study, ratio=synthetic.arms(batch=3.0), noise=0.05)
    status, said, own = rebuilt(study)
    assert status == 0, said.err
    assert cli.main(["claims", str(tmp_path / "study.yaml"), "--reports", str(tmp_path / "reports")]) == 0
    return own, tmp_path / "reports" / FOLDER


def test_the_setup_of_a_claim_has_two_columns_and_its_conclusion_is_not_against_the_source(page):
    own, folder = page
    text = stores.text_of(folder / "index.html")
    for shown in (own, text):
        assert "What the source did" in shown
        assert "What is tested here" in shown
        assert PAPER in shown
        assert "does not carry over to a toy" in shown
        assert "contradicted" not in shown.partition("BN helps")[2].partition("BN hurts")[0]
    assert "1 supported, 1 not carrying over." in text
    table = (folder / "claims.md").read_text(encoding="utf-8")
    assert (
        "| claim | source | what the source did | what is tested here | study | seeds | verdict | measured |" in table
    )
    assert "**does not carry over** to a toy" in table
    assert r"BN \| ten networks of \<i>many\</i> layers" in table
    assert "<i>" not in table.replace(r"\<i>", "")
    with (folder / "claims.csv").open(encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["setup"], first["to"], second["setup"], second["to"]) == ("other", "a toy", "same", "")


def test_processor_and_torch_and_a_rate_that_ends_its_list_are_named(page):
    text = stores.text_of(page[1] / "index.html")
    assert "The trials ran on a processor with torch 2.13.0." in text
    assert "ends its list" in text


def test_claims_without_a_setup_have_no_columns_for_it(tmp_path, rebuilt):
    study = synthetic.plan(**stores.PLAN, claims=[{"words": "BN hurts", "source": "nobody", "predicts": "hurts"}])
    stores.stored(tmp_path, study)
    assert "What the source did" not in rebuilt(study)[2]
