"""What holds for every figure of every study, wide and narrow: numbers, places of texts, colours, scales."""

import re
from itertools import combinations

import numpy as np
import pytest
from drawn_studies import GRID, LARGE, STUDIES
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from synthetic import SPLITS, collected, plan

from bnbench import compare
from bnbench.figures import colours, differences, drawing, heatmap, limits, panels, style, ticks
from bnbench.store import report_tables
from bnbench.wording import captions, contents

OF_RATIOS = ("forest", "heatmap", "differences", "decomposition", "interactions", "batch_sizes")
OF_LOSSES = ("curves", "pairs", "fit", "modes", "ranks", "profile")


@pytest.fixture(autouse=True)
def in_style():
    style.set_style()
    yield
    plt.close("all")


def drawn(study, folder):
    """Every figure of a study that has something to show, in both widths: its name, its room and itself."""
    for name in contents.figures(study):
        draw, columns = drawing.FIGURES[name]
        table = contents.drawn(study, name, report_tables.read(folder, contents.SOURCES[name]))
        for room in (style.WIDE, *([style.NARROW] if name in contents.narrow(study) else [])):
            if table[list(columns)].notna().any(axis=None):
                figure = draw(study, table, room)
                figure.draw_without_rendering()
                yield name, room, figure
                plt.close(figure)


def texts_of(figure):
    """All texts that a figure shows, without those of axes that are left blank."""
    found = [text for text in figure.findobj(plt.Text) if text.get_visible() and text.get_text().strip()]
    shown = []
    for text in found:
        axis = next((axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis) if text in labels_of(axis)), None)
        if axis is None or inside(axis, text):
            shown.append(text)
    return shown


def labels_of(axis):
    return [tick.label1 for tick in axis.get_major_ticks()]


def inside(axis, text):
    """Whether a label of a tick is within the limits of its axis."""
    low, high = sorted(axis.get_view_interval())
    place = text.get_position()[0 if axis.axis_name == "x" else 1]
    return (
        low * (1 - 1e-9) - 1e-9 <= place <= high * (1 + 1e-9) + 1e-9 if low > 0 else low - 1e-9 <= place <= high + 1e-9
    )


def numbers(axis):
    """The labels that an axis shows within its limits."""
    return [
        text.get_text() for text in labels_of(axis) if text.get_visible() and text.get_text() and inside(axis, text)
    ]


def flaws(name, room, figure):
    """What is wrong with a drawn figure, in words."""
    where = f"{name}{' narrow' if room.narrow else ''}"
    shown = texts_of(figure)
    found = [f"{where}: {text.get_text()!r}" for text in shown if {"nan", "inf"} & set(words(text.get_text()))]
    boxes = [(text, text.get_window_extent()) for text in shown]
    scale = figure.dpi
    found += [
        f"{where}: {text.get_text()!r} is outside"
        for text, box in boxes
        if box.x0 < -0.02 * scale or box.x1 > (room.width + 0.02) * scale
    ]
    found += [
        f"{where}: {one.get_text()!r} and {other.get_text()!r} meet"
        for (one, a), (other, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5
    ]
    return found + [f"{where}: {flaw}" for flaw in axes_without_numbers(figure)]


def words(text):
    return text.replace("(", " ").replace(")", " ").casefold().split()


def axes_without_numbers(figure):
    """Axes of numbers with fewer than two of them, unless they share their limits with one that has them."""
    scales = {}
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if isinstance(axis.get_major_locator(), ticks.Ticks):
                scales.setdefault((axis.axis_name, *np.round(axis.get_view_interval(), 12)), []).append(
                    len(numbers(axis))
                )
    return [f"{limits} has {max(counts)} numbers" for limits, counts in scales.items() if max(counts) < 2]


def made(tmp_path, changes, options):
    study = plan(**changes)
    compare.run(study, collected(study, tmp_path / "data", noise=0.2, **options), tmp_path, SPLITS)
    return study


@pytest.mark.parametrize("name", STUDIES)
def test_every_figure_has_numbers_at_its_axes_and_texts_that_do_not_meet(tmp_path, name):
    study = made(tmp_path, *STUDIES[name])
    assert [flaw for figure in drawn(study, tmp_path) for flaw in flaws(*figure)] == []


def test_a_panel_that_has_nothing_to_show_says_so(tmp_path):
    one = {"diverged": lambda labels, seed: 3 if labels == {**labels, "norm": "batch", "batch_size": "25"} else None}
    study = made(tmp_path, GRID | {"optimizer": GRID["optimizer"][:1]}, one)
    figure = differences.draw(study, report_tables.read(tmp_path, "differences"))
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [[], ["no finite value"]]


def test_of_many_fits_some_are_drawn_that_the_caption_counts(tmp_path):
    study = made(tmp_path, *LARGE["64 contexts"])
    shown = contents.drawn(study, "fit", report_tables.read(tmp_path, "fit"))
    held = [factor for factor in study.varied() if factor in shown]
    assert len(shown[held].drop_duplicates()) == contents.FITS == contents.fits(study)[0]
    assert all(set(shown[factor]) == set(study.levels[factor]) for factor in held)
    assert "24 of 64 contexts" in captions.facts(study)["some_fits"]


def test_a_long_line_has_its_ends_and_its_places_in_the_svg(tmp_path):
    figure, ax = plt.subplots()
    x = np.linspace(0, 6, 200)
    (line,) = ax.plot(x, np.sin(x))
    figure.draw_without_rendering()
    wanted = ax.transData.transform(line.get_xydata()) * 72 / figure.dpi
    style.save(figure, tmp_path, "sine", ["svg"])
    (path,) = re.findall(r' d="M([^"l]*)l([^"]*)"', (tmp_path / "sine.svg").read_text())
    steps = [np.array(part.split(), float).reshape(-1, 2) for part in path]
    found = np.concatenate(steps).cumsum(axis=0)
    np.testing.assert_allclose(np.ptp(found, axis=0), np.ptp(wanted, axis=0), atol=0.2)
    assert found[-1][0] - found[0][0] == pytest.approx(np.ptp(wanted[:, 0]), abs=0.11)


@pytest.mark.parametrize("name", LARGE)
def test_figures_of_many_arms_and_contexts_hold(tmp_path, name):
    study = made(tmp_path, *LARGE[name])
    assert len(study.contexts()) in (16, 64)
    found, palette = [], {*style.palette(study).values()}
    for figure_name, room, figure in drawn(study, tmp_path):
        found += flaws(figure_name, room, figure)
        used = colours_of(figure)
        if figure_name in OF_RATIOS:
            assert not used & palette, figure_name
        if figure_name in OF_LOSSES:
            assert not used & {colours.HELPS, colours.HURTS}, figure_name
        if figure_name == "curves" and len(study.arms) > 3:
            assert all(len(colours_of_lines(ax)) <= 2 for ax in figure.axes)
            assert max(ax.get_ylim()[1] for ax in figure.axes) > 1e4 * min(ax.get_ylim()[1] for ax in figure.axes)
            assert "each panel has its own scale" in {text.get_text() for text in figure.legends[0].get_texts()}
    assert found == []


def colours_of(figure):
    return {colour for ax in figure.axes for colour in colours_of_lines(ax)} | {
        to_hex(patch.get_facecolor()) for ax in figure.axes for patch in ax.patches
    }


def colours_of_lines(ax):
    return {to_hex(line.get_color()) for line in ax.lines} - {colours.INK, colours.GREY}


@pytest.mark.parametrize("most", [3, 5, 7])
def test_an_axis_has_at_least_two_numbers_whatever_it_spans(most):
    random = np.random.default_rng(0)
    for _ in range(3000):
        low = 10 ** random.uniform(-30, 30)
        high = low * 10 ** (10 ** random.uniform(-4, 1.6))
        places = ticks.log_ticks(low, high, most)
        assert len({ticks.label(place) for place in places}) == len(places) >= 2
        assert low * (1 - 1e-8) <= min(places) < max(places) <= high * (1 + 1e-8)
        start, span = random.uniform(-1, 1) * 10 ** random.uniform(-5, 5), 10 ** random.uniform(-4, 4)
        assert len(ticks.linear_ticks(start, start + span, most)) >= 2
        ends = min(low, 0.99), max(high, 1.01)
        assert 1 in ticks.with_line(ticks.log_ticks(*ends, most), 1, *ends, log=True)


def test_an_axis_is_not_drawn_out_to_a_few_values_that_explode():
    usual = np.geomspace(0.01, 1, 50)
    low, high = limits.robust(np.append(usual, [1e11, 1e-9]), log=True)
    assert (low, high) == pytest.approx((0.01, 1))
    assert limits.robust(np.geomspace(1e-9, 1e3, 50), log=True) == pytest.approx((1e-9, 1e3))  # no outliers
    assert limits.robust(np.array([np.nan, np.inf, 0.0]), log=True) is None


@pytest.mark.parametrize(("other", "shared"), [(1.0, True), (50.0, True), (1e7, False)])
def test_panels_share_their_scale_unless_they_lie_decades_apart(other, shared):
    near, far = np.array([0.1, 1.0]), other * np.array([0.1, 1.0])
    (one, two), found = limits.for_panels([near, far], log=True)
    assert found == shared
    assert (one == two) == shared


def test_what_goes_on_beyond_an_axis_has_a_caret_and_is_said():
    sheet = panels.grid([("", None)], style.WIDE, 1, left=0.8)
    panel = sheet.panels[0]
    panel.show(np.arange(52), [*np.geomspace(0.01, 1, 50), 1e11, 1e-9], colours.ARMS[1])
    panels.finish(sheet, log=True)
    carets = {line.get_marker(): line.get_xdata()[0] for line in panel.axes[0].lines}
    assert carets == {"^": 50, "v": 51}
    assert "goes on beyond the axis" in sheet.notes


@pytest.mark.parametrize(("verdict", "colour"), [("undecided", None), ("equivalent", None), ("hurts", colours.HURTS)])
def test_a_cell_of_the_heat_map_has_the_colour_of_its_verdict_and_none_where_nothing_is_decided(
    tmp_path, verdict, colour
):
    study = made(tmp_path, *STUDIES["a grid"])
    table = report_tables.read(tmp_path, "contexts").assign(verdict=verdict)
    ax = heatmap.draw(study, table).axes[0]
    cells = {to_hex(patch.get_facecolor()) for patch in ax.patches}
    grey = [len({cell[1:3], cell[3:5], cell[5:7]}) == 1 for cell in cells]
    assert all(grey) if colour is None else not any(grey)
