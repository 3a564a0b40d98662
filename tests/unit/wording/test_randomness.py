"""What a seed fixes, as a study has it."""

import pytest
import synthetic

from bnbench.plan import config
from bnbench.wording import randomness

SAME = "the data are the same for all seeds"
TUNED = {"tune": {"validation": 0.2}, "optimizer": {"name": "adam", "lr": [0.001, 0.01]}}
NOISY = {"name": "sine", "noise": 0.1}
NOISE = "the noise of the training targets"


@pytest.mark.parametrize(
    ("changes", "fixed", "same"),
    [
        ({}, "the initial weights", SAME),
        (
            {"batch_size": 25},
            "the initial weights and the order of the examples",
            SAME,
        ),
        (
            {"batch_size": ["full", 25], "task": NOISY},
            f"{NOISE}, the initial weights and, where the batch is not full, the order of the examples",
            "",
        ),
        (
            {"batch_size": 25, "task": "diabetes"},
            "the split into training and test data, the initial weights and the order of the examples",
            "",
        ),
        (
            {"task": ["sine", NOISY]},
            f"{NOISE} (with the task sine noise=0.1) and the initial weights",
            "the data of the task sine are the same for all seeds",
        ),
        (
            {"task": ["sine", "mixture", "diabetes"]},
            "the split into training and test data (with the task diabetes) and the initial weights",
            "the data of the tasks sine and mixture are the same for all seeds",
        ),
        (TUNED, "the choice of the validation points and the initial weights", ""),
    ],
)
def test_only_what_varies_is_named(changes, fixed, same):
    study = synthetic.plan(**changes)
    assert (randomness.fixed(study), randomness.same(study)) == (fixed, same)


def test_a_study_without_noise_fixes_weights_and_order():
    study = config.load({"study": "default"}, "config.yaml")
    order = "where the batch is not full, the order of the examples"
    assert randomness.fixed(study) == f"the initial weights and, {order}"
    assert randomness.same(study) == SAME
