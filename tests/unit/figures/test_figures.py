"""The figures: they show what the tables hold, for every shape that a study can have."""

import numpy as np
import pandas as pd
import pytest
from drawn_studies import GRID, STUDIES, TWO
from matplotlib import pyplot as plt
from synthetic import SPLITS, collected, plan, scored

from bnbench import compare, plot
from bnbench.figures import (
    batch_sizes,
    colours,
    curves,
    decomposition,
    differences,
    drawing,
    forest,
    heatmap,
    interactions,
    modes,
    pairs,
    panels,
    profile,
    ranks,
    style,
)
from bnbench.figures.axes import loss_axis
from bnbench.figures.panels import context_names
from bnbench.store import report_tables, schemas
from bnbench.vocabulary import LOSSES
from bnbench.wording import contents, titles

pytestmark = pytest.mark.filterwarnings("error")


def compared(tmp_path, changes, options):
    study = plan(**changes)
    compare.run(study, collected(study, tmp_path / "data", noise=0.2, **options), tmp_path, SPLITS)
    return study


def table(tmp_path, name):
    return report_tables.read(tmp_path, name)


@pytest.fixture(autouse=True)
def in_style():
    style.set_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("name", STUDIES)
def test_every_kind_of_study_has_all_its_figures(tmp_path, name):
    study = compared(tmp_path, *STUDIES[name])
    plot.run(study, tmp_path, ["svg"], processes=1)
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn == {*contents.figures(study), *map(contents.narrow_name, contents.narrow(study))}
    assert ("fit" in contents.figures(study)) == (name != "many inputs")
    assert ("interactions" in drawn) == (len(study.contexts()) > 1)
    assert ("profile" in drawn) == (len(study.contexts()) > 2)
    assert ("ranks" in drawn) == (len(study.arms) > 2)
    several = len(study.levels["batch_size"]) > 1 and study.report.factor != "batch_size"
    assert ("batch_sizes" in drawn) == several


def test_the_same_tables_give_the_same_bytes_in_whichever_process_they_are_drawn(tmp_path):
    study = compared(tmp_path, {}, {})
    drawn = []
    for processes in (2, 1):
        plot.run(study, tmp_path, processes=processes)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()})
    expected = {f"{figure}.{ending}" for figure in contents.figures(study) for ending in ("svg", "png")}
    assert set(drawn[0]) == expected | {f"{contents.narrow_name(figure)}.svg" for figure in contents.narrow(study)}
    assert [name for name, content in drawn[0].items() if content != drawn[1][name]] == []


def test_the_forest_stands_at_the_ratios_of_the_table(tmp_path):
    study = compared(tmp_path, GRID, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    contexts = table(tmp_path, "contexts")
    ax = forest.draw(study, contexts).axes[0]
    np.testing.assert_allclose(dots(ax), contexts["effect"])
    bars = [line.get_xdata() for line in ax.lines if line.get_solid_capstyle() == "butt" and line.get_marker() != "o"]
    expected = contexts[["effect_low", "effect_high", "own_low", "own_high"]].to_numpy().reshape(-1, 2)
    np.testing.assert_allclose([bar for bar in bars if len(bar) == 2 and set(bar) != {1}], expected)
    low, high = ax.get_xlim()
    assert low < min(1 / study.report.margin, contexts["effect_low"].min())
    assert high > contexts["effect_high"].max()
    shown = {text.get_text() for text in ax.texts}
    assert set(contexts["verdict"]) <= shown


def test_the_words_beside_the_forest_do_not_meet(tmp_path):
    study = compared(tmp_path, GRID, {})
    figure = forest.draw(study, table(tmp_path, "contexts").assign(verdict="equivalent"))
    figure.draw_without_rendering()
    texts = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert [(a, b) for i, a in enumerate(texts) for b in texts[:i] if a.overlaps(b)] == []


def test_panels_stand_in_rows_of_one_factor_under_titles_that_do_not_meet(tmp_path):
    rates = [{"name": name, "lr": rate} for name in ("adam", "sgd") for rate in (0.001, 0.002, 0.003, 0.004, 0.005)]
    study = compared(tmp_path, {"optimizer": rates, "batch_size": ["full", 25]}, {})
    figure = modes.draw(study, table(tmp_path, "modes"))
    figure.draw_without_rendering()
    rows = [figure.axes[start : start + 5] for start in range(0, 20, 5)]
    assert [len({round(ax.get_position().y0, 6) for ax in row}) for row in rows] == [1, 1, 1, 1]
    assert [{ax.get_title().split()[0] for ax in row} for row in rows] == [{"Adam"}, {"SGD"}] * 2
    titles = [ax.title.get_window_extent() for ax in figure.axes]
    assert [(a, b) for i, a in enumerate(titles) for b in titles[:i] if a.overlaps(b)] == []


def dots(ax):
    """Where the dots lie, along the x axis and as they were drawn."""
    return np.concatenate([np.atleast_1d(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"])


def test_a_ratio_is_filled_only_where_a_verdict_rests_on_it(tmp_path):
    some = {("batch", "25", seed): 3 for seed in range(8)}
    study = compared(
        tmp_path,
        {**GRID, "optimizer": [GRID["optimizer"][0]]},
        {
            "ratio": lambda labels, seed: 9.0 if labels["norm"] == "batch" else 1.0,
            "diverged": lambda labels, seed: some.get((labels["norm"], labels["batch_size"], seed)) if seed else None,
        },
    )
    contexts = table(tmp_path, "contexts")
    assert contexts[["verdict", "test"]].to_numpy().tolist() == [["hurts", "mean"], ["hurts", "worst-rank"]]
    ax = forest.draw(study, contexts).axes[0]
    filled = [line.get_markerfacecolor() for line in ax.lines if line.get_marker() == "o"]
    assert filled == [colours.HURTS, colours.PAPER]
    assert "diverged: BN 7, no BN 0 of 8" in {text.get_text().replace("\n", " ") for text in ax.texts}


def test_trajectories_have_a_dot_where_their_side_is_decided(tmp_path):
    study = compared(tmp_path, TWO, {"ratio": lambda labels, seed: 9.0 if labels["norm"] == "batch" else 1.0})
    rows = table(tmp_path, "differences")
    panels = differences.draw(study, rows).axes
    for ax, (_, line) in zip(panels, rows.groupby("batch_size", sort=False), strict=True):
        assert dots(ax) == line["decided_from"].iloc[0] + 1
        (curve,) = (drawn for drawn in ax.lines if len(drawn.get_xdata()) == len(line) and drawn.get_marker() == "None")
        np.testing.assert_array_equal(curve.get_ydata(), line["effect"])
    undecided = differences.draw(study, rows.assign(decided_from=np.nan))
    assert [dots(ax).size for ax in undecided.axes] == [0, 0]


def test_parts_of_a_difference_stand_at_the_ratios_of_the_table_and_the_total_is_hollow(tmp_path):
    study = compared(tmp_path, {}, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    rows = table(tmp_path, "decomposition")
    ax = decomposition.draw(study, rows).axes[0]
    total = rows["component"] == "total"
    drawn = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in drawn], rows["effect"])
    assert [line.get_markerfacecolor() == colours.PAPER for line in drawn] == total.tolist()
    assert [label.get_text().replace("\n", " ") for label in ax.get_yticklabels()] == rows["component"].tolist()


def test_interactions_stand_at_the_ratios_of_the_table_and_are_named(tmp_path):
    study = compared(tmp_path, GRID, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    rows = table(tmp_path, "interactions")
    ax = interactions.draw(study, rows).axes[0]
    np.testing.assert_allclose(dots(ax), rows["effect"])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["all contexts", "a doubling of the batch", "SGD instead of Adam"]
    assert ax.get_xlim()[0] < rows["low"].min() < rows["high"].max() < ax.get_xlim()[1]


def test_an_interaction_is_filled_where_it_is_decided_and_the_main_effect_is_the_largest_dot(tmp_path):
    study = compared(tmp_path, GRID, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    rows = table(tmp_path, "interactions")
    drawn = [line for line in interactions.draw(study, rows).axes[0].lines if line.get_marker() == "o"]
    filled = [line.get_markerfacecolor() != colours.PAPER for line in drawn]
    decided = rows["p_adjusted"].lt(0.05) & (rows["low"].gt(1) | rows["high"].lt(1))
    assert filled == decided.tolist()
    assert filled[0]
    assert not all(filled)
    assert [line.get_markersize() for line in drawn] == [9, 6, 6]


SLOW, FAST = ({"name": "batch", "momentum": momentum} for momentum in (0.01, 0.5))
MANY = {
    "norm": ["none", "batch", "layer", "population", "ghost", "frozen", SLOW, FAST],
    "batch_size": ["full", 50, 25, 5],
    "optimizer": [{"name": name, "lr": 0.01} for name in ("adam", "sgd", "rmsprop", "adagrad")],
}


def test_eight_arms_in_sixteen_contexts_are_named_apart_in_the_figures_of_all_contexts_together(tmp_path):
    study = compared(tmp_path, MANY, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    assert (len(study.arms), len(study.contexts())) == (8, 16)
    placed = ranks.draw(study, table(tmp_path, "ranks"))
    assert apart(placed, [*placed.axes[0].texts, *placed.axes[0].get_yticklabels()])
    drawn = profile.draw(study, table(tmp_path, "profile"))
    (legend,) = drawn.legends
    assert {text.get_text() for text in legend.get_texts()} == {titles.arm(study, arm) for arm in study.arms[1:]}
    assert apart(drawn, legend.get_texts())
    drawn = interactions.draw(study, table(tmp_path, "interactions"))
    assert apart(drawn, [*drawn.axes[0].texts, *drawn.axes[0].get_yticklabels()])


def test_the_profile_is_drawn_at_the_shares_of_its_table(tmp_path):
    study = compared(tmp_path, {"batch_size": ["full", 2, 10]}, {})
    rows = table(tmp_path, "profile")
    ax = profile.draw(study, rows).axes[0]
    (line,) = (line for line in ax.lines if len(line.get_xdata()) == len(rows))
    np.testing.assert_array_equal(line.get_xydata(), rows[["threshold", "reached"]])
    assert line.get_drawstyle() == "steps-post"


def test_arms_stand_at_their_mean_ranks_and_a_bar_has_a_dot_at_each_arm_of_a_group(tmp_path):
    study = compared(tmp_path, FIVE, {"ratio": lambda labels, seed: 9.0 if labels["norm"] == "layer" else 1.0})
    rows = table(tmp_path, "ranks")
    assert rows["groups"].tolist() == ["a"] * 4 + ["b"]
    ax = ranks.draw(study, rows).axes[0]
    drawn = [line for line in ax.lines if line.get_marker() == "o"]
    np.testing.assert_allclose([line.get_xdata()[0] for line in drawn[:5]], rows["mean_rank"])
    assert [line.get_ydata()[0] for line in drawn[:5]] == [0, 1, 2, 3, 4]
    (bar,) = drawn[5:]
    assert bar.get_ydata().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("draw", "name", "numbers"),
    [(interactions.draw, "interactions", ["effect", "low", "high"]), (profile.draw, "profile", ["threshold"])],
)
def test_differences_stand_on_a_linear_axis_with_a_line_at_none(tmp_path, draw, name, numbers):
    study = compared(tmp_path, GRID, {})
    rows = table(tmp_path, name)
    scores = rows.assign(**{number: np.log(rows[number]) for number in numbers})
    ax = draw(scored(study), scores).axes[0]
    assert ax.get_xscale() == "linear"
    assert any(set(line.get_xdata()) == {0} for line in ax.lines)
    low, high = ax.get_xlim()
    assert low < scores[numbers].min().min() < scores[numbers].max().max() < high


def test_ratios_stand_at_their_number_of_examples(tmp_path):
    study = compared(tmp_path, GRID, {"ratio": lambda labels, seed: 3.0 if labels["norm"] == "batch" else 1.0})
    rows = table(tmp_path, "contexts")
    panels = batch_sizes.draw(study, rows).axes
    assert [ax.get_title() for ax in panels] == ["Adam", "SGD"]
    lines = [line for ax in panels for line in ax.lines if line.get_marker() == "o"]
    drawn = {(x, y) for line in lines for x, y in line.get_xydata()}
    assert drawn == set(rows[["examples", "effect"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("loss", [1.1754943508222875e-38, 1e-3])
@pytest.mark.parametrize("apart", [0.0, 4e-16, 1e-14])
def test_losses_that_differ_by_rounding_alone_are_within_their_axes(loss, apart):
    rows = [
        {**plan().settings[0].labels, "norm": norm, "outcome": outcome, "loss": loss * (1 + apart * (norm == "batch"))}
        for norm in ("none", "batch")
        for outcome in LOSSES
    ]
    drawn = pd.DataFrame(rows).assign(low=lambda table: table["loss"], high=lambda table: table["loss"])
    figure = modes.draw(plan(), drawn)
    figure.draw_without_rendering()
    low, high = figure.axes[0].get_xlim()
    assert low < loss < high


FIVE = {"norm": ["none", "batch", "layer", {"name": "batch", "momentum": 0.01}, "population"]}


def apart(figure, texts):
    """Whether no two of the texts of a drawn figure meet."""
    figure.draw_without_rendering()
    boxes = [text.get_tightbbox() for text in texts if text.get_text()]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_long_names_of_arms_below_narrow_panels_stand_upright_and_short_ones_straight(tmp_path):
    study = compared(tmp_path, {**TWO, **FIVE}, {})
    rows = table(tmp_path, "pairs")
    for chosen, angle in ((FIVE, 90), ({}, 0)):
        ax = pairs.draw(plan(**{**TWO, **chosen}), rows).axes[-1]
        assert {label.get_rotation() for label in ax.get_xticklabels()} == {angle}
    assert len(study.arms) == 5


def test_a_heatmap_has_a_factor_of_several_levels_across(tmp_path):
    study = compared(tmp_path, {"hidden": [[4], [8], [4, 4]]}, {})
    ax = heatmap.draw(study, table(tmp_path, "contexts")).axes[0]
    names = ["4 hidden units", "8 hidden units", "4–4 hidden units"]
    assert [label.get_text() for label in ax.get_xticklabels()] == names


def test_a_heatmap_writes_the_verdicts_of_contexts_that_are_judged_by_ranks(tmp_path):
    options = {
        "diverged": lambda labels, seed: 3 if labels["norm"] == "batch" and labels["batch_size"] == "25" else None
    }
    study = compared(tmp_path, {**GRID, "optimizer": [GRID["optimizer"][0]]}, options)
    ax = heatmap.draw(study, table(tmp_path, "contexts")).axes[0]
    assert "hurts\n(by ranks)" in [text.get_text() for text in ax.texts]
    assert len(ax.texts) == 2


def test_what_is_not_decided_is_told_in_numbers_beside_the_forest(tmp_path):
    study = compared(tmp_path, TWO, {})
    contexts = table(tmp_path, "contexts")
    assert set(contexts["verdict"]) == {"undecided"}
    beside = " ".join(text.get_text() for text in forest.draw(study, contexts).axes[0].texts)
    assert "higher" not in beside
    assert "lower" not in beside


def test_every_figure_is_drawn_from_a_table_that_there_is_and_has_a_caption():
    assert set(drawing.FIGURES) >= set(contents.figures(plan(**GRID)))
    assert set(drawing.FIGURES) == set(contents.SOURCES)
    assert set(contents.SOURCES.values()) <= set(schemas.TABLES)


def test_every_seed_is_plotted(tmp_path):
    at = {("batch", 1): 5, ("batch", 4): 5}
    study = compared(tmp_path, {}, {"diverged": lambda labels, seed: at.get((labels["norm"], seed))})
    ax = pairs.draw(study, table(tmp_path, "pairs")).axes[0]
    losses = np.concatenate([line.get_ydata() for line in ax.lines if line.get_marker() == "o"])
    assert np.isfinite(losses).sum() == 2 * len(study.seeds) - 2
    assert [text.get_text() for text in ax.texts] == ["2"]


def test_an_arm_has_one_colour_in_all_figures(tmp_path):
    study = compared(tmp_path, STUDIES["three arms"][0], {})
    colours = style.palette(study)
    assert len(set(colours.values())) == 3
    curve_colours = {line.get_color() for line in curves.draw(study, table(tmp_path, "curves")).axes[0].lines}
    assert curve_colours == set(colours.values())


def test_the_verdicts_and_the_arms_have_colours_of_their_own():
    verdicts = [colours.of_verdict(verdict) for verdict in ("helps", "hurts", "equivalent", "undecided", "no data")]
    assert verdicts == [colours.HELPS, colours.HURTS, colours.UNDECIDED, colours.UNDECIDED, colours.UNDECIDED]
    assert len({*verdicts, *colours.ARMS}) == 3 + len(colours.ARMS)


@pytest.mark.parametrize("colour", [colours.HELPS, colours.HURTS, colours.UNDECIDED, *colours.ARMS])
def test_a_colour_stands_out_from_light_and_from_dark_pages(colour):
    assert contrast(colour, "#ffffff") >= 3
    assert contrast(colours.DARK[colour], colours.DARK[colours.PAPER]) >= 4.5


def contrast(one, other):
    """The contrast of two colours as WCAG 2.2 has it."""
    linear = [np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]) for colour in (one, other)]
    parts = [np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722] for c in linear]
    return (max(parts) + 0.05) / (min(parts) + 0.05)


def test_contexts_keep_their_rows_when_they_are_named(tmp_path):
    study = compared(tmp_path, GRID, {})
    rows = table(tmp_path, "pairs")
    names = pd.Series(context_names(study, rows))
    assert names.nunique() == 4
    assert (names.groupby([rows["batch_size"], rows["optimizer"]]).nunique() == 1).all()


def test_a_dot_at_the_edge_of_what_all_panels_show_is_not_cut():
    sheet = panels.grid([("", pd.DataFrame())] * 2, style.WIDE, 2, left=0.8)
    for panel, losses in zip(sheet.panels, ([1e-5, 1e-3], [1.0, 1.1]), strict=True):  # the second spans next to nothing
        loss_axis(panel.axes[0])
        panel.axes[0].plot([0, 1], losses, "o", ms=6)
        panel.show([0, 1], losses, colours.INK)
    panels.finish(sheet, log=True)
    radius = 3 / 72 * sheet.figure.dpi
    for panel in sheet.panels:
        ax = panel.axes[0]
        for _, y in ax.transData.transform(ax.lines[0].get_xydata()):
            assert ax.bbox.y0 + radius < y < ax.bbox.y1 - radius
