"""What no text may hold on its way to a terminal and a page, and how it is told."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnbench import texts
from bnbench.errors import UserError

HARMLESS = [
    "BN hurts at small batches",
    "µ ≥ 1 and ε = 1e-5, 5\u202f% of é",
    "נורמליזציה עוזרת",
    "التطبيع يساعد",
    "正規化は役に立つ",
    "🧪 it works",
    "",
]

HIDDEN = {
    "a bell": "\a",
    "an escape": "\x1b",
    "a null": "\0",
    "a line feed": "\n",
    "a tab": "\t",
    "a line separator": "\u2028",
    "a C1 control": "\x9b",
    "a lone surrogate": "\ud800",
    "an unassigned one": "\U000e0fff",
    "one of private use": "\ue000",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a byte order mark": "\ufeff",
    "a soft hyphen": "\xad",
    "a tag": "\U000e0041",
    "a filler": "\u3164",
    "an Arabic letter mark": "\u061c",
    **{f"U+{code:04X}": chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)},
}


@pytest.mark.parametrize("text", HARMLESS)
def test_letters_of_every_script_are_welcome(text):
    assert texts.hidden(text) is None
    assert texts.refusal(text) == ""
    assert texts.shown(text) == text


@pytest.mark.parametrize("character", HIDDEN.values(), ids=HIDDEN)
def test_what_is_not_seen_is_refused_with_its_place_and_written_out(character):
    text = f"is{character}it"
    assert texts.hidden(text) == 2
    assert texts.refusal(text).startswith(f"found U+{ord(character):04X}")
    assert " as character 3 of 'is\\" in texts.refusal(text)
    assert texts.shown(text, keep="") == f"is{character.encode('unicode_escape').decode()}it"
    assert texts.refusal(text).isprintable()


def test_a_message_names_the_character_and_shows_what_stands_around_it():
    said = texts.refusal(f"{'a' * 30}\u202e{'b' * 30}")
    assert said == (
        f"found U+202E (right-to-left override) as character 31 of '…{'a' * 20}\\u202e{'b' * 19}…', "
        "allowed: visible characters"
    )
    assert texts.refusal("two\nlines").endswith(
        "allowed: one line; to write it on several lines in YAML, begin with >-"
    )


@given(st.text(st.characters(), max_size=12))
def test_whatever_a_text_holds_what_is_shown_of_it_can_be_seen_and_written(text):
    shown = texts.shown(text, keep="")
    assert texts.hidden(shown) is None
    assert not any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Cn") for each in shown)
    shown.encode("utf-8")
    assert texts.shown(shown, keep="") == shown


def test_a_message_for_the_user_keeps_its_lines_and_nothing_else_that_moves_the_cursor():
    assert str(UserError("a\x1b[2J.csv: empty\nb\u202e.csv: empty\r")) == (
        "a\\x1b[2J.csv: empty\nb\\u202e.csv: empty\\r"
    )
