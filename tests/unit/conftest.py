"""What several tests need at hand."""

import os
from functools import partial
from pathlib import Path

import pytest
import stores
import synthetic
import torch
from hypothesis import HealthCheck, settings
from prose import Prose

from bnbench import compare, plot

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # Triton reads it when it is imported, whoever does that

settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the folder that the test then stands in, and give its name."""
    monkeypatch.chdir(tmp_path)

    def written(content, name="wrong.yaml"):
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return name

    return written


@pytest.fixture
def prose(snapshot):
    """What a text must equal: the one of this test, and of this name where it has several, in `__snapshots__`."""
    return snapshot.use_extension(Prose)


@pytest.fixture
def compared(tmp_path):
    """Compare a study on synthetic tables; returns its tables by name, and `verdicts.json`."""
    return partial(synthetic.compared, tmp_path)


@pytest.fixture
def rebuilt(tmp_path, capsys, monkeypatch):
    """Rebuild a study from the results in `tmp_path`; returns the exit status, what was said, and the page's text.

    By the command line, which has no options for what only takes time here: splits, pixels and processes.
    """
    monkeypatch.setattr(compare, "run", partial(compare.run, splits=synthetic.SPLITS))
    monkeypatch.setattr(plot, "run", partial(plot.run, formats=["svg"], processes=1))

    def run(study, verb="rebuild"):
        status = stores.run(tmp_path, study, verb)
        return status, capsys.readouterr(), stores.text_of(tmp_path / "reports" / study.name / "index.html")

    return run
