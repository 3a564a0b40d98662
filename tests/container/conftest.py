"""The project's own image, built by a real Apptainer on a local base, with a nonce that is nowhere else."""

import json
import secrets
import shutil
import sys

import pytest
from images import HERE, NONCE, InImage, run

from checkouts import PROJECT


@pytest.fixture(scope="session")
def workshop(tmp_path_factory):
    """A folder with a copy of the project, a nonce in it, and what pip is set up with here."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(PROJECT / "workflow", folder / "project" / "workflow", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "containers", folder / "project" / "containers", ignore=shutil.ignore_patterns("*.sif"))
    for name in ("Snakefile", "config.yaml", ".containerignore"):
        shutil.copy2(PROJECT / name, folder / "project")
    (folder / "project" / "workflow" / "nonce").write_text(secrets.token_hex(16))
    return folder


@pytest.fixture(scope="session")
def mounts(workshop):
    """What a build must mount to install what this machine can, as source:target."""
    return run(sys.executable, HERE / "pip_settings.py", workshop / "pip.conf").stdout.split()


@pytest.fixture(scope="session")
def base(workshop, mounts):
    """A root file system in place of the registry's base image."""
    targets = [mount.partition(":")[2] for mount in mounts]
    run(HERE / "base.sh", workshop / "base", *(target for target in targets if not target.startswith("/etc/")))
    return workshop / "base"


@pytest.fixture(scope="session")
def apptainer(workshop):
    """The environment in which Apptainer is found."""
    run(HERE / "apptainer.sh", workshop / "apptainer")
    (workshop / "tmp").mkdir()
    places = {
        "TMPDIR": workshop / "tmp",
        "APPTAINER_TMPDIR": workshop / "tmp",
        "APPTAINER_CACHEDIR": workshop / "cache",
    }
    command = f"source {workshop}/apptainer/env.sh && env -0"
    found = run("bash", "-c", command).stdout.split("\0")
    return {**dict(line.split("=", 1) for line in found if line), **{key: str(path) for key, path in places.items()}}


@pytest.fixture(scope="session")
def image(workshop, base, mounts, apptainer):
    """The SIF that `make image` builds; its own test has run when it is there."""
    options = " ".join(f"--bind {mount}" for mount in mounts)
    environment = {**apptainer, "TOOL": "apptainer", "BASE": str(base), "OPTIONS": options}
    run(workshop / "project" / "containers" / "build.sh", env=environment)
    return workshop / "project" / "containers" / "bnbench.sif"


@pytest.fixture(scope="session")
def nonce(workshop):
    return (workshop / "project" / "workflow" / "nonce").read_text()


@pytest.fixture(scope="session")
def built(image, apptainer):
    """What the build wrote down of the image."""
    return json.loads(run("apptainer", "exec", image, "cat", "/opt/bnbench/image.json", env=apptainer).stdout)


@pytest.fixture
def with_image(new_checkout, image, apptainer):
    """A function that makes a checkout with the image in its place, and the tiny study changed by keywords to run."""

    InImage.environment = apptainer

    def make(**changes):
        checkout = InImage(new_checkout(**changes).folder)
        (checkout.folder / "containers").mkdir()
        (checkout.folder / "containers" / "bnbench.sif").symlink_to(image)
        proof = f"cat {NONCE} && python -c 'import torch; print(torch.__file__)' && "
        checkout.edit("workflow/rules/train.smk", '"python -m', f'"({proof}python -m')
        checkout.edit("workflow/rules/train.smk", " 2>&1 | tee", ") 2>&1 | tee")
        return checkout

    return make
