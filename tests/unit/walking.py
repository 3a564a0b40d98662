"""A rendered page taken apart: its texts outside the cells of tables, sentence by sentence, and its tables' heads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

_TEXTS = ("title", "p", "li", "h1", "h2", "h3", "figcaption", "dd", "dt", "summary", "th", "label", "a", "footer")
_SILENT = ("style", "script", "pre", "select", "td", "output")
_ABBREVIATIONS = r"(?<!\bet al)(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)"
_END = re.compile(_ABBREVIATIONS + r"(?<=[.?!])[”\"]? (?=[A-Za-z“†∞]|(?<=[A-Za-z)]\. )\d)")


@dataclass(frozen=True)
class Block:
    """A text that stands by itself."""

    kind: str
    """The element that holds it; `alt` of a picture, `landing` or `verdicts` of what does not stand on the page."""
    text: str
    section: int = 0
    """Which part of the page between two headings it stands in."""
    term: str = ""
    """Of a definition, what it defines."""


class _Reader(HTMLParser):
    """Collects the texts of a page in their order; what is nested is told by the innermost element."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[Block] = []
        self.open: list[tuple[str, list[str]]] = []
        self.silent = self.section = 0
        self.term = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self.silent += tag in _SILENT
        for name, kind in (("alt", "alt"), ("aria-label", "label")):
            if own.get(name):
                self._add(kind, str(own[name]))
        if tag in _TEXTS and not (tag == "a" and self.open) and own.get("scope") != "row":
            self.open.append((tag, []))
        elif tag == "th":
            self.silent += 1
            self.open.append(("cell", []))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT
        if self.open and self.open[-1][0] in (tag, "cell" if tag == "th" else tag):
            kind, parts = self.open.pop()
            if kind == "cell":
                self.silent -= 1
                return
            self._add(kind, "".join(parts))

    def handle_data(self, data: str) -> None:
        if self.open and not self.silent:
            self.open[-1][1].append(data)

    def _add(self, kind: str, text: str) -> None:
        text = " ".join(text.split()).removeprefix("More on: ")
        if self.silent or not text:
            return
        self.section += kind in ("h1", "h2", "h3")
        self.term = text if kind == "dt" else self.term
        self.blocks.append(Block(kind, text, self.section, self.term if kind == "dd" else ""))


def blocks(html: str) -> list[Block]:
    """All texts of a page but for the references and what stands in cells."""
    before, _, rest = html.partition('<h3 id="references">')
    references, heading, after = rest.partition('<h2 id="exclusions">')
    assert "<li>Schuirmann, D. J." in references, "the references are not where they were"
    reader = _Reader()
    reader.feed(before + heading + after)
    return reader.blocks


def landing(text: str) -> list[Block]:
    """The paragraphs of the text that Snakemake's report opens on."""
    plain = re.sub(r"\{\{ '(.)' \}\}", r"\1", text)
    plain = re.sub(r"\\([\\*`_|{}])", r"\1", plain.replace("**", ""))
    return [
        Block("landing", " ".join(part.split())) for part in re.split(r"\n\n|^- ", plain, flags=re.M) if part.strip()
    ]


def stored(verdicts: Mapping[str, Any]) -> Iterator[Block]:
    """The sentences of verdicts.json, as they are, with the columns of words of its tables."""
    keys = (
        "context",
        "headline",
        "sentence",
        "equal_rates",
        "adjusted",
        "needed",
        "opposite",
        "budget",
        "budget_note",
        "rates_note",
        "why",
        "absolute_answer",
        "convergence",
        "still_changing",
        "ranks",
        "control",
        "cost",
        "methods",
    )
    for key in keys:
        yield Block("verdicts", verdicts[key])
    for key in ("others", "definitions", "setup", "parts", "modes", "crossings", "shrinking", "drifts"):
        yield from (Block("verdicts", sentence) for sentence in verdicts[key])
    for key in ("sentences", "tuned", "reference", "interactions", "aggregate", "absolute", "trajectories", "variance"):
        yield from (Block("verdicts", sentence) for sentence in verdicts[key])
    for table in verdicts["tables"].values():
        if "sentence" in table["columns"]:
            place = table["columns"].index("sentence")
            yield from (Block("verdicts", row[place] or "") for row in table["data"])


def sentences(text: str) -> list[str]:
    """A text sentence by sentence; a number with a point and `et al.` end none."""
    return [part.strip() for part in _END.split(text) if part.strip()]
