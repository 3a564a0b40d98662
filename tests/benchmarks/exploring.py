"""How long a page takes to show itself in Chromium on one core, and to answer a choice of its reader.

Run by hand, on a page that is there: `python tests/benchmarks/exploring.py reports/default/index.html`. First paint is
what Chromium says of itself; a choice is made, and timed until what it changes is laid out and painted. The median of
several visits.
"""

import argparse
import os
import shutil
import statistics
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PAINTED = """() => {
  const [navigation] = performance.getEntriesByType("navigation");
  const paint = Object.fromEntries(performance.getEntriesByType("paint").map((one) => [one.name, one.startTime]));
  return { "first paint": paint["first-paint"], "loaded, figures drawn": navigation.loadEventEnd };
}"""

CHOSEN = """(value) => new Promise((done) => {
  const select = document.querySelector("form.filters [data-choice=outcome]");
  const start = performance.now();
  select.value = value;
  select.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})"""


def times(page: Page, address: str) -> dict[str, float]:
    """What one visit takes, in milliseconds."""
    page.goto(address)
    page.wait_for_timeout(300)
    found: dict[str, float] = page.evaluate(PAINTED)
    outcomes = page.locator("form.filters [data-choice=outcome] option").evaluate_all("all => all.map((o) => o.value)")
    found["another outcome"] = page.evaluate(CHOSEN, outcomes[-1])
    return found


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    parser.add_argument("--visits", type=int, default=5)
    asked = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # Chromium inherits it
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        visits = [times(browser.new_page(), asked.page.resolve().as_uri()) for _ in range(asked.visits)]
        browser.close()
    for name in visits[0]:
        print(f"{name}: {statistics.median(visit[name] for visit in visits):.0f} ms")


if __name__ == "__main__":
    main()
