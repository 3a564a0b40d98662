"""The effect over the epochs: each measurement has the colour of the side on which its band lies."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from synthetic import plan

from bnbench.figures import colours, decomposition, differences, style


@pytest.fixture(autouse=True)
def in_style():
    style.set_style()
    yield
    plt.close("all")


def course(study, limits):
    """A table of one context with these limits at epochs 9, 19, 39, …"""
    low, high = np.array(limits, float).T
    (context, _), *_ = study.contexts()
    epochs = 10 * 2 ** np.arange(len(limits)) - 1
    labels = {**context, "baseline": "none", "treatment": "batch"}
    numbers = {"epoch": epochs, "pairs": 8, "effect": np.sqrt(low * high), "low": low, "high": high}
    return pd.DataFrame({**labels, **numbers, "limits": "flips", "decided_from": np.nan})


def test_each_measurement_has_the_colour_of_its_side_the_first_and_lone_ones_too():
    study = plan(batch_size=["full"])
    table = course(study, [(0.5, 0.8), (0.9, 1.2), (1.2, 2.0), (1.5, 2.5), (0.8, 1.3)])
    (ax,) = differences.draw(study, table).axes
    lines = [line for line in ax.lines if len(line.get_xdata()) > 1 and line.get_lw() == 1.6]
    expected = [colours.HELPS, colours.UNDECIDED, colours.HURTS, colours.HURTS, colours.UNDECIDED]
    for epoch, effect, colour in zip(table["epoch"], table["effect"], expected, strict=True):
        here = [line for line in lines if epoch + 1 in line.get_xdata()]
        assert [line.get_color() for line in here] == [colour]
        np.testing.assert_allclose(here[0].get_ydata()[list(here[0].get_xdata()).index(epoch + 1)], effect)
    ends = [line.get_xdata()[[0, -1]] for line in lines]
    np.testing.assert_allclose([end[0] for end in ends[1:]], [end[1] for end in ends[:-1]])


def test_a_part_of_a_difference_is_coloured_only_where_its_adjusted_test_decides_too():
    study = plan(batch_size=["full"])
    (context, _), *_ = study.contexts()
    rows = [("weights", 0.01), ("stale averages", 0.2), ("total", 0.01), ("batch noise", 0.2)]
    table = pd.DataFrame(
        [
            {**context, "baseline": "none", "treatment": "batch", "component": name, "p_adjusted": p}
            | {"pairs": 8, "effect": 2.0, "low": 1.5, "high": 2.5}
            for name, p in rows
        ]
    )
    ax = decomposition.draw(study, table).axes[0]
    bars = [line.get_color() for line in ax.lines if line.get_lw() == 2.4]
    assert bars == [colours.HURTS, colours.UNDECIDED, colours.HURTS, colours.UNDECIDED]
