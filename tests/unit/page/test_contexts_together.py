"""What the page says of all contexts together, and of every arm against every other, in studies that have enough."""

import re
from html import unescape

import pytest
import synthetic

from bnbench.store import report_tables
from bnbench.wording import contents

pytestmark = pytest.mark.filterwarnings("error")

THREE = {"norm": ["none", "batch", "layer"]}
LARGE = synthetic.plan(**THREE, **synthetic.GRID)
OF_CONTEXTS, OF_ARMS = ("aggregate", "profile"), ("ranks", "all_pairs")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Folder and page of a study of three arms in four contexts."""
    folder = tmp_path_factory.mktemp("large")
    return folder, synthetic.rendered(folder, LARGE, ratio=synthetic.arms(batch=3.0, layer=1.02), noise=0.1)


def words(html):
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_the_page_says_how_interactions_are_judged(large):
    said = words(large[1])
    assert "step-down maxT adjusts p for all of them, and the intervals hold for all of them together" in said
    assert "Higgins, Thompson & Spiegelhalter 2009" in said
    assert "Holm's method adjusts p for all these lines" not in said


def test_all_contexts_together_are_described_after_the_interactions(large):
    folder, page = large
    sections = re.findall(r'<h2 id="(\w+)"', page)
    assert sections[sections.index("interactions") :][:3] == ["interactions", "aggregate", "ranks"]
    assert all(f'href="#{section}"' in page for section in ("aggregate", "ranks"))
    for sentence in report_tables.read(folder, "aggregate")["sentence"]:
        assert sentence in unescape(page)
    assert "they decide nothing, and they hold for these contexts alone" in words(page)


def test_every_pair_of_arms_has_its_line_with_whether_it_is_told_apart(large):
    folder, page = large
    rows = report_tables.read(folder, "all_pairs")
    (table,) = re.findall(r'aria-label="Every arm against every other">(.*?)</table>', page, re.S)
    lines = [words(line) for line in re.findall(r"<tr>(.*?)</tr>", table, re.S)[1:]]
    assert [line.split(" ", 3)[0] for line in lines] == ["BN", "layer", "layer"]
    assert [" yes " in f" {line} " for line in lines] == rows["told_apart"].tolist()
    assert rows["told_apart"].tolist() == [True, False, True]
    assert "Exploratory, beside the verdicts." in words(page)
    assert re.search("(?:No BN and layer norm|Layer norm and no BN) cannot be distinguished[.]", words(page))


@pytest.mark.parametrize(
    ("changes", "there", "absent"),
    [
        ({"batch_size": ["full", 25]}, (), (*OF_CONTEXTS, *OF_ARMS)),
        (synthetic.GRID, OF_CONTEXTS, OF_ARMS),
        (THREE, OF_ARMS, OF_CONTEXTS),
    ],
    ids=["two arms in two contexts", "four contexts", "three arms"],
)
def test_what_a_study_is_too_small_for_is_not_there(tmp_path, changes, there, absent):
    study = synthetic.plan(**changes)
    page = synthetic.rendered(tmp_path, study, noise=0.2)
    for name in (*there, *absent):
        assert (name in contents.tables(study)) == (name in there)
        assert (f'download="synthetic-{name}.csv"' in page) == (name in there)
        assert report_tables.read(tmp_path, name).empty == (name in absent)
        assert (f'id="figure-{name}"' in page) == (name in there and name in contents.SOURCES)
    assert ('id="aggregate"' in page) == ("profile" in there)
    assert ('id="ranks"' in page) == ("ranks" in there)


@pytest.mark.parametrize(
    "options", [{"seeds": lambda labels: []}, {"diverged": lambda labels, seed: 0}], ids=["nothing trained", "diverged"]
)
def test_without_finite_losses_nothing_is_said_in_numbers(tmp_path, options):
    said = words(synthetic.rendered(tmp_path, LARGE, **options))
    assert not re.search(r"\bnan\b", said)
    assert "the interquartile mean of the ratio" not in said
