"""SLURM and the image together: the cluster's jobs run in the image, through both partitions."""

import re

import pandas as pd
from clusters import OnCluster
from images import InImage


class InImageOnCluster(InImage, OnCluster):
    """A checkout whose jobs are SLURM's, and run in the image."""


def test_the_clusters_jobs_run_in_the_image(cluster, with_image, built, nonce):
    checkout = InImageOnCluster(with_image(batch_size=["full"], seeds=2, device=["cpu", "cuda"]).folder)
    run = checkout.snakemake("--sdm", "apptainer", "--until", "collect")
    assert run.returncode == 0, run.stderr
    logs = [*checkout.log("cpu").values(), *checkout.log("cuda").values()]
    assert len(logs) == 4
    assert all(text.startswith(nonce) for text in logs)
    assert len(re.findall(r"SLURM jobid \d+", run.stderr)) == 4
    assert {*pd.read_parquet(checkout.results / "trials")["image"]} == {built["digest"]}
