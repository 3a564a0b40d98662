"""Prose is plain English: no doc, docstring, comment, message or caption contains a banned phrase."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]

BANNED = (
    r"\bstands?\b(?! for\b)(?! in for\b)(?!-)",
    r"\bstood\b(?! for\b)",
    r"\bwhoever\b",
    r"\btold apart\b",
    r"\b(is|are) told\b",
    r"\bwhat is left\b",
    r"\bband holds equal losses\b",
    r"\bnone ever can\b",
    r"\b(is|are|was|were) taken for\b",
    r"\bof which none\b",
    r"\bsuch as have\b",
    r"\blist of such\b",
    r"× (higher|lower|as)\b",
    r"\bvariance left\b",
    r"\bcomes? along\b",
    r"\bcomes? to the same\b",
    r"\band no others\b",
    r"\bat the least\b",
    r"\b(of|at|every) so many\b",
    r"\bbut for\b",
    r"\b(is|are) known of\b",
    r"\bknows? no(thing)?\b",
    r"\b(is|are) no part\b",
    r"\b(is|are|be) said of\b",
    r"\bhanded over\b",
    r"\banew\b",
    r"\blikewise\b",
)
"""Patterns of phrases that are dialect, riddles or bad English; case does not matter."""

KEPT = "workflow/studies/conv_nets.py"
"""A change to a comment here would change the addresses of trained results."""

CLAIMS = ("so does layer norm, which knows no batch",)
"""Words of claims, which the records of finished studies hold."""

CODE = r"`[^`\n]*`|^```.*?^```$"
"""Code within Markdown is not prose."""

_FEWEST_SPACES = 2
"""A string with fewer is a name, not a message."""


def sources():
    """Every file with prose, by its path in the project."""
    found = [PROJECT / "README.md", PROJECT / "config.yaml", PROJECT / "Snakefile", PROJECT / "Makefile"]
    found += sorted((PROJECT / "docs").glob("*.md"))
    for ending in ("py", "smk", "yaml", "rst", "html"):
        found += sorted((PROJECT / "workflow").rglob(f"*.{ending}"))
    paths = {str(path.relative_to(PROJECT)): path for path in found}
    return {name: path for name, path in paths.items() if not name.startswith(KEPT)}


def prose(path):
    """The prose of a file: line number and text of each piece, on one line."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _of_python(text)
    elif path.suffix == ".md":
        yield 1, " ".join(re.sub(CODE, " ", text, flags=re.MULTILINE | re.DOTALL).split())
    else:
        yield 1, " ".join(text.split())


def _of_python(text):
    """Docstrings, messages and comments; neighbouring lines of comments are one piece."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            said = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        else:
            continue
        if said.count(" ") >= _FEWEST_SPACES:
            yield node.lineno, " ".join(re.sub(r"`[^`]*`", " ", said).split())
    comments = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0]] = token.string.lstrip("# ")
    block = []
    for line, comment in sorted(comments.items()):
        if block and line != block[-1][0] + 1:
            yield block[0][0], " ".join(said for _, said in block)
            block = []
        block.append((line, comment))
    if block:
        yield block[0][0], " ".join(said for _, said in block)


def offences(pieces):
    """What is banned in them: line of the piece and the words around the phrase."""
    for line, text in pieces:
        said = text
        for claim in CLAIMS:
            said = said.replace(claim, "")
        for pattern in BANNED:
            for found in re.finditer(pattern, said, re.IGNORECASE):
                start, end = max(0, found.start() - 40), found.end() + 40
                yield f"line {line}: …{said[start:end]}…"


@pytest.mark.parametrize("name", sources())
def test_no_text_contains_a_banned_phrase(name):
    assert not [*offences(prose(PROJECT / name))]


@pytest.mark.parametrize(
    "text",
    [
        '"""Who cares: 4.3 × higher."""',
        'raise ValueError(f"{name} is taken for a number")',
        "# what is left\n# of it",
        "x = 1  # two that are told apart",
    ],
)
def test_a_phrase_is_found_in_docstrings_messages_and_comments(text):
    assert [*offences(_of_python(text))]


def test_code_and_names_are_not_prose():
    assert not [*offences(_of_python('"""`told apart` and told_apart."""\nx = "stands"'))]


def test_the_file_that_is_left_out_exists():
    assert (PROJECT / KEPT).exists()
