"""The page of a real run in Chromium: from disk, offline, on a desk, a phone and paper, and with a keyboard alone."""

import csv
import json

import pytest
import synthetic
from axe_playwright_python.sync_playwright import Axe


@pytest.fixture
def index(finished_once):
    return finished_once.report / "index.html"


SCREEN = 900
"""Pixels of a screen's height."""

FOUR_BY_FOUR = {
    "batch_size": ["full", 5, 25, 50],
    "optimizer": [{"name": "sgd", "lr": 0.01}, {"name": "sgd", "lr": 0.1}, {"name": "adam"}, {"name": "rmsprop"}],
    "seeds": 6,
}
LARGE = {
    "64 contexts": {**FOUR_BY_FOUR, "activation": ["relu", "tanh"], "hidden": [[4], [8]]},
    "five arms in 16 contexts": {**FOUR_BY_FOUR, "norm": ["none", "batch", "layer", "rms", "frozen"]},
}
"""Studies that were never trained, of more rows than a screen holds."""
GROUPS = {
    "64 contexts": ["4 hidden units", "8 hidden units"],
    "five arms in 16 contexts": ["full batch", "batch 5", "batch 25", "batch 50"],
}
"""The levels of the first factor in which their contexts differ."""


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A function that gives the page of one of `LARGE`; each once."""
    found = {}

    def of(name):
        if name not in found:
            folder, study = tmp_path_factory.mktemp("large"), synthetic.plan(**LARGE[name])
            diverging = synthetic.where("batch", [2], 12)
            ratio = synthetic.arms(batch=3.0, layer=0.8)
            synthetic.rendered(folder, study, drawn=True, ratio=ratio, noise=0.3, diverged=diverging)
            found[name] = folder / "index.html"
        return found[name]

    return of


def violations(page):
    found = Axe().run(page).response
    assert len(found["passes"]) > 15
    return [(problem["id"], problem["nodes"][0]["html"]) for problem in found["violations"]]


def opened(page):
    """Open whatever is folded."""
    page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
    return page


def column(page, table, number):
    return page.locator(table).locator(f"tbody tr:visible > :nth-child({number})").all_inner_texts()


def test_the_page_asks_no_network_for_anything_and_has_no_error(visit, index):
    page = visit(index)
    assert page.asked == []
    assert page.said == []


def test_a_request_and_an_error_would_be_seen(visit, tmp_path):
    (tmp_path / "page.html").write_text('<img src="http://example.invalid/a.png"><script>missing()</script>')
    page = visit(tmp_path / "page.html")
    assert page.asked == ["http://example.invalid/a.png"]
    assert len(page.said) == 2


def test_no_other_script_than_the_pages_own_may_run(visit, index, tmp_path):
    hostile = index.read_text(encoding="utf-8").replace("</h1>", "</h1><script>document.title = 'taken'</script>")
    (tmp_path / "hostile.html").write_text(hostile, encoding="utf-8")
    page = visit(tmp_path / "hostile.html")
    assert page.title() != "taken"
    assert "Content Security Policy" in "".join(page.said)


def test_the_page_says_what_verdicts_json_says(visit, index, finished_once):
    verdicts = json.loads((finished_once.report / "verdicts.json").read_text())
    page = visit(index)
    assert page.locator("h1").inner_text() == verdicts["headline"]
    assert verdicts["sentence"].startswith(f"{verdicts['headline']}.")
    said = " ".join(page.locator("body").inner_text().split())
    rest = verdicts["sentence"].removeprefix(f"{verdicts['headline']}.")
    for sentence in (rest, *verdicts["sentences"], verdicts["control"], verdicts["methods"]):
        assert " ".join(sentence.split()) in said
    with (finished_once.report / "tables" / "contexts.csv").open(newline="") as table:
        expected = [row["verdict"] for row in csv.DictReader(table)]
    assert len(expected) == 2
    assert [verdict.partition(",")[0] for verdict in visit(index).locator("td.verdict").all_inner_texts()] == expected


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_nothing_is_cut_off_all_figures_load_and_nobody_is_kept_out(visit, index, scheme, width):
    page = visit(index, color_scheme=scheme, viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == width
    images = page.evaluate("[...document.images].map(image => [image.alt, image.complete && image.naturalWidth])")
    assert len(images) == 10
    assert [alt for alt, loaded in images if not loaded or len(alt) < 60] == []
    found = Axe().run(page).response
    assert len(found["passes"]) > 20
    assert [(problem["id"], problem["nodes"][0]["html"]) for problem in found["violations"]] == []


def test_an_accessibility_problem_would_be_seen(visit, index, tmp_path):
    (tmp_path / "page.html").write_text(index.read_text(encoding="utf-8").replace(' alt="', ' data-alt="'))
    assert "image-alt" in [problem["id"] for problem in Axe().run(visit(tmp_path / "page.html")).response["violations"]]


def test_a_keyboard_sorts_a_table(visit, index):
    page = visit(index)
    table = "[aria-label=Verdicts] table"
    head = page.locator(f"{table} thead th").nth(2)
    before = column(page, table, 1)
    for _ in range(60):
        page.keyboard.press("Tab")
        if head.evaluate("head => head.contains(document.activeElement)"):
            break
    orders = []
    for key, direction in (("Enter", "ascending"), ("Space", "descending")):
        page.keyboard.press(key)
        assert head.get_attribute("aria-sort") == direction
        ratios = [
            float(value)
            for value in page.locator(f"{table} tbody td:nth-child(3)").evaluate_all(
                "cells => cells.map(cell => cell.dataset.value)"
            )
        ]
        assert ratios == sorted(ratios, reverse=direction == "descending")
        orders.append(column(page, table, 1))
    assert orders[0] == orders[1][::-1]
    assert sorted(orders[0]) == sorted(before)


def test_filters_show_the_rows_of_a_level_in_every_table(visit, index):
    page = opened(visit(index))
    assert page.locator("form.filters").is_visible()
    page.locator("select[name=batchSize]").select_option("25")
    for label in ("Verdicts", "Every outcome", "More about each context"):
        assert column(page, f"[aria-label='{label}'] table", 1) == ["batch 25"]
    assert page.locator("form.filters output").inner_text() == "1 of 2 shown"
    page.locator("select[name=batchSize]").select_option(index=0)
    assert len(column(page, "[aria-label=Verdicts] table", 1)) == 2


def test_without_scripts_every_row_is_there_and_no_filter_pretends_to_work(visit, index):
    page = visit(index, java_script_enabled=False)
    assert len(page.locator("[aria-label=Verdicts] tbody tr").all()) == 2
    assert not page.locator("form.filters").is_visible()


def test_paper_has_every_figure_and_every_exclusion_and_no_controls(visit, index):
    page = visit(index)
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for hidden in ("nav", "form.filters", ".copy", "[role=tooltip]"):
        assert not any(one.is_visible() for one in page.locator(hidden).all())
    for shown in (
        "#exclusions",
        "#paragraph",
        "#method ~ *",
        "[aria-label=Verdicts] table",
        ".meanings dd >> nth=0",
        "img >> nth=-1",
    ):
        assert page.locator(shown).first.is_visible(), shown
    for left_out in ("#statistics", "#provenance", "#downloads"):
        assert not page.locator(left_out).is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details[open]:not(.controls)").count() == 0


BROKEN = """() => {
  const broken = [], range = document.createRange();
  const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const node = words.currentNode;
    if (!node.parentElement.checkVisibility() || node.parentElement.closest("pre, dt, .references")) continue;
    for (const word of node.data.matchAll(/[\\p{L}\\p{N}]+/gu)) {
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) broken.push(word[0]);
    }
  }
  return broken;
}"""
"""The words that stand on two lines."""

CLIPPED = """() => [...document.querySelectorAll("main table, main img")]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.closest("[aria-label]").getAttribute("aria-label"))"""
"""The figures and tables that reach beyond the paper."""


def on_paper(visit, path):
    """The page as A4 shows it at its margins."""
    page = visit(path, viewport={"width": 688, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    return page


@pytest.mark.parametrize("name", [None, *LARGE])
def test_paper_breaks_no_word_and_cuts_nothing_off(visit, index, large, name):
    page = on_paper(visit, large(name) if name else index)
    assert page.evaluate(BROKEN) == []
    assert page.evaluate(CLIPPED) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(page) == []


def test_a_broken_word_and_a_table_that_is_cut_off_would_be_seen(visit, index):
    page = on_paper(visit, index)
    page.add_style_tag(content="td { word-break: break-all; max-width: 1em } #figure-forest img { min-width: 900px }")
    assert page.evaluate(BROKEN)
    assert page.evaluate(CLIPPED)


@pytest.mark.parametrize("name", LARGE)
def test_a_large_study_is_a_page_of_less_than_twelve_screens_folded_by_factor(visit, large, name):
    page = visit(large(name), viewport={"width": 1400, "height": SCREEN})
    assert page.evaluate("document.documentElement.scrollHeight") < 12 * SCREEN
    groups = page.locator(".table").filter(has=page.locator("[aria-label^=Verdicts]")).locator("details.group")
    titles = groups.locator("summary").all_inner_texts()
    assert [title.partition(":")[0] for title in titles] == GROUPS[name]
    rows = groups.locator("tbody tr")
    contexts = large(name).parent / "tables" / "contexts.csv"
    with contexts.open(newline="") as table:
        assert rows.count() == len([*csv.DictReader(table)])
    groups.first.locator("summary").click()
    assert groups.first.locator("table").is_visible()


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("width", [1400, 390])
def test_a_large_study_is_not_cut_off_either(visit, large, name, width):
    page = visit(large(name), viewport={"width": width, "height": SCREEN})
    assert page.said == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []
    assert opened(page).evaluate("document.documentElement.scrollWidth") == width


def test_the_contents_are_the_headings_and_mark_the_one_that_is_read(visit, index):
    page = visit(index, viewport={"width": 1400, "height": SCREEN})
    links = page.locator("nav.contents a")
    headings = page.locator("main h2")
    assert links.all_inner_texts() == headings.all_inner_texts()
    for number in (0, 4, links.count() - 1):
        links.nth(number).click()
        page.wait_for_function(f"document.querySelectorAll('nav.contents a')[{number}].ariaCurrent === 'true'")
        assert page.locator("nav.contents a[aria-current]").count() == 1
        assert links.nth(number).is_visible()
        top = headings.nth(number).bounding_box()["y"]
        assert 0 <= top < SCREEN


def test_on_a_phone_the_contents_are_a_bar_that_hides_no_heading(visit, index):
    page = visit(index, viewport={"width": 390, "height": 844})
    bar = page.locator("nav.contents")
    assert bar.bounding_box()["height"] < 60
    assert not bar.locator("a").first.is_visible()
    bar.locator("summary").click()
    bar.locator("a", has_text="Method").click()
    assert not bar.locator("a").first.is_visible()
    page.wait_for_function("scrollY > 500")
    assert page.locator("#method").bounding_box()["y"] >= bar.bounding_box()["height"]


def test_a_link_to_what_is_folded_opens_it(visit, index):
    page = visit(index, viewport={"width": 1400, "height": SCREEN})
    assert not page.locator("a[download]").first.is_visible()
    page.locator("nav.contents a[href='#downloads']").click()
    assert page.locator("a[download]").first.is_visible()
    page.goto(f"{index.as_uri()}#exclusions")
    page.reload()
    assert page.locator("details.section:has(#exclusions)").get_attribute("open") is not None


def test_without_scripts_a_link_to_what_is_folded_opens_it_too(visit, index):
    page = visit(index, java_script_enabled=False)
    page.goto(f"{index.as_uri()}#downloads")
    assert page.locator("a[download]").first.is_visible()
    page.locator(".meanings summary").first.click()
    assert page.locator(".meanings dd").first.is_visible()


@pytest.mark.parametrize("how", ["hover", "focus", "touch"])
def test_the_head_of_a_column_says_what_it_means(visit, index, how):
    page = visit(index, has_touch=True)
    head = page.locator("[aria-label=Verdicts] thead button").nth(1)
    tip = page.locator("[role=tooltip]")
    assert not tip.is_visible()
    head.scroll_into_view_if_needed()
    page.wait_for_timeout(200)
    {"hover": head.hover, "focus": head.focus, "touch": head.tap}[how]()
    assert tip.is_visible()
    meaning = page.locator(f"#{head.get_attribute('aria-describedby')}")
    assert tip.inner_text() == meaning.text_content()
    assert "more than chance" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()


@pytest.mark.parametrize("clipboard", [True, False])
def test_the_paragraph_and_the_citation_can_be_copied(visit, index, finished_once, clipboard):
    page = visit(index)
    page.evaluate(
        """works => {
          window.taken = [];
          const take = (text) => works ? (window.taken.push(text), Promise.resolve()) : Promise.reject(new Error("no"));
          Object.defineProperty(navigator, "clipboard", { value: { writeText: take } });
          document.execCommand = (name) => window.taken.push(`${getSelection()}`.trim());
        }""",
        clipboard,
    )
    buttons = page.locator("button.copy")
    assert buttons.count() == 2
    for button in buttons.all():
        button.focus()
        page.keyboard.press("Enter")
        page.locator("[role=status]", has_text="Copied.").first.wait_for()
    paragraph, bibtex = page.evaluate("window.taken")
    verdicts = json.loads((finished_once.report / "verdicts.json").read_text())
    assert paragraph == " ".join(verdicts["methods"].split())
    assert bibtex.startswith("@software{")
    assert bibtex.endswith("}")


def test_the_first_column_of_a_wide_table_stays_and_the_edge_has_a_shadow(visit, index):
    page = visit(index, viewport={"width": 390, "height": 844})
    table = page.locator("[aria-label=Verdicts]")
    first, second = table.locator("tbody tr >> nth=0 >> th, td").nth(0), table.locator("tbody td").nth(0)
    left, moved = first.bounding_box()["x"], second.bounding_box()["x"]
    assert "linear-gradient" in table.evaluate("one => getComputedStyle(one).backgroundImage")
    table.evaluate("one => { one.scrollLeft = 120 }")
    page.wait_for_function("document.querySelector('[aria-label=Verdicts]').classList.contains('scrolled')")
    assert first.bounding_box()["x"] == left
    assert second.bounding_box()["x"] == moved - 120
    assert first.evaluate("one => getComputedStyle(one).boxShadow") != "none"


def test_a_keyboard_reaches_and_works_every_control(visit, index):
    page = visit(index, viewport={"width": 1400, "height": SCREEN})
    wanted = page.evaluate(
        """() => [...document.querySelectorAll("a[href], button, select, summary, [tabindex='0']")]
          .filter((one) => one.checkVisibility()).map((one, i) => (one.dataset.control = i))"""
    )
    reached = set()
    for _ in range(len(wanted) + 10):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement?.dataset.control"))
    assert {str(number) for number in wanted} <= reached
    for summary in page.locator("main summary").all():
        if summary.is_visible():
            before = summary.evaluate("one => one.parentElement.open")
            summary.focus()
            page.keyboard.press("Enter")
            assert summary.evaluate("one => one.parentElement.open") != before
