"""The style sheet of a page: the colours of the figures as variables, for light and dark pages, and the rules."""

from __future__ import annotations

from collections.abc import Mapping

from bnbench.figures.colours import ARMS, DARK, HELPS, HURTS, UNDECIDED
from bnbench.wording import templating

_COLOURS = {"helps": HELPS, "hurts": HURTS, "undecided": UNDECIDED} | {f"arm-{i}": arm for i, arm in enumerate(ARMS)}
"""Name of a variable → its colour on a light page."""


def text() -> str:
    """The rules of all pages."""
    dark = {name: DARK[colour] for name, colour in _COLOURS.items()}
    variables = f"{_variables(_COLOURS)}@media (prefers-color-scheme: dark) {{ {_variables(dark).rstrip()} }}\n"
    return variables + templating.source("page", "page.css")


def _variables(colours: Mapping[str, str]) -> str:
    return f":root {{ {'; '.join(f'--{name}: {colour}' for name, colour in colours.items())} }}\n"
