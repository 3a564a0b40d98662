"""Cached results: what is trained and made again after a change, and what is not."""

import os
import shutil

import pandas as pd
import pytest

from bnbench.plan.settings import NUMERICS
from bnbench.store import tables
from checkouts import without

REPORT = {"compare": 1, "plot": 1, "report": 1}
ALL_BUT_TRAINING = {"collect": 1, **REPORT}
MADE = ("index.html", "verdicts.json", "tables/*.csv", "figures/*")


@pytest.mark.parametrize("options", ["{margin: 1.2}", "{outcome: eval_loss, baseline: batch}"])
def test_a_report_option_changes_the_report_alone(finished_once, options):
    assert finished_once.planned("--config", f"report={options}") == REPORT


def test_a_changed_option_reaches_the_verdicts_and_the_way_back_is_open(finished):
    chunks = finished.chunks()
    finished.run("--config", "report={margin: 1.25}", "--until", "compare")
    verdicts = tables.read_json(finished.report / "verdicts.json")
    assert verdicts["options"]["margin"] == 1.25
    said = "The margin was 1.05 when training began, and was changed to 1.25 after all 4 seeds were trained."
    assert verdicts["preregistration"]["sentence"] == said
    assert finished.chunks() == chunks
    assert finished.planned() == REPORT


@pytest.mark.parametrize(
    ("change", "trained"),
    [
        ("seeds={first: 2, count: 4}", 4),
        ("batch_size=[full, 25, 10]", 4),
        ("epochs=7", 8),
    ],
)
def test_one_more_seed_or_level_trains_its_own_chunks_alone(finished_once, change, trained):
    assert finished_once.planned("--config", change) == {"train": trained, **ALL_BUT_TRAINING}


@pytest.mark.parametrize("change", ["seeds=2", "batch_size=[25, full]"])
def test_a_part_of_what_was_trained_trains_nothing(finished_once, change):
    assert finished_once.planned("--config", change) == ALL_BUT_TRAINING


def test_how_many_threads_a_job_has_trains_nothing(finished_once):
    assert finished_once.planned("--config", "threads=2") == REPORT


def test_another_chunk_size_makes_other_files_of_the_rows_that_are_there(finished):
    chunks, tables_before = finished.chunks(), finished.contents("tables/*.csv")
    run = finished.run("--config", "seeds_per_job={cpu: 4}", "--until", "compare")
    assert "16 trials in 4 jobs, 4 to run" in run.stderr
    assert run.stderr.count(": seeds 0 to 3, 4 of them from other chunks\n") == 4
    assert chunks.items() <= finished.chunks().items()
    assert finished.contents("tables/*.csv") == tables_before


def test_more_seeds_leave_finished_chunks_alone_and_the_way_back_trains_nothing(finished):
    chunks = finished.chunks()
    finished.run("--config", "seeds=5", "--until", "collect")
    assert chunks.items() <= finished.chunks().items()
    assert len(finished.chunks()) == len(chunks) + 4
    assert tables.read_parquet(finished.report / "data" / "trials.parquet").num_rows == 20
    assert finished.planned() == ALL_BUT_TRAINING


def test_results_that_were_copied_to_another_clone_train_nothing(finished_once, checkout):
    shutil.copytree(finished_once.results, checkout.results, copy_function=shutil.copyfile)
    assert checkout.planned() == ALL_BUT_TRAINING


def test_a_report_that_lost_snakemakes_notes_still_follows_its_config(finished):
    shutil.rmtree(finished.folder / ".snakemake")
    assert finished.planned("--config", "report={margin: 1.2}") == REPORT
    assert finished.planned("--config", "seeds=2") == ALL_BUT_TRAINING


def test_comments_in_the_package_and_in_the_rules_train_nothing(finished):
    finished.edit("workflow/bnbench/train.py", "import torch\n", "import torch  # a comment\n")
    finished.edit(
        "workflow/bnbench/plan/settings.py", f"NUMERICS = {NUMERICS}\n", f"NUMERICS = {NUMERICS}  # a comment\n"
    )
    finished.edit("workflow/rules/train.smk", "    shell:\n", "    # a comment\n    shell:\n")
    finished.edit("Snakefile", "rule all:\n", "# a comment\nrule all:\n")
    assert finished.planned() == {}


def test_raised_numerics_train_everything_and_make_the_report_anew_whatever_snakemake_noted(finished):
    finished.edit("workflow/bnbench/plan/settings.py", f"NUMERICS = {NUMERICS}\n", f"NUMERICS = {NUMERICS + 1}\n")
    assert finished.planned() == {"train": 8, **ALL_BUT_TRAINING}
    shutil.rmtree(finished.folder / ".snakemake")
    assert finished.planned() == {"train": 8, **ALL_BUT_TRAINING}


def test_a_data_file_under_another_name_trains_nothing_and_other_data_train_everything(checkout):
    rows = pd.DataFrame({"x": range(40), "y": [x * x / 100 for x in range(40)]})
    rows.to_csv(checkout.folder / "old.csv", index=False)
    table = {"name": "table", "path": "old.csv", "target": "y"}
    checkout.study(task=table, batch_size=["full"], seeds=2)
    checkout.run("--until", "train")
    assert len(checkout.chunks()) == 2
    (checkout.folder / "old.csv").rename(checkout.folder / "new.csv")
    checkout.study(task={**table, "path": "new.csv"}, batch_size=["full"], seeds=2)
    assert checkout.planned() == ALL_BUT_TRAINING
    rows.assign(y=1.5 * rows["y"] + 1).to_csv(checkout.folder / "new.csv", index=False)
    assert checkout.planned() == {"train": 2, **ALL_BUT_TRAINING}


@pytest.fixture
def without_torch(tmp_path):
    """A value of PYTHONPATH under which neither torch nor Snakemake can be imported."""
    return without(tmp_path, "torch", "snakemake", "statsmodels")


def test_rebuild_gives_the_same_bytes_without_torch_and_snakemake(finished, without_torch):
    before = finished.contents(*MADE)
    shutil.rmtree(finished.report)
    path = os.pathsep.join([without_torch, str(finished.folder / "workflow")])
    run = finished.bnbench("rebuild", "--configfile", "tiny.yaml", PYTHONPATH=path)
    assert run.returncode == 0, run.stderr
    answer = tables.read_json(finished.report / "verdicts.json")["sentence"]
    assert run.stdout == f"tiny: collected 16 trials from 8 chunks\nreports/tiny/index.html\n{answer}\n"
    assert finished.contents(*MADE) == before
    assert finished.planned() == {}


def test_rebuild_reports_what_is_there_and_snakemake_completes_it(finished):
    for kind in ("losses", "trials", "predictions"):
        next((finished.results / kind).glob("*none-full*/seeds-2-3.parquet")).unlink()
    run = finished.bnbench("rebuild", "--configfile", "tiny.yaml")
    assert run.returncode == 0, run.stderr
    assert "collected 14 trials from 7 chunks; 2 of 16 trials are not trained yet" in run.stdout
    assert finished.planned() == {"train": 1, **ALL_BUT_TRAINING}


def test_what_was_made_by_hand_with_other_options_is_not_taken_for_the_studys_report(finished):
    run = finished.bnbench("compare", "--configfile", "tiny.yaml", "--config", "report={margin: 1.2}")
    assert run.returncode == 0, run.stderr
    assert finished.planned() == REPORT
