"""Pairs that the config names, beside the baseline with each other arm; and pages of such studies and of tuned ones."""

import base64
import json
import math
import re
from html import unescape

import numpy as np
import pytest
import synthetic
from matplotlib import pyplot as plt
from synthetic import arms

from bnbench import compare, plot, report
from bnbench.figures import drawing, forest, interactions, rates, style
from bnbench.judge import aa_control, sign_flips
from bnbench.store import report_tables
from bnbench.wording import contents, sentences, titles

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("few_splits")]

NORMS = {"norm": ["none", "batch", "layer"], "batch_size": ["full", 25]}
PAIR = ("batch", "layer")
PLAIN = synthetic.plan(**NORMS)
NAMED = synthetic.plan(**NORMS, report={"compare": [[*PAIR]]})
TUNED = synthetic.plan(
    **{**NORMS, "batch_size": ["full"]},
    optimizer=[{"name": "adam", "lr": [0.001, 0.01]}],
    tune={"validation": 0.25},
    report={"compare": [[*PAIR]]},
    claims=[{"words": "BN <helps>", "source": "A & B", "predicts": "helps", "in": "tuned"}],
)
KNOWN = {"ratio": arms(batch=2.0, layer=0.5), "noise": 0.1}


def pairs_of(rows):
    return list(zip(rows["baseline"], rows["treatment"], strict=True))


def text_of(html):
    shown = re.sub(r"<(style|script)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def test_a_named_pair_has_a_row_in_each_context_with_its_own_baseline(compared):
    found, _ = compared(NAMED, **KNOWN)
    assert NAMED.comparisons == (("none", "batch"), ("none", "layer"), PAIR)
    for name in ("contexts", "outcomes", "pairs", "differences", "interactions"):
        assert list(dict.fromkeys(pairs_of(found[name]))) == [*NAMED.comparisons]
    assert pairs_of(found["contexts"]) == [*NAMED.comparisons] * 2
    assert found["contexts"]["verdict"].tolist() == ["hurts", "helps", "helps"] * 2


def test_the_ratio_of_a_named_pair_is_the_quotient_of_those_to_the_baseline(compared):
    found, _ = compared(NAMED, **KNOWN)
    for name, held in (("contexts", ["batch_size"]), ("interactions", ["factor"])):
        ratios = found[name].pivot_table(index=held, columns=["baseline", "treatment"], values="ratio")
        np.testing.assert_allclose(ratios[PAIR], ratios["none", "layer"] / ratios["none", "batch"])
    losses = found["contexts"].set_index(["baseline", "treatment", "batch_size"]).sort_index()
    for size in ("full", "25"):
        assert losses.loc[(*PAIR, size), "baseline_loss"] == losses.loc[("none", "batch", size), "treatment_loss"]


def test_all_comparisons_are_one_family_by_joint_flips(compared):
    found, _ = compared(NAMED, **KNOWN)
    rows = found["contexts"]
    assert set(rows["family"]) == {6}
    assert set(rows["adjustment"]) == {"maxT"}
    per_seed = found["pairs"].assign(d=np.log(found["pairs"]["ratio"]))
    names = ["batch_size", "baseline", "treatment"]
    values = np.stack([own["d"].to_numpy() for _, own in per_seed.groupby(names, sort=False)], axis=1)
    np.testing.assert_allclose(rows["p_max_t"], sign_flips.max_t(values).adjusted, rtol=0, atol=1e-12)
    low, high = sign_flips.simultaneous(values, 0.95)
    np.testing.assert_allclose(rows[["ratio_low", "ratio_high"]], np.exp(np.stack([low, high], axis=1)))


def test_a_named_pair_changes_nothing_of_the_other_rows_but_the_size_of_their_family(tmp_path, few_splits):
    frames = synthetic.frames(PLAIN, **KNOWN)
    (named, _), (plain, _) = (
        synthetic.compared(tmp_path / name, study, frames) for name, study in (("named", NAMED), ("plain", PLAIN))
    )
    kept = ["batch_size", "treatment", "ratio", "own_low", "own_high", "p", "baseline_loss", "hedges_dz"]
    others = named["contexts"][named["contexts"]["baseline"] == "none"].reset_index(drop=True)
    assert others[kept].equals(plain["contexts"][kept])
    assert (others["p_holm"] >= plain["contexts"]["p_holm"]).all()
    for name in ("curves", "modes", "fit", "control", "exclusions", "provenance"):
        assert named[name].equals(plain[name])


def test_the_a_a_control_is_of_the_studys_baseline_alone():
    def drawn(labels, key=0):
        of = {"none": 1, "batch": 2, "layer": 3}
        losses = [
            np.random.default_rng([of[labels[arm]], len(labels["batch_size"]), key * (of[labels[arm]] > 1)]).normal(
                size=8
            )
            for arm in ("baseline", "treatment")
        ]
        return range(8), *losses

    found = aa_control.table(NAMED, synthetic.contrasts(NAMED, drawn))
    assert found.equals(aa_control.table(PLAIN, synthetic.contrasts(PLAIN, drawn)))
    assert found.equals(aa_control.table(NAMED, synthetic.contrasts(NAMED, lambda labels: drawn(labels, key=1))))
    assert found.loc[0, "contexts"] == 2


def test_a_pair_is_called_by_labels_by_names_or_by_entries_and_any_number_of_them_is_compared():
    slow = {"name": "batch", "momentum": 0.5}
    norms = ["none", "batch", slow, "layer"]
    pairs = [["batch", slow], ["layer", "batch momentum=0.5"], [{"name": "layer"}, "batch"]]
    study = synthetic.plan(norm=norms, report={"compare": pairs})
    label = "batch momentum=0.5"
    assert study.report.compare == (("batch", label), ("layer", label), ("layer", "batch"))
    assert len(study.comparisons) == 6
    sizes = synthetic.plan(
        batch_size=["full", 25, 10], report={"factor": "batch_size", "baseline": "full", "compare": [[25, 10]]}
    )
    assert sizes.comparisons == (("full", "25"), ("full", "10"), ("25", "10"))


def test_what_is_compared_changes_no_address():
    assert [setting.address for setting in NAMED.settings] == [setting.address for setting in PLAIN.settings]


def test_sentences_say_against_what(compared):
    found, verdicts = compared(NAMED, **KNOWN)
    rows = found["contexts"].to_dict("records")
    for row, said in zip(rows, verdicts["sentences"], strict=True):
        treated, base = (titles.arm(NAMED, row[name]) for name in ("treatment", "baseline"))
        assert re.search(rf"the test loss with {treated} is .* than with {base} \(", said)
    against = [titles.contrast_name(NAMED, row) for row in rows if row["baseline"] == "batch"]
    assert against == ["layer norm against BN, full batch", "layer norm against BN, batch 25"]
    assert titles.contrast_name(NAMED, rows[1]) == "layer norm, full batch"
    parts = re.split(r"(?<=\.) (?=Over )", verdicts["sentence"])
    starts = ["BN made", "layer norm made", "layer norm instead of BN made"]
    assert [part.split(", ", 1)[1].startswith(start) for part, start in zip(parts, starts, strict=True)] == [True] * 3
    main = [said for said in verdicts["interactions"] if said.startswith("Over all contexts")]
    assert [said.partition(" than with ")[2].partition(" (")[0] for said in main] == ["no BN", "no BN", "BN"]
    assert any("layer norm against BN, full batch, from epoch" in said for said in verdicts["trajectories"])


def test_a_pair_without_data_is_named_in_the_answer(compared):
    found, verdicts = compared(NAMED, **KNOWN, seeds=lambda labels: [] if labels["norm"] == "layer" else None)
    assert found["contexts"]["verdict"].tolist() == ["hurts", "no data", "no data"] * 2
    assert (
        "There are no pairs of layer norm and no BN yet. There are no pairs of layer norm and BN yet."
        in (verdicts["sentence"])
    )
    assert sum("no pairs of layer norm and BN yet" in said for said in verdicts["sentences"]) == 2


@pytest.fixture
def rendered(tmp_path, vectors_alone):
    def run(study, **options):
        compare.run(study, synthetic.collected(study, tmp_path / "data", **options), tmp_path)
        plot.run(study, tmp_path)
        report.run(study, tmp_path)
        return (tmp_path / "index.html").read_text(encoding="utf-8")

    return run


def dots(ax):
    return np.concatenate([np.atleast_1d(line.get_xdata()) for line in ax.lines if line.get_marker() == "o"])


def test_the_page_of_named_pairs_shows_them_in_its_tables_and_lets_one_choose(rendered, tmp_path):
    page = rendered(NAMED, **KNOWN)
    said = text_of(page)
    assert said.count("layer norm against BN, full batch") >= 2
    assert re.search(r"<option[^>]*>layer norm against BN</option>", page)
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)"', page)
    assert len(images) == len(contents.figures(NAMED))
    assert all(base64.b64decode(drawn).startswith(b"<?xml") for drawn, _ in images)
    contexts = report_tables.read(tmp_path, "contexts")
    style.set_style()
    np.testing.assert_allclose(np.sort(dots(forest.draw(NAMED, contexts).axes[0])), np.sort(contexts["ratio"]))
    rows = report_tables.read(tmp_path, "interactions")
    ax = interactions.draw(NAMED, rows).axes[0]
    np.testing.assert_allclose(dots(ax), rows["ratio"])
    assert "layer norm against BN, all contexts" in [label.get_text() for label in ax.get_yticklabels()]
    plt.close("all")


def test_figures_of_single_seeds_and_epochs_show_what_is_compared_with_the_baseline_alone(
    rendered, tmp_path, monkeypatch
):
    shown = {}
    for name, (_, columns) in drawing.FIGURES.items():

        def draw(study, table, name=name):
            shown[name] = table
            return style.empty("")

        monkeypatch.setitem(drawing.FIGURES, name, (draw, columns))
    rendered(NAMED, **KNOWN)
    assert set(shown) == set(contents.figures(NAMED))
    for name, table in shown.items():
        if "baseline" in table:
            assert set(table["baseline"]) == ({"none", "batch"} if name in contents.ALL_COMPARISONS else {"none"})
    plt.close("all")


def ring_rates(axes):
    """The rates at which there is a ring, by the colour of the ring."""
    return {line.get_markeredgecolor(): line.get_xdata().tolist() for line in axes.lines if line.get_markersize() == 10}


def by_rate(labels, seed):
    """BN is best at the higher rate, the others at the lower; there BN is best of all."""
    high = labels["optimizer"] == "adam lr=0.01"
    return {"none": 1.0, "layer": 0.8, "batch": 0.5}[labels["norm"]] * (
        1.0 if high == (labels["norm"] == "batch") else 6
    )


def test_the_page_of_a_tuned_study_has_the_rates_their_figure_and_the_claims(rendered, tmp_path):
    page = rendered(TUNED, ratio=by_rate, noise=0.05)
    verdicts = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert "rates" in contents.figures(TUNED)
    assert (tmp_path / "figures" / "rates.svg").exists()
    assert 'id="rates"' in page
    assert 'href="#rates"' in page
    said = text_of(page)
    for sentence in (verdicts["sentence"], verdicts["equal_rates"], *verdicts["tuned"]):
        assert sentence in said
    assert "no BN at 0.001 and BN at 0.01; the list ends at 0.001 and 0.01, and a rate beyond may be better." in said
    assert "BN at 0.01 and layer norm at 0.001; the list ends" in said
    assert "on 25 % of the training points" in said
    section = page.partition('id="rates"')[2].partition("<h2")[0]
    best = re.findall(r'<tr class="(\w+)"><th scope="row">([^<]*)</th>\s*<td>([^<]*)</td><td>([^<]*)</td>', section)
    assert [row[1:] for row in best if row[0] != "equal"] == [
        ("BN, Adam", "0.001", "0.01"),
        ("layer norm, Adam", "0.001", "0.001"),
        ("layer norm against BN, Adam", "0.01", "0.001"),
    ]
    assert [row[2:] for row in best if row[0] == "equal"] == [("0.001", "0.001"), ("0.01", "0.01")] * 3
    assert 'id="claims"' in page
    assert "BN <helps> (A & B; predicts: helps) only where BN" in said
    assert "chosen rates 0.001 and 0.01" in unescape(page)


def test_rings_stand_at_the_chosen_rates_and_the_line_at_the_ratio_there(rendered, tmp_path):
    rendered(TUNED, ratio=by_rate, noise=0.05)
    rows = report_tables.read(tmp_path, "rates")
    tuned = report_tables.read(tmp_path, "tuned")
    style.set_style()
    left, right = rates.draw(TUNED, rows[rows["baseline"] == "none"]).axes
    colours = style.palette(TUNED)
    assert ring_rates(left) == {colours["none"]: [0.001], colours["batch"]: [0.01], colours["layer"]: [0.001]}
    levels = [
        line.get_ydata()[0] for line in right.lines if len(set(line.get_ydata())) == 1 and line.get_marker() != "o"
    ]
    of_baseline = tuned[tuned["baseline"] == "none"]
    np.testing.assert_allclose([level for level in levels if level != 1], of_baseline["ratio"])
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


def test_the_page_of_a_study_that_does_not_tune_and_claims_nothing_has_no_such_section(rendered):
    page = rendered(synthetic.plan(**NORMS), **KNOWN)
    assert "rates" not in contents.figures(PLAIN)
    for name in ("rates", "claims"):
        assert f'id="{name}"' not in page
        assert f'href="#{name}"' not in page
    assert "Each arm at its best" not in text_of(page)


def test_the_answer_is_of_tuned_arms_and_that_at_equal_rates_stands_beside_it(compared):
    found, verdicts = compared(TUNED, ratio=by_rate, noise=0.05)
    best = sentences.answer(TUNED, found["tuned"])
    assert verdicts["sentence"] == f"Each arm at its best learning rate: {best}"
    assert verdicts["equal_rates"] == f"At equal rates: {sentences.answer(TUNED, found['contexts'])}"
    named = found["tuned"].set_index(["baseline", "treatment"])
    assert named.loc[PAIR, "ratio"] == pytest.approx(
        named.loc[("none", "layer"), "ratio"] / named.loc[("none", "batch"), "ratio"]
    )
    assert set(named["family"]) == {3}
    assert math.log(named.loc[PAIR, "ratio"]) == pytest.approx(math.log(1.6), abs=0.1)
