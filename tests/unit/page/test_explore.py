"""What the interactive figures draw: the numbers of the tables, and no more of them than a page can hold."""

import json

import constructed
import numpy as np
import own_pages
import pytest
import synthetic

from bnbench.page import explore
from bnbench.wording import effects


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A study of four contexts, and its tables."""
    study = synthetic.plan(**synthetic.GRID, seeds=6)
    folder = tmp_path_factory.mktemp("explored")
    gone = synthetic.where("batch", [2], 12)
    tables, _ = synthetic.compared(folder, study, ratio=synthetic.arms(batch=2.0), noise=0.1, diverged=gone)
    return study, tables


@pytest.fixture
def facts(found):
    return explore.facts(*found)


def rows_of(study, facts, table):
    """Each row of a table with the places of its context and comparison."""
    names = [context["name"] for context in facts["contexts"]]
    pairs = [(one["baseline"], one["treatment"]) for one in facts["comparisons"]]
    arms = [arm["label"] for arm in facts["arms"]]
    for row in table.to_dict("records"):
        place = names.index(explore.titles.context_name(study, row))
        pair = (arms.index(row["baseline"]), arms.index(row["treatment"])) if "treatment" in row else None
        yield row, place, pairs.index(pair) if pair else arms.index(row["norm"])


def test_effects_are_those_of_the_tables(found, facts):
    study, tables = found
    decided = {(row["context"], row["comparison"]): row for row in facts["effects"]["test_loss"]}
    for row, *places in rows_of(study, facts, tables["contexts"]):
        own = decided.pop(tuple(places))
        assert own["verdict"] == row["verdict"]
        expected = [row[name] for name in ("effect", "effect_low", "effect_high", "baseline_value", "treatment_value")]
        numbers = [own[name] for name in ("effect", "low", "high", "baseline", "treatment")]
        np.testing.assert_allclose(numbers, expected, rtol=1e-5)
    assert not decided
    others = tables["outcomes"][tables["outcomes"]["role"] != "primary"]
    assert {*facts["effects"]} == {*others["outcome"], "test_loss"}
    for row, *places in rows_of(study, facts, others):
        (own,) = (one for one in facts["effects"][row["outcome"]] if [one["context"], one["comparison"]] == places)
        np.testing.assert_allclose([own["effect"] or np.nan], [row["effect"] or np.nan], rtol=1e-5)


def test_curves_and_differences_have_the_texts_of_the_tables_at_their_epochs(found, facts):
    study, tables = found
    held = {}
    for row, *places in rows_of(study, facts, tables["curves"]):
        held[row["outcome"], *places, row["epoch"]] = row
    counted = 0
    for name, lines in facts["curves"].items():
        for line in lines:
            for place, epoch in enumerate(facts["grids"][line["grid"]]):
                row = held[name, line["context"], line["arm"], epoch]
                assert (line["n"], line["diverged"]) == (row["seeds"], row["diverged"])
                for number, column in (("value", "loss"), ("low", "low"), ("high", "high")):
                    text = effects.value(study.outcomes[name], line[number][place])
                    assert text == effects.value(study.outcomes[name], row[column])
                    counted += 1
    assert counted == 3 * len(tables["curves"])
    epochs = {(*places, row["epoch"]): row for row, *places in rows_of(study, facts, tables["differences"])}
    for line in facts["differences"]:
        for place, epoch in enumerate(facts["grids"][line["grid"]]):
            row = epochs[line["context"], line["comparison"], epoch]
            assert effects.plain(study.outcome, line["value"][place]) == effects.plain(study.outcome, row["effect"])
            assert line["n"] == row["pairs"]


def test_values_of_seeds_are_those_of_pairs_and_finals(found, facts):
    study, tables = found
    pairs = {(*places, row["seed"]): row for row, *places in rows_of(study, facts, tables["pairs"])}
    finals = {
        (row["outcome"], *places, row["seed"]): row["final"] for row, *places in rows_of(study, facts, tables["finals"])
    }
    for name, parts in facts["finals"].items():
        assert len(parts) == 8
        for part in parts:
            for seed, value in zip((facts["seeds"][place] for place in part["seeds"]), part["values"], strict=True):
                arm = "treatment_value" if part["arm"] else "baseline_value"
                expected = pairs[part["context"], 0, seed][arm] if name == "test_loss" else None
                expected = finals[name, part["context"], part["arm"], seed] if expected is None else expected
                assert value == pytest.approx(expected, rel=1e-3) if value is not None else np.isnan(expected)
    assert sum(value is None for part in facts["finals"]["test_loss"] for value in part["values"]) == 4
    for part in facts["changes"]:
        seeds = [facts["seeds"][place] for place in part["seeds"]]
        assert 2 not in seeds  # what diverged has no effect
        expected = [pairs[part["context"], part["comparison"], seed]["effect"] for seed in seeds]
        np.testing.assert_allclose(part["values"], expected, rtol=1e-3)


@pytest.mark.parametrize(
    "name", ["one context diverged", "an arm is missing", "tuned", "nothing trained", "accuracies"]
)
def test_studies_of_every_kind_have_something_to_draw(name, tmp_path):
    page = constructed.page(constructed.CASES[name], tmp_path)
    facts = block_of(page.html)
    assert len(facts["effects"][facts["decides"]]) == len(page.found["contexts"])
    assert bool(facts["curves"]) == (len(page.found["curves"]) > 0)
    assert bool(facts["finals"][facts["decides"]]) == (len(page.found["pairs"]) > 0)


def test_a_verdict_by_ranks_without_a_number_says_why(tmp_path):
    facts = block_of(constructed.page(constructed.CASES["one context diverged"], tmp_path).html)
    said = [row["said"] for row in facts["effects"][facts["decides"]] if row["effect"] is None]
    assert said
    for one in said:
        assert one["effect"] == "–"
        assert one["instead"].startswith("by ranks; ")
        assert one["instead"].endswith(" diverged")


@pytest.mark.parametrize("name", ["five optimizers", "diverged, stopped and missing", "losses of 0", "groups of five"])
def test_results_of_ones_own_have_something_to_draw(name, tmp_path):
    page = own_pages.page(own_pages.CASES[name], tmp_path)
    facts = block_of(page.html)
    assert len(facts["effects"][facts["decides"]]) == len(page.found["contexts"])
    assert bool(facts["curves"]) == page.study.has_course
    drawn = {
        (part["context"], part["arm"], seed) for part in facts["finals"][facts["decides"]] for seed in part["seeds"]
    }
    values = page.found["pairs"]
    runs = values["baseline_floored"].notna().sum() + values["treatment_floored"].notna().sum()
    assert len(drawn) <= runs
    assert len(drawn) >= runs / len(page.study.arms)


def block_of(html):
    before, _, rest = html.partition('<script type="application/json" id="explore-data">')
    assert before.count("<script") == 0
    return json.loads(rest[: rest.index("</script>")])


def test_no_text_can_end_the_element_that_holds_it():
    text = explore.block({"name": "</script><script>alert(1)</script><!--\u2028"})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text) == {"name": "</script><script>alert(1)</script><!--\u2028"}


def test_a_large_study_keeps_what_decides_and_then_nothing(found, monkeypatch):
    lines = 8
    monkeypatch.setattr(explore, "POINTS", lines * explore.FEWEST)
    assert {*explore.facts(*found)["curves"]} == {"test_loss"}
    monkeypatch.setattr(explore, "POINTS", lines * explore.FEWEST - 1)
    assert explore.facts(*found)["curves"] == {}
    values = 4 * 2 * 6
    monkeypatch.setattr(explore, "VALUES", values)
    assert {*explore.facts(*found)["finals"]} == {"test_loss"}
    monkeypatch.setattr(explore, "VALUES", values - 1)
    assert explore.facts(*found)["finals"] == {}
    monkeypatch.setattr(explore, "ROWS", len(found[1]["outcomes"]) - 1)
    assert {*explore.facts(*found)["effects"]} == {"test_loss"}


def test_a_number_has_the_fewest_digits_that_keep_its_text():
    text = "{:.2e}".format
    assert explore.shortest([1.23456789e-3, np.nan, np.inf, 0.0], text) == [0.001235, None, None, 0.0]
    assert explore.shortest([1.2350001e-3], text) == [1.2350001e-3]  # 0.001235 would be written as 1.23e-03
    # Four digits would round up to a tie, and from there once more.
    assert text(0.00123496) == text(explore.shortest([0.00123496], text)[0]) == "1.23e-03"


def test_curves_are_thinned_to_their_ends(found, monkeypatch):
    monkeypatch.setattr(explore, "MOST", 3)
    facts = explore.facts(*found)
    assert {tuple(facts["grids"][line["grid"]]) for line in facts["curves"]["test_loss"]} == {(9, 29, 39)}
