"""Pages of studies that name pairs or tune rates: what they show beside that of any study."""

import base64
import json
import re
from functools import partial
from html import unescape

import numpy as np
import pytest
import synthetic
from matplotlib import pyplot as plt
from named_pairs import KNOWN, NAMED, NORMS, PLAIN, TUNED, by_rate

from bnbench import compare, plot, report
from bnbench.figures import drawing, forest, interactions, rates, style
from bnbench.store import report_tables
from bnbench.wording import contents

pytestmark = pytest.mark.filterwarnings("error")


def text_of(html):
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


@pytest.fixture
def rendered(tmp_path):
    return partial(synthetic.rendered, tmp_path)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """Folder and page of the tuned study."""
    folder = tmp_path_factory.mktemp("tuned")
    return folder, synthetic.rendered(folder, TUNED, ratio=by_rate, noise=0.05)


def dots(ax):
    return np.concatenate([np.atleast_1d(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"])


def test_the_page_of_named_pairs_shows_them_in_its_tables_and_lets_one_choose(rendered, tmp_path):
    page = rendered(NAMED, drawn=True, **KNOWN)
    said = text_of(page)
    assert said.count("layer norm against BN, full batch") >= 2
    assert re.search(r"<option[^>]*>layer norm against BN</option>", page)
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', page)
    assert len(images) == len(contents.figures(NAMED))
    assert all(base64.b64decode(drawn).startswith(b"<?xml") for drawn, _ in images)
    contexts = report_tables.read(tmp_path, "contexts")
    style.set_style()
    np.testing.assert_allclose(np.sort(dots(forest.draw(NAMED, contexts).axes[0])), np.sort(contexts["effect"]))
    rows = report_tables.read(tmp_path, "interactions")
    ax = interactions.draw(NAMED, rows).axes[0]
    np.testing.assert_allclose(dots(ax), rows["effect"])
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["all contexts", "a doubling of the batch"] * 3
    headings = [text.get_text() for text in ax.figure.texts if text.get_fontweight() == "bold"]
    assert headings == ["BN", "layer norm", "layer norm against BN"]
    plt.close("all")


def test_figures_of_single_seeds_and_epochs_show_what_is_compared_with_the_baseline_alone(
    rendered, tmp_path, monkeypatch
):
    shown = {}
    for name, (_, columns) in drawing.FIGURES.items():

        def draw(study, table, room, name=name):
            shown[name] = table
            return style.empty("")

        monkeypatch.setitem(drawing.FIGURES, name, (draw, columns))
    rendered(NAMED, drawn=True, **KNOWN)
    assert set(shown) == set(contents.figures(NAMED))
    for name, table in shown.items():
        if "baseline" in table:
            assert set(table["baseline"]) == ({"none", "batch"} if name in contents.ALL_COMPARISONS else {"none"})
    plt.close("all")


def ring_rates(axes):
    """The rates at which there is a ring, by the colour of the ring."""
    return {line.get_markeredgecolor(): line.get_xdata().tolist() for line in axes.lines if line.get_markersize() == 10}


def test_the_page_of_a_tuned_study_has_the_rates_their_figure_and_the_claims(tuned):
    folder, page = tuned
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert "rates" in contents.figures(TUNED)
    assert (folder / "figures" / "rates.svg").exists()
    assert 'id="rates"' in page
    assert 'href="#rates"' in page
    said, headline = text_of(page), verdicts["headline"]
    assert verdicts["sentence"].startswith(f"{headline}. ")
    rest = verdicts["sentence"].removeprefix(f"{headline}. ")
    for sentence in (headline, rest, verdicts["equal_rates"], *verdicts["tuned"]):
        assert sentence in said
    assert "no BN at lr=0.001 for all 8 seeds and BN at lr=0.01 for all 8 seeds." in said
    assert "BN at lr=0.01 for all 8 seeds and layer norm at lr=0.001 for all 8 seeds." in said
    assert "Each arm has the learning rate that the other seeds’ validation losses choose" in said
    assert "on 25 % of the training points" in said
    section = page.partition('id="rates"')[2].partition("<h2")[0]
    best = re.findall(r'<tr class="(\w+)"><th scope="row">([^<]*)</th>\s*<td>([^<]*)</td><td>([^<]*)</td>', section)
    assert [row[1:] for row in best if row[0] != "equal"] == [
        ("BN, Adam", "lr=0.001", "lr=0.01"),
        ("layer norm, Adam", "lr=0.001", "lr=0.001"),
        ("layer norm against BN, Adam", "lr=0.01", "lr=0.001"),
    ]
    equal = [row[1:] for row in best if row[0] == "equal"]
    assert equal == [("at equal rates", rate, rate) for rate in ("lr=0.001", "lr=0.01")] * 3
    assert 'id="claims"' in page
    assert "BN <helps> (A & B; predicts: helps) only where BN" in said
    assert "chosen: no BN at 0.001 for 8 seeds, BN at 0.01 for 8 seeds" in unescape(page)


def test_rings_stand_at_the_chosen_rates_and_the_line_at_the_ratio_there(tuned):
    rows, best = (report_tables.read(tuned[0], name) for name in ("rates", "tuned"))
    style.set_style()
    left, right = rates.draw(TUNED, rows[rows["baseline"] == "none"]).axes
    colours = style.palette(TUNED)
    assert ring_rates(left) == {colours["none"]: [0.001], colours["batch"]: [0.01], colours["layer"]: [0.001]}
    levels = [
        line.get_ydata()[0] for line in right.lines if len(set(line.get_ydata())) == 1 and line.get_marker() != "o"
    ]
    of_baseline = best[best["baseline"] == "none"]
    np.testing.assert_allclose([level for level in levels if level != 1], of_baseline["effect"])
    plt.close("all")


@pytest.mark.parametrize(
    "options",
    [
        {"diverged": lambda labels, seed: 0 if labels["optimizer"] == "adam lr=0.01" else None},
        {"diverged": lambda labels, seed: 0 if labels["norm"] == "batch" else None},
        {"diverged": lambda labels, seed: 0},
        {"seeds": lambda labels: [] if labels["norm"] == "layer" else None},
        {"seeds": lambda labels: []},
    ],
    ids=["a rate diverged", "an arm diverged", "all diverged", "no arm", "nothing"],
)
def test_a_tuned_study_of_which_parts_diverged_or_are_missing_has_its_page(rendered, options):
    page = rendered(TUNED, noise=0.2, **options)
    assert 'id="rates"' in page
    assert not re.search(r"\bnan\b|\binf\b|None", text_of(page).partition("The resolved config")[0])


def test_seeds_that_disagree_are_counted_in_the_table_and_in_rings_that_are_the_bolder_for_more(rendered, tmp_path):
    def validation(labels, seed):
        return 0.1 if (labels["optimizer"] == "adam lr=0.001") == (seed < 3) else 1.0

    page = rendered(TUNED, validation=validation)
    section = page.partition('id="rates"')[2].partition("<h2")[0]
    assert re.search(r"<td[^>]*>lr=0.01 <[^>]*>\(5 of 8\)", section)
    rows = report_tables.read(tmp_path, "rates")
    left, _ = rates.draw(TUNED, rows[rows["baseline"] == "none"]).axes
    rings = [line for line in left.lines if line.get_markersize() == 10]
    by_rate = {line.get_xdata()[0]: line.get_markeredgewidth() for line in rings}
    assert by_rate[0.01] > by_rate[0.001]
    plt.close("all")


def test_several_tuned_parameters_have_a_line_for_each_combination_of_all_but_the_first(rendered, tmp_path):
    sgd = {"name": "sgd", "lr": [0.01, 0.1], "weight_decay": [0, 1e-4]}
    study = synthetic.plan(optimizer=[sgd], tune={})
    page = text_of(rendered(study, ratio=by_rate, noise=0.1))
    assert "Each arm at its own learning rate and weight decay, and both at equal values" in page
    assert "lr=0.01, weight_decay=0.0001" in page
    figure = rates.draw(study, report_tables.read(tmp_path, "rates"))
    lines = [line.get_xdata().tolist() for line in figure.axes[0].lines if line.get_markersize() == 4]
    assert lines == [[0.01, 0.1]] * 4
    assert "weight_decay=0.0001" in [text.get_text() for text in figure.legends[0].get_texts()]
    plt.close("all")


@pytest.mark.parametrize(
    ("changes", "scale", "ticks"),
    [
        ({"norm": ["none", "batch"], "optimizer": [{"name": "sgd", "weight_decay": [0, 1e-4, 1e-3]}]}, "symlog", 3),
        ({"norm": ["none", {"name": "ghost", "size": [4, 8]}]}, "log", 2),
    ],
    ids=["from 0", "of one arm"],
)
def test_what_is_tuned_instead_of_the_rate_has_its_axis(rendered, tmp_path, changes, scale, ticks):
    study = synthetic.plan(tune={}, **changes)
    rendered(study, noise=0.1)
    figure = rates.draw(study, report_tables.read(tmp_path, "rates"))
    figure.canvas.draw()
    assert figure.axes[0].get_xscale() == scale
    assert len(figure.axes[0].get_xticks()) == ticks
    assert figure.axes[0].get_xlabel() in ("weight decay", "size")
    shown = {line.get_color() for line in figure.axes[0].lines}
    assert {style.palette(study)[arm] for arm in study.tuned_arms} <= shown
    plt.close("all")


def test_the_page_of_optimizers_each_at_its_own_rate_shows_all_that_was_tried(rendered, tmp_path):
    optimizers = [{"name": "sgd", "lr": [0.05, 0.1]}, {"name": "adam", "lr": [0.001, 0.1]}]
    report = {"factor": "optimizer", "baseline": "sgd"}
    study = synthetic.plan(norm=["batch"], optimizer=optimizers, tune={}, report=report)
    page = rendered(study, noise=0.1)
    section = page.partition('id="rates"')[2].partition("<h2")[0]
    assert re.search(r"<th[^>]*>Chosen, SGD</th>\s*<th[^>]*>Chosen, Adam</th>", section)
    tried = re.findall(r">at one value</th>\s*<td[^>]*>([^<]*)</td>\s*<td[^>]*>([^<]*)</td>", section)
    assert tried == [("lr=0.05", "–"), ("lr=0.1", "lr=0.1"), ("–", "lr=0.001")]
    left, _ = rates.draw(study, report_tables.read(tmp_path, "rates")).axes
    lines = [line.get_xdata().tolist() for line in left.lines if line.get_markersize() == 4]
    assert lines == [[0.05, 0.1], [0.001, 0.1]]
    plt.close("all")
    assert "arms are not tuned" in page
    assert "At equal" not in text_of(page)
    assert (tmp_path / "figures" / "rates.svg").exists()


def test_the_page_of_a_study_that_does_not_tune_and_claims_nothing_has_no_such_section(rendered):
    page = rendered(synthetic.plan(**NORMS), **KNOWN)
    assert "rates" not in contents.figures(PLAIN)
    for name in ("rates", "claims"):
        assert f'id="{name}"' not in page
        assert f'href="#{name}"' not in page
    assert "Each arm at its own" not in text_of(page)


def test_a_tuned_study_of_scores_shows_them_in_their_unit(tmp_path):
    study = synthetic.plan(
        task="digits",
        optimizer=[{"name": "adam", "lr": [0.01, 0.1]}],
        tune={},
        report={"outcome": "test_accuracy", "target": 0.5},
    )
    frames = synthetic.frames(study)
    for table in (frames["curves"], frames["trials"]):
        table["test_accuracy"] = np.where(
            table["test_loss"].notna(), np.where(table["norm"] == "batch", 0.9, 0.8), np.nan
        )
    compare.run(study, synthetic.write(frames, tmp_path / "data"), tmp_path, synthetic.SPLITS)
    plot.run(study, tmp_path, ["svg"], processes=1)
    report.run(study, tmp_path)
    text = text_of((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert (tmp_path / "figures" / "rates.svg").exists()
    assert "geometric mean" not in text.partition("Right: the difference in percentage points from no BN")[0][-600:]
    assert "80.0 %" in text
    assert "Higher is better." in text
