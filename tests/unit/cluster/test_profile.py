"""A workflow profile is read with the lines of its keys, in all forms that Snakemake takes, or is one message."""

from pathlib import Path

import pytest

from bnbench.cluster import profile
from bnbench.errors import UserError
from bnbench.vocabulary import PACKAGE

OURS = PACKAGE.parents[1] / "workflow" / "profiles" / "slurm"

TEXT = """\
# a comment
executor: slurm

default-resources:
  slurm_partition: cpu
  slurm_account: 1234
set-resources:
  train_cuda:
    gpu: 0
    gres: gpu:a100:1
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A function that writes a profile and reads it."""
    monkeypatch.chdir(tmp_path)

    def write(text, name="site/config.yaml"):
        path = Path(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return profile.read(path.parent)

    return write


def test_every_key_has_its_value_and_its_line(written):
    read = written(TEXT)
    assert read.get("executor") == "slurm"
    assert read.where("executor") == "site/config.yaml, line 2"
    assert read.where("set-resources", "train_cuda", "gres") == "site/config.yaml, line 10"
    assert read.where("set-resources", "train", "gres") == "site/config.yaml, line 7"
    assert read.where("retries") == "site/config.yaml"


def test_a_rule_requests_what_is_set_for_it_and_else_the_default(written):
    read = written(TEXT)
    assert read.resource("train_cuda", "gres") == profile.Found("gpu:a100:1", "site/config.yaml, line 10")
    assert read.resource("train_cuda", "slurm_partition") == profile.Found("cpu", "site/config.yaml, line 5")
    assert read.resource("train", "slurm_account") == profile.Found(1234, "site/config.yaml, line 6")
    assert read.resource("train_cuda", "qos") == profile.Found(None, "site/config.yaml, line 8")


def test_lists_say_the_same_as_mappings(written):
    lists = ["default-resources:", "  - slurm_partition=cpu"]
    lists += ["set-resources:", "  - train_cuda:gres=gpu:a100:1", "  - train:runtime=60"]
    read = written("\n".join(lists))
    assert read.resource("train_cuda", "gres") == profile.Found("gpu:a100:1", "site/config.yaml, line 4")
    assert read.resource("train", "runtime") == profile.Found(60, "site/config.yaml, line 5")
    assert read.resource("train", "slurm_partition") == profile.Found("cpu", "site/config.yaml, line 2")


def test_the_file_of_a_profile_is_found_as_snakemake_finds_it(written, tmp_path):
    written("executor: slurm", "site/config.yaml")
    assert profile.found(Path("site")) == Path("site/config.yaml")
    assert profile.found(Path("site/config.yaml")) == Path("site/config.yaml")
    written("executor: slurm", "site/config.v9+.yaml")
    assert profile.found(Path("site")) == Path("site/config.v9+.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "site/config.yaml, line 1: broken YAML"),
        ("- a", "site/config.yaml: found no mapping of keys to values"),
        ("", "site/config.yaml: found no mapping of keys to values"),
    ],
)
def test_what_is_no_profile_ends_in_one_message(written, text, said):
    with pytest.raises(UserError, match=said):
        written(text)


def test_a_folder_without_a_profile_ends_in_one_message(tmp_path):
    with pytest.raises(UserError, match=r"found no profile, allowed: a folder with a config\.yaml"):
        profile.read(tmp_path)


def test_the_projects_own_profile_is_read():
    read = profile.read(OURS)
    assert read.get("executor") == "slurm"
    line = int(read.resource("train_cuda", "slurm_partition").where.rpartition(" ")[2])
    assert read.path.read_text().splitlines()[line - 1].strip().startswith("slurm_partition: gpu")
