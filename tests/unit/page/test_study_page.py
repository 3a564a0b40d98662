"""The page: self-contained, escaped, the same bytes each time, and true to verdicts.json."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html import unescape

import pytest
from docutils.core import publish_parts
from jinja2 import Environment
from synthetic import arms, collected, compared, leave_blank, plan, rendered, where

from bnbench import cli, report
from bnbench.errors import UserError
from bnbench.store import handed, report_tables
from bnbench.wording import contents

HOSTILE = "<script>alert('1')</script> & \"co\""
POINT = {"norm": "batch", "epoch": 39, "value": 0.002, "source": HOSTILE}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    study = plan(batch_size=["full", 25], reference_points=[POINT])
    return folder, study, rendered(folder, study, drawn=True, ratio=arms(batch=3.0), noise=0.2)


WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "snakemake", "statsmodels"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import bnbench.figures.drawing
from bnbench.cli import main

sys.exit(max(main([step, "--study", sys.argv[1], "--reports", sys.argv[2]]) for step in sys.argv[3:]))
"""


def planned(study, folder):
    """The file in which the study is handed to the steps."""
    (folder / "planned.json").write_text(handed.text(study), encoding="utf-8")
    return str(folder / "planned.json")


def words(text):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def test_it_says_what_verdicts_json_says(page):
    folder, _, text = page
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert f"<h1>{verdicts['headline']}</h1>" in unescape(text)
    said = words(text)
    lists = ("sentences", "reference", "interactions", "trajectories")
    one_by_one = [sentence for name in lists for sentence in verdicts[name]]
    assert len(one_by_one) > 6
    for sentence in (*one_by_one, *(verdicts[name] for name in ("control", "cost", "methods"))):
        assert " ".join(sentence.split()) in said


def test_it_asks_nothing_of_any_network(page):
    text = page[2]
    assert "default-src 'none'" in text
    # Readers who click on a DOI ask for it, and nobody else.
    addresses = re.findall(
        r'(?:src|href)="([^"]*)"', re.sub(r'<a href="https://doi\.org/[^"]*" rel="noreferrer">', "", text)
    )
    assert addresses
    assert all(re.match(r"data:|#|figures/[a-z_]+\.(svg|png)$", address) for address in addresses)
    assert "url(" not in text


def test_its_policy_names_the_one_script_that_may_run(page):
    text = page[2]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (named,) = re.findall(r"script-src 'sha256-([^']+)'", unescape(text))
    assert base64.b64decode(named) == hashlib.sha256(script.encode()).digest()


def test_what_a_user_wrote_is_escaped(page):
    text = page[2]
    assert "&lt;script&gt;" in text
    assert "alert('1')</script>" not in text


def test_every_figure_is_in_it_with_words_for_who_cannot_see_it(page):
    _, study, text = page
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', text)
    assert len(images) == len(contents.figures(study))
    for drawn, alternative in images:
        svg = base64.b64decode(drawn).decode()
        assert svg.startswith("<?xml")
        assert "prefers-color-scheme: dark" in svg
        assert len(alternative) > 30
    assert "hurts" in images[0][1]


def test_every_caption_says_how_many_seeds_and_of_what_level(page):
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page[2], re.S)
    assert len(captions) == len(contents.figures(page[1]))
    for caption in captions:
        assert "8 seeds" in caption
        assert re.search(r"95 %|95th|one of 8 seeds|α = 0.05", caption), caption


def test_every_column_of_every_table_is_explained(page):
    folder, _, text = page
    explained = set(re.findall(r"<dt>(\w+)</dt>", text))
    for name in contents.tables(page[1]):
        assert set(report_tables.read(folder, name).columns) <= explained


def explained(text, label):
    """The heads of the table called so, without that of its rows, and what is explained below it."""
    (table,) = re.findall(rf'aria-label="{label}">(.*?)</div>.*?<dl class="words">(.*?)</dl>', text, re.S)
    return re.findall(r'<th scope="col">(.*?)</th>', table[0])[1:], re.findall(r"<dt>(.*?)</dt>", table[1])


def test_every_column_of_the_verdicts_and_of_the_other_statistics_is_explained(page):
    for label in ("Verdicts", "More about each context"):
        heads, terms = explained(page[2], label)
        assert len(heads) >= 6
        assert terms == heads


def test_the_table_of_all_outcomes_says_what_its_mark_and_its_columns_are(page):
    heads, terms = explained(page[2], "Every outcome")
    swing = "swing of the test loss"
    assert terms == ["†", "generalization gap", swing, "epochs to the target value", "seconds of training"]
    assert set(terms[1:]) <= set(heads)
    assert '<span class="note">(' in page[2].partition('aria-label="Every outcome"')[2]


def test_the_contents_are_the_headings_in_their_order(page):
    (contents_,) = re.findall(r'<nav class="contents".*?</nav>', page[2], re.S)
    linked = re.findall(r'<a href="#([a-z_]+)">(.*?)</a>', contents_)
    assert len(linked) > 10
    assert linked == re.findall(r'<h2 id="([a-z_]+)">(.*?)</h2>', page[2])


def test_snakemakes_report_opens_on_the_answer(page):
    folder = page[0]
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    landing = Environment(autoescape=True).from_string((folder / "landing.rst").read_text(encoding="utf-8")).render()
    shown = words(publish_parts(landing, writer="html")["html_body"])
    for sentence in (verdicts["context"], verdicts["headline"], *verdicts["sentences"], verdicts["methods"]):
        assert " ".join(sentence.split()) in shown
    assert "A/A" not in shown
    assert "system-message" not in publish_parts(landing, writer="html")["html_body"]


def test_every_table_can_be_taken_from_it(page):
    folder, study, text = page
    found = dict(re.findall(r'<a download="synthetic-(\w+)\.csv" href="data:text/csv;base64,([^"]*)"', text))
    assert set(found) == set(contents.tables(study))
    for name, content in found.items():
        assert base64.b64decode(content) == (folder / "tables" / f"{name}.csv").read_bytes()


def test_a_large_table_is_taken_from_beside_the_page(page):
    folder, study, text = page
    report.run(study, folder, embedded=1000)
    small = (folder / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(text, encoding="utf-8")
    assert 'href="tables/fit.csv"' in small
    assert 'href="data:text/csv;base64,' in small
    assert len(small) < len(text)


def test_the_same_inputs_give_the_same_bytes(page):
    folder, study, text = page
    report.run(study, folder)
    assert (folder / "index.html").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"diverged": lambda labels, seed: 3 if labels["norm"] == "batch" and seed < 2 else None}, "McNemar"),
        ({"seeds": lambda labels: [0, 1, 2, 2, 9] if labels["norm"] == "batch" else None}, "duplicated"),
        ({"diverged": where("batch", [3], 7)}, "1 trial was left out of the pairs or diverged."),
        ({"diverged": where("batch", [3, 4], 7)}, "2 trials were left out of the pairs or diverged."),
        ({"seeds": lambda labels: range(5)}, "A partial study: 6 of 16 trials are missing."),
        ({"seeds": lambda labels: []}, "There are no pairs to compare yet With"),
        ({"torch": lambda labels, seed: "2.13.0" if seed < 4 else "2.11.0"}, "torch 2.11.0 and 2.13.0"),
    ],
)
def test_what_befell_the_trials_is_told(tmp_path, options, said):
    study = plan()
    compared(tmp_path, study, noise=0.2, **options)
    folder = tmp_path / study.name
    leave_blank(study, folder)
    report.run(study, folder)
    assert said in words((folder / "index.html").read_text(encoding="utf-8"))


def test_a_missing_or_corrupt_part_is_named(tmp_path):
    study = plan()
    compared(tmp_path, study)
    folder = tmp_path / study.name
    with pytest.raises(UserError, match=r"figures/forest\.svg: cannot be read"):
        report.run(study, folder)
    (folder / "verdicts.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=r"verdicts\.json: not readable"):
        report.run(study, folder)


def test_a_report_needs_neither_torch_nor_snakemake_nor_statsmodels(tmp_path):
    study = plan()
    folder = tmp_path / "synthetic"
    collected(study, folder / "data")
    leave_blank(study, folder)
    command = [sys.executable, "-c", WITHOUT, planned(study, tmp_path), str(tmp_path), "compare", "report"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "index.html").exists()


def test_the_answer_verb_prints_the_place_and_the_sentence(page, tmp_path, capsys):
    folder, study, _ = page
    (tmp_path / "synthetic").symlink_to(folder)
    assert cli.main(["answer", "--study", planned(study, tmp_path), "--reports", str(tmp_path)]) == 0
    place, sentence = capsys.readouterr().out.strip().splitlines()
    assert place.endswith("synthetic/index.html")
    assert sentence == json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))["sentence"]
    assert sentence.startswith("BN hurts in 2 of 2 contexts: test loss ")
