"""Templates: HTML is escaped, plain text is not, and a name that is not given is an error."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_MARKUP = re.compile(r"([\\*`_|{}])")
_MARKDOWN = re.compile(r"[\\`*_~|]|<(?=[A-Za-z/!?])|\](?=[(\[:])|&(?=#?\w+;)")
"""What is markup in Markdown; `p < 0.05` and `[close to its edge]` are none."""

_ESCAPED = {"{": "{{ '{' }}", "}": "{{ '}' }}"}  # what is markup to the second rendering of reStructuredText


def environment(room: str) -> Environment:
    """Where the templates of a room of the package are found."""
    found = Environment(
        loader=PackageLoader(f"bnbench.{room}"),
        autoescape=select_autoescape(["html"], default_for_string=False),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    found.filters["rst"] = rst
    found.filters["attribute"] = attribute
    found.filters["camel"] = camel
    return found


def attribute(factor: str) -> str:
    """What a factor is called in the name of an attribute: `batch-size`; letters, digits and hyphens alone."""
    return re.sub(r"[^a-z0-9]+", "-", factor.lower()).strip("-")


def camel(name: str) -> str:
    """What scripts call an attribute: `batchSize`."""
    return re.sub(r"[-_]([a-z])", lambda letter: letter[1].upper(), name)


def rst(text: str) -> str:
    """Plain text in reStructuredText that is a template itself, as the texts of Snakemake's reports are."""
    return _MARKUP.sub(lambda found: _ESCAPED.get(found[1], f"\\{found[1]}"), text)


def markdown(text: str) -> str:
    """Plain text in a cell of a table in Markdown: no HTML, no link, no emphasis, on one line."""
    return _MARKDOWN.sub(r"\\\g<0>", " ".join(text.split()))


def source(room: str, name: str) -> str:
    """The text of a file that lies beside the templates of a room."""
    return PackageLoader(f"bnbench.{room}").get_source(environment(room), name)[0]


def rendered(text: str, **facts: Any) -> str:
    """A template of plain text, on one line."""
    return " ".join(environment("wording").from_string(text).render(**facts).split())
