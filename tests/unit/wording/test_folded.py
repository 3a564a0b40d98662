"""Lines on what comes to the same numbers, as people read them in `__snapshots__`."""

import pytest
import synthetic

from bnbench.wording import captions, folded


def sine(points):
    return {"name": "sine", "points": points}


def ghost(size):
    return {"name": "ghost", "size": size}


TUNED = {"optimizer": [{"name": "sgd", "lr": [0.01, 0.1]}], "tune": {"parameters": ["norm.size"]}}
STUDIES = {
    "a virtual batch in some contexts": {
        "norm": ["none", "batch", ghost(10), "layer"],
        "batch_size": [5, 10, 25, "full"],
    },
    "a virtual batch in all contexts": {"norm": ["none", "batch", ghost(100)], "batch_size": [5, "full"]},
    "two virtual batches": {"norm": ["none", ghost(10), ghost(30)], "batch_size": [5, 20, "full"]},
    "the baseline is the virtual batch": {
        "norm": [ghost(10), "batch", "none"],
        "batch_size": [5, "full"],
        "report": {"baseline": "ghost"},
    },
    "a batch of all points": {"task": sine(100), "batch_size": ["full", 100]},
    "a batch of all points of one task": {"task": [sine(100), sine(200)], "batch_size": ["full", 100]},
    "both, of one task": {
        "task": [sine(20), sine(100)],
        "norm": ["none", "batch", ghost(20)],
        "batch_size": [10, 20, "full"],
    },
    "batch sizes are compared": {
        "batch_size": [20, "full", 100],
        "report": {"factor": "batch_size", "baseline": 20},
    },
    "by the network": {
        "network": [{"name": "mlp", "hidden": [4]}, {"name": "mlp", "hidden": [4], "dropout": 0.1}],
        "batch_size": ["full", 100],
    },
    "candidates": {**TUNED, "norm": ["none", {"name": "ghost", "size": [4, 10, 20]}], "batch_size": [10, "full"]},
    "nothing": {"norm": ["none", "batch", ghost(10)], "batch_size": [25]},
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_line_says_what_stands_for_what_and_where(name, prose):
    study = synthetic.plan(**STUDIES[name])
    assert "\n".join([captions.summary(study), *folded.lines(study)]) == prose
    assert bool(folded.lines(study)) == bool(study.folds) == (name != "nothing")
