"""What is said of the setup beside the answer: what is so, of nothing that the study does not have."""

import own_tables
import pytest
import synthetic

from bnbench.catalogue.losses import LOSSES
from bnbench.wording import setup_notes

NORMS = ["none", {"name": "ghost", "size": 5}, {"name": "frozen", "share": 0.5}, "layer", "rms", "population"]
TWO_RATES = {"optimizer": [{"name": "adam", "lr": [0.001, 0.01]}]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Both arms use the same learning rate; neither was tuned."),
        (TWO_RATES, "Both arms use the same learning rates; neither was tuned."),
        (synthetic.GRID, "Both arms use the same learning rates; neither was tuned."),
        ({"norm": ["none", "batch", "layer"]}, "All arms use the same learning rate; none was tuned."),
        ({**TWO_RATES, "tune": {"validation": 0.25}}, ""),
        ({**synthetic.GRID, "report": {"factor": "optimizer", "baseline": "adam"}}, ""),
    ],
)
def test_that_nobody_tuned_the_rates_is_said_where_it_is_so(changes, said):
    study = synthetic.plan(**changes)
    assert setup_notes.rates(study) == said
    assert setup_notes.rates(study, past=True) == said.replace(" use ", " used ")


def test_every_norm_that_is_not_bn_itself_is_defined_with_its_numbers():
    assert setup_notes.definitions(synthetic.plan(norm=NORMS)) == [
        "Ghost BN size=5 normalizes groups of 5 examples of the batch, each by its own statistics.",
        "Frozen BN is BN that fixes its running averages after 50 % of the epochs and then trains with them.",
        "Layer norm normalizes each example by the statistics of its own layer.",
        "RMS norm divides each example by its root mean square, and subtracts no mean.",
        "Population norm normalizes by the statistics of the training set instead of those of the batch.",
    ]
    assert setup_notes.definitions(synthetic.plan()) == []
    other = {**synthetic.GRID, "norm": ["layer"], "report": {"factor": "optimizer", "baseline": "adam"}}
    assert setup_notes.definitions(synthetic.plan(**other)) == []


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({}, "The loss is the mean squared error."),
        ({"loss": "absolute"}, "The loss is the mean absolute error."),
        ({"task": "digits"}, "The loss is the cross-entropy."),
        ({"task": ["sine", "digits"]}, "The loss is the mean squared error and the cross-entropy."),
    ],
)
def test_the_loss_is_the_one_that_is_minimized(changes, fact):
    first, *_ = setup_notes.setup(synthetic.plan(**changes))
    assert first == fact


def test_every_loss_of_the_catalogue_has_a_name_for_sentences():
    assert set(setup_notes.LOSSES) == set(LOSSES)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("sine", ["The test loss is over 250 points between the training points."]),
        (
            {"name": "sine", "noise": 0.1, "test_points": 100},
            ["The test loss is over 100 points between the training points; only the training targets have noise."],
        ),
        (
            ["sine", {"name": "sine", "test_points": 100}],
            ["The test loss is over 100 to 250 points between the training points."],
        ),
        ("digits", []),
        (["sine", "digits"], []),
    ],
)
def test_test_points_lie_between_the_training_points_of_functions_alone(task, said):
    found = setup_notes.setup(synthetic.plan(task=task))
    assert [sentence for sentence in found if sentence.startswith("The test loss")] == said
    assert any("noise" in sentence for sentence in found) == any("noise" in sentence for sentence in said)


@pytest.mark.parametrize(
    ("norms", "said"),
    [
        (
            ["none", "batch"],
            ["BN comes before the activation; the running averages of BN give the newest batch a weight of 0.1."],
        ),
        (
            ["none", {"name": "batch", "placement": "after", "momentum": 0.25}],
            ["BN comes after the activation; the running averages of BN give the newest batch a weight of 0.25."],
        ),
        (
            ["none", "batch", "layer"],
            [
                "Each norm comes before the activation; the running averages of BN give the newest batch a weight of "
                "0.1."
            ],
        ),
        (["none", "batch", {"name": "batch", "momentum": 0.5}], ["Each norm comes before the activation."]),
        (["none", "batch", {"name": "batch", "placement": "after"}], []),
        (["none", "layer"], []),
    ],
)
def test_where_norms_are_is_said_where_all_are_at_one_place(norms, said):
    found = setup_notes.setup(synthetic.plan(norm=norms))
    assert [sentence for sentence in found if "the activation" in sentence] == said


def test_of_what_was_trained_the_setup_is_told_in_the_past():
    noisy = synthetic.plan(task={"name": "sine", "noise": 0.1})
    assert setup_notes.setup(noisy, past=True) == [
        "The loss was the mean squared error.",
        "The test loss was over 250 points between the training points; only the training targets had noise.",
        "BN came before the activation; the running averages of BN gave the newest batch a weight of 0.1.",
    ]


def test_of_results_from_elsewhere_nothing_of_this_is_known():
    study = own_tables.study(own_tables.measured(own_tables.grid(norm=["none", "batch"], seed=[0, 1, 2]), "val_loss"))
    assert (setup_notes.rates(study), setup_notes.definitions(study), setup_notes.setup(study)) == ("", [], [])
