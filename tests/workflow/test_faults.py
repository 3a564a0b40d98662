"""A few faults of each kind on a small study; tests/benchmarks/soak.py has many of them."""

import random
import subprocess

import pytest

import faults


@pytest.fixture(scope="module")
def undisturbed(new_checkout):
    """A checkout in which nothing disturbed the run."""
    return faults.Undisturbed(new_checkout(**faults.STUDY))


@pytest.fixture
def chance():
    return random.Random(24)


def test_a_run_that_is_stopped_in_any_step_goes_on_to_the_same_tables(undisturbed, new_checkout, chance):
    ways = [(step, *faults.KILLS[kill]) for step, kill in zip(faults.STEPS, (0, 7, 4, 1, 8, 3), strict=True)]
    counts = faults.survive_kills(undisturbed, new_checkout(**faults.STUDY), ways, chance)
    assert {name for name, count in counts.items() if count} == {*faults.STEPS, "compared"}


def test_a_run_on_a_full_disk_goes_on_to_the_same_tables_when_there_is_space(undisturbed, tmp_path):
    try:
        disk = faults.SmallDisk(tmp_path / "disk")
    except subprocess.CalledProcessError:
        pytest.skip("only root may mount a small file system")
    try:
        assert faults.survive_full_disks(undisturbed, disk, points=1)["failed"]
    finally:
        disk.remove()


@pytest.mark.parametrize("how", faults.DAMAGES)
def test_no_damaged_table_is_judged(undisturbed, tmp_path, how, chance):
    checkout = undisturbed.checkout.copied(tmp_path / "bnbench")
    path = faults.damage(checkout, how, chance)
    run = checkout.bnbench("collect", "--configfile", "tiny.yaml")
    assert run.returncode == 2
    assert run.stderr.startswith(f"{path.relative_to(checkout.folder)}: ")
    assert run.stderr.count("\n") == 1


def test_clones_that_share_their_results_all_end_in_the_same_tables(
    undisturbed, new_checkout, tmp_path, chance, monkeypatch
):
    monkeypatch.setenv("BNBENCH_RESULTS", str(tmp_path / "shared"))
    clones = [new_checkout(**faults.STUDY) for _ in range(2)]
    faults.survive_company(undisturbed, clones, tmp_path / "shared", kills=1, chance=chance)
