"""No text of a page says more than its verdicts and tables support, whatever befell the study.

Pages of every kind are walked through sentence by sentence, outside the cells of their tables. A new sentence that
holds a word for a direction must be of a form that `supported` can check, or stand in generic_sentences.txt.
"""

import math
import re

import pytest
import supported
import walking
from constructed import CASES

from bnbench.wording.preregistration import FIXED, UNKNOWN

WITHOUT_VERDICTS = ("six seeds undecided", "no effect")
"""Pages on which nothing is decided, so that none of their texts may name a direction of an arm."""


@pytest.fixture(name="pages")
def _pages(constructed_pages):
    return constructed_pages


every_page = pytest.mark.parametrize("name", CASES)


@every_page
def test_no_text_names_a_direction_that_no_verdict_and_no_decided_row_supports(pages, name):
    page, texts = pages(name)
    allowed, wrong = supported.generic(page.study), []
    for block in texts:
        reader = supported.Reader(page)
        said = [sentence for sentence in walking.sentences(block.text) if not allowed.fullmatch(sentence)]
        found = [(sentence, reader.unsupported(sentence)) for sentence in said]
        wrong += [f"{name}, {block.kind}: {sentence!r} names {words}" for sentence, words in found if words]
    assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.mark.parametrize("name", WITHOUT_VERDICTS)
def test_where_nothing_is_decided_no_text_names_a_direction_of_an_effect(pages, name):
    page, texts = pages(name)
    assert set(page.found["contexts"]["verdict"]) == {"undecided"}
    assert not [row for row in page.found["interactions"].to_dict("records") if supported.decided(page.study, row)]
    allowed = supported.generic(page.study)
    # Both sides of what is open, or of a count, name no direction; that losses fall is of epochs, not of arms.
    both = (supported.OPEN, supported.SEED_BY_SEED, supported.SHARE, supported.TRENDS, supported.STILL)
    for block in texts:
        for sentence in walking.sentences(block.text):
            rest = sentence
            for form in both:
                rest = re.sub(form, "", rest)
            assert not supported.DIRECTION.search(rest) or allowed.fullmatch(sentence), f"{name}: {sentence!r}"


OPPOSITE = {"higher": "lower", "helps": "hurts", "helped": "hurt", "better": "worse", "fell": "rose", "falls": "rises"}
OPPOSITE |= {"above": "below", "hurt": "help"}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()}
OPPOSITE |= {"times as high": "-fold lower"}


@pytest.mark.parametrize("name", [name for name in CASES if name not in WITHOUT_VERDICTS])
def test_a_sentence_turned_around_would_be_noticed(pages, name):
    page, texts = pages(name)
    allowed, words = supported.generic(page.study), re.compile(rf"\b({'|'.join(OPPOSITE)})\b")
    turned = 0
    for block in texts:
        reader = supported.Reader(page)
        for sentence in walking.sentences(block.text):
            if allowed.fullmatch(sentence):
                continue
            reader.unsupported(sentence)  # which contexts the block speaks of
            claims = re.sub(supported.OPEN, "", sentence)
            symmetrical = "contexts disagree" in sentence or re.search(
                r"hurts in (\d+),? (?:and )?helps in \1\b", sentence
            )
            if not words.search(claims) or symmetrical:
                continue
            contrary = words.sub(lambda word: OPPOSITE[word[0]], sentence)
            if re.search(supported.OPEN_CHANGE, sentence):
                continue
            turned += 1
            assert reader.unsupported(contrary), f"{name}: {contrary!r} would pass for {sentence!r}"
    decided = page.found["contexts"]["verdict"].isin(["helps", "hurts"]).any()
    assert turned >= 3 * decided


@every_page
def test_an_interval_is_called_simultaneous_where_it_is_and_else_is_said_to_be_alone(pages, name):
    page, texts = pages(name)
    contexts, alone = (
        page.found["contexts"],
        re.compile(r"\b(alone|by itself|of its own|prediction|Wilson|bootstrap)\b"),
    )
    many = {
        "contexts": contexts["family"].max() > 1 and contexts["limits"].isin(["flips", "Bonferroni"]).any(),
        "settings": len(page.study.settings) > 1,
        "tuned": page.found["tuned"]["limits"].isin(["flips", "Bonferroni"]).any(),
        "effects": page.found["interactions"]["family"].max() > 1,
    }
    for block in texts:
        reader = supported.Reader(page)
        for sentence in walking.sentences(block.text):
            rows = reader.rows_of(sentence)
            for said in re.finditer(r"(simultaneous )?[\d.]+ % interval\b[^;)]*", sentence):
                if said[1]:
                    assert any(many.values()), f"{name}: {sentence!r}"
                    together = [row for row in rows if row["limits"] in ("flips", "Bonferroni") and row["family"] > 1]
                    assert not rows or together, f"{name}: {sentence!r}"
                elif rows and "family" in rows[0]:
                    assert rows[0]["family"] <= 1 or alone.search(sentence), f"{name}: {sentence!r}"
    for block in texts:
        if re.search(r"hold for (both|all \d+) comparisons together", block.text):
            assert many["contexts"] or contexts["limits"].isna().all(), f"{name}: {block.text!r}"
            (counted,) = {*re.findall(r"for (both|all \d+) comparisons together", block.text)}
            assert counted == ("both" if contexts["family"].max() == 2 else f"all {contexts['family'].max()}")


ADJUSTED = r"adjusted for (\d+) (?:comparisons|effects) by (maxT|Holm)"


@every_page
def test_every_p_says_for_how_many_and_how_it_was_adjusted(pages, name):
    page, texts = pages(name)
    families = {
        int(table["family"].max()) for key in ("contexts", "tuned", "interactions") if len(table := page.found[key])
    }
    for block in texts:
        for said in re.finditer(r"\bp (?:=|<) [\d.]+\d(?P<after>[^)]*)", block.text):
            if block.text[said.start() :].startswith("p < 0.05 after adjustment for false discoveries over"):
                continue
            adjusted = re.search(ADJUSTED, said["after"])
            if block.text[: said.start()].endswith("adjusted "):  # for how many, and how, stands beside the sentences
                assert max(families) > 1, f"{name}: {block.text!r}"
                noted = re.search(ADJUSTED, page.verdicts["adjusted"])
                assert noted, f"{name}: {block.text!r}"
                assert int(noted[1]) in families - {0, 1}
                assert " ".join(page.verdicts["adjusted"].split()) in {text.text for text in texts}
                continue
            assert adjusted or 1 in families, f"{name}: {block.text!r}"
            assert not adjusted or int(adjusted[1]) in families - {0, 1}, f"{name}: {block.text!r}"


@every_page
def test_every_column_of_p_values_is_headed_or_defined_by_how_they_were_adjusted(pages, name):
    page, texts = pages(name)
    heads = [block for block in texts if block.kind == "th" and re.match(r"p\b", block.text)]
    assert len(heads) >= 6
    for head in heads:
        defined = [block.text for block in texts if block.kind == "dd" and block.term == head.text]
        near = [block.text for block in texts if block.section == head.section and block.kind == "p"]
        noted = [text for text in near if re.search(r"\bp\b|\bp,", text)]
        several = page.found["contexts"]["family"].max() > 1
        assert not several or re.search("adjust", " ".join(defined or noted)), f"{name}: {head.text!r}"


def faults(text):
    """What reads as a fault of the program: numbers that are none, empty or unbalanced brackets, wrong plurals."""
    text = text.replace("None: every trial that was asked for is in a pair", "")
    found = re.findall(r"\bnan\b|\binf\b|\bNone\b|\bNaN\b|  |\( *\)|\[ *\]|\( | \)| [.,;:](?!\d)|\.\.(?!\.)|,,", text)
    found += [
        f"{sign} {text.count(sign)}" for sign in "([" if text.count(sign) != text.count({"(": ")", "[": "]"}[sign])
    ]
    nouns = (
        "seeds|points|pairs|contexts|trials|jobs|epochs|rows|settings|comparisons|effects|tests|measurements|sentences"
    )
    return found + re.findall(rf"(?<![\w.,−-])1 (?:{nouns})\b", text)


@every_page
def test_no_text_has_an_empty_bracket_a_number_that_is_none_or_a_wrong_plural(pages, name):
    _, texts = pages(name)
    for block in texts:
        assert not faults(block.text), f"{name}, {block.kind}: {block.text!r} has {faults(block.text)}"


@every_page
def test_fixed_before_stands_only_where_a_record_says_so_and_significant_nowhere(pages, name):
    page, texts = pages(name)
    recorded = CASES[name].recorded
    assert (FIXED in page.verdicts["methods"]) == recorded
    for block in texts:
        assert not re.search("significan", block.text, re.IGNORECASE), f"{name}: {block.text!r}"
        said = block.text.replace(UNKNOWN, "")
        assert recorded or not re.search("fixed before", said), f"{name}: {block.text!r}"


def test_the_cases_hold_every_verdict_every_test_and_every_kind_of_limits(pages):
    tables = [pages(name)[0].found["contexts"] for name in CASES]
    found = {
        column: {value for table in tables for value in table[column].dropna()}
        for column in ("verdict", "test", "limits")
    }
    assert found["verdict"] == {"helps", "hurts", "equivalent", "undecided", "no data"}
    assert found["test"] == {"mean", "rank", "worst-rank"}
    assert found["limits"] - {""} == {"flips", "Bonferroni", "Student"}
    assert max(len(table) for table in tables) > 12
    assert not math.isnan(tables[0]["effect"].iloc[0])
