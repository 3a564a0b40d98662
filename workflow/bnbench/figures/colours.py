"""The colours that figures and page share; the page changes them where it is dark. Light to import.

Arms have their colours in pictures of losses and scores. In pictures of ratios and differences the colour is that of
the verdict. The two sets share no colour. Helps, hurts and undecided stay apart for the colour-blind, and so do the
first arms; further arms differ in their line and their label too.
"""

INK, GRID, GREY, PAPER = "#222222", "#d9d9d9", "#808080", "#fffffe"
"""Colours of text and axes, of lines behind the data, of what has no verdict, and of what stays blank."""

HELPS, HURTS, UNDECIDED = "#0b72ab", "#c8371b", GREY
"""Colours of the verdicts; what is undecided and what is equivalent are both grey."""

ARMS = ("#7650c9", "#c27c00", "#00876c", "#d0559b", "#8c5a3c", "#3f9dbb", "#6a9a2b", "#65727f")
"""Colours of the arms, the baseline first; from the ninth arm on they repeat."""

DARK = {
    INK: "#e8e6e3",
    GRID: "#3a3a3a",
    PAPER: "#17181a",
    GREY: "#a3a3a3",
    HELPS: "#4fb0e8",
    HURTS: "#ff7a5c",
    ARMS[0]: "#a88bf0",
    ARMS[1]: "#e0a030",
    ARMS[2]: "#2fb795",
    ARMS[3]: "#e884bd",
    ARMS[4]: "#c08d6c",
    ARMS[5]: "#63bcd8",
    ARMS[6]: "#93c455",
    ARMS[7]: "#98a6b4",
}
"""What becomes of each colour on a dark page."""


def of_verdict(verdict: str) -> str:
    """The colour of a verdict."""
    return {"helps": HELPS, "hurts": HURTS}.get(verdict, UNDECIDED)
