"""What keeps a page short and small: lines in groups, first lines of listings, small tables and pictures inside it."""

import base64

import pandas as pd
import synthetic

from bnbench.page import addresses, figures_shown, page_style, tables
from bnbench.page.rows import Cell
from bnbench.page.table import Line, Table, folded

STUDY = synthetic.plan(batch_size=["full", 5, 25], optimizer=[{"name": "sgd"}, {"name": "adam"}])


def lines(each, **held):
    verdicts = ("hurts", "helps, but within the margin", "undecided")
    return [Line([Cell(str(i)), Cell(verdicts[i % 3], kind="verdict")], held=held) for i in range(each)]


def test_many_lines_are_in_groups_by_the_first_factor_in_which_they_differ():
    of_adam = [lines(6, optimizer="adam", batch_size=size) for size in ("full", "5", "25")]
    table = folded(STUDY, Table("label", ["head"], [line for group in of_adam for line in group]))
    assert [group.title for group in table.groups] == [
        f"{name}: 6 rows (2 helps, 2 hurts, 2 undecided)" for name in ("full batch", "batch 5", "batch 25")
    ]
    assert [line for group in table.groups for line in group.lines] == table.lines


def test_few_lines_are_shown_and_many_of_one_kind_are_folded_as_one():
    few = Table("label", ["head"], lines(12, optimizer="adam"))
    assert folded(STUDY, few) == few
    (group,) = folded(STUDY, Table("label", ["head"], lines(13, optimizer="adam"))).groups
    assert group.title == "All 13 rows (4 helps, 5 hurts, 4 undecided)"


def test_of_a_long_listing_the_page_holds_the_first_lines_and_says_where_all_are():
    table = tables.listing(STUDY, pd.DataFrame({"setting": range(1234)}), "label", "provenance")
    assert len(table.lines) == 100
    assert (table.beside, table.file) == ("The first 100 of 1,234 rows.", "provenance")
    assert not tables.listing(STUDY, pd.DataFrame({"setting": range(100)}), "label", "provenance").beside


def test_the_smallest_tables_are_in_the_page_and_those_beyond_its_limit_beside_it(tmp_path):
    (tmp_path / "tables").mkdir()
    for name, size in {"large": 900, "small": 10, "middle": 90}.items():
        (tmp_path / "tables" / f"{name}.csv").write_bytes(b"x" * size)
    found = addresses.tables(tmp_path, ["large", "small", "middle"], 100)
    assert found["large"] == "tables/large.csv"
    assert base64.b64decode(found["middle"].partition(",")[2]) == b"x" * 90
    assert all(address.startswith("data:") for address in addresses.tables(tmp_path, found, 1000).values())


SVG = '<svg width="{}pt" height="{}pt"><defs></defs></svg>'


def test_a_figure_is_tall_where_it_fills_the_screen_at_the_width_of_the_page(tmp_path):
    for width, height, tall in ((540, 660, False), (540, 690, True), (1440, 1300, False), (1440, 1400, True)):
        (tmp_path / "forest.svg").write_text(SVG.format(width, height))
        assert figures_shown.picture(tmp_path / "forest", 900)["tall"] == tall, (width, height)


def test_a_figure_of_very_many_marks_is_shown_as_its_pixels_where_these_are_smaller(tmp_path):
    (tmp_path / "pairs.svg").write_text(SVG.format(540, 300) + "<!--" + "x" * 500_000 + "-->")
    (tmp_path / "pairs-narrow.svg").write_text(SVG.format(270, 600))
    assert figures_shown.picture(tmp_path / "pairs", 900)["image"].startswith("data:image/svg+xml")
    (tmp_path / "pairs.png").write_bytes(b"pixels")
    shown = figures_shown.picture(tmp_path / "pairs", 900)
    assert shown["image"] == addresses.data_address("image/png", b"pixels")
    assert shown["kind"] == "dots"
    assert "prefers-color-scheme" in base64.b64decode(shown["narrow"].partition(",")[2]).decode()


def test_the_style_sheet_has_the_colours_of_the_figures_for_light_and_dark_pages():
    light, dark = page_style.text().split("\n")[:2]
    for name in ("helps", "hurts", "undecided", *(f"arm-{number}" for number in range(8))):
        assert light.count(f"--{name}: #") == dark.count(f"--{name}: #") == 1
    assert dark.startswith("@media (prefers-color-scheme: dark)")
