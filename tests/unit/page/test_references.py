"""Every work that a page cites is in its list of references, with its DOI where it has one, and no other is."""

import re

import constructed
import own_pages
import pytest
import walking

from bnbench.page.references import REFERENCES, cited

CITED = re.compile(
    r"((?:[A-Z][^\W\d_]+, )?[A-Z][^\W\d_]+(?: & [A-Z][^\W\d_]+| et al\.)?)(?:['’]s)?(?: method)? \(?((?:19|20)\d\d)\b"
)
"""A name or names and a year: `Gelman & Stern 2006`, `Welch's (1947)`."""


def listed(html):
    """What a page's list of references holds: the entry of each work."""
    (found,) = re.findall(r'<ul class="references">(.*?)</ul>', html, re.S)
    return re.findall(r"<li>(.*?)</li>", found)


def checked(html):
    entries = listed(html)
    assert entries == sorted(entries)
    works = {(work.cited_as, str(work.year)): work for work in REFERENCES}
    texts = [block.text for block in walking.blocks(html)]
    named = {found for text in texts for found in CITED.findall(text) if not re.match("Python|NumPy|PyTorch", found[0])}
    assert named <= {*works}, named - {*works}
    assert len(entries) == len(named)
    for key in named:
        (entry,) = (entry for entry in entries if entry.startswith(works[key].authors.replace("&", "&amp;")))
        assert f"({works[key].year})" in entry
        assert (f'href="https://doi.org/{works[key].doi}" rel="noreferrer"' in entry) == bool(works[key].doi)


@pytest.mark.parametrize("name", constructed.CASES)
def test_a_page_lists_what_it_cites_and_nothing_else(name, tmp_path):
    checked(constructed.page(constructed.CASES[name], tmp_path).html)


@pytest.mark.parametrize("name", own_pages.CASES)
def test_so_does_a_page_of_results_of_ones_own(name, tmp_path):
    checked(own_pages.page(own_pages.CASES[name], tmp_path).html)


def test_every_work_is_found_by_the_name_that_texts_give_it():
    for work in REFERENCES:
        assert cited(f"<p>As shown before ({work.cited_as.replace('&', '&amp;')} {work.year}).</p>") == [work]
        assert cited(f"<p>As shown before ({work.cited_as} {work.year + 1}).</p>") == []
    assert [work.cited_as for work in cited("<p>Welch's (1947) interval, and Holm's <b>method</b> (1979)")] == [
        "Holm",
        "Welch",
    ]


def test_dois_are_of_the_usual_form():
    dois = [work.doi for work in REFERENCES if work.doi]
    assert len(dois) > 15
    assert len({*dois}) == len(dois)
    assert all(re.fullmatch(r"10\.\d{4,5}/\S+", doi) for doi in dois)
