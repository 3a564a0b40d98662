"""A study that tunes its rates and puts claims to the test, and the page of all claims: real runs by Snakemake."""

import csv
import json

import pytest

TUNED = {
    "seeds_per_job": {"cpu": 4},
    "batch_size": [25],
    "optimizer": [{"name": "adam", "lr": [0.001, 0.01]}],
    "tune": {"validation": 0.2},
    "claims": [
        {"words": "BN | helps <b>", "source": "nobody", "predicts": "helps", "in": "tuned"},
        {"words": "It helps at 0.01", "source": "nobody", "predicts": "helps", "where": {"optimizer": "adam lr=0.01"}},
    ],
}


@pytest.fixture(scope="module")
def claimed(new_checkout):
    checkout = new_checkout(**TUNED)
    checkout.run()
    checkout.page = checkout.bnbench("claims", "tiny.yaml")
    return checkout


def test_a_study_that_tunes_shows_tuned_arms_and_equal_rates(claimed):
    page = (claimed.report / "index.html").read_text()
    assert "<h1>With tuned learning rates, " in page
    assert "<p>At equal rates, " in page
    assert "has the learning rate that the other seeds’ validation losses choose" in page
    assert claimed.contents("figures/rates.svg")
    verdicts = json.loads((claimed.report / "verdicts.json").read_text())
    assert len(verdicts["tables"]["tuned"]["data"]) == 1
    assert len(verdicts["tables"]["rates"]["data"]) == 2
    assert claimed.planned() == {}


def test_the_page_of_the_claims_says_what_the_verdicts_say(claimed):
    assert claimed.page.returncode == 0, claimed.page.stderr
    folder = claimed.folder / "reports" / "claims"
    assert claimed.page.stdout.strip() == "reports/claims/index.html"
    stored = json.loads((claimed.report / "verdicts.json").read_text())["tables"]["claims"]
    expected = [dict(zip(stored["columns"], row, strict=True)) for row in stored["data"]]
    with (folder / "claims.csv").open() as file:
        shown = list(csv.DictReader(file))
    assert len(shown) == len(expected) == 2
    page, table = (folder / "index.html").read_text(), (folder / "claims.md").read_text()
    for row, claim in zip(shown, expected, strict=True):
        for column in ("words", "conclusion", "measured", "supporting"):
            assert row[column] == str(claim[column])
        assert claim["conclusion"] in ("undecided", "contradicted", "supported", "only where")
        assert claim["measured"].split("; ")[0] in page
        assert claim["measured"] in table
    assert "BN | helps &lt;b&gt;" in page
    assert 'href="../tiny/index.html"' in page


def test_over_four_seeds_no_claim_is_decided(claimed):
    stored = json.loads((claimed.report / "verdicts.json").read_text())["tables"]["claims"]
    at = stored["columns"].index("conclusion")
    assert {row[at] for row in stored["data"]} <= {"undecided", "contradicted"}


def test_the_page_needs_studies_that_were_compared(new_checkout):
    checkout = new_checkout(**TUNED)
    run = checkout.bnbench("claims", "tiny.yaml")
    assert run.returncode == 2
    assert run.stderr == "reports/tiny/verdicts.json: no such file; run the workflow to make it\n"
