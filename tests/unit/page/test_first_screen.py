"""What a reader sees first is short, and no ratio is repeated over the page more than once."""

import re
from collections import Counter
from html.parser import HTMLParser

import pytest
import walking
from constructed import CASES

from bnbench.wording import answers, effects, formats, sentences

every_page = pytest.mark.parametrize("name", CASES)

MOST = 2
"""How often a ratio and its interval may be on a page: where it answers, and in the table of the evidence."""

_SKIPPED = ("script", "style", "figure", "select", "pre")
_BLOCKS = ("p", "li", "td", "th", "h1", "h2", "h3", "dd", "dt", "summary", "tr", "ul", "details", "div")


class _Visible(HTMLParser):
    """The text of a page that is read outside figures and scripts; a line for each block."""

    def __init__(self):
        super().__init__()
        self.parts, self.skipped = [], 0

    def handle_starttag(self, tag, attrs):
        self.skipped += tag in _SKIPPED
        self.parts += ["\n"] * (tag in _BLOCKS)

    def handle_endtag(self, tag):
        self.skipped -= tag in _SKIPPED
        self.parts += ["\n"] * (tag in _BLOCKS)

    def handle_data(self, data):
        self.parts += [" ".join(data.split("\n"))] * (not self.skipped)


def evidence(page):
    """The page without what may round to the numbers that decide and is something else.

    Other statistics, and, where intervals hold for several comparisons, those of each outcome alone.
    """
    several = page.found["contexts"]["family"].max() > 1
    html = page.html
    for part in ("statistics", "outcomes") if several else ("statistics",):
        html = re.sub(rf'<h[23] id="{part}">.*?(?=<h[23][ >])', "", html, flags=re.DOTALL)
    return html


def visible(html):
    """The lines of a page's text outside figures."""
    reader = _Visible()
    reader.feed(html)
    assert reader.skipped == 0
    return [" ".join(line.split()) for line in "".join(reader.parts).split("\n") if line.strip()]


def forms(outcome, row):
    """How an effect with its interval is written: as a table has it, and as sentences say it."""
    effect, low, high = (row[name] for name in ("effect", "effect_low", "effect_high"))
    changed, limits = effects.changed(outcome, effect), effects.limits(outcome, effect, low, high)
    return effects.interval(
        outcome, effect, low, high
    ), rf"(?<![\d.]){re.escape(changed)}\b.{{0,120}}?{re.escape(limits)}(?!\d)"


def repeated(lines, outcome, rows):
    """Each effect with its interval that the lines have more often than it may be, with how often."""
    known = Counter(forms(outcome, row) for row in rows if row["effect_low"] == row["effect_low"])
    for (plain, said), contexts in known.items():
        table = sum(len(re.findall(rf"(?<![\d.−+]){re.escape(plain)}", line)) for line in lines)
        spoken = sum(len(re.findall(said, line)) for line in lines)
        if table + spoken > MOST * contexts:
            yield f"{plain}: {table} times in tables and {spoken} in sentences"


@every_page
def test_an_effect_with_its_interval_is_on_the_page_twice_at_most(constructed_pages, name):
    page, _ = constructed_pages(name)
    lines = visible(evidence(page))
    assert not [*repeated(lines, page.study.outcome, page.judged)], name


def test_every_repetition_is_counted(constructed_pages):
    page, _ = constructed_pages("mixed verdicts")
    (place,) = page.found["contexts"]["verdict"].eq("hurts").to_numpy().nonzero()[0]
    plain, _ = forms(page.study.outcome, page.rows["contexts"][place])
    lines = visible(evidence(page))
    assert any(plain in line for line in lines)
    (sentence,) = (line for line in lines if line == page.verdicts["sentences"][place])
    for more in ([sentence, sentence], [plain, plain], [sentence, plain]):
        assert [*repeated([*lines, *more], page.study.outcome, page.judged)]


def first_screen(html):
    """The blocks from the context to the controls: the context, the headline, the sentences and the notes."""
    header = re.search(r"<header>(.*?)(?:<form|<figure|</header>)", html, re.DOTALL)
    assert header
    return visible(header[1])


@every_page
def test_no_sentence_of_the_first_screen_has_more_words_than_a_reader_takes_in_at_once(constructed_pages, name):
    page, _ = constructed_pages(name)
    said = first_screen(page.html)
    headline = page.verdicts["headline"]
    assert [page.verdicts["context"], headline] == said[:2]
    assert len(headline.split()) <= answers.WORDS
    said = [sentence for block in said for sentence in walking.sentences(block.removesuffix(" More"))]
    long = [f"{formats.length(each)} words: {each}" for each in said if formats.length(each) > sentences.LONGEST]
    assert not long, "\n".join([name, *long])
