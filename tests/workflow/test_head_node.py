"""A head node without torch: Snakemake plans a study of a user's own network, and what its jobs ask for."""

import re

import own_code
from checkouts import without


def test_snakemake_plans_a_users_network_and_its_jobs_requests_without_torch(new_checkout, tmp_path):
    checkout = new_checkout(**own_code.STUDY)
    own_code.write(checkout.folder)
    slurm = ["--workflow-profile", "workflow/profiles/slurm"]
    planned = checkout.snakemake("-n", *slurm, PYTHONPATH=without(tmp_path, "torch"))
    assert checkout.jobs(planned)["train"] == 2
    assert "torch is not installed here: the networks are tried when their jobs start" in planned.stderr
    assert len(re.findall(r"resources: .*mem_mb=\d+.* runtime=\d+", planned.stdout)) == 2
