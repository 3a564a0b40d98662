"""One folder of results for several studies and people: nothing is lost, and nothing is written twice."""

import shutil

import pytest

from checkouts import assert_same_bits, finished_chunks

LONG = {"batch_size": ["full"], "epochs": 3000, "evaluate_every": 1000}


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A folder outside all checkouts in which all of them have their results."""
    folder = tmp_path / "of all of us"
    monkeypatch.setenv("BNBENCH_RESULTS", str(folder))
    return folder


def at(folder, checkout):
    checkout.results = folder
    return checkout


def test_two_studies_at_once_share_what_they_train(shared, new_checkout, wait_until, monkeypatch):
    one, other = (at(shared, new_checkout(**LONG)) for _ in range(2))
    other.study(**LONG | {"norm": ["batch", "none"], "seeds": 6})
    for checkout in (one, other):
        checkout.hold_training()
    runs = [checkout.start("--until", "compare") for checkout in (one, other)]
    for checkout in (one, other):
        wait_until(checkout.holds)
    for checkout in (one, other):
        checkout.let_train()
    for run in runs:
        output, _ = run.communicate(timeout=1200)
        assert run.returncode == 0, output
    assert len(finished_chunks(one)) == 6
    assert not (one.folder / "results").exists()
    kept = [path for path in shared.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    # Each of the two has recorded what it planned for what it trained.
    assert {path.relative_to(shared).parts[0] for path in kept} == {"preregistration", ".bnbench"}
    monkeypatch.delenv("BNBENCH_RESULTS")
    alone = new_checkout(**LONG | {"seeds": 6})
    alone.run("--until", "collect")
    assert_same_bits(other, alone)


def test_where_the_results_lie_is_in_no_address_and_in_no_report(shared, new_checkout, finished):
    elsewhere = at(shared, new_checkout(batch_size=["full"]))
    elsewhere.run()
    for of_a_batch in finished.results.glob("*/*-b25-*"):
        shutil.rmtree(of_a_batch)
    assert_same_bits(elsewhere, finished)
    for path in [*elsewhere.report.rglob("*"), *shared.rglob("*")]:
        assert not path.is_file() or str(shared).encode() not in path.read_bytes()
    assert elsewhere.planned() == {}
    again = elsewhere.bnbench("rebuild", "--configfile", "tiny.yaml", BNBENCH_RESULTS=str(shared))
    assert again.returncode == 0, again.stderr


def test_a_network_that_lies_elsewhere_is_trained_once_and_another_version_of_it_beside(shared, new_checkout):
    text = "from torch import nn\n\ndef net(norm):\n    return nn.Sequential(nn.Linear(1, 1), norm(1))\n"
    network = {"name": "module", "path": "nets.py", "build": "net"}
    one, other = (at(shared, new_checkout(batch_size=["full"], network=network)) for _ in range(2))
    for checkout in (one, other):
        (checkout.folder / "nets.py").write_text(text)
    one.run("--until", "train")
    assert "train" not in other.planned()
    (other.folder / "nets.py").write_text(f"{text}# mine\n")
    trained = finished_chunks(one)
    said = other.run("--until", "train").stderr
    assert f"nets.py changed: training starts again; 8 trials with other versions of it stay in {shared}\n" in said
    assert len(finished_chunks(other)) == 2 * len(trained)
    assert trained.items() <= finished_chunks(other).items()
    assert "train" not in one.planned()


def test_a_chunk_that_was_finished_since_the_plan_was_made_is_left_as_it_is(finished_once, checkout):
    """Another study has written it while Snakemake was still on its way to the job."""
    checkout.edit(
        "workflow/rules/train.smk", '"python -m', f'"(cp -rln {finished_once.results} . || true) && python -m'
    )
    checkout.study(batch_size=["full"])
    checkout.run("--until", "collect")
    logs = [path.read_text() for path in (checkout.folder / "logs" / "train").rglob("*.log")]
    assert len(logs) == 4
    assert all("are trained already" in text for text in logs)


def test_a_job_that_fails_removes_no_table_that_is_there(finished_once, checkout):
    checkout.edit(
        "workflow/rules/train.smk", '"python -m', f'"(cp -rln {finished_once.results} . || true) && false && python -m'
    )
    failed = checkout.snakemake("--keep-going")
    assert failed.returncode != 0
    assert len(finished_chunks(checkout)) == 8
    assert "To continue, give the same command again" in failed.stderr
