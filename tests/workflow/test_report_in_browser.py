"""The page of a real run in headless Chromium: from disk, offline, and on a phone."""

import csv
import html
import json
import os
import re
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
    "--enable-logging=stderr",
    "--v=0",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)

PHONE = """<!doctype html>
<iframe src="%s" width="390" height="844" style="border: 0"></iframe>
<pre></pre>
<script>
onload = () => {
  const page = document.querySelector("iframe").contentDocument
  const root = page.documentElement
  document.querySelector("pre").textContent = JSON.stringify({
    width: root.clientWidth,
    needed: root.scrollWidth,
    images: [...page.images].map(image => [image.alt, image.complete && image.naturalWidth]),
  })
}
</script>
"""
"""Measures a page from outside of it, since its own rules let no script run."""


class Visit:
    """What Chromium made of a page."""

    def __init__(self, page, profile):
        log = profile / "network.json"
        own = (f"--user-data-dir={profile}", f"--log-net-log={log}")
        command = [CHROMIUM, *OPTIONS, *own, "--dump-dom", page.as_uri()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        self.console = re.findall(r":CONSOLE[:(].*", run.stderr)
        self.dom = run.stdout
        self.requests = self._requests(json.loads(log.read_text()))

    @property
    def text(self):
        """What a reader sees, without the marks around it."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", "", self.dom)).split())

    def _requests(self, log):
        """Addresses that the page asked the network for; Chromium's own errands have no page that asks for them."""
        start = log["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
        asked = [event.get("params", {}) for event in log["events"] if event["type"] == start]
        return [request["url"] for request in asked if request.get("initiator", "not an origin") != "not an origin"]


@pytest.fixture(scope="module")
def visit(tmp_path_factory):
    """A function that opens a page in a Chromium of its own."""
    if not CHROMIUM:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("Chromium is not installed")
    return lambda page: Visit(page, tmp_path_factory.mktemp("chromium"))


@pytest.fixture(scope="module")
def page(visit, finished_once):
    return visit(finished_once.report / "index.html")


def test_the_page_asks_no_network_for_anything_and_has_no_error(page):
    assert page.requests == []
    assert page.console == []


def test_a_request_and_an_error_would_be_seen(visit, tmp_path):
    (tmp_path / "page.html").write_text('<img src="http://example.invalid/a.png"><script>missing()</script>')
    page = visit(tmp_path / "page.html")
    assert page.requests == ["http://example.invalid/a.png"]
    assert len(page.console) == 1


def test_the_page_says_what_verdicts_json_says(page, finished_once):
    verdicts = json.loads((finished_once.report / "verdicts.json").read_text())
    for sentence in (verdicts["sentence"], *verdicts["sentences"]):
        assert " ".join(sentence.split()) in page.text
    with (finished_once.report / "tables" / "contexts.csv").open(newline="") as table:
        said = [row["verdict"] for row in csv.DictReader(table)]
    shown = re.findall(r'<td class="verdict">([^<]*)</td>', page.dom)
    assert len(said) == 2
    assert [verdict.partition(",")[0] for verdict in shown] == said


def test_all_figures_load_and_nothing_stands_out_of_a_phone(visit, finished_once, tmp_path):
    (tmp_path / "phone.html").write_text(PHONE % (finished_once.report / "index.html").as_uri())
    measured = json.loads(html.unescape(re.search(r"<pre>(.*)</pre>", visit(tmp_path / "phone.html").dom)[1]))
    assert measured["width"] == 390
    assert measured["needed"] <= 390
    assert len(measured["images"]) == 6
    assert [alt for alt, width in measured["images"] if not width] == []
