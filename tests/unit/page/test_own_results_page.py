"""The page of results that were trained elsewhere says what is known of them, and nothing else."""

import hashlib
import re
from pathlib import Path

import own_pages
import own_tables
import pytest
import walking
import yaml
from own_pages import CASES, Case
from supported import DIRECTION, OPEN, OPEN_CHANGE, generic

from bnbench import __version__
from bnbench.plan import config

pytestmark = pytest.mark.filterwarnings("error")

OWN_GENERIC = Path(__file__).with_name("generic_own_sentences.txt")

OF_TRAINING = (
    *("BN", "batch normalization", "norms?", "layers?", "networks?", "neurons?", "torch", "PyTorch", "Snakemake"),
    *(
        "trained",
        "training",
        "trials?",
        "jobs?",
        "weights",
        "test points?",
        "training set",
        "learning rate",
        "minibatch",
    ),
    *("partial study", "seconds", "GPU", "device", "threads", "commit", "batch", "batches", "doubling", "float32"),
)
"""What is not known of runs that were trained elsewhere."""

FIGURES = {
    "norms": {"curves", "differences", "heatmap", "interactions"},
    "dropout as numbers": set(),
    "five optimizers": {"heatmap", "interactions", "profile", "ranks"},
    "diverged, stopped and missing": {"curves", "differences"},
    "forty contexts": {"heatmap", "interactions", "profile"},
    "returns over steps": {"curves", "differences", "heatmap", "interactions"},
    "losses of 0": {"curves", "differences", "heatmap", "interactions"},
    "groups": set(),
    "groups of five": {"heatmap", "interactions", "profile", "ranks"},
    "groups that diverged": {"curves"},
}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A function that gives the page of a case; each case once."""
    found = {}

    def of(name):
        if name not in found:
            found[name] = own_pages.page(CASES[name], tmp_path_factory.mktemp("page"))
        return found[name]

    return of


every_page = pytest.mark.parametrize("name", CASES)
without_norms = pytest.mark.parametrize("name", [name for name in CASES if name not in ("norms", "losses of 0")])


@without_norms
def test_nothing_is_said_of_how_the_runs_were_trained(pages, name):
    found = re.findall(rf".{{0,50}}\b(?:{'|'.join(OF_TRAINING)})\b.{{0,30}}", pages(name).text, re.IGNORECASE)
    assert not found


def test_where_norms_are_compared_they_go_by_their_names_and_nothing_else_is_said_of_training(pages):
    page = pages("norms")
    assert page.html.count("<title>BN against no BN: runs</title>") == 1
    unknown = [word for word in OF_TRAINING if word not in ("BN", "norms?", "batch")]
    assert not re.findall(rf"\b(?:{'|'.join(unknown)})\b", page.text, re.IGNORECASE)


@pytest.mark.parametrize("name", ["dropout as numbers", "five optimizers", "returns over steps", "groups"])
def test_what_is_no_loss_is_not_called_one(pages, name):
    page = pages(name)
    assert not re.findall(r".{0,40}\bloss(?:es)?\b.{0,20}", page.text.replace("as losses are", ""))


def test_steps_are_called_by_the_name_of_their_column(pages):
    page = pages("returns over steps")
    assert not re.findall(r".{0,40}(?<!first_)(?<!last_)\bepochs?\b(?!: global).{0,20}", page.text)
    assert "Over the global steps" in page.text
    assert "From global step 30,000 to global step 50,000 (5 measurements)" in page.text
    assert "Last global step alone" in page.terms


@every_page
def test_a_page_has_the_figures_that_its_runs_allow(pages, name):
    shown = {*re.findall(r'id="figure-(\w+)"', pages(name).html)}
    assert shown == FIGURES[name] | {"forest", "pairs"}


@every_page
def test_no_text_has_a_number_that_is_none_an_empty_bracket_or_a_wrong_plural(pages, name):
    for block in pages(name).blocks:
        text = block.text.replace("None: every run", "")
        assert not re.search(
            r"\bnan\b|\binf\b|\bNone\b|  |\( *\)|\[ *\]|\( | \)| [.,;:](?!\d)|\.\.(?!\.)|,,|\.[A-Z]", text
        ), text
        assert not re.search(
            r"(?<![\w.,−-])1 (?:seeds|pairs|contexts|runs|rows|settings|comparisons|levels)\b", text
        ), text
        assert text.count("(") == text.count(")"), text


@every_page
def test_the_first_sentence_names_a_direction_where_a_verdict_has_one(pages, name):
    page = pages(name)
    decided = page.found["contexts"]["verdict"].isin(["helps", "hurts"])
    for said, is_decided in zip(page.verdicts["sentences"], decided, strict=True):
        assert bool(DIRECTION.search(_bare(said))) == is_decided, said
    assert bool(DIRECTION.search(_bare(page.verdicts["sentence"]))) == decided.any()
    assert page.text.count(page.verdicts["headline"]) >= 1


@every_page
def test_a_text_that_names_a_direction_is_a_sentence_of_the_verdicts_or_claims_nothing(pages, name):
    page = pages(name)
    said = {text for block in walking.stored(page.verdicts) for text in walking.sentences(block.text)}
    said |= {f"{text[:1].lower()}{text[1:]}" for text in said}
    claims_nothing = [generic(page.study), generic(page.study, OWN_GENERIC)]
    for block in page.blocks:
        for text in walking.sentences(block.text):
            known = text in said or any(pattern.fullmatch(text) for pattern in claims_nothing)
            assert known or block.kind == "alt" or not DIRECTION.search(_bare(text)), f"{block.kind}: {text!r}"


@pytest.mark.parametrize("name", ["groups", "forty contexts"])
def test_where_nothing_is_decided_no_sentence_names_a_direction(pages, name):
    page = pages(name)
    assert set(page.found["contexts"]["verdict"]) == {"undecided"}
    for said in (*page.verdicts["sentences"], *page.verdicts["trajectories"], page.verdicts["sentence"]):
        assert not DIRECTION.search(_bare(said)), said


def _bare(said):
    """A sentence without what is open, and without how diverged runs count, which name no direction."""
    said = re.sub(OPEN_CHANGE, "", re.sub(OPEN, "", said))
    said = re.sub(r"may be anything from [^(]*", "", said)
    return re.sub(r"counting (?:a )?diverged runs? as the worst", "", said)


def test_the_page_says_how_pairs_were_made_how_they_correlate_and_what_that_buys(pages):
    page = pages("dropout as numbers")
    ratio = page.found["contexts"]["variance_ratio"].iloc[0]
    correlation = page.found["contexts"]["correlation"].iloc[0]
    smaller = f"{100 - 100 * ratio**0.5:.0f} %"
    buys = f"their correlation is {correlation:.2f}, and pairing reduces the standard error by about {smaller}"
    assert page.text.count(f"Pairs: runs of the same 'seed', 12 pairs; {buys}.") == 1
    assert f"12 pairs; {buys}." in page.verdicts["methods"]
    assert "This is right where the seeds were shared by design" in page.text


def test_groups_are_compared_without_pairs_and_the_page_says_what_pairs_would_have_bought(pages):
    page, paired = pages("groups"), pages("dropout as numbers")
    ratio = paired.found["contexts"]["variance_ratio"].iloc[0]
    smaller = f"{100 - 100 * ratio**0.5:.0f} %"
    would = f"Pairs of the seeds that both arms have would have reduced the standard error by about {smaller}."
    assert page.text.count(would) >= 2
    assert "the arms are compared as two groups, 12 runs of each arm" in page.text
    assert "over 12 runs of each arm, " in page.verdicts["sentences"][0].lower()
    for word in ("sign-flip", "flips", "signed-rank", "maxT", "paired differences", "Student t", "dz"):
        assert word not in page.text, word
    assert "Welch's t" in page.verdicts["methods"]
    assert "permutations" in page.verdicts["methods"]


def test_groups_of_several_arms_are_adjusted_by_holm_and_bonferroni(pages):
    page = pages("groups of five")
    assert "All 12 comparisons formed one family: p-values were adjusted by Holm's method" in page.verdicts["methods"]
    assert "simultaneously, by Bonferroni's method" in page.verdicts["methods"]
    assert not re.findall(r".{0,30}\b(?:maxT|flips?|bootstrap draws seeds)\b", page.text)


def test_what_stands_in_the_place_of_provenance_is_the_table(pages):
    page = pages("norms")
    assert "a frame in Python: 288 rows, 48 runs. Judged and rendered by bnbench" in page.text
    for section in ("cost", "variance", "fit", "reference", "rates"):
        assert f'id="{section}"' not in page.html


def test_a_file_is_told_by_its_name_and_its_hash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = own_tables.lines(CASES["dropout as numbers"].columns)
    (tmp_path / "scores.csv").write_text(content, encoding="utf-8")
    digest = hashlib.sha256(content.encode()).hexdigest()
    page = own_pages.page(Case(None, {"path": "scores.csv", "factor": "dropout", "baseline": 0}), tmp_path / "out")
    read = f"Read from scores.csv (SHA-256 {digest[:12]}…): 24 rows, 24 runs."
    assert f"{read} Judged and rendered by bnbench {__version__}." in page.text
    assert f"were read from scores.csv (SHA-256 {digest[:12]}…)" in page.verdicts["methods"]
    assert digest not in page.text


def test_the_config_on_the_page_is_one_that_plans_the_same_study(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_text(own_tables.lines(CASES["norms"].columns), encoding="utf-8")
    page = own_pages.page(Case(None, {"path": "runs.csv", "outcome": "val_loss"}, {"margin": 1.1}), tmp_path / "out")
    written = re.search(r"configuration of a study</summary>\s*<pre[^>]*>(.*?)</pre>", page.html, re.DOTALL)[1]
    again = config.load(yaml.safe_load(written.replace("&#39;", "'")), "the page")
    assert again.found == page.study.found
    assert again.report == page.study.report


def test_a_run_without_its_partner_is_told_at_the_top_and_listed(pages):
    page = pages("diverged, stopped and missing")
    said = "Not every arm has every seed: 1 run is missing, and its partner is left out of the pairs."
    assert page.text.count(said) >= 3
    assert "2 runs diverged." in page.text
    assert "Stopped early: 1 run stopped before the last epoch (clipping=on, seed 5)." in page.text
    assert "Gaps: 2 runs lack epochs that others have" in page.text


def test_losses_of_0_are_told_as_such(pages):
    page = pages("losses of 0")
    assert sum("3 of 9 pairs have an eval loss of 0" in said for said in page.verdicts["sentences"]) == 2
    assert "3 of 9 pairs have an eval loss of 0, and so no ratio" in page.text
    assert not re.search(r"e-3\d|float32|cannot tell", page.text)


def test_a_page_without_other_outcomes_has_no_table_of_every_outcome(pages):
    assert "Every outcome" not in pages("dropout as numbers").text
    assert "Every outcome" in pages("norms").text  # epochs to the target value stand beside the loss


def test_the_only_row_is_called_by_what_is_compared(pages):
    page = pages("dropout as numbers")
    assert page.html.count("<title>dropout=0.5 against 0: runs</title>") == 1
    assert re.search(r'<th scope="row">\s*dropout=0.5 against 0\s*</th>', page.html)
    assert page.verdicts["headline"].startswith("Dropout=0.5 ")
    said = page.text.replace("the final values of all runs, for each outcome", "")
    assert "all runs" not in said.replace("all runs of an arm are taken together", "")
