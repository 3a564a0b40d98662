"""The pictures of a page stay as they are while they fit, and the largest become dots where they do not."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

from bnbench.figures import style
from bnbench.page import figures_shown, lighter


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three figures: of ten, of a hundred and of a thousand lines."""
    folder = tmp_path_factory.mktemp("figures")
    style.set_style()
    drawn = np.random.default_rng(0).normal(size=(1000, 200)).cumsum(1)
    for name, lines in (("few", 10), ("some", 100), ("many", 1000)):
        figure, ax = plt.subplots(figsize=(8, 6))
        ax.plot(drawn[:lines].T, linewidth=0.3)
        style.save(figure, folder, name, ["svg", "png"])
    return folder


@pytest.fixture
def shown(folder):
    """As the page would hold them without a limit, all drawn."""
    found = {name: figures_shown.picture(folder / name, 900) for name in ("few", "some", "many")}
    drawn = {name: figures_shown._drawing((folder / f"{name}.svg").read_bytes()) for name in found}
    return {name: {**each, "kind": "", "image": drawn[name]} for name, each in found.items()}


def characters(shown):
    return sum(len(each["image"]) + len(each["narrow"]) for each in shown.values())


def test_pictures_that_fit_stay_as_they_are(shown, folder):
    assert lighter.within(shown, folder, characters(shown)) == shown


def test_the_largest_becomes_dots_of_the_same_picture(shown, folder):
    most = characters(shown) - 1
    found = lighter.within(shown, folder, most)
    assert {name: each["kind"] for name, each in found.items()} == {"few": "", "some": "", "many": "dots"}
    assert characters(found) <= most
    held = Image.open(io.BytesIO(base64.b64decode(found["many"]["image"].partition(",")[2]))).convert("L")
    drawn = Image.open(folder / "many.png").convert("L")
    assert held.size == drawn.size
    assert np.abs(np.asarray(held, float) - np.asarray(drawn, float)).mean() < 8
    assert {**found["many"], "kind": "", "image": ""} == {**shown["many"], "image": ""}


def test_all_become_dots_and_then_fewer_where_even_those_do_not_fit(shown, folder):
    found = lighter.within(shown, folder, 0)
    assert found["many"]["kind"] == "dots"
    assert characters(found) < characters(lighter.within(shown, folder, characters(shown) - 1))
    assert all(len(found[name]["image"]) <= len(shown[name]["image"]) for name in shown)


def test_a_figure_without_dots_stays_drawn(shown, tmp_path):
    assert lighter.within(shown, tmp_path, 0) == shown
