"""A network of the user's own in the image: files beside the config are seen, and others once they are bound."""

import re

import pandas as pd
from images import CONTAINED

import own_code


def test_jobs_in_the_image_see_files_beside_the_config(with_image, built):
    checkout = with_image(**own_code.STUDY)
    own_code.write(checkout.folder)
    checkout.run(*CONTAINED)
    trials = pd.read_parquet(checkout.results / "trials")
    assert sorted(zip(trials["norm"], trials["seed"], strict=True)) == [
        ("batch", 0), ("batch", 1), ("none", 0), ("none", 1)
    ]  # fmt: skip
    assert {*trials["image"]} == {built["digest"]}
    assert "my_net" in (checkout.report / "index.html").read_text()


def test_files_outside_of_the_working_folder_are_seen_once_they_are_bound_as_the_message_says(with_image, tmp_path):
    own_code.write(tmp_path)
    path = str(tmp_path / "nets.py")
    checkout = with_image(**own_code.STUDY | {"network": {**own_code.STUDY["network"], "path": path}})
    failed = checkout.snakemake(*CONTAINED, "--until", "train", "--keep-going")
    assert failed.returncode != 0
    told = [line for line in failed.stderr.splitlines() if line.startswith(f"{path}: cannot read the Python file")]
    assert len(told) == 2
    assert not checkout.chunks()
    (bind,) = {re.search(r'--apptainer-args "(.*)"$', line)[1] for line in told}
    assert bind == f"--bind {tmp_path}"
    checkout.run(*CONTAINED[:-1], f"{CONTAINED[-1]} {bind}", "--until", "train")
    assert len(checkout.chunks()) == 2
