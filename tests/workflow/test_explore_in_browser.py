"""The interactive figures in Chromium, on pages of made-up results: what they say, and that a keyboard works them."""

import json
from functools import partial

import own_pages
import pytest
import synthetic
from axe_playwright_python.sync_playwright import Axe

from bnbench.outcomes import Outcome
from bnbench.page import explore
from bnbench.store import report_tables
from bnbench.wording import effects

FIGURES = ("forest", "curves", "pairs")

SLIDERS = "[role=slider]"


def study(**changes):
    return synthetic.plan(**{**synthetic.GRID, "task": {"name": "sine", "noise": 0.1}, "seeds": 6, **changes})


def effect(labels, seed):
    batch = {"full": 3.0, "25": 0.4}[labels["batch_size"]] if labels["optimizer"].startswith("adam") else 1.0
    return batch if labels["norm"] == "batch" else 1.0


def diverging(labels, seed):
    return 12 if (labels["norm"], labels["optimizer"][:3], seed) == ("batch", "sgd", 2) else None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of four contexts, one arm of two of which diverges once."""
    made = tmp_path_factory.mktemp("explored")
    synthetic.rendered(made, study(), drawn=True, ratio=effect, noise=0.05, diverged=diverging)
    return made


@pytest.fixture
def visit(visit):
    """The same, of pages that ask no network for anything and have no error."""
    pages = []

    def opened(*place, **circumstances):
        pages.append(visit(*place, **circumstances))
        return pages[-1]

    yield opened
    assert [words for page in pages for words in page.said] == []
    assert [url for page in pages for url in page.asked] == []


@pytest.fixture
def page(visit, folder):
    return visit(folder / "index.html")


def said(page):
    """What the tooltip says: its title, and its lines by name."""
    assert page.locator(".bubble").is_visible()
    names, texts = (page.locator(f".bubble {kind}").all_inner_texts() for kind in ("dt", "dd"))
    return page.locator(".bubble b").inner_text(), dict(zip(names, texts, strict=True))


def choose(page, name, value):
    """Choose in the controls, which are folded on a telephone."""
    if not page.locator("form.filters .controls").evaluate("one => one.open"):
        page.locator("form.filters .controls > summary").click()
    page.locator(f"form.filters [data-choice={name}]").select_option(value)


def cells(page, label):
    """The texts of the cells of a table, by name of the row."""
    rows = page.locator(f"[aria-label='{label}'] tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def odd_marks(page):
    """Attributes of the drawings that hold no number where one belongs, and texts outside their drawing."""
    return page.evaluate(
        """() => {
          const found = [];
          for (const mark of document.querySelectorAll(".drawing *"))
            for (const { name, value } of mark.attributes)
              if (/NaN|undefined|Infinity|null/.test(value)) found.push(`${mark.tagName} ${name} ${value}`);
          for (const text of document.querySelectorAll(".drawing svg text")) {
            const [own, all] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
            const out = [all.left - own.left, own.right - all.right, all.top - own.top, own.bottom - all.bottom];
            if (own.width && Math.max(...out) > 1) found.push(`${text.textContent} ${out}`);
          }
          return found;
        }"""
    )


def test_every_effect_says_what_the_table_of_verdicts_says(page):
    expected = cells(page, "Verdicts")
    marks = page.locator("#figure-forest .forest-row[role=img]").all()
    assert len(marks) == len(expected) == 4
    for mark in marks:
        mark.hover()
        title, lines = said(page)
        verdict, ratio, p, seeds, base, treated = expected[title]
        assert lines == {
            "ratio": ratio,
            "no BN": base,
            "BN": treated,
            "seeds": seeds,
            "adjusted p": p,
            "verdict": verdict,
        }
        assert all(text in mark.get_attribute("aria-label") for text in (title, *lines.values()))


def test_an_exploratory_effect_says_what_the_table_of_outcomes_says_and_has_no_colour_of_a_verdict(page):
    heads = page.locator("[aria-label='Every outcome'] thead th").all_inner_texts()
    expected = cells(page, "Every outcome")
    choose(page, "outcome", "eval_loss")
    for mark in page.locator("#figure-forest .forest-row[role=img]").all():
        mark.hover()
        title, lines = said(page)
        cell = expected[title][heads.index("train loss in evaluation mode") - 1]
        assert lines["ratio"] == " ".join(cell.split())
        assert "exploratory" in lines
        assert mark.locator("svg.exploratory").count() == 1
    assert "This outcome is exploratory: it has no verdict." in caption(page, "forest")


def test_curves_say_what_the_table_of_curves_holds(page, folder):
    table = report_tables.read(folder, "curves")
    planned = study()
    for name in ("test_loss", "test_loss_precise", "generalization_gap"):
        choose(page, "outcome", name)
        panels = page.locator(f"#figure-curves {SLIDERS}").all()
        assert len(panels) == 4
        last = table[(table["outcome"] == name) & (table["epoch"] == table["epoch"].max())]
        expected = [
            f"{effects.value(planned.outcomes[name], row['loss'])} ("
            f"{effects.value(planned.outcomes[name], row['low'])} to "
            f"{effects.value(planned.outcomes[name], row['high'])}), n = {row['seeds']}"
            + (f", {row['diverged']} diverged" if row["diverged"] else "")
            for row in last.to_dict("records")
        ]
        found = []
        for panel in panels:
            panel.hover(position={"x": panel.bounding_box()["width"] * 0.93, "y": 60})
            title, lines = said(page)
            assert title.endswith("epoch 39")
            found += [*lines.values()]
        assert sorted(found) == sorted(expected)


def test_a_seed_that_is_picked_with_the_keyboard_is_marked_in_every_figure_and_said(page, folder):
    pairs = report_tables.read(folder, "pairs")
    page.locator(f"#figure-pairs {SLIDERS}").first.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert "seed=1" in page.url
    title, lines = said(page)
    row = pairs[(pairs["seed"] == 1)].iloc[0]
    outcome = study().outcome
    assert title.startswith("seed 1")
    assert [*lines.values()] == [
        effects.value(outcome, row["baseline_value"]),
        effects.value(outcome, row["treatment_value"]),
        effects.plain(outcome, row["effect"]),
    ]
    for figure in FIGURES:
        assert page.locator(f"#figure-{figure} .seed circle, #figure-{figure} circle.seed").count() >= 4
    assert page.locator("[data-choice=seed]").input_value() == "1"


def test_a_diverged_trial_is_a_cross_and_says_so(page):
    assert page.locator("#figure-pairs .cross").count() == 2
    assert page.locator("#figure-pairs .cross + text").all_text_contents() == ["1", "1"]
    panel = page.locator(f"#figure-pairs {SLIDERS}").nth(1)
    panel.focus()
    page.keyboard.press("Home")
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert said(page)[1]["BN"] == "diverged"


def test_filters_hide_rows_sentences_and_marks(page):
    page.locator("select[name=batchSize]").select_option("25")
    shown = page.locator("[aria-label=Verdicts] tbody tr:visible")
    assert shown.count() == 2
    said = page.locator("li[data-batch-size]")
    assert said.count() >= 4
    levels = said.evaluate_all("all => all.filter(one => !one.hidden).map(one => one.dataset.batchSize)")
    assert levels == ["25"] * (said.count() // 2)
    assert page.locator("#figure-forest .forest-row[role=img]").count() == 2
    for figure in FIGURES[1:]:
        titles = page.locator(f"#figure-{figure} .title").all_inner_texts()
        assert len(titles) == 2
        assert all("batch 25" in title for title in titles)


def test_an_arm_and_a_context_are_switched_off_and_on(page):
    assert page.locator("#figure-curves .curve").count() == 8
    page.locator("#figure-curves").get_by_role("button", name="no BN").click()
    assert page.locator("#figure-curves .curve").count() == 4
    assert page.locator("#figure-pairs circle.dot.arm-0").count() == 0
    page.locator("form.filters").get_by_text("Contexts", exact=True).click()
    page.get_by_role("group", name="Contexts").get_by_role("button").first.click()
    assert page.locator("#figure-curves .curve").count() == 3
    assert page.locator("[aria-label=Verdicts] tbody tr:visible").count() == 3
    page.get_by_role("button", name="Reset").click()
    assert page.locator("#figure-curves .curve").count() == 8
    assert "?" not in page.url


def test_what_is_chosen_survives_a_reload_and_goes_with_the_link(page):
    choose(page, "outcome", "eval_loss")
    choose(page, "show", "values")
    choose(page, "scale", "linear")
    choose(page, "seed", "3")
    page.locator("select[name=optimizer]").select_option(index=1)
    page.locator("#figure-pairs").get_by_role("button", name="no BN").click()
    drawn, url = page.locator("#figure-curves .drawing").inner_html(), page.url
    page.reload()
    assert page.url == url
    assert page.locator("#figure-curves .drawing").inner_html() == drawn
    chosen = {name: page.locator(f"form.filters [data-choice={name}]").input_value() for name in ("outcome", "show")}
    assert chosen == {"outcome": "eval_loss", "show": "values"}
    page.locator("nav a").first.click()
    assert "outcome=eval_loss" in page.url  # a link inside the page leaves it


def test_a_link_to_what_the_study_does_not_have_chooses_nothing(visit, folder):
    page = visit(folder / "index.html", "?outcome=r3&seed=99&scale=cubic&without=layer&hide=nowhere&where.batchSize=7")
    assert page.locator("form.filters [data-choice=outcome]").input_value() == "test_loss"
    assert page.locator("#figure-forest .forest-row[role=img]").count() == 4


def test_the_keyboard_reaches_and_works_every_control(page):
    reached = set()
    page.locator("body").focus()
    for _ in range(250):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                """() => {
                  const one = document.activeElement;
                  const figure = one.closest("figure")?.dataset.explore ?? "";
                  return [figure, one.dataset.choice ?? one.name ?? "", one.getAttribute("role") ?? one.type ?? "",
                          one.textContent.slice(0, 12)].join("|");
                }"""
            )
        )
    found = " ".join(reached)
    for control in ("|batchSize|", "|optimizer|", "|outcome|", "|show|", "|scale|", "|seed|", "reset", "forest||img"):
        assert control in found, control
    for figure in FIGURES[1:]:
        assert f"{figure}||slider" in found
        assert f"{figure}|outcome|" in found
        assert f"{figure}||button|no BN" in found
    page.locator("#figure-forest .forest-row").first.focus()
    first = said(page)[0]
    page.keyboard.press("ArrowDown")
    assert said(page)[0] != first
    page.keyboard.press("Escape")
    assert not page.locator(".bubble").is_visible()


@pytest.mark.parametrize("show", ["", "values", "effects"])
@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize("width", [1400, 390])
def test_every_view_of_every_outcome_is_whole(visit, folder, width, scale, show):
    page = visit(folder / "index.html", "?seed=2", viewport={"width": width, "height": 900})
    outcomes = page.locator("form.filters [data-choice=outcome] option").evaluate_all("all => all.map(o => o.value)")
    assert len(outcomes) > 6
    for name in outcomes:
        for choice, value in (("outcome", name), ("scale", scale), ("show", show)):
            choose(page, choice, value)
        assert odd_marks(page) == []
        for axes in page.locator(".drawing .axes").all():
            assert axes.locator("text").count() >= 2
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_nobody_is_kept_out(visit, folder, scheme, width):
    page = visit(
        folder / "index.html",
        "?outcome=eval_loss&seed=1",
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    page.locator("form.filters details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response
    assert [(problem["id"], problem["nodes"][0]["html"]) for problem in found["violations"]] == []


def test_paper_and_pages_without_scripts_have_the_figures_as_they_are(visit, folder):
    page = visit(folder / "index.html")
    for figure in FIGURES:
        assert not page.locator(f"#figure-{figure} img").is_visible()
    page.emulate_media(media="print")
    plain = visit(folder / "index.html", java_script_enabled=False)
    for one in (page, plain):
        for figure in FIGURES:
            assert one.locator(f"#figure-{figure} img").is_visible()
        assert not one.locator("form.filters").is_visible()
        assert one.locator(".explored:visible").count() == 0


def beside(page, dot):
    """How far the tooltip is from the box of a dot, across and down, and how far it reaches out of the window."""
    return page.evaluate(
        """([dot]) => {
          const [own, mark] = [document.querySelector(".bubble"), dot].map((one) => one.getBoundingClientRect());
          const across = Math.max(own.left - mark.right, mark.left - own.right);
          const down = Math.max(own.top - mark.bottom, mark.top - own.bottom);
          const out = Math.max(-own.left, own.right - innerWidth, -own.top, own.bottom - innerHeight);
          return [across, down, out];
        }""",
        [dot.element_handle()],
    )


@pytest.mark.parametrize("width", [1400, 390])
def test_the_tooltip_of_an_effect_opens_beside_its_dot_and_inside_the_window(visit, folder, width):
    page = visit(folder / "index.html", viewport={"width": width, "height": 700})
    for mark in page.locator("#figure-forest .forest-row[role=img]").all():
        for reach in (mark.hover, mark.focus):
            reach()
            across, down, out = beside(page, mark.locator("circle").first)
            assert max(across, down) > 0  # the dot is not covered
            assert down < 12
            assert out <= 0
            if width == 1400:
                assert across < 20


def test_a_tooltip_goes_or_says_the_new_numbers_when_the_outcome_changes(page):
    mark = page.locator("#figure-forest .forest-row[role=img]").first
    mark.focus()
    before = said(page)
    page.evaluate("choose({ outcome: 'eval_loss' })")
    assert said(page) != before
    assert "exploratory" in said(page)[1]
    page.evaluate("document.activeElement.blur()")
    page.locator("#figure-forest .forest-row[role=img]").nth(1).hover()
    assert "exploratory" in said(page)[1]
    page.evaluate("choose({ outcome: '' })")
    # What is drawn anew lies under the pointer, so the browser may open the tooltip again.
    assert not page.locator(".bubble").is_visible() or "exploratory" not in said(page)[1]


def caption(page, figure):
    return page.locator(f"#figure-{figure} figcaption").inner_text()


def test_captions_say_what_is_drawn_and_are_those_of_paper_again_afterwards(page):
    printed = {figure: caption(page, figure) for figure in FIGURES}
    choose(page, "outcome", "eval_loss")
    for figure in FIGURES:
        said = caption(page, figure)
        assert "train loss in evaluation mode" in said
        assert "exploratory: it has no verdict" in said
        assert "margin" not in said
        assert "Files: SVG, PNG" in said
    assert "of each context by itself" in caption(page, "forest")
    choose(page, "outcome", "test_loss")
    choose(page, "show", "values")
    assert "There are no intervals" in caption(page, "forest")
    assert caption(page, "curves") == printed["curves"]
    choose(page, "show", "effects")
    assert caption(page, "forest") == printed["forest"]
    assert "ratio to no BN" in caption(page, "curves")
    choose(page, "scale", "linear")
    choose(page, "seed", "3")
    for figure in FIGURES:
        assert "The axis is linear." in caption(page, figure)
    assert "Rings: seed 3" in caption(page, "forest")
    page.emulate_media(media="print")
    assert {figure: caption(page, figure) for figure in FIGURES} == printed
    page.emulate_media(media="screen")
    page.get_by_role("button", name="Reset").click()
    assert {figure: caption(page, figure) for figure in FIGURES} == printed


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_axes_of_effects_have_no_effect_two_other_numbers_and_the_margin(page, scale):
    choose(page, "show", "effects")
    choose(page, "scale", scale)
    for figure in FIGURES:
        for axes in page.locator(f"#figure-{figure} .axes").all():
            ticks = axes.locator("text").all_text_contents()
            assert "1" in ticks
            assert sum(text.replace(".", "").isdigit() for text in ticks) >= 3
        assert page.locator(f"#figure-{figure} .margin").count() >= 4


def test_the_axis_of_a_long_forest_is_always_seen(visit, tmp_path):
    many = study(hidden=[[8], [16], [32], [64], [8, 8], [16, 16], [32, 32]], seeds=3)
    synthetic.rendered(tmp_path, many, ratio=effect, noise=0.05)
    page = visit(tmp_path / "index.html", viewport={"width": 1400, "height": 900})
    assert page.locator("main > header #figure-heatmap img").is_visible()  # first, and once
    assert page.locator("#figure-heatmap").count() == 1
    for down in (0, 100, 10_000):
        page.locator(".forest-rows.many").evaluate("(box, down) => (box.scrollTop = down)", down)
        box, axis = (page.locator(f".forest-rows{part}").bounding_box() for part in ("", " .axis"))
        assert axis["y"] >= box["y"]
        assert axis["y"] + axis["height"] <= box["y"] + box["height"] + 4


def test_contexts_that_lie_far_apart_have_scales_of_their_own_and_one_that_runs_away_is_cut(page):
    both = "[[1, 2, 1.5], [1e-4, 3e-4]].map((numbers) => numbers)"
    assert page.evaluate(f"areFarApart({both}, true)")
    assert not page.evaluate("areFarApart([[1, 2], [0.03, 0.4]], true)")
    line = "[{ value: [1, 0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.5, 1e8], low: [0.4], high: [null] }]"
    assert page.evaluate(f"fenced({line}, true)") == [1, 0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4]


DIGITS = (1.0, 1.25, 9.995, 2.675, 5.5, -1.0, -1.25, -9.995)

NUMBERS = [
    *(digits * 10.0**power for digits in DIGITS for power in range(-9, 10, 3)),
    *(0.0, 0.125, 0.375, 0.5, 1.0, 1.004, 1.0004, 1.994, 1.995, 2.5, 9.949, 9.95, 12.5, 999.5, 1000.5, 999999.0),
]


def test_numbers_are_written_as_the_tables_write_them(page):
    kinds = {
        "e": Outcome("a", "ratio", lower_is_better=True, margin=None),
        "%": Outcome("b", "difference", lower_is_better=True, margin=None, per_cent=True),
        "g": Outcome("c", "difference", lower_is_better=True, margin=None),
        "own": Outcome("d", "difference", lower_is_better=True, margin=None, title="d"),
        "own%": Outcome("e", "difference", lower_is_better=True, margin=None, title="e", per_cent=True),
    }
    for form, outcome in kinds.items():
        assert explore.value_form(outcome) == form
        described = {"form": form, "ratio": outcome.is_ratio, "units": 100 if outcome.per_cent else 1}
        written = "([outcome, numbers, f]) => numbers.map((number) => (f ? effectText : valueText)(outcome, number))"
        values = [number for number in NUMBERS if number > 0 or form != "e"]
        shown = page.evaluate(written, [described, values, False])
        assert shown == [effects.value(outcome, number) for number in values]
        assert page.evaluate(written, [described, values, True]) == [effects.plain(outcome, n) for n in values]


ARMS = ["none", "batch", "layer", {"name": "group", "groups": 2}, {"name": "batch", "momentum": 0.01}]


def some(labels):
    return [0, 2, 3] if labels["norm"] == "batch" else range(5)


def tuned():
    """A study that chooses among two learning rates."""
    rates = [{"name": "adam", "lr": [0.001, 0.01]}]
    return study(optimizer=rates, tune={"validation": 0.2})


OTHERS = {
    "five arms": (partial(study, norm=ARMS, optimizer=["adam"]), {"noise": 0.1}),
    "named pairs": (
        partial(study, norm=ARMS[:3], optimizer=["adam"], report={"compare": [["layer", "batch"]]}),
        {"noise": 0.1},
    ),
    "one context, one seed": (partial(study, batch_size=["full"], optimizer=["adam"], seeds=1), {}),
    "a gap decides": (lambda: synthetic.scored(study(optimizer=["adam"]), "generalization_gap"), {"noise": 0.1}),
    "missing seeds": (study, {"noise": 0.1, "seeds": some}),
    "tuned": (tuned, {"noise": 0.1}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_studies_of_every_kind_are_whole(visit, tmp_path, name):
    planned, options = OTHERS[name]
    synthetic.rendered(tmp_path, planned(), **options)
    check_whole(visit(tmp_path / "index.html", viewport={"width": 900, "height": 900}))


@pytest.mark.parametrize("name", own_pages.CASES)
def test_results_of_ones_own_are_whole(visit, tmp_path, name):
    own_pages.page(own_pages.CASES[name], tmp_path)
    check_whole(visit(tmp_path / "index.html", viewport={"width": 900, "height": 900}))


def check_whole(page):
    assert page.locator("#figure-forest .forest-row").count() > 1
    facts = json.loads(page.locator("#explore-data").text_content())
    for name in facts["outcomes"]:
        for show in ("", "values", "effects"):
            choose(page, "outcome", name)
            choose(page, "show", show)
            assert odd_marks(page) == []
