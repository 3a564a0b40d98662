"""The one exception that a user is meant to read.

Every step raises `UserError` for what the user can mend (a wrong config, an absent device, a corrupt file);
the command line prints its text without a traceback and exits with status 2.
"""

from collections.abc import Iterable
from difflib import get_close_matches


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
