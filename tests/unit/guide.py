"""docs/extending.md and docs/networks.md, whose examples the tests really use."""

import re
from pathlib import Path

import yaml

DOCS = Path(__file__).parents[2] / "docs"
README, GUIDE, NETWORKS = DOCS.parent / "README.md", DOCS / "extending.md", DOCS / "networks.md"


def examples():
    """The classes for the catalogue that the guide shows, by the heading that they stand under."""
    text = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"^### An? (\w+)$.*?^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return dict(found)


def own_files(page=GUIDE):
    """The files of one's own that a page shows, in order: name, text, and the config below that names it."""
    found = re.findall(
        r"^```python\n# (\w+\.py)\n(.*?)^```$.*?^```yaml\n(.*?)^```$",
        page.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )
    return [(name, source, yaml.safe_load(study)) for name, source, study in found]


def class_of(example):
    """The name of the class that an example shows."""
    return re.search(r"^class (\w+)", example, re.MULTILINE)[1]
