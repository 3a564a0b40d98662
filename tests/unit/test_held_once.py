"""Image data of one's own, from a file to the page; and that a job holds their rows once, however many seeds it has."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import stores
import synthetic
import yaml
from array_files import SHAPES, halves, written

from bnbench import cli, compare, plot, train
from bnbench.plan import config
from bnbench.plan.chunks import Chunk

MEASURE = """\
import json, resource, sys
from pathlib import Path

from bnbench import cli, compare, plot, train
from bnbench.plan import config
from bnbench.plan.chunks import Chunk

study, seeds, folder = json.loads(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
setting = config.load(study, "study").settings[-1]
print(train.run(Chunk(setting, 0, seeds), folder, 1), file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
"""Trains so many seeds of a study's last setting, and says the most memory that it took, in KiB."""


def peak(study, seeds, folder):
    """The most memory of a job of so many seeds, in MiB."""
    command = [sys.executable, "-c", MEASURE, json.dumps(study), str(seeds), str(folder / f"{seeds}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / 1024


@pytest.mark.parametrize("compressed", [False, True])
def test_a_job_of_four_seeds_takes_the_memory_of_one_copy_of_the_rows(tmp_path, compressed):
    x = np.random.default_rng(0).integers(0, 256, (20_000, 28, 28), dtype=np.uint8)
    y = np.arange(20_000) % 10
    arrays = {"x_train": x, "y_train": y, "x_test": x[:100], "y_test": y[:100]}
    study = {
        "study": "memory",
        "task": {"name": "arrays", "path": written(tmp_path / "a.npz", arrays, compressed=compressed)},
        "hidden": [8],
        "batch_size": 500,
        "epochs": 1,
        "evaluate_every": 1,
    }
    one, four = (peak(study, seeds, tmp_path) for seeds in (1, 4))
    copy = x.nbytes / 2**20
    assert four - one < copy / 2, f"one seed: {one:.0f} MiB, four: {four:.0f} MiB, rows: {copy:.0f} MiB"


@pytest.mark.parametrize("name", SHAPES)
def test_images_of_a_file_become_a_page(tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    path = written(tmp_path / "images.npz", halves(120, 60, SHAPES[name], brighter=25))
    study = {
        "study": "images",
        "task": {"name": "arrays", "path": path},
        "network": {"name": "cnn", "channels": [4, 4]},
        "batch_size": 20,
        "optimizer": {"name": "adam", "lr": 0.01},
        "epochs": 4,
        "evaluate_every": 4,
        "seeds": 6,
    }
    loaded = config.load(study, "study")
    for setting in loaded.settings:
        assert "trained seeds 0 to 5 for 4 epochs" in train.run(Chunk(setting, 0, 6), tmp_path / "results", 1)
    trials = pd.read_parquet(tmp_path / "results" / "trials")
    assert (trials.groupby("norm")["test_accuracy"].mean() > 0.3).all()  # by chance it were 0.25
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    monkeypatch.setattr(compare, "run", partial(compare.run, splits=synthetic.SPLITS))
    monkeypatch.setattr(plot, "run", partial(plot.run, formats=["svg"], processes=1))
    assert cli.main(["rebuild", "--configfile", "study.yaml"]) == 0
    assert "With Adam at batch 20, " in capsys.readouterr().out
    page = stores.text_of(tmp_path / "reports" / "images" / "index.html")
    for told in ("classified correctly", "4 classes from 0 to 3", "bytes are divided by 255"):
        assert told in page
