"""Whole runs: what is planned, what is made, and what else Snakemake's command line can do."""

import json
import re

import pandas as pd
import pytest
import yaml

from bnbench.store import schemas
from checkouts import PROJECT

STEPS = {"collect": 1, "compare": 1, "plot": 1, "report": 1}
FIGURES = (
    "forest",
    "heatmap",
    "interactions",
    "batch_sizes",
    "curves",
    "differences",
    "pairs",
    "decomposition",
    "modes",
    "fit",
)
TABLES = tuple(schemas.TABLES)


def test_a_bare_dry_run_schedules_the_default_study_and_says_so_in_one_line(checkout):
    run = checkout.snakemake("-n", configfile=None)
    assert checkout.jobs(run) == {"train": 8, **STEPS}
    assert run.stderr.splitlines() == [
        "default: 2 norms × 2 batch sizes × 2 optimizers × 20 seeds = 160 trials in 8 jobs, 8 to run"
    ]
    assert not checkout.results.exists()


def test_a_run_makes_every_file_and_ends_with_the_answer(finished_once):
    settings = [folder.name for folder in (finished_once.results / "losses").iterdir()]
    assert len(settings) == 4
    chunks = [f"{setting}/seeds-{seeds}" for setting in settings for seeds in ("0-1", "2-3")]
    made = [
        *(f"results/{kind}/{chunk}.parquet" for kind in ("losses", "trials", "predictions") for chunk in chunks),
        *(f"logs/train/{chunk}.log" for chunk in chunks),
        *(f"logs/tiny/{step}.log" for step in STEPS),
        *(f"reports/tiny/data/{name}.parquet" for name in ("trials", "curves", "predictions")),
        *(f"reports/tiny/tables/{name}.csv" for name in TABLES),
        *(f"reports/tiny/figures/{name}.{kind}" for name in FIGURES for kind in ("svg", "png")),
        "reports/tiny/data/preregistration.json",
        "reports/tiny/verdicts.json",
        "reports/tiny/index.html",
        "reports/tiny/landing.rst",
        "reports/tiny/data/newest.json",
        "reports/index.html",
    ]
    assert [file for file in made if not (finished_once.folder / file).stat().st_size] == []
    records = [[*(finished_once.results / "preregistration" / setting).iterdir()] for setting in settings]
    assert [len(of_setting) for of_setting in records] == [1] * 4
    run = finished_once.first_run
    assert run.stderr.startswith("tiny: 2 norms × 2 batch sizes × 4 seeds = 16 trials in 8 jobs, 8 to run\n")
    answer = json.loads((finished_once.report / "verdicts.json").read_text())["sentence"]
    assert re.fullmatch(r".*\bBN .*in .* 2 contexts\b.*\.", answer)
    assert f"\nreports/tiny/index.html\n{answer}\n" in run.stderr
    log = (finished_once.folder / f"logs/train/{chunks[0]}.log").read_text()
    assert re.fullmatch(rf"{settings[0]}: trained seeds 0 to 1 for 6 epochs in .+ s \(.+\); 0 diverged\n", log)


def test_all_results_of_a_kind_are_read_by_one_call_of_pandas(finished_once):
    rows = {"losses": 16 * 6, "trials": 16, "predictions": 16 * 250}
    for kind, count in rows.items():
        table = pd.read_parquet(finished_once.results / kind)
        assert len(table) == count
        assert sorted(table["seed"].unique()) == [0, 1, 2, 3]


def test_a_checkout_runs_its_own_code_where_another_one_is_installed(new_checkout):
    checkout = new_checkout(seeds=1, norm=["none", "batch"], batch_size=["full"])
    version = re.search(r'__version__ = ".+"', (checkout.folder / "workflow/bnbench/__init__.py").read_text())[0]
    checkout.edit("workflow/bnbench/__init__.py", version, '__version__ = "its own"')
    run = checkout.snakemake("--until", "train", PYTHONPATH=str(PROJECT / "workflow"))
    assert run.returncode == 0, run.stderr
    assert set(pd.read_parquet(checkout.results / "trials")["bnbench"]) == {"its own"}


def test_jobs_import_what_only_the_users_pythonpath_finds(new_checkout, tmp_path):
    checkout = new_checkout(seeds=1, batch_size=["full"])
    (tmp_path / "found_by_path.py").write_text("print('found by PYTHONPATH')")
    checkout.edit("workflow/rules/train.smk", '"python -m', '"python -m found_by_path && python -m')
    run = checkout.snakemake("--until", "train", PYTHONPATH=str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("found by PYTHONPATH") == 2


@pytest.mark.parametrize("share", [1, 2])
def test_a_workstation_runs_as_many_jobs_on_cuda_at_once_as_its_gpu_has_shares(new_checkout, share):
    checkout = new_checkout(seeds=1, batch_size=["full"], device=["cuda"])
    path = checkout.folder / "workflow/profiles/workstation-gpu/config.yaml"
    profile = yaml.safe_load(path.read_text())
    assert profile["resources"]["gpu"] == profile["set-resources"]["train_cuda"]["gpu_share"] == 1
    profile["resources"]["gpu"] = profile["set-resources"]["train_cuda"]["gpu_share"] = share
    path.write_text(yaml.safe_dump(profile))
    counted = "mkdir at-work-$$ && sleep 2 && ls -d at-work-* | wc -l >>counts && rmdir at-work-$$ && "
    checkout.edit("workflow/rules/train.smk", '"python -m', f'"{counted}python -m')
    workstation = ["--workflow-profile", "workflow/profiles/workstation-gpu", "--until", "train_cuda", "-p"]
    run = checkout.snakemake(*workstation, BNBENCH_TEST_CUDA_ON_CPU="1")
    assert run.returncode == 0, run.stderr
    assert max((checkout.folder / "counts").read_text().split()) == str(share)
    assert (run.stdout + run.stderr).count(f" --gpu-share {share} ") == 2
    assert len(checkout.chunks()) == 2
    assert checkout.planned("--until", "train_cuda") == {}  # with a GPU for each


def test_nothing_is_left_to_do_after_a_run(finished_once):
    assert finished_once.planned() == {}


def test_the_index_lists_the_study_and_is_no_output_that_a_run_would_make_or_miss(finished):
    index = finished.folder / "reports" / "index.html"
    text = index.read_text(encoding="utf-8")
    assert '<a href="tiny/index.html">tiny</a>' in text
    assert "That is not known here" not in text
    index.unlink()
    assert finished.planned() == {}
    assert finished.bnbench("index").stdout == "reports/index.html\n1 study\n"
    assert index.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("arguments", "said", "trained"),
    [
        (["--config", "seeds=6", "epochs=3"], "6 seeds = 24 trials in 12 jobs, 12 to run", {"train": 12}),
        (["--config", "batch_size=[full,50,10]", "report={margin: 1.1}"], "3 batch sizes", {"train": 12}),
        (
            ["--config", "device=[cpu,cuda]"],
            "2 devices × 4 seeds = 32 trials in 12 jobs",
            {"train": 8, "train_cuda": 4},
        ),
        (["--configfile", "workflow/studies/question.yaml"], "question: 2 norms × 30 seeds", {"train": 2}),
    ],
)
def test_the_study_is_changed_on_the_command_line(checkout, arguments, said, trained):
    run = checkout.snakemake("-n", *arguments, configfile=None if "--configfile" in arguments else "tiny.yaml")
    jobs = checkout.jobs(run)
    assert {rule: jobs[rule] for rule in jobs if rule.startswith("train")} == trained
    assert said in run.stderr


def test_a_dry_run_warns_of_seeds_that_can_never_decide(checkout):
    run = checkout.snakemake("-n", "--config", "seeds=3")
    assert run.returncode == 0, run.stderr
    assert run.stderr.splitlines()[1:] == [
        "warning: 3 seeds can never show a difference in any of 2 contexts at alpha 0.05: the smallest p that 3 seeds "
        "allow, 2/2^3, is 0.25; 6 seeds can"
    ]


def test_snakemakes_own_report_holds_the_figures_and_tables(finished):
    page = finished.report / "snakemake.html"
    run = finished.snakemake("--report", page.relative_to(finished.folder))
    assert run.returncode == 0, run.stderr
    assert "Missing metadata" not in run.stderr
    text = page.read_text()
    for name in [*(f"{figure}.svg" for figure in FIGURES), *(f"{table}.csv" for table in TABLES), "index.html"]:
        assert f'"name": "{name}"' in text


def test_cuda_where_there_is_none_fails_in_the_job_with_one_message_that_names_the_setting(checkout):
    run = checkout.snakemake("--config", "device=[cuda]", "--cores", "1", CUDA_VISIBLE_DEVICES="")
    assert run.returncode != 0
    said = [line for line in run.stderr.splitlines() if "finds no CUDA device" in line]
    assert len(said) == 1
    assert re.match(r"sine-\S+-cuda-[0-9a-f]{8}: the setting asks for device 'cuda'", said[0])
    assert "Traceback" not in run.stdout + run.stderr
    assert checkout.chunks() == {}
