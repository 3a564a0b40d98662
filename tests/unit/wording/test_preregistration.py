"""What is known of whether a study was fixed before training, in words that say no more."""

import pytest
from prose import cases

from bnbench.wording import preregistration

FOUND = {"settings": 8, "fixed": 8, "unknown": 0, "others": 0, "changes": []}


def change(part, was, now, after=(20, 20), **more):
    facts = {"began": True, "all": False, "settings": 8}
    return {"part": part, "was": was, "now": now, "after": [*after], **facts, **more}


def seeds(count, first=0):
    return {"first": first, "count": count}


def outcome(**more):
    return change("outcome", "test_loss", "train_loss", **more)


@cases(
    fixed=(
        {},
        "The outcome, its window, the comparisons, the margin, α and the number of seeds were fixed before training.",
    ),
    unknown=({"fixed": 0, "unknown": 8}, "It is not known whether this was fixed before training."),
    unknown_in_part=(
        {"fixed": 5, "unknown": 3},
        "In 3 of 8 settings, it is not known whether this was fixed before training.",
    ),
    nothing_trained=({"settings": 0, "fixed": 0}, "Nothing has been trained yet."),
    other_plans=(
        {"others": 2},
        f"{preregistration.FIXED} Before training, 2 other plans were recorded too.",
    ),
    another_plan=({"others": 1}, f"{preregistration.FIXED} Before training, another plan was recorded too."),
    another_outcome=(
        {"fixed": 0, "changes": [outcome(all=True)]},
        "The outcome was test loss when training began, and was changed to train loss after all 20 seeds were trained.",
    ),
    another_outcome_meanwhile=(
        {"fixed": 0, "changes": [outcome(after=(8, 20))]},
        "The outcome was test loss when training began, and was changed to train loss after 8 to 20 seeds "
        "were trained.",
    ),
    in_some_settings=(
        {"fixed": 4, "unknown": 1, "changes": [outcome(settings=3, after=(1, 1))]},
        "The outcome was test loss when training began, and was changed to train loss after 1 seed was "
        "trained (in 3 of 8 "
        "settings). In 1 of 8 settings, it is not known whether this was fixed before training.",
    ),
    there_and_back=(
        {"fixed": 0, "changes": [outcome(after=(10, 10)), change("outcome", "train_loss", "test_loss", began=False)]},
        "The outcome was test loss when training began, and was changed to train loss after 10 seeds were trained. "
        "The outcome was changed from train loss to test loss after 20 seeds were trained.",
    ),
    more_seeds=(
        {"fixed": 0, "changes": [change("seeds", seeds(10), seeds(20), (10, 10))]},
        "10 seeds were planned when training began; 20 after 10 were seen.",
    ),
    several_looks=(
        {
            "fixed": 0,
            "changes": [
                change("seeds", seeds(10), seeds(20), (10, 10)),
                change("seeds", seeds(20), seeds(50), (20, 20), began=False),
            ],
        },
        "10 seeds were planned when training began; 20 after 10 were seen; 50 after 20 were seen.",
    ),
    other_seeds=(
        {"fixed": 0, "changes": [change("seeds", seeds(10), seeds(10, 5), (10, 10), all=True)]},
        "Seeds 0 to 9 were planned when training began; seeds 5 to 14 after 10 were seen.",
    ),
    window_margin_and_alpha=(
        {"fixed": 0, "changes": [change("window", 0.05, 0.0), change("margin", 1.05, 1.2), change("alpha", 0.05, 0.1)]},
        "The window was the last 5 % of the measured epochs when training began, and was changed to the last "
        "epoch alone "
        "after 20 seeds were trained. The margin was 1.05 when training began, and was changed to 1.2 after "
        "20 seeds were "
        "trained. α was 0.05 when training began, and was changed to 0.1 after 20 seeds were trained.",
    ),
    arms=(
        {
            "fixed": 0,
            "changes": [
                change("factor", "norm", "batch_size"),
                change("baseline", "none", "full"),
                change("compare", [], [["batch", "layer"]]),
            ],
        },
        "The compared factor was norm when training began, and was changed to batch size after 20 seeds were trained. "
        "The baseline was none when training began, and was changed to full after 20 seeds were trained. "
        "The further pairs were changed after 20 seeds were trained.",
    ),
    grid=(
        {"fixed": 0, "changes": [change("settings", {"count": 8, "digest": "a"}, {"count": 4, "digest": "b"})]},
        "The number of settings was 8 when training began, and was changed to 4 after 20 seeds were trained.",
    ),
    grid_of_the_same_size=(
        {"fixed": 0, "changes": [change("settings", {"count": 8, "digest": "a"}, {"count": 8, "digest": "b"})]},
        "The settings were changed after 20 seeds were trained.",
    ),
    claims=(
        {"fixed": 0, "changes": [change("claims", [], [{}])]},
        "The claims were changed after 20 seeds were trained.",
    ),
    new_option=(
        {"fixed": 0, "changes": [change("floor", None, 1e-6)]},
        "The option floor was None when training began, and was changed to 1e-06 after 20 seeds were trained.",
    ),
    another_study=(
        {"fixed": 0, "changes": [change("study", "theirs", "ours"), outcome(all=True)]},
        "All trials were trained for the study “theirs”. The outcome was test loss when training began, and "
        "was changed to "
        "train loss after all 20 seeds were trained.",
    ),
    another_study_in_part=(
        {"fixed": 6, "changes": [change("study", "theirs", "ours", settings=2)]},
        "The trials of 2 of 8 settings were trained for the study “theirs”.",
    ),
)
def test_it_is_said_as_the_records_have_it(case):
    facts, said = case
    assert preregistration.sentences({**FOUND, **facts}) == said


@pytest.mark.parametrize(
    ("facts", "noted"), [({}, False), ({"fixed": 0, "unknown": 8}, False), ({"fixed": 0, "changes": [outcome()]}, True)]
)
def test_only_a_change_is_worth_a_note(facts, noted):
    assert bool(preregistration.note({**FOUND, **facts})) == noted
