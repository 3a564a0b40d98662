"""Everything that computes runs in the image: jobs of a Snakemake on the host, and the whole pipeline inside it."""

import json
import os
import pwd
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from images import CONTAINED, NONCE, run
from packaging.utils import canonicalize_name

from bnbench.store import tables
from checkouts import TINY, assert_same_bits

ELSEWHERE = ("seconds", "image", "python", "commit", "torch", "numpy")
"""Columns that say where a trial ran."""


@pytest.fixture(scope="session")
def on_host(new_checkout):
    """The tiny study, run without an image."""
    checkout = new_checkout()
    checkout.run("--until", "compare")
    return checkout


def assert_ran_in(built, results):
    """Every trial is of this image, by the table and by the footers of all tables."""
    trials = pd.read_parquet(results / "trials")
    assert {*trials["image"]} == {built["digest"]}
    footers = [tables.footer(path) for path in results.rglob("*.parquet")]
    assert {footer["provenance"]["image"] for footer in footers} == {built["digest"]}
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", built["digest"])


def test_jobs_of_a_snakemake_on_the_host_run_in_the_image_and_give_the_hosts_bits(with_image, built, nonce, on_host):
    checkout = with_image()
    ran = checkout.run(*CONTAINED)
    logs = [path.read_text() for path in (checkout.folder / "logs" / "train").rglob("*.log")]
    assert len(logs) == 8
    for text in logs:
        assert text.startswith(nonce)
        assert not Path(re.search(r"/\S*/torch/__init__.py", text)[0]).exists()
    assert (ran.stdout + ran.stderr).count("Activating singularity image") == 8 + 4
    assert_ran_in(built, checkout.results)
    assert_same_bits(checkout, on_host, but=ELSEWHERE)
    assert built["digest"] in (checkout.report / "index.html").read_text()
    assert {*pd.read_parquet(on_host.results / "trials")["image"]} == {"host"}


def test_without_the_image_the_proof_fails(with_image):
    checkout = with_image()
    assert not Path(NONCE).exists()
    failed = checkout.snakemake("--until", "train")
    assert failed.returncode != 0
    assert NONCE in failed.stderr + failed.stdout
    assert not checkout.chunks()


def test_the_whole_pipeline_runs_inside_the_image_without_a_network(with_image, image, built, on_host, apptainer):
    checkout = with_image()
    inside = ["apptainer", "run", "--contain", "--cleanenv", "--bind", f"{checkout.folder}:/work", "--pwd", "/work"]
    study = ["--cores", "2", "--configfile", "tiny.yaml"]
    shutil.rmtree(checkout.folder / "workflow")
    (checkout.folder / "Snakefile").unlink()
    done = run("unshare", "--net", *inside, image, *study, env=apptainer, cwd=checkout.folder)
    assert "reports/tiny/index.html" in done.stderr
    assert_ran_in(built, checkout.results)
    assert_same_bits(checkout, on_host, but=ELSEWHERE)
    planned = run(*inside, image, "bnbench", "plan", "--configfile", "tiny.yaml", env=apptainer, cwd=checkout.folder)
    assert "nothing: every trial is there" in planned.stdout


def test_a_user_without_root_runs_a_sandbox_image_that_may_not_be_written(workshop, image, apptainer, built, tmp_path):
    run("apptainer", "build", "--sandbox", workshop / "sandbox", image, env=apptainer)
    work = workshop / "work of a user"
    work.mkdir()
    (work / "config.yaml").write_text(json.dumps(TINY | {"norm": ["none", "batch"], "seeds": 2}))
    user = pwd.getpwnam("nobody")
    os.chown(work, user.pw_uid, user.pw_gid)
    for folder in (workshop, *workshop.parents):
        if folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o755)
    as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    inside = ["apptainer", "run", "--contain", "--cleanenv", "--bind", f"{work}:/work", "--pwd", "/work"]
    environment = {"PATH": apptainer["PATH"], "HOME": str(work), "APPTAINER_CACHEDIR": str(work / ".cache")}
    run(*as_user, *inside, workshop / "sandbox", "--cores", "2", env=environment, cwd=work)
    assert_ran_in(built, work / "results")
    assert {path.stat().st_uid for path in [*work.glob("r*"), *work.glob("r*/**/*")]} == {user.pw_uid}


def test_labels_and_the_list_of_packages_say_what_is_in_it(image, apptainer):
    labels = run("apptainer", "inspect", "--labels", image, env=apptainer).stdout
    for name in ("title: bnbench", "version: ", "revision: ", "source: ", "licenses: MIT"):
        assert f"org.opencontainers.image.{name}" in labels
    packages = json.loads(run("apptainer", "exec", image, "cat", "/opt/bnbench/sbom.json", env=apptainer).stdout)
    assert packages["bomFormat"] == "CycloneDX"
    of_python = [part for part in packages["components"] if not part.get("purl", "").startswith("pkg:deb/")]
    found = {canonicalize_name(part["name"]): part for part in of_python}
    lock = Path(__file__).parents[2] / "containers" / "requirements.lock"
    pinned = dict(re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)", lock.read_text(), re.MULTILINE))
    for name, version in pinned.items():
        part = found[canonicalize_name(name)]
        assert part["version"].split("+")[0] == version.split("+")[0]
    of_the_base = {"pip", "setuptools", "wheel"}
    assert found.keys() - of_the_base <= {canonicalize_name(name) for name in pinned}
    assert sum("licenses" in part for part in found.values()) > 0.9 * len(found)
    listed = run("apptainer", "exec", image, "dpkg-query", "-W", "-f", r"${Package} ${Version}\n", env=apptainer).stdout
    of_debian = [part for part in packages["components"] if part.get("purl", "").startswith("pkg:deb/debian/")]
    assert sorted(f"{part['name']} {part['version']}" for part in of_debian) == sorted(listed.splitlines())


def test_it_is_small_and_leaves_nothing_of_the_build(image, apptainer):
    assert image.stat().st_size < 400e6
    left = run(
        "apptainer",
        "exec",
        "--contain",
        image,
        "sh",
        "-c",
        "find /root /var/tmp -type f ! -name '.bashrc' ! -name '.profile'; command -v gcc make; true",
        env=apptainer,
    )
    assert left.stdout == ""


def test_results_that_the_image_does_not_see_are_told_of_before_training_and_bound_as_the_message_says(
    with_image, tmp_path
):
    results = tmp_path / "of a group"  # under /tmp, where a container has a folder of its own
    checkout = with_image(batch_size=["full"], seeds=2)
    failed = checkout.snakemake(*CONTAINED, "--until", "train", "--keep-going", BNBENCH_RESULTS=str(results))
    assert failed.returncode != 0
    told = [line for line in failed.stderr.splitlines() if line.startswith(f"{results}: this is not the folder for")]
    assert len(told) == 2
    assert "trained seeds" not in failed.stderr
    assert [path.name for path in results.iterdir() if path.is_file()] == [".bnbench"]
    (bind,) = {re.search(r'--apptainer-args "(--bind .*?)"', line)[1] for line in told}
    assert bind == f"--bind '{results}'"
    bound = [*CONTAINED[:-1], f"{CONTAINED[-1]} {bind}"]
    checkout.run(*bound, "--until", "train", BNBENCH_RESULTS=str(results))
    assert len([*results.rglob("*.parquet")]) == 2 * 3
    assert not checkout.results.exists()


def test_everything_in_the_image_finds_the_results_that_are_handed_to_it(with_image, image, apptainer, tmp_path):
    checkout = with_image(batch_size=["full"], seeds=2)
    places = ["--bind", f"{checkout.folder}:/work,{tmp_path}:/group", "--pwd", "/work"]
    inside = ["apptainer", "run", "--contain", "--cleanenv", "--env", "BNBENCH_RESULTS=/group", *places, image]
    run(*inside, "--cores", "2", "--configfile", "tiny.yaml", "--until", "train", env=apptainer, cwd=checkout.folder)
    assert len([*tmp_path.rglob("*.parquet")]) == 2 * 3
    assert not checkout.results.exists()


def test_jobs_say_in_their_log_where_the_image_holds_other_code_than_the_clone(with_image):
    checkout = with_image(batch_size=["full"], seeds=2)
    checkout.run(*CONTAINED, "--until", "train")
    logs = [*(checkout.folder / "logs" / "train").rglob("*.log")]
    assert not any("warning" in path.read_text() for path in logs)
    shutil.rmtree(checkout.results)
    with (checkout.folder / "workflow" / "bnbench" / "train.py").open("a") as stream:
        stream.write("# edited\n")
    checkout.run(*CONTAINED, "--until", "train")
    said = [path.read_text() for path in logs]
    assert all(text.count("warning: the image holds other code (") == 1 for text in said)
    assert all("build the image again: make image" in text for text in said)
