"""What the page says of splits of one data set, and of what each source of randomness makes of the spread."""

import re
from html import unescape

import pytest
import synthetic

from bnbench.plan.study import Study

OF_DATA = {"task": "diabetes", "batch_size": [25]}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A function that gives the page of a study; each study once."""
    found = {}

    def of(study: Study):
        key = study.to_json()
        if key not in found:
            found[key] = synthetic.rendered(tmp_path_factory.mktemp("report"), study, noise=0.2)
        return found[key]

    return of


def said(html):
    """What a reader sees."""
    shown = re.sub(r"<(style|script|pre|nav)\b.*?</\1>|data:[^\"]*", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_beside_the_verdicts_and_in_the_methods_it_says_for_which_rows_they_are(page):
    text = said(page(synthetic.plan(**OF_DATA)))
    assert text.count("All seeds split the same 442 rows of diabetes.") == 2
    beside, methods = (match.start() for match in re.finditer("All seeds split the same ", text))
    assert text.index("what decides") < beside < text.index("Every outcome")
    assert text.index("A paragraph for a paper") < methods < text.index("To cite the software")
    assert "Corrected intervals (Nadeau & Bengio 2003)" in text


def test_the_corrected_interval_stands_and_is_explained_among_the_other_statistics(page):
    html = page(synthetic.plan(**OF_DATA))
    (table,) = re.findall(r'aria-label="More about each context">(.*?)</table>', html, flags=re.DOTALL)
    heads = re.findall(r'<th scope="col">([^<]*)</th>', table)
    cells = [said(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", table, flags=re.DOTALL)]
    assert heads[1:3] == ["By itself", "Corrected"]
    own, corrected = ([float(number) for number in re.findall(r"[\d.]+", cell)] for cell in cells[:2])
    assert own[0] == corrected[0]
    assert corrected[1] < own[1] < own[2] < corrected[2]
    assert "<dt>Corrected</dt>" in html


# What the columns of variance.csv hold is told on every page.
OF_SOURCES = r"these rows|Corrected|corrected interval|varied source(?! of randomness)|What makes the spread"


@pytest.mark.parametrize("changes", [{}, {"task": {"name": "sine", "noise": 0.1}}])
def test_of_other_tasks_nothing_of_this_is_said(page, changes):
    text = said(page(synthetic.plan(**changes)))
    assert not re.search(OF_SOURCES, text)


@pytest.mark.parametrize("outcome", ["train_loss", "generalization_gap"])
def test_where_there_is_no_corrected_interval_none_is_promised(page, outcome):
    text = said(page(synthetic.plan(**OF_DATA, report={"outcome": outcome})))
    assert "All seeds split the same " in text
    assert not re.search(r"[Cc]orrected (interval|The ratio)|Corrected", text)


def test_a_study_that_varies_sources_alone_has_a_section_with_its_sentences_and_table(page):
    html = page(synthetic.plan(**OF_DATA, seed_varies=["all", "data", "weights"]))
    text = said(html)
    assert 'href="#variance"' in html
    section = text[text.index("What makes the spread over the seeds") :][:4000]
    assert "With BN (Adam at batch 25; 8 seeds), the variance of the log test loss is" in section
    assert "All sources varied The data alone varied The weights alone varied Seeds" in section
    assert "with all sources varied, the data alone varied and the weights alone varied; where one" in section
    assert "Each share of the variance has a 95 % interval" in section
    assert "varied source all, data and weights" in text
    assert "variance.csv" in text


def test_without_all_sources_varied_no_share_is_promised(page):
    text = said(page(synthetic.plan(**OF_DATA, seed_varies=["weights", "order"])))
    section = text[text.index("What makes the spread over the seeds") : text.index("Does it depend on the context?")]
    assert "with the weights alone varied and the order alone varied; where one" in section
    assert "standard deviation of the log test loss" in section
    assert "%" not in section
    assert "all sources" not in section


def test_a_study_in_which_one_source_alone_varies_says_which(page):
    text = said(page(synthetic.plan(**OF_DATA, seed_varies="weights")))
    assert "varied source weights" in text
    assert "are the same for every seed. So intervals and verdicts describe this split alone." in text
    assert "What makes the spread" not in text
