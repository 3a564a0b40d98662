"""Pages of every kind of study, each rendered once for all tests of pages."""

import constructed
import pytest
import walking


@pytest.fixture(scope="session")
def constructed_pages(tmp_path_factory):
    """A function that gives the page of a case, and its blocks of text."""
    found = {}

    def of(name):
        if name not in found:
            page = constructed.page(constructed.CASES[name], tmp_path_factory.mktemp("page"))
            texts = [*walking.blocks(page.html), *walking.landing(page.landing), *walking.stored(page.verdicts)]
            found[name] = (page, texts)
        return found[name]

    return of
