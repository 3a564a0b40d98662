"""What texts of people and files may not bring to a terminal or a page.

Letters of every script are allowed, from the right to the left too. Refused is a character that shows nothing or
changes how others are shown: a control character, one that turns the direction of what follows, one without width, half
of a surrogate pair, or one that Unicode has not assigned.
"""

from __future__ import annotations

import unicodedata

_SPACE = "Zs"
"""Unicode's category of spaces within a line, such as the narrow one before a unit."""

_SHOW_NOTHING = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that Unicode counts as letters, marks or symbols, and no font draws."""

_LINE_BREAKS = "\n\r\v\f\x85\u2028\u2029"


def hidden(text: str) -> int | None:
    """The index of the first character of `text` that no text may hold; None if all can be seen."""
    if text.isprintable() and _SHOW_NOTHING.isdisjoint(text):
        return None
    return next((index for index, character in enumerate(text) if not _seen(character)), None)


def refusal(text: str, of: str = "") -> str:
    """What a message says of the first character in `text` that no text may hold; empty if all can be seen.

    Args:
        text: whatever a user wrote.
        of: what the text is, such as `the key `.
    """
    index = hidden(text)
    if index is None:
        return ""
    where = f"found {named(text[index])} as character {index + 1} of {of}{_around(text, index)}"
    if text[index] in _LINE_BREAKS:
        return f"{where}, allowed: one line; to write it on several lines in YAML, begin with >-"
    return f"{where}, allowed: visible characters"


def shown(text: str, keep: str = "\n\t") -> str:
    r"""`text` with each character that no text may hold written out, as `\u202e`; those of `keep` stay.

    Harmless for a terminal, a page and a file in UTF-8, whatever `text` is.
    """
    if hidden(text) is None:
        return text
    return "".join(each if each in keep or _seen(each) else _escaped(each) for each in text)


def named(character: str) -> str:
    """A character as a message has it: `U+202E (right-to-left override)`."""
    controls = {"\n": "line feed", "\r": "carriage return", "\t": "tab", "\x1b": "escape"}
    name = controls.get(character) or unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}{f' ({name})' if name else ''}"


def _seen(character: str) -> bool:
    if character in _SHOW_NOTHING:
        return False
    return character.isprintable() or unicodedata.category(character) == _SPACE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _around(text: str, index: int) -> str:
    """The neighbourhood of `index` in `text`, written out and in quotes."""
    first, last = max(0, index - 20), index + 20
    inside = shown(text[first:last], keep="")
    return f"'{'…' * (first > 0)}{inside}{'…' * (last < len(text))}'"
