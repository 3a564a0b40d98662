"""Results and reports can be shared: nothing in them says where on this machine a file lay, or under whose name."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bnbench import cli, train
from bnbench.plan import config, configfile, cost, portable, preregistration
from bnbench.plan.chunks import all_chunks
from bnbench.plan.settings import Setting
from bnbench.store import tables

USER = "annalovelace"
HERE = Path(__file__).parent
SMALL = {"epochs": 4, "evaluate_every": 2, "seeds": 3, "hidden": [4], "norm": ["none", "batch"], "optimizer": "sgd"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Somebody's home with data and code; the run starts elsewhere."""
    home = tmp_path / "home" / USER / "private"
    home.mkdir(parents=True)
    (tmp_path / "group").mkdir()
    monkeypatch.chdir(tmp_path / "group")
    draws = np.random.default_rng(0)
    x = draws.normal(size=(60, 2))
    rows = "\n".join(f"{a},{b},{a - b}" for a, b in x)
    (home / "data.csv").write_text(f"a,b,y\n{rows}\n")
    np.savez(home / "data.npz", x=x.astype(np.float32), y=(x[:, :1] > 0).astype(np.float32))
    shutil.copytree(HERE / "own", home / "own")
    return home


def own(build, **more):
    return lambda home, written: {"name": "module", "path": written(home / "own" / "nets.py"), "build": build, **more}


def table(home, written):
    return {"name": "table", "path": written(home / "data.csv"), "target": "y"}


def arrays(home, written):
    return {"name": "arrays", "path": written(home / "data.npz"), "test_fraction": 0.3}


CONFIGS = {
    "a table": {"task": table, "batch_size": 10},
    "a table, whose points are held out": {"task": table, "validation": 0.2},
    "arrays": {"task": arrays},
    "metrics and a network of the user's": {
        "task": table,
        "network": own("my_net"),
        "metrics": lambda home, written: [
            {"name": "module", "path": written(home / "own" / "scores.py"), "build": "my_score"}
        ],
    },
}
WAYS = {
    "absolute": str,
    "climbing": lambda path: f"../home/{USER}/{path.relative_to(Path.cwd().parent / 'home' / USER)}",
}


def named_in(folder):
    """The files in which the user is named, in their bytes or in what they hold."""
    found = []
    for path in (path for path in folder.rglob("*") if path.is_file()):
        said = path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path, partitioning=None)
            texts = [
                str(table.schema.metadata),
                *(str(table[name].unique().to_pylist()) for name in table.column_names),
            ]
            said += "".join(texts).encode()
        if USER.encode() in said or USER in str(path.relative_to(folder)):
            found.append(path)
    return found


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("changes", CONFIGS.values(), ids=CONFIGS)
def test_no_file_of_a_run_names_whose_data_it_used(home, capsys, changes, way):
    written = {key: value(home, way) if callable(value) else value for key, value in changes.items()}
    Path("study.yaml").write_text(yaml.safe_dump({"study": "shared", **SMALL, **written}))
    study = config.load(configfile.located(configfile.read("study.yaml"), [Path()]), "study.yaml")
    plan = preregistration.plan_of(study)
    for chunk in all_chunks(study, cost.seeds_per_job):
        train.run(chunk, Path("results"), 1, plan=plan)
    assert cli.main(["rebuild", "--configfile", "study.yaml"]) == 0
    assert cli.main(["claims", str(Path("study.yaml").resolve())]) == 0
    assert {path.name for path in Path("reports").iterdir()} == {"claims", "index.html", "shared"}
    assert len([*Path("results").rglob("*.parquet")]) >= 6
    assert named_in(Path.cwd()) == [*(Path.cwd() / each for each in ["study.yaml"])]
    for path in Path("results/trials").rglob("*.parquet"):
        assert Setting.from_spec(tables.footer(path)["setting"]).address == path.parent.name


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_no_file_of_a_comparison_names_whose_runs_they_are(home, way):
    shutil.copy(HERE / "own" / "runs.csv", home / "runs.csv")
    text = (home / "runs.csv").read_text()
    outcome = text.partition("\n")[0].split(",")[-1]
    assert cli.main(["judge", way(home / "runs.csv"), "--outcome", outcome]) == 0
    assert [*Path("reports").rglob("verdicts.json")]
    assert named_in(Path.cwd()) == []


@given(
    st.lists(st.sampled_from(["a", "b.csv", "..", ".", USER]), max_size=5), st.sampled_from(["", "/", "~", "../", "./"])
)
def test_a_path_says_nothing_of_what_lies_above_the_working_folder(parts, start):
    written = start + "/".join(parts)
    said = portable.path(written)
    assert not said.startswith(("/", "~", "../"))
    inside = not written.startswith(("/", "~")) and ".." not in Path(written).parts
    assert said == written if inside else "/" not in said
    assert portable.path(said) == said


def test_what_is_no_path_of_an_entry_stays_as_it_is():
    written = {"report": {"path": "/a"}, "task": {"name": "x", "path": "/home/b/c.csv", "deep": [{"path": "/d"}]}}
    found = portable.portable(written)
    assert found == {"report": {"path": "/a"}, "task": {"name": "x", "path": "c.csv", "deep": [{"path": "/d"}]}}
    assert json.dumps(written)  # untouched
    assert written["task"]["path"] == "/home/b/c.csv"
