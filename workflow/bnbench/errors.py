"""The one exception that a user is meant to read, and words for its message.

Every step raises `UserError` for what the user can mend (a wrong config, an absent device, a corrupt file);
the command line prints its text without a traceback and exits with status 2.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any


class UserError(Exception):
    """One message that names the file, the key or path, what was found and what is allowed."""


def nearest(word: object, allowed: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"` for the allowed word nearest to `word`, or an empty string."""
    by_lower_case = {name.lower(): name for name in allowed}
    close = get_close_matches(str(word).lower(), by_lower_case, n=1)
    return f" (did you mean '{by_lower_case[close[0]]}'?)" if close else ""


def first_line(error: Exception) -> str:
    """What `error` says, in one line: readers of files like to say more."""
    return str(error).partition("\n")[0]


def found(value: Any) -> str:
    """What a message says was found, in the words of a config."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"{_shortened(repr(value))} (text)"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "a mapping" if isinstance(value, Mapping) else _shortened(str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]}… ({len(text)} characters)"
