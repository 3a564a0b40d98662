"""Whether a study was fixed before training is what the records of its settings say, and nothing more."""

from synthetic import plan

from bnbench.judging.preregistration import finding
from bnbench.plan.preregistration import plan_of

TEST = plan(seeds=20)
TRAIN = plan(seeds=20, report={"outcome": "train_loss"})
TEN, FIFTY = plan(seeds=10), plan(seeds=50)


def of(*recorded, there=20, study=TEST):
    """The same records of all settings of `study`: what was planned, after how many seeds."""
    records = [{"plan": plan_of(planned), "trained": trained} for planned, trained in recorded]
    return {setting.address: {"trained": there, "records": records} for setting in study.settings}


def changes(study, found):
    rows = finding(study, found)["changes"]
    return [(row["part"], row["was"], row["now"], *row["after"], row["settings"]) for row in rows]


def seeds(count):
    return {"first": 0, "count": count}


def counts(study, found):
    return {name: finding(study, found)[name] for name in ("settings", "fixed", "unknown", "others")}


def test_a_plan_that_was_in_force_before_training_is_fixed():
    assert counts(TEST, of((TEST, 0))) == {"settings": 2, "fixed": 2, "unknown": 0, "others": 0}
    assert changes(TEST, of((TEST, 0))) == []


def test_without_records_nothing_is_known():
    for found in ({}, of()):
        assert counts(TEST, found) == {"settings": 2, "fixed": 0, "unknown": 2, "others": 0}
        assert changes(TEST, found) == []


def test_records_that_begin_after_the_first_seeds_tell_nothing():
    assert counts(FIFTY, of((FIFTY, 20))) == {"settings": 2, "fixed": 0, "unknown": 2, "others": 0}


def test_another_outcome_of_trials_that_are_there_was_changed_after_all_of_them():
    assert changes(TRAIN, of((TEST, 0))) == [("outcome", "test_loss", "train_loss", 20, 20, 2)]
    (row,) = finding(TRAIN, of((TEST, 0)))["changes"]
    assert (row["began"], row["all"]) == (True, True)
    (row,) = finding(TRAIN, of((TEST, 0), there=12))["changes"]
    assert (row["after"], row["all"]) == ([12, 12], False)


def test_outcome_window_and_margin_are_each_said():
    other = plan(seeds=20, report={"outcome": "train_loss", "window": 0.0, "margin": 1.2})
    assert [part for part, *_ in changes(other, of((TEST, 0)))] == ["outcome", "window", "margin"]


def test_looks_at_10_20_and_50_seeds_are_all_said():
    found = of((TEN, 0), (TEST, 10), (FIFTY, 20), there=50)
    assert changes(FIFTY, found) == [
        ("seeds", seeds(10), seeds(20), 10, 10, 2),
        ("seeds", seeds(20), seeds(50), 20, 20, 2),
    ]
    assert [row["began"] for row in finding(FIFTY, found)["changes"]] == [True, False]


def test_what_was_in_force_later_changes_nothing_in_an_earlier_look():
    found = of((TEN, 0), (TEST, 10), (FIFTY, 20), there=50)
    assert changes(TEST, found) == [("seeds", seeds(10), seeds(20), 10, 10, 2)]
    assert changes(TEN, found) == []
    assert counts(TEN, found)["fixed"] == 2


def test_fewer_seeds_than_were_planned_are_a_change():
    assert changes(TEN, of((TEST, 0))) == [("seeds", seeds(20), seeds(10), 20, 20, 2)]


def test_an_outcome_that_was_changed_and_changed_back_is_said_with_the_seeds():
    found = of((TEN, 0), (TRAIN, 10), (FIFTY, 20), there=50)
    assert changes(FIFTY, found)[:2] == [
        ("outcome", "test_loss", "train_loss", 10, 10, 2),
        ("outcome", "train_loss", "test_loss", 20, 20, 2),
    ]


def test_a_plan_of_which_no_seed_was_trained_was_no_look():
    # The run was stopped before its first seed, and the outcome changed.
    found = of((TEST, 0), (TRAIN, 0))
    assert counts(TRAIN, found) == {"settings": 2, "fixed": 2, "unknown": 0, "others": 1}
    assert changes(TRAIN, found) == []


def test_settings_differ():
    found = of((TEST, 0))
    one, other = found.values()
    # One arm was trained whole before the outcome was changed, the other arm after it.
    other["records"] = [{"plan": plan_of(TRAIN), "trained": 0}]
    assert counts(TRAIN, found) == {"settings": 2, "fixed": 1, "unknown": 0, "others": 0}
    assert changes(TRAIN, found) == [("outcome", "test_loss", "train_loss", 20, 20, 1)]
    one["records"] = []
    assert counts(TRAIN, found) == {"settings": 2, "fixed": 1, "unknown": 1, "others": 0}


def test_settings_without_trials_do_not_count():
    found = of((TEST, 0))
    next(iter(found.values()))["trained"] = 0
    assert counts(TEST, found)["settings"] == 1
    assert counts(TEST, of(there=0)) == {"settings": 0, "fixed": 0, "unknown": 0, "others": 0}


def test_settings_that_changed_after_different_numbers_of_seeds_are_one_row():
    found = of((TEST, 0))
    for there, each in zip((8, 20), found.values(), strict=True):
        each["trained"] = there
    assert changes(TRAIN, found) == [("outcome", "test_loss", "train_loss", 8, 20, 2)]


def test_trials_of_another_study_are_said_to_be_that_ones():
    theirs = plan(study="theirs", seeds=20, batch_size=["full", 25])
    found = of((theirs, 0))
    assert changes(TEST, found) == [("study", "theirs", "synthetic", 20, 20, 2)]
    assert changes(TRAIN, found) == [
        ("study", "theirs", "synthetic", 20, 20, 2),
        ("outcome", "test_loss", "train_loss", 20, 20, 2),
    ]


def test_a_study_that_was_renamed_and_is_the_same_is_fixed():
    assert changes(plan(study="renamed", seeds=20), of((TEST, 0))) == []


def test_two_studies_that_train_at_once_have_each_their_records():
    theirs = plan(study="theirs", seeds=20, report={"outcome": "train_loss"})
    for study in (TEST, theirs):
        found = of((TEST, 0), (theirs, 0))
        assert counts(study, found) == {"settings": 2, "fixed": 2, "unknown": 0, "others": 1}


def test_contexts_that_are_dropped_or_added_are_a_change():
    four = plan(seeds=20, batch_size=["full", 25])
    ((part, was, now, *rest),) = changes(TEST, of((four, 0)))
    assert (part, was["count"], now["count"], rest) == ("settings", 4, 2, [20, 20, 2])


def test_an_option_that_the_record_does_not_know_yet_is_no_change():
    found = of((TEST, 0))
    for each in found.values():
        for record in each["records"]:
            record["plan"] = {part: is_ for part, is_ in record["plan"].items() if part not in ("alpha", "claims")}
    assert counts(TEST, found)["fixed"] == 2
