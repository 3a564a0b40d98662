"""What several tests need at hand."""

from functools import partial
from pathlib import Path

import pytest
import synthetic


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the folder that the test then stands in, and give its name."""
    monkeypatch.chdir(tmp_path)

    def written(content, name="wrong.yaml"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return written


@pytest.fixture
def compared(tmp_path):
    """Compare a study on synthetic tables; returns its tables by name, and `verdicts.json`."""
    return partial(synthetic.compared, tmp_path)
