"""Other workflows use this one as a module: it loads from where it lies, and leaves their files to them."""

import pandas as pd
import pytest
import yaml

from checkouts import TINY, Checkout

SNAKEFILES = {
    "its config is theirs": """
        configfile: "config.yaml"
        module bnbench:
            snakefile: "../bnbench/Snakefile"
            config: config
        use rule * from bnbench
    """,
    "its config is a part of theirs, and its rules have other names": """
        configfile: "config.yaml"
        module bnbench:
            snakefile: "../bnbench/Snakefile"
            config: config["norms"]
        use rule * from bnbench as norms_*
        rule all:
            default_target: True
            input: rules.norms_all.input, "theirs.txt"
        rule theirs:
            output: "theirs.txt"
            shell: "python -c 'import theirs' && touch {output}"
    """,
    "it reads config.yaml itself": """
        module bnbench:
            snakefile: "../bnbench/Snakefile"
        use rule * from bnbench
    """,
}
SMALL = {**TINY, "seeds": 2, "batch_size": ["full"]}
PLAN = "tiny: 2 norms × 2 seeds = 4 trials in 2 jobs, 2 to run\n"


@pytest.fixture
def guest(new_checkout):
    """A function that makes a folder beside a checkout, with a workflow that uses it."""
    folder = new_checkout().folder.parent / "theirs"
    folder.mkdir()

    def made(snakefile, config):
        (folder / "Snakefile").write_text(snakefile.replace("\n        ", "\n"))
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        return Checkout(folder)

    return made


def test_a_module_with_the_config_of_the_workflow_runs_to_its_page(guest):
    theirs = guest(SNAKEFILES["its config is theirs"], SMALL)
    run = theirs.snakemake("--config", "epochs=3", configfile=None)
    assert run.returncode == 0, run.stderr
    assert PLAN in run.stderr
    assert (theirs.report / "index.html").stat().st_size
    assert set(pd.read_parquet(theirs.results / "losses")["epoch"]) == {0, 1, 2}
    assert theirs.jobs(theirs.snakemake("-n", "--config", "epochs=3", configfile=None)) == {}


def test_a_module_with_a_part_of_a_config_and_other_names_is_planned_beside_their_rules(guest):
    theirs = guest(SNAKEFILES["its config is a part of theirs, and its rules have other names"], {"norms": SMALL})
    run = theirs.snakemake("-n", "--config", "theirs=5", configfile=None)
    names = {f"norms_{step}": 1 for step in ("collect", "compare", "plot", "report")}
    assert theirs.jobs(run) == {"norms_train": 2, **names, "theirs": 1}
    assert "localrules" not in run.stdout + run.stderr


def test_a_module_reads_config_yaml_where_nobody_hands_it_a_config(guest):
    run = guest(SNAKEFILES["it reads config.yaml itself"], SMALL).snakemake("-n", configfile=None)
    assert run.returncode == 0, run.stderr
    assert PLAN in run.stderr


def test_their_rules_still_find_what_their_pythonpath_names(guest):
    theirs = guest(SNAKEFILES["its config is a part of theirs, and its rules have other names"], {"norms": SMALL})
    packages = theirs.folder / "packages"
    packages.mkdir()
    (packages / "theirs.py").touch()
    run = theirs.snakemake("theirs.txt", configfile=None, PYTHONPATH=str(packages))
    assert run.returncode == 0, run.stderr


NET = """
from torch import nn

def net(norm, inputs, outputs):
    return nn.Sequential(nn.Linear(inputs[0], 4), norm(4), nn.Tanh(), nn.Linear(4, outputs))
"""


@pytest.fixture
def with_a_network(guest):
    """A function that makes a workflow whose config lies in a folder of its own, beside the user's network."""

    def made(snakefile, config):
        theirs = guest(snakefile.replace("config.yaml", "studies/config.yaml"), config)
        code = theirs.folder / "studies" / "code"
        code.mkdir(parents=True)
        (code / "nets.py").write_text(NET)
        (theirs.folder / "config.yaml").rename(theirs.folder / "studies" / "config.yaml")
        return theirs

    return made


OWN = {**SMALL, "network": {"name": "module", "path": "code/nets.py", "build": "net"}}


def test_a_network_of_the_users_is_found_beside_the_config_of_the_workflow(with_a_network):
    theirs = with_a_network(SNAKEFILES["its config is theirs"], OWN)
    run = theirs.snakemake("--until", "collect", configfile=None)
    assert run.returncode == 0, run.stderr
    assert {*pd.read_parquet(theirs.results / "trials")["network"]} == {"net"}


def test_a_network_of_the_users_is_found_where_the_config_is_a_part_of_theirs(with_a_network):
    theirs = with_a_network(
        SNAKEFILES["its config is a part of theirs, and its rules have other names"], {"norms": OWN}
    )
    assert theirs.jobs(theirs.snakemake("-n", configfile=None))["norms_train"] == 2


def test_what_snakemake_notes_of_their_unfinished_jobs_is_left_alone(guest):
    theirs = guest(SNAKEFILES["its config is theirs"], SMALL)
    note = theirs.folder / ".snakemake" / "incomplete" / "dGhlaXJzLnR4dA=="
    note.parent.mkdir(parents=True)
    note.touch()
    theirs.snakemake("-n", configfile=None)
    assert note.exists()
