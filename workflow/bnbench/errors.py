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
    close = get_close_matches(str(word), list(allowed), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
