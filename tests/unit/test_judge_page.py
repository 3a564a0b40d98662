"""docs/judge.md is true: every command on it works on a table as it describes, and every option stands there."""

import argparse
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from bnbench import cli
from bnbench.plan import config, configfile

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs" / "judge.md").read_text(encoding="utf-8")
README = (PROJECT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = sorted(
    {
        line
        for text in [*(block for _, block in BLOCKS), *re.findall(r"`(bnbench judge[^`]+)`", PAGE)]
        for line in text.splitlines()
        if line.startswith("bnbench judge ")
    }
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with results in every form that the page names, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    grid = [(norm, lr, seed, epoch) for norm in ("none", "batch") for lr in (0.01, 0.1) for seed in range(6)
            for epoch in range(3)]  # fmt: skip
    frame = pd.DataFrame(grid, columns=["norm", "lr", "seed", "epoch"])
    frame["val_loss"] = np.where(frame["norm"] == "batch", 0.5, 1.0) * random.lognormal(0, 0.1, len(frame))
    frame["val_acc"] = 1 - frame["val_loss"] / 3
    frame.to_csv("runs.csv", index=False)
    frame.to_parquet("runs.parquet")
    Path("runs.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in frame.to_dict("records")))
    lost = (frame["norm"] == "batch") & (frame["seed"] == 1) & (frame["epoch"] == 2)
    frame.assign(val_loss=frame["val_loss"].mask(lost)).to_csv("diverged.csv", index=False)
    scores = [(f"data {place}", method, random.uniform()) for place in range(7) for method in ("none", "forest")]
    pd.DataFrame(scores, columns=["dataset", "method", "accuracy"]).to_csv("datasets.csv", index=False)
    fast = frame[frame["lr"] == 0.1]
    chart = {f"{norm}-seed{seed} - val_loss": run["val_loss"].to_numpy() for (norm, seed), run in
             fast.groupby(["norm", "seed"])}  # fmt: skip
    spread = {f"{name}__{end}": values for name, values in chart.items() for end in ("MIN", "MAX")}
    pd.DataFrame({"Step": range(3), **chart, **spread}).to_csv("chart.csv", index=False)
    for (norm, lr, seed), run in frame.groupby(["norm", "lr", "seed"]):
        logged = run[["epoch", "val_loss"]]
        lightning(Path(f"lightning_logs/version_{norm}{lr}{seed}"), logged, {"norm": norm, "lr": lr, "seed": seed})
        keras = Path(f"logs/{norm}/lr{lr}/seed{seed}.csv")
        keras.parent.mkdir(parents=True, exist_ok=True)
        logged.to_csv(keras, index=False)
        tensorboard(Path(f"tb_logs/{norm}{lr}{seed}"), logged, {"norm": norm, "lr": lr, "seed": seed})
    return tmp_path


def lightning(folder, logged, hyperparameters):
    folder.mkdir(parents=True)
    logged.assign(step=logged["epoch"] * 10 + 9).to_csv(folder / "metrics.csv", index=False)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(hyperparameters))


def tensorboard(folder, logged, hyperparameters):
    folder.mkdir(parents=True)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(hyperparameters))
    writer = EventFileWriter(str(folder))
    for epoch, loss in logged.itertuples(index=False):
        plain = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="loss", simple_value=loss)])
        writer.add_event(event_pb2.Event(step=epoch, summary=plain))
    writer.close()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_reads_what_it_is_said_to_read(folder, command, capsys):
    _, *arguments = shlex.split(command)
    status = cli.main([*arguments, *(["--dry-run"] if "--dry-run" not in arguments else [])])
    said = capsys.readouterr()
    assert status == 0, said.err
    assert said.out.startswith("Table: ")
    assert "\nPairs: " in said.out


def test_the_page_and_the_readme_show_the_same_four_lines_to_a_report(folder, capsys):
    (lines,) = re.findall(r"^```\n(python3 -m venv.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert lines in PAGE
    *_, judge, opened = lines.splitlines()
    assert cli.main(shlex.split(judge)[1:]) == 0
    capsys.readouterr()
    assert (folder / opened.split()[1]).stat().st_size
    assert len(lines.splitlines()) == 4


def test_every_option_stands_on_the_page_and_no_other():
    parser = argparse.ArgumentParser()
    cli._add_judge(parser.add_subparsers())
    (verbs,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    options = {name for action in verbs.choices["judge"]._actions for name in action.option_strings}
    table = PAGE.partition("\n## Options\n")[2].partition("\n## ")[0]
    assert {*re.findall(r"^\| `(--[a-z-]+)", table, re.MULTILINE)} == options - {"-h", "--help"}


def test_the_python_of_the_page_runs(folder, capsys):
    (source,) = (block for language, block in BLOCKS if language == "python")
    exec(source, {})
    assert "BN helps in 2 of 2 contexts: val loss" in capsys.readouterr().out
    assert (folder / "answer.html").stat().st_size


def test_the_config_of_the_page_is_planned_with_its_claim(folder):
    (text,) = (block for language, block in BLOCKS if language == "yaml")
    Path("mine.yaml").write_text(text)
    study = config.load(configfile.located(configfile.read("mine.yaml"), [Path()]), "mine.yaml")
    assert [claim["where"] for claim in study.config["claims"]] == [{"lr": "0.1"}]
    assert study.report.margin == 1.02


def test_the_table_of_the_page_is_one(folder):
    (table,) = (block for _, block in BLOCKS if block.startswith("norm,lr,seed"))
    head, *rows = table.splitlines()
    assert {len(row.split(",")) for row in rows} == {len(head.split(","))}
    described = PAGE.partition("| column | how it is read |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", described, re.MULTILINE) == head.split(",")
