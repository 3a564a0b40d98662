"""What several tests need at hand."""

from functools import partial
from pathlib import Path

import pytest
import stores
import synthetic
from hypothesis import HealthCheck, settings
from matplotlib.figure import Figure

from bnbench import plot
from bnbench.judge import aa_control

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
def few_splits(monkeypatch):
    """Few splits of the A/A control, which otherwise takes most of the time of a comparison."""
    monkeypatch.setattr(aa_control, "SPLITS", 20)


@pytest.fixture
def compared(tmp_path, few_splits):
    """Compare a study on synthetic tables; returns its tables by name, and `verdicts.json`."""
    return partial(synthetic.compared, tmp_path)


class _Here:
    """A pool of this process alone, so that what is patched or warned of is seen."""

    def __init__(self, *_, initializer):
        initializer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    map = staticmethod(map)


@pytest.fixture
def vectors_alone(monkeypatch):
    """Figures drawn in this process and without pixels, which take a third of the time."""
    savefig = Figure.savefig

    def save(figure, path, **options):
        return savefig(figure, path, **options) if options["format"] == "svg" else path.touch()

    monkeypatch.setattr(Figure, "savefig", save)
    monkeypatch.setattr(plot, "ProcessPoolExecutor", _Here)


@pytest.fixture
def rebuilt(tmp_path, capsys, few_splits, vectors_alone):
    """Rebuild a study from the results in `tmp_path`; returns the exit status, what was said, and the page's text."""

    def run(study, verb="rebuild"):
        status = stores.run(tmp_path, study, verb)
        return status, capsys.readouterr(), stores.text_of(tmp_path / "reports" / study.name / "index.html")

    return run
