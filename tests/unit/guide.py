"""docs/extending.md, whose examples the tests really add."""

import re
from pathlib import Path

import yaml

GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"


def examples():
    """The classes for the catalogue that the guide shows, by the heading that they stand under."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"^### An? (\w+)$.*?^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return dict(found)


def own_files():
    """The files of one's own that the guide shows: what each is of → its name, its text, a config that names it."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(
        r"^### An? (\w+) of your own$.*?^```python\n# (\S+)\n(.*?)^```$.*?^```yaml\n(.*?)^```$",
        text,
        re.DOTALL | re.MULTILINE,
    )
    return {kind: (name, source, yaml.safe_load(study)) for kind, name, source, study in found}


def class_of(example):
    """The name of the class that an example shows."""
    return re.search(r"^class (\w+)", example, re.MULTILINE)[1]
