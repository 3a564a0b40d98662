"""docs/extending.md, whose examples the tests really add."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "docs" / "extending.md"


def examples():
    """The classes that the guide shows, by the heading that they stand under."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"^## An? (\w+)$.*?^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return dict(found)


def class_of(example):
    """The name of the class that an example shows."""
    return re.search(r"^class (\w+)", example, re.MULTILINE)[1]
