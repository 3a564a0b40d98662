"""The arithmetic of training is pinned: when a loss changes, results on disk are of another kind."""

import pandas as pd
import pytest
from golden import FILE, SETTINGS, UNTRAINED, added, losses

from bnbench.catalogue import sources
from bnbench.catalogue.guarded import GUARDED
from bnbench.plan.settings import NUMERICS

GOLDEN = pd.read_csv(FILE)


@pytest.mark.parametrize("name", SETTINGS)
def test_the_losses_are_those_of_these_numerics(name):
    # Kinds of processors differ in the last digits, which six epochs of float32 do not carry far.
    digits = {"float64": 1e-10, "float32": 1e-4}[SETTINGS[name]["dtype"]]
    expected = GOLDEN[GOLDEN.setting == name].drop(columns="setting").reset_index(drop=True)
    try:
        pd.testing.assert_frame_equal(losses(SETTINGS[name]), expected, rtol=digits, atol=0)
    except AssertionError as error:
        error.add_note(f"If the change is meant, raise NUMERICS (now {NUMERICS}) and run tests/unit/golden.py")
        raise


def test_every_golden_setting_is_compared():
    assert set(GOLDEN.setting) == set(SETTINGS)


def test_the_classes_that_are_called_guarded_are_those_that_the_golden_settings_train_with():
    with added():
        used = {(kind, name) for setting in SETTINGS.values() for kind, name in sources.names(setting).items()}
        classes = UNTRAINED | {base for kind, name in used for base in sources.KINDS[kind][name].__mro__}
    found = {}
    for one in classes:
        if one.__module__ in GUARDED:
            found.setdefault(one.__module__, set()).add(one.__qualname__)
    assert found == GUARDED
