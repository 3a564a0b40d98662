"""The one exception that a user is meant to read, and words for its message.

Every step raises `UserError` for what the user can mend (a wrong config, an absent device, a corrupt file);
the command line prints its text without a traceback and exits with status 2.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from bnbench import texts


class UserError(Exception):
    """One message that names the file, the key or path, what was found and what is allowed.

    It may quote a file or its name; whatever is in there, a terminal shows the message as it is.
    """

    def __str__(self) -> str:
        return texts.shown(super().__str__())


_NEAR, _SAME = 0.65, 0.8
"""How alike a word and a name must be, and a word and a description: no hint is better than a wrong one."""


def near(word: object, allowed: Iterable[str], descriptions: Mapping[str, str] | None = None) -> str | None:
    """The allowed word nearest to `word`, if any is near.

    Where no name is, the beginnings of `descriptions` of the allowed words are looked at.
    """
    written = str(word).lower()
    by_name = {name.lower(): name for name in allowed}
    if close := get_close_matches(written, by_name, n=1, cutoff=_NEAR):
        return by_name[close[0]]
    by_description = {_beginning(text): name for name, text in (descriptions or {}).items()}
    spoken = re.sub(r"[_-]", " ", written)
    close = get_close_matches(spoken, by_description, n=1, cutoff=_SAME)
    return by_description[close[0]] if close else None


def nearest(word: object, allowed: Iterable[str], descriptions: Mapping[str, str] | None = None) -> str:
    """Return `" (did you mean 'x'?)"` for the allowed word nearest to `word`, or an empty string."""
    meant = near(word, allowed, descriptions)
    return f" (did you mean '{meant}'?)" if meant else ""


def _beginning(description: str) -> str:
    """A description up to its first stop."""
    return re.split(r"[:;,(]", description.removeprefix("a factor: "))[0].strip().lower()


def first_line(error: Exception) -> str:
    """What `error` says, in one line: readers of files like to say more."""
    return str(error).partition("\n")[0]


def found(value: Any) -> str:
    """What a message says was found, in the words of a config."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"{shortened(repr(value))} (text)"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping" if isinstance(value, Mapping) else shortened(str(value))


def quoted(value: object) -> str:
    """A cell of a file as a message quotes it: in one line, not too long, with what cannot be seen written out."""
    return shortened(repr(str(value)))


def shortened(text: str) -> str:
    """A text as a message quotes it, the beginning of a long one."""
    return text if len(text) <= 60 else f"{text[:40]}… ({len(text)} characters)"
