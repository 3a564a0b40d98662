"""reports/example is one report: the page, its tables, its figures and its verdicts are of one rendering."""

import json
import re
from html import unescape
from pathlib import Path

import pytest

from bnbench import __version__
from bnbench.store import report_tables, schemas

PROJECT = Path(__file__).parents[2]
EXAMPLE = PROJECT / "reports" / "example"
LARGEST = 3 * 10**6


@pytest.fixture(scope="module")
def page():
    return (EXAMPLE / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def verdicts():
    return json.loads((EXAMPLE / "verdicts.json").read_text(encoding="utf-8"))


def words(html):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_page_is_of_this_version_and_says_what_the_verdicts_say(page, verdicts):
    assert f"Made by bnbench {__version__}." in page
    (headline,) = re.findall(r"<h1\b[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert words(headline) == " ".join(verdicts.get("headline", verdicts["sentence"]).split())
    assert verdicts["study"] == "default"


def test_its_tables_are_those_of_the_verdicts(verdicts):
    assert {path.stem for path in (EXAMPLE / "tables").glob("*.csv")} == {*schemas.TABLES} == {*verdicts["tables"]}
    stored = verdicts["tables"]["contexts"]
    contexts = report_tables.read(EXAMPLE, "contexts")
    assert {*contexts.columns} == {*stored["columns"]}
    for name in ("verdict", "effect", "p_adjusted", "pairs"):
        at = stored["columns"].index(name)
        assert contexts[name].tolist() == [row[at] for row in stored["data"]], name


def test_it_is_small_enough_to_be_downloaded_and_whatever_it_links_to_is_there(page):
    assert len(page.encode()) <= LARGEST
    links = set(re.findall(r'href="([^"#:]+)"', page))
    assert len(links) >= 10
    assert [link for link in links if not (EXAMPLE / link).is_file()] == []


def test_the_readme_links_to_it_above_the_first_command():
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert "(reports/example/index.html)" in readme.partition("\n## Two commands\n")[0]
