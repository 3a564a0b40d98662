"""What is shown of classes: the accuracy over the epochs, and which class is predicted as which."""

from functools import partial

import counted
import numpy as np
import pytest
import synthetic
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from bnbench import compare, plot, report
from bnbench.figures import accuracy, colours, confusion, style
from bnbench.store import report_tables
from bnbench.wording import classes, contents

pytestmark = pytest.mark.filterwarnings("error")

CELLS = {"": "undecided", colours.HELPS: "helps", colours.HURTS: "hurts", colours.UNDECIDED: "undecided"}


@pytest.fixture(autouse=True)
def in_style():
    style.set_style()
    yield
    plt.close("all")


@pytest.fixture
def shown(tmp_path):
    """Compare a study on counts; returns the study, the table that the figure shows, and its folder."""

    def run(counts=counted.drawn, **changes):
        study = synthetic.plan(**{"task": "moons", "seeds": 7, **changes})
        found = counted.frames(study, counts)
        for name in ("curves", "trials"):
            found[name]["test_accuracy"] = np.exp(-found[name]["test_loss"])
        synthetic.write(found, tmp_path / "data")
        compare.run(study, tmp_path / "data", tmp_path, synthetic.SPLITS)
        return study, contents.drawn(study, "confusion", report_tables.read(tmp_path, "confusion")), tmp_path

    return run


def of_cells(ax):
    """The colour of each cell of a matrix and its number, by row and column."""
    patches = [each for each in ax.patches if isinstance(each, Rectangle) and each.get_facecolor()[3] > 0]
    filled = {(int(p.get_y()), int(p.get_x())): to_hex(p.get_facecolor()) for p in patches}
    numbers = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in ax.texts}
    return {place: (filled[place], number) for place, number in numbers.items()}


@pytest.mark.parametrize("rates", [(0.5, 0.1), (0.1, 0.5), (0.3, 0.3)])
def test_a_cell_has_the_colour_of_its_verdict_and_the_difference_in_points(shown, rates):
    study, table, _ = shown(partial(counted.drawn, rates=rates, classes=2))
    (ax,) = confusion.draw(study, table).axes
    cells = of_cells(ax)
    assert len(cells) == len(table) == 4
    for row in table.to_dict("records"):
        colour, number = cells[int(row["class"]), int(row["predicted"])]
        assert CELLS[colour] == row["verdict"]
        assert float(number.replace("−", "-")) == pytest.approx(100 * row["effect"], abs=0.5)


def test_what_never_occurs_is_left_blank_and_the_classes_are_in_their_order(shown):
    study, table, _ = shown(partial(counted.drawn, classes=10), task="digits")
    (ax,) = confusion.draw(study, table).axes
    assert len(of_cells(ax)) == 20
    assert [label.get_text() for label in ax.get_yticklabels()] == [*map(str, range(10))]
    assert ax.yaxis_inverted()


def test_six_comparisons_are_drawn_and_the_figure_says_how_many_are_not(shown):
    study, table, _ = shown(norm=["none", "batch", "layer"], batch_size=["full", 20, 25, 50])
    figure = confusion.draw(study, table)
    assert len(figure.axes) == classes.PANELS == 6
    assert [text.get_text() for text in figure.texts] == ["2 more comparisons are in confusion.csv."]


def test_of_many_classes_the_largest_differences_are_listed_the_decided_ones_first(shown, tmp_path):
    rows = ["x,z,kind", *(f"{i % 7},{i % 5},kind {i % 14:02d}" for i in range(140))]
    (tmp_path / "kinds.csv").write_text("\n".join(rows) + "\n")

    def counts(labels, seed):
        matrix = np.array(counted.drawn(labels, seed, classes=14, rates=(0.1, 0.12)))
        if labels["norm"] == "batch":
            matrix[3, 3], matrix[3, 4] = 10, 40
        return matrix.tolist()

    task = {"name": "table", "path": str(tmp_path / "kinds.csv"), "target": "kind"}
    study, table, _ = shown(counts, task=task, seeds=10)
    (ax,) = confusion.draw(study, table).axes
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert len(labels) == classes.LISTED == 12
    assert {*labels[:2]} == {"kind 03 recognized", "kind 03 predicted as kind 04"}
    listed = classes.largest(table)
    assert {row["verdict"] for row in listed[:2]} == {"hurts"}
    points = [line for line in ax.lines if line.get_marker() == "o"]
    for row, point in zip(listed, points, strict=True):
        assert point.get_xdata()[0] == pytest.approx(100 * row["effect"])
        assert to_hex(point.get_color()) == colours.of_verdict(row["verdict"])


def test_the_accuracy_is_drawn_in_per_cent_with_a_band_between_0_and_100(shown):
    study, _, folder = shown(batch_size=["full", 25])
    table = contents.drawn(study, "accuracy", report_tables.read(folder, "curves"))
    assert set(table["outcome"]) == {"test_accuracy"}
    figure = accuracy.draw(study, table)
    assert len(figure.axes) == 2
    for ax, (_, part) in zip(figure.axes, table.groupby("batch_size", sort=False), strict=True):
        assert [line.get_ydata()[-1] for line in ax.lines] == pytest.approx(
            part.groupby("norm", sort=False)["loss"].last().tolist()
        )
        for band in ax.collections:
            heights = band.get_paths()[0].vertices[:, 1]
            assert (heights >= 0).all()
            assert (heights <= 1).all()
    figure.canvas.draw()
    shown_ticks = [label.get_text() for label in figure.axes[0].get_yticklabels() if label.get_text()]
    assert len(shown_ticks) >= 2
    assert all(text.endswith(" %") for text in shown_ticks)


@pytest.mark.parametrize(("outcome", "there"), [("test_loss", True), ("test_accuracy", False), ("test_error", False)])
def test_the_accuracy_has_a_figure_where_the_curves_do_not_show_it(outcome, there):
    study = synthetic.scored(synthetic.plan(task="moons"), outcome) if outcome != "test_loss" else None
    named = contents.figures(study or synthetic.plan(task="moons"))
    assert ("accuracy" in named) == there
    assert "confusion" in named


@pytest.mark.parametrize("task", ["sine", "diabetes"])
def test_of_numbers_neither_is_shown(task):
    study = synthetic.plan(task=task)
    assert not {"accuracy", "confusion"} & {*contents.figures(study)}
    assert "confusion" not in contents.tables(study)


@pytest.mark.parametrize("known", [True, False], ids=["counted", "of an earlier version"])
def test_the_page_shows_both_and_leaves_out_what_results_do_not_hold(shown, known):
    study, _, folder = shown(counted.drawn if known else lambda labels, seed: None)
    plot.run(study, folder, ["svg"], processes=1)
    report.run(study, folder)
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert 'id="figure-accuracy"' in page
    assert ('id="figure-confusion"' in page) == known
    drawn = (folder / "figures" / "confusion.svg").read_text(encoding="utf-8")
    assert "nan" not in drawn.lower()
