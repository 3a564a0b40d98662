"""Snakemake's own report of a real run: it opens on the answer, and the whole page works in it."""

import json
import zipfile

import pytest


@pytest.fixture
def made(finished, tmp_path):
    """A function that makes Snakemake's report as a file of that name, and gives it, unpacked where it is packed."""

    def report(name):
        run = finished.snakemake("--report", str(tmp_path / name))
        assert run.returncode == 0, run.stdout + run.stderr
        if not name.endswith(".zip"):
            return tmp_path / name
        with zipfile.ZipFile(tmp_path / name) as packed:
            packed.extractall(tmp_path / "unpacked")
        (page,) = (tmp_path / "unpacked").rglob("report.html")
        return page

    return report


@pytest.mark.parametrize("name", ["report.html", "report.zip"])
def test_it_opens_on_the_headline_and_holds_the_page_that_works_in_it(made, finished, visit, name):
    verdicts = json.loads((finished.report / "verdicts.json").read_text())
    headline = verdicts["headline"]
    window = visit(made(name))
    assert " ".join(headline.split()) in " ".join(window.inner_text("body").split())
    window.locator("a, button").filter(has_text="Report").last.click()
    window.locator("table a, table button").first.click()
    window.wait_for_selector("iframe")
    page = window.frame_locator("iframe")
    assert headline.split() == page.locator("h1").inner_text().split()
    head = page.locator("[aria-label=Verdicts] thead th").nth(2)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    images = page.locator("body").evaluate("body => [...body.ownerDocument.images].map(image => image.naturalWidth)")
    assert len(images) >= 10
    assert all(images)
    assert [text for text in window.said if "tailwindcss" not in text] == []  # Snakemake's own page says that
