"""How messages call the options of a comparison: by flags on the command line, by keys in a config.

Messages are written with flags, and those of a config's schema with keys. Here either becomes the other.
"""

from __future__ import annotations

import re

COMMAND_LINE = "the command line"
"""The name in messages for a config that was not read from a file, also for calls from Python."""

_RESULTS = (
    *("pattern", "factor", "baseline", "outcome", "seed", "epoch", "better", "scale", "duplicates", "empty"),
    *("unpaired", "path"),
)
_REPORT = ("margin", "window", "alpha")
_KEYS = {
    **{f"--{name}": f"results.{name}" for name in _RESULTS},
    **{f"--{name}": f"report.{name}" for name in _REPORT},
    "--context": "results.contexts",
    "--name": "study",
}
"""Flag → key."""

_FLAG = re.compile(
    r"(?P<flag>--[a-z]+)(?P<value> (?:lower|higher|ratio|difference|refuse|mean|stopped|diverged)\b)?(?=[\s,;:)]|$)"
)


def as_keys(message: str) -> str:
    """A message with keys of a config in place of flags: `results.duplicates: mean`."""

    def key(match: re.Match[str]) -> str:
        name = _KEYS.get(match["flag"])
        if name is None:
            return match[0]
        if match["flag"] == "--unpaired":
            return f"{name}: true"
        return f"{name}:{match['value']}" if match["value"] else name

    return _FLAG.sub(key, message)


def as_flags(message: str) -> str:
    """A message on keys of a config that nobody has written, with flags in their place and without its source."""
    return "\n".join(_with_flag(line.removeprefix(f"{COMMAND_LINE}: ")) for line in message.split("\n"))


def _with_flag(line: str) -> str:
    for flag, key in _KEYS.items():
        if line.startswith((f"{key}:", f"{key}[")):
            return f"{flag}{line[len(key) :]}"
    return line
