"""A request that SLURM or the plugin would refuse is one message, which names the line of the profile to mend."""

import fake_slurm
import pytest

from bnbench.cluster import checks, partitions, profile
from bnbench.cluster.requests import Request

PROFILE = """\
executor: slurm
default-resources:
  slurm_partition: cpu
set-resources:
  train_cuda:
    slurm_partition: gpu
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return fake_slurm.installed(tmp_path / "slurm", monkeypatch)


@pytest.fixture
def said(slurm, tmp_path):
    """A function that says what is refused of a request on a GPU, by a profile with these resources more."""

    def check(rule="train_cuda", **resources):
        lines = "".join(f"    {name}: {value}\n" for name, value in resources.items())
        text = PROFILE if rule == "train_cuda" else f"{PROFILE}  {rule}:\n"
        (tmp_path / "config.yaml").write_text(text + lines)
        read = profile.read("config.yaml")
        ours = {"slurm_partition": "gpu", "gpu": 1} if rule == "train_cuda" else {"slurm_partition": "cpu"}
        request = Request(rule, 1, 1, {"runtime": 10, "mem_mb": 1000, **ours, **resources})
        return checks.refused(request, read, partitions.read())

    return check


@pytest.mark.parametrize(
    "resources",
    [
        {},
        {"gpu": 0, "gres": "gpu:1"},
        {"gpu": 0, "gres": "gpu:a100:1"},
        {"gpu": 0, "gres": "gpu:1g.10gb:1"},
        {"gpu_model": "a100"},
        {"gres": "lscratch:100"},
        {"gpu": 0, "slurm_extra": "--gpus-per-node=nvidia_a100-sxm4-40gb:1"},
        {"gpu": 0, "gres": "shard:1"},
        {"gpu": 0, "gres": "mps:25"},
        {"slurm_account": "lab"},
        {"mem_mb_per_cpu": 4000},
        {"slurm_partition": "cpu,gpu"},
    ],
)
def test_the_forms_of_the_documentation_are_accepted(said, resources):
    assert said(**resources) == ""


@pytest.mark.parametrize(
    ("resources", "line", "told"),
    [
        ({"slurm_partition": "gpuu"}, 7, "slurm_partition: found 'gpuu', allowed: cpu, gpu, old (did you mean 'gpu'?)"),
        (
            {"slurm_partition": "old"},
            7,
            "slurm_partition: partition old accepts no jobs now (its state is DRAIN",
        ),
        ({"slurm_partition": "cpu"}, 7, "slurm_partition: found 'cpu', which has no GPU; partitions with GPUs: gpu"),
        ({"gres": "gpu:1"}, 7, "gres: found 'gpu:1' beside gpu 1, which the rule train_cuda requests by default; "),
        ({"gres": "shard:1"}, 7, "gres: found 'shard:1' beside gpu 1"),
        ({"gpu": 0, "gres": "gpu:a10:1"}, 8, "gres: found a GPU of type 'a10', types in partition gpu: 1g.10gb, a100"),
        ({"gpu_model": "v100"}, 7, "gpu_model: found a GPU of type 'v100', types in partition gpu: 1g.10gb, a100"),
        ({"gpu": 0, "gpu_model": "a100"}, 8, "gpu_model: found 'a100' beside gpu 0, allowed: `gpu: 1`"),
        (
            {"gpu": 0, "gpu_model": "a100", "gres": "gpu:a100:1"},
            9,
            "gres: found 'gpu:a100:1' beside gpu_model; allowed: one of them, since SLURM would read two requests. "
            "Write `gpu: 0` beside `gres: gpu:a100:1`, and remove gpu_model",
        ),
        ({"gpu": 0}, 7, "gpu: found 0 and no gres, allowed: `gpu: 1`"),
        ({"gpu": 0, "gres": "gpu:a100-sxm4:1"}, 8, "gres: Invalid GRES format: gpu:a100-sxm4:1"),
        ({"slurm_extra": "--mem=5"}, 7, "slurm_extra: The --memory option is not allowed"),
        ({"slurm_account": "labb"}, 7, "slurm_account: found 'labb', your accounts: guests, lab (did you mean 'lab'?)"),
    ],
)
def test_what_would_be_refused_names_the_line_and_what_to_write(said, resources, line, told):
    message = said(**resources)
    assert message.startswith(f"config.yaml, line {line}: {told}")


@pytest.mark.parametrize(
    ("reason", "place"),
    [
        ("sbatch: error: Batch job submission failed: Invalid qos specification", "config.yaml, line 7: qos: "),
        ("allocation failure: Invalid feature specification", "config.yaml, line 8: constraint: "),
        ("sbatch: unrecognized option '--gpus=1'\nTry 'sbatch --help' for more.", "config.yaml, line 5: gpu: "),
        ("sbatch: error: this site wants something else", "config.yaml, line 6: slurm_partition: "),
    ],
)
def test_what_slurm_alone_knows_is_told_in_its_words(slurm, said, reason, place):
    (slurm / "refusal").write_text(reason)
    message = said(qos="fast", constraint="avx512")
    assert message.startswith(f"{place}SLURM refuses the jobs of train_cuda (")
    assert reason.partition("\n")[0].rpartition(": ")[2] in message
    assert message.endswith(
        "; they request slurm_partition gpu, qos fast, constraint avx512, runtime 10, mem_mb 1000, gpu 1"
    )


def test_an_sbatch_that_cannot_be_asked_refuses_nothing(slurm, said):
    (slurm / "refusal").write_text("sbatch: unrecognized option '--test-only'\nTry 'sbatch --help' for more.\n")
    assert said() == ""


@pytest.mark.parametrize("elsewhere", [{"clusters": "other", "slurm_partition": "theirs"}, {"slurm_partition": ""}])
def test_of_another_cluster_and_of_partitions_that_the_plugin_chooses_nothing_is_known(said, monkeypatch, elsewhere):
    monkeypatch.setenv("SNAKEMAKE_SLURM_PARTITIONS", "partitions.yaml")
    assert said(**elsewhere) == ""
    assert said(gres="gpu:1", **elsewhere).startswith("config.yaml, line ")


def test_settings_of_all_jobs_are_asked_for_as_well(slurm, tmp_path):
    (tmp_path / "config.yaml").write_text(f"{PROFILE}slurm-qos: fast\nslurm-reservation: course\n")
    request = Request("train", 1, 1, {"slurm_partition": "cpu"})
    assert checks.refused(request, profile.read("config.yaml"), partitions.read()) == ""
    asked = (slurm / "submitted").read_text().split()
    assert {"--qos=fast", "--reservation=course"} <= {*asked}


def test_nodes_that_are_down_let_jobs_wait_and_refuse_none(slurm, said):
    (slurm / "nodes").write_text(fake_slurm.NODES.replace("mixed", "down*"))
    (slurm / "refusal").write_text("allocation failure: Requested node configuration is not available")
    assert said() == ""
    request = Request("train_cuda", 1, 1, {"slurm_partition": "gpu"})
    assert checks.waits(request, partitions.read()) == "all nodes of partition gpu are down: jobs wait until one is up"


def test_a_partition_that_is_down_lets_jobs_wait(slurm):
    (slurm / "partitions").write_text(fake_slurm.PARTITIONS.replace("State=UP", "State=DOWN", 1))
    request = Request("train", 1, 1, {"slurm_partition": "cpu"})
    assert checks.waits(request, partitions.read()) == "partition cpu is DOWN: jobs wait until it is up"
    other = Request("train_cuda", 1, 1, {"slurm_partition": "gpu"})
    assert not checks.waits(other, partitions.read())


def test_without_a_partition_the_default_one_is_meant(slurm, said):
    assert said(rule="train", slurm_partition="") == ""
    (slurm / "partitions").write_text(fake_slurm.PARTITIONS.replace("Default=YES", "Default=NO"))
    message = said(rule="train", slurm_partition="")
    assert message.endswith("found none, and this cluster has no default partition")


def test_a_request_that_the_profile_does_not_hold_is_one_of_the_command_line(slurm, tmp_path):
    (tmp_path / "config.yaml").write_text(PROFILE)
    request = Request("train", 1, 1, {"slurm_partition": "elsewhere"})
    message = checks.refused(request, profile.read("config.yaml"), partitions.read())
    assert message.startswith("--set-resources or --default-resources: slurm_partition: found 'elsewhere'")
