"""The line above the answer: what was compared, on what, and how often, in at most thirty words."""

import pytest
import synthetic

from bnbench.wording import formats, sentences, setup_line

OPTIMIZERS = {
    "optimizer": synthetic.GRID["optimizer"],
    "report": {"factor": "optimizer", "baseline": "adam"},
}
RATES = [{"name": "adam", "lr": [0.001, 0.01]}]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {**synthetic.GRID, "hidden": [256, 256], "epochs": 2000, "seeds": 20},
            "Batch normalization (BN) against none: 1–256–256–1 perceptron on y = sin(3x), 100 points, Adam and SGD, "
            "full batch and batch 25, 2,000 epochs, 20 seeds",
        ),
        (
            {"norm": ["none", "batch", "layer"]},
            "Batch normalization (BN) and layer norm against none: 1–4–1 perceptron on y = sin(3x), 100 points, Adam, "
            "full batch, 40 epochs, 8 seeds",
        ),
        (
            {"task": {"name": "sine", "noise": 0.1}, "seeds": 1},
            "Batch normalization (BN) against none: 1–4–1 perceptron on y = sin(3x) with noise 0.1, 100 points, Adam, "
            "full batch, 40 epochs, 1 seed",
        ),
    ],
)
def test_a_study_in_one_line(changes, line):
    assert setup_line.line(synthetic.plan(**changes)) == line


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        ({"batch_size": ["full", 5, 10, 25]}, ["4 batch sizes"]),
        ({"optimizer": RATES, "tune": {"validation": 0.25}}, [", Adam, ", "tuned learning rate"]),
        ({"task": {"name": "sine", "noise": 0.1}, "seed_varies": ["all", "data"]}, ["sources varied together and"]),
        ({"batch_size": [25], "seed_varies": ["weights", "order"]}, ["sources varied alone"]),
        ({"task": "digits"}, ["handwritten digits", "training examples"]),
        ({"norm": ["none"], **OPTIMIZERS}, ["SGD lr=0.1 against Adam lr=0.001"]),
        (OPTIMIZERS, ["SGD lr=0.1 against Adam lr=0.001", "without BN and with BN"]),
    ],
)
def test_what_differs_between_studies_is_in_the_line(changes, facts):
    said = setup_line.line(synthetic.plan(**changes))
    assert all(fact in said for fact in facts), said
    assert formats.length(said) <= sentences.LONGEST
