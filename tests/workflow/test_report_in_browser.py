"""The page of a real run in Chromium: from disk, offline, on a desk, a phone and paper, and with a keyboard alone."""

import csv
import json
import os
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium):
    """A function that opens a page as a reader with these circumstances does, and notes what it asks for and says."""
    contexts = []

    def opened(path, **circumstances):
        contexts.append(chromium.new_context(**circumstances))
        contexts[-1].set_default_timeout(120_000)
        page = contexts[-1].new_page()
        page.asked, page.said = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(path.as_uri())
        page.asked = [url for url in page.asked if url != path.as_uri() and not url.startswith("data:")]
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def index(finished_once):
    return finished_once.report / "index.html"


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
    said = " ".join(visit(index).locator("body").inner_text().split())
    for sentence in (verdicts["sentence"], *verdicts["sentences"], verdicts["control"], verdicts["methods"]):
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
    page = visit(index)
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


def test_paper_has_every_figure_and_every_exclusion(visit, index):
    page = visit(index)
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.locator("nav").is_visible()
