"""A node may see another folder under the name of the results, or another clone: its jobs say so."""

import shutil


def logs(checkout):
    return [path.read_text() for path in (checkout.folder / "logs" / "train").rglob("*.log")]


def test_a_node_that_does_not_share_the_results_says_so_before_it_trains(on_cluster):
    checkout = on_cluster(batch_size=["full"], seeds=2, norm=["none", "batch"])
    checkout.edit("workflow/rules/train.smk", "--results {params.results:q}", "--results of-the-node-alone")
    run = checkout.snakemake("--retries", "0", "--until", "train")
    assert run.returncode != 0
    said = "of-the-node-alone: this is not the folder for which the run was planned, so nobody would find the results; "
    assert [text.startswith(said) for text in logs(checkout)] == [True, True]
    assert not checkout.chunks()


def test_a_node_that_sees_another_clone_says_so_in_the_log(on_cluster):
    checkout = on_cluster(batch_size=["full"], seeds=2, norm=["none", "batch"])
    shutil.copytree(checkout.folder / "workflow", checkout.folder / "other")
    (checkout.folder / "other" / "bnbench" / "more.py").touch()
    checkout.edit("workflow/rules/train.smk", '"python -m', '"PYTHONPATH=other python -m')
    run = checkout.snakemake("--until", "train")
    assert run.returncode == 0, run.stderr
    assert [text.count("other/bnbench holds other code (") for text in logs(checkout)] == [1, 1]
