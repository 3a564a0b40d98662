"""Bad input by way of Snakemake: a line a mistake says where, what was found and what is allowed; nothing is lost."""

import pytest

# What else can be wrong is in tests/unit/plan; here it is that Snakemake passes on what is said.
CONFIGS = {
    "an unknown key": ("sedes: 4", "unknown key 'sedes' (did you mean 'seeds'?); allowed: study, task,"),
    "a size over the data": ("batch_size: [101]", "batch_size[0]: found 101, allowed: at most the 100 training points"),
    "a missing data file": ("task: {name: table, path: a.csv, target: y}", "a.csv: cannot read the data file"),
}


def assert_refused(run, message):
    """Snakemake ended with `message` alone, and without a traceback."""
    assert run.returncode != 0
    assert run.stderr.count(message) == 1
    assert len(run.stderr.splitlines()) == 1
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize(("text", "message"), CONFIGS.values(), ids=CONFIGS)
def test_a_wrong_config_is_refused_before_anything_runs(checkout, text, message):
    (checkout.folder / "config.yaml").write_text(f"study: wrong\n{text}\n")
    assert_refused(checkout.snakemake("-n", configfile=None), message)
    assert not checkout.results.exists()


ONE_OF_EACH_KIND = {
    "an unknown key": ("sedes: 4", ": unknown key 'sedes' (did you mean 'seeds'?); allowed: study, task,"),
    "a wrong type": ("seeds: many", ": seeds: found 'many' (text), allowed: a whole number"),
    "a wrong value": ("report: {alpha: 1.0e-12}", ": report.alpha: found 1e-12, allowed: a number at least 1e-05"),
    "a wrong name": ("norm: [none, btch]", ": norm[1]: found 'btch' (text) (did you mean 'batch'?), allowed: one of"),
    "two keys alike": ("seeds: 4\nseeds: 5", ", line 3, column 1: broken YAML (the key 'seeds' occurs twice)"),
    "another reading": (
        "epochs: 012",
        ", line 2, column 9: found 012, which YAML 1.1 takes for 10 and YAML 1.2 for 12",
    ),
    "a truth value in words": ("norm: [none, {name: batch, affine: yes}]", ", line 2, column 36: found yes, which"),
    "no value of its tag": ("epochs: !!bool maybe", ", line 2, column 9: broken YAML ('maybe' is no bool)"),
    "half of a pair": (
        'claims: [{words: "\\ud800", source: s, predicts: helps}]',
        ": claims[0].words: found U+D800 as character 1 of '\\ud800', allowed: visible characters",
    ),
    "a turned direction": (
        'claims: [{words: "a\\u202eb", source: s, predicts: helps}]',
        ": claims[0].words: found U+202E (right-to-left override) as character 2 of 'a\\u202eb', allowed",
    ),
    "too many settings": (
        f"optimizer: {{name: adam, lr: [{', '.join(map(str, range(1, 1001)))}]}}",
        ": found 4,000 settings (2 of norm × 2 of batch_size × 1,000 of optimizer), allowed: at most 2,000",
    ),
    "aliases": (
        "metrics:\n- &a0 [5]\n" + "".join(f"- &a{n + 1} [{f'*a{n}, ' * 9}]\n" for n in range(12)),
        ": found more than 10,000 values (an alias counts as all that it stands for), allowed: at most 10,000",
    ),
    "too long": ("# " + "x" * 300_000, ": found a config file of more than 256 KiB, allowed: at most 256 KiB"),
}
"""What is wrong → the config, and how its line goes on after the file's name; all others are in tests/unit/plan."""


@pytest.mark.parametrize(("text", "message"), ONE_OF_EACH_KIND.values(), ids=ONE_OF_EACH_KIND)
def test_one_mistake_of_each_kind_gets_the_same_line_from_snakemake_and_from_bnbench(checkout, text, message):
    (checkout.folder / "config.yaml").write_text(f"study: wrong\n{text}\n", encoding="utf-8")
    before = {path.name for path in checkout.folder.iterdir()}
    by_snakemake, by_bnbench = checkout.snakemake("-n", configfile=None), checkout.bnbench("run")
    for run in (by_snakemake, by_bnbench):
        assert_refused(run, f"config.yaml{message}")
    assert by_bnbench.returncode == 2
    assert by_bnbench.stderr == by_snakemake.stderr
    assert {path.name for path in checkout.folder.iterdir()} - before <= {".snakemake"}


def test_several_mistakes_are_told_at_once(checkout):
    (checkout.folder / "config.yaml").write_text("study: wrong\nsedes: 4\nepochs: 0\nnorm: [none, btch]\n")
    run, check = checkout.snakemake("-n", configfile=None), checkout.bnbench("check")
    for said in (run.stderr, check.stderr):
        assert [line.partition(" (did")[0].partition(",")[0] for line in said.splitlines()] == [
            "config.yaml: unknown key 'sedes'",
            "config.yaml: epochs: found 0",
            "config.yaml: norm[1]: found 'btch' (text)",
        ]
    assert check.returncode == 2
    assert run.returncode != 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("study: wrong\nnorm: [none, batch\nseeds: 4\n", "config.yaml, line 3, column 6: broken YAML ("),
        (None, "config.yaml: cannot read the config file (No such file or directory)"),
    ],
    ids=["broken YAML", "missing"],
)
def test_a_file_that_is_no_config_is_refused_too(checkout, text, message):
    config = checkout.folder / "config.yaml"
    config.unlink()
    if text is not None:
        config.write_text(text)
    run = checkout.snakemake(configfile=None)
    assert run.returncode != 0
    assert run.stderr.startswith(message)
    assert len(run.stderr.splitlines()) == 1
    assert not checkout.results.exists()


def test_a_wrong_value_on_the_command_line_is_refused_as_such(checkout):
    run = checkout.snakemake("-n", "--config", "batch_size=[full, 1000]")
    assert_refused(run, "tiny.yaml + --config: batch_size[1]: found 1000, allowed: at most the 100 training points")


def test_a_config_file_that_is_named_and_broken_stops_snakemake_and_the_check_says_where(checkout):
    # Snakemake itself reads the files of --configfile, before the Snakefile.
    (checkout.folder / "tiny.yaml").write_text("study: wrong\nnorm: [none, batch\nseeds: 4\n")
    run = checkout.snakemake()
    assert run.returncode != 0
    assert "Config file is not valid JSON or YAML" in run.stderr
    said = checkout.bnbench("check", "--configfile", "tiny.yaml")
    assert said.returncode == 2
    assert said.stderr.startswith("tiny.yaml, line 3, column 6: broken YAML (")
    assert not checkout.results.exists()


def test_an_unknown_target_is_refused_by_name(checkout):
    run = checkout.snakemake("reports/tiny/index.htm")
    assert run.returncode != 0
    assert "No rule to produce reports/tiny/index.htm" in run.stderr
    assert not checkout.results.exists()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file, other: file.write_bytes(file.read_bytes()[:-100]), "not a readable table ("),
        (lambda file, other: file.write_bytes(other.read_bytes()), "holds other trials than its name says"),
    ],
    ids=["truncated", "foreign"],
)
def test_a_spoilt_file_is_named_nothing_is_lost_and_the_run_goes_on_without_it(finished, spoil, said):
    file, other = (
        next((finished.results / "losses").glob(f"{arm}/seeds-2-3.parquet")) for arm in ("*none-full*", "*batch-full*")
    )
    spoil(file, other)
    chunks, page = finished.chunks(), finished.contents("index.html")
    run = finished.snakemake()
    assert run.returncode != 0
    lines = [line for line in run.stderr.splitlines() if said in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{file.relative_to(finished.folder)}: {said}")
    assert lines[0].endswith("delete it and run the workflow again")
    assert "Traceback" not in run.stdout + run.stderr
    assert finished.chunks() == chunks
    assert finished.contents("index.html") == page
    file.unlink()
    assert finished.planned() == {"train": 1, "collect": 1, "compare": 1, "plot": 1, "report": 1}
