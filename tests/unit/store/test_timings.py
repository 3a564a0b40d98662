"""What trials that are there have taken corrects estimates: by the card that is in use, and the nearest settings."""

import math
import os

import pytest
import synthetic

from bnbench import forecast
from bnbench.plan import cost
from bnbench.store import timings
from bnbench.wording import formats


@pytest.fixture(autouse=True)
def any_training_tells_a_pace(monkeypatch):
    """Trials of these tests are short; what little training may tell is tested by itself."""
    monkeypatch.setattr(timings, "_ENOUGH", 1e-12)


def stored(folder, pace, card="a card", at=1e9, **changes):
    """Trials of a study on a GPU that took `pace` times as long as is estimated, ended at a moment."""
    study = synthetic.plan(device=["cuda"], **changes)
    specs = {tuple(setting.labels.items()): setting.spec for setting in study.settings}
    count = len(study.seeds)

    def seconds(labels, seed):
        return pace * cost.seconds(specs[tuple(labels.items())], count) / count

    synthetic.stored(study, folder, device_name=card, seconds=seconds, threads=8)
    for setting in study.settings:
        for path in (folder / "trials" / setting.address).iterdir():
            os.utime(path, (at, at))
    return study


def test_a_pace_is_measured_over_estimated_time_of_as_many_seeds_as_trained_together(tmp_path):
    few = stored(tmp_path, 3.0, seeds=5)
    found = timings.paces("cuda", tmp_path)
    for setting in few.settings:
        assert found.own(setting.address) == pytest.approx(3)


def test_a_pace_is_trusted_in_proportion_to_the_training_that_was_timed(tmp_path, monkeypatch):
    (setting, *_) = stored(tmp_path, 9.0, seeds=5).settings
    timed = 9 * cost.seconds(setting.spec, 5)
    for enough, expected in ((timed / 2, 9), (timed, 9), (2 * timed, 3), (1e9 * timed, 1)):
        monkeypatch.setattr(timings, "_ENOUGH", enough)
        found = timings.paces("cuda", tmp_path, [setting.address])
        assert found.own(setting.address) == pytest.approx(expected)


def test_jobs_of_more_seeds_than_were_timed_take_what_so_many_take_by_that_pace(tmp_path):
    stored(tmp_path, 1000.0, seeds=2)
    more = synthetic.plan(device=["cuda"], seeds=256)
    training = sum(1000 * cost.seconds(setting.spec, 256) for setting in more.settings)
    assert training < 0.1 * 128 * 1000 * sum(cost.seconds(setting.spec, 2) for setting in more.settings)
    total = training + sum(cost.seconds_setting_up(setting.spec, 256) for setting in more.settings)
    assert f"GPU time    about {formats.duration(total)}, from" in forecast.describe(more, tmp_path)


def test_the_card_that_trained_last_tells_how_long_things_take(tmp_path):
    old = stored(tmp_path, 9.0, card="an old card", at=1e9, batch_size=[50, 20])
    new = stored(tmp_path, 2.0, card="a new card", at=2e9, batch_size=[10])
    found = timings.paces("cuda", tmp_path)
    assert found.card == "a new card"
    assert all(math.isnan(found.own(setting.address)) for setting in old.settings)
    assert all(found.nearest(setting.spec) == pytest.approx(2) for setting in (*old.settings, *new.settings))


def test_the_settings_that_have_most_in_common_with_a_new_one_set_its_pace(tmp_path):
    stored(tmp_path, 5.0, batch_size=[20], hidden=[8], activation="tanh")
    stored(tmp_path, 2.0, batch_size=[20])
    stored(tmp_path, 3.0, batch_size=[50])
    stored(tmp_path, 9.0, batch_size=[50], hidden=[8], optimizer=[{"name": "sgd", "lr": 0.1}])
    found = timings.paces("cuda", tmp_path)
    for setting in synthetic.plan(device=["cuda"], batch_size=[25]).settings:
        assert found.nearest(setting.spec) == pytest.approx(2.5)  # one key apart are 2 and 3
    for setting in synthetic.plan(device=["cuda"], batch_size=[25], hidden=[8], activation="tanh").settings:
        assert found.nearest(setting.spec) == pytest.approx(5)


def test_a_learning_rate_does_not_set_settings_apart(tmp_path):
    stored(tmp_path, 2.0)
    stored(tmp_path, 3.0, batch_size=[50], optimizer=[{"name": "adam", "lr": 0.5}])
    found = timings.paces("cuda", tmp_path)
    for setting in synthetic.plan(device=["cuda"], optimizer=[{"name": "adam", "lr": 0.5}]).settings:
        assert found.nearest(setting.spec) == pytest.approx(2)


def test_nothing_is_known_of_a_device_without_trials(tmp_path):
    stored(tmp_path, 2.0)
    found = timings.paces("cpu", tmp_path)
    assert not found.known()
    assert found.card == ""
    assert math.isnan(found.nearest(synthetic.plan().settings[0].spec))


def test_a_plan_names_the_card_that_its_estimate_comes_from(tmp_path):
    stored(tmp_path, 2.0, card="NVIDIA L4", seeds=8)
    again = forecast.describe(synthetic.plan(device=["cuda"], seeds=300), tmp_path)
    assert ", from earlier trials of the same settings (NVIDIA L4)\n" in again
    other = forecast.describe(synthetic.plan(device=["cuda"], seeds=8, batch_size=[25]), tmp_path)
    assert ", for 2 of 2 settings scaled by arithmetic from others (NVIDIA L4)\n" in other
    on_cpu = forecast.describe(synthetic.plan(seeds=8), tmp_path)
    assert ", by arithmetic alone: nothing has been timed here yet\n" in on_cpu
