"""The same image by the Containerfile: podman builds it on the same local base, and runs the whole pipeline."""

import json
import os
import subprocess

import pandas as pd
import pytest
from images import HERE, run

BASE = "localhost/base:latest"


@pytest.fixture(scope="session")
def podman():
    """The environment in which podman works here."""
    if subprocess.run(["dpkg-query", "-W", "podman", "buildah", "runc"], check=False, capture_output=True).returncode:
        run("apt-get", "update", "-qq")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "podman", "buildah", "runc", env=quiet)
    return {**os.environ, "CONTAINERS_CONF": str(HERE / "containers.conf")}


@pytest.fixture(scope="session")
def oci_image(podman, workshop, base, mounts):
    """The name of the image that `make image` builds with podman."""
    pack = f"tar -C {base} --numeric-owner -c . | podman import - {BASE}"
    run("bash", "-o", "pipefail", "-c", pack, env=podman)
    options = ["--pull=never", "--network=host", "--isolation=oci", *(f"-v={mount}:ro" for mount in mounts)]
    environment = {**podman, "TOOL": "podman", "BASE": BASE, "OPTIONS": " ".join(options)}
    run(workshop / "project" / "containers" / "build.sh", env=environment)
    yield "localhost/bnbench:latest"
    run("podman", "rmi", "--force", "localhost/bnbench:latest", BASE, env=podman)


OPTIONS = {
    "plain": [],
    "read-only, no network": ["--read-only", "--network=none"],
    "without a name for the user": ["--passwd=false"],
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_whole_pipeline_runs_in_podman_and_its_files_belong_to_the_caller(
    oci_image, podman, new_checkout, tmp_path, options
):
    study = new_checkout(seeds=2).folder / "tiny.yaml"
    (tmp_path / "config.yaml").write_text(study.read_text())
    os.chown(tmp_path, 4711, 4711)
    as_caller = ["podman", "run", "--rm", "--user=4711:4711", "-v", f"{tmp_path}:/work", *options]
    run(*as_caller, oci_image, "--cores", "2", env=podman)
    built = json.loads(run(*as_caller, "--entrypoint=cat", oci_image, "/opt/bnbench/image.json", env=podman).stdout)
    assert {*pd.read_parquet(tmp_path / "results" / "trials")["image"]} == {built["digest"]}
    assert (tmp_path / "reports" / "tiny" / "index.html").stat().st_size
    assert {path.stat().st_uid for path in tmp_path.rglob("*") if path.name != "config.yaml"} == {4711}
    assert {path.name for path in tmp_path.iterdir()} == {".snakemake", "config.yaml", "logs", "reports", "results"}


def test_the_image_says_what_it_is(oci_image, podman):
    (found,) = json.loads(run("podman", "inspect", oci_image, env=podman).stdout)
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "bnbench"
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    run("podman", "run", "--rm", oci_image, "test", env=podman)
